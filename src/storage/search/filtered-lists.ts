/**
 * Lists of resources that an index finds by something else than a searched value: users that are inactive, members of a group,
 * what a client created or wrote last, and what open conflicts are about. All but the last are in the order of ids, which is that
 * of creation.
 */
import { sql } from 'drizzle-orm'
import { statement } from '../database/database.ts'
import type { Query } from '../database/query.ts'
import {
  itemColumns,
  itemFromRow,
  type ListedPage,
  type ListIndex,
  type ListPage,
  rangeQuery,
} from '../resources/directory-lists.ts'

/** The open conflicts that a list looks at, the oldest ones. */
const MAX_LISTED_CONFLICTS = 40

/** Users whose `active` is false. The type must have the attribute in `user_values`. */
export function inactiveQuery(page: ListPage): Query<ListedPage> {
  const number = page.type.table.values?.active?.number ?? 0
  // The bytes of "0", as the triggers store false.
  return rangeQuery(
    page,
    byId(page, { table: 'user_values', id: 'user_id' }),
    sql`attribute = ${number} AND value = x'30'`,
  )
}

/** Whether `user_values` lacks users of the tenant, so that lists by their values lack them too. */
export function areValuesMissingQuery(tenantId: string): Query<boolean> {
  return {
    statements: [
      statement(
        sql`SELECT configuration ->> '$.valuesMissing' IS NOT NULL AS isMissing FROM tenants WHERE id = ${tenantId}`,
      ),
    ],
    read: ([result]) => result?.rows[0]?.isMissing === 1,
  }
}

/** Members of a group that are of the type. */
export function membersOfQuery(page: ListPage, groupId: string): Query<ListedPage> {
  return rangeQuery(page, byId(page, { table: 'memberships', id: 'member_id' }), sql`group_id = ${groupId}`)
}

/** Resources that a client created or wrote last. The type must have sources: see ResourceTable. */
export function ofSourceQuery(page: ListPage, clientId: string): Query<ListedPage> {
  return rangeQuery(
    page,
    byId(page, { table: 'resource_sources', id: 'resource_id' }),
    sql`client_id = ${clientId} AND resource_type = ${page.type.name}`,
  )
}

/** Whether `resource_sources` may lack resources of the tenant, until the next sweep of its sources is complete. */
export function areSourcesMissingQuery(tenantId: string): Query<boolean> {
  return {
    statements: [statement(sql`SELECT unlisted FROM source_sweeps WHERE tenant_id = ${tenantId}`)],
    read: ([result]) => result?.rows[0]?.unlisted === 1,
  }
}

/** An index that has ids of resources in their order. */
function byId(
  { type, tenantId }: ListPage,
  { table, id }: { readonly table: string; readonly id: string },
): ListIndex {
  const [resources, key] = [sql.raw(type.table.name), sql.raw(`i.${id}`)]
  return {
    table: sql`${sql.raw(table)} AS i`,
    join: sql`CROSS JOIN ${resources} ON ${resources}.tenant_id = i.tenant_id AND ${resources}.id = ${key}`,
    where: sql`i.tenant_id = ${tenantId}`,
    id: key,
    key,
    row: undefined,
    toText: (text) => text,
    fromText: (text) => sql`${text}`,
  }
}

/** The resources of the oldest open conflicts, on one page. */
export function conflictingQuery({ type, tenantId }: ListPage): Query<ListedPage> {
  const oldest = sql`SELECT resource_id, other_resource_id FROM source_conflicts
    WHERE tenant_id = ${tenantId} AND state = 'open' ORDER BY first_seen_at LIMIT ${MAX_LISTED_CONFLICTS}`
  return {
    statements: [
      statement(sql`SELECT ${itemColumns(type)} FROM (SELECT DISTINCT found FROM (
          SELECT resource_id AS found FROM (${oldest}) UNION ALL SELECT other_resource_id FROM (${oldest})))
        CROSS JOIN ${sql.raw(type.table.name)} ON tenant_id = ${tenantId} AND id = found`),
    ],
    read: ([result]) => ({
      items: (result?.rows ?? []).map(itemFromRow),
      next: undefined,
      previous: undefined,
    }),
  }
}
