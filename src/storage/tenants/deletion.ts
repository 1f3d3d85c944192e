/**
 * Deletes tenants and undoes imports: in chunks, each of which is one transaction, so that a request or a run of the timer
 * ends in time and another one continues.
 */
import { sql } from 'drizzle-orm'
import { countStatements, type Database, type Statement, statement } from '../database/database.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'
import { selection } from '../tables/selection.ts'
import { tenants } from '../tables/tables.ts'
import { deleteChunk, type PurgedTable } from './delete-chunk.ts'
import { tableNamed, tenantTables } from './tenant-tables.ts'
import type { TenantState } from './tenants.ts'

/**
 * The most batches of one request that deletes. With the statements before and after them, they stay below
 * MAX_QUERIES_FREE.
 */
const MAX_DELETE_BATCHES = 36
/** The same limit with several databases, where each batch has one more statement: see writeAtHome in locations.ts. */
export const MAX_DELETE_BATCHES_AT_HOME = 15

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
  const tables = [
    ...directoryTables(types),
    'tombstone_memberships',
    'tombstones',
    'events',
    'webhooks',
    'provisioning_log',
    'transfer_chunks',
  ].map((name) => purged(name, types))
  if (!(await deleteRows(db, id, tables, maxBatches))) return 'deleting'
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
  const mark = statement(sql`UPDATE tenants SET state = 'undoing', imported_lines = NULL, import_digest = NULL
      WHERE id = ${id} AND state IN ('importing', 'undoing')`)
  const isBeginning = sql`EXISTS (SELECT 1 FROM tenants WHERE id = ${id} AND state = 'importing')`
  const [marked] = await db.batch([{ ...mark, act: { when: isBeginning } }])
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
  const tables = directoryTables(types).map((name) => purged(name, types))
  if (!(await deleteRows(db, id, tables, maxBatches))) return 'undoing'
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
  tables: readonly PurgedTable[],
  maxBatches: number,
): Promise<boolean> {
  let batches = 0
  for (const table of await tablesWithRows(db, tenantId, tables)) {
    for (let changes = 1; changes > 0; batches++) {
      if (batches === maxBatches) return false
      changes = (await db.batch([deleteChunk(table, tenantId)]))[0]?.changes ?? 0
    }
  }
  return true
}

/** An empty table would take a batch of its own, and a run of the free plan has few. */
async function tablesWithRows(
  db: Database,
  tenantId: string,
  tables: readonly PurgedTable[],
): Promise<readonly PurgedTable[]> {
  const hasRows = tables.map(
    ({ name }) =>
      sql`EXISTS (SELECT 1 FROM ${sql.raw(name)} WHERE tenant_id = ${tenantId}) AS ${sql.raw(`"${name}"`)}`,
  )
  const [found] = await db.batch([statement(sql`SELECT ${sql.join(hasRows, sql`, `)}`)])
  return tables.filter(({ name }) => found?.rows[0]?.[name] === 1)
}

/** Their rows are not measured, so that twice as many are deleted at a time. */
const SHORT_TABLES: ReadonlySet<string> = new Set(['provisioning_log', 'webhooks'])

function purged(name: string, types: readonly StoredResourceType[]): PurgedTable {
  const table = tableNamed(tenantTables(types), name)
  return SHORT_TABLES.has(name) ? { name, key: table.key } : table
}
