/**
 * Validates the address of a request: the Host must be a host, and the query must be decodable. Some runtimes (Deno)
 * build the URL by prepending the "Host" header to the path, so `Host: a/admin?` would choose the route.
 */
import { badRequest, quote, ScimError } from '../scim/error.ts'
import { authorityOf } from './url.ts'

/**
 * Labels of a name or an IPv4 address, and a port (RFC 3986 §3.2.2, §3.2.3). Underscores are allowed because real host
 * names contain them.
 */
const NAME =
  /^(?=.{1,253}(?::|$))[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*\.?(?::\d{1,5})?$/i
const IP_LITERAL = /^\[[0-9a-f:.]{2,45}\](?::\d{1,5})?$/i

/** The last text that was a host: most requests have the same. */
let lastHost = ''

/** True if a text is `host` or `host:port` as allowed in a "Host" header (RFC 9110 §7.2). */
export function isHost(text: string): boolean {
  if (text === lastHost && text !== '') return true
  // The URL parser rejects ports out of range and addresses such as 1.2.3.999.
  const isOne = (NAME.test(text) || IP_LITERAL.test(text)) && URL.canParse(`http://${text}`)
  if (isOne) lastHost = text
  return isOne
}

/** The part of a Hono context that is used here. */
interface Addressed {
  readonly req: { readonly url: string; header(name: string): string | undefined }
}

/**
 * Rejects requests whose address is ambiguous. Applies to every path, because a forged "Host" changes the path too.
 *
 * @throws {ScimError} 400 if the Host is not a host or differs from the host of the request line; invalidSyntax if the
 * query is not percent-encoded UTF-8
 */
export function requireValidAddress(c: Addressed): void {
  const { url } = c.req
  const authority = authorityOf(url)
  // Internal requests (bulk operations) have a URL but no "Host" header.
  const host = c.req.header('Host') ?? authority
  if (!isHost(host))
    throw new ScimError(400, undefined, `"Host" must be host or host:port, found ${quote(host)}`)
  if (!isSameHost(host, authority)) {
    throw new ScimError(400, undefined, `"Host" must be the host of the request line, found ${quote(host)}`)
  }
  if (!isDecodable(url)) {
    throw badRequest('invalidSyntax', 'the query must be UTF-8 with percent-encoding (RFC 3986 §2.1)')
  }
}

/** Some runtimes convert the host to lower case and remove the default port. */
function isSameHost(host: string, authority: string): boolean {
  if (host === authority) return true
  if (!isHost(authority)) return false
  return [`http://`, `https://`].some(
    (scheme) => new URL(scheme + host).host === new URL(scheme + authority).host,
  )
}

/** A percent sign before anything but a character of ASCII in hexadecimal, which is always UTF-8. */
const BEYOND_ASCII = /%(?![0-7][0-9a-f])/i

function isDecodable(url: string): boolean {
  const start = url.indexOf('?')
  if (start < 0 || !BEYOND_ASCII.test(url)) return true
  try {
    decodeURIComponent(url.slice(start))
    return true
  } catch {
    return false
  }
}
