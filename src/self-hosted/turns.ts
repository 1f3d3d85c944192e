/**
 * Fair scheduling in a process that does one thing at a time. A request runs to its end once it has begun, so without
 * turns an owner that sends many requests at once would delay all others. Each owner has one turn in a round of the
 * event loop. After a long turn, the loop runs several rounds without turns, so that new connections are accepted (one
 * in each round), but for no longer than the turn took. Then the waiting requests run in the order of their owners, one
 * request each.
 */
import { setImmediate } from 'node:timers'

/** The duration of a round beyond which the next request has to wait: a request takes 0.2 ms. */
const ROUND_MS = 10
/** The most rounds between two turns: about 10 µs each if nothing happens in it. */
const MAX_ROUNDS = 1_000

export class Turns {
  readonly #now: () => number
  /** Waiting requests by owner, in the order of their turns. */
  readonly #waiting = new Map<string, (() => void)[]>()
  /** Owners that have had their turn in this round. */
  readonly #served = new Set<string>()
  /** The start of this round; undefined while the process is idle. */
  #since: number | undefined
  /** The number of rounds before the next turn. */
  #rounds = 0
  /** When the next turn is given even if rounds are left: something else may take long in each of them. */
  #resumesAt = 0

  /** @param now milliseconds */
  constructor(now: () => number) {
    this.#now = now
  }

  /** Requests that wait. */
  get waiting(): number {
    let count = 0
    for (const queue of this.#waiting.values()) count += queue.length
    return count
  }

  /** Waits for a turn of the owner. @returns undefined when the turn is immediate */
  take(owner: string): Promise<void> | undefined {
    if (this.#isFree(owner)) {
      this.#begin()
      this.#served.add(owner)
      return undefined
    }
    return new Promise((resolve) => {
      const queue = this.#waiting.get(owner)
      if (queue === undefined) this.#waiting.set(owner, [resolve])
      else queue.push(resolve)
      this.#begin()
    })
  }

  #isFree(owner: string): boolean {
    if (this.#waiting.size > 0 || this.#rounds > 0 || this.#served.has(owner)) return false
    return this.#since === undefined || this.#now() - this.#since < ROUND_MS
  }

  #begin(): void {
    if (this.#since !== undefined) return
    this.#since = this.#now()
    setImmediate(() => this.#endRound())
  }

  #endRound(): void {
    const now = this.#now()
    const tookMs = now - (this.#since ?? now)
    const hadTurn = this.#served.size > 0
    this.#since = undefined
    this.#served.clear()
    if (hadTurn && tookMs >= ROUND_MS) {
      this.#rounds = Math.min(MAX_ROUNDS, Math.ceil(tookMs))
      this.#resumesAt = now + tookMs
    } else if (this.#rounds > 0) {
      this.#rounds = now < this.#resumesAt ? this.#rounds - 1 : 0
    }
    if (this.#rounds > 0 || this.#waiting.size > 0) this.#begin()
    if (this.#rounds === 0) this.#callNext()
  }

  #callNext(): void {
    for (const [owner, queue] of this.#waiting) {
      this.#waiting.delete(owner)
      const [next, ...others] = queue
      // At the end of the queue, so that other owners have their turn first.
      if (others.length > 0) this.#waiting.set(owner, others)
      this.#served.add(owner)
      next?.()
      return
    }
  }
}
