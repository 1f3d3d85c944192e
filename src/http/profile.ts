/**
 * The profile of the request's tenant: the deviations from the RFCs that it accepts.
 */
import type { Context } from 'hono'
import { exactPath } from '../edge/url.ts'
import type { HttpEnv } from '../runtime.ts'
import { acceptsTokenWithoutScheme, requireExactPath } from '../scim/compatibility/http.ts'
import type { Profile } from '../scim/profile.ts'
import { AccessRefused } from '../storage/access/access-refused.ts'
import { TENANT_PATH } from './url.ts'

export function profileOf(c: Context<HttpEnv>): Profile {
  return c.get('tenant').profile
}

/**
 * Checks that the tenant accepts the exact path and the form of the header with the token. Requests are authenticated and
 * routed before their tenant is known, so both accept all deviations.
 *
 * @throws {ScimError} 401, 404
 */
export function requireAccepted(c: Context<HttpEnv>): void {
  if (!acceptsTokenWithoutScheme(c.req.header('Authorization') ?? '', profileOf(c))) {
    throw new AccessRefused('without scheme')
  }
  const sent = exactPath(c.req.url)
  // The Tenant URL may end in a slash, as the base of relative references (RFC 3986 §5.2.3).
  if (sent !== `${TENANT_PATH}/`) requireExactPath(sent, c.req.path, profileOf(c))
}
