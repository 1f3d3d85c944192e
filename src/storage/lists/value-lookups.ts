/**
 * Look-ups in `user_values`, the values of users that filters find without reading users: e-mail addresses, names and
 * others, and users by the time of their creation, which their ids tell. A value path, such as
 * `emails[type eq "work" and value eq "x"]`, is looked up by its value.
 */
import { type AttributePath, pathText } from '../../scim/attribute-path.ts'
import type { Filter } from '../../scim/filter/ast.ts'
import type { Lookup } from '../../scim/filter/compile.ts'
import { valuesOf } from '../../scim/filter/simplify.ts'
import { constant, fragment, type SqlFragment } from '../../scim/filter/sql-fragment.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'
import {
  CREATED_TOLERANCE_MS,
  MAX_VALUE_BYTES,
  OTHERWISE_CREATED,
  type ValueAttribute,
} from '../tables/user-values.ts'
import { union } from './membership-columns.ts'

/** A test that the table answers. */
export interface ValueTest {
  readonly attribute: ValueAttribute
  readonly operator: 'eq' | 'sw'
  readonly key: string
}

type Comparison = Extract<Filter, { kind: 'comparison' }>

/** The tests of which a resource that matches meets one; undefined if the table does not find all matches. */
export function valueTestsOf(
  filter: Filter,
  { table }: StoredResourceType,
): readonly ValueTest[] | undefined {
  if (table.values === undefined) return undefined
  const values = valuesOf(filter)
  if (values !== undefined) {
    const attribute = table.values[`${pathText(values.path)}.value`]
    return attribute && testsOfElement(values.operand, attribute)
  }
  const attribute = filter.kind === 'comparison' ? table.values[pathText(filter.path)] : undefined
  return attribute && filter.kind === 'comparison' ? testsOf(filter, attribute) : undefined
}

function testsOfElement(filter: Filter, attribute: ValueAttribute): readonly ValueTest[] | undefined {
  switch (filter.kind) {
    case 'and': {
      const found = filter.operands.flatMap((operand) => {
        const tests = testsOfElement(operand, attribute)
        return tests === undefined ? [] : [tests]
      })
      return found.find((tests) => tests.every(isEqual)) ?? found[0]
    }
    case 'or': {
      const found = filter.operands.map((operand) => testsOfElement(operand, attribute))
      return found.includes(undefined) ? undefined : found.flatMap((tests) => tests ?? [])
    }
    case 'comparison':
      return isTestOfValues(filter.path) ? testsOf(filter, attribute) : undefined
    default:
      return undefined
  }
}

/** @param path within an element */
export function isTestOfValues({ steps: [first, ...rest] }: AttributePath): boolean {
  return first.name === 'value' && rest.length === 0
}

function testsOf({ operator, key }: Comparison, attribute: ValueAttribute): readonly ValueTest[] | undefined {
  if (operator !== 'eq' && operator !== 'sw') return undefined
  if (attribute.only !== undefined && key !== attribute.only) return undefined
  return [{ attribute, operator, key: String(typeof key === 'boolean' ? Number(key) : key) }]
}

function isEqual({ operator }: ValueTest): boolean {
  return operator === 'eq'
}

/** True for tests of values that few users share. */
export function isOfFewValues(tests: readonly ValueTest[]): boolean {
  return tests.every((test) => isEqual(test) && !test.attribute.isShared)
}

/** The only test of a filter that needs no other one; undefined for all other filters. */
export function wholeTestOf(filter: Filter, type: StoredResourceType): ValueTest | undefined {
  const [test, ...others] = valueTestsOf(filter, type) ?? []
  return test !== undefined && others.length === 0 && isWhole(filter) && isExactTest(test) ? test : undefined
}

/** True if the filter has no other tests than those of valueTestsOf. */
function isWhole(filter: Filter): boolean {
  if (filter.kind === 'valuePath') return isWhole(filter.operand)
  return filter.kind === 'or' ? filter.operands.every(isWhole) : filter.kind === 'comparison'
}

