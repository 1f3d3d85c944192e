/**
 * The highest id in the database: after a restart, ids go on from there.
 */
import type { DatabaseSync } from 'node:sqlite'

/** An id by its form: what was written by hand may be anything. */
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The tables whose order matters. */
const TABLES = ['users', 'groups', 'provisioning_log'] as const

/** @param below ids from this one on do not count @returns undefined when there is none */
export function highestId(database: DatabaseSync, below: string): string | undefined {
  // A search of the primary key for each tenant, however many rows there are.
  const selects = TABLES.map(
    (table) =>
      `SELECT (SELECT max(id) FROM ${table} WHERE tenant_id = t.id AND id < ?1) AS id FROM tenants AS t`,
  )
  const row = database.prepare(`SELECT max(id) AS id FROM (${selects.join(' UNION ALL ')})`).get(below)
  return UUID.test(String(row?.id)) ? String(row?.id) : undefined
}
