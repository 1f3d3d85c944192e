/**
 * A consistent copy of a database that may be in use, by SQLite's online backup in one step. One step reads one
 * state, whatever is written meanwhile; a backup in many steps would restart at each write of another process.
 * (`VACUUM INTO` would work too, but Deno forbids statements that attach a database.)
 */
import { randomUUID } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join, parse, resolve } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { requireUsable } from './migrations.ts'
import { databaseFile, requireFolder, startError } from './open.ts'
import { StartError } from './start-error.ts'

/** How long the copy waits for a database that is being opened or closed. */
const BUSY_TIMEOUT_MS = 10_000
/** The pages of a step: more than a database has. */
const ALL_PAGES = 2_147_483_647

/**
 * Copies each database of a data folder: the second one to `copy-2.sqlite` beside `copy.sqlite`, and so on. Each copy
 * is of one state, but not all copies are of the same state. A tenant that moves meanwhile could be missing from the copy of
 * the database that the catalogue names, so a backup during a move fails.
 *
 * @param say is called with a line for each copy
 * @throws {StartError} when a copy cannot be made; earlier copies stay
 */
export async function backUpAll(folder: string, target: string, say: (line: string) => void): Promise<void> {
  if (target === '') throw new StartError('the name of the copy is empty')
  const sources = [databaseFile(folder)]
  for (let number = 2; existsSync(databaseFile(folder, number)); number++) {
    sources.push(databaseFile(folder, number))
  }
  const targets = sources.map((_, i) => (i === 0 ? target : numbered(target, i + 1)))
  const taken = targets.find((path) => existsSync(path))
  if (taken !== undefined) throw exists(taken)
  const startedAt = Date.now()
  const requireNoMove = () => requireRestFrom(startedAt, sources)
  requireNoMove()
  for (const [i, source] of sources.entries()) {
    const copy = targets[i] ?? target
    const bytes = await backUp(source, copy)
    say(`${source} was copied to ${copy}, ${bytes} bytes, and the copy is intact.`)
  }
  requireNoMove()
}

/**
 * Requires, of several databases, that no tenant has been moving since a time.
 *
 * @param startedAt milliseconds since 1970
 * @throws {StartError} when a move is running or has ended since then
 */
function requireRestFrom(startedAt: number, [catalogue = '', ...others]: readonly string[]): void {
  if (others.length === 0 || !existsSync(catalogue)) return
  requireUsable(catalogue, BUSY_TIMEOUT_MS)
  const database = new DatabaseSync(catalogue, { timeout: BUSY_TIMEOUT_MS })
  try {
    const hasJobs = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'jobs'").get()
    const move =
      hasJobs &&
      database
        .prepare(
          "SELECT tenant_id AS id FROM jobs WHERE kind = 'move' AND (state = 'running' OR finished_at >= ?)",
        )
        .get(startedAt)
    if (!move) return
    throw new StartError(
      `the tenant "${move.id}" is being moved, so the copies may be inconsistent; wait for the end of the move, and back up to another name`,
    )
  } finally {
    database.close()
  }
}

/** The path with a number, such as `copy-2.sqlite` for `copy.sqlite`. */
function numbered(path: string, number: number): string {
  const { dir, name, ext } = parse(path)
  return join(dir, `${name}-${number}${ext}`)
}

/**
 * Copies the database to a new file and checks the copy before it gets its final name. Of several backups to one name, one
 * succeeds.
 *
 * @returns the size of the copy in bytes
 * @throws {StartError} when the copy cannot be made; then there is no such file
 */
export async function backUp(source: string, target: string): Promise<number> {
  requireDatabase(source)
  const path = resolve(target)
  if (existsSync(path)) throw exists(target)
  requireFolder(dirname(path))
  requireUsable(source, BUSY_TIMEOUT_MS)
  // Another backup to the same name must not write to this file, nor remove it.
  const unfinished = `${path}.${randomUUID()}.unfinished`
  try {
    await copy(source, unfinished)
    requireIntact(unfinished)
    sync(unfinished)
    reserve(path, target)
    renameSync(unfinished, path)
    sync(dirname(path))
    return statSync(path).size
  } catch (error) {
    // A full disk concerns the copy, and the system names files that it could not write.
    const isOfCopy = /full/i.test(String(error)) || String(error).includes(unfinished)
    throw startError(error, isOfCopy ? target : source)
  } finally {
    discard(unfinished)
  }
}

function requireDatabase(source: string): void {
  try {
    // Unlike `existsSync`, this distinguishes a folder that this user may not read.
    if (statSync(source, { throwIfNoEntry: false }) !== undefined) return
  } catch (error) {
    throw startError(error, source)
  }
  throw new StartError(`there is no database "${source}"; DATA_FOLDER names the folder that it is in`)
}

/** Creates the file, because renaming would replace one that another process has created meanwhile. */
function reserve(path: string, target: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    throw error instanceof Error && 'code' in error && error.code === 'EEXIST' ? exists(target) : error
  }
}

function exists(target: string): StartError {
  return new StartError(`"${target}" exists already; choose another name`)
}

/** A file that cannot be removed was not created here, and its error has been reported. */
function discard(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch {}
}

async function copy(source: string, target: string): Promise<void> {
  // The copy is readable by this user only.
  closeSync(openSync(target, 'wx', 0o600))
  const database = new DatabaseSync(source, { timeout: BUSY_TIMEOUT_MS })
  try {
    await backup(database, target, { rate: ALL_PAGES })
  } finally {
    database.close()
  }
}

/**
 * Checks the copy. This also turns it into a single file, because the copy of a database in WAL mode is in WAL mode.
 */
function requireIntact(path: string): void {
  const database = new DatabaseSync(path)
  try {
    database.exec('PRAGMA journal_mode=DELETE')
    const findings = database.prepare('PRAGMA integrity_check(1)').all()
    const finding = String(findings[0]?.integrity_check)
    if (finding === 'ok') return
    throw new StartError(`the copy is damaged, so the database probably is: ${finding}; keep older backups`)
  } finally {
    database.close()
  }
}

/** Forces the copy to the disk, which SQLite does not. */
function sync(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
