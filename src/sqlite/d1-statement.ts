/**
 * A statement with D1's interface: prepare, bind, then run, all, first or raw.
 */
import type { D1Result } from '@cloudflare/workers-types'
import { d1Error } from './d1-error.ts'

export type BoundValue = string | number | null | Uint8Array

export interface StatementToRun {
  readonly sql: string
  readonly params: readonly BoundValue[]
}

/** Runs one statement in a separate transaction. @param asArrays rows as arrays, which keep duplicate names */
export type RunOne = (statement: StatementToRun, asArrays: boolean) => Promise<OneResult>

export interface OneResult {
  readonly columns: readonly string[]
  readonly result: D1Result<never>
}

export class SqliteStatement implements StatementToRun {
  readonly sql: string
  readonly params: readonly BoundValue[]
  readonly #runOne: RunOne

  constructor(sql: string, params: readonly BoundValue[], runOne: RunOne) {
    this.sql = sql
    this.params = params
    this.#runOne = runOne
  }

  /** @throws {Error} D1_TYPE_ERROR for a value that D1 does not accept */
  bind(...values: unknown[]): SqliteStatement {
    return new SqliteStatement(this.sql, values.map(toBoundValue), this.#runOne)
  }

  async run<T>(): Promise<D1Result<T>> {
    return (await this.#runOne(this, false)).result
  }

  all<T>(): Promise<D1Result<T>> {
    return this.run<T>()
  }

  /** The first row, or one column of it; null when there is none. */
  async first<T>(column?: string): Promise<T | null> {
    const [row] = (await this.run<Record<string, unknown>>()).results
    if (row === undefined) return null
    if (column === undefined) return row as T
    if (!(column in row)) throw d1Error(`Column not found (${column})`, 'D1_COLUMN_NOTFOUND')
    return row[column] as T
  }

  /** The rows as arrays, after the names of the columns if they are requested. */
  async raw<T>(options?: { columnNames?: boolean }): Promise<T[]> {
    const { columns, result } = await this.#runOne(this, true)
    const rows: unknown[] = options?.columnNames ? [columns, ...result.results] : result.results
    return rows as T[]
  }
}

function toBoundValue(value: unknown): BoundValue {
  // SQLite stores NaN as NULL, and so does D1.
  if (typeof value === 'string' || typeof value === 'number' || value === null) return value
  if (typeof value === 'boolean') return value ? 1 : 0
  if (value instanceof Uint8Array) return value
  if (value instanceof ArrayBuffer) return new Uint8Array(value)
  throw d1Error(`Type '${typeof value}' not supported for value '${value}'`, 'D1_TYPE_ERROR')
}
