/**
 * Starts and cancels jobs, by their rows in the catalogue; the platform then runs them. A start checks the request before. A
 * cancelled job takes the steps that end it in order.
 */
import type { LocatedWindow } from '../../storage/events/undo.ts'
import type { StoredResourceType } from '../../storage/tables/resource-tables.ts'
import { countTenantRows } from '../../storage/tenants/arrival.ts'
import {
  endTransferStatement,
  insertJob,
  type Job,
  jobStatement,
  runningJob,
} from '../../storage/tenants/jobs.ts'
import { catalogueOf, type Databases } from '../../storage/tenants/locations.ts'
import { getTenant } from '../../storage/tenants/queries.ts'
import { databaseSize, tenantSize } from '../../storage/tenants/size.ts'
import type { Tenant, TenantState } from '../../storage/tenants/tenants.ts'
import type { ExportOptions } from './export.ts'
import { IMPORT_STEPS } from './import.ts'
import { endOfMove, isStuckCleanup, isVerifying, stepOfAbortion } from './move.ts'
import type { UndoPosition } from './undo.ts'

/** The share of its capacity at which a database counts as full: its size is an estimate, and tenants grow. */
const FULL_SHARE = 0.95
/** A move processes each row three times: it copies the row, compares it, and deletes it at the source. */
const MOVE_PASSES = 3
/** The error of a job that was cancelled. */
const CANCELLED = 'cancelled by an administrator'

/** Why a job cannot begin. */
export type JobRefusal =
  | { readonly why: 'unknown tenant' }
  | { readonly why: 'unknown database' | 'same database'; readonly allowed: readonly string[] }
  | { readonly why: 'full database'; readonly bytes: number; readonly maxBytes: number }
  | { readonly why: 'not ready'; readonly state: TenantState }
  | { readonly why: 'other job'; readonly job: Job }

export class JobRefused extends Error {
  readonly refusal: JobRefusal

  constructor(refusal: JobRefusal) {
    super(refusal.why)
    this.refusal = refusal
  }
}

export interface JobStart {
  readonly databases: Databases
  /** The types that are shipped. */
  readonly resourceTypes: readonly StoredResourceType[]
  readonly tenantId: string
  /** The name of the database that the tenant lives in. */
  readonly home: string
  readonly newId: () => string
  /** Milliseconds since 1970. */
  readonly now: number
}

/**
 * Starts the move of a tenant, or finds the running move to the same database.
 *
 * @throws {JobRefused} nothing is changed
 */
export async function startMove(start: JobStart, target: string): Promise<Job> {
  const { databases, resourceTypes, tenantId, home } = start
  const allowed = databases.names.filter((name) => name !== home)
  const running = await runningJob(catalogueOf(databases), tenantId)
  if (running?.kind === 'move' && running.target === target && isGoingThere(running)) return running
  if (!databases.names.includes(target)) throw new JobRefused({ why: 'unknown database', allowed })
  if (running !== undefined && !isStuckCleanup(running)) {
    throw new JobRefused({ why: 'other job', job: running })
  }
  if (target === home) throw new JobRefused({ why: 'same database', allowed })
  await requireReady(start)
  await requireRoom(start, target)
  const rows = await countTenantRows(databases.open(home), resourceTypes, tenantId)
  return await insert(start, { kind: 'move', step: 'preparing', target, total: rows * MOVE_PASSES })
}

/** False of a move that was abandoned and is being cleaned up. */
function isGoingThere(job: Job): boolean {
  return stepOfAbortion(job) !== undefined || job.step === 'switched' || job.step === 'purging'
}

async function requireRoom(
  { databases, resourceTypes, tenantId, home }: JobStart,
  target: string,
): Promise<void> {
  const [{ bytes }, more] = await Promise.all([
    databaseSize(databases.open(target), resourceTypes),
    tenantSize(databases.open(home), resourceTypes, tenantId),
  ])
  const maxBytes = databases.maxBytes * FULL_SHARE
  if (bytes + more > maxBytes) throw new JobRefused({ why: 'full database', bytes: bytes + more, maxBytes })
}

/**
 * Cancels a move, as long as the tenant lives at the source.
 *
 * @returns false if it is too late, or if there is no running move
 */
