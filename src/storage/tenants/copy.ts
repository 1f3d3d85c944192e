/**
 * Copies the rows of a tenant from one database to another, a page at a time, in the order of their keys, and
 * compares them. SQLite encodes each page as a JSON array and decodes it again, so a page is one string in the
 * process that carries it.
 *
 * A copy is "arriving" until it is complete. The batch of each page also stores the position in the target. A page is
 * therefore written once, whatever is interrupted and however many runners try.
 */
import { getTableColumns, type SQL, sql } from 'drizzle-orm'
import type { SQLiteColumn, SQLiteTable } from 'drizzle-orm/sqlite-core'
import { type Database, type Row, type SqlValue, type Statement, statement } from '../database/database.ts'
import { RESOURCE_COLUMNS, type StoredResourceType } from '../tables/resource-tables.ts'
import { selection } from '../tables/selection.ts'
import { STALE_GUARD } from '../tables/stored-resources.ts'
import {
  clients,
  events,
  memberships,
  provisioningActivity,
  provisioningDays,
  provisioningLog,
  tenants,
  tokens,
} from '../tables/tables.ts'

/** A table with rows of tenants. */
export interface TenantTable {
  readonly name: string
  /** The stored columns: generated ones are derived from them. */
  readonly columns: readonly string[]
  /** The columns that identify a row within a tenant, in the order of the primary key or of an index. */
  readonly key: readonly string[]
  /** Columns with JSON. Their text at most doubles inside JSON, because it has no control characters. */
  readonly documents?: readonly string[]
  /** Columns that a trigger writes when the row is inserted. */
  readonly derived?: readonly string[]
  /** Columns that a read may change; they are not compared. */
  readonly volatile?: readonly string[]
  /**
   * Whether triggers insert rows while other tables are copied. Such rows are deleted first, and the last row is
   * inserted first.
   */
  readonly isTriggered?: boolean
}

/** The tables that are copied before the resources. */
const ACCESS_TABLES: readonly TenantTable[] = [
  { name: 'clients', columns: columnNames(clients), key: ['id'], volatile: ['last_used_at'] },
  {
    name: 'tokens',
    columns: columnNames(tokens),
    key: ['id'],
    derived: ['tenant_state', 'tenant_version'],
    volatile: ['last_used_at'],
  },
]

/** The tables that are copied after the resources. */
const LATER_TABLES: readonly TenantTable[] = [
  { name: 'memberships', columns: columnNames(memberships), key: ['group_id', 'member_id'] },
  {
    name: 'provisioning_log',
    columns: columnNames(provisioningLog),
    key: ['id'],
    documents: ['changes', 'ignored'],
  },
  { name: 'events', columns: columnNames(events), key: ['seq'], documents: ['data'] },
  {
    name: 'provisioning_activity',
    columns: columnNames(provisioningActivity),
    key: ['hour'],
    isTriggered: true,
  },
  { name: 'provisioning_days', columns: columnNames(provisioningDays), key: ['day'], isTriggered: true },
]

/**
 * The tables with rows of tenants in the order of copying: a referenced table comes first. A test compares them with
 * the migrations.
 */
export function tenantTables(types: readonly StoredResourceType[]): readonly TenantTable[] {
  const resources = types.map(({ table: { name, ownColumns } }) => ({
    name,
    columns: [...RESOURCE_COLUMNS, ...ownColumns],
    key: ['id'],
    documents: ['data', 'keys'],
  }))
  return [...ACCESS_TABLES, ...resources, ...LATER_TABLES]
}

/** The position of a copy or a comparison: it continues after the row with this key. */
export interface CopyPosition {
  readonly table: string
  /** Empty before the first row. */
  readonly key: readonly SqlValue[]
}

export const COPY_START: CopyPosition = { table: 'clients', key: [] }

/** Some rows of a table, in the order of their keys. */
export interface TenantPage {
  readonly table: TenantTable
  readonly rowCount: number
  /** A JSON array of rows, each an array of values; or a single row that is too long for that. */
  readonly rows: string | Row
  /** Undefined at the end of the tenant. */
  readonly next: CopyPosition | undefined
}

