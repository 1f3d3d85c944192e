/**
 * The cost of a list that sets of resources answer (index-scans.ts): from the counters of the tenant, or, if that may exceed
 * the limit, counted in the indexes before.
 */
import { type SQL, sql } from 'drizzle-orm'
import type { Filter } from '../../scim/filter/ast.ts'
import { toSql } from './columns.ts'
import { hasNegation, idsOfOnlySet, type ScannedTest, setOf, testsInSets } from './index-scans.ts'
import type { ListPart } from './list-request.ts'
import { added, scannedValueTime, type Time, workTimes } from './scan-times.ts'
import { LIMIT, mostBlocks, type PartWork, plus } from './scan-work.ts'

/** Passes a resource in an index, and looks it up in the sets. */
const WALKED = 65
/** Adds a resource to a set by its id or by its number, and finds it there again, if the values are in another order than the ids. */
const IN_SET = { id: 1_500, rowid: 550 } as const
/** Counts a match, and sorts it by its id. */
const FOUND = 180
/** The same for all matches at once, if the set has the ids of all of them and of no others. */
const IN_ONLY_SET = 1_300
/** A byte of a list of short elements may cost as much as six other ones: each counts as 256 bytes, and has 56 in two documents. */
const ELEMENTS = 6

interface SetTimes {
  /** For each row of the index. */
  readonly scanned: number
  /** For each resource of the set. */
  readonly found: number
  /** For a long value, which is tested in the documents. */
  readonly long: Time
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
  const least = walked + tests.reduce((sum, { times }) => sum + 2 * times.scanned, ofAll ? found : 0)
  const most = tests
    .map(({ times }) => ({ row: times.scanned + times.found + times.long.row, block: times.long.block }))
    .reduce(added, { row: walked + found, block: 0 })
  const number = (nanoseconds: number) => sql.raw(String(Math.round(nanoseconds)))
  const blocks = mostBlocks(type.table, n, true)
  const unmeasured = sql`(${number(most.row)} * ${n} + ${number(most.block)} * ${blocks})`
  const perMatch = ofAll ? 0 : found
  const measured = plus([
    sql`${number(least)} * ${n}`,
    ...tests.map(({ test, times }) => measuredWork(test, part, { tenantId, times, perMatch })),
  ])
  const affordable = number(LIMIT / passes)
  const work = sql`CASE WHEN ${unmeasured} <= ${affordable} THEN ${unmeasured}
    WHEN ${number(least)} * ${n} > ${affordable} THEN ${number(least)} * ${n} ELSE ${measured} END`
  return { count: n, work: sql`(${number(passes)} * ${work})`, isFaster: undefined }
}

function timesOf(
  test: ScannedTest,
  part: ListPart,
  { tenantId, isWalked }: { readonly tenantId: string; readonly isWalked: boolean },
): SetTimes {
  const { own } = workTimes({ ...part, filter: test, isScanned: true })
  const set = setOf(test, part.type, tenantId)
  const scanned = set.test === undefined ? 0 : scannedValueTime(test)
  return { scanned, found: isWalked ? IN_SET[set.key] : IN_ONLY_SET, long: own }
}

interface Measured {
  readonly tenantId: string
  readonly times: SetTimes
  readonly perMatch: number
}

/** The work for the resources in a set, and for long values, as a subquery that tests each row of the index. */
function measuredWork(test: ScannedTest, { type }: ListPart, { tenantId, times, perMatch }: Measured): SQL {
  const { rows, test: short, isLong, longBytes, isOfElements } = setOf(test, type, tenantId)
  const { row, block } = times.long
  const found = Math.round(times.found + perMatch)
  const perByte = ((block * (isOfElements ? ELEMENTS : 1)) / 4096).toFixed(3)
  const long = sql`${sql.raw(String(found + row))} + ${sql.raw(perByte)} * ${toSql(longBytes)}`
  const isFound = short === undefined ? sql`1` : toSql(short)
  return sql`(SELECT coalesce(sum(CASE WHEN ${toSql(isLong)} THEN ${long} WHEN ${isFound} THEN ${sql.raw(String(found))} ELSE 0 END), 0)
    FROM ${toSql(rows)})`
}
