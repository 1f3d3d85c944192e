/**
 * Applies migrations/ to a SQLite file, each in a separate transaction, and records them in the same table as
 * wrangler in D1, so that the two can be compared.
 */
import { closeSync, existsSync, openSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { requireIntact, startError } from './open.ts'
import { StartError } from './start-error.ts'

/** A file of migrations/. */
export interface Migration {
  /** Its name, such as "0000_tables.sql". Migrations are applied in the order of their names. */
  readonly name: string
  readonly sql: string
}

/** The table as wrangler creates it. */
const TABLE = `CREATE TABLE IF NOT EXISTS "d1_migrations"(
		id         INTEGER PRIMARY KEY AUTOINCREMENT,
		name       TEXT UNIQUE,
		applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`

/** Litestream creates its tables as soon as it sees the file, which may be before the first migration. */
const OF_LITESTREAM: ReadonlySet<string> = new Set(['_litestream_seq', '_litestream_lock'])

/**
 * Requires that a file, if there is one, is a database of this program. Changes nothing in it, and adds no file.
 *
 * @param migrations those that this program knows; undefined to accept a database of a newer one
 * @throws {StartError} when the file is damaged, or belongs to another or a newer program
 */
export function requireUsable(path: string, busyTimeoutMs: number, migrations?: readonly Migration[]): void {
  try {
    const found = statSync(path, { throwIfNoEntry: false })
    if (!found?.isFile() || found.size === 0) return
    // A server cannot use a file that it may not write. SQLite would leave a -shm beside it that nobody may write either. Deno
    // asks for a further permission for `access`.
    if (migrations !== undefined) closeSync(openSync(path, 'r+'))
    // The last connection that can write merges the WAL, and one that cannot write leaves an empty WAL.
    const readOnly = existsSync(`${path}-wal`)
    const database = new DatabaseSync(path, { readOnly, timeout: busyTimeoutMs })
    try {
      requireIntact(database)
      const isNew = requireOurs(database, path)
      if (!isNew && migrations !== undefined) requireKnown(appliedTo(database), migrations)
    } finally {
      database.close()
    }
  } catch (error) {
    throw startError(error, path)
  }
}

/**
 * Applies missing migrations.
 *
 * @param path of the file, for messages
 * @returns the names of the migrations that were applied
 * @throws {StartError} when the database is newer than the program, or is not a directory
 */
export function migrate(
  database: DatabaseSync,
  migrations: readonly Migration[],
  path = 'the database',
): readonly string[] {
  requireOurs(database, path)
  database.exec(TABLE)
  const names = appliedTo(database)
  requireKnown(names, migrations)
  const missing = migrations.filter(({ name }) => !names.has(name))
  for (const migration of missing) apply(database, migration, path)
  return missing.map(({ name }) => name)
}

function appliedTo(database: DatabaseSync): ReadonlySet<string> {
  const rows = database.prepare('SELECT name FROM d1_migrations ORDER BY id').all()
  return new Set(rows.map(({ name }) => String(name)))
}

/** @returns whether no migration was applied yet */
function requireOurs(database: DatabaseSync, path: string): boolean {
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()
  const names = tables.map(({ name }) => String(name)).filter((name) => !OF_LITESTREAM.has(name))
  if (names.includes('d1_migrations')) return false
  if (names.length === 0) return true
  throw new StartError(
    `"${path}" holds tables of another program ("${names[0]}"); choose another DATA_FOLDER`,
  )
}

function requireKnown(applied: ReadonlySet<string>, migrations: readonly Migration[]): void {
  const known = new Set(migrations.map(({ name }) => name))
  const unknown = [...applied].filter((name) => !known.has(name))
  if (unknown.length === 0) return
  throw new StartError(
    `the database is newer than this program, which does not know its migration "${unknown[0]}"; ` +
      'start the newer program, or restore a backup that was made before the update',
  )
}

function apply(database: DatabaseSync, { name, sql }: Migration, path: string): void {
  database.exec('BEGIN IMMEDIATE')
  try {
    database.exec(sql)
    database.prepare('INSERT INTO d1_migrations (name) VALUES (?)').run(name)
    database.exec('COMMIT')
  } catch (error) {
    const reason = startError(error, path)
    const text = reason instanceof Error ? reason.message : String(reason)
    // After an error such as a full disk, SQLite has already rolled back.
    if (database.isTransaction) database.exec('ROLLBACK')
    throw new StartError(`migration "${name}" could not be applied, and nothing was changed: ${text}`, {
      cause: error,
    })
  }
}
