/**
 * The provisioning job around its cycles: may it run now, is it held back by accidental-deletion prevention, does it go
 * into quarantine or leave it. Also pause, restart and allow-deletes. Runs in Node and in workerd.
 *
 * Microsoft: "Quarantine status in Microsoft Entra Application Provisioning"; "synchronizationJob: restart"
 * (Microsoft Graph).
 */

import type { Instant } from '../clock.ts'
import type { JobConfig } from '../documents/job.ts'
import type { JobState, Quarantine, QuarantineReason } from '../documents/state.ts'
import { plannedDeletions, stagedDelete } from './accidental-deletions.ts'
import { type CycleResult, runCycle } from './cycle.ts'
import type { CycleContext } from './cycle-context.ts'
import { pruneEscrow } from './escrow.ts'
import { fingerprint } from './import.ts'
import { JobFailure } from './provision-object.ts'
import {
  describeFailure,
  disableIfHopeless,
  enterQuarantine,
  escrowThresholdOf,
  liftQuarantine,
} from './quarantine.ts'

/** What an administrator is told by mail or webhook. */
export interface Notification {
  readonly jobId: string
  readonly tenantUrl: string
  readonly quarantine: Quarantine
}

export type JobRun =
  | ({ readonly kind: 'ran' } & CycleResult)
  /** Nothing was sent. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** In quarantine: the connection or the credentials failed, too much failed, or deletions are held back. */
  | { readonly kind: 'quarantined'; readonly quarantine: Quarantine; readonly result?: CycleResult }

export interface JobOptions {
  readonly notify: (notification: Notification) => Promise<void>
  /** Run although a quarantine says to wait. */
  readonly ignoreWait?: boolean
}

/** Runs the job's next cycle, or says why it does not run. */
export async function runJob(context: CycleContext, options: JobOptions): Promise<JobRun> {
  const { state, clock } = context
  const refusal = refuse(state, clock.now(), options.ignoreWait === true)
  if (refusal !== undefined) return { kind: 'refused', reason: refusal }
  noticeConfiguration(state, context.job)
  pruneEscrow(state, clock.now())
  const staged = await holdBackDeletions(context, options)
  return staged ?? runGuarded(context, options)
}

/** The job does nothing while it is paused. A cycle that is running goes on to its end. */
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

/** What a restart resets unless told otherwise. */
export const DEFAULT_RESET: readonly ResetScope[] = ['QuarantineState', 'Watermark', 'Escrows']

/** Restarts the job: without the watermark the next cycle is an initial one; links stay unless `Full` breaks them. */
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
  if (state.status === 'Paused') return 'the job is paused; restart it to go on'
  disableIfHopeless(state, now)
  if (state.status === 'Disabled')
    return 'the job was disabled after 28 days in quarantine; restart it to go on'
  const { quarantine } = state
  if (quarantine === undefined || ignoreWait || now >= quarantine.nextAttempt) return undefined
  return `the job is in quarantine (${quarantine.reason}); the next attempt is at ${new Date(quarantine.nextAttempt).toISOString()}`
}

/** Saving changed mappings, scoping filters or scope starts everything anew; links stay. */
function noticeConfiguration(state: JobState, job: JobConfig): void {
  const mappings = [job.users, job.groups].map((mapping) => [
    mapping?.attributeMappings,
    mapping?.scopingFilters,
  ])
  const configuration = fingerprint([mappings, job.scope])
  if (state.configuration !== undefined && state.configuration !== configuration) resetWatermark(state)
  state.configuration = configuration
}

async function holdBackDeletions(context: CycleContext, options: JobOptions): Promise<JobRun | undefined> {
  const { state, job } = context
  const threshold = job.accidentalDeletionThreshold
  if (threshold === undefined || state.forceDeletes) return undefined
  const deletions = plannedDeletions(context)
  if (deletions.length <= threshold) return undefined
  for (const object of deletions)
    context.emit({ type: 'log', entry: stagedDelete(object, context, threshold) })
  const error = `${deletions.length} objects would be disabled or deleted, threshold ${threshold}`
  return quarantine(context, options, 'TooManyDeletes', error)
}

async function runGuarded(context: CycleContext, options: JobOptions): Promise<JobRun> {
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
  const isNews = enterQuarantine(state, reason, error, clock.now())
  context.onStateChanged()
  const { quarantine } = state
  if (quarantine === undefined) throw new Error('quarantine was entered and is not there')
  if (isNews) await options.notify({ jobId: job.id, tenantUrl: state.target.tenantUrl, quarantine })
  return { kind: 'quarantined', quarantine, ...(result === undefined ? {} : { result }) }
}
