/**
 * The cost of scanning resources, from the filter and the order of a list alone. Times are nanoseconds, measured with
 * Node.js 24 and SQLite 3.53: for resources of up to 1 KiB in two documents (`row`), and for each further 4 KiB
 * (`block`, see SIZE in scan-counts.ts) in the worst case: texts of escapes only, or lists of short elements.
 */
import { type AttributePath, target } from '../../scim/attribute-path.ts'
import type { Filter } from '../../scim/filter/ast.ts'
import { mentions, valuesOf } from '../../scim/filter/simplify.ts'
import { hasMembers, showsGroups } from '../../scim/schema/resource-type.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'
import { columnOf, isLookedUp, isLookup, isMembershipOfKnown } from './columns.ts'
import type { ScannedTest } from './index-scans.ts'
import type { ListPart } from './list-request.ts'
import { isPossible } from './membership-columns.ts'
import { candidatesOf, isScannedTest, mayFindMost } from './scan-conditions.ts'

export interface Time {
  readonly row: number
  readonly block: number
}

/** Reads a resource and parses its comparison document. */
const READ: Time = { row: 1_000, block: 3_500 }
/** Takes a single value out of the parsed document and compares it. */
const VALUE: Time = { row: 120, block: 2_500 }
/** Reads a resource without parsing its document. */
const PASSED: Time = { row: 600, block: 2_000 }
/** The same, for large ones: of their pages, only the first one beyond the row itself takes as long as `PASSED` states. */
const LARGE_PASSED: Time = { row: 1_300, block: 1_500 }
/**
 * Searches the text of the document for a part of a value: see prefilter.ts. A document with 23 occurrences of almost the whole
 * part takes 600 ns longer.
 */
const SEARCHED: Time = { row: 300, block: 600 }
const LARGE_SEARCHED: Time = { row: 400, block: 260 }
/** Reads a column that is not part of the document: an id, a time or a version. */
const COLUMN: Time = { row: 30, block: 0 }
/** Iterates over a multi-valued attribute and tests each of its values: an object counts as 256 bytes. */
const LIST: Time = { row: 350, block: 2_000 }
const ELEMENT: Time = { row: 250, block: 1_900 }
/** Reads a value in an index and tests it: it has less than MAX_VALUE_BYTES, so the length hardly matters. */
const INDEXED_VALUE = 140
const FURTHER_TEST = 20
/** A byte of a list of short elements may cost as much as six other ones: each counts as 256 bytes, and has 56 in two documents. */
export const ELEMENTS = 6
/** How often candidates are looked for in an index: to count them, to measure them and their objects, and to read them. */
const CANDIDATE_SCANS = 4
/** The additional cost of "co" and "ew", which search within the value. */
const SUBSTRING: Time = { row: 100, block: 1_600 }
const ENDING: Time = { row: 100, block: 3_500 }
/**
 * The cost of each byte of the operand of "co": in the worst case, all but the last match at every place of a value.
 */
const SUBSTRING_BYTE: Time = { row: 3, block: 28 }
/** Measures the bytes of a resource, if the counters of the tenant are not sufficient: its documents are not read. */
export const MEASURE: Time = { row: 500, block: 0 }
/** Counts its objects as well, for which its documents are read. */
export const MEASURE_OBJECTS: Time = { row: 700, block: 3_600 }
/** Collects an id of a condition, counts it before, and looks up its resource. */
const COLLECTED_ID: Time = { row: 2_000, block: 0 }
/** Counts a resource in the range of an index before, and puts it into the order of the list. */
const IN_RANGE: Time = { row: 500, block: 0 }
/** Collects, measures and reads a member of a group. */
const COLLECTED: Time = { row: 1_200, block: 0 }
/** Reads a resource of the page with its groups, passes it to the thread that serves requests, and writes it there. */
export const SHOWN = 30_000
/** Sorts a row. */
const SORT: Time = { row: 800, block: 4_500 }
/** Collects a member of a group, or scans a membership of a tenant. */
export const MEMBERSHIP = 450
const SCANNED_MEMBERSHIP = 150
/** The relative cost of a test of an id or a type, which needs no document. */
const MEMBERSHIP_TEST = 0.4
/** A step upwards through nested groups. */
export const STEP = 700
/** The most blocks of one row: two documents of 1.8 MB together, in which an element takes 28 bytes. */
export const MOST_BLOCKS = 4_500

