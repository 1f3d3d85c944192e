/**
 * Opens the SQLite file of a directory: one server for each file, D1's limits, WAL. Each failure is reported in one
 * line with its remedy.
 */
import { chmodSync, closeSync, openSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { sqliteCode } from './d1-error.ts'
import { D1_LIMITS } from './limits.ts'
import { StartError } from './start-error.ts'

export interface OpenOptions {
  /**
   * FULL: an answered write survives a power failure. NORMAL: the latest writes may be lost then; they survive a
   * crash of the process.
   */
  readonly synchronous: 'FULL' | 'NORMAL'
  /** How long a statement waits for another program that writes to the file. */
  readonly busyTimeoutMs: number
}

/** An open file. */
export interface OpenFile {
  readonly database: DatabaseSync
  /** Checkpoints the WAL and closes the file, so that a single file is left. @throws {StartError} */
  close(): void
}

/** The path of a database in a data folder. @param number counted from 1 */
export function databaseFile(folder: string, number = 1): string {
  return join(folder, number === 1 ? 'directory.sqlite' : `directory-${number}.sqlite`)
}

/** The page cache. */
const CACHE_KIB = 32 * 1024
/** The size that the WAL is truncated to after a checkpoint. */
const LOG_BYTES_KEPT = 64 * 1024 * 1024

/** @throws {StartError} when the file cannot be used */
export function openFile(path: string, options: OpenOptions): OpenFile {
  requireFolder(dirname(path))
  try {
    // Created here and not by SQLite, so that only this user can read it. The WAL gets the same mode.
    closeSync(openSync(path, 'a', 0o600))
    const lock = lockFile(path)
    try {
      const database = openDatabaseFile(path, options)
      return { database, close: () => closeAll(path, database, lock) }
    } catch (error) {
      lock.close()
      throw error
    }
  } catch (error) {
    throw startError(error, path)
  }
}

/** @throws {StartError} when there is no such folder. Whether it is writable shows at the first write */
export function requireFolder(folder: string): void {
  try {
    if (statSync(folder).isDirectory()) return
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw startError(error, folder)
    throw new StartError(`the folder "${folder}" does not exist; make it: mkdir -p -m 700 ${quoted(folder)}`)
  }
  throw new StartError(`"${folder}" is not a folder`)
}

/** As a word of a shell. */
function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`
}

/**
 * Prevents a second server: two servers would not coordinate the group writes of a tenant. The lock is held on a
 * separate file, so that backups can read the database. It is released when the process ends for whatever reason.
 */
function lockFile(path: string): DatabaseSync {
  const lock = openLock(`${path}.lock`)
  try {
    // The lock file stays empty.
    lock.exec('PRAGMA journal_mode=MEMORY; BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock.close()
    if (sqliteCode(error) !== 5) throw error
    throw new StartError(
      `"${path}" is served by another process, or by another worker of "deno serve --parallel"; end that one, or choose another DATA_FOLDER`,
      {
        cause: error,
      },
    )
  }
}

/** The lock file may belong to another user, who started a server here before. */
function openLock(path: string): DatabaseSync {
  try {
    closeSync(openSync(path, 'a', 0o600))
    makePrivate(path)
    return new DatabaseSync(path, { timeout: 0 })
  } catch (error) {
    throw startError(error, path)
  }
}

/**
 * A process that can read the lock file can hold the lock and prevent the server from starting. Earlier versions made
 * it readable to all.
 */
function makePrivate(path: string): void {
  try {
    chmodSync(path, 0o600)
  } catch (error) {
    // The file belongs to another user.
    if (errorCode(error) !== 'EPERM') throw error
  }
}

function openDatabaseFile(path: string, { synchronous, busyTimeoutMs }: OpenOptions): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true })
  try {
    requireIntact(database)
    database.exec(`PRAGMA journal_mode=WAL; PRAGMA synchronous=${synchronous};
      PRAGMA cache_size=-${CACHE_KIB}; PRAGMA journal_size_limit=${LOG_BYTES_KEPT}; PRAGMA temp_store=MEMORY`)
    requireWritable(database)
    setLimits(database)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** Reads only the header and the schema: PRAGMA integrity_check reads every page, which takes minutes. */
export function requireIntact(database: DatabaseSync): void {
  database.prepare('SELECT count(*) FROM sqlite_schema').get()
}

/** A read-only file can be opened as well, and the first write would fail. */
function requireWritable(database: DatabaseSync): void {
  const { user_version } = database.prepare('PRAGMA user_version').get() as { user_version: number }
  database.exec(`BEGIN IMMEDIATE; PRAGMA user_version=${user_version}; COMMIT`)
}

function setLimits(database: DatabaseSync): void {
  Object.assign(database.limits, D1_LIMITS)
}

/** @throws {StartError} when the checkpoint fails, for example on a full disk; everything is closed then too */
function closeAll(path: string, database: DatabaseSync, lock: DatabaseSync): void {
  try {
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  } catch (error) {
    const reason = startError(error, path)
    if (!(reason instanceof StartError)) throw reason
    const advice = `nothing is lost as long as "${path}-wal" stays beside it: the next start moves it in`
    throw new StartError(`${reason.message}; ${advice}`, { cause: error })
  } finally {
    database.close()
    lock.close()
  }
}

/** SQLite's error codes and their remedies. https://www.sqlite.org/rescode.html */
const WAYS_OUT: Readonly<Record<number, string>> = {
  3: 'is not allowed to be opened by this user; change its owner or mode',
  5: 'is locked by another program; end that one',
  6: 'is locked by another program; end that one',
  8: 'cannot be written by this user, or lies on a disk that is mounted read-only; change its owner or mode, and that of its folder',
  10: 'could not be read or written by the disk; see the log of the operating system, then restore a backup',
  11: 'is damaged; keep it, and put a backup in its place',
  13: 'cannot grow: the disk is full; make room',
  14: 'cannot be opened by this user; change its owner or mode, and that of its folder',
  26: 'is not a SQLite database, or is damaged; keep it, and put a backup in its place',
}

/** The same for files that are accessed without SQLite. */
const FILE_WAYS_OUT: Readonly<Record<string, string>> = {
  EACCES: 'cannot be read or written by this user; change its owner or mode, and that of its folder',
  EPERM: 'cannot be read or written by this user; change its owner or mode, and that of its folder',
  EROFS: 'lies on a disk that is mounted read-only; choose another folder',
  ENOSPC: 'cannot grow: the disk is full; make room',
  ENOENT: 'does not exist',
  ENOTDIR: 'is below something that is not a folder',
  EISDIR: 'is a folder',
  ERR_FS_EISDIR: 'is a folder',
}

/** @returns a StartError for an error that is not a fault of the program */
export function startError(error: unknown, path: string): unknown {
  if (error instanceof StartError) return error
  const text = error instanceof Error ? error.message : String(error)
  const way = WAYS_OUT[sqliteCode(error) ?? -1] ?? FILE_WAYS_OUT[errorCode(error)]
  if (way !== undefined) return new StartError(`"${path}" ${way} (${text})`, { cause: error })
  // Deno's message for a missing permission names the required flag.
  if (
    error instanceof Error &&
    /NotCapable|ERR_ACCESS_DENIED|run again with the --allow/.test(`${error.name} ${text}`)
  ) {
    return new StartError(`"${path}" needs a permission: ${text}`, { cause: error })
  }
  // Any other refusal of the operating system, such as a link to itself.
  if (error instanceof Error && 'syscall' in error) {
    return new StartError(`"${path}" cannot be used (${text})`, { cause: error })
  }
  return error
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
