/**
 * Blocks addresses with too many failed authentications, to prevent token guessing. Requests from a blocked address are
 * rejected before any other work. A Cloudflare rate limiter counts on every query
 * (https://developers.cloudflare.com/workers/runtime-apis/bindings/rate-limit/), but this check must not count.
 * Therefore each isolate or process remembers which addresses exceeded the limit.
 */
import type { Runtime } from '../runtime.ts'
import { clientNetwork } from './network.ts'

/** Each API has its own count, so a client with an old token does not block an administrator in the same network. */
export type ProtectedApi = 'scim' | 'oauth' | 'admin' | 'metrics'

/** Equals the period of the limits in wrangler.toml and self-hosted/rate-limits.ts. */
const PERIOD_MS = 60_000
const MAX_REMEMBERED = 10_000

type ClientRequest = Parameters<typeof clientNetwork>[0] & {
  readonly env: Pick<Runtime, 'isAllowed' | 'now'>
}

/** When each address was blocked, by API and network. */
const blockedSince = new Map<string, number>()

/** True if the address had too many failed authentications in the last period. */
export function isBlocked(api: ProtectedApi, c: ClientRequest): boolean {
  // Avoids parsing the address in the common case.
  if (blockedSince.size === 0) return false
  const key = keyOf(api, c)
  const since = blockedSince.get(key)
  if (since === undefined) return false
  const elapsedMs = c.env.now() - since
  // Negative if the clock was set back. The block then ends.
  if (elapsedMs >= 0 && elapsedMs < PERIOD_MS) return true
  blockedSince.delete(key)
  return false
}

/**
 * Counts a failed authentication, and blocks the address if it exceeds the limit.
 *
 * @returns whether the address is now blocked
 */
export async function recordFailedAuthentication(api: ProtectedApi, c: ClientRequest): Promise<boolean> {
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
