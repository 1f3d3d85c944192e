/**
 * The two parts of a request's address that are needed, cut out of the text: the runtime has parsed and normalised
 * it already, and to do so again takes longer than all the routing.
 */

/** `https://scim.example` of `https://scim.example/scim/v2/Users?count=1`. */
export function originOf(url: string): string {
  return url.slice(0, startOfPath(url))
}

/**
 * The path without double and trailing slashes: Tenant URLs are typed by hand, with and without them. Percent
 * signs stay as they are.
 */
export function forgivingPath(url: string): string {
  const start = startOfPath(url)
  const end = url.slice(start).search(/[?#]/)
  const path = url.slice(start, end < 0 ? undefined : start + end).replace(/\/{2,}/g, '/')
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
}

/** After `http://` or `https://` and at least one character. */
function startOfPath(url: string): number {
  return url.indexOf('/', 'https://'.length)
}
