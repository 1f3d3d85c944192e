/**
 * Which URLs a webhook may have: public names over https. The check holds when a webhook is created or changed, and again
 * at each delivery. The addresses that a name resolves to are checked where the runtime opens the connection: see
 * src/self-hosted/webhook-post.ts. Cloudflare does not route requests of a Worker to private networks.
 */
import { MAX_WEBHOOK_URL_CHARACTERS } from '../../scim/limits.ts'

/** Names that never belong to a public server: RFC 6761, RFC 6762, RFC 8375, and ICANN's reservation of "internal". */
const PRIVATE_NAME = /(?:^|\.)(?:localhost|local|internal|home\.arpa)$/
const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Whether a host name may be one of the public internet: no IP address, and no name that is never public. */
export function isPublicName(hostname: string): boolean {
  // The parser of URLs has turned every notation of an IPv4 address, such as "0x7f.1", into four numbers.
  if (/^[\d.]+$|^\[/.test(hostname)) return false
  const name = hostname.replace(/\.+$/, '')
  return name.includes('.') && !PRIVATE_NAME.test(name)
}

/**
 * Why a webhook may not have this URL: the end of a sentence that begins with what it must be.
 *
 * @param allowLoopback also allows http and https to this machine, for development
 * @returns undefined if it may
 */
export function webhookUrlProblem(text: string, allowLoopback: boolean): string | undefined {
  if (text.length > MAX_WEBHOOK_URL_CHARACTERS) {
    return `at most ${MAX_WEBHOOK_URL_CHARACTERS} characters, found ${text.length}`
  }
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined) return 'a URL such as "https://receiver.example.com/events"'
  if (url.username !== '' || url.password !== '') return 'a URL without user name and password'
  if (allowLoopback && LOOPBACK.has(url.hostname) && /^https?:$/.test(url.protocol)) return undefined
  if (url.protocol !== 'https:') return `a URL with "https:", found "${url.protocol}"`
  if (/^[\d.]+$|^\[/.test(url.hostname)) return 'a URL with a host name instead of an IP address'
  if (!isPublicName(url.hostname)) return 'a URL with the name of a public host'
  return undefined
}
