import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SqliteD1 } from '../../src/sqlite/d1.ts'
import { DatabaseThreads } from '../../src/sqlite/database-threads.ts'
import { migrate } from '../../src/sqlite/migrations.ts'
import { openFile } from '../../src/sqlite/open.ts'
import { CHECKPOINT, ROWS_TO_CHECKPOINT } from '../../src/storage/database/checkpoint.ts'
import { type ContractDatabase, describeDatabase } from '../support/database-contract.ts'
import { MIGRATIONS, OPTIONS, temporaryFolder } from './support/files.ts'

const path = join(temporaryFolder(), 'directory.sqlite')
const file = openFile(path, OPTIONS)
migrate(file.database, MIGRATIONS)
const database = new SqliteD1(file.database, new DatabaseThreads(path, OPTIONS))
afterAll(async () => {
  await database.stop()
  file.close()
})

describeDatabase('a thread of a SQLite file', () => {
  const inThread = {
    prepare: (sql: string) => database.prepare(sql),
    batch: (statements: Parameters<SqliteD1['longBatch']>[0]) => database.longBatch(statements),
  }
  return inThread as unknown as ContractDatabase
})

/** Takes about a tenth of a second. */
const LONG_READ = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400000)
  SELECT max(i) AS last FROM n`

describe('a long batch', () => {
  beforeAll(async () => {
    await database.prepare('CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT UNIQUE) STRICT').run()
  })
  const note = (text: string) => database.prepare('INSERT INTO notes (text) VALUES (?1)').bind(text)
  const texts = async () =>
    (await database.prepare('SELECT text FROM notes ORDER BY id').all<{ text: string }>()).results.map(
      ({ text }) => text,
    )
  /** The order in which the promises are fulfilled. */
  const orderOf = async (named: Readonly<Record<string, Promise<unknown>>>) => {
    const order: string[] = []
    await Promise.all(Object.entries(named).map(([name, one]) => one.then(() => order.push(name))))
    return order
  }

  it('lets reads and writes go on if it reads', async () => {
    const long = database.longBatch([database.prepare(LONG_READ)])
    const order = await orderOf({ long, read: database.prepare('SELECT 1').run(), write: note('a').run() })
    expect(order).toEqual(['read', 'write', 'long'])
  })

  it('lets reads go on if it writes, and keeps the order of writes', async () => {
    const before = note('before').run()
    const long = database.longBatch([note('long'), database.prepare(LONG_READ)])
    const after = note('after').run()
    await pause(20)
    expect(await texts()).not.toContain('long')
    expect(await orderOf({ after, long, before })).toEqual(['before', 'long', 'after'])
    expect((await texts()).slice(-3)).toEqual(['before', 'long', 'after'])
  })

  it('changes nothing if a statement fails, and the next one is not affected', async () => {
    const failed = database.longBatch([note('unique'), note('unique')])
    await expect(failed).rejects.toThrow('UNIQUE constraint failed: notes.text')
    expect(await texts()).not.toContain('unique')
    await database.longBatch([note('unique')])
    expect(await texts()).toContain('unique')
  })

  it('that reads is ended at a checkpoint if nobody waits for it, and the next one begins', async () => {
    const endless = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
      SELECT max(i) AS last FROM n WHERE i % ${ROWS_TO_CHECKPOINT} OR ${CHECKPOINT}`
    const client = new AbortController()
    const send = (sql: string, signal?: AbortSignal) =>
      database.longBatch([database.prepare(sql)], { owner: 'one', signal: () => signal })
    const ended = expect(send(endless, client.signal)).rejects.toThrow('nobody waits for the result')
    const next = send('SELECT 1 AS one')
    await pause(50)
    client.abort()
    const gone = performance.now()
    await ended
    expect((await next)[0]?.results).toEqual([{ one: 1 }])
    // A few milliseconds, and more on a machine with much other work.
    expect(performance.now() - gone).toBeLessThan(1_000)
    await expect(send(endless, AbortSignal.abort())).rejects.toThrow('nobody waits for the result')
  })

  it('waits for one batch of another owner, whatever number that one sends', async () => {
    const send = (owner: string) => database.longBatch([database.prepare(LONG_READ)], { owner })
    const [first, second, third] = [send('many'), send('many'), send('many')]
    expect(await orderOf({ first, second, third, one: send('one') })).toEqual([
      'first',
      'one',
      'second',
      'third',
    ])
  })

  it('lets another owner write after one batch, too', async () => {
    const write = (owner: string, text: string) =>
      database.longBatch([note(text), database.prepare(LONG_READ)], { owner })
    const [w1, w2, w3] = [write('many', 'w1'), write('many', 'w2'), write('many', 'w3')]
    const short = note('short').run()
    await Promise.all([w1, w2, w3, write('one', 'w4'), short])
    expect((await texts()).slice(-5)).toEqual(['w1', 'short', 'w4', 'w2', 'w3'])
  })

  it('is not begun for a client that has gone', async () => {
    const gone = new AbortController()
    const running = database.longBatch([database.prepare(LONG_READ)], { owner: 'a' })
    const left = database.longBatch([database.prepare(LONG_READ)], { owner: 'b', signal: () => gone.signal })
    const other = database.longBatch([database.prepare('SELECT 1')], { owner: 'c' })
    gone.abort(new Error('the client has gone'))
    await expect(left).rejects.toThrow('nobody waits for the result')
    const [[one], [two]] = await Promise.all([running, other])
    expect([one?.success, two?.success]).toEqual([true, true])
  })

  it('is ended before the file is closed', async () => {
    const long = database.longBatch([database.prepare(LONG_READ)])
    let isDone = false
    void long.then(() => {
      isDone = true
    })
    await database.stop()
    expect(isDone).toBe(true)
  })

  it('is left out if it reads and waits when the file is to be closed', async () => {
    const read = () => database.longBatch([database.prepare(LONG_READ)])
    const settled = Promise.allSettled([read(), ...Array.from({ length: 5 }, read)])
    const written = database.longBatch([note('last')])
    await database.stop()
    const [first, ...waiting] = await settled
    expect(first?.status).toBe('fulfilled')
    for (const one of waiting)
      expect(one).toMatchObject({ reason: { cause: { message: 'nobody waits for the result' } } })
    expect((await written)[0]?.success).toBe(true)
  })

  it('fails alone if its thread cannot open the file', async () => {
    const elsewhere = new DatabaseThreads(join(temporaryFolder(), 'none', 'directory.sqlite'), OPTIONS)
    const other = new SqliteD1(file.database, elsewhere)
    const failed = other.longBatch([other.prepare('SELECT 1')])
    await expect(failed).rejects.toThrow(/^D1_ERROR: a thread of the database failed: /)
    expect((await other.batch([other.prepare('SELECT 1 AS one')]))[0]?.results).toEqual([{ one: 1 }])
  })
})
