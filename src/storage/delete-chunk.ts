/**
 * Deleting the rows of a tenant, a chunk at a time: on one machine nobody else is answered while a chunk is deleted, so that
 * it is bounded in rows and in bytes.
 */
import { type SQL, sql } from 'drizzle-orm'
import { type Statement, statement } from './database.ts'

/** Memberships are short. Another row goes with the entries of all indexes, and with what triggers change. */
const MAX_MEMBERSHIPS = 5_000
const MAX_ROWS = 1_000
/** Of documents: SQLite follows the pages of a long one to free them. */
const MAX_BYTES = 4 * 1024 * 1024

/** A table of which rows belong to a tenant. */
export interface PurgedTable {
  readonly name: string
  /** What tells the rows of one tenant apart. */
  readonly key: readonly string[]
  /** Columns that may hold long texts. */
  readonly documents?: readonly string[]
}

/**
 * Deletes a chunk of a tenant's rows, and at least one. When it changes nothing, there are none left.
 *
 * @param condition deletes nothing unless it holds
 */
export function deleteChunk(
  { name, key, documents = [] }: PurgedTable,
  tenantId: string,
  condition: SQL = sql`1`,
): Statement {
  const [from, keys] = [sql.raw(name), sql.raw(key.join(', '))]
  const most = name === 'memberships' ? MAX_MEMBERSHIPS : MAX_ROWS
  const bytes = documents.map((column) => `octet_length("${column}")`).join(' + ')
  const rows = sql`SELECT ${keys} FROM ${from} WHERE tenant_id = ${tenantId} LIMIT ${most}`
  const measured = sql`SELECT ${keys} FROM (
    SELECT ${keys}, row_number() OVER (ORDER BY ${keys}) AS n,
      sum(bytes) OVER (ORDER BY ${keys} ROWS UNBOUNDED PRECEDING) AS total
    FROM (SELECT ${keys}, ${sql.raw(bytes)} AS bytes FROM ${from} WHERE tenant_id = ${tenantId}
      ORDER BY ${keys} LIMIT ${most})) WHERE n = 1 OR total <= ${MAX_BYTES}`
  return statement(sql`DELETE FROM ${from} WHERE tenant_id = ${tenantId} AND ${condition}
    AND (${keys}) IN (${documents.length > 0 ? measured : rows})`)
}
