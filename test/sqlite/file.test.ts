/**
 * The SQLite file: opening, migrations, a full disk, damage, backups.
 */
import { chmodSync, existsSync, openSync, readdirSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { backUp, backUpAll } from '../../src/sqlite/backup.ts'
import { SqliteD1 } from '../../src/sqlite/d1.ts'
import { migrate } from '../../src/sqlite/migrations.ts'
import { databaseFile, openFile } from '../../src/sqlite/open.ts'
import { StartError } from '../../src/sqlite/start-error.ts'
import { DatabaseUnavailable, noFigures, openDatabase } from '../../src/storage/database/database.ts'
import { MIGRATIONS, OPTIONS, temporaryFolder } from './support/files.ts'

const newPath = () => join(temporaryFolder(), 'directory.sqlite')

function opened(path = newPath()) {
  const file = openFile(path, OPTIONS)
  migrate(file.database, MIGRATIONS)
  return { ...file, path, d1: new SqliteD1(file.database) }
}

const insert = (d1: SqliteD1, id: string, name = 'x') =>
  d1.prepare('INSERT INTO tenants (id, name, created_at) VALUES (?1, ?2, 0)').bind(id, name)

describe('openFile', () => {
  it('syncs each commit to the disk unless configured otherwise, in WAL mode', () => {
    const { database, close } = opened()
    const pragma = (name: string) => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]
    expect([pragma('journal_mode'), pragma('synchronous'), pragma('foreign_keys')]).toEqual(['wal', 2, 1])
    close()
    const normal = openFile(newPath(), { ...OPTIONS, synchronous: 'NORMAL' })
    expect(normal.database.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 1 })
    normal.close()
  })

  it('refuses a second server, and accepts one after the first has ended', () => {
    const { path, close } = opened()
    expect(() => openFile(path, OPTIONS)).toThrow(/is served by another process/)
    close()
    openFile(path, OPTIONS).close()
  })

  it('creates files that only their owner can read, and restricts the lock file of an earlier version', () => {
    const { path, close } = opened()
    const modes = () =>
      readdirSync(join(path, '..')).map((name) => [name, statSync(join(path, '..', name)).mode & 0o777])
    const files = ['', '-shm', '-wal', '.lock'].map((end) => [`directory.sqlite${end}`, 0o600])
    expect(modes()).toEqual(files)
    close()
    chmodSync(`${path}.lock`, 0o644)
    const again = openFile(path, OPTIONS)
    expect(statSync(`${path}.lock`).mode & 0o777).toBe(0o600)
    again.close()
  })

  it('refuses a file that another program has locked', () => {
    const { path, close } = opened()
    close()
    const other = new DatabaseSync(path)
    other.exec('BEGIN IMMEDIATE')
    expect(() => openFile(path, OPTIONS)).toThrow(
      /^".*directory\.sqlite" is locked by another program; end that one/,
    )
    other.exec('ROLLBACK')
    other.close()
    openFile(path, OPTIONS).close()
  })

  it('names a path that is not a folder', () => {
    const path = newPath()
    writeFileSync(path, '')
    expect(() => openFile(join(path, 'directory.sqlite'), OPTIONS)).toThrow(StartError)
    expect(() => openFile(join(path, '..', 'missing', 'x'), OPTIONS)).toThrow(
      /does not exist; make it: mkdir -p/,
    )
  })

  it('refuses a file whose schema is damaged, and changes nothing in it', () => {
    const { path, close } = opened()
    close()
    const descriptor = openSync(path, 'r+')
    writeSync(descriptor, Buffer.alloc(8, 0xaa), 0, 8, 100)
    const before = statSync(path).size
    expect(() => opened(path)).toThrow(/is damaged; keep it, and put a backup in its place/)
    expect(statSync(path).size).toBe(before)
  })
})

describe('a folder of another user', () => {
  it('is named, with what to do', () => {
    const folder = temporaryFolder()
    chmodSync(folder, 0o555)
    asNobody(() => {
      const text = 'cannot be read or written by this user; change its owner or mode, and that of its folder'
      const file = join(folder, 'directory.sqlite')
      expect(() => openFile(file, OPTIONS)).toThrow(`"${file}" ${text}`)
    })
  })
})

