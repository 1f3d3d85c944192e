/**
 * The network of a client, for rate limits by address. An IPv6 customer has at least a /64, so one of its 2^64 addresses
 * does not identify it (RFC 6177 §2).
 */
import type { Runtime } from '../runtime.ts'

/** Longer text is not an address. A proxy may forward any text. */
const MAX_ADDRESS_CHARACTERS = 64
const WELL_KNOWN_PREFIX = '64:ff9b:0:0:0:0'
const MAPPED_PREFIX = '0:0:0:0:0:ffff'

/**
 * The network of a request's client. The address of the connection is used if the runtime knows it. Otherwise
 * `CF-Connecting-IP` is trusted, because Cloudflare sets it and clients cannot. Without either, all clients share one
 * network.
 */
export function clientNetwork(c: {
  readonly env: Runtime
  readonly req: { header(name: string): string | undefined }
}): string {
  return networkOf(c.env.clientAddress ?? c.req.header('CF-Connecting-IP') ?? 'unknown')
}

/**
 * Returns `2001:db8:0:7::/64` for every address in that network, in any notation. An IPv4 address is returned in dotted
 * form, even if it was written as IPv6 (RFC 4291 §2.5.5.2, RFC 6052 §2.1). Ports, brackets and zones are removed, because
 * some proxies add them.
 */
export function networkOf(address: string): string {
  const text = address.trim().slice(0, MAX_ADDRESS_CHARACTERS).toLowerCase()
  const bare = /^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1] ?? /^(\d+(?:\.\d+){3}):\d+$/.exec(text)?.[1] ?? text
  const groups = groupsOf(bare.split('%')[0] ?? '')
  if (groups === undefined) return bare
  const prefix = groups
    .slice(0, 6)
    .map((group) => group.toString(16))
    .join(':')
  if (prefix === MAPPED_PREFIX || prefix === WELL_KNOWN_PREFIX) {
    return groups
      .slice(6)
      .flatMap((group) => [group >> 8, group & 255])
      .join('.')
  }
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`
}

/**
 * The eight groups of an IPv6 address (RFC 4291 §2.2).
 * @returns undefined if the text is not an IPv6 address
 */
function groupsOf(text: string): readonly number[] | undefined {
  if (!text.includes(':')) return undefined
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [head = [], tail] = halves.map(partsOf)
  const missing = 8 - head.length - (tail?.length ?? 0)
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined
  const parts = tail === undefined ? head : [...head, ...Array<string>(missing).fill('0'), ...tail]
  return parts.every((part) => /^[0-9a-f]{1,4}$/.test(part))
    ? parts.map((part) => Number.parseInt(part, 16))
    : undefined
}

/** The groups of one half. The last part may be an IPv4 address, which makes two groups. */
function partsOf(half: string): string[] {
  if (half === '') return []
  return half.split(':').flatMap((part) => {
    const bytes = part.split('.').map(Number)
    if (bytes.length !== 4 || !bytes.every((byte) => Number.isInteger(byte) && byte >= 0 && byte <= 255))
      return [part]
    const [a = 0, b = 0, c = 0, d = 0] = bytes
    return [((a << 8) | b).toString(16), ((c << 8) | d).toString(16)]
  })
}
