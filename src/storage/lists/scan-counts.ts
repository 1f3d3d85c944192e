/**
 * The rows that a list scans, counted in SQL: the number of resources and memberships and their sizes, from the
 * counters of the tenant.
 */
import { type SQL, sql } from 'drizzle-orm'
import type { AttributePath } from '../../scim/attribute-path.ts'
import type { Filter } from '../../scim/filter/ast.ts'
import { compileFilter } from '../../scim/filter/compile.ts'
import { constant, fragment, type SqlFragment } from '../../scim/filter/sql-fragment.ts'
import { hasMembers, showsGroups } from '../../scim/schema/resource-type.ts'
import { IS_NESTED } from '../tables/member-types.ts'
import {
  GROUPS_TABLE,
  type ResourceTable,
  type StoredResourceType,
  USERS_TABLE,
} from '../tables/resource-tables.ts'
import { columnsOf } from './column-map.ts'
import { isLookup, isMembershipOfKnown, toSql } from './columns.ts'
import { maybeInSet, rowsOfSet, setOf } from './index-scans.ts'
import type { ListPart } from './list-request.ts'
import { groupsFound, reachedBy, union } from './membership-columns.ts'
import {
  candidatesOf,
  isBySets,
  isIndexedTest,
  isOfOne,
  isScannedTest,
  leavesOf,
  mayFindMost,
} from './scan-conditions.ts'
import {
  added,
  ELEMENTS,
  isOfOwnOnly,
  MEASURE,
  MEASURE_OBJECTS,
  MEMBERSHIP,
  MOST_BLOCKS,
  type Reached,
  type Scanned,
  STEP,
  scannedCandidates,
  type Time,
  workTimes,
} from './scan-times.ts'
import { LIMIT, mostBlocks, type PartWork, plus } from './scan-work.ts'
import { workOfSets } from './set-costs.ts'
import { idsLookedUp, valueLookupOf } from './value-lookups.ts'

/** Beyond this number of conditions, each is assumed to find everything, unless it is a value that few resources share. */
const MOST_COUNTED = 32

/** Beyond this number, the sizes of what they find are measured together, because D1 limits the length of a statement. */
const MOST_MEASURED = 8

/** What is known of a list before it is read. */
export interface Known {
  readonly tenantId: string
  /** The number of scans: for the page, and for the members of its groups. */
  readonly passes: number
  /** The number of matches, of the previous page. */
  readonly total?: number | undefined
  /** The most resources on the page. */
  readonly shown: number
}

/** @param name the column of the count */
export function workOf(part: ListPart, known: Known, name: string): PartWork {
  if (isBySets(part)) return workOfSets(part, known)
  const { tenantId, passes, total } = known
  const { type } = part
  const work = workTimes(part)
  const share = mayFindMost(part) ? shareOf(part) : undefined
  const most = mostCounted(part, tenantId, passes * work.own.row, share)
  const withElements = isOfElements(part)
  const { n: counted, found } = lookedThrough(part, tenantId, most, withElements)
  const isKnown = share !== undefined && total !== undefined
  // All matches are candidates, so these need not be counted if there are too many matches.
  const count = isKnown ? sql`iif(${total} > ${shareOfAll(type, share)}, ${total}, ${counted})` : counted
  const n = sql.raw(`t.${name}`)
  const nested = sql`(SELECT count(*) FROM memberships WHERE tenant_id = t.id AND ${sql.raw(IS_NESTED)})`
  const users = all(USERS_TABLE)
  const groups = all(GROUPS_TABLE)
  const other = hasMembers(type) ? users : groups
  const terms = [
    ...times(work.users, users.n, users.b),
    ...times(work.groups, groups.n, groups.b),
    ...times(work.ownGroups, sql`${n} * ${groups.n}`, sql`${n} * ${groups.b}`),
    ...times(work.other, n, sql`${n} * min(${other.b}, ${sql.raw(String(MOST_BLOCKS))})`),
    ...product(work.memberships, sql`t.membership_count`),
    ...product(work.left, leftMemberships(work.left)),
    ...product(work.steps, sql`${n} * ${nested}`),
    ...(work.scanned.length === 0 ? [] : [scannedWork(work.scanned, type, tenantId)]),
    ...(work.reached.length === 0 ? [] : [reachedWork(work.reached, type, tenantId)]),
  ]
  const own = ownWork({ row: passes * work.own.row, block: passes * work.own.block }, n, {
    most: mostBlocks(type.table, n, withElements),
    found,
  })
  return {
    work: sql`(${own} + ${sql.raw(String(passes))} * ${plus(terms)})`,
    count,
    isFaster: share === undefined ? undefined : sql`${n} <= ${shareOfAll(type, share)}`,
  }
}

