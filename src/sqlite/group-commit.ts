/**
 * Transactions of one connection. Writes that arrive together are committed together: with
 * synchronous=FULL a commit waits for the disk, and one wait then serves all of them. Each write is a
 * savepoint, so that one that fails takes back itself alone; nobody is answered before the commit.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { setImmediate } from 'node:timers'

/** Writes in one commit, and what they may take before the next one waits: bounds how long the others have to wait. */
const MAX_WRITES = 64
const MAX_COMMIT_MS = 10

interface Write {
  readonly run: () => unknown
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
}

export class GroupCommit {
  readonly #database: DatabaseSync
  readonly #begin: StatementSync
  readonly #beginWrite: StatementSync
  readonly #savepoint: StatementSync
  readonly #release: StatementSync
  readonly #end: StatementSync
  #waiting: Write[] = []
  #idle: (() => void)[] = []

  constructor(database: DatabaseSync) {
    this.#database = database
    // `get`, because `run` asks for counters that nobody wants: it takes five times as long.
    this.#begin = database.prepare('BEGIN')
    // At once, not with the first write: else another writer could make the transaction fail half way.
    this.#beginWrite = database.prepare('BEGIN IMMEDIATE')
    this.#savepoint = database.prepare('SAVEPOINT one')
    this.#release = database.prepare('RELEASE one')
    this.#end = database.prepare('COMMIT')
  }

  /** Runs what changes nothing, at once: all of it sees the same state, whoever else writes the file. */
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

  /** Runs a write; it is on the disk when the promise resolves, and undone when it rejects. */
  write<Result>(run: () => Result): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      this.#waiting.push({ run, resolve: resolve as (result: unknown) => void, reject })
      // After the requests that have arrived by now, so that they can join.
      if (this.#waiting.length === 1) setImmediate(() => this.#commit())
    })
  }

  /** Resolves when no write waits. */
  idle(): Promise<void> {
    if (this.#waiting.length === 0) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  #commit(): void {
    let writes = this.#waiting.slice(0, MAX_WRITES)
    const answers: (() => void)[] = []
    const started = performance.now()
    try {
      this.#beginWrite.get()
      for (const write of writes) {
        answers.push(this.#runOne(write))
        if (performance.now() - started > MAX_COMMIT_MS) break
      }
      writes = writes.slice(0, answers.length)
      this.#end.get()
      for (const answer of answers) answer()
    } catch (error) {
      this.#rollBack()
      for (const { reject } of writes) reject(error)
    }
    this.#waiting = this.#waiting.slice(writes.length)
    if (this.#waiting.length > 0) setImmediate(() => this.#commit())
    else for (const resolve of this.#idle.splice(0)) resolve()
  }

  /** @returns what to tell the writer after the commit @throws when the whole transaction is lost */
  #runOne({ run, resolve, reject }: Write): () => void {
    this.#savepoint.get()
    try {
      const result = run()
      this.#release.get()
      return () => resolve(result)
    } catch (error) {
      this.#takeBack(error)
      return () => reject(error)
    }
  }

  /** @throws what the write threw, when that ended the transaction: a full disk does, a broken rule does not */
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
      // SQLite has rolled back by itself.
    }
  }
}
