/**
 * The highest id in the database. After a restart, new ids continue from it.
 */
import type { DatabaseSync } from 'node:sqlite'
import type { StoredResourceType } from '../storage/tables/resource-tables.ts'

/** The form of an id: rows written by hand may have any other. */
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * @param types the types that are shipped
 * @param below ids from this one on are ignored
 * @returns undefined when there is none
 */
export function highestId(
  database: DatabaseSync,
  types: readonly StoredResourceType[],
  below: string,
): string | undefined {
  const tables = [...types.map(({ table }) => table.name), 'provisioning_log']
  // Searches the primary key for each tenant, so the cost does not depend on the number of rows.
  const selects = tables.map(
    (table) =>
      `SELECT (SELECT max(id) FROM ${table} WHERE tenant_id = t.id AND id < ?1) AS id FROM tenants AS t`,
  )
  const row = database.prepare(`SELECT max(id) AS id FROM (${selects.join(' UNION ALL ')})`).get(below)
  return UUID.test(String(row?.id)) ? String(row?.id) : undefined
}
