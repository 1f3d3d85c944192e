/**
 * The SQL of a list: the number of matches, a page in order, and the members of the groups on it. Values may be
 * slots, so that the text can be rendered once: see list-plans.ts. The size of a page is limited in page-size.ts.
 */
import { type SQL, sql } from 'drizzle-orm'
import { compileFilter, compileSortKey } from '../../scim/filter/compile.ts'
import { simplifyFilter } from '../../scim/filter/simplify.ts'
import { hasMembers, showsGroups } from '../../scim/schema/resource-type.ts'
import { isAlwaysPresent, isUnique } from '../../scim/sort.ts'
import { CHECKPOINT, ROWS_TO_CHECKPOINT } from '../database/checkpoint.ts'
import { directGroups, groupsOfResource, HAS_FEW_MEMBERS, selectMembers } from '../resources/memberships.ts'
import type { ResourceTable } from '../tables/resource-tables.ts'
import { storedColumns } from '../tables/stored-resources.ts'
import { columnsOf } from './column-map.ts'
import { hasDirectLookup, isIndexed, isMembershipOfKnown, toSql } from './columns.ts'
import { idsOfOnlySet } from './index-scans.ts'
import type { ListPart, Slice } from './list-request.ts'
import type { List, ListPosition, Source, Value } from './list-source.ts'
import { inGroupsCounted } from './membership-columns.ts'
import { FITS, mayBeLarge, sizedPage } from './page-size.ts'
import {
  isAffordable,
  isSorted,
  mostFound,
  type ScanBudget,
  scanBudget,
  scannedParts,
} from './scan-budget.ts'
import { isBySets } from './scan-conditions.ts'

/** The greatest character: a text with the prefix x is at least x and less than x followed by this character. */
const LAST_CHARACTER = '\u{10ffff}'

/**
 * The requested list. It is two lists, whose budgets decide which of them is read, if indexes may find most of the directory:
 * by indexes, and by a scan. So is a later page that sets answer: sets are found as a whole for each page, and a scan ends with
 * the page.
 */
