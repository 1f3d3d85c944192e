/**
 * Blocks addresses with too many failed authentications, to prevent the guessing of tokens. A blocked address is
 * rejected before any other work. A rate limiter of Cloudflare can only be queried by counting
 * (https://developers.cloudflare.com/workers/runtime-apis/bindings/rate-limit/), but requests must be checked without
 * being counted. Therefore each isolate or process remembers which addresses exceeded the limit.
 */
import type { Runtime } from '../runtime.ts'
import { clientNetwork } from './network.ts'

/** Each API has its own count: a client with an old token does not block an administrator in the same network. */
export type ProtectedApi = 'scim' | 'admin'

/** The period of the limit in wrangler.toml and self-hosted/rate-limits.ts. */
const PERIOD_MS = 60_000
const MAX_REMEMBERED = 10_000

type ClientRequest = Parameters<typeof clientNetwork>[0] & {
  readonly env: Pick<Runtime, 'isAllowed' | 'now'>
}

/** The time of blocking, by API and network. */
const blockedSince = new Map<string, number>()

/** True if the address had too many failed authentications in the last period. */
export function isShutOut(api: ProtectedApi, c: ClientRequest): boolean {
  // Avoids parsing the address in the common case.
  if (blockedSince.size === 0) return false
  const key = keyOf(api, c)
  const since = blockedSince.get(key)
  if (since === undefined) return false
  const elapsedMs = c.env.now() - since
  // The difference is negative if the clock was set back; then the block ends.
  if (elapsedMs >= 0 && elapsedMs < PERIOD_MS) return true
  blockedSince.delete(key)
  return false
}

/**
 * Counts a failed authentication.
 * @returns whether the address exceeded the limit
 */
export async function noteRefusal(api: ProtectedApi, c: ClientRequest): Promise<boolean> {
  const key = keyOf(api, c)
  if (await c.env.isAllowed('failedAuthentication', key)) return false
  const [oldest] = blockedSince.keys()
  if (blockedSince.size >= MAX_REMEMBERED && oldest !== undefined) blockedSince.delete(oldest)
  blockedSince.set(key, c.env.now())
  return true
}

function keyOf(api: ProtectedApi, c: ClientRequest): string {
  return `${api} ${clientNetwork(c)}`
}
