/**
 * The path of the Tenant URL, and the normalization of paths for routing.
 */
import { normalizePath } from '../edge/url.ts'
import { endpointInAnyCase } from '../scim/compatibility/http.ts'
import type { ResourceType } from '../scim/schema/definition.ts'
import { GROUP_MEMBERSHIP } from '../scim/schema/group-membership.ts'

/** The path of the Tenant URL. It is the same for all tenants, because the token names the tenant. */
export const TENANT_PATH = '/scim/v2'

/** The path of the event feed, likewise. */
export const EVENTS_PATH = '/events'
export const METRICS_PATH = '/metrics'

/** The paths of the authorization server. RFC 8414 §3: the issuer has no path, so nothing follows the second one. */
export const TOKEN_PATH = '/oauth/token'
export const METADATA_PATH = '/.well-known/oauth-authorization-server'

/** The endpoints that are not stored resource types. */
const OTHER_ENDPOINTS = [
  GROUP_MEMBERSHIP.endpoint,
  '/Schemas',
  '/ResourceTypes',
  '/ServiceProviderConfig',
  '/Bulk',
  '/Me',
]

/**
 * Returns a function that normalizes the path of a URL for routing: slashes as in edge/url.ts, and SCIM endpoints spelled as
 * in RFC 7644 §3.2. The rest of the path is not changed.
 *
 * @param types the resource types with their endpoints
 */
export function routePath(types: readonly Pick<ResourceType, 'endpoint'>[]): (url: string) => string {
  const endpoints = [...types.map(({ endpoint }) => endpoint), ...OTHER_ENDPOINTS]
  const pathOf = (url: string): string => {
    const path = normalizePath(url)
    if (!path.startsWith(`${TENANT_PATH}/`)) return path
    return `${TENANT_PATH}${endpointInAnyCase(path.slice(TENANT_PATH.length), endpoints)}`
  }
  // Asked several times for each request.
  let last = { url: '', path: '' }
  return (url) => {
    if (url !== last.url) last = { url, path: pathOf(url) }
    return last.path
  }
}