export async function cancelMove({ databases, tenantId }: JobStart): Promise<boolean> {
  const catalogue = catalogueOf(databases)
  const job = await runningJob(catalogue, tenantId)
  if (job?.kind !== 'move') return false
  const step = stepOfAbortion(job)
  if (step === undefined) return false
  const change = { step, position: null, attempts: 0, error: CANCELLED }
  const [changed] = await catalogue.batch([jobStatement(job, change)])
  return changed?.changes === 1
}

/**
 * Starts a job for the rest of a deletion, or of an import that is being undone. A job of another kind cannot continue by
 * then, because the tenant is not ready, so it is ended. What a move leaves is deleted after a deletion (`resumeEndedMove`), or
 * by the hourly run (`tidyJobs`).
 *
 * @returns the job, or the one that is running already
 */
export async function startCleanup(start: JobStart, kind: 'delete' | 'undo-import'): Promise<Job> {
  const { databases, resourceTypes, tenantId, home } = start
  const step = kind === 'delete' ? 'deleting' : 'undoing'
  const total = await countTenantRows(databases.open(home), resourceTypes, tenantId)
  try {
    return await insert(start, { kind, step, target: null, total })
  } catch (error) {
    if (!(error instanceof JobRefused) || error.refusal.why !== 'other job') throw error
    const { job } = error.refusal
    // The job of an import undoes it too.
    if (job.kind === kind || (kind === 'undo-import' && job.kind === 'import')) return job
    const reason = kind === 'delete' ? 'the tenant was deleted' : 'an import was undone'
    const end = job.kind === 'move' ? endOfMove(job, reason) : { state: 'failed' as const, error: reason }
    await catalogueOf(databases).batch([jobStatement(job, { ...end, finishedAt: start.now })])
    return await startCleanup(start, kind)
  }
}

/** Ends the export or import of a tenant that is deleted, so that it does not go on in a new tenant with the same id. */
export async function endTransfer({
  databases,
  tenantId,
  home,
  now,
}: Pick<JobStart, 'databases' | 'tenantId' | 'home' | 'now'>): Promise<void> {
  await catalogueOf(databases).batch([endTransferStatement(tenantId, home, now)])
}

/**
 * Starts the export of a tenant into a file.
 *
 * @throws {JobRefused} nothing is changed
 */
export async function startExport(start: JobStart, withClients: boolean): Promise<Job> {
  const tenant = await requireReady(start)
  const { createdAt, userCount, groupCount, membershipCount } = tenant
  const position = JSON.stringify({ withClients, tenantCreatedAt: createdAt } satisfies ExportOptions)
  const total = userCount + groupCount + membershipCount
  return await insert(start, { kind: 'export', step: 'clearing', target: null, total, position })
}

/**
 * Starts an import, whose file is then stored by the caller.
 *
 * @throws {JobRefused} nothing is changed
 */
export async function startImport(start: JobStart): Promise<Job> {
  await requireReady(start)
  return await insert(start, { kind: 'import', step: 'receiving', target: null, total: 0 })
}

/**
 * Lets the job of an import store the lines of its file, which is complete.
 *
 * @returns the job; undefined if it was cancelled
 */
export async function beginImport(
  { databases }: JobStart,
  job: Job,
  lines: number,
): Promise<Job | undefined> {
  const change = { step: 'importing', total: lines }
  const [changed] = await catalogueOf(databases).batch([{ ...jobStatement(job, change), act: {} }])
  return changed?.changes === 1 ? { ...job, ...change } : undefined
}

/**
 * Ends an import whose file could not be stored, and has its job delete what was stored of it.
 *
 * @param error the reason, safe to show
 * @returns false if it was cancelled: then the job may have missed the last chunks
 */
export async function abandonUpload({ databases }: JobStart, job: Job, error: string): Promise<boolean> {
  const [changed] = await catalogueOf(databases).batch([jobStatement(job, { step: 'discarding', error })])
  return changed?.changes === 1
}

/**
 * Cancels the import that a job stores; nothing of it stays. An import that is complete by then stays.
 *
 * @returns the job; undefined if no job stores an import
 */
