/**
 * Quarantine: when a job is put under it, how its cycles become rarer, when it is lifted, when it is disabled. Pure.
 *
 * Microsoft: "Quarantine status in Microsoft Entra Application Provisioning".
 */

import { DAY_MS, type Instant } from '../clock.ts'
import { type JobState, QUARANTINE_LIFETIME_MS, type QuarantineReason } from '../documents/state.ts'
import type { Failure } from '../protocol/answer.ts'
import { CYCLE_INTERVAL_MS } from './escrow.ts'

/** Below this many failed objects nothing is evaluated. */
const EVALUATED_FROM_FAILURES = 5000
/** More than this share of failed objects means quarantine. */
const MAX_FAILED_SHARE = 0.4
/** More failed objects than this mean quarantine, whatever their share. */
const MAX_FAILURES = 40_000
/** The absolute limit, which references count against as well. */
const MAX_FAILURES_WITH_REFERENCES = 60_000

/** The quarantine that the numbers call for; undefined when there is none. References are memberships and managers. */
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

/** As `escrowThreshold`, from what is in escrow now. */
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
 * Enters quarantine or stays in it; each time the next attempt is further away, up to a day.
 * Gives whether the administrator is to be told: on entering, and when the reason changes.
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
export function disableIfHopeless(state: JobState, now: Instant): boolean {
  const { quarantine } = state
  if (quarantine === undefined || now - quarantine.seriesBegan < QUARANTINE_LIFETIME_MS) return false
  state.status = 'Disabled'
  return true
}

/** One line for people: the code of the failure and what the server said. */
export function describeFailure({ code, detail }: Pick<Failure, 'code' | 'detail'>): string {
  return `${code}: ${detail}`
}
