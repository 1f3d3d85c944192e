/**
 * Tests that the values in an index answer if all of them are looked at, such as `displayName co "x"`: no resource is read
 * for them. Each test is a set of resources, and a filter of such tests is decided by the sets that a resource is in.
 */
import { pathText } from '../../scim/attribute-path.ts'
import type { Filter } from '../../scim/filter/ast.ts'
import { type Alternatives, type ColumnMap, compileFilter, type Lookup } from '../../scim/filter/compile.ts'
import { valuesOf } from '../../scim/filter/simplify.ts'
import { constant, fragment, type SqlFragment } from '../../scim/filter/sql-fragment.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'
import { MAX_VALUE_BYTES, type ValueAttribute } from '../tables/user-values.ts'
import { columnOf, isRange } from './columns.ts'
import { exactIdsOf, isTestOfValues } from './value-lookups.ts'

/** The most tests of a filter that are answered in this way. Beyond it, they would take longer than the documents. */
const MOST_SETS = 8

export type ScannedTest = Extract<Filter, { kind: 'comparison' | 'present' | 'valuePath' }>

/** The resources that meet a test, as rows of an index. */
export interface IndexSet {
  /** `id` or `rowid`, by which a resource is found. */
  readonly key: 'id' | 'rowid'
  /** The key in a row of `rows`. */
  readonly found: SqlFragment
  /** The rows after FROM, with the conditions that the index itself answers. */
  readonly rows: SqlFragment
  /** Whether the value of a row meets the test. Undefined if all rows do. */
  readonly test: SqlFragment | undefined
  /** Whether the value is long: then it may be stored in part, and takes longer to test. */
  readonly isLong: SqlFragment
  /** The same test of a row with a long value. */
  readonly longTest: SqlFragment
  /** The bytes of documents that `longTest` reads. */
  readonly longBytes: SqlFragment
  /** Whether these documents have a list of them. */
  readonly isOfElements: boolean
  /** Whether the resources in the set are those that do not meet the test. */
  readonly isNegated: boolean
}

/**
 * True if sets answer the whole filter. Those that an index answers without looking at all of its values are no exception:
 * they may find most of the directory.
 */
export function isOfSets(filter: Filter, type: StoredResourceType): boolean {
  const tests = testsOf(filter)
  return tests.length <= MOST_SETS && tests.every((test) => isId(test) || isInSets(test, type))
}

/** True if resources match that are in no set. */
export function hasNegation(filter: Filter): boolean {
  if (filter.kind === 'and' || filter.kind === 'or') return filter.operands.some(hasNegation)
  return filter.kind === 'not' || ('path' in filter && (isNegatedTest(filter) || isId(filter)))
}

/** The tests with a set, wherever they are in the filter. */
export function testsInSets(filter: Filter): readonly ScannedTest[] {
  return testsOf(filter).filter((test) => !isId(test))
}

/** True for a test that finds candidates: it is met by the resources in a set and no others. */
export function isValueScan(filter: Filter, type: StoredResourceType): filter is ScannedTest {
  if (filter.kind !== 'comparison' && filter.kind !== 'present' && filter.kind !== 'valuePath') return false
  return !isNegatedTest(filter) && (isInSets(filter, type) || elementTestOf(filter, type) !== undefined)
}

function testsOf(filter: Filter): readonly ScannedTest[] {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.operands.flatMap(testsOf)
    case 'not':
      return testsOf(filter.operand)
    case 'never':
      return []
    default:
      return [filter]
  }
}

/** Ids are in the index in which the sets are looked up. */
function isId(test: ScannedTest): boolean {
  return test.kind !== 'valuePath' && pathText(test.path) === 'id'
}

function isInSets(test: ScannedTest, type: StoredResourceType): boolean {
  if (valuesOf(test) !== undefined) return wholeElementTestOf(test, type) !== undefined
  if (test.kind === 'valuePath') return false
  const attribute = type.table.values?.[pathText(test.path)]
  if (attribute !== undefined) return attribute.only === undefined || isOfOnly(test, attribute)
  return !isId(test) && columnOf(test.path, type)?.index !== undefined
}

/** True for a test whether a value is the only one that has rows. */
function isOfOnly(test: ScannedTest, { only }: ValueAttribute): boolean {
  return test.kind === 'comparison' && (test.operator === 'eq' || test.operator === 'ne') && test.key === only
}

