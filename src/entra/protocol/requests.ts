/**
 * Builds the requests of the provisioning service: method, path with its exact query encoding, and body. Pure; sends
 * nothing. The two dialects differ only in PATCH.
 *
 * Microsoft: "Tutorial - Develop a SCIM endpoint for user provisioning to apps from Microsoft Entra ID" and "Known
 * issues with System for Cross-Domain Identity Management (SCIM) 2.0 protocol compliance".
 */
import { isRoles, type MappedValue, type MappedValues } from '../mappings/attribute-mapping.ts'
import { isObject } from '../problem.ts'
import { writeTargetPath } from './attribute-path.ts'
import { ROLE_TYPE, roleObjects, roleOperation } from './roles.ts'

export type ObjectType = 'User' | 'Group'

/** `flag` is the behaviour that `?aadOptscim062020` in the Tenant URL enables. */
export type Dialect = 'old' | 'flag'

export interface ScimRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Relative to the Tenant URL, including the query. */
  readonly path: string
  readonly body?: Readonly<Record<string, unknown>>
}

/** An attribute to change: `add` if the target has no value, `replace` if it has one. */
export interface AttributeChange {
  readonly op: 'add' | 'replace'
  readonly path: string
  readonly value: MappedValue
}

export const CORE_USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
export const CORE_GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'
export const ENTERPRISE_USER = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
/** Sent until December 2018, and still in the sample of a group. */
const AD_SCIM_GROUP = 'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group'

/** The query that tests the connection and keeps it alive; it asks for an object that cannot exist. */
export function probeRequest(type: ObjectType, attribute: string, guid: string): ScimRequest {
  return matchRequest(type, attribute, guid)
}

/** The request that a gallery application makes when its configuration is saved. */
export function schemasRequest(): ScimRequest {
  return { method: 'GET', path: '/Schemas' }
}

/** Queries the object whose matching attribute has a given value. Groups are requested without their members. */
export function matchRequest(type: ObjectType, attribute: string, value: MappedValue): ScimRequest {
  const filter = `${attribute} eq ${JSON.stringify(String(value))}`
  const query =
    type === 'Group'
      ? new URLSearchParams({ excludedAttributes: 'members', filter })
      : new URLSearchParams({ filter })
  return { method: 'GET', path: `${endpoint(type)}?${query}` }
}

/** Reads a linked object before it is changed. */
export function readRequest(type: ObjectType, targetId: string): ScimRequest {
  const query = type === 'Group' ? '?excludedAttributes=members' : ''
  return { method: 'GET', path: `${resourcePath(type, targetId)}${query}` }
}

/** One page of account discovery; `startIndex` is 1-based. */
export function pageRequest(type: ObjectType, startIndex: number, count: number): ScimRequest {
  return { method: 'GET', path: `${endpoint(type)}?startIndex=${startIndex}&count=${count}` }
}

/**
 * Creates an object, in the same form in both dialects. Users have the enterprise URN with or without such attributes;
 * the URN of another extension is not sent. Groups are always created without members.
 */
export function createRequest(type: ObjectType, values: MappedValues): ScimRequest {
  const body = resourceOf(type === 'User' ? [CORE_USER, ENTERPRISE_USER] : [CORE_GROUP], values)
  body.meta = { resourceType: type }
  if (type === 'User' && body.roles === undefined) body.roles = []
  return { method: 'POST', path: endpoint(type), body }
}

/** A resource with mapped values, in their order. */
export function resourceOf(schemas: readonly string[], values: MappedValues): Record<string, unknown> {
  const body: Record<string, unknown> = { schemas }
  for (const [path, value] of values) writeTargetPath(body, path, isRoles(value) ? roleObjects(value) : value)
  completeElements(body)
  return body
}

/** The service adds `primary` to the work address and a type to the primary role, as in the samples. */
export function completeElements(body: Record<string, unknown>): void {
  const complete = (attribute: string, key: string, wanted: unknown, added: Record<string, unknown>) => {
    const list = body[attribute]
    if (!Array.isArray(list)) return
    body[attribute] = list.map((element) =>
      isObject(element) && element[key] === wanted ? { ...added, ...element, ...added } : element,
    )
  }
  complete('emails', 'type', 'work', { primary: true })
  complete('roles', 'primary', true, { primary: true, type: ROLE_TYPE })
}