export function listsOf(parts: readonly ListPart[], tenantId: string, slice: Slice): readonly List[] {
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
  const scanned = budget && scannedParts(simple, budget)
  if (scanned === undefined) return [list]
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
    const columns = columnsOf(part, tenantId)
    const path = part.sort?.path
    return {
      ...source,
      isGated: budget?.isGated(part) ?? false,
      isSorted: parts.length > 1 || isSorted(part),
      condition: filter && toSql(compileFilter(filter, columns)),
      ids: idsInIndex(part, tenantId),
      total: totalInGroups(part, tenantId),
      // Members of a group are found in the order of their ids.
      isIndexed:
        filter !== undefined && !isScanned && (path ? hasDirectLookup : isIndexed)(filter, part.type),
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

/** Without a filter, the tenant has the number. */
function totalNumberOf(list: List): SQL {
  const { sources, tenantId } = list
  const counts = sources.map((source) => {
    if (source.total !== undefined) return source.total
    if (source.condition !== undefined) {
      const found = sql`FROM ${fromOf(list, source)} WHERE ${matching(source, tenantId)}`
      if (list.most === undefined) return sql`(SELECT count(*) ${found})`
      return sql`(SELECT count(*) FROM (SELECT 1 ${found} LIMIT ${sql.raw(String(list.most + 1))}))`
    }
    const count = sql.raw(source.type.table.counters.count)
    return sql`(SELECT ${count} FROM tenants WHERE id = ${tenantId})`
  })
  return sql`${sql.join(counts, sql` + `)}`
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
  return unionOf(list, (source) => shownColumns(source, groupsOfResource))
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

function inOrder(list: List, select: SQL, limit: SQL): SQL {
  // SQLite plans for the value of a bare parameter, and would prepare the statement again for each value.
  return sql`${select} ORDER BY ${orderOf(list)} LIMIT ${limit} OFFSET ${list.offset} + 0`
}

/** The ids of all matches. */
function idsOf(list: List): SQL {
  return unionOf(list, idColumns)
}

function idColumns(source: Source): SQL {
  const name = table(source)
  return sql`${literal(source.type)} AS type, ${name}.rowid AS row, ${name}.id AS id, ${source.sortKey} AS sortKey`
}

function shownColumns(source: Source, groupsOf: (table: ResourceTable) => SQL): SQL {
  const { sortKey, type, withReferences } = source
  const groups = withReferences && showsGroups(type) ? groupsOf(type.table) : sql`NULL`
  const count = withReferences && hasMembers(type) ? sql`groups.member_count` : sql`NULL`
  return sql`${literal(type)} AS type, ${storedColumns(type.table)}, ${groups} AS groups,
    ${count} AS memberCount, ${sortKey} AS sortKey`
}

function unionOf(list: List, columns: (source: Source) => SQL): SQL {
  return sql.join(
    list.sources.map((source) => {
      const after = list.from === undefined ? sql`` : sql` AND ${isAfter(list, source, list.from)}`
      const found = sql`SELECT ${columns(source)} FROM ${fromOf(list, source)} WHERE ${matching(source, list.tenantId)}${after}`
      if (list.most === undefined || source.condition === undefined) return found
      // The total of the previous page is known, and a few more may match by now.
      const most = list.isCounted === true ? list.most + 1 : Math.ceil(list.most * 1.25)
      return sql`SELECT * FROM (${found} LIMIT ${sql.raw(String(most))})`
    }),
    sql` UNION ALL `,
  )
}

/** The table of a source. It is joined with one row that is missing beyond the budget; the table is not read then. */
function fromOf({ budget }: List, source: Source): SQL {
  return budget === undefined || !source.isGated ? table(source) : sql`${affordable()}${table(source)}`
}

/** The left side of a join. */
function affordable(): SQL {
  return sql`(SELECT work FROM estimate WHERE ${isAffordable(sql`work`)}) AS affordable CROSS JOIN `
}

/** A common table expression for fromOf. */
function estimate({ budget }: List): SQL {
  return budget === undefined ? sql`` : sql`WITH estimate(work) AS MATERIALIZED (${budget.query}) `
}

/**
 * A page of a list with a budget, and the number of matches, in no order, in one pass through the table. Rows are
 * those of cutPageOf, and a last one with `work`, the estimate, and `matches`.
 */
export function searchedPageOf(list: List): SQL {
  const isMaterialized =
    list.sources.some(({ ids }) => ids !== undefined) ||
    (list.isCounted === true && list.sources.every(({ condition }) => condition !== undefined))
  const found = sql.join(
    list.sources.map((source) => {
      const type = sql`${literal(source.type)} AS type`
      if (source.ids !== undefined)
        return sql`SELECT DISTINCT ${type}, NULL AS row, ${source.ids.id} AS resource FROM ${affordable()}${source.ids.rows}`
      const rows = sql`SELECT ${type}, ${table(source)}.rowid AS row, ${table(source)}.id AS resource
        FROM ${fromOf(list, source)}`
      return sql`${rows} WHERE ${matching(source, list.tenantId)}`
    }),
    sql` UNION ALL `,
  )
  const ids = isMaterialized ? foundIdsOf(list) : idsOf(list)
  const page = inOrder(
    list,
    list.sources.length === 1 ? ids : sql`SELECT * FROM (${ids})`,
    sql`${list.limit}`,
  )
  const isByIds = list.sources.some((source) => source.ids !== undefined)
  const shown = list.sources.map((source) => {
    const name = table(source)
    return sql`SELECT ${shownColumns(source, directGroups)}, sized.number AS total, sized.available AS available,
        NULL AS work, NULL AS matches
      FROM sized CROSS JOIN ${name} ON ${name}.rowid = sized.row
      WHERE sized.type = ${literal(source.type)} AND ${FITS}`
  })
  const matches = isMaterialized
    ? sql`(SELECT count(*) FROM found)`
    : list.isCounted === true
      ? totalNumberOf(list)
      : sql`NULL`
  return sql`${estimate(list)},
    ${isMaterialized ? sql`found AS MATERIALIZED (${found}),` : sql``}
    ${isByIds ? sql`on_page AS MATERIALIZED (${page}),` : sql``}
    ${sizedPage(list, isByIds ? rowsOnPage(list) : page, mayBeLarge(list))}
    ${sql.join(shown, sql` UNION ALL `)}
    UNION ALL SELECT ${sql.join(
      Array.from({ length: 11 }, () => sql`NULL`),
      sql`, `,
    )},
      (SELECT work FROM estimate), ${matches}`
}

/** Adds the rows of resources that were found by their ids: only those of a page are looked up. */
function rowsOnPage(list: List): SQL {
  const rows = list.sources.map(
    (source) => sql`WHEN ${literal(source.type)} THEN (SELECT ${table(source)}.rowid FROM ${table(source)}
      WHERE ${table(source)}.tenant_id = ${list.tenantId} AND ${table(source)}.id = on_page.id)`,
  )
  return sql`SELECT type, coalesce(row, CASE type ${sql.join(rows, sql` `)} END) AS row, id, sortKey FROM on_page`
}

/** Like idsOf, for rows that were found already. Only for a sort key they are read again. */
function foundIdsOf(list: List): SQL {
  if (list.sources.every(({ sort }) => sort === undefined)) {
    const operator = sql.raw(isReadDescending(list) ? '<' : '>')
    const after = list.from === undefined ? sql`` : sql` WHERE resource ${operator} ${list.from.id}`
    return sql`SELECT type, row, resource AS id, NULL AS sortKey FROM found${after}`
  }
  return sql.join(
    list.sources.map((source) => {
      const name = table(source)
      const after = list.from === undefined ? sql`` : sql` AND ${isAfter(list, source, list.from)}`
      return sql`SELECT ${idColumns(source)} FROM found CROSS JOIN ${name} ON ${name}.rowid = found.row
        WHERE found.type = ${literal(source.type)}${after}`
    }),
    sql` UNION ALL `,
  )
}

function literal({ name }: Source['type']): SQL {
  return sql.raw(`'${name}'`)
}

/**
 * The order: missing values last when ascending and first when descending; then the key; then the id. For a short
 * page, SQLite would rather scan the whole tenant in this order than sort the few rows that an index finds. A plus
 * sign hides the index that has the order.
 */
function orderOf(list: List): SQL {
  const direction = sql.raw(isReadDescending(list) ? 'DESC' : 'ASC')
  const plus = sql.raw(list.sources.every((source) => source.isIndexed) ? '+' : '')
  const terms = orderTerms(list, { key: sql`${plus}sortKey`, id: sql`${plus}id` })
  return sql.join(
    terms.map((term) => sql`${term} ${direction}`),
    sql`, `,
  )
}

/** True for rows after the position, in the reading direction of the list. */
function isAfter(list: List, source: Source, position: ListPosition): SQL {
  const columns = orderTerms(list, { key: source.sortKey, id: sql`${table(source)}.id` })
  const values = orderTerms(list, { key: keyAt(list, position), id: sql`${position.id}` })
  const operator = sql.raw(isReadDescending(list) ? '<' : '>')
  return sql`(${sql.join(columns.map(withoutNull), sql`, `)}) ${operator} (${sql.join(values.map(withoutNull), sql`, `)})`
}

/**
 * The sort key at a position. If the key is long, the position holds its beginning, and the rest is read from the
 * resource. If that was deleted or changed, the list continues at the first value with this beginning: some resources
 * may come again, and none is left out.
 */
function keyAt(list: List, { key, id, version }: ListPosition): SQL {
  if (version === undefined) return sql`${key}`
  const start = isReadDescending(list) ? `${key}${LAST_CHARACTER}` : key
  const keys = list.sources.map(
    (source) => sql`(SELECT ${source.sortKey} FROM ${table(source)}
      WHERE ${table(source)}.tenant_id = ${list.tenantId} AND ${table(source)}.id = ${id}
        AND ${table(source)}.version = ${version})`,
  )
  return sql`coalesce(${sql.join([...keys, sql`${start}`], sql`, `)})`
}

/** A row value that contains NULL compares as NULL. The first term distinguishes missing values already. */
function withoutNull(term: SQL, index: number, terms: readonly SQL[]): SQL {
  return terms.length === 3 && index === 1 ? sql`coalesce(${term}, '')` : term
}

/** The terms of the order. Ids are UUIDv7, so their order is that of creation. */
function orderTerms({ sources }: List, { key, id }: { key: SQL; id: SQL }): readonly SQL[] {
  const sorts = sources.flatMap(({ sort }) => sort ?? [])
  if (sorts.length === 0) return [id]
  if (sorts.length === 1 && sorts.every(isUnique)) return [key]
  // No index holds the first of the three terms.
  return sorts.every(isAlwaysPresent) ? [key, id] : [sql`(${key} IS NULL)`, key, id]
}

/** Backwards through an ascending list is the same as forwards through a descending one. */
function isReadDescending({ sources, isBackwards = false }: List): boolean {
  return (sources[0]?.sort?.isDescending ?? false) !== isBackwards
}

function matching({ condition, ...source }: Source, tenantId: Value): SQL {
  const inTenant = sql`${table(source)}.tenant_id = ${tenantId}${source.isGated ? mayEnd(source) : sql``}`
  return condition === undefined ? inTenant : sql`${inTenant} AND ${condition}`
}

/** Every row meets it: see CHECKPOINT. */
function mayEnd(source: Pick<Source, 'type'>): SQL {
  return sql` AND (${table(source)}.rowid % ${sql.raw(String(ROWS_TO_CHECKPOINT))} OR ${sql.raw(CHECKPOINT)})`
}

function table({ type }: Pick<Source, 'type'>): SQL {
  return sql.raw(type.table.name)
}
