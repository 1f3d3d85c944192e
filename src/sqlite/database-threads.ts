/**
 * Threads for the batches of a database that take long: one that reads, one that writes. Each has its own connection to the
 * file, so the connection of the server goes on reading (WAL: https://www.sqlite.org/wal.html). A thread starts at the
 * first batch, runs one at a time, and ends when it has had nothing to do for a while.
 */
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { D1Result } from '@cloudflare/workers-types'
import { d1Error } from './d1-error.ts'
import type { StatementToRun } from './d1-statement.ts'
import type { OpenOptions } from './open.ts'

/** The module of thread.ts as text. The build inlines it; otherwise the file is used. */
declare const THREAD_SOURCE: string | undefined

/** The page cache of a thread. What it reads through once is in the cache of the operating system. */
const CACHE_KIB = 4 * 1024
/** A thread holds about 10 MB besides its cache. */
const IDLE_MS = 30_000

export interface ThreadSettings extends OpenOptions {
  readonly path: string
  readonly isReader: boolean
  readonly cacheKib: number
  /** One number: the id of the last batch that nobody waits for any more. */
  readonly ended: Int32Array
}

/** A batch for a thread. */
export interface Task {
  readonly id: number
  readonly statements: readonly StatementToRun[]
}

/** The result of a batch, or the message of its error in D1's form. */
export type Answer =
  | { readonly id: number; readonly results: D1Result<never>[] }
  | { readonly id: number; readonly error: string }

export class DatabaseThreads {
  readonly #reader: DatabaseThread
  readonly #writer: DatabaseThread

  /** @param path of the file, which is open already and has all migrations */
  constructor(path: string, options: OpenOptions) {
    const settings = (isReader: boolean) => ({
      ...options,
      path,
      isReader,
      cacheKib: CACHE_KIB,
      ended: new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)),
    })
    this.#reader = new DatabaseThread(settings(true))
    this.#writer = new DatabaseThread(settings(false))
  }

  /**
   * Runs a batch that only reads, in one transaction.
   *
   * @param signal ends the batch at its next checkpoint: see storage/database/checkpoint.ts
   * @throws {Error} in D1's form
   */
  read(statements: readonly StatementToRun[], signal?: AbortSignal): Promise<D1Result<never>[]> {
    return this.#reader.run(statements, signal)
  }

  /** Runs a batch that writes. No other connection may write until the promise is settled. @throws {Error} in D1's form */
  write(statements: readonly StatementToRun[]): Promise<D1Result<never>[]> {
    return this.#writer.run(statements)
  }

  /** Waits for the batches that are running, and closes the connections. */
  async stop(): Promise<void> {
    await Promise.all([this.#reader.stop(), this.#writer.stop()])
  }
}

type Results = D1Result<never>[]

/** A batch that the thread has not answered yet. */
interface Pending {
  readonly resolve: (results: Results) => void
  readonly reject: (error: Error) => void
}

class DatabaseThread {
  readonly #settings: ThreadSettings
  readonly #pending = new Map<number, Pending>()
  #worker: Worker | undefined
  #lastId = 0
  #idle: ReturnType<typeof setTimeout> | undefined
  /** Settled when the thread has answered all batches. */
  #quiet = Promise.resolve()

  constructor(settings: ThreadSettings) {
    this.#settings = settings
  }

  run(statements: readonly StatementToRun[], signal?: AbortSignal): Promise<Results> {
    clearTimeout(this.#idle)
    this.#worker ??= this.#start()
    const [worker, id] = [this.#worker, ++this.#lastId]
    const answered = new Promise<Results>((resolve, reject) => this.#pending.set(id, { resolve, reject }))
    const end = () => void Atomics.store(this.#settings.ended, 0, id)
    if (signal?.aborted) end()
    signal?.addEventListener('abort', end)
    const whenSettled = () => signal?.removeEventListener('abort', end)
    const settled = answered.then(whenSettled, whenSettled)
    this.#quiet = Promise.all([this.#quiet, settled]).then(() => {})
    worker.ref()
    worker.postMessage({ id, statements } satisfies Task)
    return answered
  }

  async stop(): Promise<void> {
    await this.#quiet
    await this.#end()
  }

  #start(): Worker {
    const workerData = this.#settings
    const worker =
      typeof THREAD_SOURCE === 'undefined'
        ? new Worker(fileURLToPath(new URL('./thread.ts', import.meta.url).href), { workerData })
        : new Worker(THREAD_SOURCE, { workerData, eval: true })
    worker.on('message', (answer: Answer) => this.#settle(answer))
    worker.on('error', (error) => this.#fail(worker, error))
    worker.on('exit', (code) => this.#fail(worker, new Error(`the thread ended with code ${code}`)))
    return worker
  }

  #settle(answer: Answer): void {
    const pending = this.#pending.get(answer.id)
    this.#pending.delete(answer.id)
    if ('results' in answer) pending?.resolve(answer.results)
    else pending?.reject(new Error(answer.error, { cause: answer.error }))
    if (this.#pending.size > 0) return
    // The process may end while the thread has nothing to do.
    this.#worker?.unref()
    this.#idle = setTimeout(() => void this.#end(), IDLE_MS).unref()
  }

  /** The next batch starts another thread. */
  #fail(worker: Worker, { message }: Error): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    for (const { reject } of pending) reject(d1Error(`a thread of the database failed: ${message}`))
  }

  async #end(): Promise<void> {
    clearTimeout(this.#idle)
    const worker = this.#worker
    this.#worker = undefined
    await worker?.terminate()
  }
}
