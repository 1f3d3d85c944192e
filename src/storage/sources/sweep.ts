/**
 * The sweep of a tenant's sources: what no index answers in the batch of a write. It counts what each client has, finds
 * users of two sources with one e-mail address, and resolves conflicts whose reason is gone. Once after an upgrade, it also
 * lists the resources of each client. It reads the directory in chunks, in the order of the keys, and goes on where an
 * earlier run stopped.
 */
import { type SQL, sql } from 'drizzle-orm'
import { DAY_MS } from '../../scim/duration.ts'
import { administratorIdBeside } from '../access/administrator.ts'
import { countStatements, type Database, type Row, type Statement, statement } from '../database/database.ts'
import type { Query } from '../database/query.ts'
import { USER_MEMBER } from '../tables/member-types.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'
import { selection } from '../tables/selection.ts'
import { sourceSweeps } from '../tables/tables.ts'
import { hasRoom } from './conflicts.ts'
import { closeConflicts, conflictsQuery } from './open-conflicts.ts'

/** What the sweep has counted of one client. Times in milliseconds since 1970. */
export interface SourceCount {
  /** Resources that it created and that exist, by the name of their type. */
  readonly created: Readonly<Record<string, number>>
  /** Memberships that it added and that exist. */
  readonly memberships: number
  /** Its last write among those that no other client has followed; null if there is none. */
  readonly lastWrittenAt: number | null
}

/** By client; the empty text stands for the administrator, imports, and unknown clients. */
export type SourceCounts = Readonly<Record<string, SourceCount>>

const CHUNK = 500
const MEMBERSHIP_CHUNK = 5_000
/** Open conflicts that a run checks in one batch. */
const CHECKED_CONFLICTS = 100
/** How long the counts of a complete sweep count as recent. */
const SWEEP_INTERVAL_MS = DAY_MS
/** Statements of the longest step, and of the frame of a run: its selection and its end. */
const STEP_STATEMENTS = 5
const FRAME_STATEMENTS = 7
const MAX_TENANTS = 20

const SWEEP = selection(sourceSweeps, ['position', 'counting', 'counts', 'countedAt', 'unlisted'], {
  alias: 's',
})

/** What the last complete sweep has counted. */
export interface SourceSweep {
  readonly counts: SourceCounts | undefined
  readonly countedAt: number | null
}

/** @returns undefined if the sweep has not begun */
export function sweepQuery(tenantId: string): Query<SourceSweep | undefined> {
  return {
    statements: [SWEEP.where(sql`s.tenant_id = ${tenantId}`)],
    read: ([result]) => {
      const row = SWEEP.first(result)
      if (row === undefined) return undefined
      const counts = row.counts === null ? undefined : (JSON.parse(row.counts) as SourceCounts)
      return { counts, countedAt: row.countedAt }
    },
  }
}

/** A sweep on its way: the next chunk begins after the key. */
interface Position {
  /** The name of a table, "memberships" or "emails". */
  readonly table: string
  readonly after: readonly string[]
  /** Whether it has added the resources of each client from the beginning: see `sourceSweeps.unlisted`. */
  readonly isListing?: boolean
}

/** Continues the sweeps that are due. @returns the tenants whose sweep is complete now */
export async function sweepSources(
  database: Database,
  types: readonly StoredResourceType[],
  { now, maxStatements, tenantId }: SweepRun,
): Promise<readonly string[]> {
  const db = countStatements(database)
  const done: string[] = []
  if (maxStatements < FRAME_STATEMENTS + STEP_STATEMENTS) return done
  const isWanted =
    tenantId === undefined
      ? sql`(s.position IS NOT NULL OR s.unlisted = 1 OR s.counted_at IS NULL OR s.counted_at < ${now - SWEEP_INTERVAL_MS})`
      : sql`t.id = ${tenantId}`
  const [due] = await db.batch([
    statement(sql`SELECT t.id AS tenantId, ${SWEEP.columns} FROM tenants AS t LEFT JOIN source_sweeps AS s ON s.tenant_id = t.id
      WHERE t.state = 'ready' AND ${isWanted} ORDER BY s.counted_at LIMIT ${sql.raw(String(MAX_TENANTS))}`),
  ])
  for (const row of due?.rows ?? []) {
    const left = maxStatements - db.statements
    if (left < FRAME_STATEMENTS + STEP_STATEMENTS) break
    if (await sweepTenant(db, types, row, { now, maxStatements: left })) done.push(String(row.tenantId))
  }
  return done
}

