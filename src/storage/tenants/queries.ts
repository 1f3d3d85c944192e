/**
 * Queries for tenants, one or a page of them. They can share a round trip with other queries.
 */
import { sql } from 'drizzle-orm'
import type { Database } from '../database/database.ts'
import { type Page, pageOfItems, type Query, readTogether } from '../database/query.ts'
import { selection } from '../tables/selection.ts'
import { tenants } from '../tables/tables.ts'
import { TENANT, type Tenant } from './tenants.ts'

/** A tenant with all counts that are kept for it. */
export type TenantSummary = Tenant

const TENANT_ID = selection(tenants, ['id'])

/** @returns undefined if the tenant does not exist */
export function tenantQuery(id: string): Query<TenantSummary | undefined> {
  return {
    statements: [TENANT.where(sql`id = ${id}`)],
    read: ([result]) => TENANT.first(result),
  }
}

/** A tenant, in a round trip of its own. @returns undefined if it does not exist */
export async function getTenant(db: Database, id: string): Promise<Tenant | undefined> {
  return (await readTogether(db, { tenant: tenantQuery(id) })).tenant
}

/**
 * Tenants in the order of their ids, without copies that a move has left or has not completed.
 *
 * @param after the last id of the previous page
 * @param size Infinity: all tenants
 */
export function tenantPageQuery(after: string, size: number): Query<Page<TenantSummary>> {
  // SQLite reads LIMIT -1 as no limit.
  const limit = size === Infinity ? -1 : size + 1
  return {
    statements: [
      TENANT.where(sql`id > ${after} AND state NOT IN ('arriving', 'moved') ORDER BY id LIMIT ${limit}`),
    ],
    read: ([result]) => pageOfItems(TENANT.all(result), size, ({ id }) => id),
  }
}

/** The tenant that the dashboard opens first: "default", or else the first one. @returns undefined without tenants */
export function firstTenantQuery(): Query<string | undefined> {
  return {
    statements: [TENANT_ID.where(sql`id = 'default'`), TENANT_ID.where(sql`true ORDER BY id LIMIT 1`)],
    read: ([usual, first]) => (TENANT_ID.first(usual) ?? TENANT_ID.first(first))?.id,
  }
}
