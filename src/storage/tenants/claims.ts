/**
 * Which of several copies of a tenant is the current one. Normally, a tenant lives in one database, and the catalogue
 * names it. A database that was restored to a time before a move brings back an old copy, or an old catalogue.
 *
 * Each copy has the time of the tenant's creation and the number of its moves. The newer tenant is current, then the
 * copy with more moves, because each move raises the number at the target. If both are equal, the catalogue decides.
 */
import { sql } from 'drizzle-orm'
import { type Database, type Statement, statement } from '../database/database.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'
import { selection } from '../tables/selection.ts'
import { jobs, tenantLocations, tenants } from '../tables/tables.ts'
import { holdsRows } from './arrival.ts'

/** A tenant as a database has it. */
export type Claim = Readonly<
  Pick<typeof tenants.$inferSelect, 'id' | 'createdAt' | 'moves' | 'state' | 'moveJobId'>
>

const CLAIM = selection(tenants, ['id', 'createdAt', 'moves', 'state', 'moveJobId'])
const LOCATION = selection(tenantLocations, ['tenantId', 'database'])
const JOB = selection(jobs, ['id'])

/** The value of `move_job_id` of an old copy. No job deletes it, because it may hold writes that were made to it. */
const OLD_COPY = 'old copy'

/**
 * The tenants that a database claims to be the home of. The initial tenant "default" counts once it has rows.
 *
 * @param ids undefined: all tenants
 */
export async function claimsOf(
  db: Database,
  types: readonly StoredResourceType[],
  ids?: readonly string[],
): Promise<readonly Claim[]> {
  const among =
    ids === undefined ? sql`true` : sql`id IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`
  const isUnused = sql`id = 'default' AND NOT (${holdsRows(types, 'default')})`
  const [found] = await db.batch([
    CLAIM.where(sql`${among} AND state NOT IN ('arriving', 'moved') AND NOT (${isUnused}) ORDER BY id`),
  ])
  return CLAIM.all(found)
}

/** What the catalogue has about tenants. */
export interface Catalogued {
  /** The databases of the tenants outside of the first one. */
  readonly locations: ReadonlyMap<string, string>
  /** The ids of running moves. */
  readonly runningMoves: ReadonlySet<string>
}

/** What the catalogue says of some tenants: where they live, and which moves are running. */
export async function cataloguedOf(catalogue: Database, ids: readonly string[]): Promise<Catalogued> {
  const among = sql`tenant_id IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`
  const [located, moving] = await catalogue.batch([
    LOCATION.where(among),
    JOB.where(sql`${among} AND state = 'running' AND kind = 'move'`),
  ])
  return {
    locations: new Map(LOCATION.all(located).map(({ tenantId, database }) => [tenantId, database])),
    runningMoves: new Set(JOB.all(moving).map(({ id }) => id)),
  }
}

/** Whether a copy is newer than the one that the catalogue names. */
export function isNewer(claim: Claim, catalogued: Claim): boolean {
  if (claim.createdAt !== catalogued.createdAt) return claim.createdAt > catalogued.createdAt
  return claim.moves > catalogued.moves
}

/**
 * Closes an old copy: its clients are directed to the catalogue. Nothing is deleted. Does nothing if the copy has
 * changed its state meanwhile.
 *
 * @param forwardTo the current home; undefined at the first database, whose catalogue has it
 */
export async function closeOldCopy(
  db: Database,
  { id, createdAt, moves, state }: Claim,
  forwardTo: string | undefined,
): Promise<void> {
  const address =
    statement(sql`INSERT INTO tenant_locations (tenant_id, database) SELECT ${id}, ${forwardTo ?? ''}
    WHERE EXISTS (SELECT 1 FROM tenants WHERE id = ${id} AND state = 'moved' AND move_job_id = ${OLD_COPY})
    ON CONFLICT (tenant_id) DO UPDATE SET database = excluded.database`)
  await db.batch([
    statement(sql`UPDATE tenants SET state = 'moved', move_job_id = ${OLD_COPY}
      WHERE id = ${id} AND state = ${state} AND created_at = ${createdAt} AND moves = ${moves}`),
    ...(forwardTo === undefined ? [] : [address]),
  ])
}

/** A change of the catalogue, from one database to another. */
export interface Relocation {
  readonly tenantId: string
  readonly from: string
  readonly to: string
  /** The database of the catalogue, whose tenants have no row in it. */
  readonly first: string
}

/** Does nothing if the catalogue does not name `from`. */
export function relocationStatement({ tenantId, from, to, first }: Relocation): Statement {
  if (from === first) {
    return statement(sql`INSERT INTO tenant_locations (tenant_id, database) VALUES (${tenantId}, ${to})
      ON CONFLICT (tenant_id) DO NOTHING`)
  }
  const isFrom = sql`tenant_id = ${tenantId} AND database = ${from}`
  return to === first
    ? statement(sql`DELETE FROM tenant_locations WHERE ${isFrom}`)
    : statement(sql`UPDATE tenant_locations SET database = ${to} WHERE ${isFrom}`)
}

/** Deletes the forwarding address of a tenant that lives here. Not for the first database. */
export function noForwardingStatement(tenantId: string): Statement {
  return statement(sql`DELETE FROM tenant_locations WHERE tenant_id = ${tenantId}`)
}

/** The tenants that the catalogue places in a database, and that it does not have. */
export async function missingTenants(
  catalogue: Database,
  db: Database,
  name: string,
): Promise<readonly string[]> {
  const [located] = await catalogue.batch([LOCATION.where(sql`database = ${name}`)])
  const ids = LOCATION.all(located).map(({ tenantId }) => tenantId)
  if (ids.length === 0) return []
  const [missing] = await db.batch([
    statement(sql`SELECT value AS id FROM json_each(${JSON.stringify(ids)})
      WHERE NOT EXISTS (SELECT 1 FROM tenants WHERE id = value)`),
  ])
  return (missing?.rows ?? []).map(({ id }) => String(id))
}
