/**
 * Addresses that guess tokens. Only refusals are counted, but who has too many of them is refused before any work:
 * the limits of a runtime can be asked only by counting (a Cloudflare rate limiter has `limit` and nothing else:
 * https://developers.cloudflare.com/workers/runtime-apis/bindings/rate-limit/), so what they answered is remembered
 * here, by each isolate and process.
 */
import type { Runtime } from '../runtime.ts'
import { clientNetwork } from './network.ts'

/** Each has a count of its own: a client with an old token does not shut out the administrator beside it. */
export type Door = 'scim' | 'admin'

/** The period of the limit: wrangler.toml, self-hosted/rate-limits.ts. */
const PERIOD_MS = 60_000
const MAX_REMEMBERED = 10_000

type Knock = Parameters<typeof clientNetwork>[0] & { readonly env: Pick<Runtime, 'isAllowed' | 'now'> }

/** Since when, by door and network. */
const shutOut = new Map<string, number>()

/** Whether the address had too many tokens refused lately. */
export function isShutOut(door: Door, c: Knock): boolean {
  // So that an ordinary request is not slowed by taking its address apart.
  if (shutOut.size === 0) return false
  const key = keyOf(door, c)
  const since = shutOut.get(key)
  if (since === undefined) return false
  const elapsedMs = c.env.now() - since
  // A clock that was set back must not keep anybody out.
  if (elapsedMs >= 0 && elapsedMs < PERIOD_MS) return true
  shutOut.delete(key)
  return false
}

/** Counts a refused token. @returns whether the address has had too many */
export async function noteRefusal(door: Door, c: Knock): Promise<boolean> {
  const key = keyOf(door, c)
  if (await c.env.isAllowed('failedAuthentication', key)) return false
  const [oldest] = shutOut.keys()
  if (shutOut.size >= MAX_REMEMBERED && oldest !== undefined) shutOut.delete(oldest)
  shutOut.set(key, c.env.now())
  return true
}

function keyOf(door: Door, c: Knock): string {
  return `${door} ${clientNetwork(c)}`
}
