/**
 * Starts and cancels jobs, for the admin API and the dashboard. Refusals become AdminErrors.
 */
import type { Context } from 'hono'
import {
  cancelMove,
  endTransfer,
  type JobRefusal,
  JobRefused,
  type JobStart,
  startCleanup,
  startMove,
} from '../provider/jobs/start.ts'
import { forgetTenant } from '../provider/tenants.ts'
import type { HttpEnv } from '../runtime.ts'
import { quote } from '../scim/error.ts'
import { deleteTenant, MAX_DELETE_BATCHES_AT_HOME, undoImport } from '../storage/tenants/deletion.ts'
import { type Job, runningJob } from '../storage/tenants/jobs.ts'
import { catalogueOf, locateTenant } from '../storage/tenants/locations.ts'
import { administrationDatabases } from './database.ts'
import { AdminError, invalidField } from './errors.ts'
import { NoSuchTenant } from './require-tenant.ts'
import { notReady } from './tenant-state.ts'

/** The part of a request's context that jobs need, in the admin API and in the dashboard. */
export type JobContext = Pick<Context<HttpEnv>, 'env' | 'get'>

export class NoSuchJob extends AdminError {
  constructor(tenantId: string, jobId: string) {
    super(404, 'notFound', `tenant ${quote(tenantId)} has no job ${quote(jobId)}`)
  }
}

/** Starts a move. @throws {AdminError} 400, 404 or 409; nothing is changed */
export async function moveTenant(c: JobContext, tenantId: string, target: string): Promise<Job> {
  const start = await startOf(c, tenantId)
  try {
    const job = await startMove(start, target)
    await c.env.wakeJobs(tenantId)
    return job
  } catch (error) {
    throw error instanceof JobRefused ? refusalOf(start, target, error.refusal) : error
  }
}

/** Cancels a move. @throws {AdminError} 404 without a move in progress, 409 if it is too late */
export async function cancelMoveOf(c: JobContext, tenantId: string): Promise<Job> {
  const start = await startOf(c, tenantId)
  const isCancelled = await cancelMove(start)
  const job = await runningJob(catalogueOf(start.databases), tenantId)
  if (job?.kind !== 'move') {
    throw new AdminError(404, 'notFound', `tenant ${quote(tenantId)} has no move in progress`)
  }
  if (!isCancelled) {
    const problem = `is in ${quote(job.target ?? '')} already, or the move is being cancelled`
    throw new AdminError(409, 'conflict', `tenant ${quote(tenantId)} ${problem}`)
  }
  await c.env.wakeJobs(tenantId)
  return job
}

/** The job that was started. @throws {AdminError} 404 or 409 if it was refused */
export async function startedJob(start: JobStart, starting: Promise<Job>): Promise<Job> {
  try {
    return await starting
  } catch (error) {
    throw error instanceof JobRefused ? refusalOf(start, '', error.refusal) : error
  }
}

/**
 * Deletes a tenant, as far as one request can. A tenant that only the catalogue knows, because its creation was interrupted
 * or a restore has lost it, is removed from the catalogue.
 *
 * @returns the outcome of `deleteTenant`
 */
export async function deleteTenantOf(c: JobContext, tenantId: string): ReturnType<typeof deleteTenant> {
  const databases = administrationDatabases(c, c.get('figures'))
  const [home, [first]] = [c.get('home'), databases.names]
  // Before the id is free.
  const forget = async () => {
    await endTransfer({ databases, tenantId, home, now: c.env.now() })
    await forgetTenant(databases, tenantId, home)
  }
  const outcome = await deleteTenant(c.get('db'), c.get('resourceTypes'), {
    id: tenantId,
    maxBatches: maxBatchesOf(c),
    forget,
  })
  if (outcome !== undefined || home === first) return outcome
  await forget()
  return 'deleted'
}

/** Undoes an import, as far as one request can. @returns the outcome of `undoImport` */
export async function undoImportOf(c: JobContext, tenantId: string): ReturnType<typeof undoImport> {
  return await undoImport(c.get('db'), c.get('resourceTypes'), tenantId, maxBatchesOf(c))
}

/** @returns undefined for the default */
function maxBatchesOf({ env }: JobContext): number | undefined {
  return env.databaseNames.length > 1 ? MAX_DELETE_BATCHES_AT_HOME : undefined
}

/** Starts a job that continues a deletion or the undoing of an import. */
export async function continueCleanup(
  c: JobContext,
  tenantId: string,
  kind: 'delete' | 'undo-import',
): Promise<Job> {
  const start = await startOf(c, tenantId)
  const job = await startCleanup(start, kind)
  await c.env.wakeJobs(tenantId)
  return job
}

/** What the start of a job of the tenant needs of the request. Looks up in which database the tenant lives. */
export async function startOf(c: JobContext, tenantId: string): Promise<JobStart> {
  const databases = administrationDatabases(c, c.get('figures'))
  const home = await locateTenant(databases, tenantId)
  const resourceTypes = c.get('resourceTypes')
  return { databases, resourceTypes, tenantId, home, newId: c.env.newId, now: c.env.now() }
}

function refusalOf({ tenantId, home }: JobStart, target: string, refusal: JobRefusal): AdminError {
  switch (refusal.why) {
    case 'unknown tenant':
      return new NoSuchTenant(tenantId)
    case 'unknown database':
    case 'same database':
      return invalidField('database', anotherOf(refusal.allowed, home), target)
    case 'not ready':
      return notReady({ id: tenantId, state: refusal.state })
    case 'full database': {
      const [found, allowed] = [refusal.bytes, refusal.maxBytes].map((bytes) => (bytes / 1e9).toFixed(1))
      const size = `it would hold about ${found} GB, the limit is ${allowed} GB`
      return new AdminError(
        409,
        'conflict',
        `"database" must have room for the tenant, found ${quote(target)}: ${size}`,
        'database',
      )
    }
    case 'other job':
      return otherJob(refusal.job, target === '' ? undefined : 'database')
  }
}

/** The allowed databases, for an error message. */
function anotherOf(allowed: readonly string[], home: string): string {
  if (allowed.length === 0) return `a database other than "${home}", but no other is configured`
  return `a database other than "${home}": ${allowed.map((name) => `"${name}"`).join(' or ')}`
}

/** @param field of the request, if it has one */
export function otherJob({ id, kind, target, state, tenantId }: Job, field?: string): AdminError {
  const of = `tenant ${quote(tenantId)}`
  const what = {
    move: `The move of ${of} to "${target}"`,
    delete: `The deletion of ${of}`,
    'undo-import': `The undoing of an import into ${of}`,
    export: `The export of ${of}`,
    import: `The import into ${of}`,
    restore: `The restore of a resource of ${of}`,
    undo: `The undoing of changes in ${of}`,
  }[kind]
  const url = `GET /admin/api/tenants/${tenantId}/jobs/${id}`
  const onPage = `${what} is ${state}. “Export and import” shows its progress.`
  return new AdminError(409, 'conflict', `${what} is ${state}; see ${url}`, field, { onPage })
}
