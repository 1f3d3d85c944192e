/**
 * Maps SCIM attributes to columns of a resource table, tells what its indexes find, and converts the core's
 * SqlFragment to drizzle's `sql`.
 */
import { type SQL, sql } from 'drizzle-orm'
import { type AttributePath, pathText } from '../../scim/attribute-path.ts'
import type { ComparisonOperator, Filter } from '../../scim/filter/ast.ts'
import type { Alternatives, ColumnMap } from '../../scim/filter/compile.ts'
import { mentions, valuesOf } from '../../scim/filter/simplify.ts'
import { constant, fragment, type SqlFragment } from '../../scim/filter/sql-fragment.ts'
import { showsGroups } from '../../scim/schema/resource-type.ts'
import type { ColumnIndex, ResourceColumn, StoredResourceType } from '../tables/resource-tables.ts'
import { isByValue, rowsOf, union } from './membership-columns.ts'

/** drizzle's `sql` is a tag function, and a fragment has the shape of its arguments. */
export function toSql({ strings, values }: SqlFragment): SQL {
  return sql(Object.assign([...strings], { raw: strings }), ...values)
}

/** The column of an attribute; undefined if the attribute is in the documents only. */
export function columnOf(path: AttributePath, { table }: StoredResourceType): ResourceColumn | undefined {
  return table.columns[pathText(path)]
}

/** True if an index leads to all matches, which are few then. */
export function isIndexed(filter: Filter, type: StoredResourceType): boolean {
  return isAnsweredBy(filter, type, (operator, index) => index !== undefined && EQUAL.includes(operator))
}

const EQUAL: readonly ComparisonOperator[] = ['eq', 'sw']

/** True if the filter names values of an indexed attribute: each value has few matches, however large the tenant is. */
export function isLookup(filter: Filter, type: StoredResourceType): boolean {
  return isAnsweredBy(
    filter,
    type,
    (operator, index) => index !== undefined && index !== 'range' && operator === 'eq',
  )
}

function isAnsweredBy(
  filter: Filter,
  type: StoredResourceType,
  isAnsweredIn: (operator: ComparisonOperator, index: ColumnIndex | undefined) => boolean,
): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.operands.some((operand) => isAnsweredBy(operand, type, isAnsweredIn))
    case 'or':
      return filter.operands.every((operand) => hasDirectLookup(operand, type))
    case 'comparison':
      return isAnsweredIn(filter.operator, columnOf(filter.path, type)?.index)
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
    isIndexed(filter, type) || ((index === 'time' || index === 'range') && ORDER.includes(filter.operator))
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

/** The columns of a resource type within a tenant, for a filter. */
export function columnsOf(type: StoredResourceType, tenantId: string, filter: Filter | undefined): ColumnMap {
  return {
    document: `${type.table.name}.keys`,
    columns: type.table.columns,
    rows: rowsOf(type, tenantId, filter !== undefined && isLookup(filter, type)),
    alternatives: alternativesOf(type, tenantId),
  }
}

/**
 * Alternatives with an index each, as a subquery of ids. With OR, SQLite does not use a partial index, and prefers a
 * scan of the whole tenant in the order of the list.
 */
function alternativesOf(type: StoredResourceType, tenantId: string): Alternatives {
  const table = constant(type.table.name)
  return {
    haveDirectLookup: (filters) => filters.every((filter) => hasDirectLookup(filter, type)),
    columnsOf: (filter) => columnsOf(type, tenantId, filter),
    oneOf: (conditions) => {
      const ids = conditions.map(
        (condition) =>
          fragment`SELECT id FROM ${table} WHERE ${table}.tenant_id = ${tenantId} AND ${condition}`,
      )
      return fragment`${table}.id IN (${union(ids)})`
    },
  }
}
