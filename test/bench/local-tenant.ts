/** A tenant in a SQLite file with D1's limits, for benchmarks of jobs. */
import type { DatabaseSync } from 'node:sqlite'
import { migrate } from '../../src/sqlite/migrations.ts'
import { type OpenFile, openFile } from '../../src/sqlite/open.ts'
import type { Databases } from '../../src/storage/tenants/locations.ts'
import { MIGRATIONS } from '../support/migrations.ts'

export const TENANT = 'acme'
const MEMBERS_OF_A_GROUP = 5_000

export function openMigrated(path: string): OpenFile {
  const file = openFile(path, { synchronous: 'NORMAL', busyTimeoutMs: 1_000 })
  migrate(file.database, MIGRATIONS)
  return file
}

export interface BatchFigures {
  /** The longest batch: on one machine nobody else is answered meanwhile. */
  longestMs: number
  queries: number
}

export function timed(databases: Databases, figures: BatchFigures): Databases {
  return {
    ...databases,
    open(name) {
      const db = databases.open(name)
      return {
        async batch(statements) {
          figures.queries += statements.length
          const started = performance.now()
          try {
            return await db.batch(statements)
          } finally {
            figures.longestMs = Math.max(figures.longestMs, performance.now() - started)
          }
        },
      }
    },
  }
}

/** Users with the attributes that Entra sends, in groups of MEMBERS_OF_A_GROUP. */
export function fillTenant(database: DatabaseSync, users: number, memberships: number): void {
  const groups = Math.ceil((users * memberships) / MEMBERS_OF_A_GROUP)
  database.exec(
    `INSERT INTO tenants (id, name, group_limit, created_at) VALUES ('${TENANT}', 'Acme', ${Math.max(groups, 1)}, 0)`,
  )
  const numbers = (count: number) =>
    `WITH RECURSIVE n(value) AS (SELECT 0 UNION ALL SELECT value + 1 FROM n WHERE value < ${count - 1})`
  const id = (kind: number, value: string) => `printf('0000000${kind}-0000-7000-8000-%012d', ${value})`
  // In the order in which an import stores the attributes.
  const user = `json_object('schemas', json_array('urn:ietf:params:scim:schemas:core:2.0:User'),
    'externalId', 'external-' || value, 'userName', 'user' || value || '@quillfern.example',
    'name', json_object('givenName', 'User', 'familyName', 'Number ' || value),
    'displayName', 'User Number ' || value, 'active', json('true'),
    'emails', json_array(json_object('value', 'user' || value || '@quillfern.example', 'type', 'work', 'primary', json('true'))))`
  // The words of the search: see src/storage/tables/words.ts.
  const userKeys = `json_insert(${user}, '$.words', json_array('quillfern.example', value || ''))`
  database.exec('BEGIN')
  database.exec(`${numbers(users)} INSERT INTO users (tenant_id, id, data, keys, version, created_at, last_modified)
    SELECT '${TENANT}', ${id(1, 'value')}, ${user}, ${userKeys}, 1, 0, 0 FROM n`)
  if (groups > 0) {
    const group = `json_object('schemas', json_array('urn:ietf:params:scim:schemas:core:2.0:Group'), 'displayName', 'group ' || value)`
    const groupKeys = `json_insert(${group}, '$.words', json_array(value || ''))`
    database.exec(`${numbers(groups)} INSERT INTO groups (tenant_id, id, data, keys, version, created_at, last_modified)
      SELECT '${TENANT}', ${id(2, 'value')}, ${group}, ${groupKeys}, 1, 0, 0 FROM n`)
    database.exec(`${numbers(users * memberships)} INSERT INTO memberships (tenant_id, group_id, member_id, member_type)
      SELECT '${TENANT}', ${id(2, `value / ${MEMBERS_OF_A_GROUP}`)}, ${id(1, `value % ${users}`)}, 'User' FROM n`)
    database.exec(`UPDATE groups SET member_count = (SELECT count(*) FROM memberships AS m
      WHERE m.tenant_id = groups.tenant_id AND m.group_id = groups.id)`)
  }
  database.exec('COMMIT')
}
