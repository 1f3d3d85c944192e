/**
 * The history of resources, read from the events: pages of it, and what is needed to know a resource as it was.
 */
import { type SQL, sql } from 'drizzle-orm'
import { SOURCE_CONFLICT, TENANT_IMPORTED } from '../../scim/events.ts'
import { MAX_LATER_BYTES, MAX_LATER_EVENTS } from '../../scim/limits.ts'
import { type Row, statement } from '../database/database.ts'
import type { Query } from '../database/query.ts'
import type { EventRow } from './feed.ts'

/** An event with the values that it has replaced. */
export interface HistoryEvent extends EventRow {
  /** JSON: see `previous` in tables/event-tables.ts. */
  readonly previous: string | null
}

export const MEMBER_EVENTS: SQL = sql.raw("('group.members_added', 'group.members_removed')")

/** The condition that an event is a change, and not a remark about the resource, which changes nothing. @param alias of events */
export function isChange(alias: string): SQL {
  return sql.raw(`${alias}.type <> '${SOURCE_CONFLICT}'`)
}

const OWN_COLUMNS =
  sql.raw(`e.seq, e.type, e.time, e.client_id AS clientId, e.request_id AS requestId, e.resource_id AS resourceId,
  e.data, e.previous`)
const COLUMNS = sql`${OWN_COLUMNS}, (SELECT name FROM clients WHERE clients.id = e.client_id) AS clientName`

export function eventOf(row: Row): HistoryEvent {
  const text = (value: unknown) => (value == null ? null : String(value))
  return {
    seq: Number(row.seq),
    type: String(row.type),
    time: Number(row.time),
    clientId: text(row.clientId),
    clientName: text(row.clientName),
    requestId: text(row.requestId),
    resourceId: text(row.resourceId),
    data: String(row.data),
    previous: text(row.previous),
  }
}

export interface HistoryPage {
  /** The newest first. */
  readonly events: readonly HistoryEvent[]
  /** The number of the event before which the next page begins; undefined on the last page. */
  readonly next: number | undefined
}

/**
 * The events of a resource, those of groups that it joined or left, and imports, the newest first. Indexes find those of the
 * resource, and of single members. A page may be short, or empty, although it is not the last one.
 *
 * @param scanned the events of several members after which a page ends: no index tells whom they name
 */
export function historyQuery(
  tenantId: string,
  id: string,
  {
    before = Number.MAX_SAFE_INTEGER,
    size,
    scanned,
  }: { readonly before?: number | undefined; readonly size: number; readonly scanned: number },
): Query<HistoryPage> {
  const from = (name: string) => sql.raw(`events AS e INDEXED BY ${name}`)
  const upTo = sql`e.tenant_id = ${tenantId} AND e.seq < ${before}`
  const until = sql`e.seq >= (SELECT until FROM looked)`
  const isMembers = sql`e.type IN ${MEMBER_EVENTS} AND e.data ->> '$.members[1]'`
  const isImport = sql`e.resource_id IS NULL AND e.type = ${TENANT_IMPORTED}`
  const names = sql`e.resource_id IS NOT ${id} AND instr(e.data, ${JSON.stringify(id)}) > 0`
  return {
    statements: [
      // The branches are in the order of an index, so SQLite reads of each no more than the page has. The last row is not an event.
      statement(sql`WITH looked AS MATERIALIZED (SELECT iif(count(*) = ${scanned}, min(seq), 0) AS until FROM (
          SELECT e.seq FROM ${from('events_of_members')} WHERE ${upTo} AND ${isMembers} IS NOT NULL ORDER BY e.seq DESC LIMIT ${scanned}))
        SELECT ${COLUMNS} FROM ${from('events_by_resource')} WHERE ${upTo} AND ${until} AND e.resource_id = ${id} AND ${isChange('e')}
        UNION ALL SELECT ${COLUMNS} FROM ${from('events_of_member')} WHERE ${upTo} AND ${until} AND ${isMembers} IS NULL
          AND e.data ->> '$.members[0]' = ${id} AND e.resource_id IS NOT ${id}
        UNION ALL SELECT ${COLUMNS} FROM ${from('events_of_members')} WHERE ${upTo} AND ${until} AND ${isMembers} IS NOT NULL AND ${names}
        UNION ALL SELECT ${COLUMNS} FROM ${from('events_of_tenant')} WHERE ${upTo} AND ${until} AND ${isImport}
        UNION ALL SELECT NULL, NULL, until, NULL, NULL, NULL, NULL, NULL, NULL FROM looked
        ORDER BY 1 DESC LIMIT ${size + 1}`),
    ],
    read: ([found]) => {
      const rows = found?.rows ?? []
      const end = rows.find(({ seq }) => seq === null)
      const events = rows
        .filter((row) => row !== end)
        .slice(0, size)
        .map(eventOf)
      if (end === undefined) return { events, next: events.at(-1)?.seq }
      return { events, next: Number(end.time) > 0 ? Number(end.time) : undefined }
    },
  }
}

