/**
 * Deleting old entries of the provisioning log, and those beyond its bound in bytes. What is old, the clock says, but
 * only as far as it can be believed: one that is ahead must not empty the log.
 */
import { type SQL, sql } from 'drizzle-orm'
import { MAX_LOG_BYTES } from '../scim/limits.ts'
import { type Database, statement } from './database.ts'
import { firstIdAt } from './log-pages.ts'

/** Entries that go at once of a tenant that has too many bytes. */
const FULL_CHUNK = 1_000

/**
 * The time up to which a clock is believed: it may be ahead of what was believed before by so much and no more. What is
 * believed never goes back. Forgets ended sessions that expired long before it.
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

/** Tenants whose log has too many bytes. */
export type FullTenants = readonly string[]

/**
 * Deletes entries that are too old, and the oldest of tenants that have too many: at most `limit` at a time, so that no
 * batch runs long. It is three statements.
 *
 * @param before entries of an earlier time go
 * @param full tenants that have too many bytes, as the call before found them
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
    statement(
      sql`SELECT id FROM tenants WHERE log_bytes > ${MAX_LOG_BYTES} AND state NOT IN ('moving', 'arriving', 'moved')`,
    ),
  ])
  return { deleted: gone?.changes ?? 0, full: (over?.rows ?? []).map(({ id }) => String(id)) }
}

/** CROSS JOIN keeps the order: SQLite would rather read the whole log and look for the tenant of each entry. */
function outdatedEntries(before: string, full: string, limit: number): SQL {
  const endOfChunk = sql`(SELECT id FROM provisioning_log WHERE tenant_id = t.id ORDER BY id LIMIT 1 OFFSET ${FULL_CHUNK})`
  const isFull = sql`t.id IN (SELECT value FROM json_each(${full}))`
  // Both sides of a move must stay the same: what is too old goes when the tenant has arrived. Unlike iif(), NOT IN would
  // read one more row for each tenant, to look for a NULL.
  const onTheMove = sql.raw("SELECT id FROM tenants WHERE state IN ('moving', 'arriving', 'moved')")
  return sql`SELECT l.rowid AS entry, l.tenant_id, l.bytes FROM tenants AS t CROSS JOIN provisioning_log AS l
    ON iif(t.id IN (${onTheMove}), 0, 1) AND l.tenant_id = t.id AND l.id < iif(${isFull}, max(${before}, coalesce(${endOfChunk}, ${before})), ${before})
    ORDER BY t.id, l.id LIMIT ${limit}`
}
