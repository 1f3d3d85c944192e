/**
 * Reads of tenants: one tenant, or a list of them. A query can share a round trip with other queries.
 */
import { sql } from 'drizzle-orm'
import { type Database, statement } from './database.ts'
import { type Page, pageOfItems, type Query, readTogether } from './query.ts'
import { TENANT_COLUMNS, type Tenant, tenantFromRow } from './tenants.ts'

/** A tenant with its counts. */
export type TenantSummary = Tenant

const SELECT = sql`SELECT ${TENANT_COLUMNS} FROM tenants`

/** @returns undefined if the tenant does not exist */
export function tenantQuery(id: string): Query<TenantSummary | undefined> {
  return {
    statements: [statement(sql`${SELECT} WHERE id = ${id}`)],
    read: ([result]) => result?.rows[0] && tenantFromRow(result.rows[0]),
  }
}

/** A tenant, in a round trip of its own. @returns undefined if it does not exist */
export async function getTenant(db: Database, id: string): Promise<Tenant | undefined> {
  return (await readTogether(db, { tenant: tenantQuery(id) })).tenant
}

/** Tenants in the order of their ids. @param after the last id of the previous page @param size Infinity: all tenants */
export function tenantPageQuery(after: string, size: number): Query<Page<TenantSummary>> {
  // SQLite reads LIMIT -1 as no limit.
  const limit = size === Infinity ? -1 : size + 1
  return {
    statements: [statement(sql`${SELECT} WHERE id > ${after} ORDER BY id LIMIT ${limit}`)],
    read: ([result]) =>
      pageOfItems((result?.rows ?? []).map(tenantFromRow<TenantSummary>), size, ({ id }) => id),
  }
}

/** The tenant that the dashboard opens first: "default", or else the first one. @returns undefined without tenants */
export function firstTenantQuery(): Query<string | undefined> {
  return {
    statements: [
      statement(sql`SELECT id FROM tenants WHERE id = 'default'`),
      statement(sql`SELECT id FROM tenants ORDER BY id LIMIT 1`),
    ],
    read: ([usual, first]) => (usual?.rows[0] ?? first?.rows[0])?.id as string | undefined,
  }
}
