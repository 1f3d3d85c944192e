/**
 * A SQLite file with the interface of D1's binding, over node:sqlite: prepare, bind, first, all, run, raw, and batch
 * as one transaction, with D1's limits and D1's error texts. Runs in Node.js and in Deno.
 *
 * Differences from D1 that cannot be removed here:
 * - `meta.rows_read` is the number of rows that the statement returned. SQLite counts the rows that it read
 *   (sqlite3_stmt_status), but node:sqlite does not expose the count: the true number is this or more.
 * - `meta.rows_written` counts changed rows, those of triggers included. D1 adds the entries of indexes.
 * - Integers above 2^53 are refused, where D1 rounds them.
 * - Deno ends a text at its first NUL character when it reads it. JSON writes it as \u0000, so JSON is complete.
 */
import type { DatabaseSync } from 'node:sqlite'
import type { D1Result } from '@cloudflare/workers-types'
import type { D1Binding, RememberedResult } from '../storage/database/database.ts'
import { BatchRunner } from './batch-runner.ts'
import { CommitQueue } from './commit-queue.ts'
import { d1Error, toD1Error } from './d1-error.ts'
import { type OneResult, type RunOne, SqliteStatement, type StatementToRun } from './d1-statement.ts'
import type { DatabaseThreads } from './database-threads.ts'
import { FairQueue, type Waiter } from './fair-queue.ts'
import { isReadOnly } from './limits.ts'
import type { RememberedResults } from './remembered-results.ts'

/** @param database opened by open.ts; nothing else may use the connection */
export class SqliteD1 {
  readonly #runner: BatchRunner
  readonly #commits: CommitQueue
  readonly #threads: DatabaseThreads | undefined
  readonly #remembered: RememberedResults | undefined
  readonly #longReads = new FairQueue()
  readonly #longWrites = new FairQueue()
  /** What the bindings of all requests have in common. */
  readonly #shared = {
    prepare: (sql: string) => this.prepare(sql),
    batch: (statements: readonly StatementToRun[]) => this.batch(statements),
    recall: (statements: readonly StatementToRun[]) => this.recall(statements),
  }
  readonly #one: RunOne = (statement, asArrays) => this.#runOne(statement, asArrays)

  /**
   * @param threads for long batches; without them, every batch runs here
   * @param remembered the results that this connection remembers
   * @param committed as in CommitQueue
   */
  constructor(
    database: DatabaseSync,
    threads?: DatabaseThreads,
    remembered?: RememberedResults,
    committed?: (since: number) => void,
  ) {
    this.#runner = new BatchRunner(database, remembered)
    this.#commits = new CommitQueue(database, committed)
    this.#threads = threads
    this.#remembered = remembered
  }

  /** The same object as the type that src/storage uses. */
  get binding(): D1Binding {
    return this as unknown as D1Binding
  }

  /** The same for somebody who waits for the results of long batches. */
  bindingFor(waiter: Waiter | undefined): D1Binding {
    if (waiter === undefined) return this.binding
    const binding = {
      ...this.#shared,
      longBatch: (statements: readonly StatementToRun[]) => this.longBatch(statements, waiter),
    }
    return binding as unknown as D1Binding
  }

  /** Writes that wait for their commit. */
  get waitingWrites(): number {
    return this.#commits.waiting
  }

  prepare(sql: string): SqliteStatement {
    return new SqliteStatement(sql, [], this.#one)
  }

  /** The results of the statements, if all of them are remembered. @throws {Error} D1's */
  recall(statements: readonly StatementToRun[]): readonly RememberedResult[] | undefined {
    try {
      return this.#remembered?.all(statements)
    } catch (error) {
      throw toD1Error(error)
    }
  }

  /** Runs the statements as one transaction: all of them or none. */
  async batch<T>(statements: readonly StatementToRun[]): Promise<D1Result<T>[]> {
    if (statements.length === 0) throw d1Error('No SQL statements detected.')
    try {
      const { changesNothing, run } = this.#runner.prepare(statements)
      return changesNothing ? await this.#commits.read(run) : await this.#commits.write(run, charactersOf)
    } catch (error) {
      throw toD1Error(error)
    }
  }

  /**
   * The same for a batch that takes long: it runs in another thread, and reads go on meanwhile. A write still waits for
   * its turn, and later writes for its end, because a file has one writer. Long batches of several owners take turns.
   *
   * @param waiter who waits for the results. A batch that only reads is left out if nobody waits when its turn comes, and
   *   ended at a checkpoint if nobody waits any more
   */
  async longBatch<T>(
    statements: readonly StatementToRun[],
    waiter: Waiter = { owner: '' },
  ): Promise<D1Result<T>[]> {
    const threads = this.#threads
    if (threads === undefined || statements.length === 0) return await this.batch(statements)
    const batch = statements.map(({ sql, params }) => ({ sql, params }))
    try {
      const isRead = batch.every(({ sql }) => isReadOnly(sql))
      if (isRead) return await this.#longReads.run(waiter, () => threads.read(batch, waiter.signal?.()))
      const { owner } = waiter
      return await this.#longWrites.run({ owner }, () => this.#commits.alone(() => threads.write(batch)))
    } catch (error) {
      throw toD1Error(error)
    } finally {
      this.#remembered?.askAgain()
    }
  }

  /**
   * Resolves when no statement is in progress. Long reads that wait are left out: a supervisor would end the process before a
   * long queue of them.
   */
  async stop(): Promise<void> {
    this.#longReads.clear()
    await Promise.all([this.#longReads.idle(), this.#longWrites.idle()])
    await this.#commits.idle()
    await this.#threads?.stop()
  }

  async #runOne(statement: StatementToRun, asArrays: boolean): Promise<OneResult> {
    try {
      const { changesNothing, run } = this.#runner.prepareOne(statement, asArrays)
      if (changesNothing) return await this.#commits.read(run)
      return await this.#commits.write(run, ({ result }) => charactersOf([result]))
    } catch (error) {
      throw toD1Error(error)
    }
  }
}

/** The approximate characters of a value in a row that is not a text. */
const OTHER_VALUE_CHARACTERS = 8

function charactersOf(results: readonly D1Result[]): number {
  let characters = 0
  for (const { results: rows } of results) {
    for (const row of rows as Readonly<Record<string, unknown>>[]) {
      for (const name in row) {
        const value = row[name]
        characters += typeof value === 'string' ? value.length : OTHER_VALUE_CHARACTERS
      }
    }
  }
  return characters
}
