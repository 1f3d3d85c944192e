/**
 * The profile of the tenant of a request: which deviations from the RFCs it accepts.
 */
import type { Context } from 'hono'
import { exactPath } from '../edge/url.ts'
import type { HttpEnv } from '../runtime.ts'
import { requireExactPath } from '../scim/compatibility/http.ts'
import type { Profile } from '../scim/profile.ts'
import { TENANT_PATH } from './url.ts'

export function profileOf(c: Context<HttpEnv>): Profile {
  return c.get('tenant').profile
}

/**
 * Refuses a path that only a deviation leads to its endpoint. Requests are routed before their tenant is known, and so
 * by the most tolerant reading.
 *
 * @throws {ScimError} 404
 */
export function requireAcceptedPath(c: Context<HttpEnv>): void {
  const sent = exactPath(c.req.url)
  // A Tenant URL may end in a slash: then it is the base of relative references (RFC 3986 §5.2.3).
  if (sent !== `${TENANT_PATH}/`) requireExactPath(sent, c.req.path, profileOf(c))
}
