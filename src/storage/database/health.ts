/**
 * Whether the database answers and accepts writes. Anybody may ask, so the result is cached for a short time.
 */
import { type Database, GuardError, type Statement } from './database.ts'

/**
 * How long a good result is cached: less than the interval of any monitor, and long enough that strangers cause no
 * load.
 */
const HEALTHY_MS = 10_000
/** How long a bad result is cached: short, so that a recovery shows soon. */
const UNHEALTHY_MS = 1_000
/** Bytes that the probe writes: about as many as a write of a client with its log entry. */
const PROBE_BYTES = 64 * 1024

/**
 * Caches the result of a probe.
 *
 * @param probe throws when the database cannot be read or written
 * @param now milliseconds of a monotonic clock
 * @returns whether the database answers and accepts writes
 */
export function rememberedHealth(probe: () => Promise<void>, now: () => number): () => Promise<boolean> {
  let known: boolean | undefined
  let until = Number.NEGATIVE_INFINITY
  return async () => {
    if (known !== undefined && now() < until) return known
    // While the probe runs, other requests get the previous result.
    until = now() + HEALTHY_MS
    known = await succeeds(probe)
    until = now() + (known ? HEALTHY_MS : UNHEALTHY_MS)
    return known
  }
}

async function succeeds(probe: () => Promise<void>): Promise<boolean> {
  try {
    await probe()
    return true
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : undefined
    console.error(JSON.stringify({ check: 'healthz', message, cause }))
    return false
  }
}

const READ: Statement = { sql: 'SELECT 1 FROM tenants LIMIT 1', params: [] }
/**
 * The probe inserts a row like that of a session that ended long ago. If the row is left behind, the cron trigger
 * deletes it with the others.
 */
const PROBE_ID = `'probe ' || hex(zeroblob(${PROBE_BYTES / 2}))`
const WRITE: Statement = {
  sql: `INSERT OR REPLACE INTO ended_sessions (id, expires_at) VALUES (${PROBE_ID}, 0)`,
  params: [],
}
const TAKE_BACK: Statement = { sql: "INSERT INTO guards (rule) VALUES ('stale')", params: [] }
const DELETE: Statement = { sql: `DELETE FROM ended_sessions WHERE id = ${PROBE_ID}`, params: [] }

/**
 * Reads, and makes a write that a guard rolls back in the same transaction. A D1 database that is read-only or full
 * refuses the write as well. Nothing is stored.
 *
 * @throws {DatabaseUnavailable} the database cannot be read or written
 */
export async function probeTakenBack(db: Database): Promise<void> {
  try {
    await db.batch([READ, WRITE, TAKE_BACK])
  } catch (error) {
    if (!(error instanceof GuardError)) throw error
  }
}

/**
 * Reads, writes and deletes. SQLite writes to the disk at the commit, so only a committed write detects a full disk.
 *
 * @throws {DatabaseUnavailable} the database cannot be read or written
 */
export async function probeCommitted(db: Database): Promise<void> {
  await db.batch([READ, WRITE])
  await db.batch([DELETE])
}
