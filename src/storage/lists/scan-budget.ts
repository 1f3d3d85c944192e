/**
 * What a list costs that no index answers: estimated before it begins, from the filter (scan-times.ts) and from the sizes
 * that the database keeps with the tenant (scan-counts.ts), and refused beyond a limit (scan-refusals.ts). SQLite works in
 * the process on Node.js and Deno, so whoever looks through a large directory holds up every tenant; on D1 it holds up the
 * database.
 *
 * The estimate is part of the statement: one that would cost too much finds nothing, and its last row says why.
 */
import { type SQL, sql } from 'drizzle-orm'
import { badRequest } from '../../scim/error.ts'
import { MAX_SCAN_MILLISECONDS } from '../../scim/limits.ts'
import type { Row } from '../database/database.ts'
import { isLookup, isMembershipOfKnown } from './columns.ts'
import type { ListPart } from './list-request.ts'
import {
  candidatesOf,
  hasIndexedOrder,
  isIndexedTest,
  isOfOne,
  isOneRange,
  leavesOf,
} from './scan-conditions.ts'
import { LIMIT, plus, workOf } from './scan-counts.ts'
import { tooMany } from './scan-refusals.ts'
import { MOST_BLOCKS, workTimes } from './scan-times.ts'

/** True of an estimate, nanoseconds, that is within the limit. */
export function isAffordable(work: SQL): SQL {
  return sql`${work} <= ${sql.raw(String(LIMIT))}`
}

/** What a list is estimated to cost, and where that is not known to be little. */
export interface ScanBudget {
  /** One row: the work, in nanoseconds. */
  readonly query: SQL
  /** True of a part that must not begin beyond the limit. */
  readonly isGated: (part: ListPart) => boolean
  /** @param row has the `work` of `query` @throws {ScimError} tooMany */
  readonly require: (row: Row | undefined) => void
}

/**
 * The budget of a list.
 *
 * @param parts with filters as simplifyFilter leaves them
 * @param passes how often everything is looked through: for the page, and for the members of its groups
 * @returns undefined when an index answers all of it
 */
export function scanBudget(
  parts: readonly ListPart[],
  tenantId: string,
  passes: number,
): ScanBudget | undefined {
  // No index holds the users and the groups in one order.
  const isMixed = parts.length > 1
  const scans = parts.filter((part) => isScan(part, isMixed) && !isOneLook(part))
  if (scans.length === 0) return undefined
  const estimates = scans.map((part, i) => workOf(part, tenantId, passes, `n${i}`))
  // Counted once, although it is used in many terms: without LIMIT SQLite would write it into each.
  const counts = estimates.map(({ count }, i) => sql`${count} AS ${sql.raw(`n${i}`)}`)
  return {
    query: sql`SELECT ${plus(estimates.map(({ work }) => work))} AS work
      FROM (SELECT t.*, ${sql.join(counts, sql`, `)} FROM tenants AS t WHERE t.id = ${tenantId} LIMIT 1) AS t`,
    isGated: (part) => scans.includes(part),
    require(row) {
      const milliseconds = Number(row?.work ?? 0) / 1e6
      if (milliseconds > MAX_SCAN_MILLISECONDS) throw tooMany(scans, milliseconds, isMixed)
    },
  }
}

/** True when what is found does not come in the order of the list, so that all of it is sorted. */
export function isSorted({ type, filter, sort }: ListPart): boolean {
  if (!hasIndexedOrder(sort, type)) return true
  const found = candidatesOf(filter, type)
  return found !== undefined && !found.every((one) => isLookup(one, type) || isMembershipOfKnown(one, type))
}

/** True when more may have to be looked at than is found by an index. */
function isScan({ type, filter, sort }: ListPart, isMixed: boolean): boolean {
  const isOrdered = hasIndexedOrder(sort, type, isMixed)
  if (filter === undefined) return !isOrdered
  const leaves = leavesOf(filter)
  if (!leaves.every((leaf) => isIndexedTest(leaf, type))) return true
  const isOfValues = leaves.every(
    (leaf) => leaf.kind === 'never' || isLookup(leaf, type) || isMembershipOfKnown(leaf, type),
  )
  // Members are found in the order of their ids; a group may have very many.
  if (sort?.path !== undefined && leaves.some((leaf) => isMembershipOfKnown(leaf, type))) return true
  // Values keep apart what they find. Ranges may find the same, and then each of them finds it.
  return !isOfValues && !(isOneRange(filter, type) && isOrdered)
}

/** What an index finds costs little for each, twice: to be counted, and to be put in order by id. */
const FOUND = 700
/** To put what is found in another order, or to step over very many. */
const REORDERED = 500
const MANY = 10_000

/**
 * How many a range of an index may find within the limit, so that they are counted and put in order: no more are looked at.
 *
 * @param parts of which none is gated, with filters as simplifyFilter leaves them
 * @returns undefined where there is no range
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

/** @throws {ScimError} tooMany when an index finds more than that */
export function requireFewFound(total: number, most: number | undefined): void {
  if (most === undefined || total <= most) return
  throw badRequest(
    'tooMany',
    `the filter finds more than ${most} resources, which would take longer than ${MAX_SCAN_MILLISECONDS} ms to count and to put in order: narrow it with "and", or list all without a filter`,
  )
}

/** True when there is one resource to look at, and little is asked of it, however large it is: as Entra's filters do. */
function isOneLook(part: ListPart): boolean {
  const [candidate, ...alternatives] = candidatesOf(part.filter, part.type) ?? []
  if (candidate === undefined || alternatives.length > 0 || !isOfOne(candidate)) return false
  const { own, users, groups, memberships, reached, steps, ownGroups, other } = workTimes(part)
  const others = [users.row, groups.row, memberships, reached.length, steps, ownGroups.row, other.row]
  const most = 2 * (own.row + MOST_BLOCKS * own.block)
  return most <= MAX_SCAN_MILLISECONDS * 1e6 && !others.some(Boolean)
}