/** Root has access to everything. */
function asNobody(run: () => void): void {
  const isRoot = process.getuid?.() === 0
  if (isRoot) process.seteuid?.(65_534)
  try {
    run()
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
}

describe('migrate', () => {
  it('records migrations as wrangler does, and does nothing the second time', () => {
    const { database, close } = opened()
    const table = database.prepare("SELECT sql FROM sqlite_schema WHERE name = 'd1_migrations'").get()
    expect(String(table?.sql).replace(/\s+/g, ' ')).toBe(
      'CREATE TABLE "d1_migrations"( id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL )',
    )
    expect(migrate(database, MIGRATIONS)).toEqual([])
    close()
  })

  it('applies new migrations, and rolls back a failing one as a whole', () => {
    const { database, close } = opened()
    const good = { name: '9000_good.sql', sql: 'CREATE TABLE good (a) STRICT' }
    const bad = {
      name: '9001_bad.sql',
      sql: 'CREATE TABLE half (a INTEGER) STRICT; INSERT INTO nowhere VALUES (1)',
    }
    const fixed = { ...good, sql: 'CREATE TABLE good (a INTEGER) STRICT' }
    expect(() => migrate(database, [...MIGRATIONS, fixed, bad])).toThrow(
      'migration "9001_bad.sql" could not be applied, and nothing was changed: no such table: nowhere',
    )
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE name IN ('good', 'half')").all()
    expect(tables).toEqual([{ name: 'good' }])
    close()
  })

  it('refuses a newer database, and a database of another program', () => {
    const { database, close } = opened()
    expect(() => migrate(database, MIGRATIONS.slice(0, -1))).toThrow(/newer than this program/)
    close()
    const other = new DatabaseSync(':memory:')
    other.exec('CREATE TABLE albums (id)')
    expect(() => migrate(other, MIGRATIONS)).toThrow(/tables of another program \("albums"\)/)
  })

  it('accepts a new file in which Litestream was first', () => {
    const { database, close } = openFile(newPath(), OPTIONS)
    database.exec('CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER)')
    database.exec('CREATE TABLE _litestream_lock (id INTEGER)')
    expect(migrate(database, MIGRATIONS)).toHaveLength(MIGRATIONS.length)
    close()
  })
})

describe('a full disk', () => {
  it('refuses writes as unavailable, keeps every answered write, and continues when there is space', async () => {
    const { database, d1, close } = opened()
    await d1.batch([insert(d1, 'before')])
    const { page_count } = database.prepare('PRAGMA page_count').get() as { page_count: number }
    database.exec(`PRAGMA max_page_count=${page_count + 2}`)
    const big = 'x'.repeat(20_000)
    const together = await Promise.allSettled([
      d1.batch([insert(d1, 'big', big)]),
      d1.batch([insert(d1, 'beside')]),
    ])
    expect(together[0]).toMatchObject({
      status: 'rejected',
      reason: { message: 'D1_ERROR: database or disk is full: SQLITE_FULL' },
    })
    const there = async () =>
      (await d1.prepare('SELECT id FROM tenants ORDER BY id').all<{ id: string }>()).results.map(
        ({ id }) => id,
      )
    // An answered write is stored.
    expect((await there()).includes('beside')).toBe(together[1]?.status === 'fulfilled')
    const db = openDatabase(d1.binding, noFigures())
    const statement = { sql: "INSERT INTO tenants (id, name, created_at) VALUES ('b', ?1, 0)", params: [big] }
    await expect(db.batch([statement])).rejects.toThrow(DatabaseUnavailable)
    database.exec('PRAGMA max_page_count=1000000')
    await d1.batch([insert(d1, 'after', big)])
    expect(await there()).toEqual(expect.arrayContaining(['after', 'before', 'default']))
    expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
    close()
  })
})

describe('backUp', () => {
  it('copies one state of a database that is being written', async () => {
    const { path, d1, close } = opened()
    let isWriting = true
    const writing = (async () => {
      for (let i = 0; isWriting; i++) await d1.batch([insert(d1, `a${i}`), insert(d1, `b${i}`)])
    })()
    await new Promise((wait) => setTimeout(wait, 30))
    const target = join(temporaryFolder(), 'copy.sqlite')
    expect(await backUp(path, target)).toBe(statSync(target).size)
    expect(statSync(target).mode & 0o777).toBe(0o600)
    isWriting = false
    await writing
    const copy = new DatabaseSync(target, { readOnly: true })
    const halves = copy
      .prepare(
        "SELECT substr(id, 1, 1) AS half, count(*) AS count FROM tenants WHERE id <> 'default' GROUP BY 1",
      )
      .all()
    expect(halves[0]?.count).toBe(halves[1]?.count)
    copy.close()
    close()
  })

  it('overwrites no file, and leaves none behind when it fails', async () => {
    const { path, close } = opened()
    const folder = temporaryFolder()
    const target = join(folder, 'copy.sqlite')
    writeFileSync(target, 'precious')
    await expect(backUp(path, target)).rejects.toThrow(`"${target}" exists already; choose another name`)
    await expect(backUp(path, join(folder, 'not there', 'copy'))).rejects.toThrow(
      `make it: mkdir -p -m 700 '${join(folder, 'not there')}'`,
    )
    await expect(backUp(join(folder, 'none'), join(folder, 'b'))).rejects.toThrow(/there is no database/)
    const refused = join(folder, 'a'.repeat(300))
    await expect(backUp(refused, join(folder, 'b'))).rejects.toThrow(/" cannot be used \(ENAMETOOLONG/)
    await expect(backUpAll(folder, '', () => undefined)).rejects.toThrow('the name of the copy is empty')
    const notOne = join(folder, 'text')
    writeFileSync(notOne, 'x'.repeat(5_000))
    await expect(backUp(notOne, join(folder, 'b'))).rejects.toThrow(/is not a SQLite database/)
    expect(readdirSync(folder).sort()).toEqual(['copy.sqlite', 'text'])
    close()
  })

  it('makes one copy when several backups to one name run at the same time', async () => {
    const { path, close } = opened()
    const target = join(temporaryFolder(), 'copy.sqlite')
    const ends = await Promise.allSettled([backUp(path, target), backUp(path, target), backUp(path, target)])
    const reasons = ends.flatMap((end) => (end.status === 'rejected' ? [String(end.reason)] : []))
    const refusal = `Error: "${target}" exists already; choose another name`
    expect(reasons).toEqual([refusal, refusal])
    expect(readdirSync(dirname(target))).toEqual(['copy.sqlite'])
    const copy = new DatabaseSync(target, { readOnly: true })
    expect(copy.prepare("SELECT id FROM tenants WHERE id = 'default'").get()).toEqual({ id: 'default' })
    copy.close()
    close()
  })
})

describe('backUpAll', () => {
  it('refuses copies of several databases that a tenant moves between, before and after they are made', async () => {
    const folder = temporaryFolder()
    const [first, second] = [1, 2].map((number) => opened(databaseFile(folder, number)))
    const name = (copy: string) => join(folder, `${copy}.sqlite`)
    const addJob = (state: string, finishedAt: number | null) =>
      first?.database
        .prepare(`INSERT INTO jobs (id, tenant_id, kind, state, step, source, target, created_at, finished_at)
          VALUES (?, 'acme', 'move', ?, 'copying', 'DB', 'DB2', 0, ?)`)
        .run(crypto.randomUUID(), state, finishedAt)
    addJob('done', Date.now() - 60_000)
    await backUpAll(folder, name('whole'), () => undefined)
    expect(existsSync(name('whole-2'))).toBe(true)

    const meanwhile = backUpAll(folder, name('meanwhile'), () => addJob('done', Date.now()))
    await expect(meanwhile).rejects.toThrow(
      /the tenant "acme" is being moved, so the copies may be inconsistent/,
    )

    addJob('running', null)
    await expect(backUpAll(folder, name('running'), () => undefined)).rejects.toThrow(/is being moved/)
    expect(existsSync(name('running'))).toBe(false)
    first?.close()
    second?.close()
  })
})
