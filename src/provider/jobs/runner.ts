/**
 * Does the pending work on a tenant, with at most as many statements as one invocation may send, and returns how long to wait
 * before the next call. A job is a row of the catalogue, so the next call continues where this one stopped, in whichever
 * process. Two runners of one job are safe: each unit changes something only if the job and the position are still
 * those that it started from.
 */
import { DAY_MS, MINUTE_MS } from '../../scim/duration.ts'
import { type Database, DatabaseUnavailable, GuardError } from '../../storage/database/database.ts'
import { CHUNK_STATEMENTS, deleteLeftMemberships } from '../../storage/resources/deleted-groups.ts'
import type { StoredResourceType } from '../../storage/tables/resource-tables.ts'
import { cataloguedOf } from '../../storage/tenants/claims.ts'
import type { MovedTenant } from '../../storage/tenants/copy.ts'
import {
  forgetJobs,
  type Job,
  type JobChange,
  jobStatement,
  resumeCleanups,
  resumeEndedMove,
  runningJob,
} from '../../storage/tenants/jobs.ts'
import { catalogueOf, type Databases, locateTenant } from '../../storage/tenants/locations.ts'
import { reopenTenant, tenantsOnTheMove } from '../../storage/tenants/move.ts'
import { DELETE_STEPS, UNDO_STEPS } from './delete.ts'
import { EXPORT_STEPS } from './export.ts'
import { IMPORT_STEPS } from './import.ts'
import { MOVE_STEPS } from './move.ts'
import { RESTORE_STEPS } from './restore.ts'
import type { Administration, Step, StepContext, Steps, Unit } from './step.ts'
import { UNDO_CHANGES_STEPS } from './undo.ts'

const STEPS: Readonly<Record<Job['kind'], Steps>> = {
  move: MOVE_STEPS,
  delete: DELETE_STEPS,
  'undo-import': UNDO_STEPS,
  export: EXPORT_STEPS,
  import: IMPORT_STEPS,
  restore: RESTORE_STEPS,
  undo: UNDO_CHANGES_STEPS,
}

/** Statements of the runner itself, before and after the units: the job, its change, and the commit. */
const RUNNER_STATEMENTS = 4
/**
 * How long a step may fail before the job is abandoned. The writes of a tenant that is being copied are refused
 * meanwhile, so this is not much longer than a short failure of a database.
 */
export const GIVE_UP_MS = 10 * MINUTE_MS
const MIN_PAUSE_MS = 1_000
const MAX_PAUSE_MS = 5 * MINUTE_MS

export interface JobRun {
  readonly databases: Databases
  /** The types that are shipped. */
  readonly resourceTypes: readonly StoredResourceType[]
  /** Statements that this call may send: as many as the platform allows in one invocation. */
  readonly maxStatements: number
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** For jobs that write as the administrator. */
  readonly administration?: Administration
  /** Reports a write to the bookmark holder (storage/database/replicas.ts); undefined without replicas. */
  readonly noteWrite?: (tenantId: string) => Promise<void>
  /** Has webhooks deliver what a job has changed. If undefined, the hourly sweep does. */
  readonly pokeWebhooks?: StepContext['pokeWebhooks']
}

/**
 * Continues the job of a tenant. If it has none, deletes memberships that deleted groups have left; a job that deletes or
 * moves the tenant does that itself.
 *
 * @returns the milliseconds after which to call again; undefined if nothing is left to do
 */
