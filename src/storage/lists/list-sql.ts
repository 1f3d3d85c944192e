/**
 * The SQL of a list: the number of matches, a page in order, and the members of the groups on it. Values may be
 * slots, so that the text can be rendered once: see list-plans.ts. The size of a page is limited in page-size.ts.
 */
import { type SQL, sql } from 'drizzle-orm'
import { pathText } from '../../scim/attribute-path.ts'
import { compileFilter, compileSortKey } from '../../scim/filter/compile.ts'
import { simplifyFilter } from '../../scim/filter/simplify.ts'
import { hasMembers, showsGroups } from '../../scim/schema/resource-type.ts'
import {
  directGroups,
  groupsOfResource,
  HAS_FEW_MEMBERS,
  rememberedRow,
  selectMembers,
} from '../resources/memberships.ts'
import { columnsOf } from './column-map.ts'
import { hasDirectLookup, hasIds, isIndexed, isMembershipOfKnown, toSql } from './columns.ts'
import { idsOfOnlySet } from './index-scans.ts'
import {
  estimate,
  idsOf,
  inOrder,
  literal,
  shownColumns,
  table,
  totalNumberOf,
  unionOf,
} from './list-clauses.ts'
import type { ListPart, Slice, Sought } from './list-request.ts'
import type { List, Source } from './list-source.ts'
import { inGroupsCounted } from './membership-columns.ts'
import { orderedListOf } from './ordered-lists.ts'
import { FITS, mayBeLarge, sizedPage } from './page-size.ts'
import { prefilterOf } from './prefilter.ts'
import { isSorted, mostFound, type ScanBudget, scanBudget, scannedParts } from './scan-budget.ts'
import { isBySets, isDocumentScan, isOneRange, leadingAlternatives, rangeOf } from './scan-conditions.ts'
import { sparseListOf } from './sparse-scans.ts'

/**
 * The requested list. It is two lists, whose budgets decide which of them is read, if indexes may find most of the directory:
 * by indexes, and by a scan. So is a later page that sets answer: sets are found as a whole for each page, and a scan ends with
 * the page. So is a list without an index, if a scan has a thread of its own: see sparse-scans.ts. And so is a list in an order that an
 * index of values has, see ordered-lists.ts.
 */
export function listsOf(
  parts: readonly ListPart[],
  tenantId: string,
  slice: Slice,
  hasThread = false,
): readonly List[] {
  const simple = parts.map((part) => ({ ...part, filter: part.filter && simplifyFilter(part.filter) }))
  const passes = parts.some(({ type, withReferences }) => withReferences && hasMembers(type)) ? 2 : 1
  // Of several types, it is not known how many each of them has.
  const total = parts.length === 1 && 'from' in slice ? slice.total : undefined
  const known = { tenantId, passes, total, shown: slice.limit }
  const isLater = 'from' in slice && slice.total !== undefined
  if (isLater && simple.some(isBySets)) {
    const documents = simple.map((part) => (isBySets(part) ? { ...part, isScanned: true } : part))
    const ofScan = scanBudget(documents, known)
    const ofSets = scanBudget(simple, known, ofScan)
    return [listOf(documents, tenantId, slice, ofScan), listOf(simple, tenantId, slice, ofSets)]
  }
  const budget = scanBudget(simple, known)
  const list = listOf(simple, tenantId, slice, budget)
  const ordered = budget && orderedListOf(list, budget, hasThread)
  if (ordered !== undefined)
    return [ordered, listOf(simple, tenantId, slice, scanBudget(simple, known, ordered.budget))]
  const scanned = budget && scannedParts(simple, budget)
  if (scanned === undefined) {
    const sparse = budget && hasThread ? sparseListOf(simple, known, budget) : undefined
    if (sparse === undefined) return [list]
    const { scan } = sparse
    const sources = list.sources.map((source) => ({ ...source, condition: scan.test, sparse: scan }))
    return [list, { ...list, sources, budget: sparse.budget }]
  }
  return [list, listOf(scanned, tenantId, slice, scanBudget(scanned, known, budget))]
}

function listOf(
  parts: readonly ListPart[],
  tenantId: string,
  slice: Slice,
  budget: ScanBudget | undefined,
): List {
  const sources = parts.map((part) => {
    const { filter, isScanned, ...source } = part
    const path = part.sort?.path
    return {
      ...source,
      isGated: budget?.isGated(part) ?? false,
      isWalked: isDocumentScan(part),
      isSorted: parts.length > 1 || isSorted(part),
      areIdsApart: budget === undefined && areIdsApart(part),
      condition: conditionOf(part, tenantId),
      ids: idsInIndex(part, tenantId),
      total: totalInGroups(part, tenantId),
      // Members of a group are found in the order of their ids.
      isIndexed:
        leadingAlternatives(part) !== undefined ||
        (filter !== undefined && !isScanned && (path ? hasDirectLookup : isIndexed)(filter, part.type)),
      sortKey:
        path === undefined
          ? sql`NULL`
          : toSql(compileSortKey(path, columnsOf({ type: part.type, filter }, tenantId))),
    }
  })
  const isCounted = 'offset' in slice || slice.total === undefined
  const most = budget === undefined ? mostFound(parts, 'offset' in slice ? slice.offset : 0) : undefined
  return {
    sources,
    tenantId,
    budget,
    isCounted,
    most,
    ...('offset' in slice ? slice : { offset: 0, ...slice }),
  }
}

/** True for one range of an index without ids, in the order of ids. */
function areIdsApart({ type, filter, sort }: ListPart): boolean {
  if (filter === undefined || !isOneRange(filter, type)) return false
  const range = rangeOf(filter)
  const isInOrderOfIds = sort?.path === undefined || pathText(sort.path) === 'id'
  return isInOrderOfIds && range !== undefined && !hasIds(range, type)
}