/** True if no longer value meets the test as far as it is stored. */
function isExactTest({ operator, key }: ValueTest): boolean {
  const bytes = bytesOf(key)
  return operator === 'eq' ? bytes < MAX_VALUE_BYTES : bytes <= MAX_VALUE_BYTES
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length
}

/** The condition of users that a filter finds by their values; undefined if the table does not find them. */
export function valueLookupOf(
  filter: Filter,
  type: StoredResourceType,
  tenantId: string,
): Lookup | undefined {
  const ids = idsLookedUp(filter, type, tenantId)
  if (ids === undefined) return undefined
  const isExact = isWhole(filter) && (valueTestsOf(filter, type)?.every(isExactTest) ?? false)
  return { condition: fragment`${constant(type.table.name)}.id IN (${ids})`, isExact }
}

/** A subquery of the ids of the users that meet a filter and of no others; undefined if the table does not find them. */
export function exactIdsOf(
  filter: Filter,
  type: StoredResourceType,
  tenantId: string,
): SqlFragment | undefined {
  const tests = isWhole(filter) ? valueTestsOf(filter, type) : undefined
  return tests?.every(isExactTest) ? union(tests.map((test) => idsOf(test, tenantId))) : undefined
}

/** A subquery of the ids of the same users, some of them more than once. It reads no user. */
export function idsLookedUp(
  filter: Filter,
  type: StoredResourceType,
  tenantId: string,
): SqlFragment | undefined {
  const tests = valueTestsOf(filter, type)
  if (tests !== undefined) return union(tests.map((test) => idsOf(test, tenantId)))
  const created = createdIn(filter, type)
  return created && createdIds(type, tenantId, created)
}

function idsOf({ attribute, operator, key }: ValueTest, tenantId: string): SqlFragment {
  const bytes =
    bytesOf(key) > MAX_VALUE_BYTES
      ? fragment`substr(CAST(${key} AS BLOB), 1, ${constant(String(MAX_VALUE_BYTES))})`
      : fragment`CAST(${key} AS BLOB)`
  // No byte of UTF-8 is FF.
  const found =
    operator === 'eq'
      ? fragment`value = ${bytes}`
      : fragment`value >= ${bytes} AND value < CAST(${bytes} || x'ff' AS BLOB)`
  return fragment`SELECT user_id AS id FROM user_values
    WHERE tenant_id = ${tenantId} AND attribute = ${constant(String(attribute.number))} AND ${found}`
}

/** A period of creation, in milliseconds since 1970. */
interface Period {
  readonly from?: number
  readonly to?: number
}

/** The period outside of which no resource matches; undefined if the filter does not limit it. */
export function createdIn(filter: Filter, { table }: StoredResourceType): Period | undefined {
  if (table.values === undefined || filter.kind !== 'comparison' || typeof filter.key !== 'number')
    return undefined
  if (pathText(filter.path) !== 'meta.created') return undefined
  switch (filter.operator) {
    case 'eq':
      return { from: filter.key, to: filter.key }
    case 'gt':
    case 'ge':
      return { from: filter.key }
    case 'lt':
    case 'le':
      return { to: filter.key }
    default:
      return undefined
  }
}

/** Ids of all resources of a period, and of some others. */
function createdIds({ table }: StoredResourceType, tenantId: string, { from, to }: Period): SqlFragment {
  const ids = fragment`SELECT id FROM ${constant(table.name)} WHERE tenant_id = ${tenantId}`
  const after = from === undefined ? ids : fragment`${ids} AND id >= ${idAt(from - CREATED_TOLERANCE_MS)}`
  const between =
    to === undefined ? after : fragment`${after} AND id < ${idAt(to + CREATED_TOLERANCE_MS + 1)}`
  return fragment`${between} UNION ALL SELECT user_id AS id FROM user_values
    WHERE tenant_id = ${tenantId} AND attribute = ${constant(String(OTHERWISE_CREATED))}`
}

/** The beginning of a UUIDv7 of that time (RFC 9562 §5.7). */
function idAt(time: number): string {
  const hex = Math.min(Math.max(Math.floor(time), 0), 2 ** 48 - 1)
    .toString(16)
    .padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}`
}
