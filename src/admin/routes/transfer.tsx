/**
 * Exports, imports and moves a tenant. Files arrive in forms of any size, and are read while they arrive.
 */
import { Hono } from 'hono'
import { readChunks } from '../../edge/body.ts'
import { decompressed } from '../../edge/gzip.ts'
import { openFormFile } from '../../edge/multipart.ts'
import { checkDirectory } from '../../provider/transfer/import-lines.ts'
import { latestJobs, latestJobsQuery } from '../../storage/tenants/jobs.ts'
import { catalogueOf } from '../../storage/tenants/locations.ts'
import type { FormError } from '../components/form.tsx'
import { number } from '../components/number.ts'
import { tenantPaths } from '../components/paths.ts'
import { administrationDatabases } from '../database.ts'
import type { AdminContext, AdminEnv } from '../env.ts'
import { AdminError, toAdminError } from '../errors.ts'
import { cancelMoveOf, continueCleanup, moveTenant, undoImportOf } from '../jobs.ts'
import { MAX_CHECKED_BYTES, TransferPage, type TransferProps } from '../pages/transfer.tsx'
import { fileResponse } from '../stream-of.ts'
import {
  cancelImportOf,
  exportedFile,
  hasFile,
  requireImportable,
  startExportOf,
  startImportOf,
} from '../transfer-jobs.ts'
import { doneMessage, formErrorOf, loadWithTenant, readForm } from './request.ts'

/** The message about the last action, by `?done=`. */
const DONE: Readonly<Record<string, string>> = {
  undone: 'The import is undone. The tenant is empty.',
  undoing: 'The imported data is being deleted.',
  moving: 'The tenant is being moved.',
  cancelled: 'The move is cancelled. The copy is being deleted.',
  exporting: 'The export has begun and continues by itself.',
  importing: 'The file is stored. The import has begun and continues by itself.',
}

export const transfer = new Hono<AdminEnv>()

transfer.get('/:tenant/transfer', (c) => page(c, {}))

transfer.post('/:tenant/export', async (c) => {
  try {
    await startExportOf(c, idOf(c), false)
    return done(c, 'exporting')
  } catch (error) {
    const exportError = formErrorOf(error)
    return await page(c, { exportError }, exportError.status)
  }
})

transfer.get('/:tenant/jobs/:job/file', async (c) => {
  const { tenant, job } = c.req.param()
  return fileResponse(c, tenant, await exportedFile(c, c.get('db'), tenant, job))
})

transfer.post('/:tenant/transfer/import', (c) =>
  withFile(c, async (file) => {
    await requireImportable(c, c.get('db'), idOf(c))
    await startImportOf(c, idOf(c), file)
    return done(c, 'importing')
  }),
)

transfer.post('/:tenant/transfer/check', (c) =>
  withFile(c, async (file) => {
    const target = { db: c.get('db'), types: c.get('resourceTypes'), tenantId: idOf(c) }
    return await page(c, { checked: await checkDirectory(target, atMost(file, MAX_CHECKED_BYTES)) })
  }),
)

transfer.post('/:tenant/undo-import', async (c) => {
  const { tenant } = await loadWithTenant(c, () => ({}))
  if ((await cancelImportOf(c, tenant.id)) !== undefined) return done(c, 'undoing')
  // If the form is sent twice, the import is undone already.
  const outcome = (await undoImportOf(c, tenant.id)) ?? 'undone'
  if (outcome === 'undoing') await continueCleanup(c, tenant.id, 'undo-import')
  return done(c, outcome)
})

transfer.post('/:tenant/move', async (c) => {
  const { database = '' } = await readForm(c)
  try {
    await moveTenant(c, idOf(c), database)
    return done(c, 'moving')
  } catch (error) {
    const moveError = formErrorOf(error)
    return await page(c, { moveError }, moveError.status)
  }
})

transfer.post('/:tenant/cancel-move', async (c) => {
  await cancelMoveOf(c, idOf(c))
  return done(c, 'cancelled')
})

function idOf(c: AdminContext): string {
  return c.req.param('tenant') ?? ''
}

function done(c: AdminContext, what: string): Response {
  return c.redirect(`${tenantPaths(idOf(c)).transfer}?done=${what}`, 303)
}

/**
 * Hands over the file of a form. What is wrong with the file is shown on the page, with the number of its line.
 *
 * @param use reads the bytes of the file, decompressed
 */
async function withFile(
  c: AdminContext,
  use: (file: AsyncIterable<Uint8Array>) => Promise<Response>,
): Promise<Response> {
  try {
    const file = await openFormFile(readChunks(c.req.raw), c.req.header('Content-Type') ?? '')
    if (file === undefined) throw new AdminError(400, 'invalid', 'Choose a file.')
    return await use(decompressed(file))
  } catch (error) {
    const { status, message } = toAdminError(error)
    if (status !== 400 && status !== 409 && status !== 413) throw error
    return await page(c, { importError: { field: undefined, message: sentenceOf(message) } }, status)
  }
}

function sentenceOf(message: string): string {
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}${message.endsWith('.') ? '' : '.'}`
}

/** @throws {AdminError} 413 */
async function* atMost(file: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Uint8Array> {
  let bytes = 0
  for await (const chunk of file) {
    bytes += chunk.length
    if (bytes > maxBytes) {
      const problem = `The check reads up to ${number(maxBytes)} bytes, and this file has more.`
      throw new AdminError(413, 'tooLarge', `${problem} An import checks each line itself.`)
    }
    yield chunk
  }
}

async function page(
  c: AdminContext,
  shown: Partial<Pick<TransferProps, 'checked'>> & {
    readonly exportError?: FormError
    readonly importError?: FormError
    readonly moveError?: FormError
  },
  status: 200 | 400 | 409 | 413 = 200,
): Promise<Response> {
  const databases = administrationDatabases(c, c.get('figures'))
  const { tenant, here } = await loadWithTenant(c, (id) => ({ here: latestJobsQuery(id) }))
  // The first database has the jobs of all of them.
  const isFirst = c.get('home') === databases.names[0]
  const { latest, latestExport } = isFirst ? here : await latestJobs(catalogueOf(databases), tenant.id)
  return c.html(
    <TransferPage
      administrator={c.get('administrator')}
      tenant={tenant}
      database={{ name: c.get('home'), others: databases.names.filter((name) => name !== c.get('home')) }}
      job={latest}
      latestExport={latestExport}
      hasFile={latestExport !== undefined && hasFile(latestExport, c.env.now())}
      {...shown}
      done={doneMessage(c, DONE)}
    />,
    status,
  )
}
