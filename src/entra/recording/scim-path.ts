/** Separates the Tenant URL of a recorded request from its path. Pure. */
import type { Exchange } from './har.ts'

/** The endpoints of RFC 7644 §3.2. */
const SCIM_URL =
  /^(https?:\/\/[^?#]*?)(\/(?:Users|Groups|Schemas|ResourceTypes|ServiceProviderConfig|Bulk|Me|\.search)(?:[/?].*)?)$/

/** A recorded request to a SCIM endpoint. `path` is relative to the Tenant URL, with the query. */
export interface ScimExchange extends Exchange {
  readonly path: string
}

/** The recorded requests by their Tenant URL, in their order. Other requests, such as those for pages, are left out. */
export function byTenantUrl(exchanges: readonly Exchange[]): ReadonlyMap<string, ScimExchange[]> {
  const tenants = new Map<string, ScimExchange[]>()
  for (const exchange of exchanges) {
    // Without "..", which would lead to other paths of the target.
    const [, base, path] = SCIM_URL.exec(new URL(exchange.url).href) ?? []
    if (base === undefined || path === undefined) continue
    const tenant = tenants.get(base) ?? []
    tenant.push({ ...exchange, path })
    tenants.set(base, tenant)
  }
  return tenants
}

/** True for an endpoint that describes the service provider and has no people. */
export function isDiscovery(path: string): boolean {
  return /^\/(?:Schemas|ResourceTypes|ServiceProviderConfig)\b/.test(path)
}
