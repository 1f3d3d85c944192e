/**
 * The states of a tenant on its way from one database to another. Each transition is one batch at one database, names the
 * job that may do it, and does nothing when it was done: a runner that was interrupted, or late, does no harm.
 *
 * | step      | at the source | at the target | who is read    | who is written |
 * |-----------|---------------|---------------|----------------|----------------|
 * | copying   | moving        | arriving      | the source     | nobody         |
 * | verifying | moving        | arriving      | the source     | nobody         |
 * |           | moving        | moving        | either: they are the same | nobody |
 * | switched  | moved         | moving, ready | the target     | the target     |
 * | purging   | moved         | ready         | the target     | the target     |
 *
 * The catalogue decides between verifying and switched, in one transaction with the step of the job.
 */
import { type SQL, sql } from 'drizzle-orm'
import { type Database, type Row, type Statement, statement } from './database.ts'
import { type MovedTenant, rulesOf, TENANT_TABLES } from './tenant-copy.ts'

/**
 * Stops the writes of a tenant.
 *
 * @returns false when it is not ready, or a change of its schemas is under way, and it is not stopped by this job
 */
export async function freezeTenant(db: Database, { tenantId, jobId }: MovedTenant): Promise<boolean> {
  const [, found] = await db.batch([
    statement(sql`UPDATE tenants SET state = 'moving', move_job_id = ${jobId}
      WHERE id = ${tenantId} AND state = 'ready'
        AND NOT EXISTS (SELECT 1 FROM extension_tasks WHERE tenant_id = ${tenantId})`),
    statement(sql`SELECT move_job_id AS jobId FROM tenants WHERE id = ${tenantId} AND state = 'moving'`),
  ])
  return found?.rows[0]?.jobId === jobId
}

/**
 * Lets clients read the copy, which is complete and was compared. Takes back the forwarding address of an earlier move.
 *
 * @param row the tenant's row at its home
 * @param isCatalogue whether the copy is in the first database: then the catalogue changes with the switch
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

/** The commit point of a move: the catalogue names the target. To go into a batch with the step of the job. */
export function switchStatement(
  { tenantId, jobId }: MovedTenant,
  target: string,
  isCatalogue: boolean,
): Statement {
  const isVerified = sql`EXISTS (SELECT 1 FROM jobs WHERE id = ${jobId} AND state = 'running' AND step = 'verifying')`
  return isCatalogue
    ? statement(sql`DELETE FROM tenant_locations WHERE tenant_id = ${tenantId} AND ${isVerified}`)
    : statement(sql`INSERT INTO tenant_locations (tenant_id, database)
        SELECT ${tenantId}, ${target} WHERE ${isVerified}
        ON CONFLICT (tenant_id) DO UPDATE SET database = excluded.database`)
}

/**
 * Sends clients to the catalogue: the tenant does not live here any more. The address is left before any token is deleted, so
 * that who remembers this database never hears that a token is unknown.
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

/**
 * Makes a copy that is given up one that only has to be deleted.
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

/** Rows that one batch deletes. */
const PURGE_CHUNK = 5_000

/** The tables of a purge, in order: members before their groups and users, so that no trigger has much to do. */
export const PURGED_TABLES: readonly string[] = [
  'memberships',
  ...TENANT_TABLES.map(({ name }) => name)
    .filter((name) => name !== 'memberships')
    .toReversed(),
]

/**
 * Takes over what an earlier move has left at the target, so that it can be deleted: a job runs alone, so it belongs to
 * none that is running.
 *
 * @returns whether there is something to delete
 */
export async function adoptLeftover(db: Database, { tenantId, jobId }: MovedTenant): Promise<boolean> {
  const [, found] = await db.batch([
    statement(sql`UPDATE tenants SET state = 'moved', move_job_id = ${jobId}
      WHERE id = ${tenantId} AND state IN ('arriving', 'moved') AND move_job_id <> ${jobId}`),
    statement(
      sql`SELECT 1 FROM tenants WHERE id = ${tenantId} AND state = 'moved' AND move_job_id = ${jobId}`,
    ),
  ])
  return found?.rows.length === 1
}

/**
 * Deletes a chunk of the rows that a tenant has left behind in a table. Does nothing once it lives here again.
 *
 * @param table one of PURGED_TABLES
 * @returns rows that were changed, and whether the table has no more
 */
export async function purgeTable(
  db: Database,
  move: MovedTenant,
  table: string,
): Promise<{ readonly changes: number; readonly isDone: boolean }> {
  const { tenantId } = move
  const key = sql.raw(TENANT_TABLES.find(({ name }) => name === table)?.key.join(', ') ?? '')
  const from = sql.raw(table)
  const [result] = await db.batch([
    statement(sql`DELETE FROM ${from} WHERE tenant_id = ${tenantId} AND ${hasLeft(move)} AND (${key}) IN (
      SELECT ${key} FROM ${from} WHERE tenant_id = ${tenantId} LIMIT ${PURGE_CHUNK})`),
  ])
  const changes = result?.changes ?? 0
  // With the rows that triggers change: when there are fewer than a chunk, those of the table are all gone.
  return { changes, isDone: changes < PURGE_CHUNK }
}

/** Deletes the row of a tenant that has left, after all others. */
export async function purgeTenant(db: Database, move: MovedTenant): Promise<void> {
  await db.batch([statement(sql`DELETE FROM tenants WHERE id = ${move.tenantId} AND ${hasLeft(move)}`)])
}

function hasLeft({ tenantId, jobId }: MovedTenant): SQL {
  return sql`EXISTS (SELECT 1 FROM tenants WHERE id = ${tenantId} AND state = 'moved' AND move_job_id = ${jobId})`
}

/** The tenants of a database whose writes a job has stopped. */
export async function frozenTenants(db: Database): Promise<readonly MovedTenant[]> {
  const [found] = await db.batch([
    statement(sql`SELECT id, move_job_id AS jobId FROM tenants
      WHERE state IN ('moving', 'arriving', 'moved') AND state = 'moving'`),
  ])
  return (found?.rows ?? []).map(({ id, jobId }) => ({ tenantId: String(id), jobId: String(jobId) }))
}
