/** Reads what a client did between two times, as far as it can be undone. */

import { type SQL, sql } from 'drizzle-orm'
import { MAX_COUNTED_EVENTS } from '../../scim/limits.ts'
import { administratorId } from '../access/administrator.ts'
import { type Row, statement } from '../database/database.ts'
import type { Query } from '../database/query.ts'
import { eventAt, eventOf, type HistoryEvent, isChange, MEMBER_EVENTS } from './history.ts'

/** Whose changes are undone, and from when. */
export interface UndoWindow {
  readonly clientId: string
  /** Milliseconds since 1970, both included. */
  readonly from: number
  readonly to: number
}

/** A window, and the numbers of the events between which its events are. */
export interface LocatedWindow extends UndoWindow {
  readonly firstSeq: number
  readonly lastSeq: number
}

/** Times may be that much out of the order of the commits: a request begins before its commit. */
const TOLERANCE_MS = 2 * 60_000

/** The columns of a window, as a SELECT of one row: those of `LocatedWindow`. */
export type WindowSource = SQL

export function windowOfTimes(tenantId: string, { clientId, from, to }: UndoWindow): WindowSource {
  return sql`SELECT ${clientId} AS clientId, ${from} AS "from", ${to} AS "to",
    ${eventAt(tenantId, from - TOLERANCE_MS)} + 1 AS firstSeq, ${eventAt(tenantId, to + TOLERANCE_MS)} AS lastSeq`
}

/** The window of an undo. No row if there is no such job in this database. */
export function windowOfJob(tenantId: string, jobId: string): WindowSource {
  const member = (name: string) => sql.raw(`position ->> '$.window.${name}' AS "${name}"`)
  const names = ['clientId', 'from', 'to', 'firstSeq', 'lastSeq'].map(member)
  return sql`SELECT ${sql.join(names, sql`, `)} FROM jobs WHERE tenant_id = ${tenantId} AND id = ${jobId} AND kind = 'undo'`
}

export function windowOf({ clientId, from, to, firstSeq, lastSeq }: LocatedWindow): WindowSource {
  return sql`SELECT ${clientId} AS clientId, ${from} AS "from", ${to} AS "to", ${firstSeq} AS firstSeq, ${lastSeq} AS lastSeq`
}

/** The bounds of a window, the oldest event that is kept, and the name of the client. */
export interface FoundWindow {
  readonly window: LocatedWindow
  readonly oldest: { readonly seq: number; readonly time: number } | undefined
  /** Undefined if the tenant has had no such client. */
  readonly clientName: string | undefined
}

export function windowQuery(tenantId: string, window: UndoWindow): Query<FoundWindow> {
  return {
    statements: [
      statement(
        sql`WITH w AS MATERIALIZED (${windowOfTimes(tenantId, window)}) SELECT ${windowJson(tenantId)} AS found FROM w`,
      ),
    ],
    read: ([found]) => readWindow(found?.rows[0]?.found),
  }
}

function windowJson(tenantId: string): SQL {
  return sql`json_object('window', json_object('clientId', clientId, 'from', "from", 'to', "to", 'firstSeq', firstSeq, 'lastSeq', lastSeq),
    'oldest', (SELECT json_object('seq', seq, 'time', time) FROM events WHERE tenant_id = ${tenantId} ORDER BY seq LIMIT 1),
    'clientName', (SELECT name FROM clients WHERE tenant_id = ${tenantId} AND id = clientId))`
}

function readWindow(json: unknown): FoundWindow {
  const { window, oldest, clientName } = JSON.parse(String(json), (_, value) => value ?? undefined)
  return { window, oldest: typeof oldest === 'string' ? JSON.parse(oldest) : oldest, clientName }
}

function isInWindow(alias: string, tenantId: string, window: LocatedWindow): SQL {
  const column = (name: string) => sql.raw(`${alias}.${name}`)
  return sql`${column('tenant_id')} = ${tenantId} AND ${column('seq')} <= ${window.lastSeq} AND ${isOfClient(alias, window)}`
}

