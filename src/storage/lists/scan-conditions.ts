/**
 * What an index finds of a list, and in which order, as far as the definitions of the tables tell.
 */
import { type AttributePath, pathText, target } from '../../scim/attribute-path.ts'
import type { Filter } from '../../scim/filter/ast.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'
import { columnOf, isLookedUp, isLookup, isMembershipOfKnown, isRange } from './columns.ts'
import { isOfSets, isValueScan, type ScannedTest } from './index-scans.ts'
import type { ListPart, Sought } from './list-request.ts'
import { valueTestsOf } from './value-lookups.ts'

/** True if an index has the resources in the requested order. No index has several types in one order. */
export function hasIndexedOrder(sort: ListPart['sort'], type: StoredResourceType, isMixed = false): boolean {
  if (sort?.path === undefined) return true
  const index = columnOf(sort.path, type)?.index
  return !isMixed && (index === 'order' || index === 'time')
}

/** The number of index ranges that are cheap to test, whatever they find. */
const MOST_RANGES = 4

/** True for tests of one column, such as the limits of a period: they read only what they find. */
export function isOneRange(filter: Filter, type: StoredResourceType): boolean {
  const leaves = leavesOf(filter)
  const columns = leaves.map((leaf) => ('path' in leaf ? columnOf(leaf.path, type) : undefined))
  return (
    isConjunction(filter) &&
    leaves.length <= MOST_RANGES &&
    leaves.every((leaf) => isRange(leaf, type)) &&
    new Set(columns).size === 1
  )
}

/** The attribute of a filter of which isOneRange is true. */
export function rangeOf(filter: Filter): AttributePath | undefined {
  const [leaf] = leavesOf(filter)
  return leaf !== undefined && 'path' in leaf ? leaf.path : undefined
}

/** True if the matches of one range are put in an order without reading their documents: that of the range, or of the ids. */
export function isInOrderOfRange(filter: Filter, sort: ListPart['sort']): boolean {
  if (sort?.path === undefined) return true
  const path = pathText(sort.path)
  const range = rangeOf(filter)
  return path === 'id' || (range !== undefined && path === pathText(range))
}

export function isIndexedTest(leaf: Filter, type: StoredResourceType): boolean {
  return (
    leaf.kind === 'never' || isMembershipOfKnown(leaf, type) || isRange(leaf, type) || isLookedUp(leaf, type)
  )
}

function isConjunction(filter: Filter): boolean {
  return (
    filter.kind !== 'or' &&
    (filter.kind !== 'and' || filter.operands.every((operand) => operand.kind !== 'or'))
  )
}

/** The tests of a filter. No index finds a negated test, so `not` is one test as a whole. */
export function leavesOf(filter: Filter): readonly Filter[] {
  return filter.kind === 'and' || filter.kind === 'or' ? filter.operands.flatMap(leavesOf) : [filter]
}

/**
 * Conditions by which an index finds all candidates: alternatives, or ranges, one of which SQLite chooses. Undefined
 * if every resource is a candidate.
 */
export function candidatesOf(sought: Sought): readonly Filter[] | undefined {
  const { type, filter, isScanned } = sought
  if (isScanned || filter === undefined) return undefined
  return leadIn(filter, type)?.candidates ?? (isForSets(sought) ? undefined : scannedIn(filter, type))
}

/**
 * The alternatives by which an index finds all candidates, each of them with the tests that are joined to it by "and". Undefined
 * if the candidates are found in another way.
 */
export function leadingAlternatives({ type, filter, isScanned }: Sought): readonly Filter[] | undefined {
  const lead = isScanned || filter === undefined ? undefined : leadIn(filter, type)
  return lead?.filter.kind === 'or' ? lead.filter.operands : undefined
}

/**
 * Sets have the order of ids. In any other, the resources that match are read. If candidates are most of the directory, a
 * scan of the documents reads fewer rows.
 */
function isForSets({ type, filter, sort, isScanned }: Sought): boolean {
  return filter !== undefined && !isScanned && sort?.path === undefined && isOfSets(filter, type)
}

