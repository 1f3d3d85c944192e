/**
 * Restores a resource that was deleted: with its id, at the version after the last one, and with the memberships whose other
 * side exists. Each step is an ordinary write of the administrator and can be repeated, so a restore that was interrupted
 * continues where it stopped.
 */
import { changedAttributes } from '../../scim/changes.ts'
import { type Complex, comparisonKey } from '../../scim/comparison.ts'
import { quote, ScimError } from '../../scim/error.ts'
import { createdEvent } from '../../scim/events.ts'
import { fold } from '../../scim/fold.ts'
import { TOMBSTONE_IDS } from '../../scim/limits.ts'
import { project } from '../../scim/projection.ts'
import { hasMembers, uniqueAttribute } from '../../scim/schema/resource-type.ts'
import { Work } from '../../scim/work.ts'
import { type Database, noFigures, UniqueError } from '../../storage/database/database.ts'
import { type Query, readTogether, together } from '../../storage/database/query.ts'
import { deleteLeftMemberships } from '../../storage/resources/deleted-groups.ts'
import { insertResource } from '../../storage/resources/resource-batches.ts'
import {
  keepMemberships,
  keptMembershipsQuery,
  nameHolderQuery,
  removeMemberships,
  restoreSizeQuery,
  restoreSource,
} from '../../storage/resources/restore.ts'
import { removeTombstone, tombstoneQuery, type WholeTombstone } from '../../storage/resources/tombstones.ts'
import { type StoredResourceType, typeNamed } from '../../storage/tables/resource-tables.ts'
import { encodeResource, type Stored } from '../../storage/tables/stored-resources.ts'
import { acceptedEntry, type Call } from '../call.ts'
import { commitWrites } from '../groups/commit-writes.ts'
import { limitReached } from '../groups/group-refusals.ts'
import { changeGroup, type GroupWrite, type OwnChange } from '../groups/group-write.ts'

/** Groups whose memberships a part restores. Each of them is a write with about a dozen statements. */
const GROUPS_IN_A_PART = 2

/** The most statements of a part. */
export const RESTORE_STATEMENTS = 32

/** The name of a resource that exists is that of the deleted one. */
export class NameTaken extends ScimError {
  /** The id of the resource that has the name. */
  readonly holder: string | undefined

  constructor(attribute: string, name: string, holder: string | undefined, options?: ErrorOptions) {
    const who = holder === undefined ? 'another resource' : quote(holder)
    super(
      409,
      'uniqueness',
      `${attribute} ${quote(name)} is in use by ${who}: rename or delete that one first`,
      options,
    )
    this.holder = holder
  }
}

/** A deleted resource that can be restored. */
export interface Restorable {
  readonly type: StoredResourceType
  readonly tombstone: WholeTombstone
  /** The number of memberships to restore, at most. */
  readonly memberships: number
  /** Whether one request can restore all of it. */
  readonly isSmall: boolean
}

/** @returns undefined if no such resource was deleted, or if it is not kept any more */
export async function findRestorable({ tenant }: Call, id: string): Promise<Restorable | undefined> {
  const { tenantId, database, resourceTypes } = tenant
  const { statements, read } = tombstoneWithSize(tenantId, id)
  const { tombstone, size } = read(await database.batch(statements))
  if (tombstone === undefined) return undefined
  const type = typeNamed(resourceTypes, tombstone.resourceType)
  const isSmall = !size.isPending && size.groups <= GROUPS_IN_A_PART && size.members <= TOMBSTONE_IDS
  return { type, tombstone, isSmall, memberships: membershipsOf(tombstone, size) }
}

/** What a restore would bring back. */
export interface RestorePreview {
  readonly tombstone: WholeTombstone
  /** Its attributes, as a client would read them. */
  readonly attributes: Complex
  /** The number of memberships, at most: those whose other side no longer exists are left out. */
  readonly memberships: number
  /** The id of the resource that has its name by now, so that it cannot be restored. */
  readonly holder: string | undefined
}

