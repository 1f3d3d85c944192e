/**
 * Several databases, and the catalogue that says which of them a tenant lives in. The first one holds the catalogue, the
 * sessions of the dashboard and the jobs. A tenant without a row in the catalogue lives in the first one.
 */
import { sql } from 'drizzle-orm'
import { type Database, GuardError, type Row, type Statement, statement } from './database.ts'

export interface Databases {
  /** The names of their bindings, such as "DB" and "DB2". The first one holds the catalogue. */
  readonly names: readonly [string, ...string[]]
  /** Bytes that each of them can hold; Infinity where the disk decides. */
  readonly maxBytes: number
  /** @param name one of `names` */
  open(name: string): Database
}

/** The database of the catalogue. */
export function catalogueOf(databases: Databases): Database {
  return databases.open(databases.names[0])
}

/** Selects `database`: where the catalogue says that a tenant lives; no row when it lives in the first database. */
export function locationStatement(tenantId: string): Statement {
  return statement(sql`SELECT database FROM tenant_locations WHERE tenant_id = ${tenantId}`)
}

/**
 * Reserves the id of a tenant that is to be made in another database than the first one.
 *
 * @returns the database that is reserved for it, now or by a creation that was interrupted; undefined when the first
 *   database has a tenant of this id
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

/** Of the catalogue, once a tenant is deleted. */
export function forgetLocation(tenantId: string): Statement {
  return statement(sql`DELETE FROM tenant_locations WHERE tenant_id = ${tenantId}`)
}

/**
 * The name of the database that a tenant lives in, in one round trip; none where there is one database. An unknown tenant
 * would live in the first one.
 *
 * @throws {Error} the catalogue names a database that is not configured
 */
export async function locateTenant(databases: Databases, tenantId: string): Promise<string> {
  const [first] = databases.names
  if (databases.names.length === 1) return first
  const [found] = await catalogueOf(databases).batch([locationStatement(tenantId)])
  return knownName(databases, found?.rows[0]) ?? first
}

/** @returns undefined without a row */
export function knownName(databases: Databases, row: Row | undefined): string | undefined {
  if (row === undefined) return undefined
  const name = String(row.database)
  if (databases.names.includes(name)) return name
  throw new Error(`the catalogue names the database "${name}", which has no binding`)
}

/** Where tenants live that do not live in the first database: their ids and the names of the databases. */
export async function listLocations(databases: Databases): Promise<ReadonlyMap<string, string>> {
  if (databases.names.length === 1) return new Map()
  const [found] = await catalogueOf(databases).batch([
    statement(sql`SELECT tenant_id AS tenantId, database FROM tenant_locations`),
  ])
  return new Map((found?.rows ?? []).map(({ tenantId, database }) => [String(tenantId), String(database)]))
}

/** The tenant does not live in this database any more, or not yet: what was read has been thrown away. */
export class TenantMoved extends Error {}

const STATE = (tenantId: string) => sql`SELECT CASE
  WHEN state IN ('moved', 'arriving') THEN 'moved' WHEN state = 'moving' THEN 'moving' END AS rule
  FROM tenants WHERE id = ${tenantId}
  UNION ALL SELECT 'moved' FROM tenant_locations WHERE tenant_id = ${tenantId}
    AND NOT EXISTS (SELECT 1 FROM tenants WHERE id = ${tenantId})`

/**
 * The database of a tenant for an administrator's reads: each batch proves that the tenant lives there.
 *
 * @throws {TenantMoved} from each batch when it does not
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
 * The database of a tenant for an administrator's writes: each batch changes nothing unless the tenant lives there, and
 * stays there.
 *
 * @throws {TenantMoved} from each batch when it lives elsewhere
 * @throws {GuardError} "moving" from each batch while it is being moved
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
