/** The present state of a resource whose changes are undone. */
import { type SQL, sql } from 'drizzle-orm'
import { hasMembers } from '../../scim/schema/resource-type.ts'
import { type Row, statement } from '../database/database.ts'
import type { Query } from '../database/query.ts'
import type { UndoWindow } from '../events/undo.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'
import { StoredRow, storedColumns } from '../tables/stored-resources.ts'

/** A resource, and whether a group has it as a member. */
export interface PresentResource {
  readonly row: StoredRow
  readonly isMember: boolean
}

/** @returns undefined if it does not exist */
export function presentQuery(
  type: StoredResourceType,
  tenantId: string,
  id: string,
): Query<PresentResource | undefined> {
  return {
    statements: [
      statement(sql`SELECT ${storedColumns(type.table)},
          EXISTS (SELECT 1 FROM memberships AS m CROSS JOIN groups AS g ON g.tenant_id = m.tenant_id AND g.id = m.group_id
            WHERE m.tenant_id = ${tenantId} AND m.member_id = ${id}) AS isMember
        FROM ${sql.raw(type.table.name)} WHERE tenant_id = ${tenantId} AND id = ${id}`),
    ],
    read: ([found]) => {
      const row = found?.rows[0]
      return row && { row: new StoredRow(row), isMember: row.isMember === 1 }
    },
  }
}

/** What keeps a resource from existing with a name. */
export interface Obstacles {
  /** Another resource that has the name; undefined if none has, or if names need not be unique. */
  readonly holder: string | undefined
  /** Whether the tenant has no room for another group. */
  readonly isFull: boolean
}

/** @param key the name in comparison form; undefined if the type has no unique name */
export function obstaclesQuery(
  type: StoredResourceType,
  { tenantId, id, key }: { readonly tenantId: string; readonly id: string; readonly key: string | undefined },
): Query<Obstacles> {
  const isFull = hasMembers(type) ? sql`t.group_count >= t.group_limit` : sql`false`
  return {
    statements: [
      statement(sql`SELECT ${isFull} AS isFull, ${holderOf(type, { tenantId, id, key })} AS holder
        FROM tenants AS t WHERE t.id = ${tenantId}`),
    ],
    read: ([found]) => ({
      holder: found?.rows[0]?.holder == null ? undefined : String(found.rows[0].holder),
      isFull: found?.rows[0]?.isFull === 1,
    }),
  }
}

/** Another resource that has a name, as an expression; null if names need not be unique. */
export function holderOf(
  type: StoredResourceType,
  { tenantId, id, key }: { readonly tenantId: string; readonly id: string; readonly key: string | undefined },
): SQL {
  const { name, columns, uniqueColumn } = type.table
  const column = sql.raw(uniqueColumn ?? columns[type.nameAttribute]?.sql ?? 'NULL')
  const isUnique = hasMembers(type)
    ? sql`(SELECT unique_group_names FROM tenants WHERE id = ${tenantId})`
    : sql`true`
  return sql`(SELECT id FROM ${sql.raw(name)}
    WHERE tenant_id = ${tenantId} AND ${column} = ${key ?? null} AND id <> ${id} AND ${isUnique} LIMIT 1)`
}

/** The state of ids that are, or were, members of a group. */
export interface MembershipState {
  /** The members. */
  readonly present: ReadonlySet<string>
  /** The users and groups that exist. */
  readonly existing: ReadonlySet<string>
  /** Those that the client deleted within the window, and that are kept. */
  readonly kept: ReadonlySet<string>
}

/** Which of some members a group has now, which exist, and which were deleted in the window and are kept. */
export function membershipStateQuery(
  tenantId: string,
  groupId: string,
  ids: readonly string[],
  { clientId, from, to }: UndoWindow,
): Query<MembershipState> {
  const set = (row: Row | undefined, name: string) => new Set<string>(JSON.parse(String(row?.[name] ?? '[]')))
  const isThere = (table: string) =>
    sql`EXISTS (SELECT 1 FROM ${sql.raw(table)} AS r WHERE r.tenant_id = ${tenantId} AND r.id = j.value)`
  return {
    statements: [
      statement(sql`SELECT json_group_array(j.value) FILTER (WHERE EXISTS (SELECT 1 FROM memberships AS m
            WHERE m.tenant_id = ${tenantId} AND m.group_id = ${groupId} AND m.member_id = j.value)) AS present,
          json_group_array(j.value) FILTER (WHERE ${isThere('users')} OR ${isThere('groups')}) AS existing,
          json_group_array(j.value) FILTER (WHERE EXISTS (SELECT 1 FROM tombstones AS t WHERE t.tenant_id = ${tenantId}
            AND t.id = j.value AND t.client_id = ${clientId} AND t.deleted_at BETWEEN ${from} AND ${to})) AS kept
        FROM json_each(${JSON.stringify(ids)}) AS j`),
    ],
    read: ([found]) => {
      const row = found?.rows[0]
      return { present: set(row, 'present'), existing: set(row, 'existing'), kept: set(row, 'kept') }
    },
  }
}
