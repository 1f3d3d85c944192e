/**
 * The cost of a list without an index: estimated before the scan, from the filter (scan-times.ts) and from the sizes
 * that the database keeps for the tenant (scan-counts.ts), and refused above a limit (scan-refusals.ts). On D1, a scan
 * blocks the database. On Node.js and Deno, it runs in the thread for long reads, where only other scans wait for it.
 *
 * The estimate is part of the statement: if it exceeds the limit, the statement finds nothing, and its last row has
 * the estimate.
 */
import { type SQL, sql } from 'drizzle-orm'
import { badRequest } from '../../scim/error.ts'
import type { Filter } from '../../scim/filter/ast.ts'
import { MAX_SCAN_MILLISECONDS } from '../../scim/limits.ts'
import { showsGroups } from '../../scim/schema/resource-type.ts'
import type { Row } from '../database/database.ts'
import { isLookup, isMembershipOfKnown } from './columns.ts'
import type { ListPart, Slice } from './list-request.ts'
import {
  candidatesOf,
  hasIndexedOrder,
  isIndexedTest,
  isInOrderOfRange,
  isOfOne,
  isOneRange,
  leavesOf,
  mayFindMost,
} from './scan-conditions.ts'
import { type Known, workOf, workOfFew } from './scan-counts.ts'
import { tooMany } from './scan-refusals.ts'
import { MOST_BLOCKS, SHOWN, workTimes } from './scan-times.ts'
import { LIMIT, plus, SEARCH_LIMIT } from './scan-work.ts'

/** What follows from an estimate. */
interface Verdict {
  /** In nanoseconds. */
  readonly limit: number
  /** Whether the list was read. @param row has the `work` of `query` */
  readonly isKept: (row: Row | undefined) => boolean
  /** @param row likewise @throws {ScimError} tooMany */
  readonly require: (row: Row | undefined) => void
}

/** The estimated cost of a list, and the parts that it applies to. */
export interface ScanBudget extends Verdict {
  /** One row: the estimate, in nanoseconds; NULL if the list is to be found in the other way: see `scannedParts`. */
  readonly query: SQL
  /** One row: `scanned`, the number of resources to look through. The count ends where the limit is exceeded. */
  readonly scanned: SQL
  /** Whether the list names values, which rarely have so many matches that a budget is needed. */
  readonly isOfValues: boolean
  /** Another `query`, which is NULL unless indexes lead to few resources. Undefined if that is not counted. */
  readonly few: SQL | undefined
  /** True for a part that must not be read beyond the limit. */
  readonly isGated: (part: ListPart) => boolean
  /** What follows from the estimate of the same list if it searches the text of documents. */
  readonly ofSearch: Verdict
}

/**
 * The other way to find a list. Indexes may find most of the directory, such as all users who are inactive. To collect
 * them takes longer than to look through everything, and only the database knows how many they are.
 *
 * @param budget of the parts
 * @returns undefined if no index finds so many
 */
export function scannedParts(
  parts: readonly ListPart[],
  budget: ScanBudget,
): readonly ListPart[] | undefined {
  const isBroad = (part: ListPart) => budget.isGated(part) && mayFindMost(part)
  if (!parts.some(isBroad)) return undefined
  return parts.map((part) => (isBroad(part) ? { ...part, isScanned: true } : part))
}

/**
 * The budget of a list.
 *
 * @param parts with filters in the form of simplifyFilter
 * @param first the budget of the same list by indexes, if this one is for `scannedParts`: within it, nothing is scanned
 * @returns undefined if indexes answer the whole list
 */
export function scanBudget(
  parts: readonly ListPart[],
  known: Known,
  first?: ScanBudget,
): ScanBudget | undefined {
  // No index holds several types in one order.
  const isMixed = parts.length > 1
  const scans = parts.filter((part) => isScan(part, isMixed) && !isOneLook(part))
  if (scans.length === 0) return undefined
  const estimates = scans.map((part, i) => workOf(part, known, `n${i}`))
  // Computed once although many terms use it: otherwise SQLite would expand it in each.
  const counts = estimates.map(({ count }, i) => sql`${count} AS ${sql.raw(`n${i}`)}`)
  const counted = sql`WITH counted AS MATERIALIZED (SELECT t.*, ${sql.join(counts, sql`, `)} FROM tenants AS t
    WHERE t.id = ${known.tenantId})`
  const numbers = estimates.map((_, i) => sql.raw(`t.n${i}`))
  const conditions = [
    ...estimates.flatMap(({ isFaster }) => isFaster ?? []),
    ...(first === undefined ? [] : [sql`NOT coalesce((${first.query}) <= ${sql.raw(String(LIMIT))}, 0)`]),
  ]
  const page = sql`${sql.raw(String(SHOWN))} * min(${known.shown}, ${plus(numbers)})`
  const work = plus([...estimates.map((one) => one.work), page])
  const verdict = (limit: number): Verdict => ({
    limit,
    isKept: (row) => typeof row?.work === 'number' && row.work <= limit,
    require(row) {
      const found = Number(row?.work ?? 0)
      if (found <= limit) return
      const isForPage = found - SHOWN * known.shown <= limit
      throw tooMany(scans, { found, limit }, { isMixed, isForPage })
    },
  })
  return {
    query: sql`${counted} SELECT ${conditions.length === 0 ? work : sql`iif(${sql.join(conditions, sql` AND `)}, ${work}, NULL)`} AS work
      FROM counted AS t`,
    scanned: sql`${counted} SELECT ${plus(numbers)} AS scanned FROM counted AS t`,
    isOfValues: scans.every(isOfValues),
    few: fewFound(scans, known.tenantId),
    isGated: (part) => scans.includes(part),
    ...verdict(LIMIT),
    ofSearch: verdict(SEARCH_LIMIT),
  }
}