/** Candidates that an index finds if all of its values are looked at: see index-scans.ts. */
function scannedIn(filter: Filter, type: StoredResourceType): readonly Filter[] | undefined {
  const operands = filter.kind === 'and' ? filter.operands : [filter]
  const found = operands.find((operand) => leavesOf(operand).every((leaf) => isScannedTest(leaf, type)))
  return found?.kind === 'or' ? found.operands : found && [found]
}

/** True for a test that finds candidates in an index if all of its values are looked at. */
export function isScannedTest(leaf: Filter, type: StoredResourceType): leaf is ScannedTest {
  return !isIndexedTest(leaf, type) && isValueScan(leaf, type)
}

/** True if sets of resources that are found in indexes answer the whole filter, and no candidates are read. */
export function isBySets(sought: Sought): sought is Sought & { readonly filter: Filter } {
  return candidatesOf(sought) === undefined && isForSets(sought)
}

/** True if the documents of all resources are looked through. */
export function isDocumentScan(sought: Sought): boolean {
  return candidatesOf(sought) === undefined && !isBySets(sought)
}

/** The part of a filter that leads to the candidates. */
interface Lead {
  /** One test, or alternatives. */
  readonly filter: Filter
  readonly candidates: readonly Filter[]
}

function leadIn(filter: Filter, type: StoredResourceType): Lead | undefined {
  if (filter.kind === 'or') {
    const leads = filter.operands.map((operand) => leadIn(operand, type))
    if (leads.includes(undefined)) return undefined
    const candidates = leads.flatMap((lead) => lead?.candidates ?? [])
    if (leavesOf(filter).every((leaf) => isIndexedTest(leaf, type)))
      return { filter, candidates: filter.operands }
    return candidates.every((one) => isOfFew(one, type)) ? { filter, candidates } : undefined
  }
  if (filter.kind !== 'and') return isIndexedTest(filter, type) ? { filter, candidates: [filter] } : undefined
  const found = filter.operands.flatMap((operand) => {
    const lead = leadIn(operand, type)
    return lead === undefined ? [] : [{ operand, lead }]
  })
  const values = found.filter(({ operand }) => isLookup(operand, type))
  const value = values.find(({ operand }) => isOfOne(operand)) ?? values[0]
  if (value !== undefined) return value.lead
  // Many users may be inactive, created in a period, or have a prefix.
  const first =
    found.find(({ operand }) => isOfValues(operand, type)) ??
    found.find(({ operand }) => !isLookedUp(operand, type)) ??
    found[0]
  if (first === undefined) return undefined
  if (isOfValues(first.operand, type)) return first.lead
  const ranges = found.filter(({ operand }) => isRange(operand, type)).map(({ operand }) => operand)
  return ranges.length > 1 ? { filter, candidates: ranges } : first.lead
}

/** True if the candidates may be most of the directory: users who are inactive, or created since then. */
export function mayFindMost(sought: Sought): boolean {
  const { type } = sought
  const isOfMembers = (one: Filter) => isMembershipOfKnown(one, type)
  const candidates = candidatesOf(sought) ?? []
  if (candidates.some((one) => !isOfFew(one, type))) return true
  // The members of several groups, tested for each of them.
  return (
    leadingAlternatives(sought)?.some(({ kind }) => kind === 'and') === true && candidates.some(isOfMembers)
  )
}

/** True for a test that names what few resources have. */
function isOfFew(test: Filter, type: StoredResourceType): boolean {
  return isLookup(test, type) || isMembershipOfKnown(test, type)
}

/** True for look-ups of values each of which most users do not have. */
function isOfValues(filter: Filter, type: StoredResourceType): boolean {
  const tests = valueTestsOf(filter, type)
  return tests?.every(({ attribute, operator }) => operator === 'eq' && attribute.only === undefined) ?? false
}

/** True for a test that at most one resource meets. */
export function isOfOne(filter: Filter): boolean {
  return (
    filter.kind === 'comparison' && filter.operator === 'eq' && target(filter.path).uniqueness === 'server'
  )
}
