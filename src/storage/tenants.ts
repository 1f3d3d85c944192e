/**
 * Tenants: one organisation's directory each. Made and deleted by the administrator.
 */
import { sql } from 'drizzle-orm'
import type { ProfileName } from '../scim/profile.ts'
import {
  countStatements,
  type Database,
  type Row,
  type Statement,
  statement,
  UniqueError,
} from './database.ts'
import type { StoredResourceType } from './resource-tables.ts'
import type { tenants } from './tables.ts'
import type { TenantConfiguration } from './tenant-context.ts'
import { removeUnusedTenant } from './tenant-copy.ts'

/** The group limit of a new tenant: what Cisco documents for a directory. */
export const DEFAULT_GROUP_LIMIT = 200
/** Rows that one batch deletes: a tenant of any size is deleted without a batch running into D1's 30 seconds. */
const DELETE_CHUNK = 5_000
/** Batches of one request that deletes: fewer than MAX_QUERIES_FREE, with what is asked before and after them. */
const MAX_DELETE_BATCHES = 40

export type TenantState = (typeof tenants.$inferSelect)['state']

/** Counts are kept by the database, never counted. `createdAt` in milliseconds since 1970. */
export interface Tenant {
  readonly id: string
  readonly name: string
  readonly groupLimit: number
  /** Whether no two groups share a displayName, without regard to case. */
  readonly uniqueGroupNames: boolean
  /** How far it deviates from the RFCs for its clients. */
  readonly profile: ProfileName
  readonly userCount: number
  readonly activeUserCount: number
  readonly groupCount: number
  readonly membershipCount: number
  readonly createdAt: number
  /** Clients are let in when it is "ready". */
  readonly state: TenantState
  /** Lines of the file that are in, while it is "importing"; else null. */
  readonly importedLines: number | null
}

/** SQLite has no booleans. */
export function tenantFromRow<Selected extends Tenant>(row: Row): Selected {
  return { ...row, uniqueGroupNames: row.uniqueGroupNames === 1 } as unknown as Selected
}
/** The columns of a tenant. */
export const TENANT_COLUMNS = sql`id, name, group_limit AS groupLimit,
  unique_group_names AS uniqueGroupNames, coalesce(configuration ->> '$.profile', 'tolerant') AS profile, user_count AS userCount,
  active_user_count AS activeUserCount, group_count AS groupCount, membership_count AS membershipCount,
  created_at AS createdAt, state, imported_lines AS importedLines`

const SELECT = sql`SELECT ${TENANT_COLUMNS} FROM tenants`

/** All tenants by id. */
export async function listTenants(db: Database): Promise<readonly Tenant[]> {
  const [result] = await db.batch([statement(sql`${SELECT} ORDER BY id`)])
  return (result?.rows ?? []).map((row) => tenantFromRow(row))
}

export async function getTenant(db: Database, id: string): Promise<Tenant | undefined> {
  const [result] = await db.batch([statement(sql`${SELECT} WHERE id = ${id}`)])
  return result?.rows[0] && tenantFromRow(result.rows[0])
}

/** A tenant that is to be made. */
export type NewTenant = Pick<Tenant, 'id' | 'name' | 'groupLimit' | 'uniqueGroupNames' | 'createdAt'>

/** @returns false when the id is taken, in this database or, as the catalogue says, in another one */
export async function insertTenant(db: Database, tenant: NewTenant): Promise<boolean> {
  try {
    const [inserted] = await db.batch([
      statement(sql`INSERT INTO tenants (id, name, group_limit, unique_group_names, created_at)
        SELECT ${tenant.id}, ${tenant.name}, ${tenant.groupLimit}, ${Number(tenant.uniqueGroupNames)},
          ${tenant.createdAt} WHERE NOT EXISTS (SELECT 1 FROM tenant_locations WHERE tenant_id = ${tenant.id})`),
    ])
    return inserted?.changes !== 0
  } catch (error) {
    if (error instanceof UniqueError) return false
    throw error
  }
}

