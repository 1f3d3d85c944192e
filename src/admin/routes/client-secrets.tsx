/**
 * API Keys: generates, rotates and revokes client secrets.
 */
import { Hono } from 'hono'
import { MAX_SECRET_DAYS, MIN_TOKEN_LIFETIME_SECONDS } from '../../scim/limits.ts'
import {
  generateSecret,
  insertSecretOnce,
  type SecretInfo,
  secretsQuery,
} from '../../storage/access/client-secrets.ts'
import { newClientId } from '../../storage/access/clients.ts'
import { DAY_MS } from '../../storage/access/expiry.ts'
import { getTenant } from '../../storage/tenants/queries.ts'
import { secretExpiry } from '../api/secrets.ts'
import { check } from '../check.ts'
import { number } from '../components/number.ts'
import { tenantPaths } from '../components/paths.ts'
import { TOKEN_INPUT } from '../contract/tokens.ts'
import { revokeSecretOf } from '../end-access.ts'
import type { AdminContext, AdminEnv } from '../env.ts'
import { AdminError } from '../errors.ts'
import type { TokenForm } from '../pages/api-keys.tsx'
import { NewSecretPage, RevokeSecretPage } from '../pages/client-secrets.tsx'
import { NoSuchTenant } from '../require-tenant.ts'
import { tenantUrl, tokenUrl } from '../tenant-url.ts'
import { loadWithTenant, PageNotFound, readForm, requireUuid } from './request.ts'

export const clientSecrets = new Hono<AdminEnv>()

/**
 * Stores a new secret, with a new client unless the form names one, and shows it. The secret appears only in the response to
 * this POST.
 *
 * @param lastDay the end of the last day, in milliseconds since 1970
 * @throws {AdminError} 400
 */
export async function createSecret(
  c: AdminContext,
  id: string,
  form: TokenForm,
  lastDay: number | null,
): Promise<Response> {
  const now = c.env.now()
  const tenantId = c.req.param('tenant') ?? ''
  const { name, scope = 'provision' } = check(TOKEN_INPUT, { name: form.name, scope: form.scope })
  const isNew = form.client === ''
  const secret = {
    ...{ id, name, createdAt: now, expiresAt: formExpiry(lastDay, now) },
    clientId: isNew ? newClientId(tenantId) : form.client,
  }
  const newClient = isNew ? { name, scope, tokenLifetime: MIN_TOKEN_LIFETIME_SECONDS } : undefined
  const answer = await storeSecret(c, tenantId, secret, { newClient, isRotation: false })
  if (answer !== undefined) return answer
  if (isNew) throw new NoSuchTenant(tenantId)
  throw new AdminError(400, 'invalid', 'Must be one of the clients of this tenant', 'client')
}

function formExpiry(lastDay: number | null, now: number): number {
  if (lastDay !== null && lastDay > now + MAX_SECRET_DAYS * DAY_MS) {
    throw new AdminError(400, 'invalid', `Must be within ${number(MAX_SECRET_DAYS)} days`, 'expires')
  }
  return secretExpiry(lastDay ?? undefined, now)
}

clientSecrets.post('/:tenant/api-keys/secrets/:id/rotate', async (c) => {
  const { tenant: tenantId, id: oldId } = c.req.param()
  const input = await readForm(c)
  const old = await requireSecret(c, oldId)
  const now = c.env.now()
  const fresh = { id: requireUuid(input.id), createdAt: now, expiresAt: now + old.expiresAt - old.createdAt }
  const secret = { ...fresh, name: old.name, clientId: old.clientId }
  const answer = await storeSecret(c, tenantId, secret, { isRotation: true })
  if (answer === undefined) throw noSecret(tenantId)
  return answer
})

/** @returns the page of the secret; undefined if the tenant or the client does not exist */
async function storeSecret(
  c: AdminContext,
  tenantId: string,
  secret: Pick<SecretInfo, 'id' | 'clientId' | 'name' | 'createdAt' | 'expiresAt'>,
  {
    newClient,
    isRotation,
  }: { readonly newClient?: Parameters<typeof insertSecretOnce>[3]; readonly isRotation: boolean },
): Promise<Response | undefined> {
  const { secret: text, ...generated } = await generateSecret()
  const outcome = await insertSecretOnce(c.get('db'), tenantId, { ...secret, ...generated }, newClient)
  if (outcome === 'taken') return c.redirect(`${tenantPaths(tenantId).apiKeys}?done=known`, 303)
  if (outcome === undefined) return undefined
  const tenant = await getTenant(c.get('db'), tenantId)
  return c.html(
    <NewSecretPage
      administrator={c.get('administrator')}
      tenant={{ id: tenantId, name: tenantId, ...tenant, resourceTypes: c.get('resourceTypes') }}
      tenantUrl={tenantUrl(c)}
      tokenUrl={tokenUrl(c)}
      secret={outcome}
      text={text}
      isRotation={isRotation}
    />,
    201,
  )
}

clientSecrets.get('/:tenant/api-keys/secrets/:id/revoke', async (c) => {
  const secret = await requireSecret(c, c.req.param('id'))
  const { tenant } = await loadWithTenant(c, () => ({}))
  return c.html(<RevokeSecretPage administrator={c.get('administrator')} tenant={tenant} secret={secret} />)
})

clientSecrets.post('/:tenant/api-keys/secrets/:id/revoke', async (c) => {
  const { tenant: tenantId, id } = c.req.param()
  if (!(await revokeSecretOf(c, tenantId, { id }))) throw noSecret(tenantId)
  return c.redirect(`${tenantPaths(tenantId).apiKeys}?done=secret-revoked`, 303)
})

/** @throws {PageNotFound} if the tenant has no such secret, or it was revoked */
async function requireSecret(c: AdminContext, id: string): Promise<SecretInfo> {
  const { tenant, secrets } = await loadWithTenant(c, (tenantId) => ({ secrets: secretsQuery(tenantId) }))
  const secret = secrets.find((one) => one.id === id && one.revokedAt === null)
  if (secret === undefined) throw noSecret(tenant.id)
  return secret
}

function noSecret(tenantId: string): PageNotFound {
  return new PageNotFound('This tenant has no secret with this id, or it was revoked already.', [
    ['API Keys', tenantPaths(tenantId).apiKeys],
  ])
}
