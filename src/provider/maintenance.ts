/**
 * The hourly maintenance of every database: deletes old log entries, continues deletions, and tidies jobs.
 */
import { countStatements, MAX_QUERIES_FREE } from '../storage/database/database.ts'
import { continueTasks } from '../storage/extensions/extensions.ts'
import type { StoredResourceType } from '../storage/tables/resource-tables.ts'
import type { Databases } from '../storage/tenants/locations.ts'
import { finishDeletions } from '../storage/tenants/tenants.ts'
import { tidyJobs } from './jobs/runner.ts'
import { MAX_PRUNING_STATEMENTS, pruneProvisioningLog } from './retention.ts'

/** The most statements of `tidyJobs` for each database, if there are several. */
const JOB_STATEMENTS = 3

export interface Maintenance {
  readonly databases: Databases
  /** The types that are shipped. */
  readonly resourceTypes: readonly StoredResourceType[]
  /** Milliseconds since 1970, according to the clock. */
  readonly now: number
  readonly retentionDays: number
  /** Statements that a run may send; Infinity if the database is in the same process. */
  readonly maxStatements: number
}

/** What was done, for the application log. */
export type MaintenanceNote = Readonly<Record<string, unknown>>

/** @param note called after each part, because a later part may fail */
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
    // Both are part of one invocation: deletions use the statements that pruning has left.
    const left = maxStatements === Number.POSITIVE_INFINITY ? maxStatements : share - db.statements
    const tenants = await finishDeletions(db, resourceTypes, left)
    if (tenants.length > 0) note({ job: 'finish deletions', ...where, tenants })
    const rest = maxStatements === Number.POSITIVE_INFINITY ? maxStatements : share - db.statements
    const extended = await continueTasks(db, undefined, rest)
    if (extended.length > 0) note({ job: 'finish schema changes', ...where, tenants: extended })
  }
  await tidyJobs(databases, now)
}