/** Creates a group as a job from before December 2018 does, with a URN that is not a SCIM schema. For `check` only. */
export function createGroupOf2018Request(values: MappedValues): ScimRequest {
  const request = createRequest('Group', values)
  return { ...request, body: { ...request.body, schemas: [CORE_GROUP, AD_SCIM_GROUP] } }
}

/**
 * Changes attributes: one operation for each attribute in the old dialect, one path-less operation for each `op` with
 * the flag.
 */
export function updateRequest(
  type: ObjectType,
  targetId: string,
  changes: readonly AttributeChange[],
  dialect: Dialect,
): ScimRequest {
  const operations = dialect === 'old' ? changes.map(oldOperation) : flagOperations(changes)
  return patchRequest(type, targetId, operations)
}

function oldOperation({ op, path, value }: AttributeChange): Record<string, unknown> {
  if (isRoles(value)) return roleOperation(path, value, 'old')
  const text = typeof value === 'boolean' ? (value ? 'True' : 'False') : value
  return { op: op === 'add' ? 'Add' : 'Replace', path, value: text }
}

function flagOperations(changes: readonly AttributeChange[]): Record<string, unknown>[] {
  const [only] = changes
  // Two cases keep their path: "Requests made to disable users" and "Requests made to add a single-value string
  // attribute".
  if (changes.length === 1 && !isRoles(only?.value) && (only?.path === 'active' || only?.op === 'add'))
    return [{ ...only }]
  const ownOperation = ({ path, value }: AttributeChange) => path.includes('[') || isRoles(value)
  const pathless = (['replace', 'add'] as const).flatMap((op) => {
    const flat = changes.filter((change) => change.op === op && !ownOperation(change))
    if (flat.length === 0) return []
    return [{ op, value: Object.fromEntries(flat.map(({ path, value }) => [path, value])) }]
  })
  const selected = changes.filter(ownOperation)
  // In the order of the sample on Microsoft's page.
  return [
    ...selected.map(({ op, path, value }) =>
      isRoles(value) ? roleOperation(path, value, 'flag') : { op, path, value },
    ),
    ...pathless,
  ]
}

/** Sets a reference such as `manager`. */
export function referenceRequest(
  targetId: string,
  path: string,
  value: string,
  dialect: Dialect,
): ScimRequest {
  return patchRequest('User', targetId, [{ op: dialect === 'old' ? 'Add' : 'add', path, value }])
}

/** Adds members, identified by the target's ids. */
export function addMembersRequest(
  groupId: string,
  memberIds: readonly string[],
  dialect: Dialect,
): ScimRequest {
  const value = memberIds.map((id) => (dialect === 'old' ? { $ref: null, value: id } : { value: id }))
  return patchRequest('Group', groupId, [{ op: dialect === 'old' ? 'Add' : 'add', path: 'members', value }])
}

/** Removes members: by a list of values in the old dialect, by value path with the flag. */
export function removeMembersRequest(
  groupId: string,
  memberIds: readonly string[],
  dialect: Dialect,
): ScimRequest {
  if (dialect === 'flag')
    return patchRequest(
      'Group',
      groupId,
      memberIds.map((id) => ({ op: 'remove', path: `members[value eq ${JSON.stringify(id)}]` })),
    )
  const value = memberIds.map((id) => ({ $ref: null, value: id }))
  return patchRequest('Group', groupId, [{ op: 'Remove', path: 'members', value }])
}

/** Deletes an object: a purged user, or a group that left the application. */
export function deleteRequest(type: ObjectType, targetId: string): ScimRequest {
  return { method: 'DELETE', path: resourcePath(type, targetId) }
}

/** A PATCH with the given operations. */
export function patchRequest(
  type: ObjectType,
  targetId: string,
  operations: readonly Record<string, unknown>[],
): ScimRequest {
  const path = resourcePath(type, targetId)
  return { method: 'PATCH', path, body: { schemas: [PATCH_OP], Operations: operations } }
}

/** The path of a resource. */
export function resourcePath(type: ObjectType, targetId: string): string {
  return `${endpoint(type)}/${encodeURIComponent(targetId)}`
}

export function endpoint(type: ObjectType): string {
  return type === 'User' ? '/Users' : '/Groups'
}