export async function runJob(run: JobRun, tenantId: string): Promise<number | undefined> {
  const databases = counted(run.databases)
  const catalogue = catalogueOf(databases)
  const noteWrite = async () => await run.noteWrite?.(tenantId)
  const pokeWebhooks: StepContext['pokeWebhooks'] = async (webhooks) => await run.pokeWebhooks?.(webhooks)
  let job = await runningJob(catalogue, tenantId)
  while (job !== undefined) {
    const left = () => run.maxStatements - databases.statements - RUNNER_STATEMENTS
    const step = STEPS[job.kind][job.step]
    if (step === undefined) throw new Error(`the job ${job.id} has no step "${job.step}"`)
    if (left() < step.statements) return 0
    const result = await runStep(
      {
        databases,
        resourceTypes: run.resourceTypes,
        job,
        now: run.now,
        administration: run.administration,
        noteWrite,
        pokeWebhooks,
      },
      step,
      left,
    )
    const { failure } = result
    const now = run.now()
    const done = changeOf(job, step, result, now)
    const change = failure === undefined ? done : { ...done, ...failed(job, step, { ...result, now }) }
    if (!(await store(catalogue, job, result.unit, change))) {
      // Another runner was faster.
      job = await runningJob(catalogue, tenantId)
      continue
    }
    if (failure !== undefined && change.step === undefined) return pauseOf(job, step, change, now)
    if (result.unit.pauseMs !== undefined) return result.unit.pauseMs
    job = await nextJob(catalogue, changed(job, change))
  }
  return await deleteMemberships(databases, tenantId, run.maxStatements)
}

/** @returns the job to continue with; undefined if it has ended and no other one is left */
async function nextJob(catalogue: Database, job: Job): Promise<Job | undefined> {
  if (job.state === 'running') return job
  if (job.kind !== 'delete') return undefined
  await resumeEndedMove(catalogue, job)
  return await runningJob(catalogue, job.tenantId)
}

/** The statement that locates the tenant. */
const LOCATE_STATEMENTS = 1

async function deleteMemberships(
  databases: CountedDatabases,
  tenantId: string,
  maxStatements: number,
): Promise<number | undefined> {
  const left = maxStatements - databases.statements - LOCATE_STATEMENTS
  const maxChunks = Math.floor(left / CHUNK_STATEMENTS)
  if (maxChunks < 1) return 0
  const home = databases.open(await locateTenant(databases, tenantId))
  try {
    return (await deleteLeftMemberships(home, tenantId, maxChunks)) ? undefined : 0
  } catch (error) {
    if (error instanceof DatabaseUnavailable) return MAX_PAUSE_MS
    throw error
  }
}

interface StepRun {
  /** Rows that the units have processed. */
  readonly more: number
  /** The result of all units together. */
  readonly unit: Unit
  readonly failure?: unknown
}

/** Runs units of a step until it is done, or until another unit could exceed the statements that are left. */
async function runStep(context: StepContext, step: Step, left: () => number): Promise<StepRun> {
  const { job } = context
  let [more, position] = [0, job.position]
  try {
    do {
      const unit = await step.run({ ...context, job: { ...job, position } })
      more += unit.more ?? 0
      if (unit.position !== undefined) position = unit.position
      if (unit.next !== undefined || unit.change !== undefined || unit.pauseMs !== undefined)
        return { more, unit }
    } while (left() >= step.statements)
    return { more, unit: { position } }
  } catch (error) {
    // The target knows the position of a copy.
    if (error instanceof GuardError && error.rule === 'stale version')
      return { more, unit: { position: null } }
    return { more, unit: { position }, failure: error }
  }
}

/** The change of a job by the units of a step. */
function changeOf(job: Job, step: Step, { unit, more }: StepRun, now: number): JobChange {
  const { next, position, change } = unit
  const isEnd = change?.state !== undefined
  return {
    more: Math.min(more, Math.max(0, job.total - job.done)),
    attempts: 0,
    failingSince: null,
    ...(job.attempts > 0 && change === undefined && !step.keepsError && { error: null }),
    ...(change?.state === 'done' && { error: null }),
    ...(position !== undefined && { position }),
    ...(next !== undefined && { step: next, position: position ?? null }),
    ...change,
    ...(isEnd && { finishedAt: now }),
  }
}

