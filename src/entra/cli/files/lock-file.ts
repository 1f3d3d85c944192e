/**
 * A lock between processes: a file that contains the id of the process that holds it. A stale lock, whose process no
 * longer runs, is taken over by exactly one of the processes that compete for it.
 *
 * A lock file is created atomically: it is written under a temporary name and then linked, which fails if the lock
 * exists. To take over a stale lock, a process first acquires a second lock, which is named after the content of the
 * stale one. It then checks that the content is still the same and renames the second lock over the first.
 */
import { createHash, randomUUID } from 'node:crypto'
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'

/** A lock may be released between two attempts. After this many attempts it counts as held by another process. */
const MAX_ATTEMPTS = 10

export type LockResult = LockFile | { readonly heldBy: number | undefined }

export class LockFile {
  readonly #file: string
  readonly #content: string

  private constructor(file: string, content: string) {
    this.#file = file
    this.#content = content
  }

  /**
   * Acquires the lock, or returns the process that holds it (undefined if another process took it over just now).
   * @throws {Error} of the file system if the folder is not writable
   */
  static acquire(file: string): LockResult {
    // The random part distinguishes locks of the same process.
    const content = `${process.pid} ${randomUUID()}`
    return acquire(file, content) ? new LockFile(file, content) : { heldBy: lockHolder(file) }
  }

  /** Releases the lock if this process still holds it. */
  release(): void {
    if (read(this.#file) === this.#content) rmSync(this.#file, { force: true })
  }
}

/** Returns the id of the running process that holds a lock. */
export function lockHolder(file: string): number | undefined {
  const content = read(file)
  return content === undefined ? undefined : runningOwner(content)
}

function acquire(file: string, content: string): boolean {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    if (createAtomically(file, content)) return true
    const found = read(file)
    if (found === undefined) continue
    if (runningOwner(found) !== undefined) return false
    return takeOver(file, found, content)
  }
  return false
}

/** No other process replaces the stale lock while this one holds the lock named after its content. */
function takeOver(file: string, stale: string, content: string): boolean {
  const takeoverLock = `${file}.${createHash('sha256').update(stale).digest('hex').slice(0, 12)}`
  if (!acquire(takeoverLock, content)) return false
  if (read(file) === stale) {
    renameSync(takeoverLock, file)
    return true
  }
  rmSync(takeoverLock, { force: true })
  return false
}

function createAtomically(file: string, content: string): boolean {
  const own = `${file}.${randomUUID()}.tmp`
  writeFileSync(own, content, { flag: 'wx', mode: 0o600 })
  try {
    linkSync(own, file)
    return true
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false
    throw error
  } finally {
    rmSync(own, { force: true })
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}

function runningOwner(content: string): number | undefined {
  const pid = Number(content.split(' ')[0])
  if (!Number.isInteger(pid) || pid <= 0) return undefined
  try {
    process.kill(pid, 0)
    return pid
  } catch (error) {
    // EPERM: the process exists and belongs to another user.
    return hasCode(error, 'EPERM') ? pid : undefined
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
