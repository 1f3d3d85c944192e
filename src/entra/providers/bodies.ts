/** Requests that several providers build in the same way. Pure. */
import type { MappedValues } from '../mappings/attribute-mapping.ts'
import { clearTargetPath, parseTargetPath, writeTargetPath } from '../protocol/attribute-path.ts'
import {
  CORE_GROUP,
  CORE_USER,
  completeElements,
  endpoint,
  type ObjectType,
  resourceOf,
  resourcePath,
  type ScimRequest,
} from '../protocol/requests.ts'
import type { Member, Update } from './profile.ts'

/** Queries one object, with spaces and quotation marks percent-encoded. */
export function filterRequest(type: ObjectType, attribute: string, value: unknown, paging = ''): ScimRequest {
  const filter = encodeURIComponent(`${attribute} eq ${JSON.stringify(String(value))}`)
  return { method: 'GET', path: `${endpoint(type)}?filter=${filter}${paging}` }
}

/** Reads a resource with all its attributes. */
export function getRequest(type: ObjectType, targetId: string): ScimRequest {
  return { method: 'GET', path: resourcePath(type, targetId) }
}

export function putRequest(
  type: ObjectType,
  targetId: string,
  body: Readonly<Record<string, unknown>>,
): ScimRequest {
  return { method: 'PUT', path: resourcePath(type, targetId), body }
}

/** The core URN, and the URNs of the extensions that have a value. */
export function schemasOf(type: ObjectType, values: MappedValues): string[] {
  const extensions = [...values.keys()].flatMap((path) => parseTargetPath(path).urn ?? [])
  return [...new Set([type === 'User' ? CORE_USER : CORE_GROUP, ...extensions])]
}

/** A resource with the mapped values alone. */
export function mappedResource(type: ObjectType, values: MappedValues): Record<string, unknown> {
  return resourceOf(schemasOf(type, values), values)
}

/** The resource as it was read, with the mapped values and without the cleared ones. */
export function mergedResource(
  type: ObjectType,
  { target, values, cleared }: Pick<Update, 'target' | 'values' | 'cleared'>,
): Record<string, unknown> {
  const body = structuredClone(target ?? {}) as Record<string, unknown>
  const shown = Array.isArray(body.schemas) ? body.schemas : []
  body.schemas = [...new Set([...shown, ...schemasOf(type, values)])]
  for (const path of cleared) clearTargetPath(body, path)
  for (const [path, value] of values) writeTargetPath(body, path, value)
  completeElements(body)
  return body
}

/** Members by their ids alone. */
export function valuesOf(members: readonly Member[]): { value: string }[] {
  return members.map(({ id }) => ({ value: id }))
}

/** Removes one member by a value path. */
export function removeByPath({ id }: Member): Record<string, unknown> {
  return { op: 'remove', path: `members[value eq ${JSON.stringify(id)}]` }
}
