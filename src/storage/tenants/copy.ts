/**
 * Copies the rows of a tenant from one database to another, a page at a time, in the order of their keys, and
 * compares them. SQLite encodes each page as a JSON array and decodes it again, so a page is one string in the
 * process that carries it.
 *
 * The batch of each page also stores the position in the target. A page is therefore written once, whatever is
 * interrupted and however many runners try.
 */
import { type SQL, sql } from 'drizzle-orm'
import { type Database, type Row, type SqlValue, type Statement, statement } from '../database/database.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'
import { STALE_GUARD } from '../tables/stored-resources.ts'
import { columnsOf, names, type TenantTable, tableNamed, tenantTables } from './tenant-tables.ts'

/** A tenant and the job that moves it. */
export interface MovedTenant {
  readonly tenantId: string
  readonly jobId: string
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

/** Which rows to read. */
export interface PageRequest {
  readonly types: readonly StoredResourceType[]
  readonly tenantId: string
  readonly position: CopyPosition
  /** The columns: all of them, or those that must be equal on both sides. */
  readonly what: 'all' | 'comparable'
}

/** Reads the next page of a tenant. */
export async function readTenantPage(
  db: Database,
  { types, tenantId, position, what }: PageRequest,
): Promise<TenantPage> {
  const tables = tenantTables(types)
  const table = tableNamed(tables, position.table)
  const nextTable = positionAfter(tables, table)
  const columns = columnsOf(table, what)
  const rowsAfter: RowsAfter = { table, tenantId, key: position.key, columns }
  const [result] = await db.batch([pageStatement(rowsAfter)])
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
  return await readLongRow(db, rowsAfter)
}

/** The rows of a table after a key. */
interface RowsAfter {
  readonly table: TenantTable
  readonly tenantId: string
  readonly key: readonly SqlValue[]
  readonly columns: readonly string[]
}

/** A row that is too long for a page of JSON: its values travel as parameters. */
async function readLongRow(db: Database, { table, tenantId, key, columns }: RowsAfter): Promise<TenantPage> {
  const [result] = await db.batch([
    statement(sql`SELECT ${names(columns)} FROM ${sql.raw(table.name)} WHERE ${isAfter(table, tenantId, key)}
      ORDER BY ${names(table.key)} LIMIT 1`),
  ])
  const row = result?.rows[0] ?? {}
  const rowKey = table.key.map((column) => row[column] ?? null)
  return { table, rowCount: 1, rows: row, next: { table: table.name, key: rowKey } }
}

function pageStatement({ table, tenantId, key, columns }: RowsAfter): Statement {
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

/**
 * Ends access at the target that has ended at the source. Never gives access back, because a runner that is late may have
 * read the page before the access ended on both sides.
 *
 * @param page comparable rows of the source
 * @returns false if the rows of this table give no access
 */
export async function endAccessOf(
  db: Database,
  { tenantId, jobId }: MovedTenant,
  { table, rows }: TenantPage,
): Promise<boolean> {
  const { name, ended } = table
  if (ended === undefined || typeof rows !== 'string') return false
  const columns = columnsOf(table, 'comparable')
  const valueAt = (column: string) => sql.raw(`page.value ->> ${columns.indexOf(column)}`)
  await db.batch([
    statement(sql`UPDATE ${sql.raw(name)} SET ${sql.raw(ended)} = ${valueAt(ended)} FROM json_each(${rows}) AS page
      WHERE ${sql.raw(name)}.tenant_id = ${tenantId} AND ${sql.raw(name)}.id = ${valueAt('id')}
        AND ${valueAt(ended)} IS NOT NULL
        AND EXISTS (SELECT 1 FROM tenants WHERE id = ${tenantId} AND move_job_id = ${jobId}
          AND state IN ('arriving', 'moving'))`),
  ])
  return true
}

const COMPLETE = 'complete'

/** The position as it is stored with the page that was copied last. */
export function positionText(position: CopyPosition | undefined): string {
  return position === undefined ? COMPLETE : JSON.stringify([position.table, ...position.key])
}

/** @returns undefined when the copy is complete */
export function parsePosition(text: string): CopyPosition | undefined {
  if (text === COMPLETE) return undefined
  const [table, ...key] = JSON.parse(text) as [string, ...SqlValue[]]
  return { table, key }
}

function positionAfter(tables: readonly TenantTable[], table: TenantTable): CopyPosition | undefined {
  const next = tables[tables.indexOf(table) + 1]
  return next && { table: next.name, key: [] }
}
