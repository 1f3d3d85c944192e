/**
 * Remembered values, with a table of their own. test/http/user-groups.test.ts has the groups of users, after the writes of the
 * server that change them.
 */
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it, onTestFinished } from 'vitest'
import { SqliteD1 } from '../../src/sqlite/d1.ts'
import { openFile } from '../../src/sqlite/open.ts'
import { RememberedValues } from '../../src/sqlite/remembered-values.ts'
import { noFigures, openDatabase } from '../../src/storage/database/database.ts'
import { OPTIONS, temporaryFolder } from './support/files.ts'

describe('remembered values', () => {
  /** A table with a remembered expression that counts how often it is evaluated. */
  function server() {
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
    const remembered = new RememberedValues(database, [
      { table: 'things', columns: 'tenant, id, word', concerns },
    ])
    const db = openDatabase(new SqliteD1(database, undefined, remembered).binding, noFigures())
    const sql = `SELECT /* remember things.tenant, things.id */ evaluated(word) /* remembered */ AS word
      FROM things WHERE tenant = ?1 AND id = ?2`
    const other = new DatabaseSync(path)
    onTestFinished(() => {
      other.close()
      close()
    })
    return {
      other,
      write: async (...statements: string[]) =>
        await db.batch(statements.map((one) => ({ sql: one, params: [] }))),
      /** @returns the value, and "again" if it was evaluated */
      read: async (tenant = 'a', id = '1', ...before: string[]) => {
        const since = evaluated
        const batch = [...before.map((one) => ({ sql: one, params: [] })), { sql, params: [tenant, id] }]
        const results = await db.batch(batch)
        return [results.at(-1)?.rows[0]?.word, ...(evaluated > since ? ['again'] : [])].join(' ')
      },
    }
  }

  it('are evaluated once for each row', async () => {
    const { read } = server()
    expect([await read(), await read()]).toEqual(['one again', 'one'])
    expect([await read('a', '2'), await read('b'), await read('b'), await read()]).toEqual([
      'two again',
      'uno again',
      'uno',
      'one',
    ])
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
  })

  it('are not taken from a transaction that writes, which may be rolled back', async () => {
    const { read, write } = server()
    const update = `UPDATE things SET word = 'ein' WHERE tenant = 'a'`
    expect(await read('a', '1', update)).toBe('ein again')
    expect([await read(), await read()]).toEqual(['ein again', 'ein'])
    const select = `SELECT /* remember tenant, id */ evaluated(word) /* remembered */ FROM things`
    await expect(write(update.replace('ein', 'eins'), select, `SELECT json('{')`)).rejects.toThrow()
    expect(await read()).toBe('ein again')
  })
})
