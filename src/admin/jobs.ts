/**
 * Jobs as an administrator begins them, by the admin API or the dashboard, and what is refused.
 */
import type { Context } from 'hono'
import {
  cancelMove,
  type JobStart,
  type MoveRefusal,
  MoveRefused,
  startCleanup,
  startMove,
} from '../provider/jobs/start.ts'
import type { HttpEnv } from '../runtime.ts'
import { quote } from '../scim/error.ts'
import { catalogueOf, locateTenant } from '../storage/databases.ts'
import { type Job, runningJob } from '../storage/jobs.ts'
import { administrationDatabases } from './database.ts'
import { AdminError, invalidField } from './errors.ts'
import { NoSuchTenant } from './require-tenant.ts'
import { notReady } from './tenant-state.ts'

/** The part of a request's context that a job needs: the admin API and the dashboard each have one. */
export type JobContext = Pick<Context<HttpEnv>, 'env' | 'get'>

export class NoSuchJob extends AdminError {
  constructor(tenantId: string, jobId: string) {
    super(404, 'notFound', `tenant ${quote(tenantId)} has no job ${quote(jobId)}`)
  }
}

/** @throws {AdminError} 400, 404, 409: nothing is changed */
export async function moveTenant(c: JobContext, tenantId: string, target: string): Promise<Job> {
  const start = await startOf(c, tenantId)
  try {
    const job = await startMove(start, target)
    await c.env.wakeJobs(tenantId)
    return job
  } catch (error) {
    throw error instanceof MoveRefused ? refusalOf(start, target, error.refusal) : error
  }
}

/** @throws {AdminError} 404 when no move is under way, 409 when it is too late */
export async function cancelMoveOf(c: JobContext, tenantId: string): Promise<Job> {
  const start = await startOf(c, tenantId)
  const isCancelled = await cancelMove(start)
  const job = await runningJob(catalogueOf(start.databases), tenantId)
  if (job?.kind !== 'move') {
    throw new AdminError(404, 'notFound', `no move of tenant ${quote(tenantId)} is under way`)
  }
  if (!isCancelled) {
    const where = `lives in ${quote(job.target ?? '')} already, or the move is being given up`
    throw new AdminError(409, 'conflict', `tenant ${quote(tenantId)} ${where}`)
  }
  await c.env.wakeJobs(tenantId)
  return job
}

/** Has the rest of a deletion go on by itself, or that of an import that is undone. */
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

async function startOf(c: JobContext, tenantId: string): Promise<JobStart> {
  const databases = administrationDatabases(c, c.get('figures'))
  const home = await locateTenant(databases, tenantId)
  return { databases, tenantId, home, newId: c.env.newId, now: c.env.now() }
}

function refusalOf({ tenantId, home }: JobStart, target: string, refusal: MoveRefusal): AdminError {
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
      const size = `holds about ${found} GB, and with the tenant it may hold ${allowed}`
      return new AdminError(
        409,
        'conflict',
        `"database" must have room: ${quote(target)} ${size}`,
        'database',
      )
    }
    case 'other job':
      return otherJob(tenantId, refusal.job)
  }
}

/** What is allowed, in the words of an error message. */
function anotherOf(allowed: readonly string[], home: string): string {
  if (allowed.length === 0) return `another database than "${home}", which is the only one that is configured`
  return `another database than "${home}": ${allowed.map((name) => `"${name}"`).join(' or ')}`
}

function otherJob(tenantId: string, { id, kind, target, state }: Job): AdminError {
  const what =
    kind === 'move' ? `a move to "${target}"` : kind === 'delete' ? 'a deletion' : 'an undo of an import'
  const where = `GET /admin/api/tenants/${tenantId}/jobs/${id}`
  return new AdminError(
    409,
    'conflict',
    `${what} of tenant ${quote(tenantId)} is ${state}: ${where}`,
    'database',
  )
}
