/**
 * Deleting a user or a group: one batch, whatever it belongs to.
 */
import { sql } from 'drizzle-orm'
import type { Preconditions } from '../scim/version.ts'
import { type Database, statement } from './database.ts'
import { type LogEntry, logStatement } from './provisioning-log.ts'
import { meetsPreconditions } from './resources.ts'
import { type Credentials, writeAs } from './tokens.ts'

/** What an administrator knows a resource by. */
const NAME = { users: 'userName', groups: 'displayName' } as const

/** What came of a deletion. */
export interface Deletion {
  /** The version of the resource; undefined when there was none. */
  readonly found: number | undefined
  readonly isDeleted: boolean
  /** Members of a group. */
  readonly members: number
  /** Of the documents of the resource. */
  readonly bytes: number
}

/**
 * Deletes a resource with its memberships. The groups that it was in get a new version.
 *
 * @param preconditions delete only when they hold
 */
export async function deleteResource(
  db: Database,
  credentials: Credentials,
  table: 'users' | 'groups',
  id: string,
  preconditions: Preconditions,
  log: LogEntry,
): Promise<Deletion> {
  const { tenantId, now } = credentials
  // An alias, because the memberships of a group change rows of the same table.
  const from = sql.raw(table)
  const members = sql.raw(table === 'groups' ? 'member_count' : '0')
  const isResource = sql`gone.tenant_id = ${tenantId} AND gone.id = ${id}`
  const isWanted = sql`${isResource} AND ${meetsPreconditions(sql`gone.version`, preconditions)}`
  const [found, , , deleted] = await writeAs(db, credentials, [
    statement(sql`SELECT version, ${members} AS members, octet_length(data) + octet_length(keys) AS bytes
      FROM ${from} AS gone WHERE ${isResource}`),
    logStatement(credentials, log, {
      join: sql`JOIN ${from} AS gone ON ${isWanted}`,
      resourceName: sql`gone.data ->> ${sql.raw(`'$.${NAME[table]}'`)}`,
    }),
    // Not itself, when it is its own member: it would no longer be at the version that is to be deleted.
    statement(sql`UPDATE groups SET version = version + 1, last_modified = max(last_modified, ${now}),
        member_count = member_count - 1
      WHERE tenant_id = ${tenantId} AND id <> ${id}
        AND id IN (SELECT group_id FROM memberships WHERE tenant_id = ${tenantId} AND member_id = ${id})
        AND EXISTS (SELECT 1 FROM ${from} AS gone WHERE ${isWanted})`),
    // The triggers delete its memberships, on both sides.
    statement(sql`DELETE FROM ${from} AS gone WHERE ${isWanted}`),
  ])
  const { version = null, members: count, bytes } = found?.rows[0] ?? {}
  return {
    found: version === null ? undefined : Number(version),
    isDeleted: (deleted?.changes ?? 0) > 0,
    members: Number(count ?? 0),
    bytes: Number(bytes ?? 0),
  }
}
