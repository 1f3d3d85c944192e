/**
 * Where SCIM attributes are found in the table of a resource type, what its indexes find, and the bridge from the core's
 * SqlFragment to drizzle's `sql`.
 */
import { type SQL, sql } from 'drizzle-orm'
import { type AttributePath, pathText } from '../scim/attribute-path.ts'
import type { ComparisonOperator, Filter } from '../scim/filter/ast.ts'
import type { Alternatives, ColumnMap } from '../scim/filter/compile.ts'
import { mentions, valuesOf } from '../scim/filter/simplify.ts'
import { constant, fragment, type SqlFragment } from '../scim/filter/sql-fragment.ts'
import { showsGroups } from '../scim/schema/resource-type.ts'
import { isByValue, rowsOf, union } from './membership-columns.ts'
import type { ColumnIndex, ResourceColumn, StoredResourceType } from './resource-tables.ts'

/** drizzle's `sql` is a tag function, and a fragment has the shape of its arguments. */
export function toSql({ strings, values }: SqlFragment): SQL {
  return sql(strings as unknown as TemplateStringsArray, ...values)
}

/** The column of an attribute; undefined when it is in the documents alone. */
export function columnOf(path: AttributePath, { table }: StoredResourceType): ResourceColumn | undefined {
  return table.columns[pathText(path)]
}

/** True when an index leads to everything that matches, which then is little. */
export function isIndexed(filter: Filter, type: StoredResourceType): boolean {
  return isFoundBy(filter, type, (operator, index) => index !== undefined && EQUAL.includes(operator))
}

const EQUAL: readonly ComparisonOperator[] = ['eq', 'sw']

/** True when the filter names values that an index knows: what has one of them is few, however large the tenant is. */
export function isLookup(filter: Filter, type: StoredResourceType): boolean {
  return isFoundBy(
    filter,
    type,
    (operator, index) => index !== undefined && index !== 'range' && operator === 'eq',
  )
}

function isFoundBy(
  filter: Filter,
  type: StoredResourceType,
  isFoundIn: (operator: ComparisonOperator, index: ColumnIndex | undefined) => boolean,
): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.operands.some((operand) => isFoundBy(operand, type, isFoundIn))
    case 'or':
      return filter.operands.every((operand) => isFound(operand, type))
    case 'comparison':
      return isFoundIn(filter.operator, columnOf(filter.path, type)?.index)
    default:
      return false
  }
}

/** True when it costs no more to go through all that matches than what it is, be it many members of a group. */
export function isFound(filter: Filter, type: StoredResourceType): boolean {
  if (filter.kind === 'never') return true
  return isMembershipOfKnown(filter, type) || isIndexed(filter, type)
}

/** True of a test of one column that is a range of an index: a value, a prefix, a time. */
export function isRange(filter: Filter, type: StoredResourceType): boolean {
  if (filter.kind !== 'comparison') return false
  const index = columnOf(filter.path, type)?.index
  return (
    isIndexed(filter, type) || ((index === 'time' || index === 'range') && ORDER.includes(filter.operator))
  )
}

const ORDER: readonly ComparisonOperator[] = ['gt', 'ge', 'lt', 'le']

/** True when the filter names the groups that a resource is to be in, or the members that a group is to have. */
export function isMembershipOfKnown(filter: Filter, type: StoredResourceType): boolean {
  const values = valuesOf(filter)
  if (values === undefined || values.path.steps[0].name !== type.references) return false
  // Whether somebody is in a group indirectly is another question than who is in it.
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
 * Alternatives that are each found by an index, as a subquery of ids. With OR, SQLite does not use an index that holds
 * only rows with a value, and for the sake of the order it would rather go through the whole tenant.
 */
function alternativesOf(type: StoredResourceType, tenantId: string): Alternatives {
  const table = constant(type.table.name)
  return {
    haveDirectLookup: (filters) => filters.every((filter) => isFound(filter, type)),
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
