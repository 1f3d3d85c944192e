/**
 * Lists of resources: of one type or across types, filtered, sorted, in pages by index or by position.
 * One batch, whatever is asked for.
 */
import type { Filter } from '../scim/filter/ast.ts'
import { MAX_CURSOR_KEY_CHARACTERS } from '../scim/limits.ts'
import type { Sort } from '../scim/sort.ts'
import { type Database, type Row, type Statement, type StatementResult, statement } from './database.ts'
import { plainListOf } from './list-plans.ts'
import { cutPageOf, listOf, membersOf, pageOf, searchedPageOf, totalOf } from './list-sql.ts'
import { memberFromRow, requireFewMembers } from './memberships.ts'
import { NestedGroups, selectNestedGroups } from './nested-groups.ts'
import { type Stored, StoredRow } from './resources.ts'
import { requireFewFound, type ScanBudget } from './scan-budget.ts'
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

export interface Listed {
  readonly type: 'User' | 'Group'
  readonly stored: Stored
  readonly position: Position
}

/** A page. It may hold fewer resources than `limit` although there are more: see page-size.ts. */
export interface ListedPage {
  readonly total: number
  /** In the order in which they were read, so from last to first when backwards. */
  readonly listed: readonly Listed[]
  /** Whether more come after them; of a page by position. */
  readonly hasMore: boolean
}

/** Reads a page of a list. @throws {ScimError} tooMany when a group on it has more members than an answer shows */
export async function listResources(
  db: Database,
  credentials: Credentials,
  parts: readonly ListPart[],
  slice: Slice,
): Promise<ListedPage> {
  const plain = plainListOf(parts, credentials.tenantId, slice)
  if (plain?.isUnique && 'offset' in slice) {
    const [found, members] = await readAs(db, credentials, plain.statements)
    const listed = allListed(found?.rows, members?.rows)
    const onPage = listed.slice(slice.offset, slice.offset + slice.limit)
    return { total: listed.length, listed: onPage, hasMore: false }
  }
  const known = knownTotal(slice)
  const { statements, budget, most } = plain ?? searchOf(parts, credentials.tenantId, slice)
  requireFewFound(known ?? 0, most)
  const results = await readAs(db, credentials, statements)
  const [counted, page, cut, ...more] =
    budget !== undefined ? searched(results, budget) : known === undefined ? results : [undefined, ...results]
  const total = known ?? Number(counted?.rows[0]?.total ?? 0)
  requireFewFound(total, most)
  const rows = [...inOrder(page?.rows ?? []), ...inOrder(cut?.rows ?? [])]
  const members = hasReferences(parts, 'Group') ? more[0]?.rows : []
  const nested = hasReferences(parts, 'User') ? new NestedGroups(more.at(-1)?.rows ?? []) : undefined
  return {
    total,
    listed: allListed(rows.slice(0, slice.limit), members, nested),
    hasMore: Number(rows[0]?.available ?? rows.length) > Math.min(rows.length, slice.limit),
  }
}

/** The results of a list with a budget as those of any other: its last row is another. */
function searched([search, ...more]: readonly StatementResult[], budget: ScanBudget) {
  const rows = search?.rows ?? []
  const last = rows.at(-1)
  budget.require(last)
  const counted = { rows: [{ total: last?.matches ?? 0 }] }
  return [counted, { rows: rows.slice(0, -1) }, undefined, ...more]
}

function knownTotal(slice: Slice): number | undefined {
  return 'from' in slice ? slice.total : undefined
}

function hasReferences(parts: readonly ListPart[], type: ListPart['type']): boolean {
  return parts.some((part) => part.type === type && part.withReferences)
}

/**
 * Of a list that is not plain: one statement where it may cost too much, which says so; else as of a plain one. Of a page by
 * position one resource more than asked for is read, which tells that there are more.
 */
function searchOf(
  parts: readonly ListPart[],
  tenantId: string,
  slice: Slice,
): {
  readonly statements: readonly Statement[]
  readonly budget: ScanBudget | undefined
  readonly most: number | undefined
} {
  const list = listOf(parts, tenantId, slice)
  const { budget, most } = list
  const page = 'from' in slice ? { ...list, limit: slice.limit + 1 } : list
  const queries = [
    ...(budget !== undefined
      ? [searchedPageOf(page)]
      : [...(knownTotal(slice) === undefined ? [totalOf(list)] : []), pageOf(page), cutPageOf(page)]),
    ...(hasReferences(parts, 'Group') ? [membersOf(list)] : []),
  ]
  const nested = hasReferences(parts, 'User') ? [selectNestedGroups({ tenantId })] : []
  return { statements: [...queries.map(statement), ...nested], budget, most }
}

/** The rows of a page that was cut or sorted: their total rises from each to the next. */
function inOrder(rows: readonly Row[]): readonly Row[] {
  return rows[0]?.total === undefined ? rows : rows.toSorted((a, b) => Number(a.total) - Number(b.total))
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
  requireFewMembers(row, memberRows.length)
  const members = memberRows.map(memberFromRow)
  const more = row.type === 'User' ? groupsFromRow(row, nested) : members.length === 0 ? {} : { members }
  return {
    type: row.type === 'User' ? 'User' : 'Group',
    stored: new StoredRow(row, more),
    position: positionOf(row),
  }
}

function positionOf({ sortKey = null, id, version }: Row): Position {
  if (typeof sortKey !== 'string' || sortKey.length <= MAX_CURSOR_KEY_CHARACTERS) {
    return { key: sortKey, id: String(id) }
  }
  // Half of a character is none.
  const key = sortKey.slice(0, MAX_CURSOR_KEY_CHARACTERS).replace(/[\ud800-\udbff]$/, '')
  return { key, id: String(id), version: Number(version) }
}
