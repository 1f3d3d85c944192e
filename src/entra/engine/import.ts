/**
 * The import step: reads each user and group as the job sees it, with its attributes under their mapping names, its
 * scope, and a fingerprint that reveals changes since the last cycle. Pure.
 *
 * Microsoft: "Understand how Application Provisioning in Microsoft Entra ID".
 */
import { DAY_MS, type Instant } from '../clock.ts'
import type { Directory, DirectoryGroup, DirectoryUser } from '../documents/directory.ts'
import { type JobConfig, mappingOf, providerOf } from '../documents/job.ts'
import type { JobState } from '../documents/state.ts'
import type { AppRole } from '../mappings/app-role.ts'
import type { MappingSource } from '../mappings/attribute-mapping.ts'
import type { Value } from '../mappings/expression.ts'
import { passesScopingFilters } from '../mappings/scoping-filter.ts'
import type { ObjectType } from '../protocol/requests.ts'

/** In mappings, IsSoftDeleted is true for every value except `active`. */
export type Lifecycle = 'active' | 'accountDisabled' | 'unassigned' | 'outOfScope' | 'softDeleted' | 'purged'

export interface ImportedObject {
  readonly type: ObjectType
  readonly id: string
  /** The userPrincipalName or displayName, for display. */
  readonly name: string
  readonly lifecycle: Lifecycle
  readonly source: MappingSource
  readonly fingerprint: string
  /** Source ids of the direct members; groups only. */
  readonly members: readonly string[]
  /** Source id of the manager; users only. */
  readonly manager?: string
}

/** Time from soft deletion to purge: fundamentals/users-restore, how-provisioning-works. */
const PURGE_AFTER_MS = 30 * DAY_MS

/**
 * Imports the users, then the groups, each in the order of the file. Objects that are in the state but no longer in the
 * directory follow as purged.
 * @throws {ScopingError} if a scoping filter cannot be decided for an object
 */
export function importDirectory(
  directory: Directory,
  job: JobConfig,
  state: Pick<JobState, 'objects'>,
  now: Instant,
): ReadonlyMap<string, ImportedObject> {
  const assignments = indexAssignments(directory, job)
  const imported = new Map<string, ImportedObject>()
  for (const user of directory.users) imported.set(user.id, importUser(user, job, assignments, now))
  if (job.groups !== undefined)
    for (const group of directory.groups) imported.set(group.id, importGroup(group, job, assignments, now))
  const known = new Set(directory.groups.map((group) => group.id))
  for (const [id, record] of Object.entries(state.objects)) {
    if (!imported.has(id) && !known.has(id) && record.gone === undefined)
      imported.set(id, purgedObject(id, record.type, record.link?.name ?? id))
  }
  return imported
}

/** The assigned objects, directly or through a group, and the app roles granted to them. */
interface AssignmentIndex {
  readonly isAssigned: (object: DirectoryUser | DirectoryGroup) => boolean
  readonly appRoles: (id: string) => readonly AppRole[]
}

function indexAssignments(directory: Directory, job: JobConfig): AssignmentIndex {
  const roles = new Map<string, AppRole[]>()
  for (const { principalId, appRole } of directory.assignments ?? [])
    roles.set(principalId, [...(roles.get(principalId) ?? []), ...(appRole === undefined ? [] : [appRole])])
  // Only direct members of an assigned group are assigned; nested groups are not expanded.
  const groupIds = new Set(directory.groups.map(({ id }) => id))
  for (const group of directory.groups) {
    const granted = roles.get(group.id)
    if (granted === undefined || group.assigned === false) continue
    for (const member of group.members)
      if (!groupIds.has(member)) roles.set(member, merged(roles.get(member) ?? [], granted))
  }
  const explicit = directory.assignments !== undefined && job.scope === 'assigned'
  return {
    isAssigned: ({ id, assigned }) =>
      job.scope === 'all' || (assigned !== false && (!explicit || roles.has(id))),
    appRoles: (id) => roles.get(id) ?? [],
  }
}

/** A user has the roles of all its assignments, each once. */
function merged(roles: readonly AppRole[], more: readonly AppRole[]): AppRole[] {
  return [...roles, ...more.filter(({ id }) => !roles.some((role) => role.id === id))]
}

function importUser(
  user: DirectoryUser,
  job: JobConfig,
  assignments: AssignmentIndex,
  now: Instant,
): ImportedObject {
  const appRoles = assignments.appRoles(user.id)
  const lifecycle = lifecycleOf('User', user, job, assignments.isAssigned(user), now)
  const { manager } = user
  const named = providerOf(job).renamesDeletedUsers ? user : undeleted(user)
  return {
    type: 'User',
    id: user.id,
    name: user.userPrincipalName,
    lifecycle,
    source: { attribute: (name) => userAttribute(named, name, lifecycle), appRoles },
    fingerprint: fingerprint([user, lifecycle, appRoles]),
    members: [],
    ...(typeof manager === 'string' ? { manager } : {}),
  }
}

