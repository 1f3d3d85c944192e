/**
 * Handlers of the export and import of a directory as JSON Lines (provider/transfer/directory-lines.ts): in one request, as
 * streams, or by jobs.
 */
import type { Context } from 'hono'
import { readChunks } from '../../edge/body.ts'
import { exportedText } from '../../provider/transfer/export-lines.ts'
import { ConcurrentImportError, importDirectory } from '../../provider/transfer/import-lines.ts'
import type { HttpEnv, Runtime } from '../../runtime.ts'
import type { Database } from '../../storage/database/database.ts'
import { readTogether } from '../../storage/database/query.ts'
import { countsQuery } from '../../storage/resources/directory-lists.ts'
import { runningJob } from '../../storage/tenants/jobs.ts'
import { catalogueOf } from '../../storage/tenants/locations.ts'
import { getTenant, tenantQuery } from '../../storage/tenants/queries.ts'
import { exportStatementsQuery } from '../../storage/transfer/export.ts'
import { countedOf } from '../components/resource-names.ts'
import type { transferRoutes } from '../contract/transfer.ts'
import { administrationDatabases } from '../database.ts'
import { AdminError } from '../errors.ts'
import { continueCleanup, otherJob, undoImportOf } from '../jobs.ts'
import { jobJson } from '../read-models.ts'
import { requireTenant } from '../require-tenant.ts'
import { fileResponse } from '../stream-of.ts'
import { listSchemas } from '../tenant-schemas.ts'
import { notReady } from '../tenant-state.ts'
import { cancelImportOf, exportedFile, startExportOf, startImportOf } from '../transfer-jobs.ts'
import { pokeWebhooksOf } from '../webhooks.ts'
import type { Handlers } from './serve.ts'

/** Queries of a request beside those of an export, and those of clients. */
const OTHER_QUERIES = 20

export const transferHandlers: Handlers<typeof transferRoutes> = {
  async exportTenant({ db, parameters: { id }, query: { clients }, c }) {
    const types = c.get('resourceTypes')
    const { tenant: found, statements } = await readTogether(db, {
      tenant: tenantQuery(id),
      statements: exportStatementsQuery(types, id),
    })
    const tenant = requireTenant(found, id)
    if (tenant.state !== 'ready' && tenant.state !== 'moving') throw notReady(tenant)
    requireOneRequest(c.env, id, statements)
    const { extensions } = await listSchemas(db, id)
    const source = { db, tenant, types, extensions }
    return fileResponse(c, id, exportedText(source, clients === 'include'))
  },

  async startExport({ parameters: { id }, query: { clients }, c }) {
    return { status: 202, body: jobJson(await startExportOf(c, id, clients === 'include')) }
  },

  async getJobFile({ db, parameters: { id, jobId }, c }) {
    return fileResponse(c, id, await exportedFile(c, db, id, jobId))
  },

  async startImport({ db, parameters: { id }, c }) {
    await requireImportable(c, db, id)
    return { status: 202, body: jobJson(await startImportOf(c, id, c.req.raw)) }
  },

  async importTenant({ db, parameters: { id }, query, c }) {
    await requireImportable(c, db, id)
    try {
      const { isDone, imported, nextLine } = await importDirectory(
        { db, types: c.get('resourceTypes'), tenantId: id },
        readChunks(c.req.raw),
        query,
      )
      if (!isDone) return { status: 202, body: { imported, nextLine } }
      await pokeWebhooksOf(c, id)
      return { status: 200, body: { imported } }
    } catch (error) {
      if (!(error instanceof ConcurrentImportError)) throw error
      await requireImportable(c, db, id)
      throw new AdminError(409, 'conflict', `another import of tenant "${id}" is in progress`)
    }
  },

  async undoImport({ db, parameters: { id }, c }) {
    requireTenant(await getTenant(db, id), id)
    const cancelled = await cancelImportOf(c, id)
    if (cancelled !== undefined) return { status: 202, body: { state: 'undoing', jobId: cancelled.id } }
    const outcome = await undoImportOf(c, id)
    if (outcome === undefined) {
      throw new AdminError(404, 'notFound', `tenant "${id}" has no import in progress`)
    }
    if (outcome === 'undone') return { status: 204 }
    const { id: jobId } = await continueCleanup(c, id, 'undo-import')
    return { status: 202, body: { state: outcome, jobId } }
  },
}

/** @throws {AdminError} 409 with the way out if the platform does not allow that many queries in a request */
function requireOneRequest({ maxQueries, databaseNames }: Runtime, id: string, statements: number): void {
  // With several databases, each batch also checks where the tenant lives.
  const queries = OTHER_QUERIES + statements * (databaseNames.length > 1 ? 2 : 1)
  if (maxQueries === undefined || queries <= maxQueries) return
  const problem = `the export takes about ${queries} queries, and a request may send ${maxQueries}`
  throw new AdminError(409, 'conflict', `${problem}; use POST /admin/api/tenants/${id}/exports`)
}

/**
 * Requires a tenant without resources of any type, or one whose import in progress is not a job.
 *
 * @throws {AdminError} 404, 409
 */
async function requireImportable(c: Context<HttpEnv>, db: Database, id: string): Promise<void> {
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

async function requireNoJob(c: Context<HttpEnv>, id: string): Promise<void> {
  const job = await runningJob(catalogueOf(administrationDatabases(c, c.get('figures'))), id)
  if (job !== undefined) throw otherJob(job)
}
