/**
 * The profile of the tenant of a request: which deviations from the RFCs it accepts.
 */
import type { Context } from 'hono'
import { createMiddleware } from 'hono/factory'
import { exactPath } from '../edge/url.ts'
import type { HttpEnv } from '../runtime.ts'
import { requireExactPath } from '../scim/compatibility/http.ts'
import { PROFILES, type Profile } from '../scim/profile.ts'
import { TENANT_PATH } from './url.ts'

/** The one place that says which profile holds. TODO: that of the tenant's configuration (TenantContext.profile). */
export function profileOf(c: Context<HttpEnv>): Profile {
  return c.env.profileOf?.(c.get('credentials').tenantId) ?? PROFILES.tolerant
}

/**
 * Refuses a path that only a deviation leads to its endpoint. After the authentication: before, no tenant is known, so
 * requests are routed by the most tolerant reading.
 *
 * @throws {ScimError} 404
 */
export const acceptedPath = createMiddleware<HttpEnv>(async function acceptedPath(c, next) {
  const sent = exactPath(c.req.url)
  // A Tenant URL may end in a slash: then it is the base of relative references (RFC 3986 §5.2.3).
  if (sent !== `${TENANT_PATH}/`) requireExactPath(sent, c.req.path, profileOf(c))
  await next()
})
