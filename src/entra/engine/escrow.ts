/**
 * Escrow: what failed waits here and is tried again 6, 12 and 24 hours after the first failure, then once a day; after
 * 28 days it is given up. Pure.
 *
 * Microsoft: "Quarantine status in Microsoft Entra Application Provisioning" (retry duration, stated to differ between
 * connectors).
 */
import { DAY_MS, HOUR_MS, type Instant, MINUTE_MS } from '../clock.ts'
import type { EscrowEntry, JobState } from '../documents/state.ts'
import { escrowKey } from '../documents/state.ts'
import type { LoggedFailure } from './provisioning-log.ts'

/** Hours after the first failure at which the first retries are due. */
const FIRST_RETRIES_MS = [6 * HOUR_MS, 12 * HOUR_MS, 24 * HOUR_MS]

/** An entry older than this is dropped. */
export const ESCROW_LIFETIME_MS = 28 * DAY_MS

/** These are tried again by the next cycle, about 40 minutes later. */
const RETRIED_NEXT_CYCLE: readonly EscrowEntry['code'][] = [
  'InternalServerError',
  'Timeout',
  'TooManyRequests',
  'WebExceptionProtocolError',
]

export const CYCLE_INTERVAL_MS = 40 * MINUTE_MS

/** Records a failure; the first failure's time is kept over repeated ones. */
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

/** Drops what has failed for 28 days; gives the dropped entries. */
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
  const early = FIRST_RETRIES_MS.map((after) => firstFailure + after).find((at) => at > now)
  if (early !== undefined) return early
  const days = Math.floor((now - firstFailure) / DAY_MS) + 1
  return firstFailure + days * DAY_MS
}
