/**
 * Runs jobs in the order in which they come, one lot at a time: while one is under way those that come wait,
 * and then as many of them as fit together are the next. Refuses to let a line grow without end: a client is
 * told to come again while it still listens.
 */

/** How long the line may be, and how long a job may stand in it. */
export interface QueueLimits {
  readonly maxWaiting: number
  readonly maxWaitMs: number
}

/** The line was too long, or did not move. The job was not run. */
export class QueueOverflow extends Error {}

export interface QueueOptions<Job, Result> {
  readonly limits: QueueLimits
  /** Milliseconds, of any origin. */
  readonly now: () => number
  /** How many of those that wait are the next lot: at least one, the first ones. */
  readonly lotOf: (waiting: readonly Job[]) => number
  /** Runs a lot. @returns what came of each job, in their order */
  readonly run: (lot: readonly Job[]) => Promise<readonly PromiseSettledResult<Result>[]>
}

interface Waiting<Job, Result> {
  readonly job: Job
  readonly since: number
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

export class SerialQueue<Job, Result> {
  readonly #options: QueueOptions<Job, Result>
  #waiting: Waiting<Job, Result>[] = []
  #isRunning = false
  #entered = 0

  constructor(options: QueueOptions<Job, Result>) {
    this.#options = options
  }

  /** How many jobs were ever taken into the line; undefined while one of them is not done. */
  get enteredWhenIdle(): number | undefined {
    return this.#isRunning ? undefined : this.#entered
  }

  /**
   * Runs the job when its turn comes: at once when nothing is under way.
   *
   * @returns what came of it; rejects with what it failed by
   * @throws {QueueOverflow} at once when the line is full, or when its turn comes too late
   */
  run(job: Job): Promise<Result> {
    const { limits, now } = this.#options
    if (this.#waiting.length >= limits.maxWaiting) {
      return Promise.reject(new QueueOverflow(`${limits.maxWaiting} writes are waiting already, the limit`))
    }
    this.#entered++
    return new Promise<Result>((resolve, reject) => {
      this.#waiting.push({ job, since: now(), resolve, reject })
      void this.#drain()
    })
  }

  async #drain(): Promise<void> {
    if (this.#isRunning) return
    this.#isRunning = true
    for (let lot = this.#nextLot(); lot.length > 0; lot = this.#nextLot()) await this.#runLot(lot)
    this.#isRunning = false
  }

  #nextLot(): readonly Waiting<Job, Result>[] {
    this.#refuseLate()
    if (this.#waiting.length === 0) return []
    return this.#waiting.splice(0, this.#options.lotOf(this.#waiting.map(({ job }) => job)))
  }

  #refuseLate(): void {
    const { limits, now } = this.#options
    const isLate = ({ since }: Waiting<Job, Result>) => now() - since > limits.maxWaitMs
    for (const { reject } of this.#waiting.filter(isLate)) {
      reject(new QueueOverflow(`the turn did not come within ${limits.maxWaitMs} ms, the limit`))
    }
    this.#waiting = this.#waiting.filter((waiting) => !isLate(waiting))
  }

  /** A job that fails fails alone. */
  async #runLot(lot: readonly Waiting<Job, Result>[]): Promise<void> {
    try {
      const results = await this.#options.run(lot.map(({ job }) => job))
      for (const [i, { resolve, reject }] of lot.entries()) {
        const result = results[i]
        if (result?.status === 'fulfilled') resolve(result.value)
        else reject(result?.reason)
      }
    } catch (error) {
      for (const { reject } of lot) reject(error)
    }
  }
}