export interface SweepRun {
  /** Milliseconds since 1970. */
  readonly now: number
  readonly maxStatements: number
  /** Only this tenant, whether it is due or not. */
  readonly tenantId?: string
}

/** @returns whether the sweep is complete */
async function sweepTenant(
  db: ReturnType<typeof countStatements>,
  types: readonly StoredResourceType[],
  row: Row,
  { now, maxStatements }: Omit<SweepRun, 'tenantId'>,
): Promise<boolean> {
  const tenantId = String(row.tenantId)
  const stored = SWEEP.fromRow(row)
  const tables = [...types.map(({ table }) => table.name), 'memberships', 'emails']
  let position: Position | undefined = stored.position
    ? (JSON.parse(stored.position) as Position)
    : { table: tables[0] ?? 'memberships', after: [] }
  const isListing = stored.position === null ? stored.unlisted === 1 : position.isListing === true
  const counts = new Counts(stored.counting)
  const end = db.statements + maxStatements - FRAME_STATEMENTS
  while (position !== undefined && db.statements + STEP_STATEMENTS <= end) {
    const { table }: Position = position
    const after: readonly string[] | undefined = await step(
      db,
      { tenantId, types, now, isListing },
      position,
      counts,
    )
    const next: string | undefined = tables[tables.indexOf(table) + 1]
    position = after
      ? { table, after, isListing }
      : next === undefined
        ? undefined
        : { table: next, after: [], isListing }
  }
  const open = { tenantId, types, state: 'open', size: CHECKED_CONFLICTS, now } as const
  const query = conflictsQuery(open)
  const gone = query.read(await db.batch(query.statements)).filter(({ holds }) => !holds)
  await closeConflicts(db, tenantId, gone, { state: 'resolved', now })
  const ended = { before: stored.position, position, counting: counts.json, isListing }
  await db.batch([endStatement(tenantId, ended, now)])
  return position === undefined
}

/** Another run that was faster has moved the position: then this one is discarded. */
function endStatement(
  tenantId: string,
  {
    before,
    position,
    counting,
    isListing,
  }: {
    readonly before: string | null
    readonly position: Position | undefined
    readonly counting: string
    readonly isListing: boolean
  },
  now: number,
): Statement {
  const isListed = isListing && position === undefined
  const [countingAfter, counts, countedAt] = position ? [counting, null, null] : [null, counting, now]
  return statement(sql`INSERT INTO source_sweeps (tenant_id, position, counting, counts, counted_at)
    SELECT id, ${position === undefined ? null : JSON.stringify(position)}, ${countingAfter}, ${counts}, ${countedAt}
    FROM tenants WHERE id = ${tenantId} AND state = 'ready'
    ON CONFLICT (tenant_id) DO UPDATE SET position = excluded.position, counting = excluded.counting,
      counts = coalesce(excluded.counts, counts), counted_at = coalesce(excluded.counted_at, counted_at),
      unlisted = iif(${isListed ? 1 : 0}, 0, unlisted)
    WHERE position IS ${before}`)
}

interface Swept {
  readonly tenantId: string
  readonly types: readonly StoredResourceType[]
  readonly now: number
  readonly isListing: boolean
}

/** @returns the key of the last row of the chunk; undefined if it was the last chunk */
async function step(
  db: Database,
  swept: Swept,
  { table, after }: Position,
  counts: Counts,
): Promise<readonly string[] | undefined> {
  if (table === 'memberships') return await countMemberships(db, swept, after, counts)
  if (table === 'emails') return await deleteOldEmails(db, swept, after)
  const type = swept.types.find((one) => one.table.name === table)
  return type && (await countResources(db, swept, { type, after: after[0] ?? '' }, counts))
}

