/**
 * Reads and removes what a restore needs: the memberships of a deleted resource, a part at a time.
 */
import { sql } from 'drizzle-orm'
import { administratorId } from '../access/administrator.ts'
import { type Database, type Statement, statement } from '../database/database.ts'
import type { Query } from '../database/query.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'

/** A part of the memberships of a deleted resource. */
export interface KeptMemberships {
  readonly kind: 'members' | 'groups'
  readonly first: string
  /** Ids of the other side. */
  readonly ids: readonly string[]
  /** Those that exist. */
  readonly existing: readonly string[]
}

/** The next part of the memberships. */
export function keptMembershipsQuery(tenantId: string, id: string): Query<KeptMemberships | undefined> {
  const isThere = (table: string) =>
    sql`EXISTS (SELECT 1 FROM ${sql.raw(table)} AS r WHERE r.tenant_id = ${tenantId} AND r.id = j.value)`
  return {
    statements: [
      statement(sql`SELECT kind, first, ids, (
          SELECT json_group_array(j.value) FROM json_each(m.ids) AS j
          WHERE ${isThere('groups')} OR (m.kind = 'members' AND ${isThere('users')})) AS existing
        FROM tombstone_memberships AS m WHERE m.tenant_id = ${tenantId} AND m.id = ${id} ORDER BY kind, first LIMIT 1`),
    ],
    read: ([found]) => {
      const row = found?.rows[0]
      if (row === undefined) return undefined
      const kind = row.kind === 'groups' ? 'groups' : 'members'
      return {
        kind,
        first: String(row.first),
        ids: JSON.parse(String(row.ids)),
        existing: JSON.parse(String(row.existing)),
      }
    },
  }
}

/** Keeps only some ids of a part. @param left none: the part is removed */
export async function keepMemberships(
  db: Database,
  { tenantId, id }: { readonly tenantId: string; readonly id: string },
  { kind, first }: Pick<KeptMemberships, 'kind' | 'first'>,
  left: readonly string[],
): Promise<void> {
  const isPart = sql`tenant_id = ${tenantId} AND id = ${id} AND kind = ${kind} AND first = ${first}`
  await db.batch([
    left.length === 0
      ? statement(sql`DELETE FROM tombstone_memberships WHERE ${isPart}`)
      : statement(sql`UPDATE tombstone_memberships SET ids = ${JSON.stringify(left)} WHERE ${isPart}`),
  ])
}

/** Removes the memberships of one kind. */
export function removeMemberships(tenantId: string, id: string, kind: KeptMemberships['kind']): Statement {
  return statement(
    sql`DELETE FROM tombstone_memberships WHERE tenant_id = ${tenantId} AND id = ${id} AND kind = ${kind}`,
  )
}

/** Gives a restored resource its source back: the administrator who restores it is not one. */
export function restoreSource({ table }: StoredResourceType, tenantId: string, id: string): Statement {
  const source = sql`(SELECT created_by FROM tombstones WHERE tenant_id = ${tenantId} AND id = ${id})`
  return statement(sql`UPDATE ${sql.raw(table.name)} SET created_by = ${source}
    WHERE tenant_id = ${tenantId} AND id = ${id} AND created_by = ${administratorId(tenantId)}
      AND EXISTS (SELECT 1 FROM tombstones WHERE tenant_id = ${tenantId} AND id = ${id})`)
}

/**
 * The number of groups that had a deleted resource as a member, of its own members, and whether more of these are still
 * being moved to its tombstone.
 */
export function restoreSizeQuery(
  tenantId: string,
  id: string,
): Query<{ readonly groups: number; readonly members: number; readonly isPending: boolean }> {
  return {
    statements: [
      statement(sql`SELECT coalesce(sum(json_array_length(ids)) FILTER (WHERE kind = 'groups'), 0) AS groups,
          coalesce(sum(json_array_length(ids)) FILTER (WHERE kind = 'members'), 0) AS members,
          EXISTS (SELECT 1 FROM deleted_groups WHERE tenant_id = ${tenantId} AND id = ${id}) AS pending
        FROM tombstone_memberships WHERE tenant_id = ${tenantId} AND id = ${id}`),
    ],
    read: ([found]) => ({
      groups: Number(found?.rows[0]?.groups ?? 0),
      members: Number(found?.rows[0]?.members ?? 0),
      isPending: found?.rows[0]?.pending === 1,
    }),
  }
}

/** Another resource with the name of a deleted one. @param key the name in comparison form */
export function nameHolderQuery(
  tenantId: string,
  { table: { name, columns }, nameAttribute }: StoredResourceType,
  key: string,
): Query<string | undefined> {
  const column = sql.raw(columns[nameAttribute]?.sql ?? 'NULL')
  return {
    statements: [
      statement(
        sql`SELECT id FROM ${sql.raw(name)} WHERE tenant_id = ${tenantId} AND ${column} = ${key} LIMIT 1`,
      ),
    ],
    read: ([found]) => (found?.rows[0] === undefined ? undefined : String(found.rows[0].id)),
  }
}