/** How far back the history of a tenant is kept. */
export interface KeptHistory {
  /** The number and the time of the oldest event; undefined if there is none. */
  readonly first: { readonly seq: number; readonly time: number } | undefined
}

export function keptHistoryQuery(tenantId: string): Query<KeptHistory> {
  return {
    statements: [
      statement(sql`SELECT seq, time FROM events WHERE tenant_id = ${tenantId} ORDER BY seq LIMIT 1`),
    ],
    read: ([found]) => {
      const row = found?.rows[0]
      return { first: row && { seq: Number(row.seq), time: Number(row.time) } }
    },
  }
}

/**
 * The number of the last event that is not later than a time, by bisection: the numbers have no gaps, and the times follow
 * them. If a clock was set back, it is the number of one of the events around the time. A step looks at two events, because D1
 * counts a step as a row, too.
 */
export function eventAt(tenantId: string, time: number): SQL {
  const first = sql`coalesce((SELECT min(seq) FROM events WHERE tenant_id = ${tenantId}), 1)`
  const last = sql`(SELECT seq, time FROM events WHERE tenant_id = ${tenantId} ORDER BY seq DESC LIMIT 1)`
  const event = (name: 'e' | 'f', seq: SQL) =>
    sql`LEFT JOIN events AS ${sql.raw(name)} ON ${sql.raw(name)}.tenant_id = ${tenantId} AND ${sql.raw(name)}.seq = ${seq}`
  const middle = sql.raw('(s.low + s.high) / 2')
  const [low, high] = [
    sql`iif(e.time > s.time, s.low, ${middle} + 1)`,
    sql`iif(e.time > s.time, ${middle}, s.high)`,
  ]
  const quarter = sql`(${low} + ${high}) / 2`
  return sql`(WITH RECURSIVE search(low, high, time) AS (
      SELECT iif(newest.time <= given.time, newest.seq + 1, ${first}), coalesce(newest.seq, 0) + 1, given.time
        FROM (SELECT ${time} AS time) AS given LEFT JOIN ${last} AS newest
      UNION ALL SELECT iif(${low} >= ${high} OR f.time > s.time, ${low}, ${quarter} + 1),
        iif(${low} < ${high} AND f.time > s.time, ${quarter}, ${high}), s.time
      FROM search AS s ${event('e', middle)} ${event('f', quarter)}
      WHERE s.low < s.high)
    SELECT low - 1 FROM search WHERE low >= high LIMIT 1)`
}

/** What happened to a resource after an event. */
export interface LaterChanges {
  /** The number of the event. */
  readonly after: number
  /** The values that attributes had at the event, if they have changed since; null for none. */
  readonly values: Readonly<Record<string, unknown>>
  /** Creations and deletions, and changes whose previous values are not kept, in their order. */
  readonly turns: readonly { readonly seq: number; readonly type: string; readonly time: number }[]
  /** The first import of the directory since. */
  readonly importedAt: number | undefined
  /** Whether there are more events than can be looked at. */
  readonly isTooMuch: boolean
}

const IS_OF_RESOURCE = (tenantId: string, id: string, after: SQL) =>
  sql`e.tenant_id = ${tenantId} AND e.resource_id = ${id} AND e.seq > ${after} AND ${isChange('e')}`

