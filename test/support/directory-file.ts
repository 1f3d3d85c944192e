/**
 * Export files of a directory, optionally with errors, and the requests for export and import.
 */
import { type Answer, ORIGIN, send } from './harness.ts'

export type Line = Readonly<Record<string, unknown>>

const HEADERS = { Authorization: 'Bearer test-admin-token' }

/** The id of the user or group with that number. */
export function idOf(number: number): string {
  return `01a2097c-0000-7000-8000-${number.toString(16).padStart(12, '0')}`
}

export function userLine(number: number, attributes: Line = {}, more: Line = {}): Line {
  const resource = { userName: `user-${number}@quillfern.example`, active: true, ...attributes }
  return { kind: 'user', id: idOf(number), version: 1, createdAt: 1, lastModified: 2, resource, ...more }
}

export function groupLine(number: number, attributes: Line = {}): Line {
  const resource = { displayName: `Group ${number}`, ...attributes }
  return { kind: 'group', id: idOf(number), version: 1, createdAt: 1, lastModified: 2, resource }
}

export function memberLine(group: number, member: number, memberType = 'User'): Line {
  return { kind: 'membership', groupId: idOf(group), memberId: idOf(member), memberType }
}

export function users(count: number): readonly Line[] {
  return Array.from({ length: count }, (_, i) => userLine(i + 1))
}

export function textOf(lines: readonly Line[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('')
}

/** The last line of a file, which has the counts. @param text all lines before it */
export async function endLine(text: string): Promise<Line> {
  const count = (kind: string) => text.split(`{"kind":"${kind}"`).length - 1
  return {
    kind: 'end',
    users: count('user'),
    groups: count('group'),
    memberships: count('membership'),
    sha256: await sha256(text),
  }
}

export async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** A complete file. */
export async function fileOf(lines: readonly Line[]): Promise<string> {
  const text = textOf(lines)
  return text + textOf([await endLine(text)])
}

export function exportOf(tenantId: string): Promise<Answer> {
  return send(new Request(`${ORIGIN}/admin/api/tenants/${tenantId}/export`, { headers: HEADERS }))
}

/** Exports a tenant. */
export async function exported(tenantId: string): Promise<string> {
  const { status, body } = await exportOf(tenantId)
  if (status !== 200) throw new Error(`not exported: ${JSON.stringify(body)}`)
  return typeof body === 'string' ? body : `${JSON.stringify(body)}\n`
}

export function importRequest(tenantId: string, body: BodyInit, query = ''): Request {
  const url = `${ORIGIN}/admin/api/tenants/${tenantId}/import${query}`
  return new Request(url, { method: 'POST', headers: HEADERS, body })
}

export function imported(tenantId: string, body: BodyInit, query = ''): Promise<Answer> {
  return send(importRequest(tenantId, body, query))
}
