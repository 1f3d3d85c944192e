/**
 * Transactions of one connection. Writes that arrive together are committed together: with synchronous=FULL a commit
 * waits for the disk, and one wait then serves all of them. Each write is a savepoint, so a failing write rolls back
 * only itself. No write is answered before the commit.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { setImmediate } from 'node:timers'

/** The most writes in one commit, and how long they may take before the next one waits. Both bound the latency. */
const MAX_WRITES = 64
const MAX_COMMIT_MS = 50
/**
 * The most characters in the results of one commit; beyond it, the next write waits for another commit. A read that
 * updates "last used" is a write: 64 of them with 50,000 members each would hold a gigabyte until the commit.
 */
const MAX_HELD_CHARACTERS = 1024 * 1024

interface Write {
  readonly run: () => unknown
  readonly weigh: (result: unknown) => number
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
}

/** A write of another connection. It settles the promise of its writer itself, and never rejects. */
interface WriteElsewhere {
  readonly runAlone: () => Promise<void>
}

interface Outcome {
  /** The characters of the result, which are held until the commit. */
  readonly weight: number
  /** Settles the promise of the writer, after the commit. */
  readonly tell: () => void
}

export class CommitQueue {
  readonly #database: DatabaseSync
  readonly #begin: StatementSync
  readonly #beginWrite: StatementSync
  readonly #savepoint: StatementSync
  readonly #release: StatementSync
  readonly #end: StatementSync
  readonly #committed: (since: number) => void
  #waiting: (Write | WriteElsewhere)[] = []
  #idle: (() => void)[] = []

  /** @param committed called after each commit of this connection, with the `performance.now()` of its begin */
  constructor(database: DatabaseSync, committed: (since: number) => void = () => {}) {
    this.#database = database
    this.#committed = committed
    // `get`, because `run` also queries counters that are not needed and takes five times as long.
    this.#begin = database.prepare('BEGIN')
    // IMMEDIATE takes the write lock at the start: otherwise another writer could make the transaction fail half way.
    this.#beginWrite = database.prepare('BEGIN IMMEDIATE')
    this.#savepoint = database.prepare('SAVEPOINT one')
    this.#release = database.prepare('RELEASE one')
    this.#end = database.prepare('COMMIT')
  }

  /** Writes that wait for their commit. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** Runs reads at once. All of them see the same state, whatever another process writes. */
  async read<Result>(run: () => Result): Promise<Result> {
    this.#begin.get()
    try {
      const result = run()
      this.#end.get()
      return result
    } catch (error) {
      this.#rollBack()
      throw error
    }
  }

  /**
   * Runs a write. It is on the disk when the promise resolves, and undone when it rejects.
   *
   * @param weigh the number of characters of a result
   */
  write<Result>(run: () => Result, weigh: (result: Result) => number): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      this.#enqueue({ run, weigh, resolve, reject } as Write)
    })
  }

  /**
   * Runs a write that another connection makes. It has its turn in the order of all writes, and none of them runs beside
   * it: SQLite's own waiting for a lock would stop this thread.
   */
  alone<Result>(run: () => Promise<Result>): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      const runAlone = async () => {
        try {
          resolve(await run())
        } catch (error) {
          // It may also throw before it returns a promise, as when no thread can be started.
          reject(error)
        }
      }
      this.#enqueue({ runAlone })
    })
  }

  /** Resolves when no write waits. */
  idle(): Promise<void> {
    if (this.#waiting.length === 0) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  #enqueue(write: Write | WriteElsewhere): void {
    this.#waiting.push(write)
    // After the requests that have already arrived, so that they can join.
    if (this.#waiting.length === 1) setImmediate(() => this.#next())
  }

  #next(): void {
    const [first] = this.#waiting
    if (first !== undefined && 'runAlone' in first) void this.#wait(first)
    else this.#commit()
  }

  async #wait({ runAlone }: WriteElsewhere): Promise<void> {
    await runAlone()
    this.#waiting = this.#waiting.slice(1)
    this.#goOn()
  }

  #goOn(): void {
    if (this.#waiting.length > 0) setImmediate(() => this.#next())
    else for (const resolve of this.#idle.splice(0)) resolve()
  }

  #commit(): void {
    const writes = this.#writesHere()
    const outcomes: Outcome[] = []
    const started = performance.now()
    try {
      this.#beginWrite.get()
      for (let i = 0, held = 0; i < writes.length && held <= MAX_HELD_CHARACTERS; i++) {
        if (i > 0 && performance.now() - started > MAX_COMMIT_MS) break
        const outcome = this.#runOne(writes[i] as Write)
        outcomes.push(outcome)
        held += outcome.weight
      }
      this.#end.get()
      for (const { tell } of outcomes) tell()
      this.#waiting = this.#waiting.slice(outcomes.length)
    } catch (error) {
      this.#rollBack()
      for (const { reject } of writes) reject(error)
      this.#waiting = this.#waiting.slice(writes.length)
    }
    this.#committed(started)
    this.#goOn()
  }

  /** The writes that may share the next commit: those before the first one that another connection makes. */
  #writesHere(): readonly Write[] {
    const writes: Write[] = []
    for (const write of this.#waiting.slice(0, MAX_WRITES)) {
      if ('runAlone' in write) break
      writes.push(write)
    }
    return writes
  }

  /** @throws when the whole transaction is rolled back */
  #runOne({ run, weigh, resolve, reject }: Write): Outcome {
    this.#savepoint.get()
    try {
      const result = run()
      const weight = weigh(result)
      this.#release.get()
      return { weight, tell: () => resolve(result) }
    } catch (error) {
      this.#takeBack(error)
      return { weight: 0, tell: () => reject(error) }
    }
  }

  /** @throws the error of the write, if it ended the transaction: a full disk does, a broken rule does not */
  #takeBack(error: unknown): void {
    try {
      this.#database.exec('ROLLBACK TO one; RELEASE one')
    } catch {
      throw error
    }
  }

  #rollBack(): void {
    try {
      this.#database.exec('ROLLBACK')
    } catch {
      // SQLite has already rolled back.
    }
  }
}
