/**
 * Lists of resources: of one type or across types, filtered, sorted, in pages by index or by position. Each list is
 * one batch.
 */
import { MAX_CURSOR_KEY_CHARACTERS } from '../../scim/limits.ts'
import type { ResourceType } from '../../scim/schema/definition.ts'
import { hasMembers, showsGroups } from '../../scim/schema/resource-type.ts'
import { readAs } from '../access/tokens.ts'
import {
  type Database,
  madeOf,
  type Row,
  type Statement,
  type StatementResult,
  statement,
} from '../database/database.ts'
import { noteMembersRead, readsManyMembers } from '../resources/member-reads.ts'
import { groupsFromRow, memberFromRow, requireFewMembers } from '../resources/memberships.ts'
import { NestedGroups, selectNestedGroups } from '../resources/nested-groups.ts'
import { rememberResource } from '../resources/recent-resources.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'
import { StoredRow } from '../tables/stored-resources.ts'
import type { TenantContext } from '../tenants/context.ts'
import { type PlainList, plainListOf } from './list-plans.ts'
import { knownTotal, type ListPart, type Position, type Slice } from './list-request.ts'
import { byShape } from './list-shapes.ts'
import type { List } from './list-source.ts'
import { cutPageOf, listsOf, membersOf, pageOf, totalOf } from './list-sql.ts'
import { requireFewFound, type ScanBudget, skipsMany } from './scan-budget.ts'
import { membersNamed } from './scan-counts.ts'
import { searchedPageOf } from './searched-page.ts'

export interface Listed {
  readonly type: StoredResourceType
  readonly stored: StoredRow
  readonly position: Position
}

/** A page. It may hold fewer than `limit` resources although there are more: see page-size.ts. */
export interface ListedPage {
  readonly total: number
  /** In reading order: from last to first if the page is read backwards. */
  readonly listed: readonly Listed[]
  /** Whether more resources follow; for a page by position. */
  readonly hasMore: boolean
}

/** A page with more resources is no match of one that the client may change next. */
const MAX_REMEMBERED = 3

/** Reads a page of a list. @throws {ScimError} tooMany when a group on it has more members than an answer can show */
export async function listResources(
  tenant: TenantContext,
  parts: readonly ListPart[],
  slice: Slice,
): Promise<ListedPage> {
  const page = await readPage(tenant, parts, slice)
  const { listed } = page
  if (listed.length <= MAX_REMEMBERED)
    for (const { type, stored } of listed) rememberResource(tenant, type, stored)
  return page
}

async function readPage(
  tenant: TenantContext,
  parts: readonly ListPart[],
  slice: Slice,
): Promise<ListedPage> {
  const isShort = !skipsMany(slice) && !showsMany(tenant, parts) && !(await namesMany(tenant, parts))
  const listed = (mayBeTried: boolean) =>
    plainListOf(parts, tenant.tenantId, slice, mayBeTried) ?? searchFor(parts, tenant, slice, mayBeTried)
  const first = listed(isShort && tenant.database.hasThread === true)
  if (first.isUnique && 'offset' in slice) {
    const [found, members] = await readAs(tenant, first.statements)
    const all = found === undefined ? [] : onlyListed(parts, found, members?.rows)
    const onPage = all.slice(slice.offset, slice.offset + slice.limit)
    return { total: all.length, listed: onPage, hasMore: false }
  }
  const known = knownTotal(slice)
  const few = first.isTried ? await tried(tenant, first) : undefined
  const { budgets, most, statements, isLong } = first.isTried && few === undefined ? listed(false) : first
  requireFewFound(known ?? 0, most)
  const results = few ?? (await readAs(tenant, statements, { isLong: isLong || !isShort }))
  const withMembers = withReferences(parts, hasMembers)
  const [counted, page, cut, ...more] =
    budgets.length > 0
      ? searched(results, budgets, withMembers)
      : known === undefined
        ? results
        : [undefined, ...results]
  const total = known ?? Number(counted?.rows[0]?.total ?? 0)
  requireFewFound(total, most)
  const rows = [...inOrder(page?.rows ?? []), ...inOrder(cut?.rows ?? [])]
  const members = withMembers ? more[0]?.rows : []
  const nested = withReferences(parts, showsGroups) ? new NestedGroups(more.at(-1)?.rows ?? []) : undefined
  const shown = rows.slice(0, slice.limit)
  if (withMembers) noteMembersRead(tenant.tenantId, LIST, membersOn(shown))
  return {
    total,
    listed: allListed(parts, shown, members, nested),
    hasMore: Number(rows[0]?.available ?? rows.length) > Math.min(rows.length, slice.limit),
  }
}

