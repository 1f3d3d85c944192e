/**
 * Where tenants live: several databases, and the catalogue that maps tenants to them. The first database holds the
 * catalogue, the sessions of the dashboard and the jobs. A tenant without a row in the catalogue lives in the first
 * database.
 */
import { sql } from 'drizzle-orm'
import {
  type Database,
  DatabaseUnavailable,
  GuardError,
  type Row,
  type Statement,
  statement,
} from '../database/database.ts'
import type { Query } from '../database/query.ts'
import { selection } from '../tables/selection.ts'
import { tenantLocations } from '../tables/tables.ts'

export interface Databases {
  /** The names of their bindings, such as "DB" and "DB2". The first one holds the catalogue. */
  readonly names: readonly [string, ...string[]]
  /** The capacity of each database; Infinity where the disk is the limit. */
  readonly maxBytes: number
  /** @param name one of `names` */
  open(name: string): Database
}

/** One of several databases does not respond, or is no longer configured. The message names it and is safe to show. */
export class NamedDatabaseUnavailable extends DatabaseUnavailable {}

/** The catalogue names a database that is not configured. Without this error, its tenants would seem to be deleted. */
export function missingDatabase(name: string): NamedDatabaseUnavailable {
  return new NamedDatabaseUnavailable(
    `the database "${name}" is not configured; add it again, as a binding or with DATABASES, with the tenants that it had`,
  )
}

/** The catalogue names a database that does not have the tenant: it was restored to a time before the tenant came. */
export function missingTenant(tenantId: string, name: string): NamedDatabaseUnavailable {
  return new NamedDatabaseUnavailable(
    `the catalogue places the tenant "${tenantId}" in the database "${name}", which does not have it; see docs/operate/growth.md`,
  )
}

/** Calls a function with one of the databases. @throws {NamedDatabaseUnavailable} when it does not respond */
export async function askDatabase<Result>(
  databases: Databases,
  name: string,
  ask: (db: Database) => Promise<Result>,
): Promise<Result> {
  try {
    return await ask(databases.open(name))
  } catch (cause) {
    const isNamed = databases.names.length === 1 || cause instanceof NamedDatabaseUnavailable
    if (isNamed || !(cause instanceof DatabaseUnavailable)) throw cause
    throw new NamedDatabaseUnavailable(`the database "${name}" does not respond`, { cause })
  }
}

/** The database that holds the catalogue. */
export function catalogueOf(databases: Databases): Database {
  return databases.open(databases.names[0])
}

/** Selects `database`, the location of a tenant in the catalogue; no row if the tenant lives in the first database. */
export function locationStatement(tenantId: string): Statement {
  return statement(sql`SELECT database FROM tenant_locations WHERE tenant_id = ${tenantId}`)
}

/**
 * Reserves the id of a tenant that is to be created outside of the first database.
 *
 * @returns the database that is reserved for it, now or by an interrupted creation; undefined when the first database
 *   has a tenant with this id
 */
export async function reserveLocation(
  databases: Databases,
  tenantId: string,
  name: string,
): Promise<{ readonly name: string; readonly isNew: boolean } | undefined> {
  const [inserted, found] = await catalogueOf(databases).batch([
    statement(sql`INSERT INTO tenant_locations (tenant_id, database) SELECT ${tenantId}, ${name}
      WHERE NOT EXISTS (SELECT 1 FROM tenants WHERE id = ${tenantId}) ON CONFLICT (tenant_id) DO NOTHING`),
    locationStatement(tenantId),
  ])
  const reserved = knownName(databases, found?.rows[0])
  return reserved === undefined ? undefined : { name: reserved, isNew: inserted?.changes === 1 }
}

/** Deletes a tenant from the catalogue, if it names this database. To be called after the tenant's rows were deleted. */
export function forgetLocation(tenantId: string, name: string): Statement {
  return statement(sql`DELETE FROM tenant_locations WHERE tenant_id = ${tenantId} AND database = ${name}`)
}

/**
 * The name of the database that a tenant lives in, in one round trip. For an unknown tenant, it is the first one.
 *
 * @throws {NamedDatabaseUnavailable} when the catalogue names a database that is not configured
 */
export async function locateTenant(databases: Databases, tenantId: string): Promise<string> {
  const [found] = await catalogueOf(databases).batch([locationStatement(tenantId)])
  return knownName(databases, found?.rows[0]) ?? databases.names[0]
}

/** @returns undefined if there is no row @throws {NamedDatabaseUnavailable} */
function knownName(databases: Databases, row: Row | undefined): string | undefined {
  if (row === undefined) return undefined
  return requireKnown(databases, String(row.database))
}

function requireKnown(databases: Databases, name: string): string {
  if (databases.names.includes(name)) return name
  throw missingDatabase(name)
}

const LOCATION = selection(tenantLocations, ['tenantId', 'database'])

/**
 * The tenants outside of the first database, from the catalogue: their ids and the names of their databases.
 *
 * @throws {NamedDatabaseUnavailable} from `read` when the catalogue names a database that is not configured
 */
export function locationsQuery(databases: Databases): Query<ReadonlyMap<string, string>> {
  return {
    statements: [LOCATION.where(sql`true`)],
    read: ([found]) =>
      new Map(
        LOCATION.all(found).map(({ tenantId, database }) => [tenantId, requireKnown(databases, database)]),
      ),
  }
}

/** The tenant no longer lives in this database, or not yet. The results were discarded. */
export class TenantMoved extends Error {
  constructor() {
    super('the tenant no longer lives in this database, or not yet')
  }
}

const STATE = (tenantId: string) => sql`SELECT CASE
  WHEN state IN ('moved', 'arriving') THEN 'moved' WHEN state = 'moving' THEN 'moving' END AS rule
  FROM tenants WHERE id = ${tenantId}
  UNION ALL SELECT 'moved' FROM tenant_locations WHERE tenant_id = ${tenantId}
    AND NOT EXISTS (SELECT 1 FROM tenants WHERE id = ${tenantId})`

/**
 * The database of a tenant for an administrator's reads. Each batch verifies that the tenant lives there.
 *
 * @throws {TenantMoved} from each batch if it does not
 */
export function readAtHome(db: Database, tenantId: string): Database {
  const check = statement(STATE(tenantId))
  return {
    async batch(statements) {
      const [home, ...results] = await db.batch([check, ...statements])
      if (home?.rows.some(({ rule }) => rule === 'moved')) throw new TenantMoved()
      return results
    },
  }
}

/**
 * The database of a tenant for an administrator's writes. Each batch changes nothing unless the tenant lives there
 * and is not being moved.
 *
 * @throws {TenantMoved} from each batch if the tenant lives elsewhere
 * @throws {GuardError} "moving" from each batch while the tenant is being moved
 */
export function writeAtHome(db: Database, tenantId: string): Database {
  const guard = statement(
    sql`INSERT INTO guards (rule) SELECT rule FROM (${STATE(tenantId)}) WHERE rule IS NOT NULL`,
  )
  return {
    async batch(statements) {
      try {
        return (await db.batch([guard, ...statements])).slice(1)
      } catch (error) {
        if (error instanceof GuardError && error.rule === 'moved') throw new TenantMoved()
        throw error
      }
    },
  }
}
