/**
 * Fair scheduling in a process that does one thing at a time. A request runs to its end once it has begun, so without
 * turns an owner that sends many requests at once would delay all others. Each owner has one turn in a round of the
 * event loop, or several while rounds are short: on Node.js, a round for each request takes a third of the time of a read.
 * After a long turn, the loop runs several empty rounds, so that new connections are accepted (one in each round). Then the
 * waiting requests run in the order of their owners.
 */
import { setImmediate } from 'node:timers'

/** The duration of a round beyond which the next request has to wait: a request takes 0.2 ms. */
const ROUND_MS = 10
/** The duration of a round up to which the next one has more turns: others hardly wait for it. */
const SHORT_ROUND_MS = 1
/** The most turns of an owner in a round, and of all that have waited. */
const MAX_TURNS = 4
/** The most rounds between two turns: about 10 µs each if nothing happens in it. */
const MAX_ROUNDS = 1_000

export class Turns {
  readonly #now: () => number
  /** Waiting requests by owner, in the order of their turns. */
  readonly #waiting = new Map<string, (() => void)[]>()
  /** The turns that owners have had in this round. */
  readonly #served = new Map<string, number>()
  /** The turns of an owner in a round, and of all that have waited. */
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
      this.#serve(owner)
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
    if ((this.#served.get(owner) ?? 0) >= this.#turns) return false
    return this.#since === undefined || this.#now() - this.#since < ROUND_MS
  }

  #serve(owner: string): void {
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
    for (const owner of this.#served.keys()) this.#moveToEnd(owner)
    this.#served.clear()
    this.#rounds = tookMs < ROUND_MS ? Math.max(0, this.#rounds - 1) : Math.min(MAX_ROUNDS, Math.ceil(tookMs))
    this.#turns = tookMs <= SHORT_ROUND_MS ? Math.min(MAX_TURNS, 2 * this.#turns) : 1
    if (this.#rounds > 0 || this.#waiting.size > 0) this.#begin()
    if (this.#rounds === 0) for (let turn = 0; turn < this.#turns; turn++) this.#callNext()
  }

  #callNext(): void {
    for (const [owner, queue] of this.#waiting) {
      const next = queue.shift()
      this.#moveToEnd(owner)
      this.#serve(owner)
      next?.()
      return
    }
  }

  /** Other owners have their turns first. */
  #moveToEnd(owner: string): void {
    const queue = this.#waiting.get(owner) ?? []
    this.#waiting.delete(owner)
    if (queue.length > 0) this.#waiting.set(owner, queue)
  }
}
