/**
 * The states of a tenant during its move from one database to another. Each transition is one batch at one database
 * and names the job that may make it. A transition that was already made does nothing, so a runner that was
 * interrupted or is late does no harm.
 *
 * | step      | at the source | at the target | who is read    | who is written |
 * |-----------|---------------|---------------|----------------|----------------|
 * | copying   | moving        | arriving      | the source     | nobody         |
 * | verifying | moving        | arriving      | the source     | nobody         |
 * | committing | moving       | moving        | either: they are the same | nobody |
 * | switched  | moved         | moving, ready | the target     | the target     |
 * | purging   | moved         | ready         | the target     | the target     |
 *
 * The catalogue decides between committing and switched, in one transaction with the step of the job.
 */
import { type SQL, sql } from 'drizzle-orm'
import { type Database, type Row, type Statement, statement } from '../database/database.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'
import { selection } from '../tables/selection.ts'
import { tenants } from '../tables/tables.ts'
import { rulesOf } from './arrival.ts'
import type { MovedTenant } from './copy.ts'
import { deleteChunk } from './delete-chunk.ts'
import { tableNamed, tenantTables } from './tenant-tables.ts'

/** A tenant that is being moved, which always has a job. */
const MOVED = selection(tenants, [], {
  computed: { tenantId: sql<string>`id`, jobId: sql<string>`move_job_id` },
})

const ON_THE_MOVE = selection(tenants, ['state'], {
  computed: { tenantId: sql<string>`id`, jobId: sql<string>`move_job_id` },
})

/**
 * Stops the writes of a tenant.
 *
 * @returns false when this job has not stopped them: the tenant is not ready, or a change of its schemas is pending
 */
export async function freezeTenant(db: Database, { tenantId, jobId }: MovedTenant): Promise<boolean> {
  const [, found] = await db.batch([
    statement(sql`UPDATE tenants SET state = 'moving', move_job_id = ${jobId}
      WHERE id = ${tenantId} AND state = 'ready'
        AND NOT EXISTS (SELECT 1 FROM extension_tasks WHERE tenant_id = ${tenantId})`),
    MOVED.where(sql`id = ${tenantId} AND state = 'moving'`),
  ])
  return MOVED.first(found)?.jobId === jobId
}

/**
 * Lets clients read the copy, which is complete and verified. Deletes the forwarding address of an earlier move.
 *
 * @param row the tenant's row at its home
 * @param isCatalogue whether the copy is in the first database: then the catalogue changes in the same transaction
 */
export async function completeArrival(
  db: Database,
  { tenantId, jobId }: MovedTenant,
  row: Row,
  isCatalogue: boolean,
): Promise<void> {
  await db.batch([
    statement(sql`UPDATE tenants SET state = 'moving', copied_until = NULL, ${rulesOf(row)}
      WHERE id = ${tenantId} AND state = 'arriving' AND move_job_id = ${jobId}`),
    statement(sql`UPDATE tokens SET tenant_version = ${row.version ?? 0} WHERE tenant_id = ${tenantId} AND EXISTS (
      SELECT 1 FROM tenants WHERE id = ${tenantId} AND state = 'moving' AND move_job_id = ${jobId})`),
    ...(isCatalogue ? [] : [statement(sql`DELETE FROM tenant_locations WHERE tenant_id = ${tenantId}`)]),
  ])
}

/** The commit point of a move: the catalogue names the target. It belongs in one batch with the step of the job. */
export function switchStatement(
  { tenantId, jobId }: MovedTenant,
  target: string,
  isCatalogue: boolean,
): Statement {
  const isVerified = sql`EXISTS (SELECT 1 FROM jobs WHERE id = ${jobId} AND state = 'running' AND step = 'committing')`
  return isCatalogue
    ? statement(sql`DELETE FROM tenant_locations WHERE tenant_id = ${tenantId} AND ${isVerified}`)
    : statement(sql`INSERT INTO tenant_locations (tenant_id, database)
        SELECT ${tenantId}, ${target} WHERE ${isVerified}
        ON CONFLICT (tenant_id) DO UPDATE SET database = excluded.database`)
}

/**
 * Redirects clients to the catalogue: the tenant no longer lives here. The address is stored before any token is
 * deleted, so a client of this database is never told that its token is unknown.
 *
 * @param forwardTo undefined at the first database, whose catalogue has the address
 */