/** `ne` is true for a missing value, so a set of those that are equal answers it. */
function isNegatedTest(test: ScannedTest): boolean {
  return test.kind === 'comparison' && test.operator === 'ne'
}

/** A test of the values of a multi-valued attribute, and the attribute. */
interface ElementTest {
  readonly attribute: ValueAttribute
  readonly operand: Filter
}

/** The test of an element, if it tests nothing but values that are there: an element without a value has no row. */
function wholeElementTestOf(test: ScannedTest, type: StoredResourceType): ElementTest | undefined {
  const found = elementOf(test, type)
  return found !== undefined && isOfPresentValue(found.operand) ? found : undefined
}

/** Of the tests of an element that are joined by "and", those of its value. */
function elementTestOf(test: ScannedTest, type: StoredResourceType): ElementTest | undefined {
  const found = elementOf(test, type)
  if (found === undefined) return undefined
  const { attribute, operand } = found
  const operands = operand.kind === 'and' ? operand.operands : [operand]
  const ofValue = operands.filter(isOfPresentValue)
  return ofValue.length === 0 ? undefined : { attribute, operand: { kind: 'and', operands: ofValue } }
}

function elementOf(test: ScannedTest, type: StoredResourceType): ElementTest | undefined {
  const values = valuesOf(test)
  const attribute = values && type.table.values?.[`${pathText(values.path)}.value`]
  return values && attribute && { attribute, operand: values.operand }
}

function isOfPresentValue(filter: Filter): boolean {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.operands.every(isOfPresentValue)
    case 'comparison':
      return filter.operator !== 'ne' && isTestOfValues(filter.path)
    case 'present':
      return isTestOfValues(filter.path)
    default:
      return false
  }
}

/** @param test one of `testsInSets`, or a value scan */
export function setOf(test: ScannedTest, type: StoredResourceType, tenantId: string): IndexSet {
  const positive: ScannedTest =
    isNegatedTest(test) && test.kind === 'comparison' ? { ...test, operator: 'eq' } : test
  const isNegated = positive !== test
  const element = elementTestOf(positive, type)
  if (element !== undefined)
    return {
      ...setOfValues(element.attribute, { test: positive, row: element.operand, type, tenantId }),
      isNegated,
    }
  const attribute = positive.kind === 'valuePath' ? undefined : type.table.values?.[pathText(positive.path)]
  if (attribute !== undefined)
    return { ...setOfValues(attribute, { test: positive, row: positive, type, tenantId }), isNegated }
  return { ...setOfColumn(positive, type, tenantId), isNegated }
}

interface SoughtValues {
  readonly test: ScannedTest
  /** The test of one row. */
  readonly row: Filter
  readonly type: StoredResourceType
  readonly tenantId: string
}

const VALUE = 'CAST(user_values.value AS TEXT)'

function setOfValues(
  { number }: ValueAttribute,
  { test, row, type, tenantId }: SoughtValues,
): Omit<IndexSet, 'isNegated'> {
  const found = constant('user_values.user_id')
  const isLong = constant(`octet_length(user_values.value) >= ${MAX_VALUE_BYTES}`)
  const ids = exactIdsOf(test, type, tenantId)
  if (ids !== undefined) {
    return {
      key: 'id',
      found: constant('equal.id'),
      rows: fragment`(${ids}) AS equal WHERE 1`,
      test: undefined,
      isLong: constant('0'),
      longTest: constant('1'),
      longBytes: constant('0'),
      isOfElements: false,
    }
  }
  const table = constant(type.table.name)
  const document = fragment`FROM ${table} AS long WHERE long.tenant_id = ${tenantId} AND long.id = user_values.user_id`
  return {
    key: 'id',
    found,
    rows: fragment`user_values WHERE user_values.tenant_id = ${tenantId}
      AND user_values.attribute = ${constant(String(number))}`,
    test: compileRow(row, VALUE),
    isLong,
    longTest: fragment`EXISTS (SELECT 1 ${document} AND ${compileFilter(test, inDocument('long.keys'))})`,
    longBytes: fragment`(SELECT octet_length(long.data) + octet_length(long.keys) ${document})`,
    isOfElements: valuesOf(test) !== undefined,
  }
}

