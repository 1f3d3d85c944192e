/**
 * Tenants over all databases: creates and lists them. Everything else about a tenant is done in its own database.
 */

import { type Page, type Query, readTogether } from '../storage/database/query.ts'
import type { StoredResourceType } from '../storage/tables/resource-tables.ts'
import {
  askDatabase,
  catalogueOf,
  type Databases,
  forgetLocation,
  locationsQuery,
  reserveLocation,
} from '../storage/tenants/locations.ts'
import { tenantPageQuery, tenantSearchQuery } from '../storage/tenants/queries.ts'
import { databaseSize } from '../storage/tenants/size.ts'
import {
  insertTenant,
  insertTenantElsewhere,
  type NewTenant,
  type Tenant,
} from '../storage/tenants/tenants.ts'

/** A tenant, and the name of the database that it lives in. */
export type LocatedTenant = Tenant & { readonly database: string }

/**
 * Creates a tenant.
 *
 * @param wanted the name of a database; undefined: the emptiest one
 * @returns the name of its database; undefined if the id is taken
 */
export async function createTenant(
  databases: Databases,
  types: readonly StoredResourceType[],
  tenant: NewTenant,
  wanted: string | undefined,
): Promise<string | undefined> {
  const [first] = databases.names
  const name = wanted ?? (await emptiest(databases, types))
  if (name === first) return (await insertTenant(catalogueOf(databases), tenant)) ? first : undefined
  // A database that does not respond, or is not the right one, gets no reservation.
  if (wanted !== undefined) await askDatabase(databases, name, (db) => databaseSize(db, types))
  const reserved = await reserveLocation(databases, tenant.id, name)
  if (reserved === undefined) return undefined
  // The location may have been reserved by a creation that was interrupted: it is completed in the same database.
  const db = databases.open(reserved.name)
  if (!reserved.isNew) return (await insertTenant(db, tenant)) ? reserved.name : undefined
  if (await insertTenantElsewhere(db, types, tenant)) return reserved.name
  await forgetTenant(databases, tenant.id, name)
  return undefined
}

/**
 * Databases whose sizes differ by less count as equally empty. The first of them is chosen, because a cold isolate reaches
 * tenants of the first database with one round trip less.
 */
const SIZE_STEP_BYTES = 1_000_000_000

async function emptiest(databases: Databases, types: readonly StoredResourceType[]): Promise<string> {
  const { names } = databases
  if (names.length === 1) return names[0]
  const sizes = await Promise.all(
    names.map((name) => askDatabase(databases, name, (db) => databaseSize(db, types))),
  )
  const steps = sizes.map(({ bytes }) => Math.floor(bytes / SIZE_STEP_BYTES))
  return names[steps.indexOf(Math.min(...steps))] ?? names[0]
}

/**
 * Tenants in the order of their ids.
 *
 * @param after the last id of the previous page
 * @param size Infinity: all tenants
 * @param among the ids of the tenants to list; undefined: all
 * @throws {NamedDatabaseUnavailable} no tenant is left out silently
 */
export async function tenantPage(
  databases: Databases,
  after: string,
  size: number,
  among?: readonly string[] | undefined,
): Promise<Page<LocatedTenant>> {
  const { locations, found: pages } = await everywhere(databases, tenantPageQuery(after, size, among))
  // Each page is complete up to its end only, so tenants after the earliest end belong to a later page.
  const end = pages.flatMap(({ next }) => (next === undefined ? [] : [next])).sort()[0]
  const lists = pages.map(({ items }) => items)
  const all = merged(databases, locations, lists).filter(({ id }) => end === undefined || id <= end)
  const items = all.slice(0, size)
  return { items, next: all.length > size ? items.at(-1)?.id : end }
}

/** Tenants that a search finds, and whether they are all. */
export interface FoundTenants {
  readonly items: readonly LocatedTenant[]
  readonly isComplete: boolean
}

/**
 * Tenants by the beginning of their id, or of words of their name.
 *
 * @param among as for `tenantPage`
 * @throws {NamedDatabaseUnavailable} no tenant is left out silently
 */
export async function searchTenants(
  databases: Databases,
  text: string,
  size: number,
  among?: readonly string[] | undefined,
): Promise<FoundTenants> {
  const { locations, found } = await everywhere(databases, tenantSearchQuery(text, size, among))
  const lists = found.map(({ items }) => items)
  const all = merged(databases, locations, lists)
  return {
    items: all.slice(0, size),
    isComplete: all.length <= size && found.every(({ isComplete }) => isComplete),
  }
}

/** Runs a query in all databases, and reads the catalogue beside it. @returns its results, that of the first database first */
async function everywhere<Found>(
  databases: Databases,
  query: Query<Found>,
): Promise<{ readonly locations: ReadonlyMap<string, string>; readonly found: readonly Found[] }> {
  const [first, ...others] = databases.names
  const [{ locations, home }, ...away] = await Promise.all([
    askDatabase(databases, first, (db) =>
      readTogether(db, { home: query, locations: locationsQuery(databases) }),
    ),
    ...others.map((name) => askDatabase(databases, name, (db) => readTogether(db, { home: query }))),
  ])
  return { locations, found: [home, ...away.map((read) => read.home)] }
}

/** Each tenant once, as its own database has it. */
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

/**
 * Removes a tenant from the catalogue.
 *
 * @param name the database that does not have it, or in which it is being deleted. A tenant that lives elsewhere, because this database was restored to
 *   a time before its move, stays in the catalogue
 */
export async function forgetTenant(databases: Databases, tenantId: string, name: string): Promise<void> {
  if (databases.names.length > 1) await catalogueOf(databases).batch([forgetLocation(tenantId, name)])
}
