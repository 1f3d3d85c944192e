/**
 * The headers of a trusted proxy: the address of the client, and the origin that the client requested, from which the
 * Tenant URL and all locations follow. Without trust they are ignored, because any client can send them.
 */
import { isHost } from '../edge/address.ts'
import { originOf } from '../edge/url.ts'

/** A request and the address that it came from. */
export interface Received {
  readonly request: Request
  readonly address: string
}

/** The request as the client sent it. */
export interface Forwarded {
  /** Such as `https://scim.example:8443`; undefined if the proxy does not send it. */
  readonly origin: string | undefined
  readonly address: string
}

/** A header of the proxy is invalid. */
export class ForwardedError extends Error {}

/**
 * Reads X-Forwarded-Proto, -Host and -For. The last value of a list counts: the proxy added it, and the client may
 * have sent the previous ones.
 *
 * @throws {ForwardedError} naming the header
 */
export function forwarded({ request, address }: Received): Forwarded {
  const { headers } = request
  const scheme = last(headers.get('X-Forwarded-Proto'))?.toLowerCase()
  const host = last(headers.get('X-Forwarded-Host'))
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https') {
    throw new ForwardedError('"X-Forwarded-Proto" must be "http" or "https"')
  }
  if (host !== undefined && !isHost(host)) {
    throw new ForwardedError('"X-Forwarded-Host" must be host or host:port')
  }
  const isSilent = scheme === undefined && host === undefined
  return {
    origin: isSilent ? undefined : originWith(request, scheme, host),
    address: last(headers.get('X-Forwarded-For')) ?? address,
  }
}

/** A missing part is taken from the request of the proxy; the default port of a scheme is left out. */
function originWith(
  { url, headers }: Request,
  scheme: string | undefined,
  host: string | undefined,
): string | undefined {
  const [ownScheme, ownHost] = originOf(url).split('://')
  const text = `${scheme ?? ownScheme}://${host ?? headers.get('Host') ?? ownHost}`
  // The app refuses an invalid "Host" of the request itself.
  return URL.canParse(text) ? new URL(text).origin : undefined
}

function last(header: string | null): string | undefined {
  return header?.split(',').at(-1)?.trim() || undefined
}