/** The share of the directory that candidates may be: with more of them, a scan of everything takes less time. */
function shareOf(part: ListPart): number {
  return workTimes({ ...part, isScanned: true }).own.row / workTimes(part).own.row
}

function shareOfAll({ table }: StoredResourceType, share: number): SQL {
  return sql`CAST(${sql.raw(table.counters.count)} * ${sql.raw(share.toFixed(3))} AS INTEGER)`
}

/** The count stops where the limit is exceeded, or a scan of everything takes less time. */
function mostCounted({ type }: ListPart, tenantId: string, row: number, share: number | undefined): SQL {
  const affordable = sql.raw(String(Math.ceil(LIMIT / row)))
  if (share === undefined) return sql`${affordable} + 1`
  return sql`(SELECT min(${affordable}, ${shareOfAll(type, share)}) FROM tenants WHERE id = ${tenantId}) + 1`
}

/** Memberships that deleted groups have left, up to the number that takes longer than the limit. */
function leftMemberships(nanoseconds: number): SQL {
  const most = sql.raw(String(Math.ceil(LIMIT / Math.max(1, nanoseconds)) + 1))
  return sql`(SELECT count(*) FROM (SELECT 1 FROM deleted_groups AS d
    CROSS JOIN memberships AS m ON m.tenant_id = d.tenant_id AND m.group_id = d.id WHERE d.tenant_id = t.id LIMIT ${most}))`
}

/** The blocks of resources. */
interface Sizes {
  /** The most that the counters of the tenant allow. */
  readonly most: SQL
  readonly found: FoundBlocks | undefined
}

/** The blocks of resources that an index finds, which are measured. */
interface FoundBlocks {
  /** Without objects: quickly measured, and not more than with them. */
  readonly bytes: SQL
  /** With objects; undefined if no elements are scanned. */
  readonly elements: SQL | undefined
}

/**
 * The work to scan `n` resources. Those that an index finds are measured if that makes a difference. Objects are counted
 * only within the limit: to count those of large resources takes half as long as to scan them.
 */
function ownWork(time: Time, n: SQL, { most, found }: Sizes): SQL {
  const workOfAll = ({ row, block }: Time, blocks: SQL) =>
    sql`(${sql.raw(String(Math.round(row)))} * ${n} + ${sql.raw(String(Math.round(block)))} * ${blocks})`
  const unmeasured = workOfAll(time, most)
  if (found === undefined) return unmeasured
  const limit = sql.raw(String(LIMIT))
  const withoutBlocks = workOfAll(time, sql`0`)
  const measured = workOfAll(added(time, MEASURE), found.bytes)
  // SQLite computes "least" once, because a subquery without FROM is not merged into the query around it.
  const all =
    found.elements === undefined
      ? measured
      : sql`(SELECT iif(least > ${limit}, least, ${workOfAll(added(time, MEASURE_OBJECTS), found.elements)})
          FROM (SELECT ${measured} AS least))`
  return sql`CASE WHEN ${unmeasured} <= ${sql.raw(String(LIMIT / 2))} THEN ${unmeasured}
    WHEN ${withoutBlocks} > ${limit} THEN ${withoutBlocks} ELSE ${all} END`
}

const BYTES = 'max(octet_length(data) + octet_length(keys) - 1024, 0)'
const OBJECTS = `max(octet_length(keys) - octet_length(replace(keys, '{', '')) - 4, 0)`
/** The size of a row in blocks, with fractions: 4 KiB of its documents beyond the first. */
const SIZE_TEXT = `${BYTES} / 4096.0`
export const SIZE = sql.raw(SIZE_TEXT)
/** The same for a scan of elements: each object from the fifth on counts 256 extra bytes. */
export const SIZE_WITH_ELEMENTS = sql.raw(`(${BYTES} + 256 * ${OBJECTS}) / 4096.0`)

