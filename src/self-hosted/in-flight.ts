/**
 * Counts requests in progress, so that a shutdown can wait for them.
 */
export class InFlight {
  #count = 0
  #waiting: (() => void)[] = []

  get count(): number {
    return this.#count
  }

  /** Counts a request until its answer was sent. */
  track<Result>(run: () => Promise<Result>, sent?: Promise<unknown>): Promise<Result> {
    this.#count++
    const answer = run()
    // It does not matter here whether the client received the answer.
    const end = sent === undefined ? this.#leave : () => void sent.then(this.#leave, this.#leave)
    answer.then(end, end)
    return answer
  }

  /** Resolves when there is none, or after the timeout. @returns whether there is none */
  async none(timeoutMs: number): Promise<boolean> {
    if (this.#count === 0) return true
    let timer: ReturnType<typeof setTimeout> | undefined
    const ended = new Promise<boolean>((resolve) => this.#waiting.push(() => resolve(true)))
    const expired = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), timeoutMs)
    })
    const isNone = await Promise.race([ended, expired])
    clearTimeout(timer)
    return isNone
  }

  readonly #leave = (): void => {
    this.#count--
    if (this.#count === 0) for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
