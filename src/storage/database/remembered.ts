/**
 * Statements whose result follows from one row, so a database in this process may remember it: see
 * src/sqlite/remembered-results.ts. D1 has other writers, and runs the statement each time.
 */
import { type Placeholder, type SQL, sql } from 'drizzle-orm'

/**
 * Marks a statement, at its beginning after SELECT. As long as it finds one row, the result follows from the row of that id
 * alone: it finds it by a key that no other row can have meanwhile, and all else that it reads are sources of that id.
 *
 * @param tenantId of the row
 * @param id the name of the result's column with the id of the row
 */
export function remembered(tenantId: Placeholder, id: string): SQL {
  return sql`/* remember ${tenantId} ${sql.raw(id)} */`
}

/** A mark is the beginning of its statement, so the tenant is the first parameter. */
const MARK = /^SELECT \/\* remember \?1 (\w+) \*\//

/** The column that the mark of a statement names. @returns undefined if its text is not marked */
export function markIn(text: string): string | undefined {
  return MARK.exec(text)?.[1]
}

/** Rows that results follow from. */
export interface ResultSource {
  readonly table: string
  /** Updates of other columns change no result; undefined: those of every column do. */
  readonly columns?: string
  /** The tenant whose results a change of a row concerns, and the id, or NULL for all of them. @param row OLD or NEW */
  readonly concerns: (row: string) => string
}
