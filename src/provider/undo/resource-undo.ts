/**
 * Undoes the changes of a client to one resource: decides on its history and its present state, and writes as the
 * administrator. A write is refused if the resource has changed since it was read, and is then decided again.
 */
import { type Complex, sameValue } from '../../scim/comparison.ts'
import { ScimError } from '../../scim/error.ts'
import { withValues } from '../../scim/history.ts'
import { MAX_UNDO_MEMBERS } from '../../scim/limits.ts'
import { hasMembers, uniqueAttribute } from '../../scim/schema/resource-type.ts'
import { etag } from '../../scim/version.ts'
import { type Database, GuardError, UniqueError } from '../../storage/database/database.ts'
import { readTogether } from '../../storage/database/query.ts'
import { resourceEventsQuery } from '../../storage/events/history.ts'
import type { LocatedWindow } from '../../storage/events/undo.ts'
import { tombstoneQuery, type WholeTombstone } from '../../storage/resources/tombstones.ts'
import {
  type MembershipState,
  membershipStateQuery,
  type Obstacles,
  obstaclesQuery,
  type PresentResource,
  presentQuery,
} from '../../storage/resources/undo-state.ts'
import type { StoredResourceType } from '../../storage/tables/resource-tables.ts'
import type { StoredRow } from '../../storage/tables/stored-resources.ts'
import type { Call } from '../call.ts'
import { deleteResource } from '../deletion.ts'
import {
  bringBack,
  commit,
  findRestorable,
  forgetGroups,
  groupWrite,
  NameTaken,
  nameKeyOf,
  restorePart,
} from '../history/restore.ts'
import { isStale } from '../optimistic.ts'
import { storeOwnChange } from '../resources.ts'
import { type LeftChange, type LeftReason, type UndoPlan, UndoPlanner } from './plan.ts'

const EVENTS_IN_A_PAGE = 250

/** The resource whose changes are undone. */
export interface UndoTarget {
  readonly tenantId: string
  readonly type: StoredResourceType
  readonly id: string
  readonly window: LocatedWindow
  /** The id of the undo's own request; undefined before it has begun. */
  readonly requestId: string | undefined
}

/** What undoing would do to a resource now. */
export interface UndoOfResource {
  readonly id: string
  readonly type: StoredResourceType
  readonly name: string | null
  readonly row: StoredRow | undefined
  /** Whether it is to be restored, or to be deleted. */
  readonly existence: 'restore' | 'delete' | undefined
  /** The attributes that change, with the value that they have then; null for none. */
  readonly values: Complex
  readonly added: readonly string[]
  readonly removed: readonly string[]
  /** The number of members that may have to be added or removed: nobody has looked up whether they are members now. */
  readonly unchecked: number
  /** Whether it has more events than were read, so that the parts before are not known. */
  readonly isUnread?: boolean
  readonly left: readonly LeftChange[]
}

/** What decides what undoing would do to a resource. Each part is read when it is needed. */
export interface UndoReader {
  readonly state: () => Promise<{
    readonly present: PresentResource | undefined
    readonly tombstone: WholeTombstone | undefined
  }>
  readonly plan: () => Promise<UndoPlan>
  /** @param key a name in comparison form; undefined if there is none */
  readonly obstacles: (key: string | undefined) => Promise<Obstacles>
  /** The plan for another resource of the same type. */
  readonly planOfHolder: (id: string) => Promise<UndoPlan>
  /** @returns undefined if they are too many to look up */
  readonly members: (ids: readonly string[]) => Promise<MembershipState | undefined>
}

/** Reads each part in a round trip of its own. */
export function readerOf(db: Database, target: UndoTarget): UndoReader {
  const { tenantId, type, id, window } = target
  return {
    state: () =>
      readTogether(db, {
        present: presentQuery(type, tenantId, id),
        tombstone: tombstoneQuery(tenantId, id),
      }),
    plan: () => planOf(db, target),
    obstacles: async (key) =>
      (await readTogether(db, { found: obstaclesQuery(type, { tenantId, id, key }) })).found,
    planOfHolder: (holder) => planOf(db, { ...target, id: holder }),
    members: async (ids) =>
      (await readTogether(db, { state: membershipStateQuery(tenantId, id, ids, window) })).state,
  }
}

