/**
 * A job is a row of steps, each of which is done in units that fit into any request. A step knows databases, not
 * platforms: who calls the runner, and when again, is the platform's affair.
 */
import type { Statement } from '../../storage/database.ts'
import type { Databases } from '../../storage/databases.ts'
import type { Job, JobChange } from '../../storage/jobs.ts'
import type { StoredResourceType } from '../../storage/resource-tables.ts'

export interface StepContext {
  readonly databases: Databases
  /** The types that the directory holds. */
  readonly resourceTypes: readonly StoredResourceType[]
  /** With the position that the unit before led to. */
  readonly job: Job
  /** Has every later read see what was written: see storage/replicas.ts. */
  readonly noteWrite: () => Promise<void>
}

/** What a unit led to. */
export interface Unit {
  /** Rows that were done. */
  readonly more?: number
  /** Where the step goes on; undefined: as before; null: at its beginning. */
  readonly position?: string | null
  /** The next step, when this one is done. */
  readonly next?: string
  /** The end of the job, or the reason for the next step. */
  readonly change?: Pick<JobChange, 'state' | 'error'>
  /** Statements for the catalogue, in one transaction with what becomes of the job. */
  readonly commit?: readonly Statement[]
}

export interface Step {
  /** Statements that a unit takes, at most. */
  readonly statements: number
  /** The step that ends the job when this one fails for good; undefined: it is tried until it succeeds. */
  readonly onFailure?: string
  run(context: StepContext): Promise<Unit>
}

export type Steps = Readonly<Record<string, Step>>
