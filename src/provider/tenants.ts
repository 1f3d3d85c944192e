/**
 * Tenants over all databases: making one, and listing them. What is done with one tenant is done at its home.
 */
import { databaseSize } from '../storage/database-size.ts'
import {
  catalogueOf,
  type Databases,
  forgetLocation,
  listLocations,
  reserveLocation,
} from '../storage/databases.ts'
import { type Page, readTogether } from '../storage/query.ts'
import { tenantPageQuery } from '../storage/tenant-queries.ts'
import {
  insertTenant,
  insertTenantElsewhere,
  listTenants,
  type NewTenant,
  type Tenant,
} from '../storage/tenants.ts'

/** A tenant, and the name of the database that it lives in. */
export type LocatedTenant = Tenant & { readonly database: string }

/**
 * Makes a tenant.
 *
 * @param wanted one of the names; undefined: the database that holds least
 * @returns the name of its database; undefined when the id is taken
 */
export async function createTenant(
  databases: Databases,
  tenant: NewTenant,
  wanted: string | undefined,
): Promise<string | undefined> {
  const [first] = databases.names
  const name = wanted ?? (await emptiest(databases))
  if (name === first) return (await insertTenant(catalogueOf(databases), tenant)) ? first : undefined
  const reserved = await reserveLocation(databases, tenant.id, name)
  if (reserved === undefined) return undefined
  // A creation that was interrupted has left the address: it is finished where it began.
  const insert = reserved.isNew ? insertTenantElsewhere : insertTenant
  return (await insert(databases.open(reserved.name), tenant)) ? reserved.name : undefined
}

/**
 * Databases that differ by less hold equally little; the first one of them is taken, because a cold isolate reaches the
 * tenants of the first database with one round trip less.
 */
const SIZE_STEP_BYTES = 1_000_000_000

async function emptiest(databases: Databases): Promise<string> {
  const { names } = databases
  if (names.length === 1) return names[0]
  const sizes = await Promise.all(names.map((name) => databaseSize(databases.open(name))))
  const steps = sizes.map(({ bytes }) => Math.floor(bytes / SIZE_STEP_BYTES))
  return names[steps.indexOf(Math.min(...steps))] ?? names[0]
}

/** All tenants by id. */
export async function listAllTenants(databases: Databases): Promise<readonly LocatedTenant[]> {
  const [locations, ...lists] = await Promise.all([
    listLocations(databases),
    ...databases.names.map((name) => listTenants(databases.open(name))),
  ])
  return merged(databases, locations, lists)
}

/** Tenants in the order of their ids. @param after the id that the page before ended with */
export async function tenantPage(
  databases: Databases,
  after: string,
  size: number,
): Promise<Page<LocatedTenant>> {
  const [locations, ...pages] = await Promise.all([
    listLocations(databases),
    ...databases.names.map((name) =>
      readTogether(databases.open(name), { page: tenantPageQuery(after, size) }),
    ),
  ])
  // What comes after the end of a page may be preceded by others of its database.
  const end = pages.flatMap(({ page: { next } }) => (next === undefined ? [] : [next])).sort()[0]
  const lists = pages.map(({ page }) => page.items)
  const all = merged(databases, locations, lists).filter(({ id }) => end === undefined || id <= end)
  const items = all.slice(0, size)
  return { items, next: all.length > size ? items.at(-1)?.id : end }
}

/** Each tenant once, as its home has it. */
function merged(
  databases: Databases,
  locations: ReadonlyMap<string, string>,
  lists: readonly (readonly Tenant[])[],
): readonly LocatedTenant[] {
  const [first] = databases.names
  const located = lists.flatMap((list, i) =>
    list.map((tenant) => ({ ...tenant, database: databases.names[i] ?? first })),
  )
  return located
    .filter(({ id, database }) => (locations.get(id) ?? first) === database)
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

/** Takes a tenant that is deleted out of the catalogue. */
export async function forgetTenant(databases: Databases, tenantId: string): Promise<void> {
  if (databases.names.length > 1) await catalogueOf(databases).batch([forgetLocation(tenantId)])
}
