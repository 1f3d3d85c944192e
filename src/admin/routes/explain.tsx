/**
 * The page that explains a request.
 */
import { Hono } from 'hono'
import { ScimError, shorten } from '../../scim/error.ts'
import { parseJson } from '../../scim/json.ts'
import { offeredClientsQuery, sendersQuery } from '../../storage/access/clients.ts'
import { logEntryQuery } from '../../storage/log/log-pages.ts'
import { check } from '../check.ts'
import type { FormError } from '../components/form.tsx'
import { pathOf } from '../components/log-entry.tsx'
import { tenantPaths } from '../components/paths.ts'
import { EXPLAIN_INPUT } from '../contract/explain.ts'
import type { AdminContext, AdminEnv } from '../env.ts'
import { AdminError } from '../errors.ts'
import { type Explained, explainRequest } from '../explain/explain.ts'
import { withEscapes } from '../hidden-characters.ts'
import { type ExplainForm, ExplainPage } from '../pages/explain.tsx'
import { formErrorOf, loadWithTenant, PageNotFound, readForm } from './request.ts'

export const explain = new Hono<AdminEnv>()

explain.get('/:tenant/explain', async (c) => {
  const { method = 'GET', path = '', client = '', entry } = c.req.query()
  if (entry !== undefined) return await entryPage(c, entry)
  return await page(c, { form: { method, path, client, body: '' } })
})

/** The form with the request of a log entry. */
async function entryPage(c: AdminContext, id: string): Promise<Response> {
  const { tenant, clients, entry } = await loadWithTenant(c, (tenantId) => ({
    clients: sendersQuery(tenantId, id),
    entry: logEntryQuery(tenantId, id),
  }))
  const type = tenant.resourceTypes.find(({ name }) => name === entry?.resourceType)
  if (entry === undefined || type === undefined || !entry.request) throw noRequest(tenant.id, id)
  const { method, body, isShortened } = entry.request
  const form = {
    ...{ method, path: pathOf(type, entry), client: entry.clientId ?? '' },
    body: withEscapes(JSON.stringify(body, null, 2)),
  }
  return c.html(
    <ExplainPage
      {...{ tenant, clients, form, isShortened }}
      administrator={c.get('administrator')}
      error={undefined}
      explained={undefined}
    />,
  )
}

function noRequest(tenantId: string, id: string): PageNotFound {
  return new PageNotFound(`The log has no entry “${shorten(id)}” with a request.`, [
    ['Provisioning log', tenantPaths(tenantId).log],
    ['Explain a request', tenantPaths(tenantId).explain],
  ])
}

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
  const { tenant, clients } = await loadWithTenant(c, (id) => ({
    clients: offeredClientsQuery(id, 'all', form.client),
  }))
  const administrator = c.get('administrator')
  return c.html(<ExplainPage {...{ administrator, tenant, clients, form, error, explained }} />, status)
}
