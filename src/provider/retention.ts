/**
 * The retention of the provisioning log: what a run of the cron trigger deletes.
 */
import { DAY_MS, HOUR_MS } from '../scim/duration.ts'
import { deleteDeadTokens } from '../storage/access/clients.ts'
import type { Database } from '../storage/database/database.ts'
import { believedTime, type FullTenants, pruneLog } from '../storage/log/log-pruning.ts'

/** Entries that one batch deletes. */
const CHUNK = 5_000
/** Statements before and after the batches that delete, and in each of these batches. */
const FRAME_STATEMENTS = 4
const BATCH_STATEMENTS = 3
/**
 * Statements in one run: MAX_QUERIES_FREE without those of the other parts of the hourly run. So it deletes up to 50,000
 * entries of one database; the next run deletes the rest.
 */
export const MAX_PRUNING_STATEMENTS = 34
/**
 * The most time that a run believes to have passed since the previous run: a thirtieth of the retention time. If the clock
 * is wrong by any amount, there are 30 hours to notice it before all entries are deleted. Runs are an hour apart, so the
 * minimum is two hours: a late run catches up.
 */
const MAX_ADVANCE_SHARE = 1 / 30
const MIN_ADVANCE_MS = 2 * HOUR_MS
/** How long an ended session is remembered: long enough to correct a clock that was ahead. */
const ENDED_SESSIONS_KEPT_MS = 30 * DAY_MS

export interface PruningResult {
  /** Log entries that were deleted. */
  readonly deleted: number
  /** Tokens that were deleted: they ended so long ago that no log entry names them. */
  readonly deletedTokens: number
  /** Hours by which the clock is ahead of the believed time. */
  readonly clockAheadHours: number
}

export interface PruningRun {
  /** Milliseconds since 1970, according to the clock. */
  readonly now: number
  readonly retentionDays: number
  /** The share of this database in the statements of the run. */
  readonly maxStatements?: number
  /** The hours between two runs for this database, if several databases take turns. */
  readonly hoursApart?: number
}

/**
 * Deletes log entries older than the retention time, the oldest entries of tenants whose log is too large, and the tokens
 * that no remaining entry can name.
 */
export async function pruneProvisioningLog(
  db: Database,
  { now, retentionDays, maxStatements = MAX_PRUNING_STATEMENTS, hoursApart = 1 }: PruningRun,
): Promise<PruningResult> {
  const maxBatches = Math.max(1, Math.floor((maxStatements - FRAME_STATEMENTS) / BATCH_STATEMENTS))
  const maxAdvanceMs = Math.max(
    MIN_ADVANCE_MS * hoursApart,
    Math.floor(retentionDays * DAY_MS * MAX_ADVANCE_SHARE),
  )
  const time = await believedTime(db, now, { maxAdvanceMs, sessionsKeptMs: ENDED_SESSIONS_KEPT_MS })
  const before = time - retentionDays * DAY_MS
  const clockAheadHours = Math.round((now - time) / HOUR_MS)
  let [deleted, full]: [number, FullTenants] = [0, []]
  for (let i = 0; i < maxBatches; i++) {
    const pruned = await pruneLog(db, before, full, CHUNK)
    deleted += pruned.deleted
    full = pruned.full
    // Entries of tenants whose log is too large are deleted from the second batch on.
    if (pruned.deleted < CHUNK && (full.length === 0 || (i > 0 && pruned.deleted === 0))) {
      // Now the log has no entries of dead tokens.
      return { deleted, deletedTokens: await deleteDeadTokens(db, before), clockAheadHours }
    }
  }
  return { deleted, deletedTokens: 0, clockAheadHours }
}
