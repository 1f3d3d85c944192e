/**
 * The Tenant URL, and the path that a request is routed by.
 */
import { forgivingPath } from '../edge/url.ts'
import { endpointInAnyCase } from '../scim/compatibility/http.ts'

/** The path of the Tenant URL: the same for every tenant, the token names the tenant. */
export const TENANT_PATH = '/scim/v2'

/**
 * The path below which SCIM is, with the endpoint in the spelling of RFC 7644 §3.2. Everything after it stays as it is.
 */
export function routePath(url: string): string {
  const path = forgivingPath(url)
  if (!path.startsWith(`${TENANT_PATH}/`)) return path
  return `${TENANT_PATH}${endpointInAnyCase(path.slice(TENANT_PATH.length))}`
}