/**
 * Looks for one of several parts of values in the text of the document. No resource takes longer than either of the two
 * times, so neither do all of them together.
 */
export function searchTimes(parts: number): readonly [Time, Time] {
  const time = (passed: Time, { row, block }: Time) =>
    added(passed, { row: row * parts, block: block * parts })
  return [time(PASSED, SEARCHED), time(LARGE_PASSED, LARGE_SEARCHED)]
}

/** True if nothing but the listed resources is read. */
export function isOfOwnOnly(time: ScanTime): boolean {
  const { users, groups, memberships, left, scanned, reached, steps, ownGroups, other } = time
  const others = [users, groups, ownGroups, other].flatMap(({ row, block }) => [row, block])
  return ![...others, memberships, left, scanned.length, reached.length, steps].some(Boolean)
}

/** Searches for values in an extension with this number of attributes. */
export function valueSearchTime(attributes: number): Time {
  const each = { row: ELEMENT.row * attributes, block: ELEMENT.block }
  return [READ, LIST, each].reduce(added)
}

/** The cost of a list for each of several numbers that the database knows. */
export interface ScanTime {
  /** For each resource of the listed type. */
  readonly own: Time
  readonly users: Time
  readonly groups: Time
  readonly memberships: number
  /** For each membership that a deleted group has left: see ../resources/deleted-groups.ts. */
  readonly left: number
  /** Tests that look at all values of an index, of which a resource may have several. */
  readonly scanned: readonly Scanned[]
  /** Conditions on groups of which all members are read, and no other resources. */
  readonly reached: readonly Reached[]
  /** The time for each listed resource, multiplied by the number of memberships of groups in groups. */
  readonly steps: number
  /** For each resource and each group. */
  readonly ownGroups: Time
  /** For each resource, one resource of the other type, which may be the largest one. */
  readonly other: Time
}

export interface Scanned {
  readonly test: ScannedTest
  /** Nanoseconds for each row of the index. */
  readonly row: number
}

export interface Reached {
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
  left: 0,
  scanned: [],
  reached: [],
  steps: 0,
  ownGroups: NO_TIME,
  other: NO_TIME,
}

/** The cost of a part of a list for each row that it scans. */
export function workTimes(part: ListPart): ScanTime {
  const { type, filter, sort } = part
  const candidates = candidatesOf(part)
  const isCollected = candidates?.some(
    (one) => candidates.length > 1 || isLookedUp(one, type) || isScannedTest(one, type),
  )
  const scanned = (candidates ?? []).flatMap((test) =>
    isScannedTest(test, type) ? [scannedCandidates(test)] : [],
  )
  return sum([
    { ...NOTHING, own: READ },
    ...(isCollected ? [{ ...NOTHING, own: COLLECTED_ID }] : []),
    { ...NOTHING, scanned },
    ...(!isCollected && mayFindMost(part) ? [{ ...NOTHING, own: IN_RANGE }] : []),
    ...(candidates?.some((one) => isMembershipOfKnown(one, type)) ? [{ ...NOTHING, own: COLLECTED }] : []),
    ...(filter === undefined ? [] : [filterWork(filter, part)]),
    ...(sort?.path === undefined ? [] : [sortWork(sort.path, type)]),
  ])
}

/** @param part of which the filter is a test */
function filterWork(filter: Filter, part: ListPart): ScanTime {
  const { type } = part
  switch (filter.kind) {
    case 'and':
    case 'or':
      return sum(filter.operands.map((operand) => filterWork(operand, part)))
    case 'not':
      return filterWork(filter.operand, part)
    case 'never':
      return NOTHING
    default: {
      const { steps } = filter.path
      const multiple = steps.findIndex(({ multiValued }) => multiValued)
      // Only of the resource itself: an attribute of an extension may have the same name.
      const name = multiple === 0 ? steps[0].name : undefined
      if (name !== undefined && name === type.references) return referenceWork(filter, part)
      if (multiple < 0)
        return { ...NOTHING, own: testTime(filter, isInColumn(filter.path, type) ? COLUMN : VALUE) }
      return { ...NOTHING, own: added(LIST, elementTime(valuesOf(filter)?.operand ?? filter)) }
    }
  }
}

/** Candidates that a test finds in an index. */
export function scannedCandidates(test: ScannedTest): Scanned {
  return { test, row: CANDIDATE_SCANS * scannedValueTime(test) }
}

