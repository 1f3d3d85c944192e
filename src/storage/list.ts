/**
 * Lists of resources: of one type or across types, filtered, sorted, in pages by index or by position.
 * One batch, whatever is asked for.
 */
import type { Filter } from '../scim/filter/ast.ts'
import type { Sort } from '../scim/sort.ts'
import { type Database, type Row, type Statement, statement } from './database.ts'
import { plainListOf } from './list-plans.ts'
import { listOf, membersOf, pageOf, totalOf } from './list-sql.ts'
import { memberFromRow } from './memberships.ts'
import { NestedGroups, selectNestedGroups } from './nested-groups.ts'
import { type Stored, StoredRow } from './resources.ts'
import { type Credentials, readAs } from './tokens.ts'
import { groupsFromRow } from './users.ts'

/** The part of a list that comes from one table. */
export interface ListPart {
  readonly type: 'User' | 'Group'
  readonly filter: Filter | undefined
  readonly sort: Sort | undefined
  /** Whether `groups` of a User, or `members` of a Group, are wanted: they cost a read for each. */
  readonly withReferences: boolean
}

/** Where a resource stands in the order of a list. */
export interface Position {
  /** What it is sorted by, in comparison form; null without a value, or without a sort. */
  readonly key: string | number | null
  readonly id: string
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

export interface Listed {
  readonly type: 'User' | 'Group'
  readonly stored: Stored
  readonly position: Position
}

/**
 * Reads a list.
 *
 * @param slice with `from`, one resource more than `limit` is returned when there are more
 * @returns resources in the order in which they were read, so from last to first when backwards
 */
export async function listResources(
  db: Database,
  credentials: Credentials,
  parts: readonly ListPart[],
  slice: Slice,
): Promise<{ total: number; listed: readonly Listed[] }> {
  const plain = plainListOf(parts, credentials.tenantId, slice)
  if (plain?.isUnique && 'offset' in slice) {
    const [found, members] = await readAs(db, credentials, plain.statements)
    const listed = allListed(found?.rows, members?.rows)
    return { total: listed.length, listed: listed.slice(slice.offset, slice.offset + slice.limit) }
  }
  const statements = plain?.statements ?? statementsOf(parts, credentials.tenantId, slice)
  const results = await readAs(db, credentials, statements)
  const known = knownTotal(slice)
  const [counted, page, ...more] = known === undefined ? results : [undefined, ...results]
  const total = known ?? Number(counted?.rows[0]?.total ?? 0)
  const members = hasReferences(parts, 'Group') ? more[0]?.rows : []
  const nested = hasReferences(parts, 'User') ? new NestedGroups(more.at(-1)?.rows ?? []) : undefined
  return { total, listed: allListed(page?.rows, members, nested) }
}

function hasReferences(parts: readonly ListPart[], type: ListPart['type']): boolean {
  return parts.some((part) => part.type === type && part.withReferences)
}

function knownTotal(slice: Slice): number | undefined {
  return 'from' in slice ? slice.total : undefined
}

function statementsOf(parts: readonly ListPart[], tenantId: string, slice: Slice): readonly Statement[] {
  const list = listOf(parts, tenantId, slice)
  const page = pageOf('from' in slice ? { ...list, limit: slice.limit + 1 } : list)
  const total = knownTotal(slice) === undefined ? [totalOf(list)] : []
  const queries = [...total, page, ...(hasReferences(parts, 'Group') ? [membersOf(list, pageOf(list))] : [])]
  const nested = hasReferences(parts, 'User') ? [selectNestedGroups({ tenantId })] : []
  return [...queries.map(statement), ...nested]
}

function allListed(
  rows: readonly Row[] = [],
  memberRows: readonly Row[] = [],
  nested?: NestedGroups,
): readonly Listed[] {
  const members = Map.groupBy(memberRows, (row) => row.groupId)
  return rows.map((row) => listedFromRow(row, members.get(row.id ?? '') ?? [], nested))
}

function listedFromRow(row: Row, memberRows: readonly Row[], nested: NestedGroups | undefined): Listed {
  const members = memberRows.map(memberFromRow)
  const more = row.type === 'User' ? groupsFromRow(row, nested) : members.length === 0 ? {} : { members }
  const { sortKey = null } = row
  return {
    type: row.type === 'User' ? 'User' : 'Group',
    stored: new StoredRow(row, more),
    position: { key: sortKey, id: String(row.id) },
  }
}
