/**
 * The message for a list that would cost too much: the tests without an index, and those with one.
 */
import { pathText } from '../../scim/attribute-path.ts'
import { badRequest, type ScimError } from '../../scim/error.ts'
import type { Filter } from '../../scim/filter/ast.ts'
import type { ColumnIndex, StoredResourceType } from '../tables/resource-tables.ts'
import { isOfSets } from './index-scans.ts'
import type { ListPart } from './list-request.ts'
import { hasIndexedOrder, isBySets, isIndexedTest, isScannedTest, leavesOf } from './scan-conditions.ts'

/** In nanoseconds. */
interface Estimate {
  readonly found: number
  readonly limit: number
}

interface Refused {
  /** Whether the list has several types. */
  readonly isMixed: boolean
  /** Whether a smaller page could be read. */
  readonly isForPage: boolean
}

/** @param scans the parts without an index */
export function tooMany(
  scans: readonly ListPart[],
  { found, limit }: Estimate,
  { isMixed, isForPage }: Refused,
): ScimError {
  const leaves = scans.flatMap(({ type, filter }) =>
    filter === undefined ? [] : leavesOf(filter).map((leaf) => ({ leaf, type })),
  )
  const tests = leaves.filter(({ leaf, type }) => !isIndexedTest(leaf, type))
  const isOfValues = ({ leaf, type }: (typeof tests)[number]) => isTestOfIndexedValues(leaf, type)
  const byValues = tests.filter(isOfValues).flatMap(({ leaf }) => testsIn(leaf))
  const sorts = scans.flatMap(({ type, sort }) =>
    sort?.path === undefined || hasIndexedOrder(sort, type, isMixed) ? [] : [`sortBy ${pathText(sort.path)}`],
  )
  const byNone = [...tests.filter((test) => !isOfValues(test)).flatMap(({ leaf }) => testsIn(leaf)), ...sorts]
  const types = [...new Set(scans.map(({ type }) => type))]
  const indexed = types.map(indexedTests).join('; ')
  const isOneOrder = sorts.length > 0 && !isMixed
  const wayOut = [
    `narrow the filter with "and" by what an index finds (${indexed})`,
    ...(isForPage ? ['ask for fewer resources with "count"'] : []),
    isOneOrder ? `sort by ${types.map(indexedOrders).join('; ')}` : 'make fewer comparisons',
  ].join(', or ')
  const reasons = [
    ...(byNone.length === 0 ? [] : [`no index answers ${quotedNames(byNone)}`]),
    ...(byValues.length === 0
      ? []
      : [`an index answers ${quotedNames(byValues)} only if all of its values are looked at`]),
    ...(byNone.length + byValues.length === 0 ? ['indexes find most of the directory'] : []),
  ]
  const scan = scans.every(isBySets) ? 'that' : 'to look through the directory'
  return badRequest(
    'tooMany',
    `${reasons.join(', and ')}, and ${scan} would take about ${Math.ceil(found / 1e6)} ms where ${limit / 1e6} are allowed: ${wayOut}`,
  )
}

/** True if the values in an index answer the test without the resources, wherever it is in a filter: see index-scans.ts. */
function isTestOfIndexedValues(leaf: Filter, type: StoredResourceType): boolean {
  return isOfSets(leaf, type) || isScannedTest(leaf, type)
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

function quotedNames(all: readonly string[]): string {
  const names = [...new Set(all)]
  const more = names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : ''
  return `${names
    .slice(0, MAX_NAMED)
    .map((name) => `"${name}"`)
    .join(', ')}${more}`
}

/** The tests in a filter, each as a path and an operator. */
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