function importGroup(
  group: DirectoryGroup,
  job: JobConfig,
  assignments: AssignmentIndex,
  now: Instant,
): ImportedObject {
  const { members, ...attributes } = group
  const lifecycle = lifecycleOf('Group', group, job, assignments.isAssigned(group), now)
  return {
    type: 'Group',
    id: group.id,
    name: group.displayName,
    lifecycle,
    source: { attribute: (name) => plainAttribute(group, name, lifecycle), appRoles: [] },
    fingerprint: fingerprint([attributes, lifecycle]),
    members,
  }
}

function purgedObject(id: string, type: ObjectType, name: string): ImportedObject {
  const source: MappingSource = { attribute: () => null, appRoles: [] }
  return { type, id, name, lifecycle: 'purged', source, fingerprint: 'purged', members: [] }
}

function lifecycleOf(
  type: ObjectType,
  object: DirectoryUser | DirectoryGroup,
  job: JobConfig,
  assigned: boolean,
  now: Instant,
): Lifecycle {
  if (object.deletedDateTime !== undefined) {
    const purged = now - Date.parse(object.deletedDateTime) >= PURGE_AFTER_MS
    return purged ? 'purged' : 'softDeleted'
  }
  if (!assigned) return 'unassigned'
  const filters = mappingOf(job, type)?.scopingFilters ?? []
  if (!passesScopingFilters(filters, (name) => plainAttribute(object, name, 'active'))) return 'outOfScope'
  return object.accountEnabled === false ? 'accountDisabled' : 'active'
}

const GUEST_MARKER = '#EXT#'

/**
 * A mapping from `userPrincipalName` gives the home address of a guest. A mapping from `originalUserPrincipalName`
 * gives the name with #EXT#.
 */
function userAttribute(user: DirectoryUser, name: string, lifecycle: Lifecycle): Value {
  if (name === 'originalUserPrincipalName') return releasedName(user, user.userPrincipalName)
  if (name === 'userPrincipalName') return releasedName(user, homeAddress(user))
  return plainAttribute(user, name, lifecycle)
}

/**
 * Entra renames a soft-deleted user, so that its name can be used again: the object id without hyphens comes before it.
 * A directory file may have either name. Seen in https://github.com/onyx-dot-app/onyx/pull/14074
 */
function releasedName({ id, deletedDateTime }: DirectoryUser, name: string): string {
  if (deletedDateTime === undefined) return name
  const prefix = id.replaceAll('-', '')
  const isRenamed = prefix.length === 32 && name.startsWith(prefix)
  return isRenamed ? name : prefix + name
}

/** The user as it was: providers other than Entra let a deleted user keep its name. */
function undeleted({ deletedDateTime: _, ...user }: DirectoryUser): DirectoryUser {
  return user
}

/** `vera.holm_partner.example#EXT#@quillfern.example` has the home address vera.holm@partner.example. */
function homeAddress(user: DirectoryUser): string {
  const [before, after] = user.userPrincipalName.split(GUEST_MARKER)
  if (before === undefined || after === undefined) return user.userPrincipalName
  if (typeof user.mail === 'string' && user.mail !== '') return user.mail
  const at = before.lastIndexOf('_')
  return at === -1 ? before : `${before.slice(0, at)}@${before.slice(at + 1)}`
}

function plainAttribute(object: DirectoryUser | DirectoryGroup, name: string, lifecycle: Lifecycle): Value {
  if (name === 'IsSoftDeleted') return lifecycle === 'active' ? 'False' : 'True'
  if (name === 'objectId') return object.id
  const own = Object.hasOwn(object, name) ? object[name] : extensionAttribute(object, name)
  if (typeof own === 'string' || typeof own === 'number' || typeof own === 'boolean') return own
  return Array.isArray(own) && own.every((item) => typeof item === 'string') ? own : null
}

/** Microsoft Graph names a directory extension extension_<application id>_<name>. Mappings may use the short name. */
function extensionAttribute(object: DirectoryUser | DirectoryGroup, name: string): unknown {
  const key = Object.keys(object).find((key) => key.startsWith('extension_') && key.endsWith(`_${name}`))
  return key === undefined ? undefined : object[key]
}

/** A 53-bit string hash (cyrb53) that detects changes of an object. Not for security. */
export function fingerprint(parts: readonly unknown[]): string {
  const text = JSON.stringify(parts)
  let h1 = 0xdeadbeef
  let h2 = 0x41c6ce57
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    h1 = Math.imul(h1 ^ code, 2654435761)
    h2 = Math.imul(h2 ^ code, 1597334677)
  }
  h1 = Math.imul(h1 ^ (h1 >>> 16), 2246822507) ^ Math.imul(h2 ^ (h2 >>> 13), 3266489909)
  h2 = Math.imul(h2 ^ (h2 >>> 16), 2246822507) ^ Math.imul(h1 ^ (h1 >>> 13), 3266489909)
  return (4294967296 * (2097151 & h2) + (h1 >>> 0)).toString(36)
}
