/**
 * Prepared statements by their text: parsing and planning costs more than running most of them. The number of texts
 * of filters is unlimited, so the least recently used statement is dropped.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { markIn } from '../storage/database/remembered.ts'
import { d1Error } from './d1-error.ts'
import { isAllowed, isReadOnly, MAX_STATEMENT_BYTES, parameterCount } from './limits.ts'

const MAX_STATEMENTS = 500

export interface PreparedStatement {
  /** Returns rows as arrays: objects take half as long again, because SQLite names the columns of each row. */
  readonly statement: StatementSync
  /** The names of the columns. */
  readonly columns: readonly string[]
  readonly parameterCount: number
  /** True only if the statement certainly changes nothing. */
  readonly isReadOnly: boolean
  /** Set if its result may be remembered: the column with the id of the row. */
  readonly mark: string | undefined
}

export class StatementCache {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, PreparedStatement>()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  /** @throws {Error} D1's error for a statement that D1 refuses; SQLite's error for one that cannot be prepared */
  get(sql: string): PreparedStatement {
    const prepared = this.#statements.get(sql) ?? this.#prepare(sql)
    // A Map keeps the order of insertion, so the first entry is the least recently used.
    this.#statements.delete(sql)
    this.#statements.set(sql, prepared)
    return prepared
  }

  #prepare(sql: string): PreparedStatement {
    if (!isAllowed(sql)) throw d1Error('not authorized: SQLITE_AUTH')
    // SQLite counts bytes, of which there are at least as many as UTF-16 units. Node.js hides SQLite's error.
    if (sql.length > MAX_STATEMENT_BYTES) throw d1Error('statement too long: SQLITE_TOOBIG')
    if (this.#statements.size >= MAX_STATEMENTS) {
      const [oldest] = this.#statements.keys()
      if (oldest !== undefined) this.#statements.delete(oldest)
    }
    const statement = this.#database.prepare(sql)
    statement.setReturnArrays(true)
    return {
      statement,
      columns: statement.columns().map(({ name }) => name),
      parameterCount: parameterCount(sql),
      isReadOnly: isReadOnly(sql),
      mark: markIn(sql),
    }
  }
}
