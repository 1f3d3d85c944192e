/**
 * Export and import of a tenant's directory as JSON Lines (directory-lines.ts). Both stream, so a directory of any size
 * fits.
 */
import { type Context, Hono } from 'hono'
import { readPieces } from '../edge/body.ts'
import type { HttpEnv } from '../runtime.ts'
import { quote } from '../scim/error.ts'
import type { Database } from '../storage/database.ts'
import type { StoredResourceType } from '../storage/resource-tables.ts'
import { RunningSha256 } from '../storage/running-sha256.ts'
import { getTenant, type Tenant, undoImport } from '../storage/tenants.ts'
import { type ExportedTenant, exportDirectory } from '../storage/transfer.ts'
import { endRecord, noRecords, toLine } from './directory-lines.ts'
import { AdminError, invalidField } from './errors.ts'
import { type BodyEnd, type ImportOptions, ImportOvertaken, importDirectory } from './import.ts'
import { streamOf } from './stream-of.ts'

const JSON_LINES = 'application/jsonl'

/** Routes below /admin/api/tenants/:id. */
export const transfer = new Hono<HttpEnv>()
  .get('/tenants/:id/export', async (c) => {
    const tenant = await requireTenant(c)
    if (tenant.state !== 'ready') throw notReady(tenant)
    return c.body(streamOf(exportedBytes(c.get('db'), tenant, c.get('resourceTypes'))), 200, {
      'Content-Type': JSON_LINES,
      'Content-Disposition': `attachment; filename="${tenant.id}.jsonl"`,
    })
  })
  .post('/tenants/:id/import', async (c) => {
    const options = importOptions(c)
    const { id } = requireImportable(await requireTenant(c))
    try {
      const { isDone, imported, nextLine } = await importDirectory(
        c.get('db'),
        c.get('resourceTypes'),
        id,
        readPieces(c.req),
        options,
      )
      return isDone ? c.json({ imported }) : c.json({ imported, nextLine }, 202)
    } catch (error) {
      if (!(error instanceof ImportOvertaken)) throw error
      requireImportable(await requireTenant(c))
      throw new AdminError(409, 'conflict', `another import of tenant "${id}" is under way`)
    }
  })
  .delete('/tenants/:id/import', async (c) => {
    const { id } = await requireTenant(c)
    const outcome = await undoImport(c.get('db'), c.get('resourceTypes'), id)
    if (outcome === undefined) {
      throw new AdminError(404, 'notFound', `no import of tenant "${id}" is under way`)
    }
    return outcome === 'undone' ? c.body(null, 204) : c.json({ state: 'undoing' }, 202)
  })

async function requireTenant(c: Context<HttpEnv>): Promise<Tenant> {
  const id = c.req.param('id') ?? ''
  const tenant = await getTenant(c.get('db'), id)
  if (tenant === undefined) throw new AdminError(404, 'notFound', `there is no tenant ${quote(id)}`)
  return tenant
}

/** What cannot be done with a tenant that is neither whole nor empty, and what ends that. */
export function notReady({ id, state }: Pick<Tenant, 'id' | 'state'>): AdminError {
  const problem =
    state === 'deleting'
      ? `is being deleted; DELETE /admin/api/tenants/${id} goes on with it`
      : state === 'undoing'
        ? `has an import that is being undone; DELETE /admin/api/tenants/${id}/import goes on with it`
        : 'has an import under way; finish it with the rest of the file, or undo it with DELETE …/import'
  return new AdminError(409, 'conflict', `tenant "${id}" ${problem}`)
}

/** @throws {AdminError} unless the tenant is empty, or an import of it is under way */
function requireImportable(tenant: Tenant): Tenant {
  if (tenant.state === 'importing') return tenant
  if (tenant.state !== 'ready') throw notReady(tenant)
  if (tenant.userCount === 0 && tenant.groupCount === 0) return tenant
  const found = `${tenant.userCount} users and ${tenant.groupCount} groups`
  throw new AdminError(409, 'conflict', `an import needs an empty tenant; "${tenant.id}" holds ${found}`)
}

function importOptions(c: Context<HttpEnv>): ImportOptions {
  const { from = '1', end = 'required' } = c.req.query()
  if (!/^[1-9]\d{0,14}$/.test(from)) throw invalidField('from', 'the number of a line, from 1', from)
  if (end !== 'required' && end !== 'later' && end !== 'missing') {
    throw invalidField('end', '"later" or "missing"', end)
  }
  return { from: Number(from), end: end satisfies BodyEnd }
}

/** The lines of a directory, and the one that proves that they are whole. */
async function* exportedBytes(
  db: Database,
  tenant: ExportedTenant,
  types: readonly StoredResourceType[],
): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder()
  const sha256 = new RunningSha256()
  const counts = noRecords(types)
  for await (const page of exportDirectory(db, tenant, types)) {
    const bytes = encoder.encode(page.map(toLine).join(''))
    for (const { kind } of page) counts[kind] = (counts[kind] ?? 0) + 1
    sha256.update(bytes)
    yield bytes
  }
  yield encoder.encode(toLine(endRecord(types, counts, sha256.digest)))
}
