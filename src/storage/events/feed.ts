/**
 * Reads the event feed: the events of a tenant in the order of their commits. One query reads a page; its cost is
 * proportional to the page, however many events are stored. The members of groups, which events list by id, are looked up
 * then: a member has the names that it has when the event is read, or had when it was deleted.
 */
import { type Placeholder, type SQL, sql } from 'drizzle-orm'
import { eventType } from '../../scim/events.ts'
import { hasMembers } from '../../scim/schema/resource-type.ts'
import { type Database, prepared, type Row, type Slots, type SqlValue } from '../database/database.ts'
import type { Query } from '../database/query.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'
import { identitySql } from './outbox.ts'

/** A position in the feed: after the event with this number. */
export interface FeedPosition {
  readonly seq: number
  /** The time of that event, by which a restored database is noticed; 0 before the first event. */
  readonly time: number
}

export const FEED_START: FeedPosition = { seq: 0, time: 0 }

export interface FeedRequest {
  /** Undefined: before the oldest event that is kept. */
  readonly after: FeedPosition | undefined
  /** The most events of the page. */
  readonly limit: number
  /** Undefined for all types. */
  readonly types: readonly string[] | undefined
}

/** An event as it is stored. Times in milliseconds since 1970. */
export interface EventRow {
  readonly seq: number
  readonly type: string
  readonly time: number
  readonly clientId: string | null
  readonly clientName: string | null
  readonly requestId: string | null
  readonly resourceId: string | null
  /** JSON: see docs/consume/events.md; members are ids. */
  readonly data: string
}

/** An event of the feed. */
export interface StoredEvent extends EventRow {
  /** JSON: the members of the event with their identifiers; null if it is not about members. */
  readonly members: string | null
}

export interface FeedPage {
  readonly stream: EventStream
  readonly events: readonly StoredEvent[]
  /** The position after the page: after events of other types as well. */
  readonly end: FeedPosition
  readonly hasMore: boolean
}

/** The stream of a tenant. */
export interface EventStream {
  /** The key that seals the cursors. */
  readonly key: string
  /** When the tenant was created: part of the ids of its events. */
  readonly createdAt: number
  /** The numbers of the oldest and the newest event; 0 if there is none. */
  readonly first: number
  readonly head: FeedPosition
  /** The time of the event with the number of the requested position; null if it is not kept. */
  readonly timeAtPosition: number | null
}

/** The number of the newest event of a tenant; 0 if there is none. */
export async function newestEvent(db: Database, tenantId: string): Promise<number> {
  const [found] = await db.batch([selectNewest({ tenantId })])
  return Number(found?.rows[0]?.seq ?? 0)
}

const selectNewest = prepared(
  ({ tenantId }: Slots<'tenantId'>) => sql`SELECT max(seq) AS seq FROM events WHERE tenant_id = ${tenantId}`,
)

/** Events that one query looks at, if few of them are of the wanted types. */
export const MAX_SCANNED_EVENTS = 5_000
/**
 * The bytes of these events, previous values included: SQLite reads the whole row of each event that it passes, which takes
 * 0.35 ms for a megabyte. The first event may be larger.
 */
const MAX_SCANNED_BYTES = 32 * 1024 * 1024
/** The data of a page. Looked up, its members take about six times as much. */
const MAX_PAGE_BYTES = 256 * 1024
/**
 * The documents in which the identifiers of the members of a page are looked up: SQLite parses them, which takes up to 30 ms
 * of processor time if they are large, and 60 ms if they consist of identifiers that are as long as they may be.
 */
const MAX_PAGE_DOCUMENT_BYTES = 8 * 1024 * 1024

/** The tenant's stream and a page of it. Undefined if there is no such tenant. */
export function feedQuery(
  types: readonly StoredResourceType[],
  tenantId: string,
  request: FeedRequest,
): Query<FeedPage | undefined> {
  const { after, limit, types: wanted } = request
  const from = after?.seq ?? 0
  return {
    statements: [
      selectStream({ tenantId, after: from }),
      pageStatement(types)({
        tenantId,
        after: from,
        more: limit + 1,
        types: wanted ? JSON.stringify(wanted) : null,
      }),
    ],
    read: ([stream, page]) => {
      const row = stream?.rows[0]
      return row && pageOf(row, page?.rows ?? [], request)
    },
  }
}

/**
 * SELECT of the last event that a page starting after a number looks at. The events have the sum of the bytes up to them, in
 * which a binary search finds it.
 */
