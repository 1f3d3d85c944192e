/** The work of a scan in SQL, in nanoseconds. */
import { type SQL, sql } from 'drizzle-orm'
import { MAX_SCAN_MILLISECONDS, MAX_SEARCH_MILLISECONDS } from '../../scim/limits.ts'
import type { ResourceTable } from '../tables/resource-tables.ts'

export const LIMIT = MAX_SCAN_MILLISECONDS * 1e6
/** Of a list that searches the text of documents: see sparse-scans.ts. */
export const SEARCH_LIMIT = MAX_SEARCH_MILLISECONDS * 1e6

/** True if an estimate is within a limit. */
export function isAffordable(work: SQL, limit = LIMIT): SQL {
  return sql`${work} <= ${sql.raw(String(limit))}`
}

/** The estimated work of a part. */
export interface PartWork {
  /** The number of scanned rows, as a subquery. */
  readonly count: SQL
  /** Nanoseconds, as an expression over `t`, the row of the tenant, which has the count as a column. */
  readonly work: SQL
  /** Whether a scan of everything takes at least as long, likewise; undefined if it is one. */
  readonly isFaster: SQL | undefined
}

/**
 * The most blocks of `n` resources: a block has 16 pieces, and a resource less than one beyond those that are counted.
 *
 * @param withElements whether each object from the fifth on counts as a piece
 */
export function mostBlocks(
  { counters: { pieces, objects } }: ResourceTable,
  n: SQL,
  withElements: boolean,
): SQL {
  const counted = withElements ? `t.${pieces} + t.${objects}` : `t.${pieces}`
  return sql`((${sql.raw(counted)} + ${n}) / 16.0)`
}

/** A tree of depth log2(n): SQLite counts the depth of `a + b + c …` as n, and refuses more than 100. */
export function plus(terms: readonly SQL[]): SQL {
  const [only] = terms
  if (terms.length <= 1) return only ?? sql`0`
  const half = Math.ceil(terms.length / 2)
  return sql`(${plus(terms.slice(0, half))} + ${plus(terms.slice(half))})`
}
