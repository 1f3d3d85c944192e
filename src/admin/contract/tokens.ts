/** Tokens: what the clients of a tenant authenticate with. */
import * as v from 'valibot'
import { SCOPE } from './clients.ts'
import { field, NAME, TEXT, TIME, TIME_OR_NULL } from './fields.ts'
import type { Routes } from './route.ts'

/** A time that a client sends, as milliseconds since 1970. */
const MOMENT = v.pipe(
  v.string(),
  v.check((text) => !Number.isNaN(Date.parse(text))),
  v.transform(Date.parse),
  field({ allowed: 'a time such as "2027-01-31T00:00:00Z"', jsonSchema: { format: 'date-time' } }),
)

export const TOKEN_INPUT = v.pipe(
  v.object({
    name: NAME,
    clientId: v.optional(
      v.pipe(TEXT, v.description('Whose token it is. Without it, a client of this name is made.')),
    ),
    scope: v.optional(
      v.pipe(SCOPE, v.description('"provision" if a client is made; else that of the client, and no other.')),
    ),
    expiresAt: v.optional(v.nullable(MOMENT), null),
  }),
  v.title('TokenInput'),
  v.examples([{ name: 'Microsoft Entra', scope: 'provision', expiresAt: null }]),
)

const IDENTITY = {
  id: TEXT,
  clientId: TEXT,
  name: NAME,
  scope: SCOPE,
  createdAt: TIME,
  expiresAt: TIME_OR_NULL,
}

export const TOKEN = v.pipe(
  v.strictObject({ ...IDENTITY, lastUsedAt: TIME_OR_NULL, revokedAt: TIME_OR_NULL }),
  v.title('Token'),
)

export const NEW_TOKEN = v.pipe(
  v.strictObject({
    ...IDENTITY,
    tenantUrl: v.pipe(TEXT, field({ jsonSchema: { format: 'uri' } })),
    token: v.pipe(TEXT, v.regex(/^scim_/)),
  }),
  v.title('NewToken'),
)

export const tokenRoutes = {
  listTokens: {
    method: 'GET',
    path: '/tenants/{id}/tokens',
    summary: 'Lists the tokens of a tenant',
    answers: {
      200: {
        description: 'All tokens, oldest first, revoked and expired ones too.',
        body: v.object({ tokens: v.array(TOKEN) }),
      },
    },
    refusals: [404],
  },
  createToken: {
    method: 'POST',
    path: '/tenants/{id}/tokens',
    summary: 'Generates a token',
    description: 'Only this answer ever holds the token: it is stored as a hash.',
    body: TOKEN_INPUT,
    answers: { 201: { description: 'Generated.', body: NEW_TOKEN } },
    refusals: [404, 409],
  },
  revokeToken: {
    method: 'DELETE',
    path: '/tenants/{id}/tokens/{tokenId}',
    summary: 'Revokes a token, from the next request on',
    answers: { 204: { description: 'Revoked.' } },
    refusals: [404],
  },
} as const satisfies Routes