function lastScanned({ tenantId, after }: { readonly tenantId: Part; readonly after: Part }): SQL {
  const most = sql.raw(String(MAX_SCANNED_EVENTS))
  const fits = (seq: string) => sql`coalesce((SELECT total_bytes FROM events WHERE tenant_id = ${tenantId}
    AND seq > first AND seq <= ${sql.raw(seq)} ORDER BY seq DESC LIMIT 1), 0) <= most_bytes`
  // Numbers of JavaScript are bound as floating-point numbers.
  const middle = 'CAST((low + high) / 2 AS INTEGER)'
  return sql`WITH RECURSIVE
    start AS MATERIALIZED (SELECT max(${after}, coalesce((SELECT seq FROM events WHERE tenant_id = ${tenantId} ORDER BY seq LIMIT 1), 1) - 1) AS first),
    bound AS MATERIALIZED (SELECT first, ${sql.raw(String(MAX_SCANNED_BYTES))} + coalesce((SELECT total_bytes FROM events
      WHERE tenant_id = ${tenantId} AND seq > first ORDER BY seq LIMIT 1), 0) AS most_bytes FROM start),
    search(first, most_bytes, low, high) AS (
      SELECT first, most_bytes, first + CASE WHEN ${fits(`first + ${MAX_SCANNED_EVENTS}`)} THEN ${most} ELSE 0 END, first + ${most} FROM bound
      UNION ALL SELECT first, most_bytes, CASE WHEN ${fits(middle)} THEN ${sql.raw(middle)} ELSE low END,
        CASE WHEN ${fits(middle)} THEN high ELSE ${sql.raw(middle)} END
      FROM search WHERE high - low > 1)
    SELECT CAST(min(max(low), ${sql.raw(String(Number.MAX_SAFE_INTEGER))}) AS INTEGER) AS seq FROM search`
}

const selectStream = prepared((slots: Slots<'tenantId' | 'after'>) => streamSql(slots))

/** A value, or an expression that gives it. */
type Part = SQL | Placeholder

/** SELECT of the tenant's stream, for `pageOf`. */
export function streamSql({ tenantId, after }: { readonly tenantId: Part; readonly after: Part }): SQL {
  const end = (what: string, order: string) =>
    sql.raw(`(SELECT ${what} FROM events WHERE tenant_id = t.id ORDER BY seq ${order} LIMIT 1)`)
  const timeAt = (seq: Part) => sql`(SELECT time FROM events WHERE tenant_id = t.id AND seq = ${seq})`
  return sql`WITH last AS MATERIALIZED (${lastScanned({ tenantId, after })})
    SELECT event_key AS "key", created_at AS createdAt, ${end('seq', 'ASC')} AS first, ${end('seq', 'DESC')} AS head,
      ${end('time', 'DESC')} AS headTime, ${timeAt(after)} AS timeAtPosition,
      last.seq AS scanned, ${timeAt(sql`last.seq`)} AS scannedTime
    FROM tenants AS t CROSS JOIN last WHERE id = ${tenantId}`
}

type PageSlot = 'tenantId' | 'after' | 'more' | 'types'
export type PageParts = Readonly<Record<PageSlot, Part>>

/** One text for each list of types: the extensions of a tenant have other objects, and the same names. */
const pageStatements = new WeakMap<readonly StoredResourceType[], ReturnType<typeof prepared<PageSlot>>>()

function pageStatement(types: readonly StoredResourceType[]): ReturnType<typeof prepared<PageSlot>> {
  const known = pageStatements.get(types) ?? prepared<PageSlot>((slots) => pageSql(types, slots))
  pageStatements.set(types, known)
  return known
}

/** SELECT of the events of a page and one more, for `pageOf`. */
export function pageSql(
  types: readonly StoredResourceType[],
  { tenantId, after, more, types: wanted }: PageParts,
): SQL {
  return sql`WITH last AS MATERIALIZED (${lastScanned({ tenantId, after })}),
    page AS (
      SELECT e.tenant_id, e.seq, e.type, e.time, e.client_id, e.request_id, e.resource_id, e.data
      FROM tenants AS t CROSS JOIN events AS e ON e.tenant_id = t.id AND e.seq > ${after}
        AND e.seq <= (SELECT seq FROM last)
      WHERE t.id = ${tenantId} AND (${wanted} IS NULL OR e.type IN (SELECT value FROM json_each(${wanted})))
      ORDER BY e.seq LIMIT ${more}),
    counted AS (SELECT *, count(*) OVER () AS found, row_number() OVER (ORDER BY seq) AS n,
      sum(octet_length(data)) OVER up_to_here AS bytes FROM page WINDOW up_to_here AS (ORDER BY seq ROWS UNBOUNDED PRECEDING)),
    weighed AS (SELECT counted.*, ${documentBytesOf(types)} AS document_bytes
      FROM counted WHERE n = 1 OR bytes <= ${sql.raw(String(MAX_PAGE_BYTES))}),
    sized AS (SELECT *, sum(document_bytes) OVER (ORDER BY seq ROWS UNBOUNDED PRECEDING) AS documents FROM weighed)
    SELECT sized.seq, sized.type, sized.time, sized.client_id AS clientId, c.name AS clientName,
      sized.request_id AS requestId, sized.resource_id AS resourceId, sized.data, sized.found,
      ${membersOf(types)} AS members
    FROM sized LEFT JOIN clients AS c ON c.id = sized.client_id
    WHERE n = 1 OR documents <= ${sql.raw(String(MAX_PAGE_DOCUMENT_BYTES))} ORDER BY sized.seq`
}

