/**
 * A list on its way to SQL: the filters and sort keys of its parts are SQL already. Values may be slots, so that the text
 * of a statement can be written once: see list-plans.ts.
 */
import type { Placeholder, SQL } from 'drizzle-orm'
import type { SqlValue } from '../database/database.ts'
import type { ListPart, Position } from './list-request.ts'
import type { ScanBudget } from './scan-budget.ts'

export type Value = SqlValue | Placeholder

/** A list, or the part of it that a page is. */
export interface List {
  readonly sources: readonly Source[]
  readonly tenantId: Value
  readonly offset: Value
  readonly limit: Value
  /** What it is estimated to cost to look through the gated sources, where no index leads. */
  readonly budget?: ScanBudget | undefined
  /** Whether it is asked how many match; of a list with a budget. */
  readonly isCounted?: boolean
  /** Of what an index finds no more are looked at: see mostFound. */
  readonly most?: number | undefined
  /** Where a page by position begins, and whether it is read backwards. */
  readonly from?: ListPosition | undefined
  readonly isBackwards?: boolean
}

export interface ListPosition extends Omit<Position, 'id'> {
  readonly id: Value
}

/** A part of a list with its filter in SQL. */
export interface Source extends Pick<ListPart, 'type' | 'sort' | 'withReferences'> {
  /** Undefined: everything of the tenant. */
  readonly condition: SQL | undefined
  /** How many meet the condition, where that is known without looking at them. */
  readonly total?: SQL | undefined
  /** Whether an index finds what meets the condition, so that it is better sorted than looked for in order. */
  readonly isIndexed: boolean
  /** Whether nothing may be looked for beyond the budget of the list. */
  readonly isGated?: boolean
  /** Whether no index has the order, so that all that match are sorted. */
  readonly isSorted?: boolean
  readonly sortKey: SQL
}
