/**
 * Runs statements on one connection, with D1's limits and the form of D1's results. It begins and ends no transaction.
 */
import type { DatabaseSync } from 'node:sqlite'
import type { D1Result } from '@cloudflare/workers-types'
import { d1Error } from './d1-error.ts'
import type { BoundValue, OneResult, StatementToRun } from './d1-statement.ts'
import type { RememberedResults } from './remembered-results.ts'
import { type PreparedStatement, StatementCache } from './statement-cache.ts'

/** A batch whose statements are prepared. */
export interface PreparedBatch<Result> {
  /** True only if the batch certainly changes nothing. */
  readonly changesNothing: boolean
  /** @throws {Error} of SQLite or, for the number of parameters, of D1 */
  readonly run: () => Result
}

export class BatchRunner {
  readonly #cache: StatementCache
  readonly #counters: () => readonly [changes: number, rowId: number]
  readonly #remembered: RememberedResults | undefined

  /** @param remembered the results that reads may use */
  constructor(database: DatabaseSync, remembered?: RememberedResults) {
    this.#cache = new StatementCache(database)
    this.#remembered = remembered
    const counters = database.prepare('SELECT total_changes(), last_insert_rowid()')
    counters.setReturnArrays(true)
    this.#counters = () => counters.get() as unknown as [number, number]
  }

  /** @throws {Error} D1's error for a statement that D1 refuses; SQLite's error for one that cannot be prepared */
  prepare(statements: readonly StatementToRun[]): PreparedBatch<D1Result<never>[]> {
    const prepared = statements.map((statement) => ({ statement, to: this.#cache.get(statement.sql) }))
    if (!prepared.every(({ to }) => to.isReadOnly)) {
      return {
        changesNothing: false,
        run: () => prepared.map(({ statement, to }) => this.#execute(to, statement.params, false)),
      }
    }
    return {
      changesNothing: true,
      run: () => {
        this.#remembered?.refresh()
        return prepared.map(({ statement, to }) => this.#read(statement, to))
      },
    }
  }

  #read(statement: StatementToRun, to: PreparedStatement): D1Result<never> {
    const known = to.mark === undefined ? undefined : this.#remembered?.get(statement)
    if (known !== undefined) return known
    const result = this.#execute(to, statement.params, false)
    if (to.mark !== undefined) this.#remembered?.remember(statement, to.mark, result)
    return result
  }

  /** Prepares one statement. @param asArrays rows as arrays, which keep duplicate names @throws {Error} as prepare */
  prepareOne({ sql, params }: StatementToRun, asArrays: boolean): PreparedBatch<OneResult> {
    const prepared = this.#cache.get(sql)
    const { columns, isReadOnly } = prepared
    return {
      changesNothing: isReadOnly,
      run: () => ({ columns, result: this.#execute(prepared, params, asArrays) }),
    }
  }

  #execute(prepared: PreparedStatement, params: readonly BoundValue[], asArrays: boolean) {
    const { statement, columns, parameterCount, isReadOnly } = prepared
    if (params.length !== parameterCount) throw d1Error('Wrong number of parameter bindings for SQL query.')
    const [before] = isReadOnly ? [0] : this.#counters()
    const started = performance.now()
    const rows = statement.all(...params) as unknown as unknown[][]
    const results = (asArrays ? rows : rows.map((row) => objectOf(columns, row))) as never[]
    const duration = performance.now() - started
    const [after, rowId] = isReadOnly ? [0, 0] : this.#counters()
    return d1Result(results, after - before, rowId, duration)
  }
}

function objectOf(columns: readonly string[], row: readonly unknown[]): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  for (let i = 0; i < columns.length; i++) object[columns[i] as string] = row[i]
  return object
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
