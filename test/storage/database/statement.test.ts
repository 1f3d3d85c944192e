/** The text of a statement, as it is sent to the database. */
import { sql } from 'drizzle-orm'
import { expect, it } from 'vitest'
import { prepared, statement } from '../../../src/storage/database/database.ts'

it('has no limit that is a parameter alone: SQLite would prepare the statement again for each value', () => {
  const { sql: text, params } = statement(
    sql`SELECT 1 FROM (SELECT 1 LIMIT ${5}) LIMIT ${12} + ${1} OFFSET ${3}`,
  )
  expect(text).toBe('SELECT 1 FROM (SELECT 1 LIMIT ?1 + 0) LIMIT ?2 + ?3 OFFSET ?4')
  expect(params).toEqual([5, 12, 1, 3])
  const page = prepared<'limit'>((slots) => sql`SELECT 1 LIMIT ${slots.limit}`)
  expect(page({ limit: 20 }).sql).toBe('SELECT 1 LIMIT ?1 + 0')
})
