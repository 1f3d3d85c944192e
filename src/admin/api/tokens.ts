/** Handlers of the routes of tokens. */
import { quote } from '../../scim/error.ts'
import { clientQuery } from '../../storage/clients.ts'
import type { Database } from '../../storage/database.ts'
import { readTogether } from '../../storage/query.ts'
import { tenantQuery } from '../../storage/tenant-queries.ts'
import { getTenant } from '../../storage/tenants.ts'
import { tokensQuery } from '../../storage/token-rotation.ts'
import { generateToken, insertToken, type TokenScope } from '../../storage/tokens.ts'
import type { tokenRoutes } from '../contract/tokens.ts'
import { AdminError, invalidField } from '../errors.ts'
import { newTokenJson, tokenJson } from '../read-models.ts'
import { requireTenant } from '../require-tenant.ts'
import { revokeTokenOf } from '../revoke-token.ts'
import { notReady } from '../tenant-state.ts'
import { tenantUrl } from '../tenant-url.ts'
import type { Handlers } from './serve.ts'

export const tokenHandlers: Handlers<typeof tokenRoutes> = {
  async listTokens({ db, parameters: { id } }) {
    const { tenant, tokens } = await readTogether(db, { tenant: tenantQuery(id), tokens: tokensQuery(id) })
    requireTenant(tenant, id)
    return { status: 200, body: { tokens: tokens.toReversed().map(tokenJson) } }
  },

  async createToken({ db, parameters: { id }, body, c }) {
    const now = c.env.now()
    if (body.expiresAt !== null && body.expiresAt <= now) {
      throw invalidField('expiresAt', 'in the future', new Date(body.expiresAt).toISOString())
    }
    const { token: secret, hash } = await generateToken(id)
    await requireScope(db, id, body)
    const token = await insertToken(db, id, { ...body, id: c.env.newId(), createdAt: now, hash })
    if (token === undefined) {
      const tenant = requireTenant(await getTenant(db, id), id)
      throw body.clientId === undefined ? notReady(tenant) : noClient(body.clientId)
    }
    // Only this answer ever holds the token.
    return { status: 201, body: { ...newTokenJson(token), tenantUrl: tenantUrl(c), token: secret } }
  },

  async revokeToken({ parameters: { id, tokenId }, c }) {
    if (!(await revokeTokenOf(c, id, tokenId))) {
      throw new AdminError(404, 'notFound', `tenant ${quote(id)} has no token ${quote(tokenId)}`)
    }
    return { status: 204 }
  },
}

/** All tokens of a client have its scope. @throws {AdminError} 400 */
async function requireScope(
  db: Database,
  tenantId: string,
  { clientId, scope }: { readonly clientId?: string | undefined; readonly scope?: TokenScope | undefined },
): Promise<void> {
  if (clientId === undefined || scope === undefined) return
  const { client } = await readTogether(db, { client: clientQuery(tenantId, clientId) })
  if (client === undefined) throw noClient(clientId)
  if (client.scope !== scope) throw invalidField('scope', `"${client.scope}", the scope of the client`, scope)
}

function noClient(id: string): AdminError {
  return invalidField('clientId', 'the id of a client of this tenant', id)
}