/** @param window each of its members a value or an expression */
function isOfClient(
  alias: string,
  { clientId, from, to }: { readonly [Name in keyof UndoWindow]: UndoWindow[Name] | SQL },
): SQL {
  const column = (name: string) => sql.raw(`${alias}.${name}`)
  return sql`${isChange(alias)} AND ${column('client_id')} = ${clientId} AND ${column('time')} BETWEEN ${from} AND ${to}`
}

/** Events that a page of resources looks at. */
const SCANNED = 2_000

/** A page of the resources that a client changed, those that it changed last first. */
export interface ChangedResources {
  readonly resources: readonly { readonly id: string; readonly type: string; readonly seq: number }[]
  /** The number of the event before which the next page begins; undefined on the last one. */
  readonly next: number | undefined
}

/**
 * A page of the resources that a client changed in a window. Each is on one page.
 *
 * @param kind only those that it created, or deleted
 */
export function changedResourcesQuery(
  tenantId: string,
  window: LocatedWindow,
  {
    before,
    size,
    kind,
  }: {
    readonly before?: number | undefined
    readonly size: number
    readonly kind?: 'created' | 'deleted' | undefined
  },
): Query<ChangedResources> {
  const end = Math.min(before ?? Number.MAX_SAFE_INTEGER, window.lastSeq + 1)
  const start = Math.max(window.firstSeq, end - SCANNED)
  const ofResource = (
    alias: string,
  ) => sql`(SELECT 1 FROM events AS ${sql.raw(alias)} INDEXED BY events_by_resource
    WHERE ${isInWindow(alias, tenantId, window)} AND ${sql.raw(alias)}.resource_id = e.resource_id`
  const isOfKind =
    kind === undefined ? sql`true` : sql`EXISTS ${ofResource('k')} AND k.type LIKE ${`%.${kind}`})`
  return {
    statements: [
      statement(sql`SELECT e.resource_id AS id, e.type, e.seq FROM events AS e
        WHERE ${isInWindow('e', tenantId, window)} AND e.seq >= ${start} AND e.seq < ${end} AND e.resource_id IS NOT NULL
          AND NOT EXISTS ${ofResource('n')} AND n.seq > e.seq) AND ${isOfKind}
        ORDER BY e.seq DESC LIMIT ${size}`),
    ],
    read: ([found]) => {
      const resources = (found?.rows ?? []).map((row) => ({
        id: String(row.id),
        type: typeOf(String(row.type)),
        seq: Number(row.seq),
      }))
      if (resources.length === size) return { resources, next: resources.at(-1)?.seq }
      return { resources, next: start > window.firstSeq ? start : undefined }
    },
  }
}

/** How much a page has at most, and looks at. */
export interface UndoPageSize {
  readonly resources: number
  /** Events in the window, whoever made the change. */
  readonly scanned: number
  /** Events of the resources. */
  readonly events: number
}

/** A resource that a client changed in a window, with its events since the window begins. */
export interface ResourceWithEvents {
  readonly id: string
  /** Its type, such as "User". */
  readonly type: string
  /** The number of the client's last event of it. */
  readonly seq: number
  /** The oldest first. */
  readonly events: readonly HistoryEvent[]
  /** Whether there are newer ones. Such a resource is on a page of its own. */
  readonly isPart: boolean
  /** Its unique name when the client deleted it; undefined if it did not. */
  readonly deletedName: string | undefined
}

export interface UndoPageStart extends FoundWindow {
  readonly resources: readonly ResourceWithEvents[]
  /** Whether this is the only page. */
  readonly isWhole: boolean
  /** The number of the event before which the next page begins; undefined on the last one. */
  readonly next: number | undefined
}

/**
 * A page of the resources that a client changed in a window, and all events that decide what undoing would do to them. Each
 * resource is on one page. A page may be short or empty.
 *
 * @param names the attribute with the unique name of each type
 * @returns undefined if the source has no window
 */