function conditionOf(part: Sought, tenantId: string): SQL | undefined {
  const { filter, type } = part
  if (filter === undefined) return undefined
  const condition = toSql(compileFilter(filter, columnsOf(part, tenantId)))
  const prefilter = isDocumentScan(part) ? prefilterOf(filter, type) : undefined
  return prefilter === undefined ? condition : sql`(${toSql(prefilter)}) AND ${condition}`
}

function idsInIndex(part: ListPart, tenantId: string): Source['ids'] {
  const ids = isBySets(part) ? idsOfOnlySet(part.filter, part.type, tenantId) : undefined
  return ids && { id: toSql(ids.id), rows: toSql(ids.rows) }
}

/** The number of matches, counted by memberships; undefined if the filter does not just name groups. */
function totalInGroups({ type, filter }: ListPart, tenantId: string): SQL | undefined {
  if (filter === undefined || !showsGroups(type) || !isMembershipOfKnown(filter, type)) return undefined
  const columns = { ...columnsOf({ type, filter }, tenantId), rows: inGroupsCounted(type, tenantId) }
  return toSql(compileFilter(filter, columns))
}

/** One row with the number of matches. */
export function totalOf(list: List): SQL {
  return sql`SELECT ${totalNumberOf(list)} AS total`
}

/**
 * A row for each resource of a page that is certainly small; no row for any other page. A type that shows groups gets
 * its direct groups: see nested-groups.ts for the others.
 */
export function pageOf(list: List): SQL {
  const limit = sql`iif(${mayBeLarge(list)}, 0, ${list.limit})`
  if (list.sources.some(({ isSorted }) => isSorted)) return sortedPageOf(list, limit)
  // An index serves ORDER BY only if its terms are columns of the table itself.
  const all = unionOf(list, (source) => shownColumns(source, directGroups))
  return inOrder(list, list.sources.length === 1 ? all : sql`SELECT * FROM (${all})`, limit)
}

/** The same, in no order: ids are sorted instead of the documents of all previous rows. `total` is the order. */
function sortedPageOf(list: List, limit: SQL): SQL {
  const ids = list.sources.length === 1 ? idsOf(list) : sql`SELECT * FROM (${idsOf(list)})`
  const pages = list.sources.map((source) => {
    const name = table(source)
    return sql`SELECT ${shownColumns(source, directGroups)}, page.total AS total
      FROM page CROSS JOIN ${name} ON ${name}.rowid = page.row WHERE page.type = ${literal(source.type)}`
  })
  return sql`WITH page AS MATERIALIZED (SELECT type, row, row_number() OVER () AS total
      FROM (${inOrder(list, ids, limit)}))
    ${sql.join(pages, sql` UNION ALL `)}`
}

/**
 * The same for a page that may be large: cut at MAX_PAGE_BYTES, in no order. `total` is the order of the rows, and
 * `available` is their number without the cut.
 */
export function cutPageOf(list: List): SQL {
  const pages = list.sources.map((source) => {
    const name = table(source)
    return sql`SELECT ${shownColumns(source, directGroups)}, sized.total AS total, sized.available AS available
      FROM sized CROSS JOIN ${name} ON ${name}.rowid = sized.row
      WHERE sized.type = ${literal(source.type)} AND ${FITS}`
  })
  return sql`WITH ${sized(list)} ${sql.join(pages, sql` UNION ALL `)}`
}

/** All matches, in no order, for a filter with at most one match. With all groups, not just the direct ones. */
export function allOf(list: List): SQL {
  return unionOf(list, (source) => {
    const mark = rememberedRow(source.type.table, list.tenantId)
    return sql`${mark} ${shownColumns(source, groupsOfResource)}`
  })
}

/** The members of the groups on a page; none of a group with too many to show. */
export function membersOf(list: List): SQL {
  const small = list.sources.length === 1 ? idsOf(list) : sql`SELECT * FROM (${idsOf(list)})`
  const page = inOrder(list, small, sql`iif(${mayBeLarge(list)}, 0, ${list.limit})`)
  const groups = sql.join(
    list.sources
      .map(({ type }) => type)
      .filter(hasMembers)
      .map(literal),
    sql`, `,
  )
  const large = sql`WITH ${sized(list)} SELECT sized.id FROM sized CROSS JOIN groups ON groups.rowid = sized.row
    WHERE sized.type = ${groups} AND ${FITS} AND ${HAS_FEW_MEMBERS}`
  const ids = sql`SELECT page.id FROM (${page}) AS page CROSS JOIN groups ON groups.rowid = page.row
    WHERE page.type = ${groups} AND ${HAS_FEW_MEMBERS} UNION ALL SELECT id FROM (${large})`
  return sql`${estimate(list)}${selectMembers(list.tenantId, sql`IN (${ids})`)}`
}

/** The members of the only match, unless it has too many to show. */
export function membersOfOnly(list: List): SQL {
  return selectMembers(
    list.tenantId,
    sql`IN (SELECT groups.id FROM (${idsOf(list)}) AS only CROSS JOIN groups ON groups.rowid = only.row WHERE ${HAS_FEW_MEMBERS})`,
  )
}

/** The measured page, if it may be large. */
function sized(list: List): SQL {
  const ids = list.sources.length === 1 ? idsOf(list) : sql`SELECT * FROM (${idsOf(list)})`
  return sizedPage(list, inOrder(list, ids, sql`iif(${mayBeLarge(list)}, ${list.limit}, 0)`))
}
