/** Handlers of the routes of client secrets. */
import { DAY_MS } from '../../scim/duration.ts'
import { quote } from '../../scim/error.ts'
import { DEFAULT_SECRET_DAYS, MAX_SECRET_DAYS } from '../../scim/limits.ts'
import { generateSecret, insertSecret } from '../../storage/access/client-secrets.ts'
import type { secretRoutes } from '../contract/secrets.ts'
import { refuseBeyondLimits } from '../credential-limits.ts'
import { revokeSecretOf } from '../end-access.ts'
import { AdminError, invalidField } from '../errors.ts'
import { newSecretJson } from '../read-models.ts'
import { tenantUrl, tokenUrl } from '../tenant-url.ts'
import { noClient } from './clients.ts'
import type { Handlers } from './serve.ts'

export const secretHandlers: Handlers<typeof secretRoutes> = {
  async createSecret({ db, parameters: { id, clientId }, body: { name, expiresAt: asked }, c }) {
    const now = c.env.now()
    const expiresAt = secretExpiry(asked, now)
    const { secret, ...stored } = await generateSecret()
    const created = await insertSecret(db, id, {
      ...{ id: c.env.newId(), clientId, name, createdAt: now, expiresAt },
      ...stored,
    })
    if (created === undefined) {
      await refuseBeyondLimits(db, id, ['secrets'])
      throw noClient(id, clientId)
    }
    // Only this answer contains the secret.
    const urls = { tokenUrl: tokenUrl(c), tenantUrl: tenantUrl(c) }
    return { status: 201, body: { ...newSecretJson(created), clientSecret: secret, ...urls } }
  },

  async revokeSecret({ parameters: { id, clientId, secretId }, c }) {
    if (!(await revokeSecretOf(c, id, { id: secretId, clientId }))) throw noSecret(quote(clientId), secretId)
    return { status: 204 }
  },

  async revokeSecretById({ parameters: { id, secretId }, c }) {
    if (!(await revokeSecretOf(c, id, { id: secretId }))) throw noSecret(`tenant ${quote(id)}`, secretId)
    return { status: 204 }
  },
}

/** When a new secret expires. All times in milliseconds since 1970. @throws {AdminError} 400 */
export function secretExpiry(asked: number | undefined, now: number): number {
  if (asked === undefined) return now + DEFAULT_SECRET_DAYS * DAY_MS
  if (asked > now && asked <= now + MAX_SECRET_DAYS * DAY_MS) return asked
  const allowed = `a time in the future, at most ${MAX_SECRET_DAYS} days from now`
  throw invalidField('expiresAt', allowed, new Date(asked).toISOString())
}

function noSecret(owner: string, id: string): AdminError {
  return new AdminError(404, 'notFound', `${owner} has no secret ${quote(id)}`)
}
