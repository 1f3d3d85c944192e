/**
 * The provisioning job: decides whether a cycle may run, applies accidental-deletion prevention, and enters or leaves
 * quarantine. Implements pause, restart and allow-deletes. Runs in Node.js and in workerd.
 *
 * Microsoft: "Quarantine status in Microsoft Entra Application Provisioning"; "synchronizationJob: restart" (Microsoft
 * Graph).
 */

import type { Instant } from '../clock.ts'
import type { JobConfig } from '../documents/job.ts'
import type { JobState, Quarantine, QuarantineReason } from '../documents/state.ts'
import { plannedDeletions, stagedDelete } from './accidental-deletions.ts'
import { type CycleResult, runCycle } from './cycle.ts'
import type { CycleContext } from './cycle-context.ts'
import { pruneEscrow } from './escrow.ts'
import { fingerprint } from './import.ts'
import {
  describeFailure,
  disableIfExpired,
  enterQuarantine,
  escrowThresholdOf,
  liftQuarantine,
} from './quarantine.ts'
import { JobFailure } from './steps/object-step.ts'

/** The content of a notification to the administrator. */
export interface Notification {
  readonly jobId: string
  readonly tenantUrl: string
  readonly quarantine: Quarantine
}

export type JobRun =
  | ({ readonly kind: 'ran' } & CycleResult)
  /** No request was sent. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** The connection or the credentials failed, too many objects failed, or deletions are held back. */
  | { readonly kind: 'quarantined'; readonly quarantine: Quarantine; readonly result?: CycleResult }

export interface JobOptions {
  readonly notify: (notification: Notification) => Promise<void>
  /** Runs even if quarantine requires waiting. */
  readonly ignoreWait?: boolean
}

/** Runs the job's next cycle, or returns why it cannot run. */
export async function runJob(context: CycleContext, options: JobOptions): Promise<JobRun> {
  const { state, clock } = context
  const refusal = refuse(state, clock.now(), options.ignoreWait === true)
  if (refusal !== undefined) return { kind: 'refused', reason: refusal }
  resetOnConfigurationChange(state, context.job)
  pruneEscrow(state, clock.now())
  const staged = await stageDeletions(context, options)
  return staged ?? runWithQuarantine(context, options)
}

/** Pauses the job. A running cycle continues to its end. */
export function pauseJob(state: JobState): void {
  state.status = 'Paused'
}

export type ResetScope =
  | 'None'
  | 'ConnectorDataStore'
  | 'Escrows'
  | 'Watermark'
  | 'QuarantineState'
  | 'Full'
  | 'ForceDeletes'

/** The scopes that a restart resets by default. */
export const DEFAULT_RESET: readonly ResetScope[] = ['QuarantineState', 'Watermark', 'Escrows']

/**
 * Restarts the job. Resetting the watermark makes the next cycle an initial one. Links remain unless `Full` or
 * `ConnectorDataStore` is reset.
 */
export function restartJob(state: JobState, scopes: readonly ResetScope[]): void {
  const has = (...any: ResetScope[]) => any.some((scope) => scopes.includes(scope))
  if (has('Full', 'ConnectorDataStore')) state.objects = {}
  if (has('Full', 'Escrows')) {
    state.escrow = {}
    state.escrowsPruned = false
  }
  if (has('Full', 'Watermark', 'ConnectorDataStore')) resetWatermark(state)
  if (has('Full', 'QuarantineState', 'ForceDeletes')) {
    liftQuarantine(state)
    state.countSuccessiveCompleteFailures = 0
  }
  if (has('ForceDeletes')) state.forceDeletes = true
  if (state.status === 'Paused' || state.status === 'Disabled') state.status = 'Active'
}

function resetWatermark(state: JobState): void {
  state.initial = true
  state.cycleOpen = false
  delete state.watermark
}

function refuse(state: JobState, now: Instant, ignoreWait: boolean): string | undefined {
  if (state.status === 'Paused') return 'the job is paused; restart it to continue'
  disableIfExpired(state, now)
  if (state.status === 'Disabled')
    return 'the job was disabled after 28 days in quarantine; restart it to continue'
  const { quarantine } = state
  if (quarantine === undefined || ignoreWait || now >= quarantine.nextAttempt) return undefined
  return `the job is in quarantine (${quarantine.reason}); the next attempt is at ${new Date(quarantine.nextAttempt).toISOString()}`
}

/** Changed mappings, scoping filters or scope start an initial cycle. Links remain. */
function resetOnConfigurationChange(state: JobState, job: JobConfig): void {
  const mappings = [job.users, job.groups].map((mapping) => [
    mapping?.attributeMappings,
    mapping?.scopingFilters,
  ])
  const configuration = fingerprint([mappings, job.scope])
  if (state.configuration !== undefined && state.configuration !== configuration) resetWatermark(state)
  state.configuration = configuration
}

async function stageDeletions(context: CycleContext, options: JobOptions): Promise<JobRun | undefined> {
  const { state, job } = context
  const threshold = job.accidentalDeletionThreshold
  if (threshold === undefined || state.forceDeletes) return undefined
  const deletions = plannedDeletions(context)
  if (deletions.length <= threshold) return undefined
  for (const object of deletions)
    context.emit({ type: 'log', entry: stagedDelete(object, context, threshold) })
  const error = `${deletions.length} objects would be disabled or deleted; the threshold is ${threshold}`
  return quarantine(context, options, 'TooManyDeletes', error)
}

async function runWithQuarantine(context: CycleContext, options: JobOptions): Promise<JobRun> {
  const { state } = context
  try {
    const result = await runCycle(context)
    if (!result.complete) return { kind: 'ran', ...result }
    delete state.forceDeletes
    const reason = escrowThresholdOf(state)
    if (reason !== undefined)
      return quarantine(
        context,
        options,
        reason,
        `${Object.keys(state.escrow).length} failures in escrow`,
        result,
      )
    state.countSuccessiveCompleteFailures = 0
    liftQuarantine(state)
    context.onStateChanged()
    return { kind: 'ran', ...result }
  } catch (error) {
    if (!(error instanceof JobFailure)) throw error
    state.countSuccessiveCompleteFailures++
    return quarantine(context, options, 'EncounteredQuarantineException', describeFailure(error.failure))
  }
}

async function quarantine(
  context: CycleContext,
  options: JobOptions,
  reason: QuarantineReason,
  error: string,
  result?: CycleResult,
): Promise<JobRun> {
  const { state, clock, job } = context
  const reasonChanged = enterQuarantine(state, reason, error, clock.now())
  context.onStateChanged()
  const { quarantine } = state
  if (quarantine === undefined) throw new Error('the state has no quarantine after entering it')
  if (reasonChanged) await options.notify({ jobId: job.id, tenantUrl: state.target.tenantUrl, quarantine })
  return { kind: 'quarantined', quarantine, ...(result === undefined ? {} : { result }) }
}
