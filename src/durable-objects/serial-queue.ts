/**
 * Runs jobs one at a time in the order in which they come. A job that throws fails alone.
 */
export class SerialQueue {
  #tail: Promise<unknown> = Promise.resolve()

  /** @returns what the job returns; rejects with what it throws */
  run<Result>(job: () => Promise<Result>): Promise<Result> {
    const result = this.#tail.then(job)
    // The next job must not care how this one ended; its caller does.
    this.#tail = result.catch(() => undefined)
    return result
  }
}
