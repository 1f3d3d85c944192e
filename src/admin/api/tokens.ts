/** Handlers of the token routes. */
import { quote } from '../../scim/error.ts'
import { clientQuery } from '../../storage/access/clients.ts'
import { generateToken, insertToken } from '../../storage/access/token-administration.ts'
import { tokensQuery } from '../../storage/access/token-rotation.ts'
import type { TokenScope } from '../../storage/access/tokens.ts'
import type { Database } from '../../storage/database/database.ts'
import { readTogether } from '../../storage/database/query.ts'
import { getTenant, tenantQuery } from '../../storage/tenants/queries.ts'
import type { tokenRoutes } from '../contract/tokens.ts'
import { refuseBeyondLimits } from '../credential-limits.ts'
import { revokeTokenOf } from '../end-access.ts'
import { AdminError, invalidField } from '../errors.ts'
import { newTokenJson, tokenJson } from '../read-models.ts'
import { requireTenant } from '../require-tenant.ts'
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
      throw invalidField('expiresAt', 'a time in the future', new Date(body.expiresAt).toISOString())
    }
    const { token: secret, ...generated } = await generateToken(id)
    await requireScope(db, id, body)
    const token = await insertToken(db, id, { ...body, id: c.env.newId(), createdAt: now, ...generated })
    if (token === undefined) {
      await refuseBeyondLimits(db, id, body.clientId === undefined ? ['tokens', 'clients'] : ['tokens'])
      const tenant = requireTenant(await getTenant(db, id), id)
      throw body.clientId === undefined ? notReady(tenant) : noClient(body.clientId)
    }
    // Only this answer contains the token.
    return { status: 201, body: { ...newTokenJson(token), tenantUrl: tenantUrl(c), token: secret } }
  },

  async revokeToken({ parameters: { id, tokenId }, c }) {
    if (!(await revokeTokenOf(c, id, tokenId))) {
      throw new AdminError(404, 'notFound', `tenant ${quote(id)} has no token ${quote(tokenId)}`)
    }
    return { status: 204 }
  },
}

/** Checks that the scope is the scope of the client. @throws {AdminError} 400 */
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
