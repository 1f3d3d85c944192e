/**
 * User resources in the database. Each function is one batch with the token checked in it.
 */
import { sql } from 'drizzle-orm'
import type { Complex } from '../scim/comparison.ts'
import { USER_RESOURCE_TYPE } from '../scim/schema/resource-type.ts'
import { type Database, prepared, type Row, type Slots } from './database.ts'
import type { NestedGroups } from './nested-groups.ts'
import { guardingLogStatement, type LogEntry } from './provisioning-log.ts'
import { rememberUser } from './recent-users.ts'
import { type Documents, encodeResource, type Stored, StoredRow, storedColumns } from './resources.ts'
import { type Credentials, readAs, readAsWriters, writeGuarded } from './tokens.ts'

const OF_USER = sql`m.tenant_id = users.tenant_id AND m.member_id = users.id`

/** JSON, in the order of their ids, which is that of the index by member. */
export const DIRECT_GROUPS = sql`(
  SELECT json_group_array(json_object('value', g.id, 'display', g.data ->> '$.displayName', 'type', 'direct'))
  FROM memberships AS m CROSS JOIN groups AS g ON g.tenant_id = m.tenant_id AND g.id = m.group_id WHERE ${OF_USER})`

/**
 * Upwards from the direct ones through the groups that they are members of; a group is visited once, so a cycle
 * ends, and the cost is bounded by the number of groups. CROSS JOIN keeps the order: SQLite would rather look
 * through all memberships of the tenant for each step.
 */
const ALL_GROUPS = sql`(
  WITH RECURSIVE up(id) AS (
    SELECT m.group_id FROM memberships AS m WHERE ${OF_USER}
    UNION SELECT m.group_id FROM up CROSS JOIN memberships AS m ON m.tenant_id = users.tenant_id AND m.member_id = up.id)
  SELECT json_group_array(json_object('value', g.id, 'display', g.data ->> '$.displayName', 'type',
    iif(EXISTS (SELECT 1 FROM memberships AS d
      WHERE d.tenant_id = g.tenant_id AND d.group_id = g.id AND d.member_id = users.id), 'direct', 'indirect'))
    ORDER BY g.id)
  FROM up CROSS JOIN groups AS g ON g.tenant_id = users.tenant_id AND g.id = up.id)`

/**
 * The groups of one user as JSON, in one column. NULL without any. Going through nested groups takes four times as long,
 * and most tenants have none: an index knows. For a page of users see nested-groups.ts.
 */
export const USER_GROUPS = sql`CASE
  WHEN NOT EXISTS (SELECT 1 FROM memberships AS m WHERE ${OF_USER}) THEN NULL
  WHEN EXISTS (SELECT 1 FROM memberships AS n WHERE n.tenant_id = users.tenant_id AND n.member_type = 'Group')
    THEN ${ALL_GROUPS}
  ELSE ${DIRECT_GROUPS} END`

/**
 * The attribute `groups` of a row; nothing when there are none.
 *
 * @param row has USER_GROUPS, or DIRECT_GROUPS when it comes with `nested`
 */
export function groupsFromRow(row: Row | undefined, nested?: NestedGroups): { groups?: readonly unknown[] } {
  if (typeof row?.groups !== 'string') return {}
  const groups = nested?.groupsOf(row.groups) ?? (JSON.parse(row.groups) as unknown[])
  return groups.length === 0 ? {} : { groups }
}

/** @returns the user, which is remembered from now on */
function seen({ tenantId }: Credentials, user: StoredRow): StoredRow {
  rememberUser(tenantId, user)
  return user
}

const selectUser = prepared(
  ({ tenantId, id }: Slots<'tenantId' | 'id'>) =>
    sql`SELECT ${storedColumns('users')} FROM users WHERE tenant_id = ${tenantId} AND id = ${id}`,
)

const selectUserWithGroups = prepared(
  ({ tenantId, id }: Slots<'tenantId' | 'id'>) =>
    sql`SELECT ${storedColumns('users')}, ${USER_GROUPS} AS groups FROM users
      WHERE tenant_id = ${tenantId} AND id = ${id}`,
)

