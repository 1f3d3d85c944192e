/** Tokens: the bearer tokens that an administrator generates for the clients of a tenant. */
import * as v from 'valibot'
import { SCOPE } from './clients.ts'
import { NAME, TEXT, TIME, TIME_INPUT, TIME_OR_NULL, URI } from './fields.ts'
import type { Routes } from './route.ts'

export const TOKEN_INPUT = v.pipe(
  v.strictObject({
    name: NAME,
    clientId: v.optional(
      v.pipe(
        TEXT,
        v.description(
          'The client that owns the token. By default, a client with the name of the token is created.',
        ),
      ),
    ),
    scope: v.optional(
      v.pipe(SCOPE, v.description('The scope of the client. The default for a new client is "provision".')),
    ),
    expiresAt: v.optional(v.nullable(TIME_INPUT), null),
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
    tenantUrl: URI,
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
        description:
          'All tokens, oldest first, including revoked and expired ones. Access tokens are not listed.',
        body: v.object({ tokens: v.array(TOKEN) }),
      },
    },
    refusals: [404],
  },
  createToken: {
    method: 'POST',
    path: '/tenants/{id}/tokens',
    summary: 'Generates a token',
    description: 'Only this answer contains the token, because only its hash is stored.',
    body: TOKEN_INPUT,
    answers: { 201: { description: 'Generated.', body: NEW_TOKEN } },
    refusals: [404, 409],
  },
  revokeToken: {
    method: 'DELETE',
    path: '/tenants/{id}/tokens/{tokenId}',
    summary: 'Revokes a token',
    description: 'The token is refused from the next request on.',
    answers: { 204: { description: 'Revoked.' } },
    refusals: [404],
  },
} as const satisfies Routes
