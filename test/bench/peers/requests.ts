/** PATCH requests that every SCIM server understands, and what an error says. */
import type { Request } from '../load/scim.ts'

const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'
/** RFC 7644 §3.5.2: a server answers a PATCH with the resource or without. */
export const PATCHED = [200, 204] as const

export function addMembers(group: string, members: readonly string[]): Request {
  return patchOf(`/Groups/${group}`, [
    { op: 'add', path: 'members', value: members.map((value) => ({ value })) },
  ])
}

export function removeMembers(group: string, members: readonly string[]): Request {
  const operations = members.map((id) => ({ op: 'remove', path: `members[value eq "${id}"]` }))
  return patchOf(`/Groups/${group}`, operations)
}

export function patchOf(path: string, Operations: readonly object[]): Request {
  return { method: 'PATCH', path, body: { schemas: [PATCH_OP], Operations } }
}

/** The `detail` of an error, or the beginning of the answer. */
export function detailOf(answer: string): string {
  return /"detail":\s*"((?:[^"\\]|\\.)*)"/.exec(answer)?.[1] ?? answer.split('\r\n')[0] ?? ''
}