/** The most rows of a page. A page of memberships, which are short, takes a few hundred kilobytes. */
const MAX_PAGE_ROWS = 5_000
/** The most bytes of a page as JSON, well below the limit of a string in D1, which is 2,000,000. */
const MAX_PAGE_BYTES = 1_500_000
/** Inside JSON, `"` and `\` in a document become two characters; a control character in other text becomes six. */
const DOCUMENT_FACTOR = 2
const TEXT_FACTOR = 6
/** A number, or the delimiters of a value. */
const VALUE_BYTES = 24

/** The most statements that copying or comparing a page takes at each database. */
export const COPY_STATEMENTS = 5

/**
 * Reads the next page of a tenant.
 *
 * @param what the columns: all of them, or those that must be equal on both sides
 */
export async function readTenantPage(
  db: Database,
  types: readonly StoredResourceType[],
  tenantId: string,
  position: CopyPosition,
  what: 'all' | 'comparable',
): Promise<TenantPage> {
  const tables = tenantTables(types)
  const table = tableNamed(tables, position.table)
  const nextTable = positionAfter(tables, table)
  const columns = columnsOf(table, what)
  const [result] = await db.batch([pageStatement(table, tenantId, position.key, columns)])
  const { found, fitting, lastKey, rows } = result?.rows[0] ?? {}
  if (Number(found) === 0) {
    return { table, rowCount: 0, rows: '[]', next: nextTable }
  }
  if (Number(fitting) > 0) {
    const isLastPage = Number(found) < MAX_PAGE_ROWS && fitting === found
    const key = JSON.parse(String(lastKey)) as SqlValue[]
    const next = isLastPage ? nextTable : { table: table.name, key }
    return { table, rowCount: Number(fitting), rows: String(rows), next }
  }
  return await readLongRow(db, table, tenantId, position.key, columns)
}

/** A row that is too long for a page of JSON: its values travel as parameters. */
async function readLongRow(
  db: Database,
  table: TenantTable,
  tenantId: string,
  key: readonly SqlValue[],
  columns: readonly string[],
): Promise<TenantPage> {
  const [result] = await db.batch([
    statement(sql`SELECT ${names(columns)} FROM ${sql.raw(table.name)} WHERE ${isAfter(table, tenantId, key)}
      ORDER BY ${names(table.key)} LIMIT 1`),
  ])
  const row = result?.rows[0] ?? {}
  const rowKey = table.key.map((column) => row[column] ?? null)
  return { table, rowCount: 1, rows: row, next: { table: table.name, key: rowKey } }
}

function pageStatement(
  table: TenantTable,
  tenantId: string,
  key: readonly SqlValue[],
  columns: readonly string[],
): Statement {
  const from = sql`FROM ${sql.raw(table.name)} WHERE ${isAfter(table, tenantId, key)} ORDER BY ${names(table.key)}`
  const order = names(table.key)
  return statement(sql`WITH sizes AS MATERIALIZED (
      SELECT ${order}, row_number() OVER (ORDER BY ${order}) AS n, sum(bytes) OVER (ORDER BY ${order} ROWS UNBOUNDED PRECEDING) AS total
      FROM (SELECT ${order}, ${sizeOf(table, columns)} AS bytes ${from} LIMIT ${sql.raw(String(MAX_PAGE_ROWS))})),
    page AS MATERIALIZED (SELECT count(*) AS found, count(*) FILTER (WHERE total <= ${sql.raw(String(MAX_PAGE_BYTES))}) AS fitting FROM sizes)
    SELECT found, fitting, (SELECT json_array(${order}) FROM sizes WHERE n = fitting) AS lastKey,
      (SELECT json_group_array(json(item)) FROM (SELECT json_array(${names(columns)}) AS item ${from} LIMIT (SELECT fitting FROM page))) AS rows
    FROM page`)
}

/** An upper bound of the length of a row as JSON. SQLite knows the length of a value without reading it. */
function sizeOf(table: TenantTable, columns: readonly string[]): SQL {
  const bytes = columns.map((column) => {
    const factor = table.documents?.includes(column) ? DOCUMENT_FACTOR : TEXT_FACTOR
    return `coalesce(octet_length("${column}"), 0) * ${factor} + ${VALUE_BYTES}`
  })
  return sql.raw(bytes.join(' + '))
}