/** @param withGroups whether `groups` is wanted: it costs a read for each */
export async function getUser(
  db: Database,
  credentials: Credentials,
  id: string,
  withGroups: boolean,
): Promise<Stored | undefined> {
  const select = withGroups ? selectUserWithGroups : selectUser
  const [found] = await readAs(db, credentials, [select({ tenantId: credentials.tenantId, id })])
  const row = found?.rows[0]
  return row && seen(credentials, new StoredRow(row, groupsFromRow(row)))
}

const selectNamesake = prepared(
  ({ tenantId, id, key }: Slots<'tenantId' | 'id' | 'key'>) =>
    sql`SELECT id FROM users WHERE tenant_id = ${tenantId} AND user_name_key = ${key} AND id <> ${id}`,
)

/**
 * Loads a user in order to change it.
 *
 * @param userNameKey the folded userName that the change would give it, if any
 * @returns the user with its groups, and whether another user has that userName
 * @throws {ScimError} 401, or 403 when the token may only read
 */
export async function loadUser(
  db: Database,
  credentials: Credentials,
  id: string,
  userNameKey: string | undefined,
): Promise<{ user: StoredRow | undefined; isNameTaken: boolean }> {
  const { tenantId } = credentials
  const { results, refusals } = await readAsWriters(
    db,
    [credentials],
    [
      selectUserWithGroups({ tenantId, id }),
      ...(userNameKey === undefined ? [] : [selectNamesake({ tenantId, id, key: userNameKey })]),
    ],
  )
  if (refusals[0] !== undefined) throw refusals[0]
  const [found, taken] = results
  const row = found?.rows[0]
  return { user: row && new StoredRow(row, groupsFromRow(row)), isNameTaken: (taken?.rows.length ?? 0) > 0 }
}

const insert = prepared(
  ({ tenantId, id, data, keys, now }: Slots<'tenantId' | 'id' | 'data' | 'keys' | 'now'>) =>
    sql`INSERT INTO users (tenant_id, id, data, keys, version, created_at, last_modified)
      VALUES (${tenantId}, ${id}, ${data}, ${keys}, 1, ${now}, ${now})`,
)

/** Stores a new user at version 1. @throws {UniqueError} when the userName is taken */
export async function insertUser(
  db: Database,
  credentials: Credentials,
  { id, resource }: Pick<Stored, 'id' | 'resource'>,
  log: LogEntry,
): Promise<Stored> {
  const { tenantId, now } = credentials
  const { data, keys } = encodeUser(resource)
  const guard = guardingLogStatement(credentials, log)
  await writeGuarded(db, [credentials], [guard], [insert({ tenantId, id, data, keys, now })])
  return seen(credentials, new StoredRow({ id, version: 1, createdAt: now, lastModified: now, data }))
}

/** @throws {ScimError} invalidValue when the row would be larger than the database holds */
export function encodeUser(resource: Complex): Documents {
  return encodeResource(resource, USER_RESOURCE_TYPE)
}

type UpdateSlot = 'tenantId' | 'id' | 'version' | 'data' | 'keys' | 'lastModified'

const update = prepared(
  ({ tenantId, id, version, data, keys, lastModified }: Slots<UpdateSlot>) =>
    sql`UPDATE users SET data = ${data}, keys = ${keys}, version = version + 1, last_modified = ${lastModified}
      WHERE tenant_id = ${tenantId} AND id = ${id} AND version = ${version} RETURNING ${USER_GROUPS} AS groups`,
)

/**
 * Stores a changed user at the next version.
 *
 * @param before the user as it was read, however long ago
 * @returns the user with its groups
 * @throws {GuardError} "stale version" when the database holds another user by now, whatever its version says
 * @throws {UniqueError} when the userName is taken
 */
export async function updateUser(
  db: Database,
  credentials: Credentials,
  before: StoredRow,
  { data, keys, lastModified }: Documents & Pick<Stored, 'lastModified'>,
  log: LogEntry,
): Promise<Stored> {
  const { tenantId } = credentials
  const { id, version, createdAt } = before
  const guard = guardingLogStatement(credentials, log, before)
  const change = update({ tenantId, id, version, data, keys, lastModified })
  const [found] = await writeGuarded(db, [credentials], [guard], [change])
  const row = { id, version: version + 1, createdAt, lastModified, data }
  return seen(credentials, new StoredRow(row, groupsFromRow(found?.rows[0])))
}
