/**
 * Runs jobs one at a time in the order in which they come, and refuses to let a line grow without end: a
 * client is told to come again while it still listens. A job that throws fails alone.
 */

/** How long the line may be, and how long a job may stand in it. */
export interface QueueLimits {
  readonly maxWaiting: number
  readonly maxWaitMs: number
}

/** The line was too long, or did not move. The job was not run. */
export class QueueOverflow extends Error {}

interface Waiting {
  readonly since: number
  readonly run: () => Promise<void>
  readonly refuse: (error: QueueOverflow) => void
}

export class SerialQueue {
  readonly #limits: QueueLimits
  readonly #now: () => number
  readonly #waiting: Waiting[] = []
  #isRunning = false

  /** @param now milliseconds, of any origin */
  constructor(limits: QueueLimits, now: () => number) {
    this.#limits = limits
    this.#now = now
  }

  /**
   * Runs the job when its turn comes.
   *
   * @returns what the job returns; rejects with what it throws
   * @throws {QueueOverflow} at once when the line is full, or when its turn comes too late
   */
  run<Result>(job: () => Promise<Result>): Promise<Result> {
    const { maxWaiting } = this.#limits
    if (this.#waiting.length >= maxWaiting) {
      return Promise.reject(new QueueOverflow(`${maxWaiting} writes are waiting already, the limit`))
    }
    return new Promise<Result>((resolve, reject) => {
      const run = () => job().then(resolve, reject)
      this.#waiting.push({ since: this.#now(), run, refuse: reject })
      void this.#drain()
    })
  }

  async #drain(): Promise<void> {
    if (this.#isRunning) return
    this.#isRunning = true
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const { maxWaitMs } = this.#limits
      if (this.#now() - next.since > maxWaitMs) {
        next.refuse(new QueueOverflow(`the turn did not come within ${maxWaitMs} ms, the limit`))
      } else {
        await next.run()
      }
    }
    this.#isRunning = false
  }
}
