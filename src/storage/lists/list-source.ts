/**
 * A list whose filters and sort keys are compiled to SQL. Values may be slots, so that the text of a statement can be
 * rendered once: see list-plans.ts.
 */
import type { Placeholder, SQL } from 'drizzle-orm'
import type { SqlValue } from '../database/database.ts'
import type { ListPart, Position } from './list-request.ts'
import type { ScanBudget } from './scan-budget.ts'

export type Value = SqlValue | Placeholder

/** A list, or the page of one. */
export interface List {
  readonly sources: readonly Source[]
  readonly tenantId: Value
  readonly offset: Value
  readonly limit: Value
  /** The estimated cost of scanning the gated sources, which have no index. */
  readonly budget?: ScanBudget | undefined
  /** Whether the number of matches is needed; for a list with a budget. */
  readonly isCounted?: boolean
  /** The most matches of an index that are read: see mostFound. */
  readonly most?: number | undefined
  /** The start of a page by position, and whether it is read backwards. */
  readonly from?: ListPosition | undefined
  readonly isBackwards?: boolean
}

export interface ListPosition extends Omit<Position, 'id'> {
  readonly id: Value
}

/** A part of a list with its filter as SQL. */
export interface Source extends Pick<ListPart, 'type' | 'sort' | 'withReferences'> {
  /** Undefined for all resources of the tenant. */
  readonly condition: SQL | undefined
  /** The ids of all matches, if an index has them without the resources: a column, and the rows after FROM. */
  readonly ids?: { readonly id: SQL; readonly rows: SQL } | undefined
  /** The number of matches, if it is known without reading them. */
  readonly total?: SQL | undefined
  /** Whether an index finds the matches. Sorting them is then faster than a scan in the order of the list. */
  readonly isIndexed: boolean
  /** Whether the source may only be read within the budget of the list. */
  readonly isGated?: boolean
  /** Whether the documents of all resources are looked through. */
  readonly isWalked?: boolean
  /** Whether the index that finds the matches lacks their ids, so that each match is read to know its id. */
  readonly areIdsApart?: boolean
  /** Whether no index has the order, so that all matches are sorted. */
  readonly isSorted?: boolean
  readonly sortKey: SQL
  /** The page in order, if an index finds it: see ordered-lists.ts. */
  readonly ordered?: ((list: List) => SQL) | undefined
  /** Set if only documents that contain a part of a value are tested. */
  readonly sparse?: SparseScan | undefined
}

/** See sparse-scans.ts. */
export interface SparseScan {
  /** True for each match, and for few other resources. */
  readonly prefilter: SQL
  /** The filter alone, for resources that meet the prefilter. */
  readonly test: SQL
  /** Nanoseconds to test a resource: the least, which does not read its documents to be known. */
  readonly work: SQL
  /** The same with its elements; undefined if none are tested. Its documents are read for that. */
  readonly workWithElements: SQL | undefined
  /** The most resources that can be tested within the limit, by the estimate of the list. */
  readonly most: SQL
  /** One row with the estimate of the list in which all resources are tested. */
  readonly otherwise: SQL
}
