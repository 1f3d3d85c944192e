/**
 * Fair scheduling in a process that does one thing at a time. A request runs to its end once it has begun, so without
 * turns an owner that sends many requests at once would delay all others. Each owner has one turn in a round of the
 * event loop, and more of them as long as the rounds are short. After a long turn, the loop runs several empty rounds,
 * so that new connections are accepted (one in each round). Then the waiting requests run in the order of their owners,
 * one request each.
 */
import { setImmediate } from 'node:timers'

/** The duration of a round beyond which the next request has to wait: a request takes 0.2 ms. */
const ROUND_MS = 10
/** The most turns in a round. A client that gets several answers at once is also woken once. */
const MAX_TURNS = 16
/** After a shorter round, the next one may have twice as many turns; after a longer one, it has one turn. */
const SHORT_ROUND_MS = 2
/** The most rounds between two turns: about 10 µs each if nothing happens in it. */
const MAX_ROUNDS = 1_000

export class Turns {
  readonly #now: () => number
  /** Waiting requests by owner, in the order of their turns. */
  readonly #waiting = new Map<string, (() => void)[]>()
  /** The number of turns that owners have had in this round. */
  readonly #served = new Map<string, number>()
  /** The number of turns that waiting requests have in this round; of each owner, if none waits. */
  #turns = 1
  /** The start of this round; undefined while the process is idle. */
  #since: number | undefined
  /** The number of rounds before the next turn. */
  #rounds = 0

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
      this.#count(owner)
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
    if (this.#waiting.size > 0 || this.#rounds > 0) return false
    const elapsedMs = this.#since === undefined ? 0 : this.#now() - this.#since
    const served = this.#served.get(owner) ?? 0
    return served === 0 ? elapsedMs < ROUND_MS : served < this.#turns && elapsedMs < SHORT_ROUND_MS
  }

  #count(owner: string): void {
    this.#served.set(owner, (this.#served.get(owner) ?? 0) + 1)
  }

  #begin(): void {
    if (this.#since !== undefined) return
    this.#since = this.#now()
    setImmediate(() => this.#endRound())
  }

  #endRound(): void {
    const tookMs = this.#now() - (this.#since ?? this.#now())
    this.#since = undefined
    if (tookMs >= SHORT_ROUND_MS) this.#turns = 1
    else if (this.#served.size > 0) this.#turns = Math.min(MAX_TURNS, 2 * this.#turns)
    this.#served.clear()
    this.#rounds = tookMs < ROUND_MS ? Math.max(0, this.#rounds - 1) : Math.min(MAX_ROUNDS, Math.ceil(tookMs))
    if (this.#rounds > 0 || this.#waiting.size > 0) this.#begin()
    if (this.#rounds > 0) return
    for (let left = this.#turns; left > 0; left--) this.#callNext()
  }

  #callNext(): void {
    for (const [owner, queue] of this.#waiting) {
      this.#waiting.delete(owner)
      const next = queue.shift()
      // At the end of the queue, so that other owners have their turn first.
      if (queue.length > 0) this.#waiting.set(owner, queue)
      this.#count(owner)
      next?.()
      return
    }
  }
}
