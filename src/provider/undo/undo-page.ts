/**
 * A page of what an undo would do, or has left, in two round trips: one for the resources and their events, and one for all
 * that their plans ask for. Whatever is not read in advance is read when it is needed.
 */
import { hasMembers } from '../../scim/schema/resource-type.ts'
import type { Database } from '../../storage/database/database.ts'
import { NOTHING, type Query, together } from '../../storage/database/query.ts'
import { type HistoryEvent, resourceEventsQuery } from '../../storage/events/history.ts'
import type { ResourceWithEvents, UndoPageStart } from '../../storage/events/undo.ts'
import { tombstoneQuery, type WholeTombstone } from '../../storage/resources/tombstones.ts'
import {
  holderOf,
  membershipStateQuery,
  obstaclesQuery,
  type PresentResource,
  presentQuery,
} from '../../storage/resources/undo-state.ts'
import type { StoredResourceType } from '../../storage/tables/resource-tables.ts'
import { type UndoPlan, UndoPlanner } from './plan.ts'
import {
  readerOf,
  type UndoOfResource,
  type UndoReader,
  type UndoTarget,
  unchanged,
  undoOf,
  uniqueKeyOf,
  uniqueNameOf,
} from './resource-undo.ts'

/** Events that are read in advance: of the holder of a name, and of a resource with more than the first round trip has read. */
const [EVENTS_OF_HOLDER, MORE_EVENTS] = [20, 250]
/** The same of a resource whose further events are not read when they are needed. */
const MORE_EVENTS_AT_MOST = 40

export interface UndoPageOptions {
  readonly types: readonly StoredResourceType[]
  readonly tenantId: string
  /** The id of the undo's own request; undefined before it has begun. */
  readonly requestId: string | undefined
  /** Members whose state is looked up, in all; Infinity: those of all groups. */
  readonly maxMembers: number
  /** Whether all events of a resource are read, however many there are: a group with many members has thousands. */
  readonly readsAllEvents: boolean
}

/**
 * What undoing does to the resources of a page, in their order.
 *
 * @param also another query for the same round trip
 */
export async function undoesOf<Also>(
  db: Database,
  { window, resources }: Pick<UndoPageStart, 'window' | 'resources'>,
  { types, maxMembers, readsAllEvents, ...shared }: UndoPageOptions,
  also: Query<Also>,
): Promise<{ readonly resources: readonly UndoOfResource[]; readonly also: Also }> {
  const budget = { members: maxMembers, areEventsLimited: !readsAllEvents }
  const known = resources.flatMap((resource) => {
    const type = types.find(({ name }) => name === resource.type)
    if (type === undefined) return []
    const target = { ...shared, type, id: resource.id, window }
    return [{ target, ...(resource.isPart ? partInAdvance : inAdvance)(resource, target, budget) }]
  })
  const queries = together({
    also,
    facts: together(Object.fromEntries(known.map(({ target, query }) => [target.id, query]))),
  })
  const read = queries.read(queries.statements.length === 0 ? [] : await db.batch(queries.statements))
  const undoes: UndoOfResource[] = []
  for (const { target, reader, unread } of known) {
    const facts = read.facts[target.id]
    undoes.push(unread?.(facts) ?? (await undoOf(target, reader(facts, readerOf(db, target)))))
  }
  return { resources: undoes, also: read.also }
}

interface Budget {
  members: number
  readonly areEventsLimited: boolean
}

interface InAdvance {
  readonly query: Query<unknown>
  /** @param facts the results of the query @param otherwise reads what they lack */
  readonly reader: (facts: unknown, otherwise: UndoReader) => UndoReader
  /** @returns what is known of a resource with more events than may be read; undefined if it has no more */
  readonly unread?: (facts: unknown) => UndoOfResource | undefined
}

