/**
 * Extracts parts of a request's URL from its text. The runtime has already parsed and normalised the URL; parsing it
 * again would take longer than the routing. address.ts has rejected URLs for which this does not work.
 */
import type { Runtime } from '../runtime.ts'

/**
 * The origin that clients use: from the runtime (PUBLIC_URL or a trusted proxy), otherwise from the request. It
 * determines the Tenant URL, locations, redirects and the dashboard's cookie.
 */
export function publicOrigin(c: { readonly env: Runtime; readonly req: { readonly url: string } }): string {
  return c.env.publicOrigin ?? originOf(c.req.url)
}

/** Returns `https://scim.example` for `https://scim.example/scim/v2/Users?count=1`. */
export function originOf(url: string): string {
  return url.slice(0, startOfPath(url))
}

/** Returns `scim.example` for `https://scim.example/scim/v2/Users?count=1`. */
export function authorityOf(url: string): string {
  return url.slice(url.indexOf('//') + 2, startOfPath(url))
}

/**
 * Removes a trailing slash and, below the Tenant URL, double slashes, because Tenant URLs are typed by hand. Other paths
 * keep double slashes: a proxy that protects `/admin` may forward `//admin`. Percent-encoding is kept.
 */
export function normalizePath(url: string): string {
  const exact = exactPath(url)
  const path =
    exact.includes('//') && /^\/+scim\/+v2(?:\/|$)/.test(exact) ? exact.replace(/\/{2,}/g, '/') : exact
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
}

/** The path exactly as it was sent. */
export function exactPath(url: string): string {
  const start = startOfPath(url)
  const fragment = url.indexOf('#', start)
  const end = fragment < 0 ? url.length : fragment
  const query = url.indexOf('?', start)
  return url.slice(start, query < 0 ? end : Math.min(query, end))
}

/** The index of the first slash after `http://` or `https://` and at least one character. */
function startOfPath(url: string): number {
  return url.indexOf('/', 'https://'.length)
}
