/**
 * Whose request is next, in a process that does one thing at a time. A request is answered in one go once it was
 * begun, so whoever sends many at once would be answered many times before anybody else is heard of. Here each client
 * has one turn in a round of the event loop, and after what took long the loop goes round so often that those who knocked
 * meanwhile are let in (it accepts one connection in a round). Then those who wait go in the order of their owners, one
 * request each.
 */
import { setImmediate } from 'node:timers'

/** What a round may take before the next one to come has to wait: a request takes 0.2 ms. */
const ROUND_MS = 10
/** The most rounds between two turns, each of some 10 µs when nothing happens in it. */
const MAX_ROUNDS = 1_000

export class Turns {
  readonly #now: () => number
  /** By owner, in the order of their turns. */
  readonly #waiting = new Map<string, (() => void)[]>()
  /** Owners that had their turn in this round. */
  readonly #served = new Set<string>()
  /** When this round began; undefined while nothing happens. */
  #since: number | undefined
  /** Rounds to go before the next turn. */
  #rounds = 0

  /** @param now milliseconds */
  constructor(now: () => number) {
    this.#now = now
  }

  /** Waits for a turn of the owner. @returns undefined when it is its turn at once */
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
    const tookMs = this.#now() - (this.#since ?? this.#now())
    this.#since = undefined
    this.#served.clear()
    this.#rounds = tookMs < ROUND_MS ? Math.max(0, this.#rounds - 1) : Math.min(MAX_ROUNDS, Math.ceil(tookMs))
    if (this.#rounds > 0 || this.#waiting.size > 0) this.#begin()
    if (this.#rounds === 0) this.#callNext()
  }

  #callNext(): void {
    for (const [owner, queue] of this.#waiting) {
      this.#waiting.delete(owner)
      const [next, ...others] = queue
      // At the end of the line: the others have their turn first.
      if (others.length > 0) this.#waiting.set(owner, others)
      this.#served.add(owner)
      next?.()
      return
    }
  }
}