export async function leaveSource(
  db: Database,
  move: MovedTenant,
  forwardTo: string | undefined,
): Promise<void> {
  await db.batch([transition(move, 'moving', sql`state = 'moved'`), ...forwarding(move, forwardTo)])
}

function forwarding(move: MovedTenant, to: string | undefined): readonly Statement[] {
  if (to === undefined) return []
  return [
    statement(sql`INSERT INTO tenant_locations (tenant_id, database) SELECT ${move.tenantId}, ${to}
      WHERE ${hasLeft(move)} ON CONFLICT (tenant_id) DO UPDATE SET database = excluded.database`),
  ]
}

/** Lets clients write again. */
export async function reopenTenant(db: Database, move: MovedTenant): Promise<void> {
  await db.batch([transition(move, 'moving', sql`state = 'ready', move_job_id = NULL`)])
}

/** Lets clients write at the target: the move is complete. */
export async function openTarget(db: Database, move: MovedTenant): Promise<void> {
  await db.batch([transition(move, 'moving', sql`state = 'ready', move_job_id = NULL, moves = moves + 1`)])
}

/**
 * Marks an abandoned copy for deletion.
 *
 * @param forwardTo the source; undefined at the first database
 */
export async function giveUpCopy(
  db: Database,
  move: MovedTenant,
  forwardTo: string | undefined,
): Promise<void> {
  await db.batch([
    transition(move, 'arriving', sql`state = 'moved'`),
    transition(move, 'moving', sql`state = 'moved'`),
    ...forwarding(move, forwardTo),
  ])
}

function transition({ tenantId, jobId }: MovedTenant, from: string, change: SQL): Statement {
  return statement(sql`UPDATE tenants SET ${change}
    WHERE id = ${tenantId} AND state = ${from} AND move_job_id = ${jobId}`)
}

/** The tables of a purge in order: memberships before groups and users, so that their triggers have little to do. */
export function purgedTables(types: readonly StoredResourceType[]): readonly string[] {
  const names = tenantTables(types).map(({ name }) => name)
  return ['memberships', ...names.filter((name) => name !== 'memberships').toReversed()]
}

/**
 * Takes over the remains of an earlier move at the target, so that they can be deleted. A tenant has one running job
 * at a time, so no other job needs them.
 *
 * @returns whether there is something to delete
 */
export async function adoptLeftover(db: Database, { tenantId, jobId }: MovedTenant): Promise<boolean> {
  const [, found] = await db.batch([
    statement(sql`UPDATE tenants SET state = 'moved', move_job_id = ${jobId}
      WHERE id = ${tenantId} AND state IN ('arriving', 'moved') AND move_job_id <> ${jobId}`),
    MOVED.where(sql`id = ${tenantId} AND state = 'moved' AND move_job_id = ${jobId}`),
  ])
  return found?.rows.length === 1
}

/**
 * Deletes a chunk of the rows that a tenant has left behind in a table. Does nothing if the tenant lives here again.
 *
 * @param table one of purgedTables
 * @returns the number of changed rows, and whether the table is done
 */
export async function purgeTable(
  db: Database,
  types: readonly StoredResourceType[],
  move: MovedTenant,
  table: string,
): Promise<{ readonly changes: number; readonly isDone: boolean }> {
  const found = tableNamed(tenantTables(types), table)
  const [result] = await db.batch([deleteChunk(found, move.tenantId, hasLeft(move))])
  const changes = result?.changes ?? 0
  return { changes, isDone: changes === 0 }
}

/** Deletes the row of a tenant that has left, after all other rows. */
export async function purgeTenant(db: Database, move: MovedTenant): Promise<void> {
  await db.batch([statement(sql`DELETE FROM tenants WHERE id = ${move.tenantId} AND ${hasLeft(move)}`)])
}

function hasLeft({ tenantId, jobId }: MovedTenant): SQL {
  return sql`EXISTS (SELECT 1 FROM tenants WHERE id = ${tenantId} AND state = 'moved' AND move_job_id = ${jobId})`
}

/** The tenants of a database that belong to a job: those whose writes are stopped, and copies. */
export async function tenantsOnTheMove(
  db: Database,
): Promise<readonly (MovedTenant & { readonly isFrozen: boolean })[]> {
  const [found] = await db.batch([ON_THE_MOVE.where(sql`state IN ('moving', 'arriving', 'moved')`)])
  return ON_THE_MOVE.all(found).map(({ state, ...move }) => ({ ...move, isFrozen: state === 'moving' }))
}
