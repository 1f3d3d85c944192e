/** Handlers of the routes of administrators. */
import { type AdminToken, adminTokensQuery } from '../../storage/administrators/admin-tokens.ts'
import { readTogether } from '../../storage/database/query.ts'
import type { administratorRoutes } from '../contract/administrators.ts'
import { generateAdminTokenOf, revokeAdminTokenOf } from '../people/admin-tokens.ts'
import { isoTime, isoTimeOrNull } from '../read-models.ts'
import type { Handlers } from './serve.ts'

export const administratorHandlers: Handlers<typeof administratorRoutes> = {
  async listAdminTokens({ db, c }) {
    const { tokens } = await readTogether(db, { tokens: adminTokensQuery(c.env.now()) })
    const json = ({ lastUsedAt, revokedAt, ...token }: AdminToken) => ({
      ...identityJson(token),
      lastUsedAt: isoTimeOrNull(lastUsedAt),
      revokedAt: isoTimeOrNull(revokedAt),
    })
    return { status: 200, body: { tokens: tokens.map(json) } }
  },

  async createAdminToken({ body, c }) {
    const generated = await generateAdminTokenOf(c, c.env.newId(), body)
    if (generated === undefined) throw new Error('a new id is in use')
    const { token, ...identity } = generated
    // Only this answer contains the token.
    return { status: 201, body: { ...identityJson(identity), token } }
  },

  async revokeAdminToken({ parameters: { adminTokenId }, c }) {
    await revokeAdminTokenOf(c, adminTokenId)
    return { status: 204 }
  },
}

function identityJson({ createdAt, expiresAt, ...identity }: Omit<AdminToken, 'lastUsedAt' | 'revokedAt'>) {
  return { ...identity, createdAt: isoTime(createdAt), expiresAt: isoTimeOrNull(expiresAt) }
}
