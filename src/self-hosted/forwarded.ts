/**
 * What a trusted proxy says of the request that it got: the address of the client, and the address that the
 * client asked for, which the Tenant URL and all locations follow from. Without trust nothing of it is read,
 * because anybody can send these headers.
 */

/** The request as the client sent it, and the address of the client. */
export interface Received {
  readonly request: Request
  readonly address: string
}

/**
 * Reads X-Forwarded-Proto, -Host and -For. Of a list the last value counts: that one was added by the proxy,
 * those before it may have been sent by the client.
 */
export function forwarded({ request, address }: Received): Received {
  const { headers } = request
  const url = new URL(request.url)
  const scheme = last(headers.get('X-Forwarded-Proto'))?.toLowerCase()
  const host = last(headers.get('X-Forwarded-Host'))
  if (scheme === 'http' || scheme === 'https') setScheme(url, scheme)
  if (host !== undefined && /^[\w.:[\]-]+$/.test(host)) setHost(url, host)
  return {
    request: url.href === request.url ? request : new Request(url, request),
    address: last(headers.get('X-Forwarded-For')) ?? address,
  }
}

/** A port that the scheme had by default goes with it. */
function setScheme(url: URL, scheme: 'http' | 'https'): void {
  url.protocol = `${scheme}:`
}

/** The whole of it: without a port in `host` the default one of the scheme is meant. */
function setHost(url: URL, host: string): void {
  url.port = ''
  url.host = host
}

function last(header: string | null): string | undefined {
  return header?.split(',').at(-1)?.trim() || undefined
}
