/**
 * Prepared statements by their text: parsing and planning costs more than most of our statements do. The
 * texts of filters have no end, so the least recently used goes when there are too many.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { d1Error } from './d1-error.ts'
import { isAllowed, isReadOnly, MAX_STATEMENT_BYTES, parameterCount } from './limits.ts'

const MAX_STATEMENTS = 500

export interface PreparedStatement {
  readonly statement: StatementSync
  readonly parameterCount: number
  /** False when in doubt. */
  readonly isReadOnly: boolean
}

export class StatementCache {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, PreparedStatement>()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  /** @throws {Error} D1's, when it would not run the statement; SQLite's, when it cannot be prepared */
  get(sql: string): PreparedStatement {
    const prepared = this.#statements.get(sql) ?? this.#prepare(sql)
    // A Map keeps the order of insertion, so the first one is the one that was not used for longest.
    this.#statements.delete(sql)
    this.#statements.set(sql, prepared)
    return prepared
  }

  #prepare(sql: string): PreparedStatement {
    if (!isAllowed(sql)) throw d1Error('not authorized: SQLITE_AUTH')
    // SQLite counts bytes, of which there are at least as many as UTF-16 units; Node.js hides its answer.
    if (sql.length > MAX_STATEMENT_BYTES) throw d1Error('statement too long: SQLITE_TOOBIG')
    if (this.#statements.size >= MAX_STATEMENTS) {
      const [oldest] = this.#statements.keys()
      if (oldest !== undefined) this.#statements.delete(oldest)
    }
    return {
      statement: this.#database.prepare(sql),
      parameterCount: parameterCount(sql),
      isReadOnly: isReadOnly(sql),
    }
  }
}
