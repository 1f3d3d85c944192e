/**
 * Searches the stored resources of a tenant for values of an extension. A change that would alter their meaning is stored
 * on the condition that there are none.
 */
import { type SQL, sql } from 'drizzle-orm'
import { MAX_SCAN_MILLISECONDS } from '../../scim/limits.ts'
import type { Incompatibility } from '../../scim/schema/extension-change.ts'
import { findExtension, type TenantExtensions } from '../../scim/schema/tenant-extensions.ts'
import { statement } from '../database/database.ts'
import { valueSearchTime } from '../lists/scan-times.ts'
import { type StoredResourceType, typeNamed } from '../tables/resource-tables.ts'
import type { ExtendedTenant } from './extended-tenant.ts'
import { ExtensionConflict } from './extension-conflict.ts'

/** A condition of a change: no stored resource has a value at the path. */
export interface Condition extends Incompatibility {
  readonly resourceType: string
}

/**
 * Refuses a change that requires a scan of more resources than one statement may read.
 *
 * @throws {ExtensionConflict}
 */
export async function requireSearchable(
  { db, types, tenantId }: ExtendedTenant,
  all: TenantExtensions,
  conditions: readonly Condition[],
): Promise<void> {
  const [found] = await db.batch([statement(sql`SELECT * FROM tenants WHERE id = ${tenantId}`)])
  const tenant = found?.rows[0]
  const searched = new Map(conditions.map((condition) => [condition.path[0], condition]))
  let nanoseconds = 0
  for (const { path, resourceType } of searched.values()) {
    const { count, blocks } = typeNamed(types, resourceType).table.counters
    const { row, block } = valueSearchTime(findExtension(all, path[0])?.schema.attributes.length ?? 0)
    nanoseconds += row * Number(tenant?.[count]) + block * Number(tenant?.[blocks])
  }
  if (nanoseconds <= MAX_SCAN_MILLISECONDS * 1e6) return
  const [first] = conditions
  throw new ExtensionConflict(
    `"${first?.field}" changes ${first?.what}, and the tenant has too many resources to look for values of it in one request: delete the schema with its values first (purge=true), or give the attribute another name`,
  )
}

/**
 * Finds a resource with a value at one of the paths, according to its comparison document: one row with the index of the
 * condition. Each resource is read once, however many conditions there are.
 *
 * @param conditions on one schema; at least one
 */
export function valuesAt(
  { types, tenantId }: Pick<ExtendedTenant, 'types' | 'tenantId'>,
  conditions: readonly Condition[],
): SQL {
  const [
    {
      resourceType,
      path: [urn],
    } = { resourceType: '', path: [''] },
  ] = conditions
  const from = sql`FROM ${tableFor(types, resourceType)} AS resource`
  if (conditions.some(({ path }) => path.length === 1)) {
    return sql`SELECT 0 ${from}
      WHERE resource.tenant_id = ${tenantId} AND json_type(resource.keys, ${jsonPath([urn])}) IS NOT NULL LIMIT 1`
  }
  const names = JSON.stringify(conditions.map(({ path }) => path[1]))
  const wanted = JSON.stringify(conditions.map(({ path: [, name, sub = null] }) => [name, sub]))
  // The elements of a list, and the members of an object, are at the same distance from their sub-attributes.
  return sql`SELECT wanted.key ${from}
    CROSS JOIN json_each(json_extract(resource.keys, ${jsonPath([urn])})) AS attribute
    CROSS JOIN json_each(${wanted}) AS wanted
    WHERE resource.tenant_id = ${tenantId} AND attribute.key IN (SELECT value FROM json_each(${names}))
      AND attribute.key = wanted.value ->> 0 AND (wanted.value ->> 1 IS NULL OR EXISTS (
        SELECT 1 FROM json_tree(attribute.value) AS part WHERE part.key = wanted.value ->> 1)) LIMIT 1`
}

/** The name of the table of a resource type, as SQL. */
export function tableFor(types: readonly StoredResourceType[], resourceType: string): SQL {
  return sql.raw(typeNamed(types, resourceType).table.name)
}

/** The path is made of names in schemas, which hold no quotes. */
export function jsonPath(path: readonly string[]): string {
  return `$${path.map((name) => `."${name}"`).join('')}`
}
