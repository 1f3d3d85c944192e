/**
 * What a trusted proxy says of the request that it got: the address of the client, and the origin that the client
 * asked for, which the Tenant URL and all locations follow from. Without trust nothing of it is read, because
 * anybody can send these headers.
 */
import { isHost } from '../edge/address.ts'
import { originOf } from '../edge/url.ts'

/** A request, and the address that it came from. */
export interface Received {
  readonly request: Request
  readonly address: string
}

/** As the client sent it. */
export interface Forwarded {
  /** Such as `https://scim.example:8443`; undefined when the proxy says nothing of it. */
  readonly origin: string | undefined
  readonly address: string
}

/** A header of the proxy is not what it must be. */
export class ForwardedError extends Error {}

/**
 * Reads X-Forwarded-Proto, -Host and -For. Of a list the last value counts: that one was added by the proxy,
 * those before it may have been sent by the client.
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

/** What the proxy does not say is that of its own request; a port that a scheme has by default goes. */
function originWith(
  { url, headers }: Request,
  scheme: string | undefined,
  host: string | undefined,
): string | undefined {
  const [ownScheme, ownHost] = originOf(url).split('://')
  const text = `${scheme ?? ownScheme}://${host ?? headers.get('Host') ?? ownHost}`
  // An odd "Host" of the request itself is refused by the app.
  return URL.canParse(text) ? new URL(text).origin : undefined
}

function last(header: string | null): string | undefined {
  return header?.split(',').at(-1)?.trim() || undefined
}