export async function cancelImport({ databases, tenantId }: JobStart): Promise<Job | undefined> {
  const catalogue = catalogueOf(databases)
  for (;;) {
    const job = await runningJob(catalogue, tenantId)
    if (job?.kind !== 'import' || job.step === 'finishing') return undefined
    // It is being undone already.
    if (IMPORT_STEPS[job.step]?.onFailure === undefined) return job
    const change = { step: 'undoing', position: null, attempts: 0, error: CANCELLED }
    const [changed] = await catalogue.batch([{ ...jobStatement(job, change), act: {} }])
    if (changed?.changes === 1) return { ...job, ...change }
  }
}

/**
 * Starts the restore of a deleted resource.
 *
 * @param total its memberships
 * @throws {JobRefused} nothing is changed
 */
export async function startRestore(start: JobStart, resourceId: string, total: number): Promise<Job> {
  await requireReady(start)
  return await insert(start, {
    kind: 'restore',
    step: 'restoring',
    target: null,
    total,
    position: resourceId,
  })
}

/**
 * Starts an undo.
 *
 * @param total the number of changes, about
 * @throws {JobRefused} nothing is changed
 */
export async function startUndo(start: JobStart, window: LocatedWindow, total: number): Promise<Job> {
  await requireReady(start)
  const position = JSON.stringify({ window } satisfies UndoPosition)
  return await insert(start, { kind: 'undo', step: 'restoring', target: null, total, position })
}

/** Cancels an undo; what is undone by then stays. @returns the job; undefined if none is running */
export async function cancelUndo({ databases, tenantId }: JobStart): Promise<Job | undefined> {
  const catalogue = catalogueOf(databases)
  for (;;) {
    const job = await runningJob(catalogue, tenantId)
    if (job?.kind !== 'undo') return undefined
    const change = { step: 'failing', attempts: 0, error: CANCELLED }
    const [changed] = await catalogue.batch([{ ...jobStatement(job, change), act: {} }])
    if (changed?.changes === 1) return { ...job, ...change }
  }
}

async function requireReady({ databases, tenantId, home }: JobStart): Promise<Tenant> {
  const tenant = await getTenant(databases.open(home), tenantId)
  if (tenant === undefined) throw new JobRefused({ why: 'unknown tenant' })
  if (tenant.state !== 'ready') throw new JobRefused({ why: 'not ready', state: tenant.state })
  return tenant
}

/** An import begins with its file, and the other jobs continue what a request has begun. */
const ACTS: ReadonlySet<Job['kind']> = new Set(['move', 'export', 'restore', 'undo'])

async function insert(
  start: JobStart,
  what: Pick<Job, 'kind' | 'step' | 'target' | 'total'> & Partial<Pick<Job, 'position'>>,
): Promise<Job> {
  const { databases, tenantId, home, newId, now } = start
  const catalogue = catalogueOf(databases)
  const job = { id: newId(), tenantId, source: home, createdAt: now, position: null, ...what }
  if (!(await insertJob(catalogue, job, ACTS.has(what.kind)))) {
    const running = await runningJob(catalogue, tenantId)
    // The job that was in the way may have ended in the meantime.
    if (running === undefined) return await insert(start, what)
    if (isStuckCleanup(running)) {
      const end = endOfMove(running, running.error)
      await catalogue.batch([jobStatement(running, { ...end, finishedAt: now })])
      return await insert(start, what)
    }
    throw new JobRefused({ why: 'other job', job: running })
  }
  return {
    ...job,
    state: 'running',
    done: 0,
    attempts: 0,
    failingSince: null,
    error: null,
    finishedAt: null,
  }
}

/**
 * Verifies the copy of a running move again from the beginning: access has ended at the source and could not be ended
 * at the target. The verification makes it end there too.
 *
 * @returns false if the catalogue may name the target already
 */
export async function verifyAgain(databases: Databases, tenantId: string): Promise<boolean> {
  const catalogue = catalogueOf(databases)
  const job = await runningJob(catalogue, tenantId)
  if (job?.kind !== 'move') return false
  if (!isVerifying(job)) return job.step !== 'switched' && job.step !== 'purging'
  // A copy that is complete is not copied again. The change of the step keeps other runners from advancing the job.
  const [changed] = await catalogue.batch([jobStatement(job, { step: 'copying', position: null })])
  return changed?.changes === 1
}
