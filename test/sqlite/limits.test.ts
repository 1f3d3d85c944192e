import { expect, it } from 'vitest'
import { isReadOnly } from '../../src/sqlite/limits.ts'

it.for<[isRead: boolean, sql: string]>([
  [true, 'SELECT 1'],
  [true, ' with one AS (SELECT 1) SELECT * FROM one'],
  // Otherwise a list would wait for its turn to write, and the writes of others would wait for its end.
  [true, `WITH one AS (SELECT replace(keys, '{', '') FROM users) SELECT * FROM one`],
  [true, `WITH one AS (SELECT keys ->> '$."urn:x".update' FROM users) SELECT "delete" /* insert */ FROM one`],
  [false, 'WITH one AS (SELECT 1) INSERT INTO things SELECT * FROM one'],
  [false, 'WITH one AS (SELECT 1) replace  INTO things SELECT * FROM one'],
  [false, `WITH one AS (SELECT ' it''s') REPLACE/* */INTO things SELECT * FROM one`],
  [false, 'WITH one AS (SELECT 1) DELETE FROM things'],
  [false, 'UPDATE things SET id = 1'],
  [false, 'REPLACE INTO things VALUES (1)'],
])('%s: changes nothing, whatever names and texts it has: %s', ([isRead, sql]) => {
  expect(isReadOnly(sql)).toBe(isRead)
})
