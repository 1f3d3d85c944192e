/**
 * The parts of a request's address that are needed, cut out of the text: the runtime has parsed and normalised it
 * already, and to do so again takes longer than all the routing. address.ts has refused what cannot be cut so.
 */
import type { Runtime } from '../runtime.ts'

/**
 * The origin that clients use: what the runtime says (PUBLIC_URL, a trusted proxy), else that of the request. The
 * Tenant URL, locations, redirects and the cookie of the dashboard follow from it.
 */
export function publicOrigin(c: { readonly env: Runtime; readonly req: { readonly url: string } }): string {
  return c.env.publicOrigin ?? originOf(c.req.url)
}

/** `https://scim.example` of `https://scim.example/scim/v2/Users?count=1`. */
export function originOf(url: string): string {
  return url.slice(0, startOfPath(url))
}

/** `scim.example` of `https://scim.example/scim/v2/Users?count=1`. */
export function authorityOf(url: string): string {
  return url.slice(url.indexOf('//') + 2, startOfPath(url))
}

/**
 * The path without a trailing slash, and below the Tenant URL without double ones: it is typed by hand, with and
 * without them. Not elsewhere: a proxy that keeps strangers from `/admin` may let `//admin` through. Percent signs stay
 * as they are.
 */
export function forgivingPath(url: string): string {
  const exact = exactPath(url)
  const path = /^\/+scim\/+v2(?:\/|$)/.test(exact) ? exact.replace(/\/{2,}/g, '/') : exact
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
}

/** The path as it was sent. */
export function exactPath(url: string): string {
  const start = startOfPath(url)
  const end = url.slice(start).search(/[?#]/)
  return url.slice(start, end < 0 ? undefined : start + end)
}

/** After `http://` or `https://` and at least one character. */
function startOfPath(url: string): number {
  return url.indexOf('/', 'https://'.length)
}