async function countResources(
  db: Database,
  swept: Swept,
  { type, after }: { readonly type: StoredResourceType; readonly after: string },
  counts: Counts,
): Promise<readonly string[] | undefined> {
  const { tenantId, isListing } = swept
  const chunk = sql`(SELECT id, created_by, modified_by, last_modified FROM ${sql.raw(type.table.name)}
    WHERE tenant_id = ${tenantId} AND id > ${after} ORDER BY id LIMIT ${CHUNK})`
  const [created, modified] = await db.batch([
    statement(
      sql`SELECT coalesce(created_by, '') AS client, count(*) AS n, max(id) AS last FROM ${chunk} GROUP BY 1`,
    ),
    statement(
      sql`SELECT coalesce(modified_by, '') AS client, max(last_modified) AS time FROM ${chunk} GROUP BY 1`,
    ),
    ...(type.name === USER_MEMBER ? emailStatements(swept, type.name, after) : []),
    ...(isListing && type.table.hasSources ? [listStatement(tenantId, type.name, chunk)] : []),
  ])
  const rows = created?.rows ?? []
  for (const { client, n } of rows) counts.addResources(String(client), type.name, Number(n))
  for (const { client, time } of modified?.rows ?? []) counts.addTime(String(client), Number(time))
  return nextKey(rows, CHUNK, ({ last }) => [String(last)])
}

/** Adds the resources of a chunk to those of their clients, as the triggers do with each write. */
function listStatement(tenantId: string, typeName: string, chunk: SQL): Statement {
  return statement(sql`INSERT OR IGNORE INTO resource_sources (tenant_id, client_id, resource_type, resource_id)
    SELECT ${tenantId}, client, ${typeName}, id FROM (
      SELECT id, created_by AS client FROM ${chunk} UNION ALL SELECT id, modified_by FROM ${chunk})
    WHERE client IS NOT NULL`)
}

async function countMemberships(
  db: Database,
  { tenantId }: Swept,
  [group = '', member = '']: readonly string[],
  counts: Counts,
): Promise<readonly string[] | undefined> {
  const chunk = sql`SELECT group_id, member_id, added_by FROM memberships
    WHERE tenant_id = ${tenantId} AND (group_id, member_id) > (${group}, ${member})
    ORDER BY group_id, member_id LIMIT ${MEMBERSHIP_CHUNK}`
  const [counted, last] = await db.batch([
    statement(sql`SELECT coalesce(added_by, '') AS client, count(*) AS n FROM (${chunk}) GROUP BY 1`),
    statement(sql`SELECT group_id AS groupId, member_id AS memberId FROM (${chunk})
      ORDER BY group_id DESC, member_id DESC LIMIT 1`),
  ])
  const rows = counted?.rows ?? []
  for (const { client, n } of rows) counts.addMemberships(String(client), Number(n))
  const { groupId, memberId } = last?.rows[0] ?? {}
  return nextKey(rows, MEMBERSHIP_CHUNK, () => [String(groupId), String(memberId)])
}

/** @param rows groups of a chunk, with the number of its rows in `n` @returns undefined if the chunk was not full */
function nextKey(
  rows: readonly Row[],
  size: number,
  keyOf: (row: Row) => readonly string[],
): readonly string[] | undefined {
  const total = rows.reduce((sum, { n }) => sum + Number(n), 0)
  if (total < size) return undefined
  return rows
    .map(keyOf)
    .toSorted((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1))
    .at(-1)
}

/** The primary e-mail address of a user in comparison form, or the first one. @param alias of the table */
const primaryEmail = (alias: string) =>
  sql.raw(`(SELECT m.value ->> '$.value' FROM json_each(${alias}.keys, '$.emails') AS m
    ORDER BY m.value ->> '$.primary' DESC LIMIT 1)`)

/**
 * Notes the addresses of a chunk of users, and looks up those that an earlier user of another source has. Only in a tenant
 * with several clients that write.
 */
