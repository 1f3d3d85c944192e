/**
 * API Keys: generates, rotates and revokes tokens, and deletes clients.
 */
import { Hono } from 'hono'
import { shorten } from '../../scim/error.ts'
import { secretsQuery } from '../../storage/access/client-secrets.ts'
import { clientQuery, clientsQuery } from '../../storage/access/clients.ts'
import { generateToken } from '../../storage/access/token-administration.ts'
import { insertTokenOnce, rotateToken, tokensQuery } from '../../storage/access/token-rotation.ts'
import { trustsQuery } from '../../storage/access/trusts.ts'
import { releaseClient } from '../../storage/guard/releases.ts'
import { DAY_MS } from '../../storage/log/activity.ts'
import { clientFactsQuery } from '../../storage/log/client-facts.ts'
import { logPageQuery } from '../../storage/log/log-pages.ts'
import { getTenant } from '../../storage/tenants/queries.ts'
import { check } from '../check.ts'
import { tenantPaths } from '../components/paths.ts'
import { DEFAULT_RELEASE_MINUTES } from '../contract/clients.ts'
import { TOKEN_INPUT } from '../contract/tokens.ts'
import { deleteClientOf, revokeTokenOf } from '../end-access.ts'
import type { AdminContext, AdminEnv } from '../env.ts'
import { AdminError } from '../errors.ts'
import {
  ApiKeysPage,
  DeleteClientPage,
  NewTokenPage,
  RevokeTokenPage,
  type TokenForm,
} from '../pages/api-keys.tsx'
import { NoSuchTenant } from '../require-tenant.ts'
import { tenantUrl, tokenUrl } from '../tenant-url.ts'
import { createSecret } from './client-secrets.tsx'
import { providerOf } from './directory.tsx'
import { doneMessage, formErrorOf, loadWithTenant, PageNotFound, readForm, requireUuid } from './request.ts'

const DONE: Readonly<Record<string, string>> = {
  revoked: 'The token is revoked. It is refused from the next request on.',
  unfederated:
    'The federation is removed. Access tokens for its assertions are refused from the next request on.',
  'secret-revoked': 'The secret is revoked. It and its access tokens are refused from the next request on.',
  deleted: 'The client is deleted. Its tokens and secrets are refused from the next request on.',
  known: 'This form was sent before. Its credential is in the list and is not shown again.',
}

const FAILED_ACCESS = { outcome: 'refused', action: 'authenticate' } as const
const FAILED_SHOWN = 10

export const apiKeys = new Hono<AdminEnv>()

apiKeys.get('/:tenant/api-keys', (c) => keysPage(c, undefined, undefined))

apiKeys.post('/:tenant/api-keys', async (c) => {
  const input = await readForm(c)
  const form: TokenForm = {
    provider: providerOf(input.provider) ?? 'other',
    client: input.client ?? '',
    name: input.name ?? '',
    scope: input.scope ?? '',
    expires: input.expires ?? '',
  }
  try {
    const id = requireUuid(input.id)
    const lastDay = parseLastDay(form.expires, c.env.now())
    if (input.credential === 'secret') return await createSecret(c, id, form, lastDay)
    return await createToken(c, id, form, lastDay)
  } catch (error) {
    return await keysPage(c, form, formErrorOf(error))
  }
})

/** Lets a client pass the guard against unusual deprovisioning for an hour. */
apiKeys.post('/:tenant/clients/:client/release', async (c) => {
  const { tenant, client } = c.req.param()
  const until = c.env.now() + DEFAULT_RELEASE_MINUTES * 60_000
  if (!(await releaseClient(c.get('db'), tenant, client, until))) throw noClient(tenant, client)
  return c.redirect(tenantPaths(tenant).overview, 303)
})

/** Stores a new token and shows it. The token appears only in the response to this POST. */
async function createToken(
  c: AdminContext,
  id: string,
  form: TokenForm,
  expiresAt: number | null,
): Promise<Response> {
  const tenantId = c.req.param('tenant') ?? ''
  const { token, hash } = await generateToken(tenantId)
  const stored = {
    id,
    ...check(TOKEN_INPUT, { name: form.name, scope: form.scope }),
    clientId: form.client || undefined,
    createdAt: c.env.now(),
    expiresAt,
    hash,
  }
  const outcome = await insertTokenOnce(c.get('db'), tenantId, stored)
  if (outcome === 'taken') return c.redirect(`${tenantPaths(tenantId).apiKeys}?done=known`, 303)
  if (outcome === undefined) {
    if (stored.clientId === undefined) throw new NoSuchTenant(tenantId)
    throw new AdminError(400, 'invalid', 'Must be one of the clients of this tenant', 'client')
  }
  return newTokenPage(c, tenantId, stored.name, token, false)
}

