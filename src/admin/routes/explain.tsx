/**
 * The page that explains a request.
 */
import { Hono } from 'hono'
import { ScimError } from '../../scim/error.ts'
import { parseJson } from '../../scim/json.ts'
import { clientsQuery } from '../../storage/access/clients.ts'
import { check } from '../check.ts'
import type { FormError } from '../components/form.tsx'
import { EXPLAIN_INPUT } from '../contract/explain.ts'
import type { AdminContext, AdminEnv } from '../env.ts'
import { AdminError } from '../errors.ts'
import { type Explained, explainRequest } from '../explain/explain.ts'
import { type ExplainForm, ExplainPage } from '../pages/explain.tsx'
import { formErrorOf, loadWithTenant, readForm } from './request.ts'

export const explain = new Hono<AdminEnv>()

explain.get('/:tenant/explain', async (c) => {
  const { method = 'GET', path = '', client = '' } = c.req.query()
  return await page(c, { form: { method, path, client, body: '' } })
})

explain.post('/:tenant/explain', async (c) => {
  const { method = '', path = '', body = '', client = '' } = await readForm(c)
  const form = { method, path, body, client }
  try {
    return await page(c, { form, explained: await explainForm(c, form) })
  } catch (error) {
    const { status, ...shown } = formErrorOf(error)
    return await page(c, { form, error: shown, status })
  }
})

/** @throws {AdminError} 400 for an invalid field, 404, 409 */
async function explainForm(c: AdminContext, form: ExplainForm): Promise<Explained> {
  const { method, path, client } = form
  const input = check(EXPLAIN_INPUT, {
    ...{ method, path: path.trim(), body: bodyOf(form) },
    ...(client !== '' && { clientId: client }),
  })
  return await explainRequest(c, c.req.param('tenant') ?? '', input)
}

/** @throws {AdminError} 400 */
function bodyOf({ body }: ExplainForm): unknown {
  if (body.trim() === '') return undefined
  try {
    return parseJson(body)
  } catch (error) {
    if (error instanceof ScimError) throw new AdminError(400, 'invalid', error.detail, 'body')
    throw error
  }
}

async function page(
  c: AdminContext,
  {
    form,
    explained,
    error,
    status = 200,
  }: {
    readonly form: ExplainForm
    readonly explained?: Explained
    readonly error?: FormError
    readonly status?: 200 | 400 | 409
  },
) {
  const { tenant, clients } = await loadWithTenant(c, (id) => ({ clients: clientsQuery(id) }))
  const administrator = c.get('administrator')
  return c.html(<ExplainPage {...{ administrator, tenant, clients, form, error, explained }} />, status)
}
