/**
 * Queries for tenants, one or a page of them. They can share a round trip with other queries.
 */
import { type SQL, sql } from 'drizzle-orm'
import { fold } from '../../scim/fold.ts'
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
 * @param among the ids of the tenants to list; undefined: all
 */
export function tenantPageQuery(
  after: string,
  size: number,
  among?: readonly string[] | undefined,
): Query<Page<TenantSummary>> {
  // SQLite reads LIMIT -1 as no limit.
  const limit = size === Infinity ? -1 : size + 1
  return {
    statements: [TENANT.where(sql`id > ${after}${isAmong(among)} AND ${IS_HERE} ORDER BY id LIMIT ${limit}`)],
    read: ([result]) => pageOfItems(TENANT.all(result), size, ({ id }) => id),
  }
}

const IS_HERE = sql`state NOT IN ('arriving', 'moved')`

/** Tenants whose names a search reads: no index has the names. */
export const SEARCHED_NAMES = 1000

/**
 * The page of the tenants whose id begins with a text, or that are among the first SEARCHED_NAMES and have it in their
 * name. Names are compared as userNames are.
 *
 * @param among as for `tenantPageQuery`
 */
export function tenantSearchQuery(
  text: string,
  after: string,
  size: number,
  among?: readonly string[] | undefined,
): Query<Page<TenantSummary>> {
  // Ids have only ASCII characters, and "~" is greater than all of theirs.
  const [id, part] = [text.toLowerCase(), fold(text)]
  return {
    statements: [
      TENANT.where(sql`id > ${after}${isAmong(among)} AND id BETWEEN ${id} AND ${`${id}~`} AND ${IS_HERE}
        ORDER BY id LIMIT ${size + 1}`),
      TENANT.where(sql`${IS_HERE}${isAmong(among)} ORDER BY id LIMIT ${SEARCHED_NAMES}`),
    ],
    read([byId, first]) {
      const named = TENANT.all(first).filter(
        (tenant) => tenant.id > after && fold(tenant.name).includes(part),
      )
      const all = new Map([...TENANT.all(byId), ...named].map((tenant) => [tenant.id, tenant]))
      const items = [...all.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1))
      return pageOfItems(items.slice(0, size + 1), size, (tenant) => tenant.id)
    },
  }
}

function isAmong(ids: readonly string[] | undefined): SQL {
  return ids === undefined
    ? sql.raw('')
    : sql` AND id IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`
}

/**
 * The tenant that the dashboard opens first: "default", or else the first one.
 *
 * @param among as for `tenantPageQuery`
 * @returns undefined without tenants
 */
export function firstTenantQuery(among?: readonly string[] | undefined): Query<string | undefined> {
  return {
    statements: [
      TENANT_ID.where(sql`id = 'default'${isAmong(among)}`),
      TENANT_ID.where(sql`true${isAmong(among)} ORDER BY id LIMIT 1`),
    ],
    read: ([usual, first]) => (TENANT_ID.first(usual) ?? TENANT_ID.first(first))?.id,
  }
}