apiKeys.post('/:tenant/api-keys/:id/rotate', async (c) => {
  const { tenant: tenantId, id: oldId } = c.req.param()
  const input = await readForm(c)
  const { token, hash } = await generateToken(tenantId)
  const fresh = { id: requireUuid(input.id), hash, createdAt: c.env.now() }
  const rotated = await rotateToken(c.get('db'), tenantId, oldId, fresh)
  if (rotated === 'taken') return c.redirect(`${tenantPaths(tenantId).apiKeys}?done=known`, 303)
  if (rotated === undefined) throw noToken(tenantId, oldId)
  return newTokenPage(c, tenantId, rotated.name, token, true)
})

async function newTokenPage(
  c: AdminContext,
  tenantId: string,
  tokenName: string,
  token: string,
  isRotation: boolean,
): Promise<Response> {
  const tenant = await getTenant(c.get('db'), tenantId)
  return c.html(
    <NewTokenPage
      administrator={c.get('administrator')}
      tenant={{ id: tenantId, name: tenantId, ...tenant, resourceTypes: c.get('resourceTypes') }}
      tenantUrl={tenantUrl(c)}
      name={tokenName}
      token={token}
      isRotation={isRotation}
    />,
    201,
  )
}

apiKeys.get('/:tenant/api-keys/:id/revoke', async (c) => {
  const { tenant, tokens } = await loadWithTenant(c, (id) => ({ tokens: tokensQuery(id) }))
  const token = tokens.find(({ id, revokedAt }) => id === c.req.param('id') && revokedAt === null)
  if (token === undefined) throw noToken(tenant.id, c.req.param('id'))
  return c.html(<RevokeTokenPage administrator={c.get('administrator')} tenant={tenant} token={token} />)
})

apiKeys.post('/:tenant/api-keys/:id/revoke', async (c) => {
  const { tenant: tenantId, id } = c.req.param()
  if (!(await revokeTokenOf(c, tenantId, id))) throw noToken(tenantId, id)
  return c.redirect(`${tenantPaths(tenantId).apiKeys}?done=revoked`, 303)
})

apiKeys.get('/:tenant/api-keys/clients/:id/delete', async (c) => {
  const clientId = c.req.param('id')
  const { tenant, client } = await loadWithTenant(c, (id) => ({ client: clientQuery(id, clientId) }))
  if (client === undefined) throw noClient(tenant.id, clientId)
  return c.html(<DeleteClientPage administrator={c.get('administrator')} tenant={tenant} client={client} />)
})

apiKeys.post('/:tenant/api-keys/clients/:id/delete', async (c) => {
  const { tenant: tenantId, id } = c.req.param()
  if (!(await deleteClientOf(c, tenantId, id))) throw noClient(tenantId, id)
  return c.redirect(`${tenantPaths(tenantId).apiKeys}?done=deleted`, 303)
})

async function keysPage(
  c: AdminContext,
  form: TokenForm | undefined,
  error: ReturnType<typeof formErrorOf> | undefined,
): Promise<Response> {
  const now = c.env.now()
  const { tenant, clients, facts, tokens, secrets, trusts, failed } = await loadWithTenant(c, (id) => ({
    clients: clientsQuery(id),
    facts: clientFactsQuery(id, now),
    tokens: tokensQuery(id),
    secrets: secretsQuery(id),
    trusts: trustsQuery(id),
    failed: logPageQuery({ tenantId: id, filters: FAILED_ACCESS, size: FAILED_SHOWN }),
  }))
  const { newId } = c.env
  return c.html(
    <ApiKeysPage
      administrator={c.get('administrator')}
      now={now}
      tenant={tenant}
      tenantUrl={tenantUrl(c)}
      tokenUrl={tokenUrl(c)}
      clients={clients}
      facts={facts}
      tokens={tokens}
      secrets={secrets}
      trusts={trusts}
      failedAccess={failed.entries}
      open={form?.provider ?? providerOf(c.req.query('for'))}
      newIds={{ entra: newId(), okta: newId(), other: newId() }}
      form={form}
      error={error}
      done={doneMessage(c, DONE)}
    />,
    error?.status ?? 200,
  )
}

/** The end of a day in UTC, in milliseconds since 1970. @returns null for an empty text @throws {AdminError} 400 */
function parseLastDay(typed: string, now: number): number | null {
  if (typed === '') return null
  const start = /^\d{4}-\d{2}-\d{2}$/.test(typed) ? Date.parse(typed) : Number.NaN
  if (Number.isNaN(start)) throw expiresError('Must be a day such as 2027-01-31')
  if (start + DAY_MS <= now) throw expiresError('Must be today or later')
  return start + DAY_MS
}

function expiresError(message: string): AdminError {
  return new AdminError(400, 'invalid', message, 'expires')
}

export function noClient(tenantId: string, id: string): PageNotFound {
  return new PageNotFound(`There is no client with the id “${shorten(id)}” in this tenant.`, [
    ['API Keys', tenantPaths(tenantId).apiKeys],
  ])
}

function noToken(tenantId: string, id: string): PageNotFound {
  return new PageNotFound(
    `There is no token with the id “${id}” in this tenant, or it was revoked or rotated already.`,
    [['API Keys', tenantPaths(tenantId).apiKeys]],
  )
}
