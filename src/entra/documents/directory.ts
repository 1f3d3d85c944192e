/**
 * The emulated Entra tenant: users and groups with their Microsoft Graph property names, and the assignments to the
 * application. Pure: reads a parsed JSON or YAML document and reports every problem with its path.
 */
import type { AppRole } from '../mappings/app-role.ts'
import type { FieldPath, JsonObject } from '../problem.ts'
import { describeType, isObject, Problems } from '../problem.ts'

/**
 * A user with Microsoft Graph's property names. Other properties, such as directory extensions, are kept and can be
 * mapped.
 */
export interface DirectoryUser {
  readonly id: string
  readonly userPrincipalName: string
  readonly accountEnabled: boolean
  /** False keeps the user out of the application even if an assigned group contains it. */
  readonly assigned: boolean
  /** ISO 8601. If present, the user is soft-deleted; it is purged 30 days later. */
  readonly deletedDateTime?: string
  readonly [property: string]: unknown
}

export interface DirectoryGroup {
  readonly id: string
  readonly displayName: string
  readonly assigned: boolean
  /** Ids of users and nested groups. */
  readonly members: readonly string[]
  readonly deletedDateTime?: string
  readonly [property: string]: unknown
}

/** Assigns a user or group to the application, optionally with an app role. */
export interface Assignment {
  readonly principalId: string
  readonly appRole?: AppRole
}

export interface Directory {
  readonly users: readonly DirectoryUser[]
  readonly groups: readonly DirectoryGroup[]
  /** If absent, all users and groups are assigned except those with `assigned: false`. */
  readonly assignments?: readonly Assignment[]
}

/** A member id without a user or group in the document: a typing error or an object deleted since. */
export interface UnknownMember {
  readonly path: FieldPath
  readonly id: string
}

export interface ParsedDirectory {
  readonly directory: Directory
  readonly unknownMembers: readonly UnknownMember[]
  readonly problems: Problems['list']
}

type PropertyType = 'string' | 'boolean' | 'dateTime' | 'strings'

const USER_PROPERTIES: Readonly<Record<string, PropertyType>> = {
  id: 'string',
  userPrincipalName: 'string',
  displayName: 'string',
  givenName: 'string',
  surname: 'string',
  mailNickname: 'string',
  mail: 'string',
  userType: 'string',
  jobTitle: 'string',
  department: 'string',
  manager: 'string',
  accountEnabled: 'boolean',
  assigned: 'boolean',
  deletedDateTime: 'dateTime',
}

const GROUP_PROPERTIES: Readonly<Record<string, PropertyType>> = {
  id: 'string',
  displayName: 'string',
  mailNickname: 'string',
  description: 'string',
  assigned: 'boolean',
  members: 'strings',
  deletedDateTime: 'dateTime',
}

/**
 * Reads a directory document. Problems are collected so that the caller can report all of them. Ids must be unique, and
 * so must `userPrincipalName`, which is compared case-insensitively as in Entra.
 */
export function parseDirectory(document: unknown): ParsedDirectory {
  const problems = new Problems()
  if (!isObject(document)) {
    problems.add([], `must be an object with "users" and "groups", found ${describeType(document)}`)
    return { directory: { users: [], groups: [] }, unknownMembers: [], problems: problems.list }
  }
  const users = readList(document, 'users', problems).flatMap((entry, index) =>
    readUser(entry, index, problems),
  )
  const groups = readList(document, 'groups', problems).flatMap((entry, index) =>
    readGroup(entry, index, problems),
  )
  const ids = checkUnique(users, groups, problems)
  const assignments = readAssignments(document.assignments, ids, problems)
  return {
    directory: { users, groups, ...(assignments === undefined ? {} : { assignments }) },
    unknownMembers: findUnknownMembers(groups, ids),
    problems: problems.list,
  }
}

function readList(document: JsonObject, key: string, problems: Problems): readonly unknown[] {
  const list = document[key]
  if (Array.isArray(list)) return list
  if (list !== undefined) problems.add([key], `must be a list, found ${describeType(list)}`)
  else if (key === 'users') problems.add([key], 'is missing: expected a list of users, which may be empty')
  return []
}

function readUser(entry: unknown, index: number, problems: Problems): DirectoryUser[] {
  const path = ['users', index]
  if (!checkProperties(entry, path, USER_PROPERTIES, ['id', 'userPrincipalName'], problems)) return []
  const user = { accountEnabled: true, assigned: true, ...withoutNulls(entry) }
  return [user as unknown as DirectoryUser]
}

function readGroup(entry: unknown, index: number, problems: Problems): DirectoryGroup[] {
  const path = ['groups', index]
  if (!checkProperties(entry, path, GROUP_PROPERTIES, ['id', 'displayName'], problems)) return []
  const group = { assigned: true, members: [], ...withoutNulls(entry) }
  return [group as unknown as DirectoryGroup]
}