/** True for a part that scans elements of a list in the documents. */
export function isOfElements({ filter, sort }: ListPart): boolean {
  const paths = [
    ...(filter === undefined ? [] : leavesOf(filter).flatMap(leafPaths)),
    ...(sort?.path === undefined ? [] : [sort.path]),
  ]
  return paths.some(({ steps }) => steps.some(({ multiValued }) => multiValued))
}

function leafPaths(filter: Filter): readonly AttributePath[] {
  if (filter.kind === 'not') return leavesOf(filter.operand).flatMap(leafPaths)
  return 'path' in filter ? [filter.path] : []
}

function times({ row, block }: Time, rows: SQL, blocks: SQL): readonly SQL[] {
  return [...product(row, rows), ...product(block, blocks)]
}

function product(nanoseconds: number, count: SQL): readonly SQL[] {
  return nanoseconds === 0 ? [] : [sql`${sql.raw(String(Math.round(nanoseconds)))} * ${count}`]
}

/** A number of resources, and their blocks. */
interface Counts {
  readonly n: SQL
  readonly b: SQL
}

function all({ counters: { count, blocks } }: Pick<ResourceTable, 'counters'>): Counts {
  return { n: sql.raw(`t.${count}`), b: sql.raw(`t.${blocks}`) }
}

/** A number of resources, and their blocks if they are measured. */
interface LookedThrough {
  readonly n: SQL
  readonly found: FoundBlocks | undefined
}

/**
 * The rows that a part scans: everything, or the matches of indexed conditions, counted up to `most`. If there are many
 * conditions, each is assumed to find everything, because D1 limits the length of a statement and the memory of SQLite.
 */
function lookedThrough(part: ListPart, tenantId: string, most: SQL, withElements: boolean): LookedThrough {
  const { type } = part
  const conditions = candidatesOf(part)
  if (conditions === undefined) return { n: all(type.table).n, found: undefined }
  const counted = conditions.filter((condition) => !isOfOne(condition))
  const ones = sql.raw(String(conditions.length - counted.length))
  const areCounted = counted.length <= MOST_COUNTED || counted.every((one) => isLookup(one, type))
  if (!areCounted) {
    const { n, b } = all(type.table)
    return {
      n: sql`${sql.raw(String(counted.length))} * ${n} + ${ones}`,
      found: { bytes: b, elements: undefined },
    }
  }
  const sizesFound = (size: SQL) =>
    conditions.length > MOST_MEASURED
      ? sizesTogether(conditions, type, tenantId, { size, most })
      : plus(conditions.map((one) => sizeFound(one, type, tenantId, { size, most })))
  const isOfGroups = (one: Filter) => showsGroups(type) && isMembershipOfKnown(one, type)
  const [members, others] = [counted.filter(isOfGroups), counted.filter((one) => !isOfGroups(one))]
  return {
    n: plus([
      ...(members.length === 0 ? [] : [membersOf(members, type, tenantId)]),
      ...(others.length === 0 ? [] : [countOf(others, type, tenantId, most)]),
      ones,
    ]),
    found:
      conditions.length > MOST_COUNTED
        ? { bytes: all(type.table).b, elements: undefined }
        : { bytes: sizesFound(SIZE), elements: withElements ? sizesFound(SIZE_WITH_ELEMENTS) : undefined },
  }
}

/**
 * The work of a list in which indexes lead to at most `most` candidates, as a SELECT of one row: NULL if they are more. No document
 * is read to know it.
 *
 * @returns undefined if all values of an index, or the members of groups, are looked at for it, or if other resources are read too
 */
export function workOfFew(part: ListPart, tenantId: string, most: number): SQL | undefined {
  const { type } = part
  const candidates = candidatesOf(part)
  const times = workTimes(part)
  const isCounted = (one: Filter) => isIndexedTest(one, type) && !isMembershipOfKnown(one, type)
  if (!candidates?.every(isCounted) || !isOfOwnOnly(times)) return undefined
  const sizes = toSql(union(candidates.map((one) => sizesOfValues(one, type, tenantId))))
  const number = (nanoseconds: number) => sql.raw(String(Math.round(nanoseconds)))
  const { row, block } = added(times.own, MEASURE)
  const perBlock = block * (isOfElements(part) ? ELEMENTS : 1)
  return sql`SELECT iif(count(*) <= ${number(most)}, ${number(row)} * count(*) + ${number(perBlock)} * total(id), NULL) AS work
    FROM (SELECT id FROM (${sizes}) LIMIT ${number(most + 1)})`
}

