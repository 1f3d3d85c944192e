/**
 * What an on-premises Active Directory connector writes: users and groups as Active Directory has them, with a short account
 * name and the objectGUID. Pure.
 */
import type { Directory, DirectoryGroup, DirectoryUser } from '../documents/directory.ts'
import type { ScimRequest } from '../protocol/requests.ts'

const CORE_USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
const CORE_GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const CISCO_USER = 'urn:ietf:params:scim:schemas:extension:ciscoumbrella:2.0:User'
const CISCO_GROUP = 'urn:ietf:params:scim:schemas:extension:ciscoumbrella:2.0:Group'
const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'

/** The most characters of a sAMAccountName: [MS-ADA3] §2.222 and the limit of the user object class. */
const MAX_ACCOUNT_NAME = 20

/** The attribute that has the objectGUID, and its form. */
export interface Anchor {
  readonly attribute: 'nativeObjectId' | 'externalId'
  /** Active Directory's own form is base64 of its 16 bytes. */
  readonly encoding: 'base64' | 'text'
}

/** A user or a group to write. */
export interface WrittenObject {
  readonly type: 'User' | 'Group'
  /** The id in the directory file. */
  readonly id: string
  /** The objectGUID in the form of the anchor. */
  readonly anchor: string
  /** Without members. */
  readonly resource: Readonly<Record<string, unknown>>
  /** The ids of its members in the directory file; empty for a user. */
  readonly members: readonly string[]
}

/**
 * The objects that come from Active Directory: users with an objectGUID, and all groups. Objects that are deleted are left
 * out, so they are removed.
 */
export function writtenObjects({ users, groups }: Directory, anchor: Anchor): readonly WrittenObject[] {
  const isPresent = ({ deletedDateTime }: DirectoryUser | DirectoryGroup) => deletedDateTime === undefined
  return [
    ...users.filter(isPresent).flatMap((user) => writtenUser(user, anchor)),
    ...groups.filter(isPresent).flatMap((group) => writtenGroup(group, anchor)),
  ]
}

/** The property "objectGUID", as Entra's directory extensions name it. */
function objectGuidOf(object: Readonly<Record<string, unknown>>): string | undefined {
  const entry = Object.entries(object).find(([name]) => /(?:^|_)objectGUID$/.test(name))
  return typeof entry?.[1] === 'string' && isGuid(entry[1]) ? entry[1].toLowerCase() : undefined
}

function writtenUser(user: DirectoryUser, anchor: Anchor): readonly WrittenObject[] {
  const guid = objectGuidOf(user)
  if (guid === undefined) return []
  const value = inForm(guid, anchor)
  const { displayName, mail, accountEnabled } = user
  const resource = {
    schemas: [CORE_USER, CISCO_USER],
    userName: accountNameOf(user),
    ...(typeof displayName === 'string' ? { displayName } : {}),
    ...(typeof mail === 'string' ? { emails: [{ value: mail, type: 'work', primary: true }] } : {}),
    active: accountEnabled,
    ...anchored(value, anchor, CISCO_USER),
  }
  return [{ type: 'User', id: user.id, anchor: value, resource, members: [] }]
}

function writtenGroup(group: DirectoryGroup, anchor: Anchor): readonly WrittenObject[] {
  const guid = objectGuidOf(group) ?? (isGuid(group.id) ? group.id.toLowerCase() : undefined)
  if (guid === undefined) return []
  const value = inForm(guid, anchor)
  const resource = {
    schemas: [CORE_GROUP, CISCO_GROUP],
    displayName: group.displayName,
    ...anchored(value, anchor, CISCO_GROUP),
  }
  return [{ type: 'Group', id: group.id, anchor: value, resource, members: group.members }]
}

function anchored(value: string, { attribute }: Anchor, urn: string) {
  return attribute === 'externalId' ? { externalId: value } : { [urn]: { nativeObjectId: value } }
}

function accountNameOf({ onPremisesSamAccountName, mailNickname, userPrincipalName }: DirectoryUser): string {
  if (typeof onPremisesSamAccountName === 'string') return onPremisesSamAccountName
  const name = typeof mailNickname === 'string' ? mailNickname : (userPrincipalName.split('@')[0] ?? '')
  return name.slice(0, MAX_ACCOUNT_NAME)
}

function isGuid(text: string): boolean {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)
}

/** The first three fields of a GUID are little-endian in its bytes. */
function inForm(guid: string, { encoding }: Anchor): string {
  if (encoding === 'text') return guid
  const bytes = guid.split('-').flatMap((field, i) => {
    const ofField = (field.match(/../g) ?? []).map((hex) => Number.parseInt(hex, 16))
    return i < 3 ? ofField.toReversed() : ofField
  })
  return btoa(String.fromCharCode(...bytes))
}

/** The attribute path of the anchor, for a filter. */
function anchorPath({ type }: WrittenObject, { attribute }: Anchor): string {
  if (attribute === 'externalId') return 'externalId'
  return `${type === 'User' ? CISCO_USER : CISCO_GROUP}:nativeObjectId`
}

const endpointOf = ({ type }: Pick<WrittenObject, 'type'>) => `/${type}s`

/** The query for an object, by its anchor in the form that the connector writes. */
export function findRequest(object: WrittenObject, anchor: Anchor): ScimRequest {
  const filter = `${anchorPath(object, anchor)} eq ${JSON.stringify(object.anchor)}`
  return { method: 'GET', path: `${endpointOf(object)}?${new URLSearchParams({ filter })}` }
}

export function createRequest(object: WrittenObject, members: readonly string[]): ScimRequest {
  const more = object.type === 'Group' ? { members: members.map((value) => ({ value })) } : {}
  return { method: 'POST', path: endpointOf(object), body: { ...object.resource, ...more } }
}

export function deleteRequest(object: Pick<WrittenObject, 'type'>, targetId: string): ScimRequest {
  return { method: 'DELETE', path: `${endpointOf(object)}/${targetId}` }
}

/** @param found the resource as the server has it @returns undefined if nothing differs */
export function updateRequest(
  object: WrittenObject,
  found: Readonly<Record<string, unknown>>,
  members: readonly string[],
): ScimRequest | undefined {
  const simple = ['userName', 'displayName', 'active'].filter((name) => object.resource[name] !== undefined)
  const operations = [
    ...simple
      .filter((name) => found[name] !== object.resource[name])
      .map((path) => ({ op: 'replace', path, value: object.resource[path] })),
    ...memberOperations(object, found, members),
  ]
  if (operations.length === 0) return undefined
  const body = { schemas: [PATCH_OP], Operations: operations }
  return { method: 'PATCH', path: `${endpointOf(object)}/${String(found.id)}`, body }
}

function memberOperations(
  { type }: WrittenObject,
  found: Readonly<Record<string, unknown>>,
  members: readonly string[],
) {
  if (type === 'User') return []
  const present = Array.isArray(found.members) ? found.members.map(({ value }) => String(value)) : []
  const missing = members.filter((id) => !present.includes(id))
  const extra = present.filter((id) => !members.includes(id))
  return [
    ...(missing.length > 0
      ? [{ op: 'add', path: 'members', value: missing.map((value) => ({ value })) }]
      : []),
    ...(extra.length > 0
      ? [{ op: 'remove', path: 'members', value: extra.map((value) => ({ value })) }]
      : []),
  ]
}
