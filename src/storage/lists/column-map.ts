/**
 * The SQL of the attributes of a resource type within a tenant, for a filter: columns, rows of other tables, look-ups.
 */
import type { Filter } from '../../scim/filter/ast.ts'
import type { Alternatives, ColumnMap, Lookup } from '../../scim/filter/compile.ts'
import { constant, fragment } from '../../scim/filter/sql-fragment.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'
import { hasDirectLookup, isLookup } from './columns.ts'
import { rowsOf, union } from './membership-columns.ts'
import { candidatesOf } from './scan-conditions.ts'
import { valueLookupOf } from './value-lookups.ts'

/** The columns of a resource type within a tenant, for a filter. */
export function columnsOf(type: StoredResourceType, tenantId: string, filter: Filter | undefined): ColumnMap {
  return {
    document: `${type.table.name}.keys`,
    columns: type.table.columns,
    rows: rowsOf(type, tenantId, filter !== undefined && isLookup(filter, type)),
    alternatives: alternativesOf(type, tenantId),
    lookups: lookupsOf(type, tenantId, filter),
  }
}

/** Of several tests that are joined by "and", only the one that leads to the candidates is looked up. */
function lookupsOf(
  type: StoredResourceType,
  tenantId: string,
  filter: Filter | undefined,
): ReadonlyMap<Filter, Lookup> {
  const found = (candidatesOf(filter, type) ?? []).map(
    (one) => [one, valueLookupOf(one, type, tenantId)] as const,
  )
  return new Map(found.flatMap(([one, lookup]) => (lookup === undefined ? [] : [[one, lookup]])))
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