/** The sizes of the resources that a look-up finds, as `id`. Unlike in sizeFound, they come one by one. */
function sizesOfValues(candidate: Filter, type: StoredResourceType, tenantId: string): SqlFragment {
  const name = constant(type.table.name)
  const ids = idsLookedUp(candidate, type, tenantId)
  const size = constant(SIZE_TEXT)
  if (ids !== undefined)
    return fragment`SELECT ${size} AS id FROM (${ids}) AS found
      CROSS JOIN ${name} ON ${name}.tenant_id = ${tenantId} AND ${name}.id = found.id`
  const condition = compileFilter(candidate, columnsOf({ type, filter: candidate }, tenantId))
  return fragment`SELECT ${size} AS id FROM ${name} WHERE ${name}.tenant_id = ${tenantId} AND ${condition}`
}

/** What conditions find, counted in indexes alone. A resource that several find counts for each. */
function countOf(conditions: readonly Filter[], type: StoredResourceType, tenantId: string, most: SQL): SQL {
  const rows = toSql(union(conditions.map((one) => rowsFound(one, type, tenantId))))
  const counted = sql`(SELECT count(*) FROM (SELECT 1 FROM (${rows}) LIMIT ${most}))`
  const scanned = conditions.filter((one) => isScannedTest(one, type))
  if (scanned.length === 0) return counted
  // An index of that size is not looked through to count.
  const work = scannedWork(scanned.map(scannedCandidates), type, tenantId)
  return sql`iif(${work} > ${sql.raw(String(LIMIT))}, ${most}, ${counted})`
}

/**
 * The work to look through indexes. Their rows are counted together, up to the number that takes too long. If there are many
 * tests, only the least is known: a row for each resource.
 */
function scannedWork(scanned: readonly Scanned[], type: StoredResourceType, tenantId: string): SQL {
  const least = sql`${sql.raw(String(scanned.reduce((sum, { row }) => sum + row, 0)))} * t.${sql.raw(type.table.counters.count)}`
  const rows = scanned.map(({ test, row }) => {
    const set = setOf(test, type, tenantId)
    return fragment`SELECT ${constant(String(row))} AS work FROM ${set.rows}`
  })
  const most = sql.raw(String(Math.ceil(LIMIT / Math.min(...scanned.map(({ row }) => row))) + 1))
  return sql`(SELECT iif(least > ${sql.raw(String(LIMIT))}, least,
    max(least, (SELECT total(work) FROM (SELECT work FROM (${toSql(union(rows, 'work'))}) LIMIT ${most})))) FROM (SELECT ${least} AS least))`
}

function rowsFound(condition: Filter, type: StoredResourceType, tenantId: string): SqlFragment {
  if (isScannedTest(condition, type)) return rowsOfSet(condition, type, tenantId)
  const ids = idsLookedUp(condition, type, tenantId)
  return ids === undefined
    ? rowsMeeting(condition, type, tenantId, constant('1'))
    : fragment`SELECT id FROM (${ids})`
}

/** Rows with one column, `id`, for the resources that meet a condition of an index. */
function rowsMeeting(
  condition: Filter,
  type: StoredResourceType,
  tenantId: string,
  column: SqlFragment,
): SqlFragment {
  const table = constant(type.table.name)
  return fragment`SELECT ${column} AS id FROM ${table}
    WHERE ${table}.tenant_id = ${tenantId} AND ${candidateCondition(condition, type, tenantId)}`
}

/** The condition of the resources that another condition may find, by indexes alone: no document is tested. */
function candidateCondition(condition: Filter, type: StoredResourceType, tenantId: string): SqlFragment {
  const lookup = isScannedTest(condition, type)
    ? maybeInSet(condition, type, tenantId)
    : valueLookupOf(condition, type, tenantId)
  return lookup?.condition ?? compileFilter(condition, columnsOf({ type, filter: condition }, tenantId))
}