/** A deleted resource, and the numbers of its memberships. @returns undefined if none is kept with the id */
export function deletedQuery(
  tenantId: string,
  id: string,
): Query<Pick<RestorePreview, 'tombstone' | 'memberships'> | undefined> {
  const { statements, read } = tombstoneWithSize(tenantId, id)
  return {
    statements,
    read(results) {
      const { tombstone, size } = read(results)
      return tombstone && { tombstone, memberships: membershipsOf(tombstone, size) }
    },
  }
}

function tombstoneWithSize(tenantId: string, id: string) {
  return together({ tombstone: tombstoneQuery(tenantId, id), size: restoreSizeQuery(tenantId, id) })
}

/** The number of memberships to restore, at most. */
function membershipsOf(
  { memberCount }: WholeTombstone,
  { groups, members }: { readonly groups: number; readonly members: number },
): number {
  return groups + Math.max(members, memberCount)
}

/** @param types the resource types with the extensions of the tenant */
export async function previewRestore(
  db: Database,
  types: readonly StoredResourceType[],
  tenantId: string,
  deleted: Pick<RestorePreview, 'tombstone' | 'memberships'>,
): Promise<RestorePreview> {
  const { id, resourceType, data } = deleted.tombstone
  const type = typeNamed(types, resourceType)
  const resource = JSON.parse(data) as Complex
  const key = nameKeyOf(type, String(resource[type.nameAttribute]))
  const { holder } = await readTogether(db, { holder: nameHolderQuery(tenantId, type, key) })
  const attributes = project(resource, {}, type)
  return { ...deleted, attributes, holder: holder === id ? undefined : holder }
}

/**
 * Makes a deleted resource exist again, without its memberships. Does nothing if it exists.
 *
 * @param detail for the log
 * @throws {ScimError} 409 NameTaken, 400 beyond the group limit
 */
export async function bringBack(
  call: Call,
  { type, tombstone }: Restorable,
  detail = 'restored',
): Promise<void> {
  if (tombstone.isRestored) return
  const resource = JSON.parse(tombstone.data) as Complex
  const { id, version, createdAt, lastModified } = tombstone
  const after: Stored = {
    id,
    version: version + 1,
    createdAt,
    lastModified: Math.max(lastModified, call.tenant.actor.now),
    resource,
  }
  try {
    await (hasMembers(type) ? insertGroup(call, type, after, detail) : insertOther(call, type, after, detail))
  } catch (error) {
    const isTaken =
      error instanceof UniqueError || (error instanceof ScimError && error.scimType === 'uniqueness')
    if (!isTaken) throw error
    const taken = await nameTaken(call, type, resource, error)
    // Another request restores the same one.
    if (taken.holder !== id) throw taken
  }
  await call.tenant.database.batch([restoreSource(type, call.tenant.tenantId, id)])
}

function entryOf(call: Call, type: StoredResourceType, { id, resource }: Stored, detail: string) {
  const changes = changedAttributes({}, resource, type)
  return acceptedEntry(call, {
    action: 'create',
    type,
    id,
    resource,
    status: 201,
    changes,
    ignored: [],
    detail,
  })
}

async function insertOther(
  call: Call,
  type: StoredResourceType,
  after: Stored,
  detail: string,
): Promise<void> {
  const { id, resource } = after
  const [log, event] = [entryOf(call, type, after, detail), createdEvent(type, after)]
  // The administrator is no source of conflicts.
  const what = { id, resource, restored: after, work: call.work }
  await insertResource(call.tenant, type, { ...what, log, event, lookups: [] })
}