export function undoPageQuery(
  tenantId: string,
  source: WindowSource,
  {
    before = Number.MAX_SAFE_INTEGER,
    size,
    names,
  }: {
    readonly before?: number | undefined
    readonly size: UndoPageSize
    readonly names: ReadonlyMap<string, string>
  },
): Query<UndoPageStart | undefined> {
  const of = (name: keyof LocatedWindow) => sql`(SELECT ${sql.raw(`"${name}"`)} FROM w)`
  const window = { clientId: of('clientId'), from: of('from'), to: of('to'), lastSeq: of('lastSeq') }
  const end = sql`min(${before}, ${window.lastSeq} + 1)`
  const wasNamed = [...names].map(
    ([type, name]) => sql`WHEN e.type = ${`${type.toLowerCase()}.deleted`} THEN
      (SELECT data ->> ${sql.raw(`'$.${name}'`)} FROM tombstones WHERE tenant_id = ${tenantId} AND id = e.resource_id)`,
  )
  // One bound from above: SQLite begins at one of several, and passes over what the others leave out.
  const changed = sql`SELECT c.seq, c.resource_id, c.type FROM events AS c
    WHERE c.tenant_id = ${tenantId} AND c.seq < ${end} AND c.seq >= max(${of('firstSeq')}, ${end} - ${size.scanned})
      AND ${isOfClient('c', window)} AND c.resource_id IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM events AS n INDEXED BY events_by_resource
        WHERE n.tenant_id = ${tenantId} AND n.resource_id = c.resource_id AND n.seq > c.seq AND ${isOfClient('n', window)}
          AND +n.seq <= ${window.lastSeq})
    ORDER BY c.seq DESC LIMIT ${size.resources + 1}`
  return {
    statements: [
      // A CROSS JOIN reads resource by resource, in the order of the index, so only the last of them can lack its newest events.
      statement(sql`WITH w AS MATERIALIZED (${source})
        SELECT NULL AS page, NULL AS seq, NULL AS resourceId, NULL AS changed, NULL AS deletedName, NULL AS type, NULL AS time,
          NULL AS clientId, NULL AS requestId, ${windowJson(tenantId)} AS data, NULL AS previous FROM w
        UNION ALL SELECT * FROM (SELECT t.seq, e.seq, t.resource_id, t.type, CASE ${sql.join(wasNamed, sql` `)} END, e.type, e.time,
          e.client_id, e.request_id, e.data, e.previous
        FROM (${changed}) AS t CROSS JOIN events AS e INDEXED BY events_by_resource ON e.tenant_id = ${tenantId}
          AND e.resource_id = t.resource_id AND e.seq >= ${of('firstSeq')} AND ${isChange('e')}
        LIMIT ${size.events + 1})`),
    ],
    read: ([result]) => {
      const [first, ...rows] = result?.rows ?? []
      if (first === undefined) return undefined
      const found = readWindow(first.data)
      const isCut = rows.length > size.events
      const all = resourcesOf(rows)
      // The last one is complete on the next page, or is too large for any.
      const whole = isCut && all.length > 1 ? all.slice(0, -1) : all
      const resources = whole
        .slice(0, size.resources)
        .map((one) => ({ ...one, isPart: isCut && all.length === 1 }))
      const { firstSeq, lastSeq } = found.window
      const start = Math.min(before, lastSeq + 1) - size.scanned
      const last = resources.length < all.length || isCut ? resources.at(-1)?.seq : undefined
      const next = last ?? (start > firstSeq ? start : undefined)
      return {
        ...found,
        resources,
        isWhole: before === Number.MAX_SAFE_INTEGER && next === undefined,
        next,
      }
    },
  }
}

function resourcesOf(rows: readonly Row[]): readonly Omit<ResourceWithEvents, 'isPart'>[] {
  const found = new Map<string, Row[]>()
  for (const row of rows) {
    const id = String(row.resourceId)
    found.set(id, [...(found.get(id) ?? []), row])
  }
  return [...found].map(([id, ofIt]) => ({
    id,
    type: typeOf(String(ofIt[0]?.changed)),
    seq: Number(ofIt[0]?.page),
    events: ofIt.map(eventOf),
    deletedName: ofIt.map(({ deletedName }) => deletedName).find((name) => typeof name === 'string'),
  }))
}

