/**
 * Quarantine: when a job enters it, how its cycles become less frequent, and when it is lifted or the job is disabled.
 * Pure.
 *
 * Microsoft: "Quarantine status in Microsoft Entra Application Provisioning".
 */

import { DAY_MS, type Instant } from '../clock.ts'
import { type JobState, QUARANTINE_LIFETIME_MS, type QuarantineReason } from '../documents/state.ts'
import type { Failure } from '../protocol/response.ts'
import { CYCLE_INTERVAL_MS } from './escrow.ts'

/** With fewer failed objects, the share is not evaluated. */
const EVALUATED_FROM_FAILURES = 5000
/** A larger share of failed objects causes quarantine. */
const MAX_FAILED_SHARE = 0.4
/** More failed objects cause quarantine, whatever their share. */
const MAX_FAILURES = 40_000
/** More failed objects and references together cause quarantine. */
const MAX_FAILURES_WITH_REFERENCES = 60_000

/**
 * Returns the reason for quarantine, or undefined if no threshold is exceeded. References are memberships and managers.
 */
export function escrowThreshold(
  failedObjects: number,
  failedReferences: number,
  objects: number,
): QuarantineReason | undefined {
  if (failedObjects + failedReferences > MAX_FAILURES_WITH_REFERENCES)
    return 'EncounteredTotalEscrowThreshold'
  if (failedObjects < EVALUATED_FROM_FAILURES) return undefined
  if (failedObjects > MAX_FAILURES) return 'EncounteredBaseEscrowThreshold'
  return failedObjects > objects * MAX_FAILED_SHARE ? 'EncounteredEscrowProportionThreshold' : undefined
}

/** Evaluates `escrowThreshold` for the entries in escrow. */
export function escrowThresholdOf(state: JobState): QuarantineReason | undefined {
  const entries = Object.values(state.escrow)
  const objects = Object.values(state.objects).filter(({ gone }) => gone === undefined).length
  const failedObjects = entries.filter(({ kind }) => kind === 'entry').length
  const failedReferences = entries
    .filter(({ kind }) => kind === 'reference')
    .reduce(
      (sum, { objectId }) => sum + Math.max(1, state.objects[objectId]?.members?.pending.length ?? 0),
      0,
    )
  return escrowThreshold(failedObjects, failedReferences, objects)
}

/**
 * Enters quarantine or extends it. The delay until the next attempt doubles each time, up to one day.
 * @returns whether to notify the administrator: on entering, and when the reason changes
 */
export function enterQuarantine(
  state: JobState,
  reason: QuarantineReason,
  error: string,
  now: Instant,
): boolean {
  const known = state.quarantine
  const seriesCount = (known?.seriesCount ?? 0) + 1
  state.status = 'Quarantine'
  state.quarantine = {
    reason,
    currentBegan: known?.reason === reason ? known.currentBegan : now,
    seriesBegan: known?.seriesBegan ?? now,
    seriesCount,
    nextAttempt: now + Math.min(DAY_MS, CYCLE_INTERVAL_MS * 2 ** Math.min(seriesCount, 20)),
    error,
  }
  return known?.reason !== reason
}

export function liftQuarantine(state: JobState): void {
  delete state.quarantine
  if (state.status === 'Quarantine' || state.status === 'NotRun') state.status = 'Active'
}

/** Disables a job that has been in quarantine for four weeks. */
export function disableIfExpired(state: JobState, now: Instant): boolean {
  const { quarantine } = state
  if (quarantine === undefined || now - quarantine.seriesBegan < QUARANTINE_LIFETIME_MS) return false
  state.status = 'Disabled'
  return true
}

/** Formats the error code and the server's message as one line. */
export function describeFailure({ code, detail }: Pick<Failure, 'code' | 'detail'>): string {
  return `${code}: ${detail}`
}
