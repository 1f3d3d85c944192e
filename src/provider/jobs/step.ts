/**
 * A job is a sequence of steps. A step is done in units, each of which fits into one invocation. Steps depend on databases
 * only: the platform decides when the runner is called.
 */
import type { Statement } from '../../storage/database/database.ts'
import type { StoredResourceType } from '../../storage/tables/resource-tables.ts'
import type { Job, JobChange } from '../../storage/tenants/jobs.ts'
import type { Databases } from '../../storage/tenants/locations.ts'
import type { WebhookAddress } from '../../storage/webhooks/delivery.ts'

/** What writes of the administrator need. */
export interface Administration {
  /** A new UUIDv7. */
  readonly newId: () => string
  /** Whether resources that are deleted are kept for a while. */
  readonly keepsDeleted: boolean
}

export interface StepContext {
  readonly databases: Databases
  /** The types that are shipped. */
  readonly resourceTypes: readonly StoredResourceType[]
  /** The job, at the position that the previous unit returned. */
  readonly job: Job
  /** For jobs that write as the administrator. */
  readonly administration: Administration | undefined
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Reports a write, so that every later read sees it: see storage/database/replicas.ts. */
  readonly noteWrite: () => Promise<void>
  /** Has webhooks deliver what the job has changed. */
  readonly pokeWebhooks: (webhooks: readonly WebhookAddress[]) => Promise<void>
}

/** The result of a unit. */
export interface Unit {
  /** Rows that the unit has processed. */
  readonly more?: number
  /** The position at which the step continues; undefined: unchanged; null: its beginning. */
  readonly position?: string | null
  /** The next step, if this one is done. */
  readonly next?: string
  /** The end of the job, or the reason for the next step. */
  readonly change?: Pick<JobChange, 'state' | 'error'>
  /** The milliseconds until the next unit of this step, which waits for something else. */
  readonly pauseMs?: number
  /** Statements for the catalogue, in one transaction with the change of the job. */
  readonly commit?: readonly Statement[]
}

export interface Step {
  /** The most statements that a unit sends. */
  readonly statements: number
  /** The step that follows if this one fails for good; undefined: it is tried until it succeeds. */
  readonly onFailure?: string
  /** Whether the job keeps its position then: an undo is read by it afterwards. */
  readonly keepsPosition?: boolean
  /** Whether the error of the job stays when this step fails: it is the reason why the job was abandoned. */
  readonly keepsError?: boolean
  run(context: StepContext): Promise<Unit>
}

export type Steps = Readonly<Record<string, Step>>