/** Reads the history and the present state of a resource. */
export async function undoOf(target: UndoTarget, reader: UndoReader): Promise<UndoOfResource> {
  const { type } = target
  // The state is read before the events: a change in between is noticed when it is written.
  const { present, tombstone } = await reader.state()
  const plan = await reader.plan()
  const obstacle = (attributes: Complex, isNew = false) => obstacleTo(target, reader, attributes, isNew)
  const left: LeftChange[] = [...plan.left]
  const leave = (what: LeftChange['what'], of: string | undefined, reason: LeftChange['reason']) =>
    left.push({ what, of, reason, byClientId: undefined })
  const none = unchanged(target, present, tombstone)
  if (present === undefined) {
    if (plan.exists !== true) return { ...none, left }
    if (tombstone === undefined) {
      leave('deleted', undefined, 'not kept after its deletion')
      return { ...none, left }
    }
    const resource = JSON.parse(tombstone.data) as Complex
    const reason = await obstacle(resource, true)
    if (reason !== undefined) {
      leave('deleted', undefined, reason)
      return { ...none, left }
    }
    return { ...none, existence: 'restore', values: changedValues(resource, plan.values, type), left }
  }
  const { row, isMember } = present
  const { gone, ...members } = await membersOf(target, reader, plan.members)
  for (const member of gone) leave('left', member, 'member gone')
  const values = changedValues(row.resource, plan.values, type)
  const reason = await obstacle(values)
  if (reason !== undefined) {
    const attribute = uniqueNameOf(type) ?? type.nameAttribute
    leave('changed', attribute, reason)
    delete values[attribute]
  }
  const existence = plan.exists === false ? 'delete' : undefined
  // Its own groups are undone before: whoever is left has been added by others.
  if (existence === 'delete' && target.requestId !== undefined && isMember)
    leave('created', undefined, 'used by others')
  return { ...none, ...members, existence, values, left }
}

/** Nothing is undone. */
export function unchanged(
  { type, id }: UndoTarget,
  present: PresentResource | undefined,
  tombstone: WholeTombstone | undefined,
): Omit<UndoOfResource, 'left'> {
  return {
    id,
    type,
    name: nameOf(type, present?.row.resource) ?? tombstone?.name ?? null,
    row: present?.row,
    existence: undefined,
    values: {},
    added: [],
    removed: [],
    unchecked: 0,
  }
}

async function planOf(
  db: Database,
  { tenantId, id, window, requestId }: Omit<UndoTarget, 'type'>,
): Promise<UndoPlan> {
  const planner = new UndoPlanner(window, requestId)
  for (let before = Number.MAX_SAFE_INTEGER; ; ) {
    const { events } = await readTogether(db, {
      events: resourceEventsQuery(tenantId, id, { from: window.firstSeq, before, size: EVENTS_IN_A_PAGE }),
    })
    for (const event of events) planner.walk(event)
    const last = events.at(-1)
    if (last === undefined || events.length < EVENTS_IN_A_PAGE) return planner.plan()
    before = last.seq
  }
}

/**
 * Why a resource cannot have these attributes, or cannot exist with them.
 *
 * @param isNew whether it does not exist yet
 */
async function obstacleTo(
  { type, requestId }: UndoTarget,
  reader: UndoReader,
  attributes: Complex,
  isNew: boolean,
): Promise<LeftReason | undefined> {
  const attribute = uniqueNameOf(type)
  const key = attribute === undefined ? undefined : uniqueKeyOf(type, attributes[attribute])
  if (key === undefined && !(isNew && hasMembers(type))) return undefined
  const found = await reader.obstacles(key)
  if (isNew && found.isFull) return 'group limit'
  if (found.holder === undefined || attribute === undefined) return undefined
  if (requestId !== undefined) return 'name in use'
  // Before an undo has begun, the holder of the name may be about to lose it.
  const { exists, values } = await reader.planOfHolder(found.holder)
  return exists === false || attribute in values ? undefined : 'name in use'
}

/** A unique name in comparison form. @returns undefined if the value is no name */
export function uniqueKeyOf(type: StoredResourceType, name: unknown): string | undefined {
  return typeof name === 'string' ? nameKeyOf(type, name) : undefined
}

/** The attribute whose value may be that of one resource only; undefined if there is none. */
export function uniqueNameOf(type: StoredResourceType): string | undefined {
  return uniqueAttribute(type)?.name ?? (hasMembers(type) ? type.nameAttribute : undefined)
}

function nameOf({ nameAttribute }: StoredResourceType, resource: Complex | undefined): string | undefined {
  const name = resource?.[nameAttribute]
  return typeof name === 'string' ? name : undefined
}

/** Without the values of extensions that the tenant does not have any more. */
function changedValues(resource: Complex, values: Complex, { attributes }: StoredResourceType): Complex {
  const isKnown = (name: string) => attributes.some((attribute) => attribute.name === name)
  return Object.fromEntries(
    Object.entries(values).filter(
      ([name, value]) => isKnown(name) && !sameValue(resource[name], value ?? undefined),
    ),
  )
}

