/**
 * The message for a list that would cost too much: the tests without an index, and those with one.
 */
import { pathText } from '../../scim/attribute-path.ts'
import { badRequest, type ScimError } from '../../scim/error.ts'
import type { Filter } from '../../scim/filter/ast.ts'
import { MAX_SCAN_MILLISECONDS } from '../../scim/limits.ts'
import type { ColumnIndex, StoredResourceType } from '../tables/resource-tables.ts'
import type { ListPart } from './list-request.ts'
import { hasIndexedOrder, isIndexedTest, leavesOf } from './scan-conditions.ts'

interface Refused {
  /** Whether the list has several types. */
  readonly isMixed: boolean
  /** Whether a smaller page could be read. */
  readonly isForPage: boolean
}

/** @param scans the parts without an index */
export function tooMany(
  scans: readonly ListPart[],
  milliseconds: number,
  { isMixed, isForPage }: Refused,
): ScimError {
  const names = scans.flatMap(({ type, filter, sort }) => [
    ...(filter === undefined ? [] : leavesOf(filter).flatMap((leaf) => namesOf(leaf, type))),
    ...(sort?.path === undefined || hasIndexedOrder(sort, type, isMixed)
      ? []
      : [`sortBy ${pathText(sort.path)}`]),
  ])
  const types = [...new Set(scans.map(({ type }) => type))]
  const indexed = types.map(indexedTests).join('; ')
  const isSortNamed = names.some((name) => name.startsWith('sortBy '))
  const isOneOrder = isSortNamed && !isMixed
  const wayOut = [
    `narrow the filter with "and" by what an index finds (${indexed})`,
    ...(isForPage ? ['ask for fewer resources with "count"'] : []),
    isOneOrder ? `sort by ${types.map(indexedOrders).join('; ')}` : 'make fewer comparisons',
  ].join(', or ')
  return badRequest(
    'tooMany',
    `${names.length === 0 ? 'indexes find most of the directory' : `no index answers ${quotedNames([...new Set(names)])}`}, and to look through the directory would take about ${Math.ceil(milliseconds)} ms where ${MAX_SCAN_MILLISECONDS} are allowed: ${wayOut}`,
  )
}

/** The tests that an index answers, in the syntax of a filter. */
export function indexedTests(type: StoredResourceType): string {
  const lookedUp = Object.entries(type.table.values ?? {})
  const texts = lookedUp.flatMap(([path, { only }]) => (only === undefined ? [shortName(path)] : []))
  const values = `${inWords([...namesWith(type, ['value', 'order']), ...texts], 'and')} with eq or sw`
  const single = lookedUp.flatMap(([path, { only }]) =>
    only === undefined ? [] : [`${path} with eq ${only}`],
  )
  const created = lookedUp.length > 0 ? ['meta.created'] : []
  const members = type.references === undefined ? [] : [`${type.references}.value with eq`]
  const ranges = namesWith(type, ['range'])
  const own = ranges.length === 0 ? [] : [`${inWords(ranges, 'and')} with eq, sw, gt, ge, lt or le`]
  return [values, ...single, ...members, ...created, ...namesWith(type, ['time']), ...own].join(', ')
}

/** The attributes that an index has in order. */
function indexedOrders(type: StoredResourceType): string {
  return inWords(namesWith(type, ['order', 'time']), 'or')
}

/** The names of attributes with such an index: names of resources first, then ids. */
function namesWith(
  { table, nameAttribute }: StoredResourceType,
  indexes: readonly ColumnIndex[],
): readonly string[] {
  const paths = Object.entries(table.columns).flatMap(([path, { index }]) =>
    index !== undefined && indexes.includes(index) ? [path] : [],
  )
  const isName = (path: string) => path === nameAttribute
  // For an attribute of an extension, its name without the URN is sufficient.
  return [...paths.filter(isName), ...paths.filter((path) => !isName(path))].map(shortName)
}

function shortName(path: string): string {
  return path.startsWith('urn:') ? path.slice(path.lastIndexOf(':') + 1) : path
}

/** "a, b and c". */
function inWords(names: readonly string[], conjunction: 'and' | 'or'): string {
  const [last, ...others] = names.toReversed()
  return others.length === 0 ? (last ?? '') : `${others.toReversed().join(', ')} ${conjunction} ${last}`
}

const MAX_NAMED = 5

function quotedNames(names: readonly string[]): string {
  const more = names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : ''
  return `${names
    .slice(0, MAX_NAMED)
    .map((name) => `"${name}"`)
    .join(', ')}${more}`
}

/** The tests without an index, each as a path and an operator. */
function namesOf(leaf: Filter, type: StoredResourceType): readonly string[] {
  return isIndexedTest(leaf, type) ? [] : testsIn(leaf)
}

export function testsIn(filter: Filter): readonly string[] {
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
