/**
 * The history of a resource for the administrator: what was changed, when and by whom, and the resource as it was.
 */
import { type Complex, isComplex } from '../../scim/comparison.ts'
import { ScimError } from '../../scim/error.ts'
import { TENANT_IMPORTED } from '../../scim/events.ts'
import { withValues } from '../../scim/history.ts'
import { MAX_LATER_BYTES, MAX_LATER_EVENTS, MAX_PAST_MEMBERS } from '../../scim/limits.ts'
import { project } from '../../scim/projection.ts'
import { hasMembers } from '../../scim/schema/resource-type.ts'
import type { Database } from '../../storage/database/database.ts'
import { type Query, readTogether, together } from '../../storage/database/query.ts'
import {
  type HistoryEvent,
  historyQuery,
  type KeptHistory,
  keptHistoryQuery,
  laterChangesQuery,
  membersAtQuery,
} from '../../storage/events/history.ts'
import { type KnownResource, knownResourceQuery } from '../../storage/resources/known-resource.ts'
import { type StoredResourceType, typeNamed } from '../../storage/tables/resource-tables.ts'

/** What happened: `joined` and `left` name a group, the two of members a list of them. */
export type HistoryKind =
  | 'created'
  | 'changed'
  | 'enabled'
  | 'disabled'
  | 'deleted'
  | 'joined'
  | 'left'
  | 'members added'
  | 'members removed'
  | 'directory imported'

/** A change of an attribute, or of all attributes of an extension. */
export interface HistoryChange {
  readonly attribute: string
  /** Undefined: it is not kept. Null: there was none. */
  readonly old?: unknown
  readonly new?: unknown
}

/** One line of a history. */
export interface HistoryEntry {
  readonly seq: number
  readonly time: number
  readonly kind: HistoryKind
  readonly clientId: string | null
  readonly clientName: string | null
  readonly requestId: string | null
  readonly version: number | null
  readonly changes: readonly HistoryChange[]
  /** The group that it joined or left. */
  readonly group: { readonly id: string; readonly name: string | null } | null
  /** The ids of members that were added or removed. */
  readonly members: readonly string[]
}

const KINDS: Readonly<Record<string, HistoryKind>> = {
  created: 'created',
  updated: 'changed',
  activated: 'enabled',
  deactivated: 'disabled',
  deleted: 'deleted',
  members_added: 'members added',
  members_removed: 'members removed',
}

/** @param id of the resource whose history it is; undefined if the event is not about the resource after all */
function historyEntry(event: HistoryEvent, id: string): HistoryEntry | undefined {
  const { seq, time, type, clientId, clientName, requestId, resourceId } = event
  const data = JSON.parse(event.data) as Complex
  const { version = null, displayName = null, members = [] } = data
  const entry = { seq, time, clientId, clientName, requestId, version: version as number | null }
  const none = { changes: [], group: null, members: [] }
  if (type === TENANT_IMPORTED) return { ...entry, ...none, kind: 'directory imported' }
  const kind = KINDS[type.slice(type.indexOf('.') + 1)] ?? 'changed'
  const ids = Array.isArray(members) ? members.map(String) : []
  if (resourceId !== id) {
    if (!ids.includes(id)) return undefined
    const group = { id: String(resourceId), name: displayName as string | null }
    return { ...entry, ...none, kind: kind === 'members added' ? 'joined' : 'left', group }
  }
  return { ...entry, ...none, kind, changes: changesOf(event, data), members: ids }
}

function changesOf({ previous }: HistoryEvent, { changed, attributes }: Complex): readonly HistoryChange[] {
  const now = isComplex(attributes) ? attributes : {}
  const before = previous === null ? undefined : (JSON.parse(previous) as Complex)
  const known = [...new Set([...Object.keys(before ?? {}), ...Object.keys(now)])].filter(
    (name) => name !== 'schemas',
  )
  if (known.length === 0 && Array.isArray(changed))
    return changed.map((attribute) => ({ attribute: String(attribute) }))
  return known.map((attribute) => ({
    attribute,
    ...(before && attribute in before ? { old: before[attribute] } : {}),
    ...(attribute in now ? { new: now[attribute] } : {}),
  }))
}

/** A page of the history of a resource. */
export interface HistoryView {
  readonly resource: KnownResource | undefined
  readonly entries: readonly HistoryEntry[]
  readonly next: number | undefined
  /** The time since when the history is kept; undefined: there has been nothing before. */
  readonly keptSince: number | undefined
}

const ENTRIES_IN_A_PAGE = 50

/** Events of several members that a page looks at: one of the dashboard, and one of the admin API, which a program reads on. */
export const SCANNED_ON_PAGE = 40
const SCANNED = 20_000

