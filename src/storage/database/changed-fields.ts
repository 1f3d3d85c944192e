/** The fields that a statement changes, for what the event of an administrator tells of it: see Act. */
import { type SQL, sql } from 'drizzle-orm'

/**
 * The names of fields that change in a row, as a JSON array.
 *
 * @param fields with the conditions under which their values change
 * @param row the rest of a SELECT, from FROM on, of at most one row: none changes nothing
 */
export function changedFields(fields: readonly (readonly [name: string, changes: SQL])[], row: SQL): SQL {
  const names = fields.map(([name, changes]) => sql`iif(${changes}, ${name}, NULL)`)
  return sql`(SELECT json_group_array(value) FROM json_each((SELECT json_array(${sql.join(names, sql`, `)}) ${row}))
    WHERE value IS NOT NULL)`
}