/** @param time milliseconds since 1970 */
export function laterChangesQuery(tenantId: string, id: string, time: number): Query<LaterChanges> {
  const after = eventAt(tenantId, time)
  const from = sql`events AS e INDEXED BY events_by_resource`
  const isLater = IS_OF_RESOURCE(tenantId, id, after)
  const isTooMuch = sql`(SELECT count(*) > ${MAX_LATER_EVENTS} OR sum(bytes) > ${MAX_LATER_BYTES} FROM (
    SELECT octet_length(e.data) + coalesce(octet_length(e.previous), 0) AS bytes FROM ${from} WHERE ${isLater} LIMIT ${MAX_LATER_EVENTS + 1}))`
  return {
    statements: [
      statement(sql`SELECT ${after} AS after, ${isTooMuch} AS isTooMuch,
        (SELECT time FROM events WHERE tenant_id = ${tenantId} AND resource_id IS NULL AND seq > ${after}
          AND type = ${TENANT_IMPORTED} ORDER BY seq LIMIT 1) AS importedAt`),
      // The first change of an attribute after the event replaced the value that it had then.
      statement(sql`SELECT j.key AS name, e.previous -> j.fullkey AS value, min(e.seq) AS seq
        FROM ${from} CROSS JOIN json_each(e.previous) AS j WHERE NOT ${isTooMuch} AND ${isLater} AND e.previous IS NOT NULL GROUP BY j.key`),
      statement(sql`SELECT e.seq, e.type, e.time FROM ${from} WHERE ${isLater} AND e.type NOT IN ${MEMBER_EVENTS}
        AND e.previous IS NULL ORDER BY e.seq LIMIT 1000`),
    ],
    read: ([bounds, values, turns]) => {
      const { after: seq, isTooMuch: tooMuch, importedAt = null } = bounds?.rows[0] ?? {}
      return {
        after: Number(seq),
        values: Object.fromEntries(
          (values?.rows ?? []).map(({ name, value }) => [String(name), JSON.parse(String(value))]),
        ),
        turns: (turns?.rows ?? []).map((row) => ({
          seq: Number(row.seq),
          type: String(row.type),
          time: Number(row.time),
        })),
        importedAt: importedAt === null ? undefined : Number(importedAt),
        isTooMuch: tooMuch === 1,
      }
    },
  }
}

/**
 * A page of the members that a group had at an event, in the order of their ids.
 *
 * @param isDeleted whether the group has been deleted since: then its members are in its tombstone
 */
export function membersAtQuery(
  { tenantId, id }: { readonly tenantId: string; readonly id: string },
  { after, isDeleted }: { readonly after: number; readonly isDeleted: boolean },
  { cursor, size }: { readonly cursor: string; readonly size: number },
): Query<readonly string[]> {
  const kept = sql`UNION SELECT j.value FROM tombstone_memberships AS t CROSS JOIN json_each(t.ids) AS j
    WHERE t.tenant_id = ${tenantId} AND t.id = ${id} AND t.kind = 'members'`
  return {
    statements: [
      statement(sql`WITH later AS MATERIALIZED (
          SELECT m.value AS id, e.type, min(e.seq) FROM events AS e INDEXED BY events_by_resource
            CROSS JOIN json_each(e.data, '$.members') AS m
          WHERE ${IS_OF_RESOURCE(tenantId, id, sql`${after}`)} AND e.type IN ${MEMBER_EVENTS} GROUP BY m.value),
        now(id) AS (SELECT member_id FROM memberships WHERE tenant_id = ${tenantId} AND group_id = ${id}
          ${isDeleted ? kept : sql``})
        SELECT id FROM (
          SELECT id FROM now WHERE id > ${cursor} AND id NOT IN (SELECT id FROM later)
          UNION ALL SELECT id FROM later WHERE type = 'group.members_removed' AND id > ${cursor})
        ORDER BY id LIMIT ${size}`),
    ],
    read: ([found]) => (found?.rows ?? []).map(({ id: member }) => String(member)),
  }
}

/**
 * The events of one resource from one number down to another, the newest first, without the names of their clients.
 *
 * @param id of the resource, or an expression
 */
export function resourceEventsQuery(
  tenantId: string,
  id: string | SQL,
  { from, before, size }: { readonly from: number; readonly before: number; readonly size: number },
): Query<readonly HistoryEvent[]> {
  return {
    statements: [
      statement(sql`SELECT ${OWN_COLUMNS} FROM events AS e INDEXED BY events_by_resource WHERE e.tenant_id = ${tenantId}
        AND e.resource_id = ${id} AND ${isChange('e')} AND e.seq >= ${from} AND e.seq < ${before} ORDER BY e.seq DESC LIMIT ${size}`),
    ],
    read: ([found]) => (found?.rows ?? []).map(eventOf),
  }
}
