/**
 * Handlers of the export and import of a directory as JSON Lines (provider/transfer/directory-lines.ts): in one request, as
 * streams, or by jobs.
 */
import { readChunks } from '../../edge/body.ts'
import { gunzipped } from '../../edge/gzip.ts'
import { exportedText } from '../../provider/transfer/export-lines.ts'
import { ConcurrentImportError } from '../../provider/transfer/import-batches.ts'
import { importDirectory } from '../../provider/transfer/import-lines.ts'
import type { Runtime } from '../../runtime.ts'
import { readTogether } from '../../storage/database/query.ts'
import { getTenant, tenantQuery } from '../../storage/tenants/queries.ts'
import { exportStatementsQuery } from '../../storage/transfer/export.ts'
import type { transferRoutes } from '../contract/transfer.ts'
import { AdminError, invalidField } from '../errors.ts'
import { continueCleanup, undoImportOf } from '../jobs.ts'
import { jobJson } from '../read-models.ts'
import { requireTenant } from '../require-tenant.ts'
import { fileResponse } from '../stream-of.ts'
import { listSchemas } from '../tenant-schemas.ts'
import { notReady } from '../tenant-state.ts'
import {
  cancelImportOf,
  exportedFile,
  requireImportable,
  startExportOf,
  startImportOf,
} from '../transfer-jobs.ts'
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
    await c.get('event')?.tell(db)
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
    return { status: 202, body: jobJson(await startImportOf(c, id, decoded(c.req.raw))) }
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

/** @throws {AdminError} 400 for another encoding than gzip */
function decoded(request: Request): AsyncIterable<Uint8Array> {
  const encoding = request.headers.get('Content-Encoding') ?? 'identity'
  if (encoding === 'identity') return readChunks(request)
  if (encoding !== 'gzip') throw invalidField('Content-Encoding', '"gzip" or absent', encoding)
  return gunzipped(readChunks(request))
}
