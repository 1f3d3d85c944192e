/**
 * A queue that runs one chunk of jobs at a time, in the order of arrival. Jobs that arrive while a chunk is running wait;
 * the next chunk takes as many of them as fit together. The queue is bounded in length and in waiting time, so a client
 * is told to retry while it is still listening.
 */

export interface QueueLimits {
  /** Jobs that may wait. */
  readonly maxWaiting: number
  /** How long a job may wait before it starts. */
  readonly maxWaitMs: number
}

/** The queue was full, or the job waited too long. The job was not run. */
export class QueueOverflow extends Error {}

export interface QueueOptions<Job, Result> {
  readonly limits: QueueLimits
  /** A clock in milliseconds; its origin does not matter. */
  readonly now: () => number
  /** How many of the waiting jobs, from the first on, form the next chunk: at least one. */
  readonly chunkSize: (waiting: readonly Job[]) => number
  /** Runs a chunk. @returns the outcome of each job, in the order of the jobs */
  readonly run: (chunk: readonly Job[]) => Promise<readonly PromiseSettledResult<Result>[]>
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
  #accepted = 0

  constructor(options: QueueOptions<Job, Result>) {
    this.#options = options
  }

  /** The number of jobs accepted so far; undefined unless all of them are finished. */
  get acceptedWhileIdle(): number | undefined {
    return this.#isRunning ? undefined : this.#accepted
  }

  /**
   * Runs the job after those before it: at once if the queue is idle.
   *
   * @returns the result of the job; rejects with the error of the job
   * @throws {QueueOverflow} at once if the queue is full; later if the job waits too long
   */
  run(job: Job): Promise<Result> {
    const { limits, now } = this.#options
    if (this.#waiting.length >= limits.maxWaiting) {
      return Promise.reject(new QueueOverflow(`${limits.maxWaiting} writes are waiting already, the limit`))
    }
    this.#accepted++
    return new Promise<Result>((resolve, reject) => {
      this.#waiting.push({ job, since: now(), resolve, reject })
      void this.#drain()
    })
  }

  async #drain(): Promise<void> {
    if (this.#isRunning) return
    this.#isRunning = true
    for (let chunk = this.#takeChunk(); chunk.length > 0; chunk = this.#takeChunk()) {
      await this.#runChunk(chunk)
    }
    this.#isRunning = false
  }

  #takeChunk(): readonly Waiting<Job, Result>[] {
    this.#refuseLate()
    if (this.#waiting.length === 0) return []
    return this.#waiting.splice(0, this.#options.chunkSize(this.#waiting.map(({ job }) => job)))
  }

  #refuseLate(): void {
    const { limits, now } = this.#options
    const isLate = ({ since }: Waiting<Job, Result>) => now() - since > limits.maxWaitMs
    for (const { reject } of this.#waiting.filter(isLate)) {
      reject(new QueueOverflow(`the write was not started within ${limits.maxWaitMs} ms, the limit`))
    }
    this.#waiting = this.#waiting.filter((waiting) => !isLate(waiting))
  }

  /** A job that fails does not affect the others of its chunk. */
  async #runChunk(chunk: readonly Waiting<Job, Result>[]): Promise<void> {
    try {
      const results = await this.#options.run(chunk.map(({ job }) => job))
      for (const [i, { resolve, reject }] of chunk.entries()) {
        const result = results[i]
        if (result?.status === 'fulfilled') resolve(result.value)
        else reject(result?.reason)
      }
    } catch (error) {
      for (const { reject } of chunk) reject(error)
    }
  }
}
