/**
 * Jobs: work on a tenant that takes more than one request. Rows of the first database; `src/provider/jobs/` runs them.
 */
import { sql } from 'drizzle-orm'
import { type Database, type Row, type Statement, statement, UniqueError } from './database.ts'
import type { jobs } from './tables.ts'

/** Times in milliseconds since 1970. */
export type Job = Readonly<typeof jobs.$inferSelect>

const COLUMNS = sql`id, tenant_id AS tenantId, kind, state, step, source, target, position, done, total, attempts, error,
  created_at AS createdAt, finished_at AS finishedAt`

function jobFromRow(row: Row): Job {
  return { ...row } as unknown as Job
}

/** @returns false when the tenant has a running job */
export async function insertJob(
  db: Database,
  job: Pick<Job, 'id' | 'tenantId' | 'kind' | 'step' | 'source' | 'target' | 'total' | 'createdAt'>,
): Promise<boolean> {
  try {
    await db.batch([
      statement(sql`INSERT INTO jobs (id, tenant_id, kind, state, step, source, target, total, created_at)
        VALUES (${job.id}, ${job.tenantId}, ${job.kind}, 'running', ${job.step}, ${job.source}, ${job.target},
          ${job.total}, ${job.createdAt})`),
    ])
    return true
  } catch (error) {
    if (error instanceof UniqueError) return false
    throw error
  }
}

export async function getJob(db: Database, tenantId: string, id: string): Promise<Job | undefined> {
  const [found] = await db.batch([
    statement(sql`SELECT ${COLUMNS} FROM jobs WHERE tenant_id = ${tenantId} AND id = ${id}`),
  ])
  return found?.rows[0] && jobFromRow(found.rows[0])
}

/** The running job of a tenant, of which there is one at most. */
export async function runningJob(db: Database, tenantId: string): Promise<Job | undefined> {
  const [found] = await db.batch([
    statement(sql`SELECT ${COLUMNS} FROM jobs WHERE tenant_id = ${tenantId} AND state = 'running'`),
  ])
  return found?.rows[0] && jobFromRow(found.rows[0])
}

/** The newest job of a tenant, for its page. */
export async function latestJob(db: Database, tenantId: string): Promise<Job | undefined> {
  const [found] = await db.batch([
    statement(sql`SELECT ${COLUMNS} FROM jobs WHERE tenant_id = ${tenantId} ORDER BY id DESC LIMIT 1`),
  ])
  return found?.rows[0] && jobFromRow(found.rows[0])
}

/** Tenants that have a running job, the oldest first: no more than a Worker can wake in one invocation. */
export async function tenantsWithJobs(db: Database): Promise<readonly string[]> {
  const [found] = await db.batch([
    statement(sql`SELECT tenant_id AS tenantId FROM jobs WHERE state = 'running' ORDER BY id LIMIT 20`),
  ])
  return (found?.rows ?? []).map(({ tenantId }) => String(tenantId))
}

/** What changes of a job; what is undefined stays. */
export interface JobChange {
  readonly state?: Job['state']
  readonly step?: string
  /** Null at the beginning of a step. */
  readonly position?: string | null
  /** Rows that were done since the last change. */
  readonly more?: number
  readonly attempts?: number
  readonly error?: string | null
  readonly finishedAt?: number
}

/** Changes a running job, unless another runner has taken it to another step. */
export function jobStatement({ id, step }: Pick<Job, 'id' | 'step'>, change: JobChange): Statement {
  const position = change.position === undefined ? sql`position` : sql`${change.position}`
  const error = change.error === undefined ? sql`error` : sql`${change.error}`
  return statement(sql`UPDATE jobs SET state = coalesce(${change.state ?? null}, state),
    step = coalesce(${change.step ?? null}, step), position = ${position}, done = done + ${change.more ?? 0},
    attempts = coalesce(${change.attempts ?? null}, attempts), error = ${error},
    finished_at = coalesce(${change.finishedAt ?? null}, finished_at)
    WHERE id = ${id} AND state = 'running' AND step = ${step}`)
}

/** Which of some jobs are running. */
export async function runningJobs(db: Database, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const [found] = await db.batch([
    statement(
      sql`SELECT id FROM jobs WHERE state = 'running' AND id IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`,
    ),
  ])
  return new Set((found?.rows ?? []).map(({ id }) => String(id)))
}

/** Deletes jobs that ended before a time. */
export async function forgetJobs(db: Database, finishedBefore: number): Promise<void> {
  await db.batch([statement(sql`DELETE FROM jobs WHERE finished_at < ${finishedBefore}`)])
}