/** The types of resources that may be members, each joined to the id `m.value` of a member. @param event its alias */
function memberTables(types: readonly StoredResourceType[], event: string) {
  return types
    .filter(({ isMember }) => isMember)
    .map((type) => {
      const alias = `as_${type.table.name}`
      const join = sql.raw(
        `LEFT JOIN ${type.table.name} AS ${alias} ON ${alias}.tenant_id = ${event}.tenant_id AND ${alias}.id = m.value`,
      )
      return { type, alias, join }
    })
}

/** The bytes of the documents of an event's members; 0 if it is not about members. */
function documentBytesOf(types: readonly StoredResourceType[]): SQL {
  const tables = memberTables(types, 'counted')
  if (!types.some(hasMembers)) return sql`0`
  const bytes = tables.map(({ alias }) => sql.raw(`coalesce(octet_length(${alias}.data), 0)`))
  return sql`CASE WHEN ${isAboutMembers(types, 'counted')} THEN (SELECT coalesce(sum(${sql.join(bytes, sql` + `)}), 0)
    FROM json_each(counted.data, '$.members') AS m ${joined(tables)}) ELSE 0 END`
}

/** The members of an event as JSON. Those that are deleted are in the events of their deletions. */
function membersOf(types: readonly StoredResourceType[]): SQL {
  if (!types.some(hasMembers)) return sql`NULL`
  const tables = memberTables(types, 'sized')
  const found = tables.map(
    ({ type, alias }) => sql`WHEN ${sql.raw(`${alias}.id`)} IS NOT NULL THEN json_object('id', m.value,
      'type', ${sql.raw(`'${type.name}'`)}, ${identitySql(type, alias)}, 'version', ${sql.raw(`${alias}.version`)})`,
  )
  // The newest deletion: an import may bring an id back. Without INDEXED BY, SQLite would read all events from the newest on.
  const deletion = sql`(SELECT json_set(d.data, '$.id', m.value,
      '$.type', upper(substr(d.type, 1, 1)) || substr(d.type, 2, instr(d.type, '.') - 2)) FROM events AS d INDEXED BY events_by_resource
    WHERE d.tenant_id = sized.tenant_id AND d.resource_id = m.value AND d.type IN ('user.deleted', 'group.deleted')
    ORDER BY d.seq DESC LIMIT 1)`
  return sql`CASE WHEN ${isAboutMembers(types, 'sized')} THEN (
    SELECT json_group_array(json(CASE ${sql.join(found, sql` `)}
        ELSE coalesce(${deletion}, json_object('id', m.value)) END))
      FROM json_each(sized.data, '$.members') AS m ${joined(tables)}) END`
}

function joined(tables: ReturnType<typeof memberTables>): SQL {
  return sql.join(
    tables.map(({ join }) => join),
    sql` `,
  )
}

function isAboutMembers(types: readonly StoredResourceType[], event: string): SQL {
  const names = types
    .filter(hasMembers)
    .flatMap((type) => [eventType(type, 'members_added'), eventType(type, 'members_removed')])
  return sql.raw(`${event}.type IN (${names.map((name) => `'${name}'`).join(', ')})`)
}

/** The page in the results of `streamSql` and `pageSql`. */
export function pageOf(
  stream: Row,
  rows: readonly Row[],
  { after, limit }: Pick<FeedRequest, 'after' | 'limit'>,
): FeedPage {
  const number = (value: SqlValue | undefined) => Number(value ?? 0)
  const head = { seq: number(stream.head), time: number(stream.headTime) }
  const found = number(rows[0]?.found)
  const events = rows.slice(0, limit).map(eventOf)
  const last = events.at(-1)
  // All events that were looked at are on the page.
  const isComplete = events.length === found
  const scanned =
    number(stream.scanned) >= head.seq
      ? head
      : { seq: number(stream.scanned), time: number(stream.scannedTime) }
  // A position beyond the newest event is not moved back.
  const end = isComplete ? later(scanned, after) : (last ?? scanned)
  return {
    stream: {
      key: String(stream.key),
      createdAt: number(stream.createdAt),
      first: number(stream.first),
      head,
      timeAtPosition: stream.timeAtPosition == null ? null : Number(stream.timeAtPosition),
    },
    events,
    end: { seq: end.seq, time: end.time },
    hasMore: end.seq < head.seq,
  }
}

function later(position: FeedPosition, other: FeedPosition = FEED_START): FeedPosition {
  return position.seq >= other.seq ? position : other
}

function eventOf(row: Row): StoredEvent {
  const text = (value: SqlValue | undefined) => (value == null ? null : String(value))
  return {
    seq: Number(row.seq),
    type: String(row.type),
    time: Number(row.time),
    clientId: text(row.clientId),
    clientName: text(row.clientName),
    requestId: text(row.requestId),
    resourceId: text(row.resourceId),
    data: String(row.data),
    members: text(row.members),
  }
}
