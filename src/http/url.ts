/**
 * The Tenant URL, and the path that a request is routed by.
 */
import { normalizePath } from '../edge/url.ts'
import { endpointInAnyCase } from '../scim/compatibility/http.ts'
import type { ResourceType } from '../scim/schema/definition.ts'

/** The path of the Tenant URL: the same for every tenant, the token names the tenant. */
export const TENANT_PATH = '/scim/v2'

/** Beside those of the resource types. */
const OTHER_ENDPOINTS = ['/Schemas', '/ResourceTypes', '/ServiceProviderConfig', '/Bulk', '/Me']

/**
 * The path below which SCIM is, with the endpoint in the spelling of RFC 7644 §3.2. Everything after it stays as it is.
 *
 * @param types those that have an endpoint
 */
export function routePath(types: readonly Pick<ResourceType, 'endpoint'>[]): (url: string) => string {
  const endpoints = [...types.map(({ endpoint }) => endpoint), ...OTHER_ENDPOINTS]
  return (url) => {
    const path = normalizePath(url)
    if (!path.startsWith(`${TENANT_PATH}/`)) return path
    return `${TENANT_PATH}${endpointInAnyCase(path.slice(TENANT_PATH.length), endpoints)}`
  }
}