export interface HistoryRequest {
  readonly types: readonly StoredResourceType[]
  readonly tenantId: string
  readonly id: string
}

/** @param before the `next` of the previous page @param scanned as for `historyQuery` */
export function historyViewQuery(
  { types, tenantId, id }: HistoryRequest,
  before?: number,
  scanned = SCANNED,
): Query<HistoryView> {
  const { statements, read } = together({
    resource: knownResourceQuery(types, tenantId, id),
    page: historyQuery(tenantId, id, { before, size: ENTRIES_IN_A_PAGE, scanned }),
    kept: keptHistoryQuery(tenantId),
  })
  return {
    statements,
    read: (results) => {
      const { resource, page, kept } = read(results)
      return {
        resource,
        entries: page.events.flatMap((event) => historyEntry(event, id) ?? []),
        next: page.next,
        keptSince: keptSince(kept),
      }
    },
  }
}

function keptSince({ first }: KeptHistory): number | undefined {
  return first === undefined || first.seq === 1 ? undefined : first.time
}

/** A resource as it was at a time. */
export interface PastResource {
  readonly resource: KnownResource
  readonly exists: boolean
  /** Its attributes as a read returns them; undefined if it did not exist. */
  readonly attributes: Complex | undefined
  /** The ids of the members of a group; undefined for other types, and if it did not exist. */
  readonly members: readonly string[] | undefined
  /** The last id of the page of members; undefined if there are no more. */
  readonly nextMember: string | undefined
}

/** What `pastOf` needs. @param at milliseconds since 1970 */
export function pastQuery({ types, tenantId, id }: HistoryRequest, at: number) {
  return together({
    resource: knownResourceQuery(types, tenantId, id),
    later: laterChangesQuery(tenantId, id, at),
    kept: keptHistoryQuery(tenantId),
  })
}

/**
 * A resource as it was.
 *
 * @param at milliseconds since 1970
 * @param types those with the extensions of the tenant
 * @param found the result of `pastQuery`, for which the types that are shipped are enough
 * @param page of members; the cursor is the `nextMember` of the previous one
 * @returns undefined if there is no such resource
 * @throws {ScimError} 409 if what is needed is not kept any more
 */
export async function pastOf(
  db: Database,
  { types, tenantId, id }: HistoryRequest,
  at: number,
  { resource, later, kept }: ReturnType<ReturnType<typeof pastQuery>['read']>,
  {
    cursor = '',
    size = MAX_PAST_MEMBERS,
  }: { readonly cursor?: string | undefined; readonly size?: number } = {},
): Promise<PastResource | undefined> {
  if (resource === undefined) return undefined
  const none = { resource, exists: false, attributes: undefined, members: undefined, nextMember: undefined }
  const [turn] = later.turns
  if (turn?.type.endsWith('.created')) return none
  const oldest = kept.first
  if (oldest === undefined || oldest.time > at) {
    if (resource.createdAt > at) return none
    throw notKept(`the history is kept since ${oldest === undefined ? 'now' : timeText(oldest.time)}`)
  }
  if (later.importedAt !== undefined)
    throw notKept(`the directory was imported at ${timeText(later.importedAt)}`)
  if (later.isTooMuch) {
    throw notKept(
      `it has changed more than ${MAX_LATER_EVENTS} times since, or by more than ${MAX_LATER_BYTES} bytes: ask for a later time`,
    )
  }
  const unknown = later.turns.find(({ type }) => !type.endsWith('.created') && !type.endsWith('.deleted'))
  if (unknown !== undefined)
    throw notKept(`the values before the change at ${timeText(unknown.time)} are not kept`)
  const type = typeNamed(types, resource.type.name)
  const attributes = project(withValues(resource.resource, later.values, type), {}, type)
  const past = { ...none, exists: true, attributes }
  if (!hasMembers(type)) return past
  const wasDeleted = turn?.type.endsWith('.deleted') ?? false
  if (wasDeleted && !resource.isDeleted) {
    throw notKept('it was deleted and restored since, and its earlier members are no longer known')
  }
  const { members } = await readTogether(db, {
    members: membersAtQuery(
      { tenantId, id },
      { after: later.after, isDeleted: resource.isDeleted },
      { cursor, size: size + 1 },
    ),
  })
  const page = members.slice(0, size)
  return { ...past, members: page, nextMember: members.length > page.length ? page.at(-1) : undefined }
}

function timeText(time: number): string {
  return new Date(time).toISOString()
}

function notKept(why: string): ScimError {
  return new ScimError(409, undefined, `the resource as it was at that time is not known: ${why}`)
}
