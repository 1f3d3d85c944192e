/**
 * The context that every step of a cycle receives: configuration, state, endpoint, clock and event sink. Types only.
 */
import type { Clock, NewId } from '../clock.ts'
import type { JobConfig } from '../documents/job.ts'
import type { CycleSummary, JobState } from '../documents/state.ts'
import type { ScimClient } from '../protocol/scim-client.ts'
import type { ImportedObject } from './import.ts'
import type { LogEntry } from './provisioning-log.ts'

export type Phase = 'Users' | 'Groups' | 'Memberships'

export type CycleEvent =
  | {
      readonly type: 'cycleStarted'
      readonly cycle: number
      readonly kind: CycleSummary['kind']
      readonly resumed: boolean
    }
  | { readonly type: 'phaseStarted'; readonly phase: Phase; readonly total: number }
  | { readonly type: 'progress'; readonly phase: Phase; readonly done: number; readonly total: number }
  | { readonly type: 'log'; readonly entry: LogEntry }
  | { readonly type: 'cycleFinished'; readonly summary: CycleSummary; readonly complete: boolean }

export interface CycleContext {
  readonly job: JobConfig
  /** Mutated in place; `onStateChanged` is called after each change that is worth saving. */
  readonly state: JobState
  readonly imported: ReadonlyMap<string, ImportedObject>
  readonly client: ScimClient
  readonly clock: Clock
  readonly newId: NewId
  readonly emit: (event: CycleEvent) => void
  readonly onStateChanged: () => void
  /** When aborted, the cycle stops after the requests in flight. */
  readonly signal: AbortSignal
  /** Retries every entry in escrow, whether or not it is due. */
  readonly retryAll: boolean
  /** Sends all members of every group, for a provider with such a command. */
  readonly pushNow?: boolean
}
