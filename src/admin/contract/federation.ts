/**
 * Federation: the issuer whose assertions a client presents instead of a secret (RFC 7523 §2.2). A client has one at most.
 */
import * as v from 'valibot'
import { field, TEXT, TEXT_OR_NULL, TIME, TIME_OR_NULL, URI } from './fields.ts'
import type { Routes } from './route.ts'

const MAX_CLAIM_CHARACTERS = 500
const MAX_AUDIENCES = 10

/** A claim is compared exactly, so nothing is removed from it. */
const CLAIM = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(MAX_CLAIM_CHARACTERS),
  v.check((text) => text.isWellFormed() && !/\p{Cc}/u.test(text)),
  field({ allowed: `a text of 1 to ${MAX_CLAIM_CHARACTERS} characters without control characters` }),
)

const JWKS = v.pipe(
  v.unknown(),
  field({
    jsonSchema: {
      type: 'object',
      required: ['keys'],
      properties: { keys: { type: 'array', items: { type: 'object' } } },
    },
  }),
)

export const FEDERATION_INPUT = v.pipe(
  v.strictObject({
    issuer: v.optional(v.pipe(CLAIM, v.description('The claim `iss`. The default is the id of the client.'))),
    jwksUri: v.optional(
      v.pipe(
        CLAIM,
        v.description(
          'The URL of the keys of the issuer. Its host is one of Microsoft Entra ID or of the setting FEDERATION_HOSTS.',
        ),
      ),
    ),
    jwks: v.optional(v.pipe(JWKS, v.description('The keys of the issuer, instead of a URL (RFC 7517 §5).'))),
    subject: v.optional(
      v.pipe(CLAIM, v.description('The claim `sub`. The default is the id of the client.')),
    ),
    audiences: v.optional(
      v.pipe(
        v.array(CLAIM),
        v.minLength(1),
        v.maxLength(MAX_AUDIENCES),
        field({ allowed: `a list of 1 to ${MAX_AUDIENCES} texts` }),
        v.description(
          'The claim `aud` has one of them. The default is the token endpoint, and the origin of the server.',
        ),
      ),
    ),
    tid: v.optional(v.nullable(CLAIM), null),
    azp: v.optional(v.nullable(CLAIM), null),
  }),
  v.title('FederationInput'),
  v.examples([
    {
      issuer: 'https://login.microsoftonline.com/3f2a8c1e-5b7d-4e9a-8c6f-1d2e3f4a5b6c/v2.0',
      jwksUri: 'https://login.microsoftonline.com/3f2a8c1e-5b7d-4e9a-8c6f-1d2e3f4a5b6c/discovery/v2.0/keys',
      subject: '5bd2b0f9-8d2f-4a5f-b7a5-0d8f2b1c9e10',
      audiences: ['b5ba7a93-4452-4522-aeb4-a2b5da870c16', 'api://b5ba7a93-4452-4522-aeb4-a2b5da870c16'],
      tid: '3f2a8c1e-5b7d-4e9a-8c6f-1d2e3f4a5b6c',
      azp: null,
    },
  ]),
)

const FEDERATION_FIELDS = {
  clientId: TEXT,
  issuer: TEXT,
  jwksUri: TEXT_OR_NULL,
  jwks: v.optional(JWKS),
  subject: TEXT,
  audiences: v.array(TEXT),
  tid: TEXT_OR_NULL,
  azp: TEXT_OR_NULL,
  createdAt: TIME,
  lastUsedAt: v.pipe(
    TIME_OR_NULL,
    v.description('The latest issue of an access token, accurate to the minute.'),
  ),
}

export const FEDERATION = v.pipe(v.strictObject(FEDERATION_FIELDS), v.title('Federation'))

/** With the addresses that the client needs. */
const NEW_FEDERATION = v.pipe(
  v.strictObject({
    ...FEDERATION_FIELDS,
    tokenUrl: v.pipe(URI, v.description('The token endpoint.')),
    tenantUrl: URI,
  }),
  v.title('NewFederation'),
)

export const federationRoutes = {
  putFederation: {
    method: 'PUT',
    path: '/tenants/{id}/clients/{clientId}/federation',
    permission: 'change',
    summary: 'Adds or replaces the federation of a client',
    description:
      'The client then gets access tokens for assertions of this issuer. Without `issuer`, `subject` and `audiences`, the client signs its own assertions (`private_key_jwt`). Access tokens that were issued for earlier assertions are revoked.',
    body: FEDERATION_INPUT,
    answers: { 200: { description: 'The federation.', body: NEW_FEDERATION } },
    refusals: [404],
  },
  deleteFederation: {
    method: 'DELETE',
    path: '/tenants/{id}/clients/{clientId}/federation',
    permission: 'change',
    summary: 'Removes the federation of a client',
    description: 'Access tokens that were issued for its assertions are revoked.',
    answers: { 204: { description: 'Removed.' } },
    refusals: [404],
  },
} as const satisfies Routes
