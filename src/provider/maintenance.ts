/**
 * What is done by the hour at every database: old entries of the log go, deletions go on, and jobs are tidied.
 */
import { countStatements, MAX_QUERIES_FREE } from '../storage/database.ts'
import type { Databases } from '../storage/databases.ts'
import { continueTasks } from '../storage/extensions.ts'
import type { StoredResourceType } from '../storage/resource-tables.ts'
import { finishDeletions } from '../storage/tenants.ts'
import { tidyJobs } from './jobs/runner.ts'
import { MAX_PRUNING_STATEMENTS, pruneProvisioningLog } from './retention.ts'

/** Statements of `tidyJobs` at each of several databases, in the worst case. */
const JOB_STATEMENTS = 3

export interface Maintenance {
  readonly databases: Databases
  /** The types that the directory holds. */
  readonly resourceTypes: readonly StoredResourceType[]
  /** Milliseconds since 1970, as the clock says. */
  readonly now: number
  readonly retentionDays: number
  /** Statements of one run; Infinity where the database is in the same process. */
  readonly maxStatements: number
}

/** What was done, for the application log. */
export type MaintenanceNote = Readonly<Record<string, unknown>>

/** @param note is told of each part when it is done: a later one may fail */
export async function maintain(
  { databases, resourceTypes, now, retentionDays, maxStatements }: Maintenance,
  note: (done: MaintenanceNote) => void,
): Promise<void> {
  const { names } = databases
  const forJobs = names.length === 1 ? 0 : JOB_STATEMENTS * names.length
  const share = Math.floor((Math.min(maxStatements, MAX_QUERIES_FREE) - forJobs) / names.length)
  for (const name of names) {
    const db = countStatements(databases.open(name))
    const where = names.length > 1 ? { database: name } : {}
    const most = Math.min(MAX_PRUNING_STATEMENTS, share)
    const result = await pruneProvisioningLog(db, now, retentionDays, most)
    note({ job: 'prune provisioning log', retentionDays, ...where, ...result })
    // Both are one invocation: what pruning leaves of its queries.
    const left = maxStatements === Number.POSITIVE_INFINITY ? maxStatements : share - db.statements
    const tenants = await finishDeletions(db, resourceTypes, left)
    if (tenants.length > 0) note({ job: 'finish deletions', ...where, tenants })
    const rest = maxStatements === Number.POSITIVE_INFINITY ? maxStatements : share - db.statements
    const extended = await continueTasks(db, undefined, rest)
    if (extended.length > 0) note({ job: 'finish schema changes', ...where, tenants: extended })
  }
  await tidyJobs(databases, now)
}