/** The change of a job whose step failed: the step is tried again, or the job is abandoned. */
function failed(
  job: Job,
  step: Step,
  { unit, failure, now }: Pick<StepRun, 'unit' | 'failure'> & { readonly now: number },
): JobChange {
  const error = reasonOf(failure)
  const isProgress = unit.position !== undefined && unit.position !== job.position
  const failingSince = isProgress ? now : (job.failingSince ?? now)
  const isFinal = !(failure instanceof DatabaseUnavailable) || now - failingSince >= GIVE_UP_MS
  if (isFinal && step.onFailure !== undefined) {
    return { step: step.onFailure, ...(step.keepsPosition ? {} : { position: null }), attempts: 0, error }
  }
  return { attempts: job.attempts + 1, failingSince, ...(!step.keepsError && { error }) }
}

/** An error text that is safe to show: statements and their values are in the application log only. */
function reasonOf(failure: unknown): string {
  const causes: string[] = []
  for (let at = failure; at instanceof Error; at = at.cause) causes.push(at.message)
  console.error(JSON.stringify({ job: 'run jobs', causes }))
  return causes[0] ?? String(failure)
}

/** @returns false if another runner has changed the job */
async function store(catalogue: Database, job: Job, unit: Unit, change: JobChange): Promise<boolean> {
  const commit = unit.commit ?? []
  const results = await catalogue.batch([...commit, jobStatement(job, change)])
  return results[commit.length]?.changes === 1
}

function changed(job: Job, { more = 0, ...change }: JobChange): Job {
  return { ...job, ...change, done: job.done + more }
}

/** The pause before the next attempt. The last attempt of a step that can be abandoned is made when its time is over. */
function pauseOf({ attempts }: Job, step: Step, { failingSince }: JobChange, now: number): number {
  const pause = Math.min(MAX_PAUSE_MS, MIN_PAUSE_MS * 2 ** Math.min(attempts, 20))
  if (step.onFailure === undefined || failingSince == null) return pause
  return Math.max(MIN_PAUSE_MS, Math.min(pause, failingSince + GIVE_UP_MS - now))
}

interface CountedDatabases extends Databases {
  readonly statements: number
}

function counted(databases: Databases): CountedDatabases {
  let count = 0
  return {
    names: databases.names,
    maxBytes: databases.maxBytes,
    get statements() {
      return count
    },
    open(name) {
      const db = databases.open(name)
      return {
        batch(statements, isLong) {
          count += statements.length
          return db.batch(statements, isLong)
        },
      }
    },
  }
}

/** How long a finished job is kept. */
const KEPT_MS = 30 * DAY_MS

/**
 * Deletes old jobs, and continues what a job has left behind. A runner that was delayed between two batches may have
 * stopped the writes of a tenant after its job was abandoned: they are allowed again. A database that did not respond may
 * still have rows of a move that was closed: they are deleted. Must be called every hour.
 *
 * @param names the databases to check
 */
export async function tidyJobs(databases: Databases, names: readonly string[], now: number): Promise<void> {
  const [first] = databases.names
  const catalogue = catalogueOf(databases)
  await forgetJobs(catalogue, now - KEPT_MS)
  if (databases.names.length === 1) return
  for (const name of names) {
    const db = databases.open(name)
    const found = await tenantsOnTheMove(db)
    if (found.length === 0) continue
    const ids = found.map(({ tenantId }) => tenantId)
    const { locations, runningMoves } = await cataloguedOf(catalogue, ids)
    const left = found.filter(({ jobId }) => !runningMoves.has(jobId))
    const isHome = ({ tenantId }: MovedTenant) => (locations.get(tenantId) ?? first) === name
    for (const move of left) if (move.isFrozen && isHome(move)) await reopenTenant(db, move)
    const copies = left.filter(({ isFrozen }) => !isFrozen)
    if (copies.length > 0) {
      await resumeCleanups(
        catalogue,
        copies.map(({ jobId }) => jobId),
      )
    }
  }
}