async function membersOf(
  { type, requestId }: UndoTarget,
  reader: UndoReader,
  wanted: ReadonlyMap<string, boolean>,
) {
  const none = { added: [], removed: [], gone: [] }
  if (!hasMembers(type) || wanted.size === 0) return { ...none, unchecked: 0 }
  const ids = [...wanted.keys()]
  const state = await reader.members(ids)
  if (state === undefined) return { ...none, unchecked: ids.length }
  const { present, existing, kept } = state
  // An undo that has not begun restores what the client deleted before it adds members.
  const willExist = (member: string) => existing.has(member) || (requestId === undefined && kept.has(member))
  const absent = ids.filter((member) => wanted.get(member) === true && !present.has(member))
  return {
    added: absent.filter(willExist),
    removed: ids.filter((member) => wanted.get(member) === false && present.has(member)),
    gone: absent.filter((member) => !willExist(member)),
    unchecked: 0,
  }
}

/** The steps of an undo, in their order: what is restored can be a member, and what is deleted is none. */
export type UndoStep = 'restoring' | 'changing' | 'deleting'

/** What came of one part of a step for a resource. */
export interface UndoPart {
  /** Whether the step is done for it. */
  readonly isDone: boolean
  /** Whether a name that is in use, or the group limit, was in the way: the undo may remove the obstacle later. */
  readonly isObstructed?: boolean
}

const DONE: UndoPart = { isDone: true }

/** Does one part of a step for a resource. */
export async function undoPart(call: Call, target: UndoTarget, step: UndoStep): Promise<UndoPart> {
  try {
    return await attempt(call, target, step)
  } catch (error) {
    // Another writer was faster: the next attempt sees what it has changed.
    if (isStale(error) || isOutdated(error)) return { isDone: false }
    // A refusal for good: the change is listed as still to be done.
    if (error instanceof ScimError && error.status < 500) return DONE
    throw error
  }
}

function isOutdated(error: unknown): boolean {
  if (error instanceof UniqueError) return true
  if (!(error instanceof ScimError)) return false
  const isMemberGone = error.cause instanceof GuardError && error.cause.rule === 'unknown member'
  return error.status === 412 || error.status === 404 || error.scimType === 'uniqueness' || isMemberGone
}

async function attempt(call: Call, target: UndoTarget, step: UndoStep): Promise<UndoPart> {
  if (step === 'restoring') return await restore(call, target)
  const undo = await undoOf(target, readerOf(call.tenant.database, target))
  if (step === 'changing') return { ...(await change(call, undo)), isObstructed: isObstructed(undo) }
  if (undo.existence !== 'delete' || undo.left.some(({ what }) => what === 'created')) return DONE
  await deleteResource(call, {
    type: target.type,
    id: target.id,
    preconditions: { ifMatch: etag(undo.row?.version ?? 0) },
  })
  return DONE
}

function isObstructed({ left }: UndoOfResource): boolean {
  return left.some(({ reason }) => reason === 'name in use' || reason === 'group limit')
}

async function restore(call: Call, target: UndoTarget): Promise<UndoPart> {
  const { database } = call.tenant
  const restorable = await findRestorable(call, target.id)
  if (restorable === undefined) return DONE
  if (!restorable.tombstone.isRestored) {
    const undo = await undoOf(target, readerOf(database, target))
    if (undo.existence !== 'restore') return { isDone: true, isObstructed: isObstructed(undo) }
    try {
      await bringBack(call, restorable, 'undone')
    } catch (error) {
      // It stays deleted, and is listed as left.
      if (error instanceof NameTaken || (error instanceof ScimError && error.status === 400))
        return { isDone: true, isObstructed: true }
      throw error
    }
  }
  // The events of its groups tell its own memberships, and who has changed them since.
  await forgetGroups(call, target.id)
  return { isDone: (await restorePart(call, restorable)) === undefined }
}

async function change(call: Call, undo: UndoOfResource): Promise<UndoPart> {
  const { row, type, id } = undo
  if (row === undefined || (undo.existence === 'delete' && !hasMembers(type))) return DONE
  const isChanged = Object.keys(undo.values).length > 0
  if (!hasMembers(type)) {
    const resource = withValues(row.resource, undo.values, type)
    if (isChanged) await storeOwnChange(call, type, row, { resource, detail: 'undone' })
    return DONE
  }
  // A group that is deleted anyway takes its members with it.
  if (undo.existence === 'delete' && !undo.left.some(({ what }) => what === 'created')) return DONE
  const [removed, added] = [undo.removed.slice(0, MAX_UNDO_MEMBERS), undo.added.slice(0, MAX_UNDO_MEMBERS)]
  if (!isChanged && removed.length + added.length === 0) return DONE
  const attributes = isChanged ? withValues(row.resource, undo.values, type) : undefined
  await commit(call, groupWrite(call, { id, added, removed, attributes, version: row.version }))
  return { isDone: removed.length === undo.removed.length && added.length === undo.added.length }
}