/** Members that are counted and found beside other requests: about 0.5 µs for each. */
const FEW_MEMBERS = 10_000

/** True if a filter names a group of so many members that others would wait for the list. */
async function namesMany(tenant: TenantContext, parts: readonly ListPart[]): Promise<boolean> {
  const query = tenant.database.hasThread ? membersNamed(parts, tenant.tenantId) : undefined
  if (query === undefined) return false
  const [found] = await readAs(tenant, [statement(query)])
  return Number(found?.rows[0]?.members ?? 0) > FEW_MEMBERS
}

/** Reads a list beside other requests if that takes little time. @returns undefined if it takes more */
async function tried(
  tenant: TenantContext,
  { statements, budgets, most = 0 }: Search | PlainList,
): Promise<readonly StatementResult[] | undefined> {
  const results = await readAs(tenant, statements)
  const isKept =
    budgets.length > 0
      ? budgets.some((budget, i) => budget.isKept(results[i]?.rows.at(-1)))
      : Number(results[0]?.rows[0]?.total) <= most
  return isKept ? results : undefined
}

const LIST = 'list'

function showsMany({ tenantId }: TenantContext, parts: readonly ListPart[]): boolean {
  return withReferences(parts, hasMembers) && readsManyMembers(tenantId, LIST)
}

function membersOn(rows: readonly Row[]): number {
  return rows.reduce((sum, { memberCount }) => sum + Number(memberCount ?? 0), 0)
}

/**
 * The results of a list with budgets in the form of any other list: of the way in which it was read. The last row is not a
 * resource.
 */
function searched(results: readonly StatementResult[], budgets: readonly ScanBudget[], withMembers: boolean) {
  const ways = budgets.length
  const rows = results.slice(0, ways).find(({ rows }, i) => budgets[i]?.isKept(rows.at(-1)))?.rows
  if (rows === undefined) budgets.at(-1)?.require(results[ways - 1]?.rows.at(-1))
  const counted = { rows: [{ total: rows?.at(-1)?.matches ?? 0 }] }
  const page = { rows: rows?.slice(0, -1) ?? [] }
  if (!withMembers) return [counted, page, undefined, ...results.slice(ways)]
  const members = { rows: results.slice(ways, 2 * ways).flatMap(({ rows }) => rows) }
  return [counted, page, undefined, members, ...results.slice(2 * ways)]
}

/** True if references are needed of a type of that kind. */
function withReferences(parts: readonly ListPart[], isOfKind: (type: ResourceType) => boolean): boolean {
  return parts.some((part) => part.withReferences && isOfKind(part.type))
}

/** How a list that is not plain is read. */
interface Search {
  readonly statements: readonly Statement[]
  readonly budgets: readonly ScanBudget[]
  readonly most: number | undefined
  /** Whether it is only read if it takes little time. */
  readonly isTried: boolean
  /** Whether it may take long. */
  readonly isLong: boolean
  readonly isUnique?: undefined
}

/** Where a list is searched for. */
interface Searched {
  readonly tenantId: string
  readonly database: Pick<Database, 'hasThread'>
}

const searchByShape = byShape(({ part, tenantId, slice }, how: 'alone' | 'beside others' | 'tried') =>
  searchOf([part], { tenantId, database: { hasThread: how !== 'alone' } }, slice, how === 'tried'),
)

/** The same as searchOf, remembered if it is a list of one type. */
function searchFor(parts: readonly ListPart[], searched: Searched, slice: Slice, mayBeTried = false): Search {
  const [part, ...others] = parts
  if (part === undefined || others.length > 0) return searchOf(parts, searched, slice, mayBeTried)
  const { tenantId, database } = searched
  const how = database.hasThread ? (mayBeTried ? 'tried' : 'beside others') : 'alone'
  return searchByShape({ part, tenantId, slice }, how)
}

/**
 * A list that is not plain. If it may exceed its budget, it is one statement for each way to find it, which checks the
 * budget; otherwise it is read like a plain one. A page by position reads one more resource, which tells whether there
 * are more.
 *
 * @param mayBeTried whether a list is read beside other requests if indexes lead to few resources, as they nearly always do
 */
