/**
 * The page that compares an export with the directory.
 */
import { Hono } from 'hono'
import { type DriftResult, driftCsv, MATCH_KEYS } from '../../drift/difference.ts'
import { readChunks } from '../../edge/body.ts'
import { attachment } from '../attachment.ts'
import type { FormError } from '../components/form.tsx'
import { number } from '../components/number.ts'
import { driftOf } from '../drift.ts'
import type { AdminContext, AdminEnv } from '../env.ts'
import { AdminError } from '../errors.ts'
import { type DriftForm, DriftPage } from '../pages/drift.tsx'
import { formErrorOf, loadWithTenant } from './request.ts'

/** The form is parsed in memory; the admin API reads a stream. */
const MAX_FORM_BYTES = 25_000_000

export const drift = new Hono<AdminEnv>()

drift.get('/:tenant/drift', (c) => page(c, { form: { match: '', group: '', format: '' } }))

drift.post('/:tenant/drift', async (c) => {
  let form: DriftForm = { match: '', group: '', format: '' }
  try {
    const data = await readFileForm(c)
    form = { match: text(data, 'match'), group: text(data, 'group').trim(), format: text(data, 'format') }
    const result = await compare(c, data.get('file'), form)
    return fileOf(c, form, result) ?? (await page(c, { form, result }))
  } catch (error) {
    const { status, ...shown } = formErrorOf(error)
    return await page(c, { form, error: shown, status })
  }
})

/** @throws {AdminError} 400 if the form is too large or incomplete */
async function readFileForm(c: AdminContext): Promise<FormData> {
  const length = Number(c.req.header('Content-Length') ?? Number.NaN)
  if (!(length <= MAX_FORM_BYTES)) {
    const limit = `The file may have up to ${number(MAX_FORM_BYTES)} bytes.`
    throw new AdminError(400, 'invalid', `${limit} The admin API takes larger files.`)
  }
  c.env.heldBodies?.take('administration', length)
  try {
    return await c.req.raw.formData()
  } catch (cause) {
    throw new AdminError(400, 'invalid', 'The form is incomplete. Open the page again.', undefined, { cause })
  }
}

function text(data: FormData, name: string): string {
  const value = data.get(name)
  return typeof value === 'string' ? value : ''
}

async function compare(c: AdminContext, file: unknown, { match, group }: DriftForm): Promise<DriftResult> {
  if (!(file instanceof Blob)) throw new AdminError(400, 'invalid', 'Choose a file.')
  return await driftOf(c, c.get('db'), c.req.param('tenant') ?? '', {
    bytes: readChunks(new Response(file)),
    match: MATCH_KEYS.find((key) => key === match),
    group: group || undefined,
  })
}

/** @returns undefined for a result that is shown on the page */
function fileOf(c: AdminContext, { format }: DriftForm, result: DriftResult): Response | undefined {
  if ((format !== 'csv' && format !== 'json') || result.verdict === 'unrelated') return undefined
  const content = format === 'csv' ? driftCsv(result) : JSON.stringify(result)
  const day = new Date(c.env.now()).toISOString().slice(0, 10)
  return c.body(content, 200, {
    'Content-Type': format === 'csv' ? 'text/csv; charset=utf-8' : 'application/json; charset=utf-8',
    'Content-Disposition': attachment(`drift-${c.req.param('tenant')}-${day}.${format}`),
  })
}

async function page(
  c: AdminContext,
  {
    form,
    result,
    error,
    status = 200,
  }: {
    readonly form: DriftForm
    readonly result?: DriftResult
    readonly error?: FormError
    readonly status?: 200 | 400 | 409
  },
) {
  const { tenant } = await loadWithTenant(c, () => ({}))
  const administrator = c.get('administrator')
  return c.html(<DriftPage {...{ administrator, tenant, form, error, result }} />, status)
}
