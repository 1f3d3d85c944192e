/**
 * Tenants: one organisation's directory each. The administrator creates and deletes them.
 */
import { sql } from 'drizzle-orm'
import type { ProfileName } from '../../scim/profile.ts'
import {
  countStatements,
  type Database,
  type Statement,
  statement,
  UniqueError,
} from '../database/database.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'
import { selection } from '../tables/selection.ts'
import { groups, tenants } from '../tables/tables.ts'
import { removeUnusedTenant } from './arrival.ts'
import type { SourceMode, TenantConfiguration } from './context.ts'
import { deleteChunk, type PurgedTable } from './delete-chunk.ts'

/** The group limit of a new tenant: the limit that Cisco documents for a directory. */
export const DEFAULT_GROUP_LIMIT = 200
/**
 * The most batches of one request that deletes. With the statements before and after them, they stay below
 * MAX_QUERIES_FREE.
 */
const MAX_DELETE_BATCHES = 36
/** The same limit with several databases, where each batch has one more statement: see writeAtHome in locations.ts. */
export const MAX_DELETE_BATCHES_AT_HOME = 16

export type TenantState = (typeof tenants.$inferSelect)['state']

/** The database maintains the counts. `createdAt` in milliseconds since 1970. */
export interface Tenant {
  readonly id: string
  readonly name: string
  readonly groupLimit: number
  /** Whether no two groups share a displayName, without regard to case. */
  readonly uniqueGroupNames: boolean
  /** The named set of deviations from the RFCs that its clients are allowed. */
  readonly profile: ProfileName
  /** Who may change a resource. */
  readonly sourceMode: SourceMode
  /** JSON: the threshold above which writes that take access away are held; null if they are not. */
  readonly deprovisionGuard: string | null
  readonly userCount: number
  readonly activeUserCount: number
  readonly groupCount: number
  readonly membershipCount: number
  readonly createdAt: number
  /** Clients have access while it is "ready". */
  readonly state: TenantState
  /** The number of imported lines of the file, while it is "importing"; else null. */
  readonly importedLines: number | null
}

export const TENANT = selection(
  tenants,
  [
    'id',
    'name',
    'groupLimit',
    'uniqueGroupNames',
    'userCount',
    'activeUserCount',
    'groupCount',
    'membershipCount',
    'createdAt',
    'state',
    'importedLines',
  ],
  {
    computed: {
      profile: sql<ProfileName>`coalesce(configuration ->> '$.profile', 'tolerant')`,
      sourceMode: sql<SourceMode>`coalesce(configuration ->> '$.sourceMode', 'observe')`,
      deprovisionGuard: sql<string | null>`configuration -> '$.deprovisionGuard'`,
    },
  },
)

/** A tenant to create. */
export type NewTenant = Pick<
  Tenant,
  'id' | 'name' | 'groupLimit' | 'uniqueGroupNames' | 'profile' | 'createdAt'
>

/** @returns false when the id is taken, in this database or, according to the catalogue, in another one */
export async function insertTenant(db: Database, tenant: NewTenant): Promise<boolean> {
  const { profile } = tenant
  // The default is not stored, so the configuration of most tenants is empty.
  const configuration = profile === 'tolerant' ? null : JSON.stringify({ profile })
  try {
    const [inserted] = await db.batch([
      statement(sql`INSERT INTO tenants (id, name, group_limit, unique_group_names, configuration, created_at)
        SELECT ${tenant.id}, ${tenant.name}, ${tenant.groupLimit}, ${Number(tenant.uniqueGroupNames)},
          ${configuration}, ${tenant.createdAt} WHERE NOT EXISTS (SELECT 1 FROM tenant_locations WHERE tenant_id = ${tenant.id})`),
    ])
    return inserted?.changes !== 0
  } catch (error) {
    if (error instanceof UniqueError) return false
    throw error
  }
}

/**
 * Creates a tenant outside of the first database, whose catalogue already names it. It replaces the initial tenant of
 * each database and a forwarding address.
 *
 * @returns false when a tenant with this id exists, or rows of one are left
 */
export async function insertTenantElsewhere(
  db: Database,
  types: readonly StoredResourceType[],
  tenant: NewTenant,
): Promise<boolean> {
  await db.batch([
    removeUnusedTenant(types, tenant.id),
    statement(sql`DELETE FROM tenant_locations WHERE tenant_id = ${tenant.id}`),
  ])
  return await insertTenant(db, tenant)
}

/** Changes by an administrator. An undefined member stays as it is. */
export interface TenantChange {
  readonly name?: string | undefined
  readonly groupLimit?: number | undefined
  readonly uniqueGroupNames?: boolean | undefined
  /** Merged into the present configuration (RFC 7396): null resets a member to its default. */
  readonly configuration?: ConfigurationChange | undefined
}

