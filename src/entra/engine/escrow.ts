/**
 * Escrow: failed objects wait here for a retry 6, 12 and 24 hours after the first failure, and then once a day. After
 * 28 days the entry is dropped. Pure.
 *
 * Microsoft: "Quarantine status in Microsoft Entra Application Provisioning". According to that page the retry
 * intervals differ between connectors.
 */
import { DAY_MS, HOUR_MS, type Instant, MINUTE_MS } from '../clock.ts'
import type { EscrowEntry, JobState } from '../documents/state.ts'
import { escrowKey } from '../documents/state.ts'
import type { LoggedFailure } from './provisioning-log.ts'

/** Delays from the first failure to the first retries. */
const FIRST_RETRIES_MS = [6 * HOUR_MS, 12 * HOUR_MS, 24 * HOUR_MS]

/** An entry is dropped when its first failure is this old. */
const ESCROW_LIFETIME_MS = 28 * DAY_MS

/** Codes that the next cycle retries, about 40 minutes later. */
const RETRIED_NEXT_CYCLE: readonly EscrowEntry['code'][] = [
  'InternalServerError',
  'Timeout',
  'TooManyRequests',
  'WebExceptionProtocolError',
]

export const CYCLE_INTERVAL_MS = 40 * MINUTE_MS

/** Records a failure. Repeated failures keep the time of the first one. */
export function putInEscrow(
  state: JobState,
  subject: Pick<EscrowEntry, 'objectId' | 'kind' | 'type'>,
  failure: LoggedFailure,
  now: Instant,
): EscrowEntry {
  const key = escrowKey(subject.kind, subject.objectId)
  const known = state.escrow[key]
  const attempts = (known?.attempts ?? 0) + 1
  const firstFailure = known?.firstFailure ?? now
  const entry: EscrowEntry = {
    objectId: subject.objectId,
    kind: subject.kind,
    type: subject.type,
    firstFailure,
    attempts,
    nextRetry: nextRetry(failure.code, firstFailure, now),
    code: failure.code,
    detail: failure.detail,
  }
  state.escrow[key] = entry
  return entry
}

export function clearEscrow(state: JobState, kind: EscrowEntry['kind'], objectId: string): void {
  delete state.escrow[escrowKey(kind, objectId)]
}

export function isDue(entry: EscrowEntry | undefined, now: Instant): boolean {
  return entry !== undefined && entry.nextRetry <= now
}

/**
 * Drops the entries that have failed for 28 days.
 * @returns the dropped entries
 */
export function pruneEscrow(state: JobState, now: Instant): EscrowEntry[] {
  const dropped = Object.values(state.escrow).filter(
    (entry) => now - entry.firstFailure >= ESCROW_LIFETIME_MS,
  )
  for (const entry of dropped) clearEscrow(state, entry.kind, entry.objectId)
  if (dropped.length > 0) state.escrowsPruned = true
  return dropped
}

function nextRetry(code: EscrowEntry['code'], firstFailure: Instant, now: Instant): Instant {
  if (RETRIED_NEXT_CYCLE.includes(code)) return now
  const scheduled = FIRST_RETRIES_MS.map((after) => firstFailure + after).find((at) => at > now)
  if (scheduled !== undefined) return scheduled
  const days = Math.floor((now - firstFailure) / DAY_MS) + 1
  return firstFailure + days * DAY_MS
}