/** The changes of a client in a window, among the events of some resources. */
export function countsOf(
  { clientId, from, to, lastSeq }: LocatedWindow,
  events: readonly HistoryEvent[],
): Omit<ChangeCounts, 'isComplete'> {
  const own = events.filter(
    (event) => event.clientId === clientId && event.time >= from && event.time <= to && event.seq <= lastSeq,
  )
  const of = (kind: string) => own.filter(({ type }) => type.endsWith(`.${kind}`))
  const members = (kind: string) =>
    of(kind).reduce((sum, { data }) => sum + (JSON.parse(data).members?.length ?? 0), 0)
  return {
    created: of('created').length,
    changed: of('updated').length,
    enabled: of('activated').length,
    disabled: of('deactivated').length,
    deleted: of('deleted').length,
    joined: members('members_added'),
    left: members('members_removed'),
  }
}

/** The name of the type of the resource of an event: "User" of "user.created". */
function typeOf(eventType: string): string {
  const name = eventType.slice(0, eventType.indexOf('.'))
  return name.charAt(0).toUpperCase() + name.slice(1)
}

/** The number of changes of a client in a window. */
export interface ChangeCounts {
  readonly created: number
  readonly changed: number
  readonly enabled: number
  readonly disabled: number
  readonly deleted: number
  /** Memberships. */
  readonly joined: number
  readonly left: number
  /** Whether all of them are counted. */
  readonly isComplete: boolean
}

export function changeCountsQuery(tenantId: string, window: LocatedWindow): Query<ChangeCounts> {
  const ends = (kind: string) => sql.raw(`type LIKE '%.${kind}'`)
  const of = (kind: string) => sql`count(*) FILTER (WHERE ${ends(kind)})`
  const members = (kind: string) =>
    sql`coalesce(sum(json_array_length(data, '$.members')) FILTER (WHERE ${ends(kind)}), 0)`
  return {
    statements: [
      statement(sql`SELECT ${of('created')} AS created, ${of('updated')} AS changed, ${of('activated')} AS enabled,
          ${of('deactivated')} AS disabled, ${of('deleted')} AS deleted, ${members('members_added')} AS joined,
          ${members('members_removed')} AS "left", count(*) AS "all"
        FROM (SELECT type, CASE WHEN type IN ${MEMBER_EVENTS} THEN data END AS data FROM events AS e
          WHERE ${isInWindow('e', tenantId, window)} AND e.seq >= ${window.firstSeq} ORDER BY e.seq LIMIT ${MAX_COUNTED_EVENTS})`),
    ],
    read: ([found]) => {
      const row = found?.rows[0] ?? {}
      const number = (name: keyof ChangeCounts) => Number(row[name] ?? 0)
      return {
        created: number('created'),
        changed: number('changed'),
        enabled: number('enabled'),
        disabled: number('disabled'),
        deleted: number('deleted'),
        joined: number('joined'),
        left: number('left'),
        isComplete: Number(row.all) < MAX_COUNTED_EVENTS,
      }
    },
  }
}

/** Whoever may have changed something: the clients of a tenant, the deleted ones and the administrator included. */
export interface Actor {
  readonly id: string
  readonly name: string
}

const MAX_ACTORS = 100

/** The newest actors, the administrator and the given one, by their names. */
export function actorsQuery(tenantId: string, andId: string): Query<readonly Actor[]> {
  const select = sql`SELECT id, name FROM clients WHERE tenant_id = ${tenantId}`
  return {
    statements: [
      statement(sql`${select} ORDER BY created_at DESC, id DESC LIMIT ${MAX_ACTORS}`),
      statement(sql`${select} AND id IN (${administratorId(tenantId)}, ${andId})`),
    ],
    read: (results) => {
      const rows = results.flatMap((result) => result.rows)
      const actors = new Map(rows.map(({ id, name }) => [String(id), String(name)]))
      return Array.from(actors, ([id, name]) => ({ id, name })).toSorted((a, b) => (a.name < b.name ? -1 : 1))
    },
  }
}