export type ConfigurationChange = {
  readonly [Name in keyof TenantConfiguration]: TenantConfiguration[Name] | null
}

/** Groups share names, in a tenant whose group names are to be unique from now on. */
export class NamesakesError extends Error {
  /** The number of names that several groups share. */
  readonly nameCount: number
  /** Some of those names, in the spelling of one of the groups. */
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

/** The columns of a join of one of the groups with `n`, the number of groups that share its name. */
const NAMESAKES = selection(groups, [], {
  computed: { name: sql<string>`groups.data ->> '$.displayName'`, groupCount: sql<number>`n.groupCount` },
})

/** The most names that a NamesakesError lists. */
const MAX_LISTED_NAMES = 5

/**
 * Changes a tenant. A limit below the present number of groups only prevents new ones.
 *
 * @returns the tenant before and after; undefined when there is no such tenant
 * @throws {NamesakesError} nothing is changed
 */
export async function updateTenant(
  db: Database,
  id: string,
  change: TenantChange,
): Promise<{ readonly before: Tenant; readonly after: Tenant } | undefined> {
  const unique = change.uniqueGroupNames === undefined ? null : Number(change.uniqueGroupNames)
  const namesakes = sql`SELECT display_name_key, count(*) AS groupCount, min(id) AS id FROM groups
    WHERE tenant_id = ${id} GROUP BY display_name_key HAVING count(*) > 1`
  const [earlier, updated, tenant, count, some] = await db.batch([
    TENANT.where(sql`id = ${id}`),
    statement(sql`UPDATE tenants SET name = coalesce(${change.name ?? null}, name),
      group_limit = coalesce(${change.groupLimit ?? null}, group_limit),
      unique_group_names = coalesce(${unique}, unique_group_names),
      configuration = nullif(json_patch(coalesce(configuration, '{}'), ${JSON.stringify(change.configuration ?? {})}), '{}')
      WHERE id = ${id} AND (coalesce(${unique}, 0) = 0 OR unique_group_names OR NOT EXISTS (${namesakes}))`),
    TENANT.where(sql`id = ${id}`),
    ...(unique === 1
      ? [
          statement(sql`SELECT count(*) AS nameCount FROM (${namesakes})`),
          statement(sql`SELECT ${NAMESAKES.columns}
            FROM (${namesakes} LIMIT ${MAX_LISTED_NAMES}) AS n
            JOIN groups ON groups.tenant_id = ${id} AND groups.id = n.id ORDER BY n.display_name_key`),
        ]
      : []),
  ])
  const [before, after] = [TENANT.first(earlier), TENANT.first(tenant)]
  if (before === undefined || after === undefined) return undefined
  if (updated?.changes !== 0) return { before, after }
  throw new NamesakesError(Number(count?.rows[0]?.nameCount), NAMESAKES.all(some))
}

/**
 * Deletes a tenant with all of its data. One transaction first changes its state and deletes its tokens: from then on
 * no client can write, no token can be created, and the id stays taken until all rows are gone. An interrupted
 * deletion continues with another call, or by the timer.
 *
 * @returns "deleting" when the rows exceed what one request may delete, undefined when there was no such tenant
 */
export async function deleteTenant(
  db: Database,
  types: readonly StoredResourceType[],
  deletion: TenantDeletion,
): Promise<'deleted' | 'deleting' | undefined> {
  const { id } = deletion
  const [marked] = await db.batch([
    statement(
      sql`UPDATE tenants SET state = 'deleting', imported_lines = NULL, import_digest = NULL WHERE id = ${id}`,
    ),
    deleteTokens(id),
    deleteClients(id),
  ])
  return marked?.changes === 0 ? undefined : await continueDeletion(db, types, deletion)
}

/** Removes a tenant from the catalogue. It is called while the tenant's row still reserves its id. */
export type ForgetTenant = (tenantId: string) => Promise<void>

export interface TenantDeletion {
  readonly id: string
  /** The most chunks of rows to delete; by default, as many as one request may delete. */
  readonly maxBatches?: number | undefined
  /** Removes the tenant from the catalogue of several databases, before its id is free. */
  readonly forget?: ForgetTenant | undefined
}

/**
 * Continues a deletion that has begun, and nothing else: a new tenant with the same id stays.
 *
 * @returns undefined when no deletion of it is in progress
 */
export async function continueDeletion(
  db: Database,
  types: readonly StoredResourceType[],
  { id, maxBatches = MAX_DELETE_BATCHES, forget }: TenantDeletion,
): Promise<'deleted' | 'deleting' | undefined> {
  const [found] = await db.batch([isIn(id, 'deleting'), deleteTokens(id), deleteClients(id)])
  if (found?.rows.length === 0) return undefined
  if (
    !(await deleteRows(
      db,
      id,
      [
        ...directoryTables(types),
        'tombstone_memberships',
        'tombstones',
        'events',
        'webhooks',
        'provisioning_log',
        'transfer_chunks',
      ],
      maxBatches,
    ))
  )
    return 'deleting'
  await forget?.(id)
  await db.batch([statement(sql`DELETE FROM tenants WHERE id = ${id} AND state = 'deleting'`)])
  return 'deleted'
}

/**
 * Undoes an incomplete import: the tenant is empty again and keeps its tokens and its log.
 *
 * @returns "undoing" when the rows exceed what one request may delete, undefined when no import was in progress
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
 * Continues undoing an import, and nothing else: another import that has begun meanwhile stays.
 *
 * @returns undefined when no import is being undone
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

/** Deletes the tokens of a tenant that is being deleted: no new ones can be created from then on. */
function deleteTokens(id: string): Statement {
  return statement(sql`DELETE FROM tokens WHERE tenant_id = ${id}
    AND EXISTS (SELECT 1 FROM tenants WHERE id = ${id} AND state = 'deleting')`)
}

function deleteClients(id: string): Statement {
  return statement(sql`DELETE FROM clients WHERE tenant_id = ${id}
    AND EXISTS (SELECT 1 FROM tenants WHERE id = ${id} AND state = 'deleting')`)
}

/**
 * The statements of a continued deletion beside its chunks: four in its first batches, one in its last one, one in the
 * catalogue.
 */
export const DELETION_FRAME_STATEMENTS = 6

const ID_AND_STATE = selection(tenants, ['id', 'state'])

/**
 * Continues interrupted deletions and undone imports.
 *
 * @param maxStatements the limit for all of them together; the rest is left to the next call
 * @returns the ids of the tenants that are done
 */
export async function finishDeletions(
  db: Database,
  types: readonly StoredResourceType[],
  maxStatements: number,
  forget?: ForgetTenant,
): Promise<readonly string[]> {
  const done: string[] = []
  if (maxStatements <= DELETION_FRAME_STATEMENTS) return done
  const counted = countStatements(db)
  const [found] = await counted.batch([ID_AND_STATE.where(sql`state IN ('deleting', 'undoing') ORDER BY id`)])
  for (const { id, state } of ID_AND_STATE.all(found)) {
    const maxBatches = Math.min(
      MAX_DELETE_BATCHES,
      maxStatements - counted.statements - DELETION_FRAME_STATEMENTS,
    )
    if (maxBatches < 1) break
    const outcome =
      state === 'deleting'
        ? await continueDeletion(counted, types, { id, maxBatches, forget })
        : await continueUndo(counted, types, id, maxBatches)
    if (outcome === 'deleting' || outcome === 'undoing') break
    if (outcome !== undefined) done.push(id)
  }
  return done
}

/** Memberships before groups and users, so that their triggers have little to do. */
function directoryTables(types: readonly StoredResourceType[]): readonly string[] {
  return ['memberships', ...types.map(({ table }) => table.name).toReversed()]
}

/** @returns whether no row of the tenant is left in the tables */
async function deleteRows(
  db: Database,
  tenantId: string,
  tables: readonly string[],
  maxBatches: number,
): Promise<boolean> {
  let batches = 0
  for (const table of await tablesWithRows(db, tenantId, tables)) {
    for (let changes = 1; changes > 0; batches++) {
      if (batches === maxBatches) return false
      changes = (await db.batch([deleteChunk(purged(table), tenantId)]))[0]?.changes ?? 0
    }
  }
  return true
}

/** An empty table would take a batch of its own, and a run of the free plan has few. */
async function tablesWithRows(
  db: Database,
  tenantId: string,
  tables: readonly string[],
): Promise<readonly string[]> {
  const hasRows = tables.map(
    (table) =>
      sql`EXISTS (SELECT 1 FROM ${sql.raw(table)} WHERE tenant_id = ${tenantId}) AS ${sql.raw(`"${table}"`)}`,
  )
  const [found] = await db.batch([statement(sql`SELECT ${sql.join(hasRows, sql`, `)}`)])
  return tables.filter((table) => found?.rows[0]?.[table] === 1)
}

/** @param table one of the tables of the directory, the events, the webhooks, the log, or the files of exports and imports */
function purged(table: string): PurgedTable {
  if (table === 'transfer_chunks') return { name: table, key: ['job_id', 'number'], documents: ['data'] }
  if (table === 'memberships') return { name: table, key: ['group_id', 'member_id'] }
  if (table === 'events') return { name: table, key: ['seq'], documents: ['data', 'previous'] }
  if (table === 'tombstones') return { name: table, key: ['id'], documents: ['data'] }
  if (table === 'tombstone_memberships')
    return { name: table, key: ['id', 'kind', 'first'], documents: ['ids'] }
  const isShort = table === 'provisioning_log' || table === 'webhooks'
  return { name: table, key: ['id'], documents: isShort ? [] : ['data', 'keys'] }
}
