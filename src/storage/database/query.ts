/**
 * Reads that can share a round trip. A Query is its statements and a function that reads their results; readTogether
 * runs several queries as one batch.
 */
import type { Database, Statement, StatementResult } from './database.ts'

export interface Query<Result> {
  readonly statements: readonly Statement[]
  /** @param results those of the statements, in their order */
  readonly read: (results: readonly StatementResult[]) => Result
}

/** In place of a query that is not needed. */
export const NOTHING = { statements: [], read: () => undefined } satisfies Query<undefined>

type Results<Queries extends Record<string, Query<unknown>>> = {
  readonly [Name in keyof Queries]: Queries[Name] extends Query<infer Result> ? Result : never
}

/** Runs all queries in one round trip. @returns their results under their names */
export async function readTogether<Queries extends Record<string, Query<unknown>>>(
  db: Database,
  queries: Queries,
): Promise<Results<Queries>> {
  const { statements, read } = together(queries)
  return read(await db.batch(statements))
}

/** Several queries as one. Its result has theirs under their names. */
export function together<Queries extends Record<string, Query<unknown>>>(
  queries: Queries,
): Query<Results<Queries>> {
  const all = Object.entries(queries)
  return {
    statements: all.flatMap(([, query]) => query.statements),
    read: (results) => {
      let from = 0
      const entries = all.map(([name, { statements, read }]) => {
        const own = results.slice(from, from + statements.length)
        from += statements.length
        return [name, read(own)]
      })
      return Object.fromEntries(entries) as Results<Queries>
    },
  }
}

/** A page of a list, and the cursor of the next one. */
export interface Page<Item, Cursor = string> {
  readonly items: readonly Item[]
  /** Undefined on the last page. */
  readonly next: Cursor | undefined
}

/**
 * The page of a list, from up to `size` + 1 items: the extra item only tells that there is another page.
 *
 * @param cursorOf the cursor after which the next page begins
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
