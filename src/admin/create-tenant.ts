/**
 * Creates tenants, for the admin API and the dashboard.
 */
import { createTenant } from '../provider/tenants.ts'
import type { StoredResourceType } from '../storage/tables/resource-tables.ts'
import { type Databases, locateTenant } from '../storage/tenants/locations.ts'
import { getTenant } from '../storage/tenants/queries.ts'
import type { NewTenant } from '../storage/tenants/tenants.ts'
import { AdminError, invalidField } from './errors.ts'
import { notReady } from './tenant-state.ts'

/**
 * Creates a tenant in the given database; by default, in the one that holds least.
 *
 * @returns the name of its database
 * @throws {AdminError} 400 for an unknown database, 409 if the id is taken
 */
export async function createTenantIn(
  databases: Databases,
  types: readonly StoredResourceType[],
  tenant: NewTenant,
  database: string | undefined,
): Promise<string> {
  if (database !== undefined && !databases.names.includes(database)) {
    const names = databases.names.map((name) => `"${name}"`).join(' or ')
    throw invalidField('database', names, database)
  }
  const name = await createTenant(databases, types, tenant, database)
  if (name === undefined) throw await taken(databases, tenant.id)
  return name
}

/** The error for an id that cannot be used. */
async function taken(databases: Databases, id: string): Promise<AdminError> {
  const present = await getTenant(databases.open(await locateTenant(databases, id)), id)
  if (present?.state === 'deleting') return notReady(present)
  const isLeft = present === undefined || present.state === 'moved' || present.state === 'arriving'
  const problem = isLeft
    ? `rows of an earlier tenant "${id}" are still being deleted; try again later`
    : `a tenant with the id "${id}" exists already`
  return new AdminError(409, 'conflict', problem, 'id')
}
