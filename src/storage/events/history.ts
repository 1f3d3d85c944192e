/**
 * The history of resources, read from the events: pages of it, and what is needed to know a resource as it was.
 */
import { type SQL, sql } from 'drizzle-orm'
import { SOURCE_CONFLICT, TENANT_IMPORTED } from '../../scim/events.ts'
import { MAX_LATER_EVENTS } from '../../scim/limits.ts'
import { type Row, statement } from '../database/database.ts'
import type { Query } from '../database/query.ts'

/** An event with the values that it has replaced. Times in milliseconds since 1970. */
export interface HistoryEvent {
  readonly seq: number
  readonly type: string
  readonly time: number
  readonly clientId: string | null
  readonly clientName: string | null
  readonly requestId: string | null
  readonly resourceId: string | null
  /** JSON: see docs/consume/events.md; members are ids. */
  readonly data: string
  /** JSON: see `previous` in tables/event-tables.ts. */
  readonly previous: string | null
}

export const MEMBER_EVENTS: SQL = sql.raw("('group.members_added', 'group.members_removed')")

/** The condition that an event is a change, and not a remark about the resource, which changes nothing. @param alias of events */
export function isChange(alias: string): SQL {
  return sql.raw(`${alias}.type <> '${SOURCE_CONFLICT}'`)
}

const COLUMNS =
  sql.raw(`e.seq, e.type, e.time, e.client_id AS clientId, e.request_id AS requestId, e.resource_id AS resourceId,
  e.data, e.previous, (SELECT name FROM clients WHERE clients.id = e.client_id) AS clientName`)

function eventOf(row: Row): HistoryEvent {
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

/** Events that a page of a history looks at. Of the events of groups, no index tells which users they name. */
export const MAX_HISTORY_SCAN = 20_000

export interface HistoryPage {
  /** The newest first. */
  readonly events: readonly HistoryEvent[]
  /** The number of the event before which the next page begins; undefined on the last page. */
  readonly next: number | undefined
}

/**
 * The events of a resource, those of groups that it joined or left, and imports, the newest first. A page may be empty
 * although it is not the last one.
 */
export function historyQuery(
  tenantId: string,
  id: string,
  { before = Number.MAX_SAFE_INTEGER, size }: { readonly before?: number | undefined; readonly size: number },
): Query<HistoryPage> {
  const end = sql`min(${before}, coalesce((SELECT max(seq) FROM events WHERE tenant_id = ${tenantId}), 0) + 1)`
  const from = sql`${end} - ${MAX_HISTORY_SCAN}`
  const isNamed = sql`e.type IN ${MEMBER_EVENTS} AND instr(e.data, ${JSON.stringify(id)}) > 0`
  return {
    statements: [
      statement(sql`SELECT ${COLUMNS} FROM events AS e WHERE e.tenant_id = ${tenantId} AND e.seq < ${end} AND e.seq >= ${from}
        AND ((e.resource_id = ${id} AND ${isChange('e')}) OR e.type = ${TENANT_IMPORTED} OR (${isNamed})) ORDER BY e.seq DESC LIMIT ${size + 1}`),
      statement(
        sql`SELECT ${from} AS position, (SELECT min(seq) FROM events WHERE tenant_id = ${tenantId}) AS first`,
      ),
    ],
    read: ([found, bounds]) => {
      const events = (found?.rows ?? []).slice(0, size).map(eventOf)
      if ((found?.rows.length ?? 0) > size) return { events, next: events.at(-1)?.seq }
      const { position, first } = bounds?.rows[0] ?? {}
      return { events, next: Number(position) > Number(first ?? 0) ? Number(position) : undefined }
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
 * them. If a clock was set back, it is the number of one of the events around the time.
 */
export function eventAt(tenantId: string, time: number): SQL {
  const end = (order: string) =>
    sql`(SELECT seq FROM events WHERE tenant_id = ${tenantId} ORDER BY seq ${sql.raw(order)} LIMIT 1)`
  return sql`(WITH RECURSIVE search(low, high) AS (
      SELECT coalesce(${end('ASC')}, 1), coalesce(${end('DESC')}, 0) + 1
      UNION ALL SELECT
        iif(e.time > ${time}, s.low, e.seq + 1), iif(e.time > ${time}, e.seq, s.high)
      FROM search AS s CROSS JOIN events AS e ON e.tenant_id = ${tenantId} AND e.seq = (s.low + s.high) / 2
      WHERE s.low < s.high)
    SELECT low - 1 FROM search ORDER BY high - low LIMIT 1)`
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
  return {
    statements: [
      statement(sql`SELECT ${after} AS after, (SELECT count(*) FROM (SELECT 1 FROM ${from} WHERE ${isLater} LIMIT ${MAX_LATER_EVENTS + 1})) AS count,
        (SELECT time FROM events WHERE tenant_id = ${tenantId} AND resource_id IS NULL AND seq > ${after}
          AND type = ${TENANT_IMPORTED} ORDER BY seq LIMIT 1) AS importedAt`),
      // The first change of an attribute after the event replaced the value that it had then.
      statement(sql`SELECT j.key AS name, e.previous -> j.fullkey AS value, min(e.seq) AS seq
        FROM ${from} CROSS JOIN json_each(e.previous) AS j WHERE ${isLater} AND e.previous IS NOT NULL GROUP BY j.key`),
      statement(sql`SELECT e.seq, e.type, e.time FROM ${from} WHERE ${isLater} AND e.type NOT IN ${MEMBER_EVENTS}
        AND e.previous IS NULL ORDER BY e.seq LIMIT 1000`),
    ],
    read: ([bounds, values, turns]) => {
      const { after: seq, count, importedAt = null } = bounds?.rows[0] ?? {}
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
        isTooMuch: Number(count) > MAX_LATER_EVENTS,
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

/** The events of one resource from one number down to another, the newest first. */
export function resourceEventsQuery(
  tenantId: string,
  id: string,
  { from, before, size }: { readonly from: number; readonly before: number; readonly size: number },
): Query<readonly HistoryEvent[]> {
  return {
    statements: [
      statement(sql`SELECT ${COLUMNS} FROM events AS e INDEXED BY events_by_resource WHERE e.tenant_id = ${tenantId}
        AND e.resource_id = ${id} AND ${isChange('e')} AND e.seq >= ${from} AND e.seq < ${before} ORDER BY e.seq DESC LIMIT ${size}`),
    ],
    read: ([found]) => (found?.rows ?? []).map(eventOf),
  }
}
