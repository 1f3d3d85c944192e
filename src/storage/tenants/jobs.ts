/**
 * Jobs: work on a tenant that takes more than one request. The first database has their rows; `src/provider/jobs/`
 * runs them.
 */
import { type SQL, sql } from 'drizzle-orm'
import { type Database, type Statement, statement, UniqueError } from '../database/database.ts'
import { type Query, readTogether } from '../database/query.ts'
import { selection } from '../tables/selection.ts'
import { jobs } from '../tables/tables.ts'

/** Times in milliseconds since 1970. */
export type Job = Readonly<typeof jobs.$inferSelect>

const JOB = selection(jobs, [
  'id',
  'tenantId',
  'kind',
  'state',
  'step',
  'source',
  'target',
  'position',
  'done',
  'total',
  'attempts',
  'failingSince',
  'error',
  'createdAt',
  'finishedAt',
])

const JOB_IDS = selection(jobs, ['id', 'tenantId'])

/**
 * @param isAct whether the job is what an administrator asked for
 * @returns false when the tenant has a running job
 */
export async function insertJob(
  db: Database,
  job: Pick<
    Job,
    'id' | 'tenantId' | 'kind' | 'step' | 'source' | 'target' | 'total' | 'position' | 'createdAt'
  >,
  isAct: boolean,
): Promise<boolean> {
  const insert =
    statement(sql`INSERT INTO jobs (id, tenant_id, kind, state, step, source, target, total, position, created_at)
      VALUES (${job.id}, ${job.tenantId}, ${job.kind}, 'running', ${job.step}, ${job.source}, ${job.target},
        ${job.total}, ${job.position}, ${job.createdAt})`)
  try {
    await db.batch([isAct ? { ...insert, act: {} } : insert])
    return true
  } catch (error) {
    if (error instanceof UniqueError) return false
    throw error
  }
}

export async function getJob(db: Database, tenantId: string, id: string): Promise<Job | undefined> {
  return (await readTogether(db, { job: jobQuery(tenantId, id) })).job
}

export function jobQuery(tenantId: string, id: string): Query<Job | undefined> {
  return {
    statements: [JOB.where(sql`tenant_id = ${tenantId} AND id = ${id}`)],
    read: ([found]) => JOB.first(found),
  }
}

/** The running job of a tenant: there is at most one. */
export async function runningJob(db: Database, tenantId: string): Promise<Job | undefined> {
  const [found] = await db.batch([JOB.where(sql`tenant_id = ${tenantId} AND state = 'running'`)])
  return JOB.first(found)
}

/** The newest job of a tenant, and its newest export, for its page. */
export interface LatestJobs {
  readonly latest: Job | undefined
  readonly latestExport: Job | undefined
}

export async function latestJobs(db: Database, tenantId: string): Promise<LatestJobs> {
  return (await readTogether(db, { jobs: latestJobsQuery(tenantId) })).jobs
}

/** The newest job of a tenant, and its newest export. */
export function latestJobsQuery(tenantId: string): Query<LatestJobs> {
  const newest = (condition: SQL) =>
    JOB.where(sql`tenant_id = ${tenantId} AND ${condition} ORDER BY id DESC LIMIT 1`)
  return {
    statements: [newest(sql`1`), newest(sql`kind = 'export'`)],
    read: ([latest, latestExport]) => ({ latest: JOB.first(latest), latestExport: JOB.first(latestExport) }),
  }
}

/**
 * Tenants with a running job: at most as many as a Worker can wake in one invocation. Jobs that fail come last, so that
 * those of a database that does not respond do not keep the others waiting.
 */
export async function tenantsWithJobs(db: Database): Promise<readonly string[]> {
  const [found] = await db.batch([JOB_IDS.where(sql`state = 'running' ORDER BY attempts, id LIMIT 20`)])
  return JOB_IDS.all(found).map(({ tenantId }) => tenantId)
}

/** Changes of a job. An undefined member stays as it is. */
export interface JobChange {
  readonly state?: Job['state']
  readonly step?: string
  /** Null at the beginning of a step. */
  readonly position?: string | null
  /** The number of rows to process, if it was not known before. */
  readonly total?: number
  /** Rows processed since the last change. */
  readonly more?: number
  readonly attempts?: number
  /** Null if the last attempt did not fail. */
  readonly failingSince?: number | null
  readonly error?: string | null
  readonly finishedAt?: number
}

/** Changes a running job, unless another runner has advanced it to another step. */
export function jobStatement({ id, step }: Pick<Job, 'id' | 'step'>, change: JobChange): Statement {
  const position = change.position === undefined ? sql`position` : sql`${change.position}`
  const failing = change.failingSince === undefined ? sql`failing_since` : sql`${change.failingSince}`
  const error = change.error === undefined ? sql`error` : sql`${change.error}`
  return statement(sql`UPDATE jobs SET state = coalesce(${change.state ?? null}, state),
    step = coalesce(${change.step ?? null}, step), position = ${position},
    total = coalesce(${change.total ?? null}, total), done = done + ${change.more ?? 0},
    attempts = coalesce(${change.attempts ?? null}, attempts), failing_since = ${failing}, error = ${error},
    finished_at = coalesce(${change.finishedAt ?? null}, finished_at)
    WHERE id = ${id} AND state = 'running' AND step = ${step}`)
}

/** Ends the export or import of a tenant that is deleted from a database. The deletion also deletes its file. */
export function endTransferStatement(tenantId: string, database: string, now: number): Statement {
  return statement(sql`UPDATE jobs SET state = 'failed', error = 'the tenant was deleted', finished_at = ${now}
    WHERE tenant_id = ${tenantId} AND source = ${database} AND state = 'running' AND kind IN ('export', 'import')`)
}

/**
 * Resumes moves that were closed while a database did not respond, so that the rows left there are deleted.
 *
 * @param ids of the jobs to which such rows belong. A job of a tenant with another running job is not resumed
 */
export async function resumeCleanups(db: Database, ids: readonly string[]): Promise<void> {
  await db.batch([
    statement(sql`UPDATE OR IGNORE jobs SET state = 'running', attempts = 0, failing_since = NULL, finished_at = NULL
      WHERE state <> 'running' AND kind = 'move' AND step IN ('purging', 'clearing')
        AND id IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`),
  ])
}

/** Resumes the move that was ended when the job of a deletion began (startCleanup), so that the rows it left are deleted. */
export async function resumeEndedMove(
  db: Database,
  { tenantId, createdAt }: Pick<Job, 'tenantId' | 'createdAt'>,
): Promise<void> {
  const [found] = await db.batch([
    JOB_IDS.where(sql`tenant_id = ${tenantId} AND kind = 'move' AND finished_at = ${createdAt}`),
  ])
  await resumeCleanups(
    db,
    JOB_IDS.all(found).map(({ id }) => id),
  )
}

/** Deletes jobs that ended before a time. */
export async function forgetJobs(db: Database, finishedBefore: number): Promise<void> {
  await db.batch([statement(sql`DELETE FROM jobs WHERE finished_at < ${finishedBefore}`)])
}
