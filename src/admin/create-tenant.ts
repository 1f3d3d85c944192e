/**
 * Creates tenants, for the admin API and the dashboard.
 */
import { createTenant } from '../provider/tenants.ts'
import type { StoredResourceType } from '../storage/tables/resource-tables.ts'
import type { Databases } from '../storage/tenants/locations.ts'
import type { NewTenant } from '../storage/tenants/tenants.ts'
import { invalidField } from './errors.ts'

/**
 * Creates a tenant in the given database; by default, in the one that holds least.
 *
 * @returns the name of its database; undefined if the id is taken
 * @throws {AdminError} 400 for an unknown database
 */
export async function createTenantIn(
  databases: Databases,
  types: readonly StoredResourceType[],
  tenant: NewTenant,
  database: string | undefined,
): Promise<string | undefined> {
  if (database !== undefined && !databases.names.includes(database)) {
    const names = databases.names.map((name) => `"${name}"`).join(' or ')
    throw invalidField('database', names, database)
  }
  return await createTenant(databases, types, tenant, database)
}
