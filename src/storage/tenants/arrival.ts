/**
 * The row of a tenant in a copy. A copy is "arriving" until it is complete: its row then has the position of the copy, and
 * lacks what would make triggers refuse or change copied rows.
 */
import { type SQL, sql } from 'drizzle-orm'
import { type Database, type Row, type Statement, statement } from '../database/database.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'
import { selection } from '../tables/selection.ts'
import { tenants } from '../tables/tables.ts'
import { COPY_START, type CopyPosition, type MovedTenant, parsePosition, positionText } from './copy.ts'
import { columnNames, names, tenantTables } from './tenant-tables.ts'

/** Counts of a tenant. Triggers maintain them while its rows are copied. */
function countsOf(types: readonly StoredResourceType[]): readonly string[] {
  const ofTypes = types.flatMap(({ table: { counters } }) => Object.values(counters))
  return [...ofTypes, 'active_user_count', 'membership_count']
}

/** Columns that would make triggers refuse or change copied rows. They are set when the copy is complete. */
const RULES = ['group_limit', 'unique_group_names', 'log_bytes', 'version'] as const
/** The values of these columns while the copy arrives: they refuse nothing and prune no log entries. */
const NO_RULES: Readonly<Record<(typeof RULES)[number], number>> = {
  group_limit: Number.MAX_SAFE_INTEGER,
  unique_group_names: 0,
  log_bytes: -(2 ** 50),
  version: 0,
}
const STATE_COLUMNS = ['id', 'state', 'imported_lines', 'import_digest', 'move_job_id', 'copied_until']

/** The position of a copy, and the job that makes it. */
const COPY = selection(tenants, ['moveJobId', 'copiedUntil'])

/**
 * Begins a copy: inserts the row of the tenant as "arriving". Does nothing if the copy has begun.
 *
 * @param row the tenant's row at its home, with all columns
 * @returns false when the target already holds data of a tenant with this id
 */
export async function beginArrival(
  db: Database,
  types: readonly StoredResourceType[],
  { tenantId, jobId }: MovedTenant,
  row: Row,
): Promise<boolean> {
  const columns = columnNames(tenants).filter((column) => !STATE_COLUMNS.includes(column))
  const counts = countsOf(types)
  const values = columns.map((column) => {
    if (counts.includes(column)) return sql`0`
    if (column in NO_RULES) return sql`${NO_RULES[column as keyof typeof NO_RULES]}`
    return sql`${row[column] ?? null}`
  })
  const [, , found] = await db.batch([
    removeUnusedTenant(types, tenantId),
    statement(sql`INSERT INTO tenants (id, state, move_job_id, copied_until, ${names(columns)})
      VALUES (${tenantId}, 'arriving', ${jobId}, ${positionText(COPY_START)}, ${sql.join(values, sql`, `)})
      ON CONFLICT (id) DO NOTHING`),
    COPY.where(sql`id = ${tenantId}`),
  ])
  return COPY.first(found)?.moveJobId === jobId
}

/**
 * Every database is created with the tenant "default". Where that tenant does not live, its empty row can be deleted.
 */
export function removeUnusedTenant(types: readonly StoredResourceType[], tenantId: string): Statement {
  return statement(
    sql`DELETE FROM tenants WHERE id = ${tenantId} AND state = 'ready' AND NOT (${holdsRows(types, tenantId)})`,
  )
}

/** The condition that the database holds any row of the tenant. */
export function holdsRows(types: readonly StoredResourceType[], tenantId: string): SQL {
  const exists = tenantTables(types).map(
    ({ name }) => sql`EXISTS (SELECT 1 FROM ${sql.raw(name)} WHERE tenant_id = ${tenantId})`,
  )
  return sql.join(exists, sql` OR `)
}

/** The position of a copy. @returns undefined when the copy is complete, or there is none */
export async function copyPosition(
  db: Database,
  { tenantId, jobId }: MovedTenant,
): Promise<CopyPosition | undefined> {
  const [found] = await db.batch([
    COPY.where(sql`id = ${tenantId} AND state = 'arriving' AND move_job_id = ${jobId}`),
  ])
  const text = COPY.first(found)?.copiedUntil
  return text == null ? undefined : parsePosition(text)
}

/** The counts of a tenant as its database keeps them. They are equal on both sides of a complete copy. */
export async function tenantCounts(
  db: Database,
  types: readonly StoredResourceType[],
  tenantId: string,
): Promise<string> {
  const [found] = await db.batch([
    statement(
      sql`SELECT json_array(${names(countsOf(types))}) AS counts FROM tenants WHERE id = ${tenantId}`,
    ),
  ])
  return String(found?.rows[0]?.counts)
}

/** The row of a tenant with all columns. @returns undefined when there is none */
export async function tenantRow(db: Database, tenantId: string): Promise<Row | undefined> {
  const [found] = await db.batch([
    statement(sql`SELECT ${names(columnNames(tenants))} FROM tenants WHERE id = ${tenantId}`),
  ])
  return found?.rows[0]
}

/** The approximate number of rows that a copy takes, for its progress. */
export async function countTenantRows(
  db: Database,
  types: readonly StoredResourceType[],
  tenantId: string,
): Promise<number> {
  const counts = sql.raw(types.map(({ table }) => table.counters.count).join(' + '))
  const [found] = await db.batch([
    statement(sql`SELECT ${counts} + membership_count
      + (SELECT count(*) FROM provisioning_log WHERE tenant_id = ${tenantId}) AS count
      FROM tenants WHERE id = ${tenantId}`),
  ])
  return Number(found?.rows[0]?.count ?? 0)
}

/** The assignments of the columns that the copy lacked while it arrived. @param row the tenant's row at its home */
export function rulesOf(row: Row): SQL {
  const assignments = RULES.map((column) => sql`${sql.raw(column)} = ${row[column] ?? null}`)
  return sql.join(assignments, sql`, `)
}