/** What is read in advance for a resource whose events are known. */
function inAdvance(
  { deletedName, events }: ResourceWithEvents,
  target: UndoTarget,
  budget: Budget,
): InAdvance {
  const { tenantId, type, id, window } = target
  const plan = planFrom(events.toReversed(), target)
  const attribute = uniqueNameOf(type)
  const wanted = plan.exists === true ? deletedName : plan.values[attribute ?? '']
  const key = uniqueKeyOf(type, wanted)
  const mayMove = key !== undefined && target.requestId === undefined
  const [holder, before] = [holderOf(type, { tenantId, id, key }), Number.MAX_SAFE_INTEGER]
  const size = EVENTS_OF_HOLDER + 1
  const ids = hasMembers(type) ? [...plan.members.keys()] : []
  const isGone = events.some((event) => event.type.endsWith('.deleted'))
  const areMembersRead = ids.length > 0 && ids.length <= budget.members
  if (areMembersRead) budget.members -= ids.length
  const query = together({
    present: presentQuery(type, tenantId, id),
    tombstone: isGone ? tombstoneQuery(tenantId, id) : NOTHING,
    obstacles: key === undefined ? NOTHING : obstaclesQuery(type, { tenantId, id, key }),
    ofHolder: mayMove
      ? resourceEventsQuery(tenantId, holder, { from: window.firstSeq, before, size })
      : NOTHING,
    members: areMembersRead ? membershipStateQuery(tenantId, id, ids, window) : NOTHING,
  })
  return {
    query,
    reader: (facts, otherwise) => {
      const { present, tombstone, obstacles, ofHolder, members } = facts as ResultOf<typeof query>
      return {
        // A resource that is gone without a deletion may have a tombstone of an earlier one.
        state: async () =>
          present === undefined && !isGone ? await otherwise.state() : { present, tombstone },
        plan: async () => plan,
        obstacles: async (name) =>
          obstacles === undefined || name !== key ? await otherwise.obstacles(name) : obstacles,
        planOfHolder: async (other) =>
          ofHolder === undefined || obstacles?.holder !== other || ofHolder.length === size
            ? await otherwise.planOfHolder(other)
            : planFrom(ofHolder, target),
        members: async () => members,
      }
    },
  }
}

type ResultOf<Asked> = Asked extends Query<infer Found> ? Found : never

/** What is read in advance for a resource of which only the oldest events are known. */
function partInAdvance({ events }: ResourceWithEvents, target: UndoTarget, budget: Budget): InAdvance {
  const { tenantId, type, id } = target
  const from = Math.max(...events.map(({ seq }) => seq)) + 1
  const size = budget.areEventsLimited ? MORE_EVENTS_AT_MOST + 1 : MORE_EVENTS
  const query = together({
    present: presentQuery(type, tenantId, id),
    tombstone: tombstoneQuery(tenantId, id),
    newer: resourceEventsQuery(tenantId, id, {
      from,
      before: Number.MAX_SAFE_INTEGER,
      size,
    }),
  })
  return {
    query,
    reader: (facts, otherwise) => {
      const { present, tombstone, newer } = facts as ResultOf<typeof query>
      return {
        ...otherwise,
        state: async () => ({ present, tombstone }),
        plan: async () =>
          newer.length < size ? planFrom([...newer, ...events.toReversed()], target) : await otherwise.plan(),
        members: async (ids) => (ids.length <= budget.members ? await otherwise.members(ids) : undefined),
      }
    },
    unread: (facts) => {
      const { present, tombstone, newer } = facts as ResultOf<typeof query>
      if (!budget.areEventsLimited || newer.length < size) return undefined
      const undo = { ...unchanged(target, present, tombstone), left: [] }
      return isUndone(target, events, present, tombstone) ? undo : { ...undo, isUnread: true }
    },
  }
}

/** Whether the client had created the resource within the window, and it was deleted since by somebody else, as the undo does. */
function isUndone(
  { window, requestId }: UndoTarget,
  [oldest]: readonly HistoryEvent[],
  present: PresentResource | undefined,
  tombstone: WholeTombstone | undefined,
): boolean {
  if (requestId === undefined || oldest === undefined || present !== undefined) return false
  const { type, clientId, time } = oldest
  const isCreation = type.endsWith('.created') && clientId === window.clientId
  const isGone = tombstone !== undefined && tombstone.clientId !== window.clientId
  return isCreation && time >= window.from && time <= window.to && isGone
}

/** @param events the newest first */
function planFrom(events: readonly HistoryEvent[], { window, requestId }: UndoTarget): UndoPlan {
  const planner = new UndoPlanner(window, requestId)
  for (const event of events) planner.walk(event)
  return planner.plan()
}
