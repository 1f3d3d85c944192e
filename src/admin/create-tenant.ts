/**
 * A new tenant, by the admin API or the dashboard.
 */
import { createTenant } from '../provider/tenants.ts'
import type { Databases } from '../storage/databases.ts'
import type { NewTenant } from '../storage/tenants.ts'
import { invalidField } from './errors.ts'

/**
 * Makes a tenant where it is wanted, else in the database that holds least.
 *
 * @returns the name of its database; undefined when the id is taken
 * @throws {AdminError} 400 when there is no such database
 */
export async function createTenantIn(
  databases: Databases,
  tenant: NewTenant,
  wanted: string | undefined,
): Promise<string | undefined> {
  if (wanted !== undefined && !databases.names.includes(wanted)) {
    const names = databases.names.map((name) => `"${name}"`).join(' or ')
    throw invalidField('database', names, wanted)
  }
  return await createTenant(databases, tenant, wanted)
}
