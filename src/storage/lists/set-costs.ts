/**
 * The cost of a list that sets of resources answer (index-scans.ts): from the counters of the tenant, or, if that may exceed
 * the limit, counted in the indexes before.
 */
import { type SQL, sql } from 'drizzle-orm'
import type { Filter } from '../../scim/filter/ast.ts'
import { valuesOf } from '../../scim/filter/simplify.ts'
import { constant, fragment } from '../../scim/filter/sql-fragment.ts'
import { toSql } from './columns.ts'
import { hasNegation, idsOfOnlySet, type ScannedTest, setOf, testsInSets } from './index-scans.ts'
import type { ListPart } from './list-request.ts'
import { union } from './membership-columns.ts'
import { added, ELEMENTS, scannedValueTime, type Time, workTimes } from './scan-times.ts'
import { LIMIT, mostBlocks, type PartWork, plus } from './scan-work.ts'

/** Passes a resource in an index, and looks it up in the sets. */
const WALKED = 65
/** Adds a resource to a set by its id or by its number, and finds it there again, if the values are in another order than the ids. */
const IN_SET = { id: 1_500, rowid: 550 } as const
/** Counts a match, and sorts it by its id. */
const FOUND = 180
/** The same for all matches at once, if the set has the ids of all of them and of no others. */
const IN_ONLY_SET = 1_300
/** Looks at a row that an index finds, without a test. */
const EQUAL = 60
/** Looks up the size of a resource with a long value. */
const SIZED = 2_000
interface SetTimes {
  /** For each row of the index. */
  readonly scanned: number
  /** For each resource of the set. */
  readonly found: number
  /** For a long value, which is tested in the documents. */
  readonly long: Time
  /** Whether the rows are counted: a resource may have several, and the size of one with a long value is looked up. */
  readonly isCounted: boolean
}

/** @param part of which isBySets is true */
export function workOfSets(
  part: ListPart & { readonly filter: Filter },
  { tenantId, passes }: { readonly tenantId: string; readonly passes: number },
): PartWork {
  const { type, filter } = part
  const isWalked = idsOfOnlySet(filter, type, tenantId) === undefined
  const tests = testsInSets(filter).map((test) => ({
    test,
    times: timesOf(test, part, { tenantId, isWalked }),
  }))
  const [walked, found] = isWalked ? [WALKED, FOUND] : [0, 0]
  const ofAll = hasNegation(filter)
  const n = sql.raw(`t.${type.table.counters.count}`)
  const ofOneValue = tests.filter(({ times }) => !times.isCounted)
  const least = walked + ofOneValue.reduce((sum, { times }) => sum + 2 * times.scanned, ofAll ? found : 0)
  const mostOfEach = tests
    .map(({ times }) => ({ row: times.scanned + times.found + times.long.row, block: times.long.block }))
    .reduce(added, { row: walked + found, block: 0 })
  const number = (nanoseconds: number) => sql.raw(String(Math.round(nanoseconds)))
  const blocks = mostBlocks(type.table, n, true)
  const unmeasured = sql`(${number(mostOfEach.row)} * ${n} + ${number(mostOfEach.block)} * ${blocks})`
  const perMatch = ofAll ? 0 : found
  const most = LIMIT / passes
  const affordable = number(most)
  const rows = tests.filter(({ times }) => times.isCounted)
  const counted = plus([
    sql`${number(least)} * ${n}`,
    ...(rows.length === 0 ? [] : [countedWork(rows, part, { tenantId, perMatch, most })]),
  ])
  const measured = plus([
    sql`least`,
    ...tests.map(({ test, times }) => measuredWork(test, part, { tenantId, times, perMatch })),
  ])
  // SQLite computes "least" once, because a subquery without FROM is not merged into the query around it.
  const staged = sql`(SELECT iif(least > ${affordable}, least, ${measured}) FROM (SELECT ${counted} AS least))`
  // A resource may have many values of a list, long ones too, each of which is tested in its documents.
  const isOfLists = tests.some(({ test }) => valuesOf(test) !== undefined)
  const small = isOfLists ? sql`` : sql`WHEN ${unmeasured} <= ${affordable} THEN ${unmeasured}`
  const work = sql`CASE ${small} WHEN ${number(least)} * ${n} > ${affordable} THEN ${number(least)} * ${n} ELSE ${staged} END`
  return { count: n, work: sql`(${number(passes)} * ${work})`, isFaster: undefined }
}

function timesOf(
  test: ScannedTest,
  part: ListPart,
  { tenantId, isWalked }: { readonly tenantId: string; readonly isWalked: boolean },
): SetTimes {
  const { own } = workTimes({ ...part, filter: test, isScanned: true })
  const set = setOf(test, part.type, tenantId)
  const isCounted = set.key === 'id'
  const scanned = set.test !== undefined ? scannedValueTime(test) : isCounted ? EQUAL : 0
  return { scanned, found: isWalked ? IN_SET[set.key] : IN_ONLY_SET, long: own, isCounted }
}

interface Measured {
  readonly tenantId: string
  readonly times: SetTimes
  readonly perMatch: number
}

interface TimedTest {
  readonly test: ScannedTest
  readonly times: SetTimes
}

/**
 * The work to look at the rows of indexes, and to look up the resources with long values, as a subquery. It counts the rows of
 * all indexes together, up to the number that takes too long.
 *
 * @param most nanoseconds
 */
function countedWork(
  tests: readonly TimedTest[],
  { type }: ListPart,
  { tenantId, perMatch, most }: Omit<Measured, 'times'> & { readonly most: number },
): SQL {
  const each = tests.map(({ times }) => Math.round(2 * times.scanned))
  const rows = tests.map(({ test, times }, i) => {
    const set = setOf(test, type, tenantId)
    const [short, long] = [each[i] ?? 0, Math.round(longTime({ times, perMatch }) + SIZED)]
    return fragment`SELECT iif(${set.isLong}, ${constant(String(short + long))}, ${constant(String(short))}) AS work FROM ${set.rows}`
  })
  const ofUsers = sql`${sql.raw(String(Math.max(...each)))} * ${sql.raw(`t.${type.table.counters.count}`)}`
  const limit = sql.raw(String(Math.ceil(most / Math.min(...each)) + 1))
  return sql`iif(${ofUsers} > ${sql.raw(String(most))}, ${ofUsers},
    (SELECT total(work) FROM (SELECT work FROM (${toSql(union(rows, 'work'))}) LIMIT ${limit})))`
}

/** The least time for a long value. */
function longTime({ times, perMatch }: Pick<Measured, 'times' | 'perMatch'>): number {
  return times.found + perMatch + times.long.row
}

/** The work for the resources in a set, and for long values, as a subquery that tests each row of the index. */
function measuredWork(test: ScannedTest, { type }: ListPart, measured: Measured): SQL {
  const { tenantId, times, perMatch } = measured
  const { rows, test: short, isLong, longBytes, isOfElements } = setOf(test, type, tenantId)
  const found = Math.round(times.found + perMatch)
  const perByte = ((times.long.block * (isOfElements ? ELEMENTS : 1)) / 4096).toFixed(3)
  const counted = times.isCounted ? 0 : Math.round(longTime(measured))
  const long = sql`${sql.raw(String(counted))} + ${sql.raw(perByte)} * ${toSql(longBytes)}`
  const isFound = short === undefined ? sql`1` : toSql(short)
  return sql`(SELECT coalesce(sum(CASE WHEN ${toSql(isLong)} THEN ${long} WHEN ${isFound} THEN ${sql.raw(String(found))} ELSE 0 END), 0)
    FROM ${toSql(rows)})`
}
