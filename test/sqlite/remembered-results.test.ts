/**
 * Remembered results, with a table of their own. test/http/user-groups.test.ts and test/http/remembered-reads.test.ts have users,
 * their groups and tokens, after the writes of the server that change them.
 */
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it, onTestFinished } from 'vitest'
import { SqliteD1 } from '../../src/sqlite/d1.ts'
import { openFile } from '../../src/sqlite/open.ts'
import { RememberedResults } from '../../src/sqlite/remembered-results.ts'
import { madeOf, noFigures, openDatabase } from '../../src/storage/database/database.ts'
import { OPTIONS, temporaryFolder } from './support/files.ts'

describe('remembered results', () => {
  /** A table, and a marked statement that counts how often it runs. */
  function server(round?: () => number | undefined) {
    const path = `${temporaryFolder()}/file.sqlite`
    const { database, close } = openFile(path, OPTIONS)
    database.exec(`CREATE TABLE things (tenant, id, word, other); INSERT INTO things VALUES
      ('a', '1', 'one', 0), ('a', '2', 'two', 0), ('b', '1', 'uno', 0)`)
    let evaluated = 0
    database.function('evaluated', (word) => {
      evaluated++
      return word
    })
    const concerns = (row: string) => `${row}.tenant, iif(${row}.word = 'all', NULL, ${row}.id)`
    const remembered = new RememberedResults(
      database,
      [{ table: 'things', columns: 'tenant, id, word', concerns }],
      round,
    )
    const db = openDatabase(new SqliteD1(database, undefined, remembered).binding, noFigures())
    const sql = `SELECT /* remember ?1 id */ id, evaluated(word) AS word FROM things WHERE tenant = ?1 AND id = ?2`
    const other = new DatabaseSync(path)
    onTestFinished(() => {
      other.close()
      close()
    })
    return {
      other,
      remembered,
      write: async (...statements: string[]) =>
        await db.batch(statements.map((one) => ({ sql: one, params: [] }))),
      /** @returns the value, and "again" if the statement ran */
      read: async (tenant = 'a', id = '1', ...before: string[]) => {
        const since = evaluated
        const batch = [...before.map((one) => ({ sql: one, params: [] })), { sql, params: [tenant, id] }]
        const results = await db.batch(batch)
        return [results.at(-1)?.rows[0]?.word, ...(evaluated > since ? ['again'] : [])].join(' ')
      },
      /** @returns the object that is made of the row */
      made: async () => {
        const [result] = await db.batch([{ sql, params: ['a', '1'] }])
        return madeOf(result ?? { rows: [], changes: 0 }, () => ({ word: result?.rows[0]?.word }))
      },
    }
  }

  it('are read once for each row', async () => {
    const { read } = server()
    expect([await read(), await read()]).toEqual(['one again', 'one'])
    expect([await read('a', '2'), await read('b'), await read('b'), await read()]).toEqual([
      'two again',
      'uno again',
      'uno',
      'one',
    ])
  })

  it('are used by a batch that also reads something else', async () => {
    const { read } = server()
    await read()
    expect(await read('a', '1', 'SELECT 1')).toBe('one')
    expect(await read('a', '2', 'SELECT 1')).toBe('two again')
    expect(await read('a', '2')).toBe('two')
  })

  it('are forgotten with a change of the row, and of that row alone', async () => {
    const { read, write } = server()
    await Promise.all([read(), read('a', '2'), read('b')])
    await write(`UPDATE things SET word = 'ein' WHERE tenant = 'a' AND id = '1'`)
    expect([await read(), await read('a', '2'), await read('b')]).toEqual(['ein again', 'two', 'uno'])
    await write('UPDATE things SET other = 1')
    expect([await read(), await read('b')]).toEqual(['ein', 'uno'])
  })

  it('are forgotten when the row goes, or moves', async () => {
    const { read, write } = server()
    await Promise.all([read(), read('a', '2')])
    await write(
      `DELETE FROM things WHERE tenant = 'a' AND id = '2'`,
      `UPDATE things SET id = '2' WHERE id = '1'`,
    )
    expect([await read(), await read('a', '2')]).toEqual(['', 'one again'])
  })

  it('are forgotten for the whole tenant with a change that concerns all of it', async () => {
    const { read, write } = server()
    await Promise.all([read(), read('a', '2'), read('b')])
    await write(`INSERT INTO things VALUES ('a', '3', 'all', 0)`)
    expect([await read(), await read('a', '2'), await read('b')]).toEqual(['one again', 'two again', 'uno'])
  })

  it('are forgotten when another connection writes to the file', async () => {
    const { read, other } = server()
    await read()
    other.exec(`UPDATE things SET word = 'ein' WHERE tenant = 'a'`)
    expect([await read(), await read()]).toEqual(['ein again', 'ein'])
    other.exec(`UPDATE things SET word = 'eins' WHERE tenant = 'a'`)
    expect([await read('a', '1', 'SELECT 1'), await read('a', '1', 'SELECT 1')]).toEqual([
      'eins again',
      'eins',
    ])
  })

  it('keep what is made of them, until they are forgotten', async () => {
    const { made, write } = server()
    const first = await made()
    const again = await made()
    expect(first).toEqual({ word: 'one' })
    expect(await made()).toBe(again)
    await write(`UPDATE things SET word = 'ein' WHERE tenant = 'a' AND id = '1'`)
    expect([await made(), await made()]).toEqual([{ word: 'ein' }, { word: 'ein' }])
  })

  it('ask about other connections once in a round of the event loop, and after their writes', async () => {
    let round: number | undefined = 1
    const { read, other, remembered } = server(() => round)
    const change = (word: string) => other.exec(`UPDATE things SET word = '${word}' WHERE tenant = 'a'`)
    expect([await read(), await read()]).toEqual(['one again', 'one'])
    change('ein')
    expect(await read()).toBe('one')
    round = 2
    expect([await read(), await read()]).toEqual(['ein again', 'ein'])
    change('eins')
    remembered.askAgain()
    expect([await read(), await read()]).toEqual(['eins again', 'eins'])
    round = undefined
    expect(await read()).toBe('eins')
    change('un')
    expect([await read(), await read()]).toEqual(['un again', 'un'])
  })

  it('are not remembered of a missing row, or of several', async () => {
    const { read, write } = server()
    expect(await read('a', '3')).toBe('')
    await write(`INSERT INTO things VALUES ('a', '3', 'three', 0)`)
    expect([await read('a', '3'), await read('a', '3')]).toEqual(['three again', 'three'])
    await write(`INSERT INTO things VALUES ('a', '3', 'tres', 0)`)
    expect([await read('a', '3'), await read('a', '3')]).toEqual(['three again', 'three again'])
  })

  it('belong to the parameters of the statement, whatever is in them', async () => {
    const { read, write } = server()
    const tenant = 'a1:1'
    await write(`INSERT INTO things VALUES ('${tenant}', '', 'other', 0)`)
    expect([await read('a', '1'), await read(tenant, '')]).toEqual(['one again', 'other again'])
    expect([await read('a', '1'), await read(tenant, '')]).toEqual(['one', 'other'])
  })

  it('are not taken from a transaction that writes, which may be rolled back', async () => {
    const { read, write } = server()
    const update = `UPDATE things SET word = 'ein' WHERE tenant = 'a'`
    expect(await read('a', '1', update)).toBe('ein again')
    expect([await read(), await read()]).toEqual(['ein again', 'ein'])
    const select = `SELECT /* remember ?1 id */ id, evaluated(word) AS word FROM things WHERE tenant = 'a' AND id = '1'`
    await expect(write(update.replace('ein', 'eins'), select, `SELECT json('{')`)).rejects.toThrow()
    expect(await read()).toBe('ein again')
  })
})
