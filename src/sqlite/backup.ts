/**
 * A consistent copy of a database that may be in use, by SQLite's online backup in one step: it reads one
 * state, whatever is written meanwhile. In many steps it would begin anew with each write of another process.
 * (`VACUUM INTO` would do too, but Deno forbids all that attaches a database.)
 */
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join, parse, resolve } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { databaseFile, requireFolder, startError } from './open.ts'
import { StartError } from './start-error.ts'

/** How long the copy waits for a database that is just being opened or closed. */
const BUSY_TIMEOUT_MS = 10_000
/** Pages in a step: more than a database has. */
const ALL_PAGES = 2_147_483_647

/**
 * Copies each database of a data folder: the second one to `copy-2.sqlite` beside `copy.sqlite`, and so on. Each copy is
 * of one state. A tenant that is being moved is whole in the copy of the database that the catalogue names, which is copied
 * last.
 *
 * @param say is told of each copy
 * @throws {StartError} when one cannot be made; those that were made before stay
 */
export async function backUpAll(folder: string, target: string, say: (line: string) => void): Promise<void> {
  const sources = [databaseFile(folder)]
  for (let number = 2; existsSync(databaseFile(folder, number)); number++) {
    sources.push(databaseFile(folder, number))
  }
  const targets = sources.map((_, i) => (i === 0 ? target : numbered(target, i + 1)))
  const taken = targets.find((path) => existsSync(path))
  if (taken !== undefined) throw new StartError(`"${taken}" exists already; choose another name`)
  for (const [i, source] of sources.entries()) {
    const copy = targets[i] ?? target
    const bytes = await backUp(source, copy)
    say(`${source} was copied to ${copy}, ${bytes} bytes, and the copy is intact.`)
  }
}

/** `copy-2.sqlite` of `copy.sqlite`. */
function numbered(path: string, number: number): string {
  const { dir, name, ext } = parse(path)
  return join(dir, `${name}-${number}${ext}`)
}

/**
 * Copies the database to a file that does not exist yet, checks the copy, and only then gives it its name.
 *
 * @returns the size of the copy in bytes
 * @throws {StartError} when it cannot be made; then there is no such file
 */
export async function backUp(source: string, target: string): Promise<number> {
  if (!existsSync(source)) {
    throw new StartError(`there is no database "${source}"; DATA_FOLDER names the folder that it is in`)
  }
  const path = resolve(target)
  if (existsSync(path)) throw new StartError(`"${target}" exists already; choose another name`)
  requireFolder(dirname(path))
  const unfinished = `${path}.unfinished`
  try {
    rmSync(unfinished, { force: true })
    await copy(source, unfinished)
    requireIntact(unfinished)
    sync(unfinished)
    renameSync(unfinished, path)
    sync(dirname(path))
    return statSync(path).size
  } catch (error) {
    throw startError(error, sourceOrTarget(error, source, target))
  } finally {
    discard(unfinished)
  }
}

/** What cannot be removed was not made here, and the reason was said. */
function discard(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch {}
}

async function copy(source: string, target: string): Promise<void> {
  // Nobody else may read the copy either.
  closeSync(openSync(target, 'wx', 0o600))
  const database = new DatabaseSync(source, { timeout: BUSY_TIMEOUT_MS })
  try {
    await backup(database, target, { rate: ALL_PAGES })
  } finally {
    database.close()
  }
}

/** Also makes it one file: the copy of a database that writes ahead would do so too. */
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

/** SQLite does not wait until a copy is on the disk. */
function sync(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** What a full disk is about is the copy; and the system names what it could not write. */
function sourceOrTarget(error: unknown, source: string, target: string): string {
  const unfinished = `${target}.unfinished`
  if (String(error).includes(`${resolve(target)}.unfinished`)) return unfinished
  return /full/i.test(String(error)) ? target : source
}
