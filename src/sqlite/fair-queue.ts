/**
 * A queue of tasks that run one at a time. Owners take turns, so one that queues many tasks delays another by one of them.
 */

/** The error of a task that is left out, or ended. The same text is in storage/database/database.ts. */
export const LEFT_OUT = 'nobody waits for the result'

/** Whose task it is. */
export interface Waiter {
  /** A tenant, or a kind of work that belongs to none. */
  readonly owner: string
  /** Aborted when nobody waits for the result any more. Called only for a task that has to wait, or that runs in a thread. */
  readonly signal?: () => AbortSignal | undefined
}

interface Waiting {
  readonly begin: () => void
  readonly cancel: (error: Error) => void
  readonly signal: AbortSignal | undefined
}

export class FairQueue {
  /** Waiting tasks by owner, in the order of their turns. */
  readonly #waiting = new Map<string, Waiting[]>()
  #isBusy = false
  /** Called when no task runs or waits. */
  readonly #whenIdle: (() => void)[] = []

  /** Runs the task when it is its turn. @throws {Error} the task is left out */
  async run<Result>({ owner, signal }: Waiter, task: () => Promise<Result>): Promise<Result> {
    if (this.#isBusy) await this.#turnOf(owner, signal?.())
    this.#isBusy = true
    try {
      return await task()
    } finally {
      this.#isBusy = false
      this.#moveToEnd(owner)
      this.#callNext()
    }
  }

  /** Leaves out the tasks that wait. */
  clear(): void {
    const queues = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { cancel } of queues.flat()) cancel(new Error(LEFT_OUT))
  }

  /** Resolves when no task runs or waits. */
  idle(): Promise<void> {
    if (!this.#isBusy) return Promise.resolve()
    return new Promise((resolve) => this.#whenIdle.push(resolve))
  }

  #turnOf(owner: string, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((begin, cancel) => {
      const queue = this.#waiting.get(owner)
      const waiting = { begin, cancel, signal }
      if (queue === undefined) this.#waiting.set(owner, [waiting])
      else queue.push(waiting)
    })
  }

  /** The owner that was served last waits for the others. */
  #moveToEnd(owner: string): void {
    const queue = this.#waiting.get(owner)
    if (queue === undefined) return
    this.#waiting.delete(owner)
    this.#waiting.set(owner, queue)
  }

  #callNext(): void {
    for (let next = this.#takeNext(); next !== undefined; next = this.#takeNext()) {
      if (next.signal?.aborted) next.cancel(new Error(LEFT_OUT, { cause: next.signal.reason }))
      else {
        // Nothing else begins before the task does, which continues in a later microtask.
        this.#isBusy = true
        next.begin()
        return
      }
    }
    for (const resolve of this.#whenIdle.splice(0)) resolve()
  }

  #takeNext(): Waiting | undefined {
    for (const [owner, queue] of this.#waiting) {
      const next = queue.shift()
      if (queue.length === 0) this.#waiting.delete(owner)
      return next
    }
    return undefined
  }
}
