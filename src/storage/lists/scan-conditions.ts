/**
 * What an index finds of a list, and in which order: what of the tables is known before anything is read.
 */
import { target } from '../../scim/attribute-path.ts'
import type { Filter } from '../../scim/filter/ast.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'
import { columnOf, isLookup, isMembershipOfKnown, isRange } from './columns.ts'
import type { ListPart } from './list-request.ts'

/** True when an index has what is listed in the order that is asked for. No index has several types in one order. */
export function hasIndexedOrder(sort: ListPart['sort'], type: StoredResourceType, isMixed = false): boolean {
  if (sort?.path === undefined) return true
  const index = columnOf(sort.path, type)?.index
  return !isMixed && (index === 'order' || index === 'time')
}

/** So many ranges of an index cost little to test, whatever they find. */
const MOST_RANGES = 4

/** True of tests of one column, such as those of a span of time: all that they look at is what they find. */
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

export function isIndexedTest(leaf: Filter, type: StoredResourceType): boolean {
  return leaf.kind === 'never' || isMembershipOfKnown(leaf, type) || isRange(leaf, type)
}

function isConjunction(filter: Filter): boolean {
  return (
    filter.kind !== 'or' &&
    (filter.kind !== 'and' || filter.operands.every((operand) => operand.kind !== 'or'))
  )
}

/** The tests of a filter; a negated one is none that an index finds, so `not` is one as a whole. */
export function leavesOf(filter: Filter): readonly Filter[] {
  return filter.kind === 'and' || filter.kind === 'or' ? filter.operands.flatMap(leavesOf) : [filter]
}

/**
 * Conditions by which an index finds all that may match: alternatives, or ranges of which SQLite takes one, we do not know
 * which. Undefined when everything may match.
 */
export function candidatesOf(
  filter: Filter | undefined,
  type: StoredResourceType,
): readonly Filter[] | undefined {
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

/** True of a test that one resource meets at most. */
export function isOfOne(filter: Filter): boolean {
  return (
    filter.kind === 'comparison' && filter.operator === 'eq' && target(filter.path).uniqueness === 'server'
  )
}
