/**
 * Handlers of the export and import of a directory as JSON Lines (directory-lines.ts). Both stream, so the size of a
 * directory does not matter.
 */
import { readChunks } from '../../edge/body.ts'
import type { TenantExtensions } from '../../scim/schema/tenant-extensions.ts'
import type { Database } from '../../storage/database/database.ts'
import { readTogether } from '../../storage/database/query.ts'
import { countsQuery } from '../../storage/resources/directory-lists.ts'
import type { StoredResourceType } from '../../storage/tables/resource-tables.ts'
import { getTenant, tenantQuery } from '../../storage/tenants/queries.ts'
import {
  type DirectoryRecord,
  type ExportedTenant,
  exportClients,
  exportDirectory,
} from '../../storage/transfer/export.ts'
import { RunningSha256 } from '../../storage/transfer/running-sha256.ts'
import { countedOf } from '../components/resource-names.ts'
import { JSON_LINES } from '../contract/route.ts'
import type { transferRoutes } from '../contract/transfer.ts'
import { endRecord, type SchemaRecord, schemaRecords, toLine, zeroCounts } from '../directory-lines.ts'
import { AdminError } from '../errors.ts'
import { ConcurrentImportError, importDirectory } from '../import.ts'
import { continueCleanup, undoImportOf } from '../jobs.ts'
import { requireTenant } from '../require-tenant.ts'
import { streamOf } from '../stream-of.ts'
import { listSchemas } from '../tenant-schemas.ts'
import { notReady } from '../tenant-state.ts'
import type { Handlers } from './serve.ts'

export const transferHandlers: Handlers<typeof transferRoutes> = {
  async exportTenant({ db, parameters: { id }, query: { clients }, c }) {
    const tenant = requireTenant(await getTenant(db, id), id)
    if (tenant.state !== 'ready' && tenant.state !== 'moving') throw notReady(tenant)
    const options = { extensions: await listSchemas(db, id), withClients: clients === 'include' }
    return c.body(streamOf(exportedBytes(db, tenant, c.get('resourceTypes'), options)), 200, {
      'Content-Type': JSON_LINES,
      'Content-Disposition': `attachment; filename="${tenant.id}.jsonl"`,
    })
  },

  async importTenant({ db, parameters: { id }, query, c }) {
    await requireImportable(db, c.get('resourceTypes'), id)
    try {
      const { isDone, imported, nextLine } = await importDirectory(
        db,
        c.get('resourceTypes'),
        id,
        readChunks(c.req),
        query,
      )
      return isDone ? { status: 200, body: { imported } } : { status: 202, body: { imported, nextLine } }
    } catch (error) {
      if (!(error instanceof ConcurrentImportError)) throw error
      await requireImportable(db, c.get('resourceTypes'), id)
      throw new AdminError(409, 'conflict', `another import of tenant "${id}" is in progress`)
    }
  },

  async undoImport({ db, parameters: { id }, c }) {
    requireTenant(await getTenant(db, id), id)
    const outcome = await undoImportOf(c, id)
    if (outcome === undefined) {
      throw new AdminError(404, 'notFound', `tenant "${id}" has no import in progress`)
    }
    if (outcome === 'undone') return { status: 204 }
    const { id: jobId } = await continueCleanup(c, id, 'undo-import')
    return { status: 202, body: { state: outcome, jobId } }
  },
}

/** Requires a tenant without resources of any type, or one with an import in progress. @throws {AdminError} 404, 409 */
async function requireImportable(
  db: Database,
  types: readonly StoredResourceType[],
  id: string,
): Promise<void> {
  const { tenant, counts } = await readTogether(db, {
    tenant: tenantQuery(id),
    counts: countsQuery(types, id),
  })
  const { state } = requireTenant(tenant, id)
  if (state === 'importing') return
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

/** The lines of a directory, with the end record. */
async function* exportedBytes(
  db: Database,
  tenant: ExportedTenant,
  types: readonly StoredResourceType[],
  { extensions: { extensions }, withClients }: { extensions: TenantExtensions; withClients: boolean },
): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder()
  const sha256 = new RunningSha256()
  const counts = zeroCounts(types)
  const bytesOf = (records: readonly (DirectoryRecord | SchemaRecord)[]) => {
    const bytes = encoder.encode(records.map(toLine).join(''))
    sha256.update(bytes)
    return bytes
  }
  const schemas = extensions.flatMap(schemaRecords)
  const purged = extensions.filter(({ state }) => state === 'purging').map(({ schema }) => schema.id)
  if (schemas.length > 0) yield bytesOf(schemas)
  if (withClients) for await (const page of exportClients(db, tenant)) yield bytesOf(page)
  for await (const page of exportDirectory(db, tenant, types)) {
    for (const { kind } of page) counts[kind] = (counts[kind] ?? 0) + 1
    yield bytesOf(page.map((record) => withoutExtensions(record, purged)))
  }
  yield encoder.encode(toLine(endRecord(types, counts, sha256.digest)))
}

/** A record without the values of extensions that are being purged. */
function withoutExtensions(record: DirectoryRecord, urns: readonly string[]): DirectoryRecord {
  if (urns.length === 0 || !('resource' in record)) return record
  const { schemas, ...attributes } = record.resource
  const kept = Object.entries(attributes).filter(([name]) => !urns.includes(name))
  const named = Array.isArray(schemas) ? schemas.filter((urn) => !urns.includes(urn)) : schemas
  return { ...record, resource: { schemas: named, ...Object.fromEntries(kept) } }
}