/** The time for each value of an index that a test looks through. */
export function scannedValueTime(test: ScannedTest): number {
  return INDEXED_VALUE + furtherTime(test)
}

/** For the tests beyond the first, and a nanosecond for each byte that is searched for. */
function furtherTime(filter: Filter): number {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.operands.reduce((sum, operand) => sum + FURTHER_TEST + furtherTime(operand), 0)
    case 'valuePath':
      return furtherTime(filter.operand)
    case 'comparison':
      return filter.operator === 'co' ? bytesOf(filter.key) : 0
    default:
      return 0
  }
}

function bytesOf(key: unknown): number {
  return new TextEncoder().encode(String(key)).length
}

function isInColumn(path: AttributePath, type: StoredResourceType): boolean {
  return columnOf(path, type)?.isPlain === true
}

/** The cost of the tests of one element, group or member. */
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
  const bytes = bytesOf(filter.key)
  return [time, SUBSTRING, { row: SUBSTRING_BYTE.row * bytes, block: SUBSTRING_BYTE.block * bytes }].reduce(
    added,
  )
}

/** The cost of a condition on groups or members: see membership-columns.ts. */
function referenceWork(filter: Filter, part: ListPart): ScanTime {
  const { type } = part
  if (isMembershipOfKnown(filter, type)) {
    // The members of a candidate are counted as such.
    const isCandidate = candidatesOf(part)?.includes(filter) === true
    return !isCandidate && showsGroups(type) ? { ...NOTHING, reached: [{ filter, read: NO_TIME }] } : NOTHING
  }
  const operand = valuesOf(filter)?.operand
  if (operand === undefined) return { ...NOTHING, own: { row: MEMBERSHIP, block: 0 }, left: MEMBERSHIP }
  const test = elementTime(operand)
  const read = added(READ, test)
  if (hasMembers(type)) {
    const isByName = mentions(operand, 'display')
    const memberships = SCANNED_MEMBERSHIP + (isByName ? 0 : test.row * MEMBERSHIP_TEST)
    return { ...NOTHING, ...(isByName && { users: read, groups: read }), memberships, left: memberships }
  }
  if (part.filter !== undefined && isLookup(part.filter, type))
    return { ...NOTHING, ownGroups: read, steps: STEP }
  if (!mentions(operand, 'type')) return { ...NOTHING, groups: read, reached: [{ filter, read }] }
  // The resources below a group are found first. Then each of them goes up again, until a group without it is found.
  const isWalked = isPossible(operand, 'indirect')
  return {
    ...NOTHING,
    groups: read,
    memberships: isWalked ? 2 * MEMBERSHIP + STEP : MEMBERSHIP,
    left: isWalked ? MEMBERSHIP : 0,
    steps: isWalked ? STEP : 0,
  }
}

function sortWork(path: AttributePath, type: StoredResourceType): ScanTime {
  const { steps } = path
  const multiple = steps.findIndex(({ multiValued }) => multiValued)
  const name = multiple === 0 ? steps[0].name : undefined
  if (name !== undefined && name === type.references) {
    const other = target(path).name === 'display' ? READ : NO_TIME
    return { ...NOTHING, own: added(SORT, { row: MEMBERSHIP * 2, block: 0 }), left: MEMBERSHIP, other }
  }
  if (multiple < 0) return { ...NOTHING, own: added(SORT, isInColumn(path, type) ? COLUMN : VALUE) }
  // The value, and whether it is the primary one.
  return { ...NOTHING, own: [SORT, LIST, ELEMENT, ELEMENT].reduce(added) }
}

export function added(a: Time, b: Time): Time {
  return { row: a.row + b.row, block: a.block + b.block }
}

function sum(works: readonly ScanTime[]): ScanTime {
  return works.reduce(
    (a, b) => ({
      own: added(a.own, b.own),
      users: added(a.users, b.users),
      groups: added(a.groups, b.groups),
      memberships: a.memberships + b.memberships,
      left: a.left + b.left,
      scanned: [...a.scanned, ...b.scanned],
      reached: [...a.reached, ...b.reached],
      steps: a.steps + b.steps,
      ownGroups: added(a.ownGroups, b.ownGroups),
      other: added(a.other, b.other),
    }),
    NOTHING,
  )
}
