/**
 * What a list is asked for: of which resource types, and which part of it.
 */
import type { Filter } from '../../scim/filter/ast.ts'
import type { Sort } from '../../scim/sort.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'

/** The part of a list that comes from one table. */
export interface ListPart {
  readonly type: StoredResourceType
  readonly filter: Filter | undefined
  readonly sort: Sort | undefined
  /** Whether its memberships are wanted, as `groups` or `members`: they cost a read for each. */
  readonly withReferences: boolean
}

/** Where a resource stands in the order of a list. */
export interface Position {
  /** What it is sorted by, in comparison form; null without a value, or without a sort. */
  readonly key: string | number | null
  readonly id: string
  /** When the key is too long to be kept: `key` is its beginning, and the resource has the whole at this version. */
  readonly version?: number | undefined
}

/** Which part of the list: by number, or from a position on, forwards or backwards. */
export type Slice =
  | { readonly offset: number; readonly limit: number }
  | {
      readonly from: Position | undefined
      readonly isBackwards: boolean
      readonly limit: number
      /** How many match, where that is known: they are not counted then. */
      readonly total?: number | undefined
    }