function emailStatements({ tenantId, now }: Swept, typeName: string, after: string): readonly Statement[] {
  const chunk = sql`(SELECT u.id, u.tenant_id, u.created_by, ${primaryEmail('u')} AS email FROM users AS u
    WHERE u.tenant_id = ${tenantId} AND u.id > ${after}
      AND (SELECT count(*) FROM clients WHERE tenant_id = ${tenantId} AND scope = 'provision') > 1
    ORDER BY u.id LIMIT ${CHUNK})`
  return [
    statement(sql`INSERT OR IGNORE INTO source_emails (tenant_id, email, user_id)
      SELECT tenant_id, email, id FROM ${chunk} WHERE email IS NOT NULL`),
    statement(sql`INSERT INTO source_conflicts (tenant_id, kind, key, resource_type, attribute, value,
        resource_id, client_id, time, other_resource_id, other_client_id, first_seen_at, last_seen_at)
      SELECT u.tenant_id, 'email', u.email, ${typeName}, 'emails', u.email, o.id, o.created_by, o.created_at, u.id,
        u.created_by, ${now}, ${now}
      FROM ${chunk} AS u
        CROSS JOIN source_emails AS e ON e.tenant_id = u.tenant_id AND e.email = u.email AND e.user_id < u.id
        CROSS JOIN users AS o ON o.tenant_id = u.tenant_id AND o.id = e.user_id
      WHERE u.created_by <> o.created_by AND u.created_by <> ${administratorIdBeside('u.tenant_id')}
        AND o.created_by <> ${administratorIdBeside('u.tenant_id')} AND ${primaryEmail('o')} = u.email
        AND ${hasRoom('o.tenant_id')}
      GROUP BY u.email
      ON CONFLICT (tenant_id, kind, key) DO UPDATE SET last_seen_at = excluded.last_seen_at,
        closed_at = iif(state = 'dismissed', closed_at, NULL), state = iif(state = 'dismissed', state, 'open')`),
  ]
}

/** Deletes noted addresses that their users do not have any more. */
async function deleteOldEmails(
  db: Database,
  { tenantId }: Swept,
  [email = '', user = '']: readonly string[],
): Promise<readonly string[] | undefined> {
  const chunk = sql`SELECT email, user_id FROM source_emails WHERE tenant_id = ${tenantId}
    AND (email, user_id) > (${email}, ${user}) ORDER BY email, user_id LIMIT ${CHUNK}`
  const [found] = await db.batch([
    statement(sql`SELECT count(*) AS n, max(email) AS email FROM (${chunk})`),
    statement(sql`DELETE FROM source_emails WHERE tenant_id = ${tenantId} AND (email, user_id) IN (${chunk})
      AND NOT EXISTS (SELECT 1 FROM users AS u WHERE u.tenant_id = ${tenantId} AND u.id = source_emails.user_id
        AND ${primaryEmail('u')} = source_emails.email)`),
  ])
  // The rest of the users with the last address is looked at again.
  return nextKey(found?.rows ?? [], CHUNK, (row) => [String(row.email)])
}

/** The counts of a sweep on its way. */
class Counts {
  readonly #counts: Record<
    string,
    { created: Record<string, number>; memberships: number; lastWrittenAt: number | null }
  >

  /** @param json of an earlier run */
  constructor(json: string | null) {
    this.#counts = json === null ? {} : JSON.parse(json)
  }

  get json(): string {
    return JSON.stringify(this.#counts)
  }

  addResources(client: string, type: string, n: number): void {
    const { created } = this.#of(client)
    created[type] = (created[type] ?? 0) + n
  }

  addMemberships(client: string, n: number): void {
    this.#of(client).memberships += n
  }

  addTime(client: string, time: number): void {
    const count = this.#of(client)
    count.lastWrittenAt = Math.max(count.lastWrittenAt ?? 0, time)
  }

  #of(client: string) {
    this.#counts[client] ??= { created: {}, memberships: 0, lastWrittenAt: null }
    return this.#counts[client]
  }
}

/** Deletes conflicts that ended long ago. A dismissed one stays as long as it is seen. @param before milliseconds since 1970 */
export async function pruneConflicts(db: Database, before: number): Promise<void> {
  await db.batch([
    statement(sql`DELETE FROM source_conflicts WHERE closed_at < ${before} AND last_seen_at < ${before}
      AND tenant_id NOT IN (SELECT id FROM tenants WHERE state IN ('moving', 'arriving', 'moved'))`),
  ])
}
