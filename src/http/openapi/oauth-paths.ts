/**
 * The OpenAPI paths of the token endpoint (RFC 6749) and of its metadata (RFC 8414).
 */
import { JWT_BEARER } from '../oauth/client-credential.ts'
import { SCOPES } from '../oauth/scope.ts'
import { METADATA_PATH, TOKEN_PATH } from '../url.ts'
import { type Json, object } from './json-schema.ts'

const TEXT = { type: 'string' } as const
const TEXTS = { type: 'array', items: TEXT } as const

const CODES = [
  'invalid_request',
  'invalid_client',
  'invalid_scope',
  'unauthorized_client',
  'unsupported_grant_type',
  'temporarily_unavailable',
  'server_error',
] as const

/** The schemas of the bodies, by name. */
export const OAUTH_SCHEMAS: Json = {
  TokenRequest: object(
    {
      grant_type: { const: 'client_credentials' },
      client_id: { ...TEXT, description: 'Unless the Authorization header has it.' },
      client_secret: { ...TEXT, description: 'Unless the Authorization header has it.' },
      client_assertion: {
        ...TEXT,
        description:
          'A JSON Web Token of the issuer that the client trusts, instead of a secret (RFC 7523 §2.2).',
      },
      client_assertion_type: { const: JWT_BEARER, description: 'Required with client_assertion.' },
      scope: {
        ...TEXT,
        description: '"scim": all that the client may do, the default. "scim:read": reads only.',
      },
    },
    ['grant_type'],
  ),
  AccessToken: object(
    {
      access_token: { ...TEXT, pattern: '^scim_' },
      token_type: { const: 'Bearer' },
      expires_in: { type: 'integer', description: 'Seconds, 3,600 to 21,600.' },
      scope: { ...TEXT, enum: SCOPES },
    },
    ['access_token', 'token_type', 'expires_in', 'scope'],
  ),
  OauthError: object({ error: { ...TEXT, enum: CODES }, error_description: TEXT }, ['error'], true),
  AuthorizationServer: object(
    {
      issuer: TEXT,
      token_endpoint: TEXT,
      scopes_supported: TEXTS,
      response_types_supported: TEXTS,
      grant_types_supported: TEXTS,
      token_endpoint_auth_methods_supported: TEXTS,
      token_endpoint_auth_signing_alg_values_supported: TEXTS,
    },
    ['issuer', 'response_types_supported'],
  ),
}

export const OAUTH_PATHS: Json = {
  [TOKEN_PATH]: {
    post: {
      tags: ['OAuth'],
      operationId: 'issueAccessToken',
      summary: 'Exchanges the secret or the assertion of a client for an access token',
      description:
        'The client authenticates with a secret in the Authorization header (Basic) or in the body (RFC 6749 §2.3.1), or with an assertion, and with one of them only. Unknown parameters are ignored.',
      security: [{ clientSecret: [] }, {}],
      requestBody: {
        required: true,
        content: { 'application/x-www-form-urlencoded': { schema: schema('TokenRequest') } },
      },
      responses: {
        200: answer('Issued.', 'AccessToken'),
        400: answer('The request is invalid (RFC 6749 §5.2).', 'OauthError'),
        401: answer('The client is unknown, or its credential is wrong, expired or revoked.', 'OauthError'),
        429: answer(
          'Too many requests of this client, or invalid credentials from this address.',
          'OauthError',
        ),
        503: answer(
          'The tenant is moved or imported, or the database or the keys of the issuer are unavailable.',
          'OauthError',
        ),
      },
    },
  },
  [METADATA_PATH]: {
    get: {
      tags: ['OAuth'],
      operationId: 'getAuthorizationServer',
      summary: 'Describes the token endpoint',
      security: [],
      responses: { 200: answer('The metadata (RFC 8414).', 'AuthorizationServer') },
    },
  },
}

function answer(description: string, name: string): Json {
  return { description, content: { 'application/json': { schema: schema(name) } } }
}

function schema(name: string): Json {
  return { $ref: `#/components/schemas/${name}` }
}
