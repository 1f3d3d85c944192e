/**
 * Tenants: one organisation's directory each. Made and deleted by the administrator.
 */
import { sql } from 'drizzle-orm'
import { type Database, type Statement, statement, UniqueError } from './database.ts'

/** The group limit of a new tenant: what Cisco documents for a directory. */
export const DEFAULT_GROUP_LIMIT = 200
/** Rows that one batch deletes: a tenant of any size is deleted without a batch running into D1's 30 seconds. */
const DELETE_CHUNK = 5_000

/** Counts are kept by the database, never counted. `createdAt` in milliseconds since 1970. */
export interface Tenant {
  readonly id: string
  readonly name: string
  readonly groupLimit: number
  readonly userCount: number
  readonly activeUserCount: number
  readonly groupCount: number
  readonly createdAt: number
}

const SELECT = sql`SELECT id, name, group_limit AS groupLimit, user_count AS userCount,
  active_user_count AS activeUserCount, group_count AS groupCount, created_at AS createdAt FROM tenants`

/** All tenants by id. */
export async function listTenants(db: Database): Promise<readonly Tenant[]> {
  const [result] = await db.batch([statement(sql`${SELECT} ORDER BY id`)])
  return (result?.rows ?? []) as unknown as readonly Tenant[]
}

export async function getTenant(db: Database, id: string): Promise<Tenant | undefined> {
  const [result] = await db.batch([statement(sql`${SELECT} WHERE id = ${id}`)])
  return result?.rows[0] as unknown as Tenant | undefined
}

/** @returns false when the id is taken */
export async function insertTenant(
  db: Database,
  tenant: Pick<Tenant, 'id' | 'name' | 'groupLimit' | 'createdAt'>,
): Promise<boolean> {
  try {
    await db.batch([
      statement(sql`INSERT INTO tenants (id, name, group_limit, created_at)
        VALUES (${tenant.id}, ${tenant.name}, ${tenant.groupLimit}, ${tenant.createdAt})`),
    ])
    return true
  } catch (error) {
    if (error instanceof UniqueError) return false
    throw error
  }
}

/** Changes name and group limit. A limit below the present number of groups only stops new ones. */
export async function updateTenant(
  db: Database,
  id: string,
  change: { readonly name?: string | undefined; readonly groupLimit?: number | undefined },
): Promise<Tenant | undefined> {
  const [, result] = await db.batch([
    statement(sql`UPDATE tenants SET name = coalesce(${change.name ?? null}, name),
      group_limit = coalesce(${change.groupLimit ?? null}, group_limit) WHERE id = ${id}`),
    statement(sql`${SELECT} WHERE id = ${id}`),
  ])
  return result?.rows[0] as unknown as Tenant | undefined
}

/**
 * Deletes a tenant with all that it holds. Its tokens go first, so nothing can be written meanwhile;
 * broken off in the middle, it can be called again.
 *
 * @returns false when there was no such tenant
 */
export async function deleteTenant(db: Database, id: string): Promise<boolean> {
  await db.batch([statement(sql`DELETE FROM tokens WHERE tenant_id = ${id}`)])
  for (const chunk of deleteChunks(id)) {
    let changes: number
    do changes = (await db.batch([chunk]))[0]?.changes ?? 0
    while (changes > 0)
  }
  const [result] = await db.batch([statement(sql`DELETE FROM tenants WHERE id = ${id}`)])
  // Rows that a trigger deletes with it are counted too.
  return (result?.changes ?? 0) > 0
}

/** Members before their groups and users, so that no trigger has much to do. */
function deleteChunks(id: string): readonly Statement[] {
  const chunk = (table: string, key: string) => {
    const name = sql.raw(table)
    const column = sql.raw(key)
    return statement(sql`DELETE FROM ${name} WHERE tenant_id = ${id} AND ${column} IN (
      SELECT ${column} FROM ${name} WHERE tenant_id = ${id} LIMIT ${DELETE_CHUNK})`)
  }
  return [
    statement(sql`DELETE FROM memberships WHERE tenant_id = ${id} AND (group_id, member_id) IN (
      SELECT group_id, member_id FROM memberships WHERE tenant_id = ${id} LIMIT ${DELETE_CHUNK})`),
    chunk('groups', 'id'),
    chunk('users', 'id'),
    chunk('provisioning_log', 'id'),
  ]
}