function isAfter(table: TenantTable, tenantId: string, key: readonly SqlValue[]): SQL {
  const isOfTenant = sql`tenant_id = ${tenantId}`
  if (key.length === 0) return isOfTenant
  const values = sql.join(
    key.map((value) => sql`${value}`),
    sql`, `,
  )
  return sql`${isOfTenant} AND (${names(table.key)}) > (${values})`
}

/**
 * Writes a page and the new position into the copy, as one transaction.
 *
 * @throws {GuardError} "stale version" when the copy is not at `position`: another runner was first, or the move
 *   ended
 */
export async function writeTenantPage(
  db: Database,
  { tenantId, jobId }: MovedTenant,
  position: CopyPosition,
  page: TenantPage,
): Promise<void> {
  const { table } = page
  await db.batch([
    statement(sql`UPDATE tenants SET copied_until = ${positionText(page.next)} WHERE id = ${tenantId}
      AND state = 'arriving' AND move_job_id = ${jobId} AND copied_until = ${positionText(position)}`),
    STALE_GUARD,
    ...(table.isTriggered && position.key.length === 0
      ? [statement(sql`DELETE FROM ${sql.raw(table.name)} WHERE tenant_id = ${tenantId}`)]
      : []),
    ...(page.rowCount > 0 ? [insertPage(tenantId, page)] : []),
  ])
}

function insertPage(tenantId: string, { table, rows }: TenantPage): Statement {
  const columns = columnsOf(table, 'all')
  const into = sql`INSERT INTO ${sql.raw(table.name)} (tenant_id, ${names(columns)})`
  if (typeof rows !== 'string') {
    const values = columns.map((column) => sql`${rows[column] ?? null}`)
    return statement(sql`${into} VALUES (${tenantId}, ${sql.join(values, sql`, `)})`)
  }
  const values = sql.raw(columns.map((_, i) => `value ->> ${i}`).join(', '))
  // The newest first: for a row of an hour, a trigger folds hours that are a day older.
  const order = sql.raw(table.isTriggered ? ' ORDER BY json_each.key DESC' : '')
  return statement(sql`${into} SELECT ${tenantId}, ${values} FROM json_each(${rows})${order}`)
}

/** A tenant and the job that moves it. */
export interface MovedTenant {
  readonly tenantId: string
  readonly jobId: string
}

/** Counts of a tenant. Triggers maintain them while its rows are copied. */
function countsOf(types: readonly StoredResourceType[]): readonly string[] {
  const ofTypes = types.flatMap(({ table: { counters } }) => [counters.count, counters.blocks])
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

function holdsRows(types: readonly StoredResourceType[], tenantId: string): SQL {
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
  const text = COPY.first(found)?.copiedUntil ?? COMPLETE
  return text === COMPLETE ? undefined : parsePosition(text)
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

const COMPLETE = 'complete'

export function positionText(position: CopyPosition | undefined): string {
  return position === undefined ? COMPLETE : JSON.stringify([position.table, ...position.key])
}

/** @returns undefined when the copy is complete */
export function parsePosition(text: string): CopyPosition | undefined {
  if (text === COMPLETE) return undefined
  const [table, ...key] = JSON.parse(text) as [string, ...SqlValue[]]
  return { table, key }
}

/** @throws {Error} when none of the tables has this name */
export function tableNamed(tables: readonly TenantTable[], name: string): TenantTable {
  const table = tables.find((one) => one.name === name)
  if (table === undefined) throw new Error(`"${name}" is not a table of a tenant`)
  return table
}

function positionAfter(tables: readonly TenantTable[], table: TenantTable): CopyPosition | undefined {
  const next = tables[tables.indexOf(table) + 1]
  return next && { table: next.name, key: [] }
}

function columnsOf(
  { columns, derived = [], volatile = [] }: TenantTable,
  what: 'all' | 'comparable',
): readonly string[] {
  const omitted = what === 'all' ? derived : [...derived, ...volatile]
  return columns.filter((name) => name !== 'tenant_id' && !omitted.includes(name))
}

/** The stored columns: generated ones are derived from them. */
function columnNames(table: SQLiteTable): readonly string[] {
  const columns: readonly SQLiteColumn[] = Object.values(getTableColumns(table))
  return columns.filter(({ generated }) => generated === undefined).map(({ name }) => name)
}

function names(columns: readonly string[]): SQL {
  return sql.raw(columns.map((column) => `"${column}"`).join(', '))
}
