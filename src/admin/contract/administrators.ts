/** Named tokens of administrators. */
import * as v from 'valibot'
import { ROLES } from '../../administrators/role.ts'
import { field, NAME, TEXT, TIME, TIME_INPUT, TIME_OR_NULL } from './fields.ts'
import type { Routes } from './route.ts'

/** The most tenants of one token, so that a session cookie can hold their ids. */
const MAX_TENANTS = 20

const ROLE = v.pipe(
  v.picklist(ROLES),
  v.description(
    'A "viewer" reads and sees no secret, an "admin" also changes everything within its tenants, and an "owner" also deletes them. An owner of all tenants also creates tenants and manages administrators.',
  ),
)
const TENANTS = v.nullable(
  v.pipe(
    v.array(v.pipe(TEXT, v.regex(/^[a-z][a-z0-9-]{0,39}$/), field({ allowed: 'the id of a tenant' }))),
    v.minLength(1),
    v.maxLength(MAX_TENANTS),
    field({
      allowed: `a list of 1 to ${MAX_TENANTS} ids of tenants`,
      jsonSchema: { minItems: 1, maxItems: MAX_TENANTS },
    }),
  ),
)

export const ADMIN_TOKEN_INPUT = v.pipe(
  v.strictObject({
    name: NAME,
    role: ROLE,
    tenants: v.optional(
      v.pipe(TENANTS, v.description('The tenants that the role is limited to; null: all tenants.')),
      null,
    ),
    expiresAt: v.pipe(
      v.nullable(TIME_INPUT),
      v.description('Null: the token does not expire, which has to be said.'),
    ),
  }),
  v.title('AdminTokenInput'),
  v.examples([{ name: 'Nightly report', role: 'viewer', tenants: ['acme'], expiresAt: null }]),
)

const IDENTITY = {
  id: TEXT,
  name: NAME,
  role: ROLE,
  tenants: TENANTS,
  firstCharacters: v.pipe(TEXT, v.description('The first characters of the token.')),
  lastCharacters: v.pipe(TEXT, v.description('The last characters of the token.')),
  createdBy: v.pipe(TEXT, v.description('The name of the administrator who generated it.')),
  createdAt: TIME,
  expiresAt: TIME_OR_NULL,
}

const ADMIN_TOKEN = v.pipe(
  v.strictObject({ ...IDENTITY, lastUsedAt: TIME_OR_NULL, revokedAt: TIME_OR_NULL }),
  v.title('AdminToken'),
)

const NEW_ADMIN_TOKEN = v.pipe(
  v.strictObject({ ...IDENTITY, token: v.pipe(TEXT, v.regex(/^scimadmin_/)) }),
  v.title('NewAdminToken'),
)

export const administratorRoutes = {
  listAdminTokens: {
    method: 'GET',
    path: '/administrators/tokens',
    permission: 'own installation',
    summary: 'Lists the named tokens of administrators',
    answers: {
      200: {
        description:
          'The tokens, newest first: all valid ones, and the 100 newest of those that have ended. Those that ended more than 90 days ago may be missing.',
        body: v.object({ tokens: v.array(ADMIN_TOKEN) }),
      },
    },
    refusals: [],
  },
  createAdminToken: {
    method: 'POST',
    path: '/administrators/tokens',
    permission: 'own installation',
    summary: 'Generates a named token for an administrator or a script',
    description:
      'Only this answer contains the token, because only its hash is stored. The token is valid for the admin API and for signing in to the dashboard.',
    body: ADMIN_TOKEN_INPUT,
    answers: { 201: { description: 'Generated.', body: NEW_ADMIN_TOKEN } },
    refusals: [409],
  },
  revokeAdminToken: {
    method: 'DELETE',
    path: '/administrators/tokens/{adminTokenId}',
    permission: 'own installation',
    summary: 'Revokes a named token of an administrator',
    description: 'The token, and the sessions that began with it, are refused from the next request on.',
    answers: { 204: { description: 'Revoked.' } },
    refusals: [404],
  },
} as const satisfies Routes
