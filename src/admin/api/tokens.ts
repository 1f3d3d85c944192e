/** Handlers of the routes of tokens. */
import { quote } from '../../scim/error.ts'
import { readTogether } from '../../storage/query.ts'
import { tenantQuery } from '../../storage/tenant-queries.ts'
import { getTenant } from '../../storage/tenants.ts'
import { tokensQuery } from '../../storage/token-rotation.ts'
import { generateToken, insertToken, revokeToken } from '../../storage/tokens.ts'
import type { tokenRoutes } from '../contract/tokens.ts'
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
      throw invalidField('expiresAt', 'in the future', new Date(body.expiresAt).toISOString())
    }
    const token = { ...body, id: c.env.newId(), createdAt: now }
    const { token: secret, hash } = await generateToken(id)
    if (!(await insertToken(db, id, { ...token, hash }))) {
      throw notReady(requireTenant(await getTenant(db, id), id))
    }
    // Only this answer ever holds the token.
    return { status: 201, body: { ...newTokenJson(token), tenantUrl: tenantUrl(c), token: secret } }
  },

  async revokeToken({ db, parameters: { id, tokenId }, c }) {
    if (!(await revokeToken(db, id, tokenId, c.env.now()))) {
      throw new AdminError(404, 'notFound', `tenant ${quote(id)} has no token ${quote(tokenId)}`)
    }
    return { status: 204 }
  },
}
