/**
 * What a list costs that no index answers: estimated before it begins, from the filter and from the sizes that the
 * database keeps with the tenant, and refused beyond a limit. SQLite works in the process on Node.js and Deno, so whoever
 * looks through a large directory holds up every tenant; on D1 it holds up the database.
 *
 * The estimate is part of the statement: one that would cost too much finds nothing, and its last row says why. Times are
 * nanoseconds, measured with Node.js 24 and SQLite 3.53: for resources of up to 1 KiB in two documents (`row`), and for
 * each 4 KiB of more (`block`, see SIZE), at worst: texts of nothing but escapes, or lists of short elements.
 */
import { type SQL, sql } from 'drizzle-orm'
import { type AttributePath, pathText, target } from '../scim/attribute-path.ts'
import { badRequest } from '../scim/error.ts'
import type { Filter } from '../scim/filter/ast.ts'
import { compileFilter } from '../scim/filter/compile.ts'
import { mentions, valuesOf } from '../scim/filter/simplify.ts'
import { MAX_SCAN_MILLISECONDS } from '../scim/limits.ts'
import { isUnique } from '../scim/sort.ts'
import {
  COLUMNS,
  columnsOf,
  isLookup,
  isMembershipOfKnown,
  isPossible,
  isRange,
  membersReached,
  toSql,
} from './columns.ts'
import type { Row } from './database.ts'
import type { ListPart } from './list.ts'

interface Time {
  readonly row: number
  readonly block: number
}

/** To read a resource and to parse its comparison document. */
const READ: Time = { row: 1_000, block: 3_500 }
/** To take a single value out of the parsed document, and to compare it. */
const VALUE: Time = { row: 120, block: 2_500 }
/** Columns that are no part of the document: ids, times and versions. */
const COLUMN: Time = { row: 30, block: 0 }
/** To go through a multi-valued attribute, and a test of each of its values: an object counts as 256 bytes. */
const LIST: Time = { row: 350, block: 2_000 }
const ELEMENT: Time = { row: 250, block: 1_900 }
/** Beyond that, what "co" and "ew" cost, which go through the value. */
const SUBSTRING: Time = { row: 100, block: 1_600 }
const ENDING: Time = { row: 100, block: 3_500 }
/** Each byte that "co" looks for: at worst all but the last are there, at every place of a value. */
const SUBSTRING_BYTE: Time = { row: 3, block: 28 }
/** To measure a resource, where the sizes that are kept with the tenant do not tell enough. */
const MEASURE: Time = { row: 500, block: 2_000 }
/** To collect the ids that several conditions find. */
const ALTERNATIVE: Time = { row: 1_200, block: 0 }
/** To collect the members of a group, to measure them and to look at them. */
const COLLECTED: Time = { row: 1_200, block: 0 }
/** To sort a row. */
const SORT: Time = { row: 800, block: 4_500 }
/** To go through the members of a group and to collect them, or through all memberships of a tenant. */
const MEMBERSHIP = 450
const SCANNED_MEMBERSHIP = 150
/** A test of an id or a type, which needs no document, in parts of one that does. */
const MEMBERSHIP_TEST = 0.4
/** A step upwards through nested groups. */
const STEP = 700
/** What one row can have: two documents of 1.8 MB together, in which an element takes 28 bytes. */
const MOST_BLOCKS = 4_500

/** How often something is done: for each of a number that the database knows. */
interface ScanTime {
  /** Resources of the type that is listed. */
  readonly own: Time
  readonly users: Time
  readonly groups: Time
  readonly memberships: number
  /** Conditions on groups whose members are read, and nobody else's. */
  readonly reached: readonly Reached[]
  /** For each resource and each membership of a group in a group. */
  readonly steps: number
  /** For each resource and each group. */
  readonly ownGroups: Time
  /** For each resource, one of the other type, of which one may be the largest. */
  readonly other: Time
}

interface Reached {
  readonly filter: Filter
  /** To find the groups. */
  readonly read: Time
}

