/**
 * Group resources in the database. Each function is one batch with the token checked in it. The members
 * of a group are read only when they are asked for.
 */
import { sql } from 'drizzle-orm'
import type { Complex } from '../scim/comparison.ts'
import type { Member } from '../scim/patch/members.ts'
import { GROUP_RESOURCE_TYPE } from '../scim/schema/resource-type.ts'
import { type Database, type Row, type Statement, statement } from './database.ts'
import {
  deleteMembers,
  insertMembers,
  memberFromRow,
  type NamedMember,
  namedMemberFromRow,
  selectMembers,
  selectNamedMembers,
} from './memberships.ts'
import { type LogEntry, logStatement } from './provisioning-log.ts'
import { encodeResource, STALE_GUARD, type Stored, storedColumns, storedFromRow } from './resources.ts'
import { type Credentials, readAs, writeAs } from './tokens.ts'

function selectGroup(tenantId: string, id: string): Statement {
  return statement(
    sql`SELECT ${storedColumns('groups')} FROM groups WHERE tenant_id = ${tenantId} AND id = ${id}`,
  )
}

function groupFromRow(row: Row, members: readonly Member[]): Stored {
  return storedFromRow(row, members.length === 0 ? {} : { members })
}

/** @param withMembers whether `members` is wanted: it costs a read for each */
export async function getGroup(
  db: Database,
  credentials: Credentials,
  id: string,
  withMembers: boolean,
): Promise<Stored | undefined> {
  const { tenantId } = credentials
  const [found, members] = await readAs(db, credentials, [
    selectGroup(tenantId, id),
    ...(withMembers ? [statement(selectMembers(tenantId, sql`= ${id}`))] : []),
  ])
  const row = found?.rows[0]
  return row && groupFromRow(row, (members?.rows ?? []).map(memberFromRow))
}

/** What a group write has to know before it can decide. */
export interface GroupLoad {
  readonly id: string
  /** The folded displayName that the write would give the group, if any. */
  readonly displayNameKey?: string | undefined
  /** Ids that the write names as members. */
  readonly memberIds: readonly string[]
  /** Whether the whole list is needed: to replace it, or to select from it. */
  readonly allMembers: boolean
}

export interface LoadedGroup {
  /** Undefined when there is none. Without members. */
  readonly group: Stored | undefined
  readonly isNameTaken: boolean
  readonly groupCount: number
  readonly groupLimit: number
  /** Those of `memberIds` that exist, by id. */
  readonly named: ReadonlyMap<string, NamedMember>
  /** All members when they were asked for, else those among `memberIds`. */
  readonly members: readonly Member[]
}

/** Loads what a group write needs. @throws {ScimError} 401, or 403 when the token may only read */
export async function loadGroup(
  db: Database,
  credentials: Credentials,
  load: GroupLoad,
): Promise<LoadedGroup> {
  const { tenantId } = credentials
  const [found, taken, tenant, named, all] = await writeAs(db, credentials, [
    selectGroup(tenantId, load.id),
    statement(sql`SELECT id FROM groups
      WHERE tenant_id = ${tenantId} AND display_name_key = ${load.displayNameKey ?? null} AND id <> ${load.id}`),
    statement(sql`SELECT group_count AS count, group_limit AS "limit" FROM tenants WHERE id = ${tenantId}`),
    selectNamedMembers(tenantId, load.id, load.memberIds),
    ...(load.allMembers ? [statement(selectMembers(tenantId, sql`= ${load.id}`))] : []),
  ])
  const row = found?.rows[0]
  const namedMembers = (named?.rows ?? []).map(namedMemberFromRow)
  return {
    group: row && storedFromRow(row),
    isNameTaken: (taken?.rows.length ?? 0) > 0,
    groupCount: Number(tenant?.rows[0]?.count ?? 0),
    groupLimit: Number(tenant?.rows[0]?.limit ?? 0),
    named: new Map(namedMembers.map((entry) => [entry.member.value, entry])),
    members: load.allMembers
      ? (all?.rows ?? []).map(memberFromRow)
      : namedMembers.filter((entry) => entry.isMember).map((entry) => entry.member),
  }
}

/**
 * Stores a new group at version 1 with its members.
 *
 * @throws {GuardError} "group limit", whatever the caller believed; "unknown member"
 * @throws {UniqueError} when the displayName is taken
 */
export async function insertGroup(
  db: Database,
  credentials: Credentials,
  group: Pick<Stored, 'id' | 'createdAt' | 'resource'> & { readonly members: readonly Member[] },
  log: LogEntry,
): Promise<void> {
  const { tenantId } = credentials
  const { id, createdAt, members } = group
  const { data, keys } = encodeResource(group.resource, GROUP_RESOURCE_TYPE)
  await writeAs(db, credentials, [
    statement(sql`INSERT INTO groups (tenant_id, id, data, keys, version, created_at, last_modified, member_count)
      VALUES (${tenantId}, ${id}, ${data}, ${keys}, 1, ${createdAt}, ${createdAt}, ${members.length})`),
    ...insertMembers(tenantId, id, members),
    logStatement(credentials, log),
  ])
}

/** A changed group: its attributes, and the members to add and remove. */
export interface GroupUpdate {
  readonly resource: Complex
  readonly lastModified: number
  readonly added: readonly Member[]
  readonly removed: readonly string[]
}

/**
 * Stores a changed group at the next version.
 *
 * @throws {GuardError} "stale version" when someone else changed or deleted it since; "unknown member"
 * @throws {UniqueError} when the displayName is taken
 */
export async function updateGroup(
  db: Database,
  credentials: Credentials,
  before: Stored,
  { resource, lastModified, added, removed }: GroupUpdate,
  log: LogEntry,
): Promise<void> {
  const { tenantId } = credentials
  const { id, version } = before
  const { data, keys } = encodeResource(resource, GROUP_RESOURCE_TYPE)
  await writeAs(db, credentials, [
    statement(sql`UPDATE groups SET data = ${data}, keys = ${keys}, version = version + 1,
      last_modified = ${lastModified}, member_count = member_count + ${added.length - removed.length}
      WHERE tenant_id = ${tenantId} AND id = ${id} AND version = ${version}`),
    STALE_GUARD,
    ...deleteMembers(tenantId, id, removed),
    ...insertMembers(tenantId, id, added),
    logStatement(credentials, log),
  ])
}
