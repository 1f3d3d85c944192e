/**
 * What the storage expects of a database with D1's shape. Runs against D1 in workerd
 * (test/storage/database/contract.test.ts) and against a SQLite file (test/sqlite/contract.test.ts), so that a
 * directory can move from one to the other. The expectations were read off D1.
 */
import { beforeAll, describe, expect, it } from 'vitest'

export interface ContractDatabase {
  prepare(sql: string): D1PreparedStatement
  batch<T>(statements: D1PreparedStatement[]): Promise<D1Result<T>[]>
}

/** @param open returns a database with all migrations applied. It is called when the tests run */
export function describeDatabase(name: string, open: () => ContractDatabase): void {
  describe(name, () => {
    const run = (sql: string, ...values: unknown[]) =>
      open()
        .prepare(sql)
        .bind(...values)
        .run<Record<string, unknown>>()
    const value = async (sql: string, ...values: unknown[]) =>
      Object.values((await run(sql, ...values)).results[0] ?? {})[0]

    beforeAll(async () => {
      await run(
        'CREATE TABLE contract (name TEXT PRIMARY KEY, rank INTEGER UNIQUE CHECK (rank < 100)) STRICT',
      )
    })

    describe('prepare and bind', () => {
      it('returns rows as objects, the first row, or one column of it', async () => {
        const statement = open().prepare('SELECT ?1 AS a, ?2 AS b').bind('x', 2)
        expect((await statement.all()).results).toEqual([{ a: 'x', b: 2 }])
        expect(await statement.first()).toEqual({ a: 'x', b: 2 })
        expect(await statement.first('b')).toBe(2)
        expect(await open().prepare('SELECT 1 AS a WHERE false').first()).toBeNull()
        await expect(statement.first('c')).rejects.toThrow('D1_COLUMN_NOTFOUND: Column not found (c)')
      })

      it('returns rows as arrays, including columns with the same name', async () => {
        const statement = open().prepare('SELECT 1 AS a, 2 AS b, 3 AS a')
        expect(await statement.raw()).toEqual([[1, 2, 3]])
        expect(await statement.raw({ columnNames: true })).toEqual([
          ['a', 'b', 'a'],
          [1, 2, 3],
        ])
        expect((await statement.all()).results).toEqual([{ a: 3, b: 2 }])
      })

      it('binds numbers as REAL, booleans as numbers, and null', async () => {
        expect(await value('SELECT typeof(?1)', 1)).toBe('real')
        expect(await value('SELECT ?1', true)).toBe(1)
        expect(await value('SELECT ?1', null)).toBeNull()
        expect(await value('SELECT typeof(?1)', Number.NaN)).toBe('null')
      })

      it('preserves text, including characters beyond ASCII and the basic plane', async () => {
        const text = 'Zoë 李 😀 "\' ?1 \\'
        expect(await value('SELECT ?1', text)).toBe(text)
      })

      it('allows repeated use of a numbered parameter', async () => {
        expect(await value("SELECT ?1 || ?1 || '?2' || /* ?3 */ 'x' -- ?4\n", 'a')).toBe('aa?2x')
      })

      it.for([
        ['undefined', undefined],
        ['bigint', 1n],
        ['object', {}],
      ] as const)('refuses to bind %s', ([type, refused]) => {
        expect(() => open().prepare('SELECT ?1').bind(refused)).toThrow(
          `D1_TYPE_ERROR: Type '${type}' not supported for value`,
        )
      })

      it.for([
        ['too few', ['a']],
        ['too many', ['a', 'b', 'c']],
      ] as const)('refuses %s values', async ([, values]) => {
        await expect(run('SELECT ?1, ?2', ...values)).rejects.toThrow(
          'D1_ERROR: Wrong number of parameter bindings for SQL query.',
        )
      })
    })

    describe('errors', () => {
      it.for([
        ['SELEC 1', /^D1_ERROR: near "SELEC": syntax error.*: SQLITE_ERROR$/],
        ['SELECT * FROM nowhere', /^D1_ERROR: no such table: nowhere.*: SQLITE_ERROR$/],
        ["SELECT json('x')", /^D1_ERROR: malformed JSON: SQLITE_ERROR$/],
        [
          "INSERT INTO contract VALUES ('type', 'abc')",
          /^D1_ERROR: cannot store TEXT value in INTEGER column contract.rank: SQLITE_CONSTRAINT \(extended: SQLITE_CONSTRAINT_DATATYPE\)$/,
        ],
        [
          "INSERT INTO contract VALUES ('check', 1000)",
          /^D1_ERROR: CHECK constraint failed: rank < 100: SQLITE_CONSTRAINT \(extended: SQLITE_CONSTRAINT_CHECK\)$/,
        ],
        [
          "INSERT INTO contract VALUES ('twice', 1), ('twice', 2)",
          /^D1_ERROR: UNIQUE constraint failed: contract.name: SQLITE_CONSTRAINT \(extended: SQLITE_CONSTRAINT_PRIMARYKEY\)$/,
        ],
        [
          "INSERT INTO contract VALUES ('one', 7), ('two', 7)",
          /^D1_ERROR: UNIQUE constraint failed: contract.rank: SQLITE_CONSTRAINT \(extended: SQLITE_CONSTRAINT_UNIQUE\)$/,
        ],
        [
          "INSERT INTO guards (rule) VALUES ('none')",
          /^D1_ERROR: guard: no token: SQLITE_CONSTRAINT \(extended: SQLITE_CONSTRAINT_TRIGGER\)$/,
        ],
        [
          "INSERT INTO tokens (id, tenant_id, name, scope, hash, created_at) VALUES ('a', 'nobody', 'n', 'read', 'h', 1)",
          /^D1_ERROR: FOREIGN KEY constraint failed: SQLITE_CONSTRAINT \(extended: SQLITE_CONSTRAINT_FOREIGNKEY\)$/,
        ],
        ['PRAGMA user_version', /^D1_ERROR: not authorized: SQLITE_AUTH$/],
        ["ATTACH 'x' AS y", /^D1_ERROR: not authorized: SQLITE_AUTH$/],
        ['BEGIN', /^D1_ERROR: /],
        ['SAVEPOINT x', /^D1_ERROR: /],
      ] as const)('%s', async ([sql, message]) => {
        const error = await run(sql).catch((thrown: unknown) => thrown)
        expect(error).toBeInstanceOf(Error)
        expect((error as Error).message).toMatch(message)
        expect(((error as Error).cause as Error).message).toBe(
          (error as Error).message.replace('D1_ERROR: ', ''),
        )
      })
    })

    describe('limits', () => {
      it.for([
        ['100 bound parameters', 'SELECT ?101', Array<string>(101).fill('x'), /between \?1 and \?100/],
        [
          'an expression of depth 100',
          `SELECT ${Array(110).fill('1').join(' AND ')}`,
          [],
          /maximum depth 100/,
        ],
        ['5 terms of a compound SELECT', Array(6).fill('SELECT 1').join(' UNION ALL '), [], /too many terms/],
        ['50 bytes in a pattern', `SELECT 'a' LIKE '${'a'.repeat(51)}'`, [], /pattern too complex/],
        ['100,000 bytes in a statement', `SELECT '${'a'.repeat(100_001)}'`, [], /statement too long/],
      ] as const)('holds %s', async ([, sql, values, message]) => {
        await expect(run(sql, ...values)).rejects.toThrow(message)
      })

      it('allows 100 parameters, and thousands of values in one', async () => {
        const marks = Array.from({ length: 100 }, (_, i) => `?${i + 1}`)
        expect(
          await value(
            `SELECT max(${marks.slice(0, 30)}) + ${marks.slice(30).join('+')}`,
            ...Array(100).fill(1),
          ),
        ).toBe(71)
        const ids = Array.from({ length: 5_000 }, () => crypto.randomUUID())
        expect(await value('SELECT count(*) FROM json_each(?1)', JSON.stringify(ids))).toBe(5_000)
      })
    })

    describe('batch', () => {
      const insert = (name: string, rank: number) =>
        open().prepare('INSERT INTO contract VALUES (?1, ?2)').bind(name, rank)
      const names = async () =>
        (await run('SELECT name FROM contract ORDER BY name')).results.map(({ name: found }) => found)

      it('rejects an empty batch', async () => {
        await expect(open().batch([])).rejects.toThrow('D1_ERROR: No SQL statements detected.')
      })

      it('is atomic', async () => {
        const before = await names()
        await expect(open().batch([insert('x', 11), insert('y', 12), insert('z', 11)])).rejects.toThrow(
          /UNIQUE/,
        )
        expect(await names()).toEqual(before)
        await open().batch([insert('x', 11), insert('y', 12)])
        expect(await names()).toEqual([...before, 'x', 'y'].sort())
        await run("DELETE FROM contract WHERE name IN ('x', 'y')")
      })

      it('shows the changes of earlier statements to later ones, and reports the changes of each', async () => {
        const results = await open().batch<Record<string, unknown>>([
          insert('seen', 21),
          open().prepare("UPDATE contract SET rank = 22 WHERE name = 'seen'"),
          open().prepare('SELECT changes() AS changes'),
          open().prepare("SELECT rank FROM contract WHERE name = 'seen'"),
          open().prepare("DELETE FROM contract WHERE name = 'seen' RETURNING rank"),
          open().prepare("DELETE FROM contract WHERE name = 'seen'"),
        ])
        expect(results.map(({ results: rows }) => rows)).toEqual([
          [],
          [],
          [{ changes: 1 }],
          [{ rank: 22 }],
          [{ rank: 22 }],
          [],
        ])
        expect(results.map(({ meta }) => meta.changes)).toEqual([1, 1, 0, 0, 1, 0])
        for (const { success, meta } of results) {
          expect(success).toBe(true)
          expect(meta.duration).toBeGreaterThanOrEqual(0)
          expect(meta.rows_written).toBeGreaterThanOrEqual(meta.changes)
        }
      })

      it('includes the changes of triggers in the number of changes', async () => {
        const id = `t-${crypto.randomUUID()}`
        await run("INSERT INTO tenants (id, name, created_at) VALUES (?1, 'T', 0)", id)
        const user = await run(
          "INSERT INTO users (tenant_id, id, data, keys, version, created_at, last_modified) VALUES (?1, 'u', '{}', '{}', 1, 0, 0)",
          id,
        )
        // The user, the count of its tenant, one of its values, and the empty word of a document without words.
        expect(user.meta.changes).toBe(4)
        expect(await value('SELECT user_count FROM tenants WHERE id = ?1', id)).toBe(1)
      })

      it('keeps the values of users by triggers, and finds users by them in their primary key', async () => {
        const id = `t-${crypto.randomUUID()}`
        await run("INSERT INTO tenants (id, name, created_at) VALUES (?1, 'T', 0)", id)
        const values = async () =>
          (
            await run(
              'SELECT attribute, hex(value) AS value FROM user_values WHERE tenant_id = ?1 AND attribute < 7',
              id,
            )
          ).results
        const keys = (...emails: readonly string[]) =>
          JSON.stringify({ emails: emails.map((email) => ({ value: email })), active: false })
        await run(
          `INSERT INTO users (tenant_id, id, data, keys, version, created_at, last_modified)
           VALUES (?1, 'u', '{}', ?2, 1, 0, 0)`,
          id,
          keys('é', 'é', '', 'x'.repeat(300)),
        )
        expect(await values()).toEqual([
          { attribute: 1, value: '' },
          { attribute: 1, value: '78'.repeat(256) },
          { attribute: 1, value: 'C3A9' },
          { attribute: 6, value: '30' },
        ])
        const found = `SELECT user_id FROM user_values WHERE tenant_id = ?1 AND attribute = 1 AND value = CAST(?2 AS BLOB)`
        expect(await value(found, id, 'é')).toBe('u')
        const { results: steps } = await run(`EXPLAIN QUERY PLAN ${found}`, id, 'é')
        expect(steps.map(({ detail }) => detail)).toEqual([
          'SEARCH user_values USING PRIMARY KEY (tenant_id=? AND attribute=? AND value=?)',
        ])
        await run('UPDATE users SET keys = ?2 WHERE tenant_id = ?1', id, keys('b'))
        expect(await values()).toEqual([
          { attribute: 1, value: '62' },
          { attribute: 6, value: '30' },
        ])
        await run('DELETE FROM users WHERE tenant_id = ?1', id)
        expect(await value('SELECT count(*) FROM user_values WHERE tenant_id = ?1', id)).toBe(0)
      })

      it('is rolled back without affecting concurrent batches', async () => {
        const writes = Array.from({ length: 40 }, (_, i) =>
          open()
            .batch([
              insert(`together ${i}`, 30 + (i % 20)),
              insert(`beside ${i}`, 200 - (i % 2 ? 150 : 120 - i)),
            ])
            .then(
              () => true,
              () => false,
            ),
        )
        const done = await Promise.all(writes)
        const left = new Set(await names())
        for (const [i, isDone] of done.entries()) {
          expect(left.has(`together ${i}`)).toBe(isDone)
          expect(left.has(`beside ${i}`)).toBe(isDone)
        }
        await run('DELETE FROM contract')
      })
    })
  })
}
