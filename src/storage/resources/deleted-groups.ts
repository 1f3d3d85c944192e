/**
 * Large groups that were deleted before their memberships: a group of 100,000 members is gone at once, and its
 * memberships are deleted afterwards, a chunk at a time. Until then, a membership does not imply its group. Most queries
 * read memberships together with their groups, and need nothing more; a query that does not must use isOfGroup.
 */
import { type Placeholder, type SQL, sql } from 'drizzle-orm'
import { fragment, type SqlFragment } from '../../scim/filter/sql-fragment.ts'
import { MAX_DELETED_GROUPS, MAX_DELETED_MEMBERSHIPS } from '../../scim/limits.ts'
import {
  countStatements,
  type Database,
  type SqlValue,
  type Statement,
  statement,
} from '../database/database.ts'
import { selection } from '../tables/selection.ts'
import { deletedGroups } from '../tables/tables.ts'
import { keptMembersStatement } from './tombstones.ts'

/** The condition on the membership `m` that its group exists. It reads no row while no deletion is pending. */
export function isOfGroup(tenantId: string): SqlFragment {
  return fragment`m.group_id NOT IN (SELECT id FROM deleted_groups WHERE tenant_id = ${tenantId})`
}

/** The condition on the group `gone` that it may be deleted: it is small, or few deletions are pending. */
export function hasRoomForDeletion(tenantId: SqlValue | Placeholder): SQL {
  return sql`(gone.member_count <= ${MAX_DELETED_MEMBERSHIPS}
    OR (SELECT count(*) FROM deleted_groups WHERE tenant_id = ${tenantId}) < ${MAX_DELETED_GROUPS})`
}

/** The statements of a chunk. */
export const CHUNK_STATEMENTS = 4

/**
 * Deletes memberships that deleted groups of a tenant have left.
 *
 * @param maxChunks at least one
 * @returns whether nothing is left
 */
export async function deleteLeftMemberships(
  db: Database,
  tenantId: string,
  maxChunks: number,
): Promise<boolean> {
  for (let chunks = 0; chunks < maxChunks; chunks++) {
    const results = await db.batch(chunkStatements(tenantId))
    if (results.at(-1)?.rows.length === 0) return true
  }
  return false
}

/** A membership is deleted only if its group does not exist, whatever the table of deleted groups says. */
function chunkStatements(tenantId: string): readonly Statement[] {
  const isDeleted = sql`NOT EXISTS (SELECT 1 FROM groups AS g WHERE g.tenant_id = d.tenant_id AND g.id = d.id)`
  const left = sql`FROM deleted_groups AS d
    CROSS JOIN memberships AS m ON m.tenant_id = d.tenant_id AND m.group_id = d.id
    WHERE d.tenant_id = ${tenantId} AND ${isDeleted} ORDER BY d.id, m.member_id LIMIT ${MAX_DELETED_MEMBERSHIPS}`
  return [
    keptMembersStatement(tenantId, left),
    statement(sql`DELETE FROM memberships WHERE tenant_id = ${tenantId} AND (group_id, member_id) IN (
      SELECT m.group_id, m.member_id ${left})`),
    statement(sql`DELETE FROM deleted_groups WHERE tenant_id = ${tenantId}
      AND id NOT IN (SELECT d.id FROM deleted_groups AS d WHERE d.tenant_id = ${tenantId} AND ${isDeleted}
        AND EXISTS (SELECT 1 FROM memberships AS m WHERE m.tenant_id = d.tenant_id AND m.group_id = d.id))`),
    statement(sql`SELECT 1 FROM deleted_groups WHERE tenant_id = ${tenantId} LIMIT 1`),
  ]
}

const DELETED = selection(deletedGroups, ['tenantId'])

/** Tenants with memberships of deleted groups: at most 20. */
export async function tenantsWithDeletedGroups(db: Database): Promise<readonly string[]> {
  const [found] = await db.batch([DELETED.where(sql`true GROUP BY tenant_id LIMIT 20`)])
  return DELETED.all(found).map(({ tenantId }) => tenantId)
}

/**
 * Deletes the memberships of deleted groups in all tenants of a database.
 *
 * @param maxStatements the limit for all of them together; the rest is left to the next call
 * @returns the ids of the tenants that are done
 */
export async function finishGroupDeletions(db: Database, maxStatements: number): Promise<readonly string[]> {
  const counted = countStatements(db)
  const chunks = () => Math.floor((maxStatements - counted.statements) / CHUNK_STATEMENTS)
  const done: string[] = []
  if (maxStatements <= CHUNK_STATEMENTS) return done
  for (const tenantId of await tenantsWithDeletedGroups(counted)) {
    if (chunks() < 1 || !(await deleteLeftMemberships(counted, tenantId, chunks()))) break
    done.push(tenantId)
  }
  return done
}
