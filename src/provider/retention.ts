/**
 * How long the provisioning log is kept.
 */
import type { Database } from '../storage/database.ts'
import { pruneLog } from '../storage/provisioning-log.ts'

const DAY_MS = 24 * 60 * 60 * 1000
/** Entries that one batch deletes. */
const CHUNK = 1_000
/** Batches in one run: what is left over goes in the next one. */
const MAX_BATCHES = 200

/**
 * Deletes log entries that are older than the retention time.
 *
 * @param now milliseconds since 1970
 * @returns how many were deleted
 */
export async function pruneProvisioningLog(
  db: Database,
  now: number,
  retentionDays: number,
): Promise<number> {
  const before = firstUuidAt(now - retentionDays * DAY_MS)
  let deleted = 0
  for (let i = 0; i < MAX_BATCHES; i++) {
    const changes = await pruneLog(db, before, CHUNK)
    deleted += changes
    if (changes < CHUNK) break
  }
  return deleted
}

/** The start of every UUIDv7 made at that time: 48 bits of milliseconds (RFC 9562 §5.7). */
function firstUuidAt(time: number): string {
  const hex = Math.max(0, time).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}`
}
