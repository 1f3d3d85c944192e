/**
 * Tenants as the dashboard reads them: one, or a page of them, in a round trip that other queries share.
 */
import { sql } from 'drizzle-orm'
import { statement } from '../database/database.ts'
import { type Page, pageOfItems, type Query } from '../database/query.ts'
import { TENANT, type Tenant } from './tenants.ts'

/** A tenant with all counts that are kept for it. */
export type TenantSummary = Tenant

const SELECT = sql`SELECT ${TENANT.columns} FROM tenants`

/** @returns undefined when there is no such tenant */
export function tenantQuery(id: string): Query<TenantSummary | undefined> {
  return {
    statements: [statement(sql`${SELECT} WHERE id = ${id}`)],
    read: ([result]) => TENANT.first(result),
  }
}

/** Tenants in the order of their ids. @param after the id that the page before ended with */
export function tenantPageQuery(after: string, size: number): Query<Page<TenantSummary>> {
  return {
    statements: [statement(sql`${SELECT} WHERE id > ${after} ORDER BY id LIMIT ${size + 1}`)],
    read: ([result]) => pageOfItems(TENANT.all(result), size, ({ id }) => id),
  }
}

/** Where the dashboard begins: the tenant "default", else the first. @returns undefined when there is none */
export function firstTenantQuery(): Query<string | undefined> {
  return {
    statements: [
      statement(sql`SELECT id FROM tenants WHERE id = 'default'`),
      statement(sql`SELECT id FROM tenants ORDER BY id LIMIT 1`),
    ],
    read: ([usual, first]) => (usual?.rows[0] ?? first?.rows[0])?.id as string | undefined,
  }
}
