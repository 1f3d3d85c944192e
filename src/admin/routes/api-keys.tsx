/**
 * API Keys: the page, which generates tokens and client secrets, and the deletion of clients.
 */
import { Hono } from 'hono'
import { shorten } from '../../scim/error.ts'
import { MAX_SECRET_DAYS, MIN_TOKEN_LIFETIME_SECONDS } from '../../scim/limits.ts'
import { generateSecret, insertSecretOnce, secretsQuery } from '../../storage/access/client-secrets.ts'
import { clientQuery, clientsQuery, newClientId } from '../../storage/access/clients.ts'
import { generateToken } from '../../storage/access/token-administration.ts'
import { insertTokenOnce, tokensQuery } from '../../storage/access/token-rotation.ts'
import { trustsQuery } from '../../storage/access/trusts.ts'
import { releaseClient } from '../../storage/guard/releases.ts'
import { DAY_MS } from '../../storage/log/activity.ts'
import { clientFactsQuery } from '../../storage/log/client-facts.ts'
import { logPageQuery } from '../../storage/log/log-pages.ts'
import { secretExpiry } from '../api/secrets.ts'
import { check } from '../check.ts'
import { number } from '../components/number.ts'
import { tenantPaths } from '../components/paths.ts'
import { DEFAULT_RELEASE_MINUTES } from '../contract/clients.ts'
import { TOKEN_INPUT } from '../contract/tokens.ts'
import { secretCredential } from '../credentials.ts'
import { deleteClientOf } from '../end-access.ts'
import type { AdminContext, AdminEnv } from '../env.ts'
import { AdminError } from '../errors.ts'
import { ApiKeysPage, DeleteClientPage, type TokenForm } from '../pages/api-keys.tsx'
import { NoSuchTenant } from '../require-tenant.ts'
import { tenantUrl, tokenUrl } from '../tenant-url.ts'
import { newCredentialPage, newTokenCredential } from './credentials.tsx'
import { providerOf } from './directory.tsx'
import {
  doneMessage,
  formErrorOf,
  loadWithTenant,
  PageNotFound,
  parseLastDay,
  readForm,
  requireUuid,
} from './request.ts'

const DONE: Readonly<Record<string, string>> = {
  revoked: 'The token is revoked. It is refused from the next request on.',
  unfederated:
    'The federation is removed. Access tokens for its assertions are refused from the next request on.',
  'secret-revoked': 'The secret is revoked. It and its access tokens are refused from the next request on.',
  deleted: 'The client is deleted. Its tokens and secrets are refused from the next request on.',
  kept: 'It is no longer to be revoked. Both the old one and the new one are valid.',
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
  const { token: text, ...generated } = await generateToken(tenantId)
  const stored = {
    id,
    ...check(TOKEN_INPUT, { name: form.name, scope: form.scope }),
    clientId: form.client || undefined,
    createdAt: c.env.now(),
    expiresAt,
    ...generated,
  }
  const outcome = await insertTokenOnce(c.get('db'), tenantId, stored)
  if (outcome === 'taken') return c.redirect(`${tenantPaths(tenantId).apiKeys}?done=known`, 303)
  if (outcome === undefined) throw notStored(tenantId, form)
  return newCredentialPage(c, { credential: newTokenCredential(outcome), text })
}

/**
 * Likewise a new secret.
 *
 * @param lastDay the end of the last day, in milliseconds since 1970
 * @throws {AdminError} 400
 */
async function createSecret(
  c: AdminContext,
  id: string,
  form: TokenForm,
  lastDay: number | null,
): Promise<Response> {
  const now = c.env.now()
  const tenantId = c.req.param('tenant') ?? ''
  const { name, scope = 'provision' } = check(TOKEN_INPUT, { name: form.name, scope: form.scope })
  const { secret: text, ...generated } = await generateSecret()
  const isNew = form.client === ''
  const stored = {
    ...{ id, name, createdAt: now, expiresAt: formExpiry(lastDay, now), ...generated },
    clientId: isNew ? newClientId(tenantId) : form.client,
  }
  const newClient = isNew ? { name, scope, tokenLifetime: MIN_TOKEN_LIFETIME_SECONDS } : undefined
  const outcome = await insertSecretOnce(c.get('db'), tenantId, stored, newClient)
  if (outcome === 'taken') return c.redirect(`${tenantPaths(tenantId).apiKeys}?done=known`, 303)
  if (outcome === undefined) throw notStored(tenantId, form)
  return newCredentialPage(c, { credential: secretCredential(outcome), text })
}

function notStored(tenantId: string, { client }: TokenForm): Error {
  if (client === '') return new NoSuchTenant(tenantId)
  return new AdminError(400, 'invalid', 'Must be one of the clients of this tenant', 'client')
}

function formExpiry(lastDay: number | null, now: number): number {
  if (lastDay !== null && lastDay > now + MAX_SECRET_DAYS * DAY_MS) {
    throw new AdminError(400, 'invalid', `Must be within ${number(MAX_SECRET_DAYS)} days`, 'expires')
  }
  return secretExpiry(lastDay ?? undefined, now)
}

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

export function noClient(tenantId: string, id: string): PageNotFound {
  return new PageNotFound(`There is no client with the id “${shorten(id)}” in this tenant.`, [
    ['API Keys', tenantPaths(tenantId).apiKeys],
  ])
}
