/**
 * Adds large resources, and groups with many members, by SQL: larger than requests allow, and faster.
 */
import { env } from 'cloudflare:workers'

export interface LargeUser {
  readonly id: string
  /** The length of the title. The row has about twice as many bytes. */
  readonly characters: number
}

/** Adds users with a userName, which equals the id, and a title of the given length. */
export async function addLargeUsers(tenantId: string, users: readonly LargeUser[]): Promise<void> {
  await env.DB.prepare(
    `WITH sized AS (SELECT value ->> 'id' AS id, substr(replace(hex(zeroblob((value ->> 'characters') / 2 + 1)), '0', 'x'), 1, value ->> 'characters') AS title FROM json_each(?2))
     INSERT INTO users (tenant_id, id, data, keys, version, created_at, last_modified)
     SELECT ?1, id, json_object('userName', id, 'title', title), json_object('userName', id, 'title', title), 1, 0, 0
     FROM sized`,
  )
    .bind(tenantId, JSON.stringify(users))
    .run()
}

/** Adds users with the given titles by id. */
export async function addUsersWithTitles(tenantId: string, titles: ReadonlyMap<string, string>) {
  await env.DB.prepare(
    `INSERT INTO users (tenant_id, id, data, keys, version, created_at, last_modified)
     SELECT ?1, key, json_object('userName', key, 'title', value), json_object('userName', key, 'title', value), 1, 0, 0
     FROM json_each(?2)`,
  )
    .bind(tenantId, JSON.stringify(Object.fromEntries(titles)))
    .run()
}

/** Adds a group. @param displayName the id by default */
export async function addGroup(tenantId: string, id: string, displayName = id) {
  await env.DB.prepare(
    `INSERT INTO groups (tenant_id, id, data, keys, version, created_at, last_modified)
     VALUES (?1, ?2, json_object('displayName', ?3), json_object('displayName', ?3), 1, 0, 0)`,
  )
    .bind(tenantId, id, displayName)
    .run()
}

/**
 * Adds the first users of a tenant to an empty group.
 *
 * @param kept the stored number of members, on which queries depend
 */
export async function addMembers(tenantId: string, groupId: string, count: number, kept = count) {
  await env.DB.prepare(
    `INSERT INTO memberships (tenant_id, group_id, member_id, member_type)
     SELECT ?1, ?2, id, 'User' FROM users WHERE tenant_id = ?1 ORDER BY id LIMIT ?3`,
  )
    .bind(tenantId, groupId, count)
    .run()
  await env.DB.prepare(`UPDATE groups SET member_count = ?3 WHERE tenant_id = ?1 AND id = ?2`)
    .bind(tenantId, groupId, kept)
    .run()
}

/** Adds groups, each with all users of the tenant, whose documents have about that many bytes. */
export async function addLargeGroups(tenantId: string, count: number, bytes: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const id = `large-${String(i).padStart(3, '0')}`
    await env.DB.prepare(
      `INSERT INTO groups (tenant_id, id, data, keys, version, created_at, last_modified)
       VALUES (?1, ?2, json_object('displayName', ?2, 'x', hex(zeroblob(?3 / 2))), json_object('displayName', ?2), 1, 0, 0)`,
    )
      .bind(tenantId, id, bytes)
      .run()
    await addMembers(tenantId, id, -1, 1)
  }
}
