/**
 * Entries of the provisioning log in the shape of Microsoft Graph's provisioningObjectSummary: the object, the action,
 * its steps, the modified attributes, and the error if there was one. Pure.
 *
 * Microsoft: "User provisioning logs in Microsoft Entra ID" and "provisioningObjectSummary resource type".
 */
import type { Clock, NewId } from '../clock.ts'
import type { EscrowEntry, Result } from '../documents/state.ts'
import type { ImportedObject } from './import.ts'

export type LogAction = 'Create' | 'Update' | 'Delete' | 'Disable' | 'StagedDelete' | 'Other'
export type LogStatus = 'success' | 'failure' | 'skipped' | 'warning'
export type StepType = 'import' | 'scoping' | 'matching' | 'processing' | 'referenceResolution' | 'export'

export interface LogStep {
  readonly name: string
  readonly provisioningStepType: StepType
  readonly status: LogStatus
  readonly description: string
  readonly details: Readonly<Record<string, string>>
}

export interface ModifiedProperty {
  readonly displayName: string
  readonly oldValue: string | null
  readonly newValue: string | null
}

export interface LogEntry {
  readonly id: string
  readonly activityDateTime: string
  readonly jobId: string
  readonly cycleId: number
  readonly changeId: string
  readonly action: LogAction
  readonly durationInMilliseconds: number
  readonly sourceIdentity: {
    readonly id: string
    readonly displayName: string
    readonly identityType: 'User' | 'Group'
  }
  readonly targetIdentity?: { readonly id: string }
  readonly statusInfo: {
    readonly status: LogStatus
    readonly errorCode?: string
    readonly reason?: string
    readonly retries?: number
    readonly nextRetry?: string
  }
  readonly provisioningSteps: readonly LogStep[]
  readonly modifiedProperties: readonly ModifiedProperty[]
}

/** The reason for a failure; `code` is a code of the provisioning logs. */
export interface LoggedFailure {
  readonly code: EscrowEntry['code']
  readonly detail: string
}

/** The outcome of one object, as it is counted, logged and put into escrow. */
export type ObjectOutcome =
  | { readonly result: Exclude<Result, 'failed' | 'skipped'>; readonly targetId: string }
  | { readonly result: 'skipped'; readonly reason: string; readonly targetId?: string }
  | {
      readonly result: 'failed'
      readonly failure: LoggedFailure
      readonly action: LogAction
      readonly targetId?: string
    }

const ACTIONS: Readonly<Record<Exclude<Result, 'failed'>, LogAction>> = {
  created: 'Create',
  updated: 'Update',
  enabled: 'Update',
  disabled: 'Disable',
  deleted: 'Delete',
  skipped: 'Other',
}

/** Collects the steps of one object while it is processed. */
export class ObjectLog {
  readonly steps: LogStep[] = []
  readonly modified: ModifiedProperty[] = []
  readonly #startedAt: number

  constructor(clock: Clock) {
    this.#startedAt = clock.now()
  }

  step(
    provisioningStepType: StepType,
    name: string,
    description: string,
    details: Readonly<Record<string, string>> = {},
    status: LogStatus = 'success',
  ): void {
    this.steps.push({ name, provisioningStepType, status, description, details })
  }

  modify(displayName: string, oldValue: unknown, newValue: unknown): void {
    this.modified.push({ displayName, oldValue: asText(oldValue), newValue: asText(newValue) })
  }

  /** Creates the log entry. `escrow` is the escrow entry after a failure. */
  entry(
    object: ImportedObject,
    outcome: ObjectOutcome,
    context: { readonly clock: Clock; readonly newId: NewId; readonly jobId: string; readonly cycle: number },
    escrow?: EscrowEntry,
  ): LogEntry {
    const now = context.clock.now()
    return {
      id: context.newId(),
      activityDateTime: new Date(now).toISOString(),
      jobId: context.jobId,
      cycleId: context.cycle,
      changeId: context.newId(),
      action: outcome.result === 'failed' ? outcome.action : ACTIONS[outcome.result],
      durationInMilliseconds: now - this.#startedAt,
      sourceIdentity: { id: object.id, displayName: object.name, identityType: object.type },
      ...(outcome.targetId === undefined ? {} : { targetIdentity: { id: outcome.targetId } }),
      statusInfo: statusInfo(outcome, escrow),
      provisioningSteps: this.steps,
      modifiedProperties: this.modified,
    }
  }
}

function statusInfo(outcome: ObjectOutcome, escrow: EscrowEntry | undefined): LogEntry['statusInfo'] {
  if (outcome.result === 'skipped') return { status: 'skipped', reason: outcome.reason }
  if (outcome.result !== 'failed') return { status: 'success' }
  const retry =
    escrow === undefined
      ? {}
      : { retries: escrow.attempts - 1, nextRetry: new Date(escrow.nextRetry).toISOString() }
  return { status: 'failure', errorCode: outcome.failure.code, reason: outcome.failure.detail, ...retry }
}

function asText(value: unknown): string | null {
  if (value === undefined || value === null) return null
  return typeof value === 'string' ? value : JSON.stringify(value)
}
