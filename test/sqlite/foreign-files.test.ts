/**
 * A data folder with a file of another program, or of a newer version: the server refuses it, and changes nothing.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { startService } from '../../src/self-hosted/service.ts'
import { readSettings } from '../../src/self-hosted/settings.ts'
import { backUpAll } from '../../src/sqlite/backup.ts'
import { databaseFile } from '../../src/sqlite/open.ts'
import { MIGRATIONS, temporaryFolder } from './support/files.ts'

afterEach(() => vi.unstubAllEnvs())

/** Starts a server with a data folder as the command line does. */
function serve(folder: string, more: Record<string, string> = {}) {
  vi.stubEnv('ADMIN_TOKEN', undefined)
  return startService(readSettings({ DATA_FOLDER: folder, ...more }), MIGRATIONS)
}

/** The files of a folder with their bytes. The index of a WAL is left out: SQLite makes it anew for each reader. */
function contents(folder: string) {
  return readdirSync(folder)
    .sort()
    .map((name) => [name, name.endsWith('-shm') ? '' : readFileSync(join(folder, name), 'hex')])
}

function foreign(path: string, mode: 'DELETE' | 'WAL'): DatabaseSync {
  const database = new DatabaseSync(path)
  database.exec(`PRAGMA journal_mode=${mode}; CREATE TABLE albums (id); INSERT INTO albums VALUES (1)`)
  return database
}

const OF_ANOTHER = /^".*directory\.sqlite" holds tables of another program \("albums"\)/

describe('a file of another program', () => {
  it.for(['DELETE', 'WAL'] as const)('in journal mode %s stays as it is', async (mode) => {
    const folder = temporaryFolder()
    foreign(databaseFile(folder), mode).close()
    const before = contents(folder)
    expect(() => serve(folder)).toThrow(OF_ANOTHER)
    await expect(backUpAll(folder, join(folder, 'copy'), () => undefined)).rejects.toThrow(OF_ANOTHER)
    expect(contents(folder)).toEqual(before)
  })

  it('that is in use stays as it is', async () => {
    const folder = temporaryFolder()
    const database = foreign(databaseFile(folder), 'WAL')
    const before = contents(folder)
    expect(before).toHaveLength(3)
    expect(() => serve(folder)).toThrow(OF_ANOTHER)
    await expect(backUpAll(folder, join(folder, 'copy'), () => undefined)).rejects.toThrow(OF_ANOTHER)
    expect(contents(folder)).toEqual(before)
    database.close()
  })

  it('that is not a database stays as it is', () => {
    const folder = temporaryFolder()
    writeFileSync(databaseFile(folder), 'x'.repeat(5_000))
    const before = contents(folder)
    expect(() => serve(folder)).toThrow(/is not a SQLite database, or is damaged/)
    expect(contents(folder)).toEqual(before)
  })

  it('that is the second database stops the server before it creates the first', () => {
    const folder = temporaryFolder()
    foreign(databaseFile(folder, 2), 'DELETE').close()
    const before = contents(folder)
    expect(() => serve(folder, { DATABASES: '2' })).toThrow(/^".*directory-2\.sqlite" holds tables/)
    expect(contents(folder)).toEqual(before)
  })
})

describe('a database of a newer version', () => {
  it('stays as it is, but can be backed up', async () => {
    const folder = temporaryFolder()
    await serve(folder).stop()
    const database = new DatabaseSync(databaseFile(folder))
    database.exec("INSERT INTO d1_migrations (name) VALUES ('9999_future.sql')")
    database.close()
    const before = contents(folder)
    expect(() => serve(folder)).toThrow(/the database is newer than this program/)
    expect(contents(folder)).toEqual(before)
    await backUpAll(folder, join(temporaryFolder(), 'copy'), () => undefined)
    expect(contents(folder)).toEqual(before)
  })
})

describe('the first start', () => {
  it('stores an ADMIN_TOKEN only when the database is open, and can be repeated after a failure', async () => {
    const folder = temporaryFolder()
    const bad = { name: '9001_bad.sql', sql: 'INSERT INTO nowhere VALUES (1)' }
    vi.stubEnv('ADMIN_TOKEN', undefined)
    const settings = readSettings({ DATA_FOLDER: folder })
    expect(() => startService(settings, [...MIGRATIONS, bad])).toThrow(/nothing was changed/)
    expect(readdirSync(folder).sort()).toEqual(['directory.sqlite', 'directory.sqlite.lock'])
    const service = startService(settings, MIGRATIONS)
    expect(readFileSync(join(folder, 'settings.env'), 'utf8')).toBe(
      `ADMIN_TOKEN="${settings.app.adminToken}"\n`,
    )
    await service.stop()
  })
})
