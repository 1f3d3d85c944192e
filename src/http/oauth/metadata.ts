/**
 * The metadata of the authorization server (RFC 8414).
 */
import { type Context, Hono } from 'hono'
import { publicOrigin } from '../../edge/url.ts'
import { ALGORITHMS } from '../../jwt/public-key.ts'
import type { HttpEnv } from '../../runtime.ts'
import { TOKEN_PATH } from '../url.ts'
import { SCOPES } from './scope.ts'

export const metadata = new Hono<HttpEnv>().get('/', (c) =>
  c.json(metadataOf(c), 200, { 'Cache-Control': 'public, max-age=300' }),
)

/** There is no authorization endpoint, so there are no response types. §2 requires the member, although §3.2 omits empty ones. */
function metadataOf(c: Context<HttpEnv>) {
  const issuer = publicOrigin(c)
  return {
    issuer,
    token_endpoint: `${issuer}${TOKEN_PATH}`,
    scopes_supported: SCOPES,
    response_types_supported: [],
    grant_types_supported: ['client_credentials'],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: ALGORITHMS,
  }
}