/** Microsoft Graph represents an empty property as null; here it is absent. */
function withoutNulls(entry: JsonObject): Record<string, unknown> {
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== null))
}

function checkProperties(
  entry: unknown,
  path: FieldPath,
  types: Readonly<Record<string, PropertyType>>,
  required: readonly string[],
  problems: Problems,
): entry is JsonObject {
  if (!isObject(entry)) {
    problems.add(path, `must be an object, found ${describeType(entry)}`)
    return false
  }
  const before = problems.list.length
  for (const name of required) {
    if (entry[name] === undefined || entry[name] === null || entry[name] === '')
      problems.add([...path, name], 'is required')
  }
  for (const [name, value] of Object.entries(entry)) {
    const type = Object.hasOwn(types, name) ? types[name] : undefined
    const message = type === undefined || value === null ? undefined : typeProblem(type, value)
    if (message !== undefined && value !== '') problems.add([...path, name], message)
  }
  return problems.list.length === before
}

function typeProblem(type: PropertyType, value: unknown): string | undefined {
  const found = describeType(value)
  switch (type) {
    case 'string':
      return typeof value === 'string' ? undefined : `must be a string, found ${found}`
    case 'boolean':
      return typeof value === 'boolean' ? undefined : `must be true or false, found ${found}`
    case 'dateTime':
      return typeof value === 'string' && !Number.isNaN(Date.parse(value))
        ? undefined
        : `must be a date and time such as "2026-05-01T09:00:00Z", found ${found}`
    case 'strings':
      return Array.isArray(value) && value.every((item) => typeof item === 'string')
        ? undefined
        : `must be a list of ids (strings), found ${found}`
  }
}

function checkUnique(
  users: readonly DirectoryUser[],
  groups: readonly DirectoryGroup[],
  problems: Problems,
): ReadonlySet<string> {
  const ids = new Set<string>()
  const names = new Set<string>()
  users.forEach((user, index) => {
    if (ids.has(user.id)) problems.add(['users', index, 'id'], `"${user.id}" is used twice`)
    ids.add(user.id)
    const name = user.userPrincipalName.toLowerCase()
    // A soft-deleted user keeps its name, but a new user may have the same one.
    if (user.deletedDateTime !== undefined) return
    if (names.has(name))
      problems.add(['users', index, 'userPrincipalName'], `"${user.userPrincipalName}" is used twice`)
    names.add(name)
  })
  groups.forEach((group, index) => {
    if (ids.has(group.id)) problems.add(['groups', index, 'id'], `"${group.id}" is used twice`)
    ids.add(group.id)
  })
  return ids
}

function readAssignments(
  list: unknown,
  ids: ReadonlySet<string>,
  problems: Problems,
): readonly Assignment[] | undefined {
  if (list === undefined) return undefined
  if (!Array.isArray(list)) {
    problems.add(['assignments'], `must be a list, found ${describeType(list)}`)
    return undefined
  }
  return list.flatMap((entry: unknown, index) => {
    const assignment = typeof entry === 'string' ? { principalId: entry } : entry
    if (!isObject(assignment) || typeof assignment.principalId !== 'string') {
      problems.add(['assignments', index], 'must be an id or { "principalId": id, "appRole": role }')
      return []
    }
    if (!ids.has(assignment.principalId))
      problems.add(
        ['assignments', index],
        `does not match the id of a user or group: "${assignment.principalId}"`,
      )
    const { principalId } = assignment
    const appRole = readAppRole(assignment.appRole, ['assignments', index, 'appRole'], problems)
    return [appRole === undefined ? { principalId } : { principalId, appRole }]
  })
}

/** A role is its value, or an object with the value and, if they differ from it, the id and the display name. */
function readAppRole(role: unknown, path: FieldPath, problems: Problems): AppRole | undefined {
  if (role === undefined || role === null) return undefined
  if (typeof role === 'string' && role !== '') return { id: role, value: role, displayName: role }
  const { id, value, displayName } = isObject(role) ? role : {}
  const isText = (part: unknown) => part === undefined || (typeof part === 'string' && part !== '')
  if (typeof value === 'string' && value !== '' && isText(id) && isText(displayName))
    return { id: String(id ?? value), value, displayName: String(displayName ?? value) }
  problems.add(path, `must be a value or { "id", "value", "displayName" }, found ${describeType(role)}`)
  return undefined
}

function findUnknownMembers(groups: readonly DirectoryGroup[], ids: ReadonlySet<string>): UnknownMember[] {
  return groups.flatMap((group, groupIndex) =>
    group.members.flatMap((id, index) =>
      ids.has(id) ? [] : [{ path: ['groups', groupIndex, 'members', index], id }],
    ),
  )
}
