/** The clients that read the event feed, for the administrator. */
import { type SQL, sql } from 'drizzle-orm'
import { statement } from '../database/database.ts'
import type { Query } from '../database/query.ts'

/** How far a reader or a webhook is behind the newest event. */
export interface Lag {
  readonly eventsBehind: number
  /** The time of the oldest event that it has not got, in milliseconds since 1970; null if there is none. */
  readonly behindSince: number | null
}

export interface FeedReader extends Lag {
  readonly clientId: string
  readonly name: string
  /** The latest read after a cursor, accurate to the minute. */
  readonly readAt: number
}

/**
 * The columns of a Lag, by name.
 *
 * @param of an expression for the tenant's id
 * @param seq an expression for the position
 */
export function lagColumns(of: SQL, seq: SQL) {
  const events = (what: string, order: string) =>
    sql`(SELECT ${sql.raw(what)} FROM events AS e WHERE e.tenant_id = ${of} ORDER BY e.seq ${sql.raw(order)} LIMIT 1)`
  return {
    eventsBehind: sql<number>`max(0, coalesce(${events('e.seq', 'DESC')}, 0)
      - max(${seq}, coalesce(${events('e.seq', 'ASC')}, 1) - 1))`,
    behindSince: sql<
      number | null
    >`(SELECT e.time FROM events AS e WHERE e.tenant_id = ${of} AND e.seq > ${seq} ORDER BY e.seq LIMIT 1)`,
  }
}

/** The readers of a tenant, those that read last first. A client is where its token that read last is. */
export function feedReadersQuery(tenantId: string): Query<readonly FeedReader[]> {
  const lag = lagColumns(sql`r.tenant_id`, sql`r.seq`)
  return {
    statements: [
      statement(sql`SELECT r.id, r.name, r.readAt, ${lag.eventsBehind} AS eventsBehind, ${lag.behindSince} AS behindSince
        FROM (SELECT c.tenant_id, c.id, c.name, t.feed_seq AS seq, max(t.feed_read_at) AS readAt
          FROM tokens AS t JOIN clients AS c ON c.id = t.client_id
          WHERE t.tenant_id = ${tenantId} AND t.feed_read_at IS NOT NULL AND c.deleted_at IS NULL GROUP BY c.id) AS r
        ORDER BY r.readAt DESC`),
    ],
    read: ([found]) =>
      (found?.rows ?? []).map((row) => ({
        clientId: String(row.id),
        name: String(row.name),
        readAt: Number(row.readAt),
        eventsBehind: Number(row.eventsBehind),
        behindSince: row.behindSince == null ? null : Number(row.behindSince),
      })),
  }
}