interface Measured {
  readonly size: SQL
  readonly most: SQL
}

/** The sum of the sizes of the resources that a condition may find. */
function sizeFound(
  condition: Filter,
  type: StoredResourceType,
  tenantId: string,
  { size, most }: Measured,
): SQL {
  const table = sql.raw(type.table.name)
  return sql`(SELECT coalesce(sum(x), 0) FROM (SELECT ${size} AS x FROM ${table}
    WHERE ${table}.tenant_id = ${tenantId} AND ${toSql(candidateCondition(condition, type, tenantId))} LIMIT ${most}))`
}

/** The same of many conditions: a shorter statement. */
function sizesTogether(
  conditions: readonly Filter[],
  type: StoredResourceType,
  tenantId: string,
  { size, most }: Measured,
): SQL {
  const table = sql.raw(type.table.name)
  const key = constant(`${type.table.name}.rowid`)
  const rows = toSql(union(conditions.map((one) => rowsMeeting(one, type, tenantId, key))))
  return sql`(SELECT coalesce(sum(${size}), 0) FROM (SELECT id FROM (${rows}) LIMIT ${most}) AS found
    CROSS JOIN ${table} ON ${table}.rowid = found.id)`
}

/** Nanoseconds. Up to this cost of finding the groups, their members are counted; above it, all memberships are assumed. */
const LITTLE = 5_000_000

/** Groups that are looked at to count their members, in about 10 ms. Beyond them, all memberships are assumed for each filter. */
const MOST_GROUPS = 10_000

/** The work to read the members of the groups that filters find. */
function reachedWork(reached: readonly Reached[], type: StoredResourceType, tenantId: string): SQL {
  const { row, block } = reached.map(({ read }) => read).reduce(added)
  const { count, blocks } = GROUPS_TABLE.counters
  const isLittle = sql.raw(
    `${Math.round(row)} * t.${count} + ${Math.round(block)} * t.${blocks} <= ${LITTLE}`,
  )
  const filters = reached.map(({ filter }) => filter)
  const [step, membership] = [STEP, MEMBERSHIP].map((nanoseconds) => sql.raw(String(nanoseconds)))
  const of = (steps: SQL, members: SQL) => sql`${step} * ${steps} + ${membership} * ${members}`
  const all = membersOfAll(filters)
  return sql`iif(${isLittle}, ${countedMembers(filters, type, tenantId, of)}, ${membership} * ${all})`
}

/** The number of members of the groups that filters find. */
function membersOf(filters: readonly Filter[], type: StoredResourceType, tenantId: string): SQL {
  return countedMembers(filters, type, tenantId, (_, members) => members)
}

/**
 * One row: the number of `members` of the groups that filters name, and of groups within them.
 *
 * @returns undefined if they name none
 */
export function membersNamed(parts: readonly ListPart[], tenantId: string): SQL | undefined {
  const counts = parts.flatMap(({ type, filter }) => {
    const leaves = filter === undefined || !showsGroups(type) ? [] : leavesOf(filter)
    const named = leaves.filter((leaf) => isMembershipOfKnown(leaf, type))
    return named.length === 0 ? [] : [membersOf(named, type, tenantId)]
  })
  if (counts.length === 0) return undefined
  return sql`SELECT ${plus(counts)} AS members FROM tenants AS t WHERE t.id = ${tenantId}`
}

function membersOfAll(filters: readonly Filter[]): SQL {
  return sql`${sql.raw(String(filters.length))} * t.membership_count`
}

/**
 * @param filters on `groups`, each of them one test or value path, without "type"
 * @param of makes an expression of the number of groups that they find, and of the number of their members
 */
function countedMembers(
  filters: readonly Filter[],
  type: StoredResourceType,
  tenantId: string,
  of: (steps: SQL, members: SQL) => SQL,
): SQL {
  const groups = filters.map((filter) =>
    compileFilter(filter, { ...columnsOf({ type, filter }, tenantId), rows: groupsFound(tenantId) }),
  )
  const most = sql.raw(String(MOST_GROUPS))
  const members = sql`iif(steps > ${most}, ${membersOfAll(filters)}, members)`
  return sql`(SELECT ${of(sql`steps`, members)} FROM ${toSql(reachedBy(tenantId, groups, MOST_GROUPS))})`
}
