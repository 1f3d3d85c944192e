/**
 * Reads that can share a round trip: a Query is its statements and how to read their results, and
 * readTogether runs several as one batch.
 */
import type { Database, Statement, StatementResult } from './database.ts'

export interface Query<Result> {
  readonly statements: readonly Statement[]
  /** @param results those of the statements, in their order */
  readonly read: (results: readonly StatementResult[]) => Result
}

type Results<Queries extends Record<string, Query<unknown>>> = {
  readonly [Name in keyof Queries]: Queries[Name] extends Query<infer Result> ? Result : never
}

/** Runs all queries in one round trip. @returns their results under their names */
export async function readTogether<Queries extends Record<string, Query<unknown>>>(
  db: Database,
  queries: Queries,
): Promise<Results<Queries>> {
  const all = Object.entries(queries)
  const results = await db.batch(all.flatMap(([, query]) => query.statements))
  let from = 0
  const entries = all.map(([name, { statements, read }]) => {
    const own = results.slice(from, from + statements.length)
    from += statements.length
    return [name, read(own)]
  })
  return Object.fromEntries(entries) as Results<Queries>
}

/** A page of a list, and the cursor of the next one. */
export interface Page<Item, Cursor = string> {
  readonly items: readonly Item[]
  /** Undefined on the last page. */
  readonly next: Cursor | undefined
}

/**
 * The page of a list of which one more than `size` was read: the one more only tells that there is another page.
 *
 * @param cursorOf what the next page begins after
 */
export function pageOfItems<Item, Cursor>(
  items: readonly Item[],
  size: number,
  cursorOf: (last: Item) => Cursor,
): Page<Item, Cursor> {
  const shown = items.slice(0, size)
  const last = shown.at(-1)
  return { items: shown, next: items.length > size && last !== undefined ? cursorOf(last) : undefined }
}
