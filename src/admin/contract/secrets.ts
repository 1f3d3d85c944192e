/** Secrets of clients, which they exchange for access tokens (RFC 6749 §4.4). */
import * as v from 'valibot'
import { DEFAULT_SECRET_DAYS, MAX_SECRET_DAYS, MAX_SECRETS } from '../../scim/limits.ts'
import { NAME, TEXT, TEXT_OR_NULL, TIME, TIME_INPUT, TIME_OR_NULL, URI } from './fields.ts'
import type { Routes } from './route.ts'

const SECRET_INPUT = v.pipe(
  v.strictObject({
    name: v.optional(NAME, 'Client secret'),
    expiresAt: v.optional(
      v.pipe(
        TIME_INPUT,
        v.description(
          `At most ${MAX_SECRET_DAYS} days from now; by default, the secret expires in ${DEFAULT_SECRET_DAYS} days.`,
        ),
      ),
    ),
  }),
  v.title('SecretInput'),
  v.examples([{ name: 'Microsoft Entra, 2027' }]),
)

const IDENTITY = {
  id: TEXT,
  clientId: TEXT,
  name: NAME,
  lastCharacters: v.pipe(TEXT, v.description('The last four characters of the secret.')),
  createdAt: TIME,
  expiresAt: TIME,
}

export const SECRET = v.pipe(
  v.strictObject({
    ...IDENTITY,
    lastUsedAt: v.pipe(
      TIME_OR_NULL,
      v.description('The latest issue of an access token, accurate to the minute.'),
    ),
    revokedAt: TIME_OR_NULL,
    replacedBy: v.pipe(
      TEXT_OR_NULL,
      v.description(
        'The secret that replaces it after a rotation in the dashboard. This one is to be revoked.',
      ),
    ),
  }),
  v.title('Secret'),
)

export const NEW_SECRET = v.pipe(
  v.strictObject({
    ...IDENTITY,
    clientSecret: v.pipe(TEXT, v.regex(/^scims_/)),
    tokenUrl: v.pipe(URI, v.description('The token endpoint.')),
    tenantUrl: URI,
  }),
  v.title('NewSecret'),
)

export const secretRoutes = {
  createSecret: {
    method: 'POST',
    path: '/tenants/{id}/clients/{clientId}/secrets',
    permission: 'change',
    summary: 'Generates a secret of a client',
    description: `Only this answer contains the secret, because only its hash is stored. Other secrets stay valid. A tenant can have ${MAX_SECRETS} secrets that are not revoked.`,
    body: SECRET_INPUT,
    answers: { 201: { description: 'Generated.', body: NEW_SECRET } },
    refusals: [404, 409],
  },
  revokeSecret: {
    method: 'DELETE',
    path: '/tenants/{id}/clients/{clientId}/secrets/{secretId}',
    permission: 'change',
    summary: 'Revokes a secret and the access tokens that were issued for it',
    description: 'They are refused from the next request on.',
    answers: { 204: { description: 'Revoked.' } },
    refusals: [404],
  },
  revokeSecretById: {
    method: 'DELETE',
    path: '/tenants/{id}/secrets/{secretId}',
    permission: 'change',
    summary: 'The same, for a caller that does not know the client of the secret',
    answers: { 204: { description: 'Revoked.' } },
    refusals: [404],
  },
} as const satisfies Routes
