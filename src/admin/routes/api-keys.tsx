/**
 * API Keys: the page, which generates tokens and client secrets, and the deletion of clients.
 */
import { Hono } from 'hono'
import { MINUTE_MS } from '../../scim/duration.ts'
import { shorten } from '../../scim/error.ts'
import { secretsQuery } from '../../storage/access/client-secrets.ts'
import { clientQuery, clientsQuery } from '../../storage/access/clients.ts'
import { tokensQuery } from '../../storage/access/token-rotation.ts'
import { trustsQuery } from '../../storage/access/trusts.ts'
import { releaseClient } from '../../storage/guard/releases.ts'
import { clientFactsQuery } from '../../storage/log/client-facts.ts'
import { failedAccessQuery } from '../../storage/log/log-pages.ts'
import type { CredentialInput } from '../components/credential-form.tsx'
import { tenantPaths } from '../components/paths.ts'
import { DEFAULT_RELEASE_MINUTES } from '../contract/clients.ts'
import { secretCredential } from '../credentials.ts'
import { deleteClientOf } from '../end-access.ts'
import type { AdminContext, AdminEnv } from '../env.ts'
import { newSecret, newToken } from '../new-credential.ts'
import { ApiKeysPage, DeleteClientPage } from '../pages/api-keys.tsx'
import { noteTarget } from '../people/audit-note.ts'
import { tenantUrl, tokenUrl } from '../tenant-url.ts'
import { newCredentialPage, newTokenCredential } from './credentials.tsx'
import { doneMessage, formErrorOf, loadWithTenant, PageNotFound, readForm, requireUuid } from './request.ts'

const DONE: Readonly<Record<string, string>> = {
  revoked: 'The token is revoked. It is refused from the next request on.',
  unfederated:
    'The federation is removed. Access tokens for its assertions are refused from the next request on.',
  'secret-revoked': 'The secret is revoked. It and its access tokens are refused from the next request on.',
  deleted: 'The client is deleted. Its tokens and secrets are refused from the next request on.',
  kept: 'It is no longer to be revoked. Both the old one and the new one are valid.',
  known: 'This form was sent before. Its credential is in the list and is not shown again.',
}

const FAILED_SHOWN = 10

export const apiKeys = new Hono<AdminEnv>()

apiKeys.get('/:tenant/api-keys', (c) => keysPage(c, undefined, undefined))

apiKeys.post('/:tenant/api-keys', async (c) => {
  const form = await readForm(c)
  const input: CredentialInput = {
    client: form.client ?? '',
    name: form.name ?? '',
    scope: form.scope ?? '',
    expires: form.expires ?? '',
  }
  try {
    const id = requireUuid(form.id)
    if (form.credential === 'secret') return await createSecret(c, id, input)
    return await createToken(c, id, input)
  } catch (error) {
    return await keysPage(c, input, formErrorOf(error))
  }
})

/** Lets a client pass the guard against unusual deprovisioning for an hour. */
apiKeys.post('/:tenant/clients/:client/release', async (c) => {
  const { tenant, client } = c.req.param()
  const until = c.env.now() + DEFAULT_RELEASE_MINUTES * MINUTE_MS
  if (!(await releaseClient(c.get('db'), tenant, client, until))) throw noClient(tenant, client)
  return c.redirect(tenantPaths(tenant).overview, 303)
})

/** Stores a new token and shows it. The token appears only in the response to this POST. */
async function createToken(c: AdminContext, id: string, input: CredentialInput): Promise<Response> {
  const tenantId = c.req.param('tenant') ?? ''
  const token = await newToken(c, id, input)
  if (token === undefined) return c.redirect(`${tenantPaths(tenantId).apiKeys}?done=known`, 303)
  const { text, ...credential } = token
  noteTarget(c, credential.id)
  return newCredentialPage(c, { credential: newTokenCredential(credential), text })
}

/** Likewise a new secret. */
async function createSecret(c: AdminContext, id: string, input: CredentialInput): Promise<Response> {
  const tenantId = c.req.param('tenant') ?? ''
  const secret = await newSecret(c, id, input)
  if (secret === undefined) return c.redirect(`${tenantPaths(tenantId).apiKeys}?done=known`, 303)
  const { text, ...credential } = secret
  noteTarget(c, credential.id)
  return newCredentialPage(c, { credential: secretCredential(credential), text })
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
  input: CredentialInput | undefined,
  error: ReturnType<typeof formErrorOf> | undefined,
): Promise<Response> {
  const now = c.env.now()
  const { tenant, clients, facts, tokens, secrets, trusts, failed } = await loadWithTenant(c, (id) => ({
    clients: clientsQuery(id),
    facts: clientFactsQuery(id, now),
    tokens: tokensQuery(id),
    secrets: secretsQuery(id),
    trusts: trustsQuery(id),
    failed: failedAccessQuery(id, FAILED_SHOWN),
  }))
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
      failedAccess={failed}
      newId={c.env.newId()}
      input={input}
      error={error}
      done={doneMessage(c, DONE)}
      parameters={listedPages(c)}
    />,
    error?.status ?? 200,
  )
}

/** The numbers of the pages of the lists, without other parameters. */
function listedPages(c: AdminContext) {
  const { tokens, secrets, clients } = c.req.query()
  return { tokens, secrets, clients }
}

/** The same error for a client that was deleted, never existed, or belongs to another tenant. */
export function noClient(tenantId: string, id: string): PageNotFound {
  return new PageNotFound(`There is no client with the id “${shorten(id)}” in this tenant.`, [
    ['API Keys', tenantPaths(tenantId).apiKeys],
  ])
}
