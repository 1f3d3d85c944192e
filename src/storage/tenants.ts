/**
 * Tenants: one organisation's directory each. Made and deleted by the administrator.
 */
import { sql } from 'drizzle-orm'
import { type Database, type Row, type Statement, statement, UniqueError } from './database.ts'

/** The group limit of a new tenant: what Cisco documents for a directory. */
export const DEFAULT_GROUP_LIMIT = 200
/** Rows that one batch deletes: a tenant of any size is deleted without a batch running into D1's 30 seconds. */
const DELETE_CHUNK = 5_000

/** Counts are kept by the database, never counted. `createdAt` in milliseconds since 1970. */
export interface Tenant {
  readonly id: string
  readonly name: string
  readonly groupLimit: number
  /** Whether no two groups share a displayName, without regard to case. */
  readonly uniqueGroupNames: boolean
  readonly userCount: number
  readonly activeUserCount: number
  readonly groupCount: number
  readonly createdAt: number
}

const SELECT = sql`SELECT id, name, group_limit AS groupLimit, unique_group_names AS uniqueGroupNames,
  user_count AS userCount, active_user_count AS activeUserCount, group_count AS groupCount,
  created_at AS createdAt FROM tenants`

/** SQLite has no booleans. */
export function tenantFromRow<Selected extends Tenant>(row: Row): Selected {
  return { ...row, uniqueGroupNames: row.uniqueGroupNames === 1 } as unknown as Selected
}

/** All tenants by id. */
export async function listTenants(db: Database): Promise<readonly Tenant[]> {
  const [result] = await db.batch([statement(sql`${SELECT} ORDER BY id`)])
  return (result?.rows ?? []).map((row) => tenantFromRow(row))
}

export async function getTenant(db: Database, id: string): Promise<Tenant | undefined> {
  const [result] = await db.batch([statement(sql`${SELECT} WHERE id = ${id}`)])
  return result?.rows[0] && tenantFromRow(result.rows[0])
}

/** @returns false when the id is taken */
export async function insertTenant(
  db: Database,
  tenant: Pick<Tenant, 'id' | 'name' | 'groupLimit' | 'uniqueGroupNames' | 'createdAt'>,
): Promise<boolean> {
  try {
    await db.batch([
      statement(sql`INSERT INTO tenants (id, name, group_limit, unique_group_names, created_at)
        VALUES (${tenant.id}, ${tenant.name}, ${tenant.groupLimit}, ${Number(tenant.uniqueGroupNames)},
          ${tenant.createdAt})`),
    ])
    return true
  } catch (error) {
    if (error instanceof UniqueError) return false
    throw error
  }
}

/** What an administrator may change; what is undefined stays. */
export interface TenantChange {
  readonly name?: string | undefined
  readonly groupLimit?: number | undefined
  readonly uniqueGroupNames?: boolean | undefined
}

/** Several groups share a name, in a tenant whose group names are to be unique from now on. */
export class NamesakesError extends Error {
  /** How many names more than one group has. */
  readonly nameCount: number
  /** Some of those names, each as one of its groups has it. */
  readonly names: readonly Namesakes[]

  constructor(nameCount: number, names: readonly Namesakes[]) {
    super(`${nameCount} names of groups are not unique`)
    this.nameCount = nameCount
    this.names = names
  }
}

export interface Namesakes {
  readonly name: string
  readonly groupCount: number
}

/** Names that a NamesakesError lists. */
const MAX_LISTED_NAMES = 5

/**
 * Changes a tenant. A limit below the present number of groups only stops new ones.
 *
 * @returns undefined when there is no such tenant
 * @throws {NamesakesError} nothing is changed
 */
export async function updateTenant(
  db: Database,
  id: string,
  change: TenantChange,
): Promise<Tenant | undefined> {
  const unique = change.uniqueGroupNames === undefined ? null : Number(change.uniqueGroupNames)
  const namesakes = sql`SELECT display_name_key, count(*) AS groupCount, min(id) AS id FROM groups
    WHERE tenant_id = ${id} GROUP BY display_name_key HAVING count(*) > 1`
  const [updated, tenant, count, some] = await db.batch([
    statement(sql`UPDATE tenants SET name = coalesce(${change.name ?? null}, name),
      group_limit = coalesce(${change.groupLimit ?? null}, group_limit),
      unique_group_names = coalesce(${unique}, unique_group_names)
      WHERE id = ${id} AND (coalesce(${unique}, 0) = 0 OR unique_group_names OR NOT EXISTS (${namesakes}))`),
    statement(sql`${SELECT} WHERE id = ${id}`),
    ...(unique === 1
      ? [
          statement(sql`SELECT count(*) AS nameCount FROM (${namesakes})`),
          statement(sql`SELECT groups.data ->> '$.displayName' AS name, n.groupCount
            FROM (${namesakes} LIMIT ${MAX_LISTED_NAMES}) AS n
            JOIN groups ON groups.tenant_id = ${id} AND groups.id = n.id ORDER BY n.display_name_key`),
        ]
      : []),
  ])
  const [row] = tenant?.rows ?? []
  if (row === undefined) return undefined
  if (updated?.changes !== 0) return tenantFromRow(row)
  throw new NamesakesError(
    Number(count?.rows[0]?.nameCount),
    (some?.rows ?? []) as unknown as readonly Namesakes[],
  )
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
