/**
 * Writes that are committed together: the results that wait for the commit.
 */
import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import { CommitQueue } from '../../src/sqlite/commit-queue.ts'
import { SqliteD1 } from '../../src/sqlite/d1.ts'

const WRITES = 40

it.for([
  ['one result of 4 MiB', 'SELECT text FROM texts', 1, 1],
  // A busy machine may exceed the time of a commit before all of them are done.
  ['many small results', 'SELECT count(*) AS count FROM texts', 2, WRITES],
] as const)('one commit holds %s', async ([, read, least, most]) => {
  const database = new DatabaseSync(':memory:')
  database.exec(`CREATE TABLE uses (count INTEGER); INSERT INTO uses VALUES (0);
    CREATE TABLE texts (text TEXT);
    INSERT INTO texts SELECT hex(zeroblob(524288)) FROM json_each('[1,2,3,4]')`)
  const { binding } = new SqliteD1(database)
  const begun = database.prepare('SELECT count FROM uses')
  // A read that records the use of its token.
  const sizes = Array.from({ length: WRITES }, async () => {
    const note = binding.prepare('UPDATE uses SET count = count + 1 RETURNING count')
    const [, noted] = await binding.batch<{ count: number }>([binding.prepare(read), note])
    return Number(begun.get()?.count) - Number(noted?.results[0]?.count) + 1
  })
  const largest = Math.max(...(await Promise.all(sizes)))
  expect(largest).toBeGreaterThanOrEqual(least)
  expect(largest).toBeLessThanOrEqual(most)
  expect(begun.get()?.count).toBe(WRITES)
})

it('a write elsewhere that cannot be started fails alone', async () => {
  const commits = new CommitQueue(new DatabaseSync(':memory:'))
  const failed = commits.alone(() => {
    throw new Error('no thread')
  })
  const next = commits.write(
    () => 'written',
    () => 0,
  )
  await expect(failed).rejects.toThrow('no thread')
  expect(await next).toBe('written')
})
