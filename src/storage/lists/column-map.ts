/**
 * The SQL of the attributes of a resource type within a tenant, for a filter: columns, rows of other tables, look-ups.
 */
import type { Filter } from '../../scim/filter/ast.ts'
import type { Alternatives, ColumnMap, Lookup } from '../../scim/filter/compile.ts'
import { constant, fragment } from '../../scim/filter/sql-fragment.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'
import { hasDirectLookup, isLookup } from './columns.ts'
import { inSet, maybeInSet, testsInSets } from './index-scans.ts'
import type { Sought } from './list-request.ts'
import { rowsOf, union } from './membership-columns.ts'
import { candidatesOf, isBySets, isScannedTest, leadingAlternatives } from './scan-conditions.ts'
import { valueLookupOf } from './value-lookups.ts'

/** The columns of a resource type within a tenant, for a filter. */
export function columnsOf(sought: Sought, tenantId: string): ColumnMap {
  const { type, filter } = sought
  const isScanned = sought.isScanned || isBySets(sought)
  return {
    document: `${type.table.name}.keys`,
    columns: isScanned ? hiddenFromIndexes(type.table.columns) : type.table.columns,
    rows: rowsOf(type, tenantId, filter !== undefined && isLookup(filter, type)),
    alternatives: alternativesOf(sought, tenantId, isScanned),
    lookups: lookupsOf(sought, tenantId),
  }
}

/** A scan goes through the resources in the order of the list. SQLite would prefer the index of a tested column. */
function hiddenFromIndexes(columns: ColumnMap['columns']): ColumnMap['columns'] {
  return Object.fromEntries(Object.entries(columns).map(([path, { sql }]) => [path, { sql: `+${sql}` }]))
}

/** Of several tests that are joined by "and", only the one that leads to the candidates is looked up. */
function lookupsOf(sought: Sought, tenantId: string): ReadonlyMap<Filter, Lookup> {
  const { type } = sought
  if (isBySets(sought))
    return new Map(testsInSets(sought.filter).map((test) => [test, inSet(test, type, tenantId)]))
  const found = (candidatesOf(sought) ?? []).map((one) => [one, lookupOf(one, type, tenantId)] as const)
  return new Map(found.flatMap(([one, lookup]) => (lookup === undefined ? [] : [[one, lookup]])))
}

function lookupOf(candidate: Filter, type: StoredResourceType, tenantId: string): Lookup | undefined {
  return isScannedTest(candidate, type)
    ? maybeInSet(candidate, type, tenantId)
    : valueLookupOf(candidate, type, tenantId)
}

/**
 * Alternatives with an index each, as a subquery of ids. With OR, SQLite does not use a partial index, and prefers a
 * scan of the whole tenant in the order of the list.
 */
function alternativesOf(sought: Sought, tenantId: string, isScanned = false): Alternatives {
  const { type } = sought
  const table = constant(type.table.name)
  const leading = leadingAlternatives(sought)
  return {
    haveDirectLookup: (filters) =>
      !isScanned && (filters === leading || filters.every((filter) => hasDirectLookup(filter, type))),
    columnsOf: (filter) => columnsOf({ type, filter }, tenantId),
    oneOf: (conditions) => {
      const ids = conditions.map(
        (condition) =>
          fragment`SELECT id FROM ${table} WHERE ${table}.tenant_id = ${tenantId} AND ${condition}`,
      )
      return fragment`${table}.id IN (${union(ids)})`
    },
  }
}