export function searchOf(
  parts: readonly ListPart[],
  { tenantId, database }: Searched,
  slice: Slice,
  mayBeTried = false,
): Search {
  const found = listsOf(parts, tenantId, slice, database.hasThread)
  // The first way is by indexes, if there are two.
  const few =
    mayBeTried && database.hasThread ? found.slice(0, 1).flatMap((list) => withFew(list, slice.limit)) : []
  const isTried = few.length > 0
  const lists = isTried ? few : found
  const budgets = lists.flatMap(({ budget }) => budget ?? [])
  const pages = 'from' in slice ? lists.map((list) => ({ ...list, limit: slice.limit + 1 })) : lists
  const queries = [
    ...(budgets.length > 0
      ? pages.map(searchedPageOf)
      : [
          ...(knownTotal(slice) === undefined ? lists.map(totalOf) : []),
          ...pages.map(pageOf),
          ...pages.map(cutPageOf),
        ]),
    ...(withReferences(parts, hasMembers) ? lists.map(membersOf) : []),
  ]
  const nested = withReferences(parts, showsGroups) ? [selectNestedGroups({ tenantId })] : []
  const most = lists[0]?.most
  const isLong = budgets.length > 0 || most !== undefined
  return { statements: [...queries.map(statement), ...nested], budgets, most, isTried, isLong }
}

/**
 * Matches of a range of an index that are counted and sorted beside other requests, and the largest page of them, which is read
 * in vain if there are more: less than a millisecond.
 */
const FEW_IN_RANGE = 1_000
const SMALL_PAGE = 100

/** The same list, which is only read if indexes lead to few resources; none if that is not counted. */
function withFew(list: List, limit: number): readonly List[] {
  const { budget, most, isCounted } = list
  if (budget?.few !== undefined) return [{ ...list, budget: { ...budget, query: budget.few } }]
  const mayBeFew = budget === undefined && most !== undefined && isCounted === true && limit <= SMALL_PAGE
  return mayBeFew ? [{ ...list, most: Math.min(most, FEW_IN_RANGE) }] : []
}

/** The rows of a page that was cut or sorted, by their ascending `total`. */
function inOrder(rows: readonly Row[]): readonly Row[] {
  return rows[0]?.total === undefined ? rows : rows.toSorted((a, b) => Number(a.total) - Number(b.total))
}

function allListed(
  parts: readonly ListPart[],
  rows: readonly Row[] = [],
  memberRows: readonly Row[] = [],
  nested?: NestedGroups,
): readonly Listed[] {
  const members = Map.groupBy(memberRows, (row) => row.groupId)
  return rows.flatMap((row) => {
    const type = parts.find((part) => part.type.name === row.type)?.type
    return type === undefined ? [] : [listedFromRow(row, type, members.get(row.id ?? '') ?? [], nested)]
  })
}

/** The only match of a unique value, if there is one. */
function onlyListed(
  parts: readonly ListPart[],
  found: StatementResult,
  memberRows: readonly Row[] = [],
): readonly Listed[] {
  const [row] = found.rows
  const type = parts[0]?.type
  if (row === undefined || type === undefined) return []
  return [{ type, stored: madeOf(found, () => storedFromRow(row, memberRows)), position: positionOf(row) }]
}

function listedFromRow(
  row: Row,
  type: StoredResourceType,
  memberRows: readonly Row[],
  nested: NestedGroups | undefined,
): Listed {
  return { type, stored: storedFromRow(row, memberRows, nested), position: positionOf(row) }
}

function storedFromRow(row: Row, memberRows: readonly Row[], nested?: NestedGroups): StoredRow {
  requireFewMembers(row, memberRows.length)
  const members = memberRows.map(memberFromRow)
  return new StoredRow(row, { ...groupsFromRow(row, nested), ...(members.length > 0 && { members }) })
}

function positionOf({ sortKey = null, id, version }: Row): Position {
  if (typeof sortKey !== 'string' || sortKey.length <= MAX_CURSOR_KEY_CHARACTERS) {
    return { key: sortKey, id: String(id) }
  }
  // Drops half of a surrogate pair.
  const key = sortKey.slice(0, MAX_CURSOR_KEY_CHARACTERS).replace(/[\ud800-\udbff]$/, '')
  return { key, id: String(id), version: Number(version) }
}
