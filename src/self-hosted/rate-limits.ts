/**
 * Rate limits in memory: each key may be used a number of times in a period, which begins with its first use. A
 * restart resets them.
 */
import type { RateLimitName } from '../runtime.ts'

/** The periods of the bindings in wrangler.toml. */
export const PERIOD_MS: Readonly<Record<RateLimitName, number>> = {
  client: 10_000,
  tenant: 10_000,
  signIn: 60_000,
  failedAuthentication: 60_000,
}

/** The most keys in memory: an attacker can have any number of addresses. */
const MAX_KEYS = 100_000

interface Window {
  readonly endsAt: number
  count: number
}

export class RateLimits {
  readonly #limits: Readonly<Record<RateLimitName, number>>
  readonly #now: () => number
  readonly #windows = new Map<string, Window>()

  /** @param limits uses in one period @param now milliseconds */
  constructor(limits: Readonly<Record<RateLimitName, number>>, now: () => number) {
    this.#limits = limits
    this.#now = now
  }

  /** Counts a use. @returns false when it exceeds the limit */
  isAllowed(name: RateLimitName, key: string): boolean {
    const limit = this.#limits[name]
    if (limit === Number.POSITIVE_INFINITY) return true
    const now = this.#now()
    const id = `${name} ${key}`
    const window = this.#windows.get(id)
    if (window === undefined || window.endsAt <= now) {
      this.#windows.delete(id)
      this.#makeRoom()
      this.#windows.set(id, { endsAt: now + PERIOD_MS[name], count: 1 })
      return limit >= 1
    }
    window.count++
    return window.count <= limit
  }

  /** Drops the oldest window, which favours its client. A Map keeps that order. */
  #makeRoom(): void {
    if (this.#windows.size < MAX_KEYS) return
    const [oldest] = this.#windows.keys()
    if (oldest !== undefined) this.#windows.delete(oldest)
  }
}
