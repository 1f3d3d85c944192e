/**
 * Lists in which few documents are parsed: the text of all documents is searched (prefilter.ts), and only those that contain
 * a part of the value are tested. How many they are is not known before. So the scan collects as many as the limit leaves
 * room for, and tests none if there are more.
 *
 * Only where a scan has a thread of its own: it reads more resources than the limit allows otherwise, which D1 bills.
 */
import { type SQL, sql } from 'drizzle-orm'
import { compileFilter } from '../../scim/filter/compile.ts'
import { columnsOf } from './column-map.ts'
import { toSql } from './columns.ts'
import type { ListPart } from './list-request.ts'
import type { SparseScan } from './list-source.ts'
import { prefilterOf, searchedParts } from './prefilter.ts'
import type { ScanBudget } from './scan-budget.ts'
import { isDocumentScan } from './scan-conditions.ts'
import { isOfElements, type Known, SIZE, SIZE_WITH_ELEMENTS } from './scan-counts.ts'
import { added, isOfOwnOnly, MEASURE, MEASURE_OBJECTS, SHOWN, searchTimes, workTimes } from './scan-times.ts'
import { LIMIT, mostBlocks, SEARCH_LIMIT } from './scan-work.ts'

/** A list that is read in this way, unless `plain` is within the limit. */
export interface SparseList {
  readonly scan: SparseScan
  readonly budget: ScanBudget
}

/**
 * @param parts with filters in the form of simplifyFilter
 * @param plain the budget of the same list
 * @returns undefined if the list cannot be read in this way
 */
export function sparseListOf(
  parts: readonly ListPart[],
  known: Known,
  plain: ScanBudget,
): SparseList | undefined {
  const [part] = parts
  if (part?.filter === undefined || parts.length > 1 || known.passes > 1 || !isDocumentScan(part))
    return undefined
  const { type, filter } = part
  const searched = searchedParts(filter, type)
  const prefilter = prefilterOf(filter, type)
  const times = workTimes(part)
  if (searched === undefined || prefilter === undefined || !isOfOwnOnly(times)) return undefined
  const n = sql.raw(`t.${type.table.counters.count}`)
  const number = (nanoseconds: number) => sql.raw(String(Math.round(nanoseconds)))
  const blocks = mostBlocks(type.table, n, false)
  const [most, mostOfLarge] = searchTimes(searched.length).map(
    ({ row, block }) => sql`${number(row)} * ${n} + ${number(block)} * ${blocks}`,
  )
  const work = sql`min(${most}, ${mostOfLarge}) + ${number(SHOWN)} * min(${known.shown}, ${n})`
  const each = added(times.own, isOfElements(part) ? MEASURE_OBJECTS : MEASURE)
  const workOf = (size: SQL) => sql`${number(each.row)} + ${number(each.block)} * ${size}`
  return {
    scan: {
      prefilter: toSql(prefilter),
      test: toSql(compileFilter(filter, columnsOf(part, known.tenantId))),
      work: workOf(SIZE),
      workWithElements: isOfElements(part) ? workOf(SIZE_WITH_ELEMENTS) : undefined,
      most: sql`max(0, (${number(SEARCH_LIMIT)} - (SELECT work FROM estimate)) / ${number(each.row)})`,
      otherwise: plain.query,
    },
    budget: {
      ...plain,
      ...plain.ofSearch,
      query: sql`SELECT iif(coalesce((${plain.query}) <= ${number(LIMIT)}, 0), NULL, ${work}) AS work
        FROM tenants AS t WHERE t.id = ${known.tenantId}`,
    },
  }
}