const NO_TIME: Time = { row: 0, block: 0 }
const NOTHING: ScanTime = {
  own: NO_TIME,
  users: NO_TIME,
  groups: NO_TIME,
  memberships: 0,
  reached: [],
  steps: 0,
  ownGroups: NO_TIME,
  other: NO_TIME,
}

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
export function isSorted({ type, filter, sort }: ListPart, offset: number): boolean {
  if (!hasIndexedOrder(sort, type)) return true
  // The index has the times and not the ids, so SQLite would read the documents of all that it steps over.
  if (sort?.path !== undefined && isLastModified(sort.path, type) && offset > MANY) return true
  const found = candidatesOf(filter, type)
  return found !== undefined && !found.every((one) => isLookup(one, type) || isMembershipOfKnown(one, type))
}

function hasIndexedOrder(sort: ListPart['sort'], type: ListPart['type'], isMixed = false): boolean {
  if (sort?.path === undefined) return true
  return !isMixed && (isUnique(sort) || isLastModified(sort.path, type) || isGroupName(sort.path, type))
}

/** So many ranges of an index cost little to test, whatever they find. */
const MOST_RANGES = 4

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

/** True of tests of one column, such as those of a span of time: all that they look at is what they find. */
function isOneRange(filter: Filter, type: ListPart['type']): boolean {
  const leaves = leavesOf(filter)
  const columns = leaves.map((leaf) => ('path' in leaf ? COLUMNS[type][pathText(leaf.path)] : undefined))
  return (
    isConjunction(filter) &&
    leaves.length <= MOST_RANGES &&
    leaves.every((leaf) => isRange(leaf, type)) &&
    new Set(columns).size === 1
  )
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

function isLastModified(path: AttributePath, type: ListPart['type']): boolean {
  return type === 'User' && pathText(path) === 'meta.lastModified'
}

/** Names of groups may be shared: the index has the ids behind them. */
function isGroupName(path: AttributePath, type: ListPart['type']): boolean {
  return type === 'Group' && pathText(path) === 'displayName'
}

function isIndexedTest(leaf: Filter, type: ListPart['type']): boolean {
  return leaf.kind === 'never' || isMembershipOfKnown(leaf, type) || isRange(leaf, type)
}

function isConjunction(filter: Filter): boolean {
  return (
    filter.kind !== 'or' &&
    (filter.kind !== 'and' || filter.operands.every((operand) => operand.kind !== 'or'))
  )
}

/** The tests of a filter; a negated one is none that an index finds, so `not` is one as a whole. */
function leavesOf(filter: Filter): readonly Filter[] {
  return filter.kind === 'and' || filter.kind === 'or' ? filter.operands.flatMap(leavesOf) : [filter]
}

/**
 * Conditions by which an index finds all that may match: alternatives, or ranges of which SQLite takes one, we do not know
 * which. Undefined when everything may match.
 */
function candidatesOf(filter: Filter | undefined, type: ListPart['type']): readonly Filter[] | undefined {
  if (filter === undefined) return undefined
  if (filter.kind !== 'and') {
    if (!leavesOf(filter).every((leaf) => isIndexedTest(leaf, type))) return undefined
    return filter.kind === 'or' ? filter.operands : [filter]
  }
  const found = filter.operands.flatMap((operand) => {
    const candidates = candidatesOf(operand, type)
    return candidates === undefined ? [] : [{ operand, candidates }]
  })
  const [value] = found.filter(({ operand }) => isLookup(operand, type))
  if (value !== undefined) return value.candidates
  const [first] = found
  if (first === undefined) return undefined
  const ranges = found.filter(({ operand }) => isRange(operand, type)).flatMap(({ candidates }) => candidates)
  return ranges.length > 1 ? ranges : first.candidates
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

function workTimes({ type, filter, sort }: ListPart): ScanTime {
  const isOfFew = filter !== undefined && isLookup(filter, type)
  const candidates = candidatesOf(filter, type)
  return sum([
    { ...NOTHING, own: READ },
    ...(candidates !== undefined && candidates.length > 1 ? [{ ...NOTHING, own: ALTERNATIVE }] : []),
    ...(candidates?.some((one) => isMembershipOfKnown(one, type)) ? [{ ...NOTHING, own: COLLECTED }] : []),
    ...(filter === undefined ? [] : [filterWork(filter, type, isOfFew)]),
    ...(sort?.path === undefined ? [] : [sortWork(sort.path, type)]),
  ])
}

/** Nanoseconds, as an expression over `t`, the row of the tenant, in which `name` is the `count` of what is looked through. */
function workOf(
  part: ListPart,
  tenantId: string,
  passes: number,
  name: string,
): { readonly work: SQL; readonly count: SQL } {
  const { type } = part
  const work = workTimes(part)
  // No more are counted than are too many.
  const most = Math.ceil(LIMIT / (passes * work.own.row)) + 1
  const { n: count, b: size, least } = lookedThrough(part, tenantId, most, isOfElements(part))
  const n = sql.raw(`t.${name}`)
  const nested = sql`(SELECT count(*) FROM memberships WHERE tenant_id = t.id AND member_type = 'Group')`
  const counted = work.reached.slice(0, MOST_COUNTED)
  const rest = work.reached.slice(MOST_COUNTED)
  const other = all(type === 'User' ? 'Group' : 'User')
  const users = all('User')
  const groups = all('Group')
  const terms = [
    ...times(work.users, users.n, users.b),
    ...times(work.groups, groups.n, groups.b),
    ...times(work.ownGroups, sql`${n} * ${groups.n}`, sql`${n} * ${groups.b}`),
    ...times(work.other, n, sql`${n} * min(${other.b}, ${sql.raw(String(MOST_BLOCKS))})`),
    ...product(work.memberships + MEMBERSHIP * rest.length, sql`t.membership_count`),
    ...product(work.steps, sql`${n} * ${nested}`),
    ...counted.map((one) => reachedWork(one, tenantId)),
  ]
  const own = ownWork({ row: passes * work.own.row, block: passes * work.own.block }, n, {
    most: all(type).b,
    least,
    exact: size,
  })
  return { work: sql`(${own} + ${sql.raw(String(passes))} * ${plus(terms)})`, count }
}

const LIMIT = MAX_SCAN_MILLISECONDS * 1e6

/** Blocks of some resources: those of the tenant, those that they have at least, and theirs, which have to be measured. */
interface Sizes {
  readonly most: SQL
  readonly least: SQL
  readonly exact: SQL
}

/**
 * To look through `n` resources. Each has less than a block beside those that are kept with the tenant: they are only
 * measured where this makes a difference.
 */
function ownWork({ row, block }: Time, n: SQL, { most, least, exact }: Sizes): SQL {
  const [each, perBlock] = [row, block].map((time) => sql.raw(String(Math.round(time))))
  const unmeasured = sql`(${each} * ${n} + ${perBlock} * (${most} + ${n}))`
  const atLeast = sql`(${each} * ${n} + ${perBlock} * ${least})`
  const measured = sql`(${sql.raw(String(Math.round(row + MEASURE.row)))} * ${n}
    + ${sql.raw(String(Math.round(block + MEASURE.block)))} * ${exact})`
  return sql`CASE WHEN ${unmeasured} <= ${sql.raw(String(LIMIT / 2))} THEN ${unmeasured}
    WHEN ${atLeast} > ${sql.raw(String(LIMIT))} THEN ${atLeast} ELSE ${measured} END`
}

const BYTES = 'max(octet_length(data) + octet_length(keys) - 1024, 0)'
const OBJECTS = `max(octet_length(keys) - octet_length(replace(keys, '{', '')) - 4, 0)`
/** The size of a row in blocks, and parts of one: 4 KiB of its documents beyond the first. */
const SIZE = sql.raw(`${BYTES} / 4096.0`)
/**
 * The same where elements are gone through: each object from the fifth on counts 256 bytes more. It is less than one more
 * than its `blocks` (tables.ts), and not more than a quarter less.
 */
const SIZE_WITH_ELEMENTS = sql.raw(`(${BYTES} + 256 * ${OBJECTS}) / 4096.0`)

/** True of a part that looks at the elements of a list in the documents. */
function isOfElements({ filter, sort }: ListPart): boolean {
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

/** A tree of depth log2(n): SQLite counts the depth of `a + b + c …` as n, and refuses more than 100. */
function plus(terms: readonly SQL[]): SQL {
  const [only] = terms
  if (terms.length <= 1) return only ?? sql`0`
  const half = Math.ceil(terms.length / 2)
  return sql`(${plus(terms.slice(0, half))} + ${plus(terms.slice(half))})`
}

function times({ row, block }: Time, rows: SQL, blocks: SQL): readonly SQL[] {
  return [...product(row, rows), ...product(block, blocks)]
}

function product(nanoseconds: number, count: SQL): readonly SQL[] {
  return nanoseconds === 0 ? [] : [sql`${sql.raw(String(Math.round(nanoseconds)))} * ${count}`]
}

/** Resources, and their blocks. */
interface Counts {
  readonly n: SQL
  readonly b: SQL
}

function all(type: ListPart['type']): Counts {
  const name = type === 'User' ? 'user' : 'group'
  return { n: sql.raw(`t.${name}_count`), b: sql.raw(`t.${name}_blocks`) }
}

/** True of a test that one resource meets at most. */
function isOfOne(filter: Filter): boolean {
  return (
    filter.kind === 'comparison' && filter.operator === 'eq' && target(filter.path).uniqueness === 'server'
  )
}

/**
 * What a part looks through: everything, or what some conditions find by an index, counted up to `most` each. Of many
 * conditions each is taken to find everything: a statement has a length, and SQLite on D1 little memory for it.
 */
function lookedThrough(
  { type, filter }: ListPart,
  tenantId: string,
  most: number,
  withElements: boolean,
): Counts & { readonly least: SQL } {
  const table = sql.raw(type === 'User' ? 'users' : 'groups')
  const conditions = candidatesOf(filter, type)
  const size = withElements ? SIZE_WITH_ELEMENTS : SIZE
  if (conditions === undefined) {
    const { n, b } = all(type)
    const exact = sql`(SELECT sum(${size}) FROM ${table} WHERE ${table}.tenant_id = t.id)`
    return { n, b: exact, least: withElements ? sql`0.75 * ${b}` : sql`0` }
  }
  const counted = conditions.filter((condition) => !isOfOne(condition))
  const ones = sql.raw(String(conditions.length - counted.length))
  if (counted.length > MOST_COUNTED) {
    const { n, b } = all(type)
    return { n: sql`${sql.raw(String(counted.length))} * ${n} + ${ones}`, b, least: sql`0` }
  }
  const countOf = (condition: Filter) =>
    type === 'User' && isMembershipOfKnown(condition, type)
      ? membersReached(condition, tenantId)
      : total([condition], sql`count(*)`, sql`1`)
  const total = (some: readonly Filter[], expression: SQL, column: SQL) =>
    plus(
      some.map((found) => {
        const condition = toSql(compileFilter(found, columnsOf(type, tenantId, found)))
        return sql`(SELECT ${expression} FROM (SELECT ${column} AS x FROM ${table}
          WHERE ${table}.tenant_id = ${tenantId} AND ${condition} LIMIT ${sql.raw(String(most))}))`
      }),
    )
  return {
    n: plus([...counted.map((one) => countOf(one)), ones]),
    b: conditions.length > MOST_COUNTED ? all(type).b : total(conditions, sql`coalesce(sum(x), 0)`, size),
    least: sql`0`,
  }
}

/** Nanoseconds that it takes to find groups, in which it is asked how many members they have. */
const LITTLE = 5_000_000

/** Beyond so many conditions, what they find is not counted but taken to be all. */
const MOST_COUNTED = 8

function reachedWork({ filter, read }: Reached, tenantId: string): SQL {
  const isLittle = `${Math.round(read.row)} * t.group_count + ${Math.round(read.block)} * t.group_blocks <= ${LITTLE}`
  return sql`${sql.raw(String(MEMBERSHIP))} * iif(${sql.raw(isLittle)}, ${membersReached(filter, tenantId)}, t.membership_count)`
}
function filterWork(filter: Filter, type: ListPart['type'], isOfFew: boolean): ScanTime {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return sum(filter.operands.map((operand) => filterWork(operand, type, isOfFew)))
    case 'not':
      return filterWork(filter.operand, type, isOfFew)
    case 'never':
      return NOTHING
    default: {
      const { steps } = filter.path
      const multiple = steps.findIndex(({ multiValued }) => multiValued)
      const name = steps[multiple]?.name
      if (name === (type === 'User' ? 'groups' : 'members')) return referenceWork(filter, type, isOfFew)
      if (multiple < 0)
        return { ...NOTHING, own: testTime(filter, isInColumn(filter.path, type) ? COLUMN : VALUE) }
      return { ...NOTHING, own: added(LIST, elementTime(valuesOf(filter)?.operand ?? filter)) }
    }
  }
}

function isInColumn(path: AttributePath, type: ListPart['type']): boolean {
  return /\.(?:id|created_at|last_modified|version)\b|^'/.test(COLUMNS[type][pathText(path)] ?? '')
}

/** The tests of one element, or of one group or member. */
function elementTime(filter: Filter): Time {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.operands.map(elementTime).reduce(added, NO_TIME)
    case 'not':
      return elementTime(filter.operand)
    case 'never':
      return NO_TIME
    case 'valuePath':
      return elementTime(filter.operand)
    default:
      return testTime(filter, ELEMENT)
  }
}

function testTime(filter: Filter, time: Time): Time {
  if (filter.kind !== 'comparison') return time
  if (filter.operator === 'ew') return added(time, ENDING)
  if (filter.operator !== 'co') return time
  const bytes = new TextEncoder().encode(String(filter.key)).length
  return [time, SUBSTRING, { row: SUBSTRING_BYTE.row * bytes, block: SUBSTRING_BYTE.block * bytes }].reduce(
    added,
  )
}

/** What a condition on groups or members costs: see groupsOfUsers, groupsOfUser and membersOfGroups in columns.ts. */
function referenceWork(filter: Filter, type: ListPart['type'], isOfFew: boolean): ScanTime {
  if (isMembershipOfKnown(filter, type)) return NOTHING
  const operand = valuesOf(filter)?.operand
  if (operand === undefined) return { ...NOTHING, own: { row: MEMBERSHIP, block: 0 } }
  const test = elementTime(operand)
  const read = added(READ, test)
  if (type === 'Group') {
    return mentions(operand, 'display')
      ? { ...NOTHING, users: read, groups: read, memberships: SCANNED_MEMBERSHIP }
      : { ...NOTHING, memberships: SCANNED_MEMBERSHIP + test.row * MEMBERSHIP_TEST }
  }
  if (isOfFew) return { ...NOTHING, ownGroups: read, steps: STEP }
  if (!mentions(operand, 'type')) return { ...NOTHING, groups: read, reached: [{ filter, read }] }
  // Who is below a group is found first, and then each of them goes up again until there is one that it is not in.
  const isWalked = isPossible(operand, 'indirect')
  return {
    ...NOTHING,
    groups: read,
    memberships: isWalked ? 2 * MEMBERSHIP + STEP : MEMBERSHIP,
    steps: isWalked ? STEP : 0,
  }
}

function sortWork(path: AttributePath, type: ListPart['type']): ScanTime {
  const { steps } = path
  const multiple = steps.findIndex(({ multiValued }) => multiValued)
  const name = steps[multiple]?.name
  if (name === (type === 'User' ? 'groups' : 'members')) {
    const other = target(path).name === 'display' ? READ : NO_TIME
    return { ...NOTHING, own: added(SORT, { row: MEMBERSHIP * 2, block: 0 }), other }
  }
  if (multiple < 0) return { ...NOTHING, own: added(SORT, isInColumn(path, type) ? COLUMN : VALUE) }
  // The value, and whether it is the primary one.
  return { ...NOTHING, own: [SORT, LIST, ELEMENT, ELEMENT].reduce(added) }
}

function added(a: Time, b: Time): Time {
  return { row: a.row + b.row, block: a.block + b.block }
}

function sum(works: readonly ScanTime[]): ScanTime {
  return works.reduce(
    (a, b) => ({
      own: added(a.own, b.own),
      users: added(a.users, b.users),
      groups: added(a.groups, b.groups),
      memberships: a.memberships + b.memberships,
      reached: [...a.reached, ...b.reached],
      steps: a.steps + b.steps,
      ownGroups: added(a.ownGroups, b.ownGroups),
      other: added(a.other, b.other),
    }),
    NOTHING,
  )
}

/** What an index finds, in the words of a filter. */
const INDEXED_TESTS: Readonly<Record<ListPart['type'], string>> = {
  User: 'userName, id, externalId, displayName and nativeObjectId with eq or sw, groups.value with eq, meta.lastModified',
  Group: 'displayName, id, externalId and nativeObjectId with eq or sw, members.value with eq',
}

/** What an index has in order. */
const INDEXED_ORDERS: Readonly<Record<ListPart['type'], string>> = {
  User: 'userName, id or meta.lastModified',
  Group: 'displayName or id',
}

function tooMany(scans: readonly ListPart[], milliseconds: number, isMixed: boolean) {
  const names = scans.flatMap(({ type, filter, sort }) => [
    ...(filter === undefined ? [] : leavesOf(filter).flatMap((leaf) => namesOf(leaf, type))),
    ...(sort?.path === undefined || hasIndexedOrder(sort, type, isMixed)
      ? []
      : [`sortBy ${pathText(sort.path)}`]),
  ])
  const types = [...new Set(scans.map(({ type }) => type))]
  const indexed = types.map((type) => INDEXED_TESTS[type]).join('; ')
  const isSortNamed = names.some((name) => name.startsWith('sortBy '))
  const isOneOrder = isSortNamed && !isMixed
  const wayOut = [
    `narrow the filter with "and" by what an index finds (${indexed})`,
    isOneOrder ? `sort by ${types.map((type) => INDEXED_ORDERS[type]).join('; ')}` : 'make fewer comparisons',
  ].join(', or ')
  return badRequest(
    'tooMany',
    `no index answers ${names.length === 0 ? 'so many alternatives' : quotedNames([...new Set(names)])}, and to look through the directory would take about ${Math.ceil(milliseconds)} ms where ${MAX_SCAN_MILLISECONDS} are allowed: ${wayOut}`,
  )
}

const MAX_NAMED = 5

function quotedNames(names: readonly string[]): string {
  const more = names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : ''
  return `${names
    .slice(0, MAX_NAMED)
    .map((name) => `"${name}"`)
    .join(', ')}${more}`
}

/** The tests that no index answers, each as a path and an operator. */
function namesOf(leaf: Filter, type: ListPart['type']): readonly string[] {
  return isIndexedTest(leaf, type) ? [] : testsIn(leaf)
}

function testsIn(filter: Filter): readonly string[] {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.operands.flatMap(testsIn)
    case 'not':
      return testsIn(filter.operand).map((name) => `not ${name}`)
    case 'comparison':
      return [`${pathText(filter.path)} ${filter.operator}`]
    case 'present':
      return [`${pathText(filter.path)} pr`]
    case 'valuePath':
      return [pathText(filter.path)]
    default:
      return []
  }
}
