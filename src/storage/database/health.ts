/**
 * Whether the database answers and takes writes. Anybody may ask, so what was found is remembered for a while.
 */
import { type Database, GuardError, type Statement } from './database.ts'

/** How long the answer holds: shorter than the interval of any monitor, and longer than strangers need to ask again. */
const HEALTHY_MS = 10_000
/** The same after a failure: an end of it is to be seen soon. */
const UNHEALTHY_MS = 1_000
/** Bytes that the probe writes: about as many as a write of a client, whose pages and log entry need room too. */
const PROBE_BYTES = 64 * 1024

/**
 * Remembers what a probe found.
 *
 * @param probe throws when the database does not read or does not write
 * @param now milliseconds of a clock that is never set back
 * @returns whether the database answers and takes writes
 */
export function rememberedHealth(probe: () => Promise<void>, now: () => number): () => Promise<boolean> {
  let known: boolean | undefined
  let until = Number.NEGATIVE_INFINITY
  return async () => {
    if (known !== undefined && now() < until) return known
    // Who asks while the probe is under way is told what was known.
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
/** The row is that of a session which ended long ago: should it stay, it goes with the others. */
const PROBE_ID = `'probe ' || hex(zeroblob(${PROBE_BYTES / 2}))`
const WRITE: Statement = {
  sql: `INSERT OR REPLACE INTO ended_sessions (id, expires_at) VALUES (${PROBE_ID}, 0)`,
  params: [],
}
const TAKE_BACK: Statement = { sql: "INSERT INTO guards (rule) VALUES ('stale')", params: [] }
const DELETE: Statement = { sql: `DELETE FROM ended_sessions WHERE id = ${PROBE_ID}`, params: [] }

/**
 * Reads, and writes what a guard takes back in the same transaction. A D1 that is read-only, or has reached its size,
 * refuses it all the same; nothing is stored.
 *
 * @throws {DatabaseUnavailable} the database does not read, or does not write
 */
export async function probeTakenBack(db: Database): Promise<void> {
  try {
    await db.batch([READ, WRITE, TAKE_BACK])
  } catch (error) {
    if (!(error instanceof GuardError)) throw error
  }
}

/**
 * Reads, writes and deletes: SQLite brings to the disk only what is committed, so that only this meets a full one.
 *
 * @throws {DatabaseUnavailable} the database does not read, or does not write
 */
export async function probeCommitted(db: Database): Promise<void> {
  await db.batch([READ, WRITE])
  await db.batch([DELETE])
}
