/**
 * An expression that takes longer than the rest of its statement, so a database in this process remembers its values by tenant
 * and id of a row: see src/sqlite/remembered-values.ts. D1 has other writers, and evaluates the expression each time.
 */
import { type SQL, sql } from 'drizzle-orm'

/** @param key the tenant and the id of a row, from which nothing but rows of RememberedExpression.sources follows */
export function remembered(key: string, expression: SQL): SQL {
  return sql`/* remember ${sql.raw(key)} */ ${expression} /* remembered */`
}

const MARKED = /\/\* remember (.*?) \*\/ (.*?) \/\* remembered \*\//gs

/** Replaces remembered expressions in the text of a statement. */
export function replaceRemembered(text: string, by: (key: string, expression: string) => string): string {
  return text.replaceAll(MARKED, (_, key: string, expression: string) => by(key, expression))
}

/** The rows that a value follows from. */
export interface ValueSource {
  readonly table: string
  /** Updates of other columns change no value. */
  readonly columns: string
  /** The tenant whose values a change of a row concerns, and the id, or NULL for all of them. @param row OLD or NEW */
  readonly concerns: (row: string) => string
}
