/**
 * Fair scheduling in a process that does one thing at a time. A request runs to its end once it has begun, so without
 * turns an owner that sends many requests at once would delay all others. Each owner has one turn in a round of the
 * event loop, or several while the round is short: on Node.js, a round for each request takes a third of the time of a
 * read. After a long turn, the loop runs several rounds without turns, so that new connections are accepted (one in each
 * round), but for no longer than the turn took. Then the waiting requests run in the order of their owners.
 */
import { nextTick } from 'node:process'
import { setImmediate } from 'node:timers'

/** The duration of a round beyond which the next request has to wait: a request takes 0.2 ms. */
const ROUND_MS = 10
/** The duration of a round beyond which nobody has another turn in it: up to it, others hardly wait. */
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
  /** The start of this round; undefined while the process is idle. */
  #since: number | undefined
  /** Of this round. */
  #number = 0
  /** The number of rounds before the next turn. */
  #rounds = 0
  /** When the next turn is given even if rounds are left: something else may take long in each of them. */
  #resumesAt = 0
  /** Whether work was counted in this round. */
  #hasCounted = false

  /** @param now milliseconds */
  constructor(now: () => number) {
    this.#now = now
  }

  /** A number for each round; undefined while the process is idle. */
  get round(): number | undefined {
    return this.#since === undefined ? undefined : this.#number
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

  /**
   * Counts work that was done for requests after their turns, such as a commit, as a turn. If it was long, new connections
   * are accepted before the next turn.
   *
   * @param since when the work began
   */
  count(since: number): void {
    this.#hasCounted = true
    this.#begin(since)
  }

  #isFree(owner: string): boolean {
    if (this.#waiting.size > 0 || this.#rounds > 0) return false
    const turns = this.#served.get(owner) ?? 0
    return turns < MAX_TURNS && this.#spentMs() < (turns === 0 ? ROUND_MS : SHORT_ROUND_MS)
  }

  /** The duration of this round until now. */
  #spentMs(): number {
    return this.#since === undefined ? 0 : this.#now() - this.#since
  }

  #serve(owner: string): void {
    this.#served.set(owner, (this.#served.get(owner) ?? 0) + 1)
  }

  #begin(since?: number): void {
    if (this.#since !== undefined) return
    this.#since = since ?? this.#now()
    setImmediate(() => this.#endRound())
  }

  #endRound(): void {
    const tookMs = this.#spentMs()
    const hadTurn = this.#served.size > 0 || this.#hasCounted
    this.#since = undefined
    this.#number++
    this.#hasCounted = false
    // Other owners have their turns first.
    for (const owner of this.#served.keys()) this.#moveToEnd(owner)
    this.#served.clear()
    if (hadTurn && tookMs >= ROUND_MS) {
      this.#rounds = Math.min(MAX_ROUNDS, Math.ceil(tookMs))
      this.#resumesAt = this.#now() + tookMs
    } else if (this.#rounds > 0) {
      this.#rounds = this.#now() < this.#resumesAt ? this.#rounds - 1 : 0
    }
    if (this.#rounds > 0 || this.#waiting.size > 0) this.#begin()
    if (this.#rounds === 0) this.#callNext(MAX_TURNS)
  }

  /** @param turns the most that are left in this round */
  #callNext(turns: number): void {
    const [first] = this.#waiting
    if (first === undefined) return
    const [owner, queue] = first
    const next = queue.shift()
    this.#moveToEnd(owner)
    this.#serve(owner)
    next?.()
    if (turns === 1) return
    // A tick comes after all microtasks, and so after what the request does before it waits for something.
    queueMicrotask(() =>
      nextTick(() => {
        if (this.#spentMs() < SHORT_ROUND_MS) this.#callNext(turns - 1)
      }),
    )
  }

  #moveToEnd(owner: string): void {
    const queue = this.#waiting.get(owner)
    if (queue === undefined) return
    this.#waiting.delete(owner)
    if (queue.length > 0) this.#waiting.set(owner, queue)
  }
}
