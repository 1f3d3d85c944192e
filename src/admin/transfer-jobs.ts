/**
 * Starts the jobs that export and import a directory, and reads the file of an export. For the admin API and the dashboard.
 * Refusals become AdminErrors.
 */
import { abandonUpload, beginImport, cancelImport, startExport, startImport } from '../provider/jobs/start.ts'
import { openExportFile } from '../provider/transfer/export-file.ts'
import { TransferRefused } from '../provider/transfer/refused.ts'
import { storeUpload } from '../provider/transfer/upload.ts'
import { quote, ScimError } from '../scim/error.ts'
import type { Database } from '../storage/database/database.ts'
import { readTogether } from '../storage/database/query.ts'
import { countsQuery } from '../storage/resources/directory-lists.ts'
import { getJob, type Job, runningJob } from '../storage/tenants/jobs.ts'
import { catalogueOf } from '../storage/tenants/locations.ts'
import { tenantQuery } from '../storage/tenants/queries.ts'
import { deleteChunks, FILE_LIFETIME_MS } from '../storage/transfer/chunks.ts'
import { countedOf } from './components/resource-names.ts'
import { administrationDatabases } from './database.ts'
import { AdminError } from './errors.ts'
import { type JobContext, NoSuchJob, otherJob, startedJob, startOf } from './jobs.ts'
import { requireTenant } from './require-tenant.ts'
import { notReady } from './tenant-state.ts'

/** Starts an export. @throws {AdminError} 404 or 409; nothing is changed */
export async function startExportOf(c: JobContext, tenantId: string, withClients: boolean): Promise<Job> {
  const start = await startOf(c, tenantId)
  const job = await startedJob(start, startExport(start, withClients))
  await c.env.wakeJobs(tenantId)
  return job
}

/**
 * Stores the file of an upload and starts its import.
 *
 * @throws {AdminError} {TransferRefused} {ScimError} nothing is imported, and a job deletes what was stored of the file
 */
export async function startImportOf(
  c: JobContext,
  tenantId: string,
  body: AsyncIterable<Uint8Array>,
): Promise<Job> {
  const start = await startOf(c, tenantId)
  const job = await startedJob(start, startImport(start))
  // From now on, the job watches over the upload.
  await c.env.wakeJobs(tenantId)
  const file = { tenantId, jobId: job.id }
  const db = start.databases.open(start.home)
  try {
    const lines = await storeUpload(db, file, body, c.env.now)
    const begun = await beginImport(start, job, lines)
    if (begun === undefined) throw new TransferRefused(409, 'the import was cancelled')
    return begun
  } catch (error) {
    if (!(await abandonUpload(start, job, reasonOf(error)))) await deleteChunks(db, file, 'own')
    throw error
  } finally {
    await c.env.wakeJobs(tenantId)
  }
}

/**
 * Requires a tenant without resources of any type, or one whose import in progress is not a job.
 *
 * @throws {AdminError} 404, 409
 */
export async function requireImportable(c: JobContext, db: Database, id: string): Promise<void> {
  const types = c.get('resourceTypes')
  const { tenant, counts } = await readTogether(db, {
    tenant: tenantQuery(id),
    counts: countsQuery(types, id),
  })
  const { state } = requireTenant(tenant, id)
  if (state === 'importing') return await requireNoJob(c, id)
  if (state !== 'ready') throw notReady({ id, state })
  const found = types
    .map((type) => ({ type, count: counts.get(type.name) ?? 0 }))
    .filter(({ count }) => count > 0)
    .map(({ type, count }) => countedOf(type, count))
  if (found.length === 0) return
  throw new AdminError(
    409,
    'conflict',
    `an import requires an empty tenant; "${id}" has ${found.join(' and ')}`,
  )
}

async function requireNoJob(c: JobContext, id: string): Promise<void> {
  const job = await runningJob(catalogueOf(administrationDatabases(c, c.get('figures'))), id)
  if (job !== undefined) throw otherJob(job)
}

function reasonOf(error: unknown): string {
  if (error instanceof TransferRefused) return error.message
  return error instanceof ScimError ? error.detail : 'the file could not be stored'
}

/** Cancels an import that a job stores. @returns undefined if there is none */
export async function cancelImportOf(c: JobContext, tenantId: string): Promise<Job | undefined> {
  const job = await cancelImport(await startOf(c, tenantId))
  if (job !== undefined) await c.env.wakeJobs(tenantId)
  return job
}

/**
 * The file of a finished export, which is read while it is sent.
 *
 * @param db the database of the tenant
 * @throws {AdminError} 404 if there is no such job, or its file was deleted; 409 if it is not a finished export
 */
export async function exportedFile(
  c: JobContext,
  db: Database,
  tenantId: string,
  jobId: string,
): Promise<AsyncGenerator<Uint8Array>> {
  const job = await getJob(catalogueOf(administrationDatabases(c, c.get('figures'))), tenantId, jobId)
  if (job === undefined) throw new NoSuchJob(tenantId, jobId)
  if (job.kind !== 'export' || job.state !== 'done') {
    const found = job.kind === 'export' ? `is ${job.state}` : `is of the kind ${quote(job.kind)}`
    throw new AdminError(409, 'conflict', `the job must be a finished export, but it ${found}`)
  }
  const bytes = hasFile(job, c.env.now()) ? await openExportFile(db, { tenantId, jobId }) : undefined
  if (bytes !== undefined) {
    await c.get('event')?.tell(db)
    return bytes
  }
  throw new AdminError(404, 'notFound', 'the file of this export was deleted; export the tenant again')
}

/** Whether the file of an export can be downloaded, unless a later export has replaced it. */
export function hasFile({ state, finishedAt }: Job, now: number): boolean {
  return state === 'done' && (finishedAt ?? 0) + FILE_LIFETIME_MS > now
}
