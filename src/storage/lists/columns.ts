/**
 * Maps SCIM attributes to columns of a resource table, tells what its indexes find, and converts the core's
 * SqlFragment to drizzle's `sql`.
 */
import { type SQL, sql } from 'drizzle-orm'
import { type AttributePath, pathText, target } from '../../scim/attribute-path.ts'
import type { ComparisonOperator, Filter } from '../../scim/filter/ast.ts'
import { mentions, valuesOf } from '../../scim/filter/simplify.ts'
import type { SqlFragment } from '../../scim/filter/sql-fragment.ts'
import { showsGroups } from '../../scim/schema/resource-type.ts'
import type { ColumnIndex, ResourceColumn, StoredResourceType } from '../tables/resource-tables.ts'
import { isByValue } from './membership-columns.ts'
import { createdIn, isOfFewValues, valueTestsOf } from './value-lookups.ts'

/** drizzle's `sql` is a tag function, and a fragment has the shape of its arguments. */
export function toSql({ strings, values }: SqlFragment): SQL {
  return sql(Object.assign([...strings], { raw: strings }), ...values)
}

/** The column of an attribute; undefined if the attribute is in the documents only. */
export function columnOf(path: AttributePath, { table }: StoredResourceType): ResourceColumn | undefined {
  return table.columns[pathText(path)]
}

/** Whether the index of a column has the id of each resource, so that the resource is not read to know it. */
export function hasIds(path: AttributePath, type: StoredResourceType): boolean {
  const index = columnOf(path, type)?.index
  return index === 'time' || index === 'range' || (index === 'order' && target(path).uniqueness !== 'server')
}

/** True if an index leads to all matches, which are few then. */
export function isIndexed(filter: Filter, type: StoredResourceType): boolean {
  return isAnsweredBy(filter, type, (test) => isEqualInColumn(test, type) || isLookedUp(test, type))
}

/** True if the table of values, or the ids, lead to all matches. */
export function isLookedUp(filter: Filter, type: StoredResourceType): boolean {
  return valueTestsOf(filter, type) !== undefined || createdIn(filter, type) !== undefined
}

function isEqualInColumn(filter: Filter, type: StoredResourceType): boolean {
  return (
    filter.kind === 'comparison' && indexOf(filter, type) !== undefined && EQUAL.includes(filter.operator)
  )
}

function indexOf(filter: Filter, type: StoredResourceType): ColumnIndex | undefined {
  return filter.kind === 'comparison' ? columnOf(filter.path, type)?.index : undefined
}

const EQUAL: readonly ComparisonOperator[] = ['eq', 'sw']

/** True if the filter names values of an indexed attribute: each value has few matches, however large the tenant is. */
export function isLookup(filter: Filter, type: StoredResourceType): boolean {
  return isAnsweredBy(filter, type, (test) => {
    const tests = valueTestsOf(test, type)
    if (tests !== undefined) return isOfFewValues(tests)
    const index = indexOf(test, type)
    return test.kind === 'comparison' && test.operator === 'eq' && index !== undefined && index !== 'range'
  })
}

function isAnsweredBy(
  filter: Filter,
  type: StoredResourceType,
  isAnswered: (test: Filter) => boolean,
): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.operands.some((operand) => isAnsweredBy(operand, type, isAnswered))
    case 'or':
      return filter.operands.every(
        (operand) =>
          operand.kind === 'never' ||
          isMembershipOfKnown(operand, type) ||
          isAnsweredBy(operand, type, isAnswered),
      )
    case 'comparison':
    case 'valuePath':
      return isAnswered(filter)
    default:
      return false
  }
}

/**
 * True if an index or the membership table leads straight to the matches, so the cost is proportional to their
 * number.
 */
export function hasDirectLookup(filter: Filter, type: StoredResourceType): boolean {
  if (filter.kind === 'never') return true
  return isMembershipOfKnown(filter, type) || isIndexed(filter, type)
}

/** True for a test of one column that is a range of an index: a value, a prefix, a time. */
export function isRange(filter: Filter, type: StoredResourceType): boolean {
  if (filter.kind !== 'comparison') return false
  const index = columnOf(filter.path, type)?.index
  return (
    isEqualInColumn(filter, type) ||
    ((index === 'time' || index === 'range') && ORDER.includes(filter.operator))
  )
}

const ORDER: readonly ComparisonOperator[] = ['gt', 'ge', 'lt', 'le']

/** True if the filter names the groups of a resource, or the members of a group. */
export function isMembershipOfKnown(filter: Filter, type: StoredResourceType): boolean {
  const values = valuesOf(filter)
  if (values === undefined || values.path.steps[0].name !== type.references) return false
  // Whether a member is in a group indirectly does not follow from the members of that group.
  return isByValue(values.operand) && !(showsGroups(type) && mentions(values.operand, 'type'))
}
