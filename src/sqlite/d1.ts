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
import type { D1Binding } from '../storage/database/database.ts'
import { CommitQueue } from './commit-queue.ts'
import { d1Error, toD1Error } from './d1-error.ts'
import { type BoundValue, type OneResult, SqliteStatement, type StatementToRun } from './d1-statement.ts'
import { type PreparedStatement, StatementCache } from './statement-cache.ts'

/** @param database opened by open.ts; nothing else may use the connection */
export class SqliteD1 {
  readonly #cache: StatementCache
  readonly #commits: CommitQueue
  readonly #counters: () => readonly [changes: number, rowId: number]

  constructor(database: DatabaseSync) {
    this.#cache = new StatementCache(database)
    this.#commits = new CommitQueue(database)
    const counters = database.prepare('SELECT total_changes(), last_insert_rowid()')
    counters.setReturnArrays(true)
    this.#counters = () => counters.get() as unknown as [number, number]
  }

  /** The same object as the type that src/storage uses. */
  get binding(): D1Binding {
    return this as unknown as D1Binding
  }

  prepare(sql: string): SqliteStatement {
    return new SqliteStatement(sql, [], (statement, asArrays) => this.#runOne(statement, asArrays))
  }

  /** Runs the statements as one transaction: all of them or none. */
  async batch<T>(statements: readonly StatementToRun[]): Promise<D1Result<T>[]> {
    if (statements.length === 0) throw d1Error('No SQL statements detected.')
    try {
      const prepared = statements.map(({ sql }) => this.#cache.get(sql))
      const run = () => prepared.map((one, i) => this.#execute(one, statements[i]?.params ?? []))
      return await this.#transaction(
        prepared.every(({ isReadOnly }) => isReadOnly),
        run,
      )
    } catch (error) {
      throw toD1Error(error)
    }
  }

  /** Resolves when no statement is in progress. */
  idle(): Promise<void> {
    return this.#commits.idle()
  }

  async #runOne({ sql, params }: StatementToRun, asArrays: boolean): Promise<OneResult> {
    try {
      const prepared = this.#cache.get(sql)
      const columns = prepared.statement.columns().map(({ name }) => name)
      const result = await this.#transaction(prepared.isReadOnly, () => {
        prepared.statement.setReturnArrays(asArrays)
        try {
          return this.#execute(prepared, params)
        } finally {
          prepared.statement.setReturnArrays(false)
        }
      })
      return { columns, result }
    } catch (error) {
      throw toD1Error(error)
    }
  }

  #transaction<Result extends D1Result | D1Result[]>(
    isReadOnly: boolean,
    run: () => Result,
  ): Promise<Result> {
    return isReadOnly ? this.#commits.read(run) : this.#commits.write(run, charactersOf)
  }

  #execute({ statement, parameterCount, isReadOnly }: PreparedStatement, params: readonly BoundValue[]) {
    if (params.length !== parameterCount) throw d1Error('Wrong number of parameter bindings for SQL query.')
    const [before] = isReadOnly ? [0] : this.#counters()
    const started = performance.now()
    const results = statement.all(...params) as never[]
    const duration = performance.now() - started
    const [after, rowId] = isReadOnly ? [0, 0] : this.#counters()
    return d1Result(results, after - before, rowId, duration)
  }
}

/** The approximate characters of a value in a row that is not a text. */
const OTHER_VALUE_CHARACTERS = 8

function charactersOf(result: D1Result | D1Result[]): number {
  let characters = 0
  for (const { results } of [result].flat()) {
    for (const row of results as Readonly<Record<string, unknown>>[]) {
      for (const name in row) {
        const value = row[name]
        characters += typeof value === 'string' ? value.length : OTHER_VALUE_CHARACTERS
      }
    }
  }
  return characters
}

function d1Result(results: never[], changes: number, rowId: number, duration: number): D1Result<never> {
  return {
    success: true,
    results,
    meta: {
      served_by: 'sqlite',
      served_by_primary: true,
      total_attempts: 1,
      duration,
      changes,
      changed_db: changes !== 0,
      last_row_id: rowId,
      rows_read: results.length,
      rows_written: changes,
      // Not used, and it would need a query for each result.
      size_after: 0,
    },
  }
}