async function insertGroup(
  call: Call,
  type: StoredResourceType,
  after: Stored,
  detail: string,
): Promise<void> {
  const { resource } = after
  const documents = encodeResource(resource, type, { before: resource })
  const displayNameKey = fold(String(resource.displayName))
  await commit(call, {
    needs: { id: '', displayNameKey, memberIds: [], allMembers: false, names: 'none' },
    decide: (_, known) => {
      if (known.isNameTaken) throw new NameTaken('displayName', String(resource.displayName), undefined)
      if (known.groupCount >= known.groupLimit) throw limitReached(known)
      return {
        answer: { version: after.version, location: '' },
        change: {
          after,
          documents,
          added: [],
          removed: [],
          removesAll: false,
          tokenHash: call.tenant.actor.tokenHash,
        },
        log: entryOf(call, type, after, detail),
        events: [createdEvent(type, after)],
        lookups: [],
      }
    },
  })
}

/** Commits a write of a group beside the queue: the database refuses it if another writer was faster, and it is repeated. */
export async function commit(call: Call, ...writes: readonly GroupWrite[]): Promise<void> {
  const queued = writes.map((write) => ({ call, write, figures: noFigures(), characters: () => 0 }))
  for (const outcome of await commitWrites(() => call.tenant.database, queued)) {
    if (outcome.status === 'rejected') throw outcome.reason
  }
}

async function nameTaken(
  call: Call,
  type: StoredResourceType,
  resource: Complex,
  cause: unknown,
): Promise<NameTaken> {
  const { database, tenantId } = call.tenant
  const name = String(resource[type.nameAttribute])
  const key = nameKeyOf(type, name)
  const { holder } = await readTogether(database, { holder: nameHolderQuery(tenantId, type, key) })
  return new NameTaken(type.nameAttribute, name, holder, { cause })
}

/** The name of a resource in comparison form. */
export function nameKeyOf(type: StoredResourceType, name: string): string {
  const attribute = uniqueAttribute(type)
  return attribute === undefined ? fold(name) : String(comparisonKey(attribute, name))
}

/**
 * Restores a part of the memberships of a resource that was brought back.
 *
 * @returns the number of memberships; undefined if none is left, and the tombstone is removed
 */
export async function restorePart(
  call: Call,
  { type, tombstone: { id, seq } }: Restorable,
): Promise<number | undefined> {
  const { tenantId, database } = call.tenant
  const { part } = await readTogether(database, { part: keptMembershipsQuery(tenantId, id) })
  if (part === undefined) {
    // Again, because a restore that was interrupted may have missed it.
    await database.batch([restoreSource(type, tenantId, id), removeTombstone(tenantId, id, seq)])
    return undefined
  }
  const taken = part.kind === 'groups' ? part.ids.slice(0, GROUPS_IN_A_PART) : part.ids
  const existing = taken.filter((other) => part.existing.includes(other))
  if (part.kind === 'members') {
    if (existing.length > 0) await commit(call, groupWrite(call, { id, added: existing }))
  } else await commit(call, ...existing.map((groupId) => groupWrite(call, { id: groupId, added: [id] })))
  await keepMemberships(database, { tenantId, id }, part, part.ids.slice(taken.length))
  return taken.length
}

/** The write of a group by the administrator. */
export function groupWrite({ tenant }: Call, change: OwnChange): GroupWrite {
  const type = tenant.resourceTypes.find(hasMembers)
  if (type === undefined) throw new Error('the directory has no resource type with members')
  // What is stored already is not refused.
  const work = new Work('invalidValue', Number.POSITIVE_INFINITY)
  return changeGroup(change, { type, profile: tenant.profile, work })
}

/** Keeps the memberships of a large group that are still stored with it. @returns whether none is left */
export async function keepLeftMembers(
  { tenant: { database, tenantId } }: Call,
  maxChunks: number,
): Promise<boolean> {
  return await deleteLeftMemberships(database, tenantId, maxChunks)
}

/** Forgets the groups of a deleted resource: their own history restores them. */
export async function forgetGroups({ tenant: { database, tenantId } }: Call, id: string): Promise<void> {
  await database.batch([removeMemberships(tenantId, id, 'groups')])
}
