/**
 * Queries for tenants, one or a page of them. They can share a round trip with other queries.
 */
import { sql } from 'drizzle-orm'
import { type Page, pageOfItems, type Query } from '../database/query.ts'
import { selection } from '../tables/selection.ts'
import { tenants } from '../tables/tables.ts'
import { TENANT, type Tenant } from './tenants.ts'

/** A tenant with all counts that are kept for it. */
export type TenantSummary = Tenant

const TENANT_ID = selection(tenants, ['id'])

/** @returns undefined when there is no such tenant */
export function tenantQuery(id: string): Query<TenantSummary | undefined> {
  return {
    statements: [TENANT.where(sql`id = ${id}`)],
    read: ([result]) => TENANT.first(result),
  }
}

/** Tenants in the order of their ids. @param after the last id of the previous page */
export function tenantPageQuery(after: string, size: number): Query<Page<TenantSummary>> {
  return {
    statements: [TENANT.where(sql`id > ${after} ORDER BY id LIMIT ${size + 1}`)],
    read: ([result]) => pageOfItems(TENANT.all(result), size, ({ id }) => id),
  }
}

/** The tenant that the dashboard opens first: "default", else the first one. @returns undefined when there is none */
export function firstTenantQuery(): Query<string | undefined> {
  return {
    statements: [TENANT_ID.where(sql`id = 'default'`), TENANT_ID.where(sql`true ORDER BY id LIMIT 1`)],
    read: ([usual, first]) => (TENANT_ID.first(usual) ?? TENANT_ID.first(first))?.id,
  }
}
