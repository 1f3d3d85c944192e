/**
 * Deletes entries of the provisioning log that are too old, or beyond its limit in bytes. The age follows from the
 * clock, which is trusted only within bounds: a clock that is ahead must not empty the log.
 */
import { type SQL, sql } from 'drizzle-orm'
import { MAX_LOG_BYTES } from '../../scim/limits.ts'
import { type Database, statement } from '../database/database.ts'
import { selection } from '../tables/selection.ts'
import { tenants } from '../tables/tables.ts'
import { firstIdAt } from './log-pages.ts'

/** The number of entries that are deleted at once in a tenant with too many bytes. */
const FULL_CHUNK = 1_000

/**
 * The trusted time. It follows the clock, but each call advances it by at most `maxAdvanceMs`, and it never goes
 * back. Also deletes ended sessions that expired long before it.
 *
 * @param now of the clock; all times in milliseconds
 */
export async function believedTime(
  db: Database,
  now: number,
  { maxAdvanceMs, sessionsKeptMs }: { readonly maxAdvanceMs: number; readonly sessionsKeptMs: number },
): Promise<number> {
  const [clock] = await db.batch([
    statement(sql`INSERT INTO retention_clock (id, time) VALUES (1, ${now}) ON CONFLICT (id) DO UPDATE
      SET time = max(time, min(excluded.time, time + ${maxAdvanceMs})) RETURNING min(time, ${now}) AS time`),
    statement(sql`DELETE FROM ended_sessions
      WHERE expires_at <= (SELECT min(time, ${now}) FROM retention_clock) - ${sessionsKeptMs}`),
  ])
  return Number(clock?.rows[0]?.time)
}

const TENANT_ID = selection(tenants, ['id'])

/** Tenants whose log has too many bytes. */
export type FullTenants = readonly string[]

/**
 * Deletes entries that are too old, and the oldest entries of tenants with too many bytes: at most `limit` at a time,
 * so that no batch runs long. It takes three statements.
 *
 * @param before entries of an earlier time are deleted
 * @param full tenants with too many bytes, as the previous call returned them
 */
export async function pruneLog(
  db: Database,
  before: number,
  full: FullTenants,
  limit: number,
): Promise<{ readonly deleted: number; readonly full: FullTenants }> {
  const outdated = outdatedEntries(firstIdAt(before), JSON.stringify(full), limit)
  const [, gone, over] = await db.batch([
    statement(sql`UPDATE tenants SET log_bytes = log_bytes - gone.bytes
      FROM (SELECT tenant_id, sum(bytes) AS bytes FROM (${outdated}) GROUP BY tenant_id) AS gone
      WHERE tenants.id = gone.tenant_id`),
    statement(sql`DELETE FROM provisioning_log WHERE rowid IN (SELECT entry FROM (${outdated}))`),
    TENANT_ID.where(sql`log_bytes > ${MAX_LOG_BYTES} AND state NOT IN ('moving', 'arriving', 'moved')`),
  ])
  return { deleted: gone?.changes ?? 0, full: TENANT_ID.all(over).map(({ id }) => id) }
}

/** CROSS JOIN fixes the order: SQLite would otherwise scan the whole log and look up the tenant of each entry. */
function outdatedEntries(before: string, full: string, limit: number): SQL {
  const endOfChunk = sql`(SELECT id FROM provisioning_log WHERE tenant_id = t.id ORDER BY id LIMIT 1 OFFSET ${FULL_CHUNK})`
  const isFull = sql`t.id IN (SELECT value FROM json_each(${full}))`
  // Both sides of a move must stay equal, so old entries are deleted after the tenant has arrived. Unlike iif(), NOT
  // IN would read one more row for each tenant, to look for a NULL.
  const onTheMove = sql.raw("SELECT id FROM tenants WHERE state IN ('moving', 'arriving', 'moved')")
  return sql`SELECT l.rowid AS entry, l.tenant_id, l.bytes FROM tenants AS t CROSS JOIN provisioning_log AS l
    ON iif(t.id IN (${onTheMove}), 0, 1) AND l.tenant_id = t.id AND l.id < iif(${isFull}, max(${before}, coalesce(${endOfChunk}, ${before})), ${before})
    ORDER BY t.id, l.id LIMIT ${limit}`
}