/** A column is never cut. A partial index is used if its values are known to be there. */
function setOfColumn(
  test: ScannedTest,
  type: StoredResourceType,
  tenantId: string,
): Omit<IndexSet, 'isNegated'> {
  const { name } = type.table
  const column = columnOf(test.path, type)?.sql.replace(`${name}.`, 'one.') ?? 'NULL'
  const tested = compileRow(test, column)
  const rows = fragment`${constant(name)} AS one WHERE one.tenant_id = ${tenantId}`
  const isOfRange = isRange(test, type)
  return {
    key: 'rowid',
    found: constant('one.rowid'),
    rows: isOfRange ? fragment`${rows} AND ${tested}` : fragment`${rows} AND ${constant(column)} IS NOT NULL`,
    test: isOfRange ? undefined : tested,
    isLong: constant(`octet_length(${column}) > ${MAX_VALUE_BYTES}`),
    longTest: tested,
    // As much in each of the two documents.
    longBytes: constant(`2 * octet_length(${column})`),
    isOfElements: false,
  }
}

/** Compiles a test of one value, whatever the path of its attribute is. */
function compileRow(row: Filter, sql: string): SqlFragment {
  const paths = testsOf(row).map(({ path }) => pathText(path))
  return compileFilter(row, {
    ...inDocument('NULL'),
    columns: Object.fromEntries(paths.map((path) => [path, { sql }])),
  })
}

function inDocument(document: string): ColumnMap {
  return { document, columns: {}, rows: {}, alternatives: NO_ALTERNATIVES }
}

const NO_ALTERNATIVES: Alternatives = {
  haveDirectLookup: () => false,
  columnsOf: () => inDocument('NULL'),
  oneOf: () => constant('0'),
}

/**
 * The condition of resources that are in the set, for a walk through all of them. A plus sign keeps SQLite from looking up
 * each resource of the set instead, which takes longer if there are many.
 */
export function inSet(test: ScannedTest, type: StoredResourceType, tenantId: string): Lookup {
  const set = setOf(test, type, tenantId)
  const operator = constant(set.isNegated ? 'NOT IN' : 'IN')
  const resource = constant(`+${type.table.name}.${set.key}`)
  const found = fragment`SELECT ${set.found} FROM ${set.rows}${exactTestOf(set)}`
  return { condition: fragment`${resource} ${operator} (${found})`, isExact: true }
}

/** The ids of the resources that match, some of them more than once: a column, and the rows after FROM. */
export interface IdsInIndex {
  readonly id: SqlFragment
  readonly rows: SqlFragment
}

/**
 * The ids of the resources that match, if the filter is one set of ids: then no walk is needed.
 *
 * @param filter of which isBySets is true
 */
export function idsOfOnlySet(
  filter: Filter,
  type: StoredResourceType,
  tenantId: string,
): IdsInIndex | undefined {
  const [test] = testsInSets(filter)
  if (test === undefined || test !== filter) return undefined
  const set = setOf(test, type, tenantId)
  if (set.key !== 'id' || set.isNegated) return undefined
  return { id: set.found, rows: fragment`${set.rows}${exactTestOf(set)}` }
}

/** The rows of a set whose values meet the test. */
function exactTestOf({ test, isLong, longTest }: IndexSet): SqlFragment {
  return test === undefined
    ? fragment``
    : fragment` AND CASE WHEN ${isLong} THEN ${longTest} ELSE ${test} END`
}

/** The condition of resources that may be in the set, to look up each of them: those with a long value may not. */
export function maybeInSet(test: ScannedTest, type: StoredResourceType, tenantId: string): Lookup {
  const { key } = setOf(test, type, tenantId)
  const resource = constant(`${type.table.name}.${key}`)
  return { condition: fragment`${resource} IN (${rowsOfSet(test, type, tenantId)})`, isExact: false }
}

/** A subquery of the keys of these resources, some of them more than once. It reads no resource. */
export function rowsOfSet(test: ScannedTest, type: StoredResourceType, tenantId: string): SqlFragment {
  const { found, rows, test: short, isLong } = setOf(test, type, tenantId)
  const tested = short === undefined ? fragment`` : fragment` AND (${isLong} OR ${short})`
  return fragment`SELECT ${found} AS id FROM ${rows}${tested}`
}