/**
 * Makes a tenant in a database other than the first one, whose catalogue names it already: takes the place of the tenant
 * that each database begins with, and of a forwarding address.
 *
 * @returns false when there is a tenant of this id, or something of it is left
 */
export async function insertTenantElsewhere(db: Database, tenant: NewTenant): Promise<boolean> {
  await db.batch([
    removeUnusedTenant(tenant.id),
    statement(sql`DELETE FROM tenant_locations WHERE tenant_id = ${tenant.id}`),
  ])
  return await insertTenant(db, tenant)
}

/** What an administrator may change; what is undefined stays. */
export interface TenantChange {
  readonly name?: string | undefined
  readonly groupLimit?: number | undefined
  readonly uniqueGroupNames?: boolean | undefined
  /** Merged into what is there (RFC 7396): null takes a member back to its default. */
  readonly configuration?: ConfigurationChange | undefined
}

export type ConfigurationChange = {
  readonly [Name in keyof TenantConfiguration]: TenantConfiguration[Name] | null
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
      unique_group_names = coalesce(${unique}, unique_group_names),
      configuration = nullif(json_patch(coalesce(configuration, '{}'), ${JSON.stringify(change.configuration ?? {})}), '{}')
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
 * Deletes a tenant with all that it holds. Its state and its tokens go first, in one transaction: from then on nobody
 * can write into it, nobody can make a token for it, and its id is taken until all of it is gone. Broken off in the
 * middle, it can be called again; the timer goes on with it as well.
 *
 * @returns "deleting" when there was more than one request may delete, undefined when there was no such tenant
 */
export async function deleteTenant(
  db: Database,
  types: readonly StoredResourceType[],
  id: string,
  maxBatches = MAX_DELETE_BATCHES,
): Promise<'deleted' | 'deleting' | undefined> {
  const [marked] = await db.batch([
    statement(
      sql`UPDATE tenants SET state = 'deleting', imported_lines = NULL, import_digest = NULL WHERE id = ${id}`,
    ),
    deleteTokens(id),
    deleteClients(id),
  ])
  return marked?.changes === 0 ? undefined : await continueDeletion(db, types, id, maxBatches)
}

/**
 * Goes on with a deletion that has begun, and with nothing else: a tenant that was made anew under the same id stays.
 *
 * @returns undefined when no deletion of it is under way
 */
export async function continueDeletion(
  db: Database,
  types: readonly StoredResourceType[],
  id: string,
  maxBatches: number,
): Promise<'deleted' | 'deleting' | undefined> {
  const [found] = await db.batch([isIn(id, 'deleting'), deleteTokens(id), deleteClients(id)])
  if (found?.rows.length === 0) return undefined
  if (!(await deleteRows(db, id, [...directoryTables(types), 'provisioning_log'], maxBatches)))
    return 'deleting'
  await db.batch([statement(sql`DELETE FROM tenants WHERE id = ${id} AND state = 'deleting'`)])
  return 'deleted'
}

/**
 * Takes an import that is not complete back: the tenant is empty again, with its tokens and its log.
 *
 * @returns "undoing" when there was more than one request may delete, undefined when there was no import under way
 */
export async function undoImport(
  db: Database,
  types: readonly StoredResourceType[],
  id: string,
  maxBatches = MAX_DELETE_BATCHES,
): Promise<'undone' | 'undoing' | undefined> {
  const [marked] = await db.batch([
    statement(sql`UPDATE tenants SET state = 'undoing', imported_lines = NULL, import_digest = NULL
      WHERE id = ${id} AND state IN ('importing', 'undoing')`),
  ])
  return marked?.changes === 0 ? undefined : await continueUndo(db, types, id, maxBatches)
}

/**
 * Goes on with taking an import back, and with nothing else: another import that has begun meanwhile stays.
 *
 * @returns undefined when no import is being taken back
 */
export async function continueUndo(
  db: Database,
  types: readonly StoredResourceType[],
  id: string,
  maxBatches: number,
): Promise<'undone' | 'undoing' | undefined> {
  const [found] = await db.batch([isIn(id, 'undoing')])
  if (found?.rows.length === 0) return undefined
  if (!(await deleteRows(db, id, directoryTables(types), maxBatches))) return 'undoing'
  await db.batch([statement(sql`UPDATE tenants SET state = 'ready' WHERE id = ${id} AND state = 'undoing'`)])
  return 'undone'
}

function isIn(id: string, state: TenantState): Statement {
  return statement(sql`SELECT 1 FROM tenants WHERE id = ${id} AND state = ${state}`)
}

/** The tokens of a tenant that is being deleted: none can be made for it from then on. */
function deleteTokens(id: string): Statement {
  return statement(sql`DELETE FROM tokens WHERE tenant_id = ${id}
    AND EXISTS (SELECT 1 FROM tenants WHERE id = ${id} AND state = 'deleting')`)
}

function deleteClients(id: string): Statement {
  return statement(sql`DELETE FROM clients WHERE tenant_id = ${id}
    AND EXISTS (SELECT 1 FROM tenants WHERE id = ${id} AND state = 'deleting')`)
}

/** Statements of a deletion that delete no chunk: its first batches have six, and its last one has one. */
export const DELETION_FRAME_STATEMENTS = 7

/**
 * Goes on with deletions that were broken off, and with imports that were being taken back.
 *
 * @param maxStatements of all of them together; what is left goes the next time
 * @returns the tenants that are done, by id
 */
export async function finishDeletions(
  db: Database,
  types: readonly StoredResourceType[],
  maxStatements: number,
): Promise<readonly string[]> {
  const done: string[] = []
  if (maxStatements <= DELETION_FRAME_STATEMENTS) return done
  const counted = countStatements(db)
  const [found] = await counted.batch([
    statement(sql`SELECT id, state FROM tenants WHERE state IN ('deleting', 'undoing') ORDER BY id`),
  ])
  for (const { id, state } of (found?.rows ?? []) as unknown as readonly Pick<Tenant, 'id' | 'state'>[]) {
    const maxBatches = Math.min(
      MAX_DELETE_BATCHES,
      maxStatements - counted.statements - DELETION_FRAME_STATEMENTS,
    )
    if (maxBatches < 1) break
    const goOn = state === 'deleting' ? continueDeletion : continueUndo
    const outcome = await goOn(counted, types, id, maxBatches)
    if (outcome === 'deleting' || outcome === 'undoing') break
    if (outcome !== undefined) done.push(id)
  }
  return done
}

/** Members before their groups and users, so that no trigger has much to do. */
function directoryTables(types: readonly StoredResourceType[]): readonly string[] {
  return ['memberships', ...types.map(({ table }) => table.name).toReversed()]
}

/** @returns whether nothing of the tenant is left in the tables */
async function deleteRows(
  db: Database,
  tenantId: string,
  tables: readonly string[],
  maxBatches: number,
): Promise<boolean> {
  let batches = 0
  for (const table of tables) {
    for (let changes = DELETE_CHUNK; changes >= DELETE_CHUNK; batches++) {
      if (batches === maxBatches) return false
      // With the rows that triggers change: when there are fewer than a chunk, those of the table are all gone.
      changes = (await db.batch([deleteChunk(tenantId, table)]))[0]?.changes ?? 0
    }
  }
  return true
}

function deleteChunk(tenantId: string, table: string): Statement {
  const name = sql.raw(table)
  // What tells the rows of one tenant apart.
  const key = sql.raw(table === 'memberships' ? 'group_id, member_id' : 'id')
  return statement(sql`DELETE FROM ${name} WHERE tenant_id = ${tenantId} AND (${key}) IN (
    SELECT ${key} FROM ${name} WHERE tenant_id = ${tenantId} LIMIT ${DELETE_CHUNK})`)
}
