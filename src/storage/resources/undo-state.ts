/** The present state of a resource whose changes are undone. */
import { sql } from 'drizzle-orm'
import { hasMembers } from '../../scim/schema/resource-type.ts'
import { statement } from '../database/database.ts'
import type { Query } from '../database/query.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'
import { StoredRow, storedColumns } from '../tables/stored-resources.ts'

/** @returns undefined if it does not exist */
export function presentQuery(
  type: StoredResourceType,
  tenantId: string,
  id: string,
): Query<{ readonly row: StoredRow; readonly groups: number; readonly members: number } | undefined> {
  const members = sql.raw(hasMembers(type) ? 'member_count' : '0')
  return {
    statements: [
      statement(sql`SELECT ${storedColumns(type.table)}, ${members} AS members,
          (SELECT count(*) FROM (SELECT 1 FROM memberships AS m CROSS JOIN groups AS g ON g.tenant_id = m.tenant_id AND g.id = m.group_id
            WHERE m.tenant_id = ${tenantId} AND m.member_id = ${id} LIMIT 1)) AS inGroups
        FROM ${sql.raw(type.table.name)} WHERE tenant_id = ${tenantId} AND id = ${id}`),
    ],
    read: ([found]) => {
      const row = found?.rows[0]
      return row && { row: new StoredRow(row), groups: Number(row.inGroups), members: Number(row.members) }
    },
  }
}

/** Which of these ids are members of a group, and which exist as users or groups. */
export function membershipStateQuery(
  tenantId: string,
  groupId: string,
  ids: readonly string[],
): Query<{ readonly present: ReadonlySet<string>; readonly existing: ReadonlySet<string> }> {
  const isThere = (table: string) =>
    sql`EXISTS (SELECT 1 FROM ${sql.raw(table)} AS r WHERE r.tenant_id = ${tenantId} AND r.id = j.value)`
  return {
    statements: [
      statement(sql`SELECT json_group_array(j.value) FILTER (WHERE EXISTS (SELECT 1 FROM memberships AS m
            WHERE m.tenant_id = ${tenantId} AND m.group_id = ${groupId} AND m.member_id = j.value)) AS present,
          json_group_array(j.value) FILTER (WHERE ${isThere('users')} OR ${isThere('groups')}) AS existing
        FROM json_each(${JSON.stringify(ids)}) AS j`),
    ],
    read: ([found]) => ({
      present: new Set<string>(JSON.parse(String(found?.rows[0]?.present ?? '[]'))),
      existing: new Set<string>(JSON.parse(String(found?.rows[0]?.existing ?? '[]'))),
    }),
  }
}
