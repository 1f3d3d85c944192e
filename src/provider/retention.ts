/**
 * How long the provisioning log is kept, and what a run of the cron trigger deletes.
 */

import { deleteDeadTokens } from '../storage/clients.ts'
import type { Database } from '../storage/database.ts'
import { believedTime, type FullTenants, pruneLog } from '../storage/log-pruning.ts'

const HOUR_MS = 60 * 60 * 1000
const DAY_MS = 24 * HOUR_MS
/** Entries that one batch deletes. */
const CHUNK = 5_000
/** Statements before the batches that delete, and in each of those. */
const FIRST_STATEMENTS = 2
const BATCH_STATEMENTS = 3
/**
 * Statements in one run: fewer than MAX_QUERIES_FREE. So an hourly run of one database deletes up to 75,000 entries; what is
 * left over goes in the next one.
 */
export const MAX_PRUNING_STATEMENTS = 47
/**
 * How far a run may believe that the clock went on since the last one: a thirtieth of the retention time. A clock that is
 * wrong by any amount then has 30 hours in which somebody can notice. Runs are an hour apart: at least twice that, so
 * that a late one catches up.
 */
const MAX_ADVANCE_SHARE = 1 / 30
const MIN_ADVANCE_MS = 2 * HOUR_MS
/** A session that was ended stays so while a clock that was ahead is put right. */
const ENDED_SESSIONS_KEPT_MS = 30 * DAY_MS

export interface PruningResult {
  /** Entries that were deleted. */
  readonly deleted: number
  /** Tokens that ended so long ago that no entry names them. */
  readonly deletedTokens: number
  /** Hours by which the clock is ahead of the time that is believed: of interest to whoever set it. */
  readonly clockAheadHours: number
}

/**
 * Deletes log entries that are older than the retention time, and the oldest of tenants whose log has too many bytes;
 * then the tokens that none of the others can name.
 *
 * @param now milliseconds since 1970, as the clock says
 * @param maxStatements the share of this database, where a run has several
 */
export async function pruneProvisioningLog(
  db: Database,
  now: number,
  retentionDays: number,
  maxStatements = MAX_PRUNING_STATEMENTS,
): Promise<PruningResult> {
  const maxBatches = Math.max(1, Math.floor((maxStatements - FIRST_STATEMENTS) / BATCH_STATEMENTS))
  const maxAdvanceMs = Math.max(MIN_ADVANCE_MS, Math.floor(retentionDays * DAY_MS * MAX_ADVANCE_SHARE))
  const time = await believedTime(db, now, { maxAdvanceMs, sessionsKeptMs: ENDED_SESSIONS_KEPT_MS })
  const before = time - retentionDays * DAY_MS
  const clockAheadHours = Math.round((now - time) / HOUR_MS)
  let [deleted, full]: [number, FullTenants] = [0, []]
  for (let i = 0; i < maxBatches; i++) {
    const pruned = await pruneLog(db, before, full, CHUNK)
    deleted += pruned.deleted
    full = pruned.full
    // Only from the second batch on is anything deleted of tenants that have too many.
    if (pruned.deleted < CHUNK && (full.length === 0 || (i > 0 && pruned.deleted === 0))) {
      // Now the log holds nothing that they have written.
      return { deleted, deletedTokens: await deleteDeadTokens(db, before), clockAheadHours }
    }
  }
  return { deleted, deletedTokens: 0, clockAheadHours }
}