/** True if the matches do not come in the order of the list, so that all of them are sorted. */
export function isSorted(part: ListPart): boolean {
  const { type, sort } = part
  if (!hasIndexedOrder(sort, type)) return true
  const found = candidatesOf(part)
  return found !== undefined && !found.every((one) => isLookup(one, type) || isMembershipOfKnown(one, type))
}

/** True if more rows may be read than an index finds. */
function isScan({ type, filter, sort }: ListPart, isMixed: boolean): boolean {
  const isOrdered = hasIndexedOrder(sort, type, isMixed)
  if (filter === undefined) return !isOrdered
  const leaves = leavesOf(filter)
  if (!leaves.every((leaf) => isIndexedTest(leaf, type))) return true
  // Members are found in the order of their ids; a group may have many.
  if (sort?.path !== undefined && leaves.some((leaf) => isMembershipOfKnown(leaf, type))) return true
  // The members of one group are read up to the end of the page, but those of several are collected.
  const groups = leaves.filter((leaf) => isMembershipOfKnown(leaf, type))
  if (showsGroups(type) && (groups.length > 1 || groups.some(hasAlternatives))) return true
  // Any number of resources may share a value that is not unique. plainListOf reads those with one value up to the end of a page.
  if (isOfValues({ type, filter })) return leaves.some((leaf) => isLookup(leaf, type) && !isOfOne(leaf))
  // Ranges may overlap, and then each of them finds the same rows.
  return !(isOneRange(filter, type) && isOrdered && isInOrderOfRange(filter, sort))
}

/** True for a filter of nothing but values. */
function isOfValues({ type, filter }: Pick<ListPart, 'type' | 'filter'>): boolean {
  return (
    filter !== undefined &&
    leavesOf(filter).every(
      (leaf) => leaf.kind === 'never' || isLookup(leaf, type) || isMembershipOfKnown(leaf, type),
    )
  )
}

/** Candidates that are read beside other requests, and the most nanoseconds for that, if each of their documents is at its worst. */
const FEW = 20
const FEW_NANOSECONDS = 20_000_000

/** `query` of a list that is only read if it has few candidates. */
function fewFound(parts: readonly ListPart[], tenantId: string): SQL | undefined {
  const works = parts.map((part) => workOfFew(part, tenantId, FEW))
  if (works.includes(undefined)) return undefined
  const work = plus(works.flatMap((one) => (one === undefined ? [] : [sql`(${one})`])))
  return sql`SELECT iif(work <= ${sql.raw(String(FEW_NANOSECONDS))}, work, NULL) AS work FROM (SELECT ${work} AS work)`
}

/** True for a value path that names several groups. */
function hasAlternatives(filter: Filter): boolean {
  if (filter.kind === 'valuePath') return hasAlternatives(filter.operand)
  return filter.kind === 'or' || (filter.kind === 'and' && filter.operands.some(hasAlternatives))
}

/** Nanoseconds for each match of an index, twice: to count it, and to sort it by id. */
const FOUND = 700
/** Nanoseconds to sort a match in another order, or to skip it. */
const REORDERED = 500
const MANY = 10_000

/** True for a page by index that skips so many entries that others would wait for it: about 100 ns each. */
export function skipsMany(slice: Slice): boolean {
  return 'offset' in slice && slice.offset > MANY
}

/**
 * The most matches of a range of an index that are counted and sorted within the limit. No more are read.
 *
 * @param parts none of which is gated, with filters in the form of simplifyFilter
 * @returns undefined if there is no range
 */
export function mostFound(parts: readonly ListPart[], offset: number): number | undefined {
  const times = parts.flatMap((part) => {
    const { type, filter, sort } = part
    if (filter === undefined || !isOneRange(filter, type)) return []
    const reordered = (sort?.path === undefined ? 0 : 1) + (offset > MANY ? 1 : 0)
    return [FOUND + reordered * REORDERED]
  })
  return times.length === 0 ? undefined : Math.floor(LIMIT / Math.max(...times))
}

/** @throws {ScimError} tooMany when an index finds more than `most` */
export function requireFewFound(total: number, most: number | undefined): void {
  if (most === undefined || total <= most) return
  throw badRequest(
    'tooMany',
    `the filter finds more than ${most} resources, which would take longer than ${MAX_SCAN_MILLISECONDS} ms to count and to put in order: narrow it with "and", or list all without a filter`,
  )
}

/** True for a cheap test of one resource, however large it is, such as those of Entra's filters. */
function isOneLook(part: ListPart): boolean {
  const [candidate, ...alternatives] = candidatesOf(part) ?? []
  if (candidate === undefined || alternatives.length > 0 || !isOfOne(candidate)) return false
  const { own, users, groups, memberships, reached, steps, ownGroups, other } = workTimes(part)
  const others = [users.row, groups.row, memberships, reached.length, steps, ownGroups.row, other.row]
  const most = 2 * (own.row + MOST_BLOCKS * own.block)
  return most <= MAX_SCAN_MILLISECONDS * 1e6 && !others.some(Boolean)
}
