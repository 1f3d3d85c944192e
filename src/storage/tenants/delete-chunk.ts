/**
 * Deletes the rows of a tenant in chunks. A self-hosted server answers no other request while a chunk is deleted, so a
 * chunk is limited in rows and in bytes.
 */
import { type SQL, sql } from 'drizzle-orm'
import { type Statement, statement } from '../database/database.ts'

/** Memberships are short. The deletion of another row also changes all of its index entries and runs its triggers. */
const MAX_MEMBERSHIPS = 5_000
const MAX_ROWS = 1_000
/** Rows with documents: users and groups compute the values and words that they take out of their indexes. */
const MAX_DOCUMENTS = 500
/** The most bytes of documents: SQLite visits each page of a long document to free it. */
const MAX_BYTES = 4 * 1024 * 1024

/** A table whose rows belong to tenants. */
export interface PurgedTable {
  readonly name: string
  /** The columns that identify a row within a tenant. */
  readonly key: readonly string[]
  /** Columns that may hold long texts. */
  readonly documents?: readonly string[]
}

/**
 * Deletes a chunk of a tenant's rows, at least one. If it changes nothing, no row is left.
 *
 * @param condition deletes nothing unless it holds
 */
export function deleteChunk(
  { name, key, documents = [] }: PurgedTable,
  tenantId: string,
  condition: SQL = sql`1`,
): Statement {
  const [from, keys] = [sql.raw(name), sql.raw(key.join(', '))]
  const most = name === 'memberships' ? MAX_MEMBERSHIPS : documents.length > 0 ? MAX_DOCUMENTS : MAX_ROWS
  const bytes = documents.map((column) => `coalesce(octet_length("${column}"), 0)`).join(' + ')
  const rows = sql`SELECT ${keys} FROM ${from} WHERE tenant_id = ${tenantId} LIMIT ${most}`
  const measured = sql`SELECT ${keys} FROM (
    SELECT ${keys}, row_number() OVER (ORDER BY ${keys}) AS n,
      sum(bytes) OVER (ORDER BY ${keys} ROWS UNBOUNDED PRECEDING) AS total
    FROM (SELECT ${keys}, ${sql.raw(bytes)} AS bytes FROM ${from} WHERE tenant_id = ${tenantId}
      ORDER BY ${keys} LIMIT ${most})) WHERE n = 1 OR total <= ${MAX_BYTES}`
  return statement(sql`DELETE FROM ${from} WHERE tenant_id = ${tenantId} AND ${condition}
    AND (${keys}) IN (${documents.length > 0 ? measured : rows})`)
}
