/**
 * Stores the token or the client secret that a form asks for.
 */
import { DAY_MS } from '../scim/duration.ts'
import { MAX_SECRET_DAYS, MIN_TOKEN_LIFETIME_SECONDS } from '../scim/limits.ts'
import { generateSecret, insertSecretOnce, type SecretInfo } from '../storage/access/client-secrets.ts'
import { newClientId } from '../storage/access/clients.ts'
import { generateToken, type StoredToken } from '../storage/access/token-administration.ts'
import { insertTokenOnce } from '../storage/access/token-rotation.ts'
import { secretExpiry } from './api/secrets.ts'
import { check } from './check.ts'
import type { CredentialInput } from './components/credential-form.tsx'
import { number } from './components/number.ts'
import { TOKEN_INPUT } from './contract/tokens.ts'
import { refuseBeyondLimits } from './credential-limits.ts'
import type { AdminContext } from './env.ts'
import { AdminError } from './errors.ts'
import { NoSuchTenant } from './require-tenant.ts'
import { parseLastDay } from './routes/request.ts'

/** A token or a secret, with its text, which is not stored. */
export interface GeneratedToken extends StoredToken {
  readonly text: string
}
export interface GeneratedSecret extends SecretInfo {
  readonly text: string
}

/**
 * Stores a new token, with a new client unless the form names one.
 *
 * @returns undefined if the form was sent before
 * @throws {AdminError} 400, 409 beyond a limit; {NoSuchTenant}
 */
export async function newToken(
  c: AdminContext,
  id: string,
  input: CredentialInput,
): Promise<GeneratedToken | undefined> {
  const tenantId = c.req.param('tenant') ?? ''
  const now = c.env.now()
  const { token: text, ...generated } = await generateToken(tenantId)
  const stored = await insertTokenOnce(c.get('db'), tenantId, {
    id,
    ...check(TOKEN_INPUT, { name: input.name, scope: input.scope }),
    clientId: input.client || undefined,
    createdAt: now,
    expiresAt: parseLastDay(input.expires, now),
    ...generated,
  })
  if (stored === undefined) throw await refusalOf(c, input, 'tokens')
  return stored === 'taken' ? undefined : { ...stored, text }
}

/** Like newToken, for a client secret. */
export async function newSecret(
  c: AdminContext,
  id: string,
  input: CredentialInput,
): Promise<GeneratedSecret | undefined> {
  const tenantId = c.req.param('tenant') ?? ''
  const now = c.env.now()
  const { name, scope = 'provision' } = check(TOKEN_INPUT, { name: input.name, scope: input.scope })
  const isNew = input.client === ''
  const secret = {
    ...{ id, name, createdAt: now, expiresAt: expiryOf(parseLastDay(input.expires, now), now) },
    clientId: isNew ? newClientId(tenantId) : input.client,
  }
  const newClient = isNew ? { name, scope, tokenLifetime: MIN_TOKEN_LIFETIME_SECONDS } : undefined
  const { secret: text, ...generated } = await generateSecret()
  const stored = await insertSecretOnce(c.get('db'), tenantId, { ...secret, ...generated }, newClient)
  if (stored === undefined) throw await refusalOf(c, input, 'secrets')
  return stored === 'taken' ? undefined : { ...stored, text }
}

/**
 * Nothing was stored: there is no such client, or, for a new client, no such tenant.
 *
 * @throws {AdminError} a limit is reached
 */
async function refusalOf(
  c: AdminContext,
  { client }: CredentialInput,
  kind: 'tokens' | 'secrets',
): Promise<Error> {
  const tenantId = c.req.param('tenant') ?? ''
  await refuseBeyondLimits(c.get('db'), tenantId, client === '' ? [kind, 'clients'] : [kind])
  if (client === '') return new NoSuchTenant(tenantId)
  return new AdminError(400, 'invalid', 'Must be one of the clients of this tenant', 'client')
}

function expiryOf(lastDay: number | null, now: number): number {
  if (lastDay !== null && lastDay > now + MAX_SECRET_DAYS * DAY_MS) {
    throw new AdminError(400, 'invalid', `Must be within ${number(MAX_SECRET_DAYS)} days`, 'expires')
  }
  return secretExpiry(lastDay ?? undefined, now)
}
