/**
 * Adds thousands of users, memberships and log entries to a tenant by SQL, to test that the reads of a request do not
 * depend on the number of other rows.
 */
import { env } from 'cloudflare:workers'

/** Adds users with only a userName, which equals the id. @returns the ids */
export async function addCrowd(
  tenantId: string,
  count: number,
  newId: (number: number) => string = (number) => `crowd-${number}`,
): Promise<readonly string[]> {
  const ids = Array.from({ length: count }, (_, number) => newId(number))
  await env.DB.prepare(
    `INSERT INTO users (tenant_id, id, data, keys, version, created_at, last_modified)
     SELECT ?1, value, json_object('userName', value), json_object('userName', value), 1, 0, 0 FROM json_each(?2)`,
  )
    .bind(tenantId, JSON.stringify(ids))
    .run()
  return ids
}

/** Adds members to a group without changing its version. */
export async function addToGroup(tenantId: string, groupId: string, userIds: readonly string[]) {
  await env.DB.prepare(
    `INSERT INTO memberships (tenant_id, group_id, member_id, member_type)
     SELECT ?1, ?2, value, 'User' FROM json_each(?3)`,
  )
    .bind(tenantId, groupId, JSON.stringify(userIds))
    .run()
}

/** Adds log entries with the same time. @param time milliseconds since 1970 */
export async function addLogEntries(tenantId: string, count: number, time: number) {
  const hex = time.toString(16).padStart(12, '0')
  const start = `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-`
  const ids = Array.from({ length: count }, (_, i) => `${start}${String(i).padStart(12, '0')}`)
  await env.DB.prepare(
    `INSERT INTO provisioning_log (tenant_id, id, time, token_id, action, outcome, resource_type, status, changes,
       ignored, request_id)
     SELECT ?1, value, ?2, 'token', 'update', 'accepted', 'User', 200, '[]', '[]', 'request' FROM json_each(?3)`,
  )
    .bind(tenantId, time, JSON.stringify(ids))
    .run()
}

/** Adds groups with only a displayName, which equals the id. @returns the ids */
export async function addGroups(tenantId: string, count: number): Promise<readonly string[]> {
  const ids = Array.from({ length: count }, (_, number) => `group-${number}`)
  await env.DB.prepare(
    `INSERT INTO groups (tenant_id, id, data, keys, version, created_at, last_modified)
     SELECT ?1, value, json_object('displayName', value), json_object('displayName', value), 1, 0, 0
     FROM json_each(?2)`,
  )
    .bind(tenantId, JSON.stringify(ids))
    .run()
  return ids
}

/** Makes each group a member of all others, up to the given number of memberships. */
export async function nestGroups(tenantId: string, ids: readonly string[], count: number): Promise<void> {
  const pairs = ids.flatMap((outer) => ids.flatMap((inner) => (outer === inner ? [] : [[outer, inner]])))
  await env.DB.prepare(
    `INSERT INTO memberships (tenant_id, group_id, member_id, member_type)
     SELECT ?1, value ->> 0, value ->> 1, 'Group' FROM json_each(?2)`,
  )
    .bind(tenantId, JSON.stringify(pairs.slice(0, count)))
    .run()
}
