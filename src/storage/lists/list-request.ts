/**
 * The request for a list: the resource types, and the part of the list.
 */
import type { Filter } from '../../scim/filter/ast.ts'
import type { Sort } from '../../scim/sort.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'

/** The part of a list from one table. */
export interface ListPart {
  readonly type: StoredResourceType
  readonly filter: Filter | undefined
  readonly sort: Sort | undefined
  /** Whether its memberships are needed, as `groups` or `members`: they cost a read for each. */
  readonly withReferences: boolean
  /** Whether all resources are looked through, although indexes find candidates: they may find most of the directory. */
  readonly isScanned?: boolean
}

/** What a part looks for. */
export type Sought = Pick<ListPart, 'type' | 'filter' | 'isScanned'> & Partial<Pick<ListPart, 'sort'>>

/** The position of a resource in the order of a list. */
export interface Position {
  /** The sort key in comparison form; null without a value, or without a sort. */
  readonly key: string | number | null
  readonly id: string
  /**
   * Set if the key is too long for a cursor: `key` is its beginning, and the resource has the whole key at this
   * version.
   */
  readonly version?: number | undefined
}

/** The part of the list: by number, or from a position, forwards or backwards. */
export type Slice =
  | { readonly offset: number; readonly limit: number }
  | {
      readonly from: Position | undefined
      readonly isBackwards: boolean
      readonly limit: number
      /** The number of matches, if it is known: it is not counted then. */
      readonly total?: number | undefined
    }

/** The number of matches, if the previous page has told it. */
export function knownTotal(slice: Slice): number | undefined {
  return 'from' in slice ? slice.total : undefined
}
