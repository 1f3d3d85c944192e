/**
 * A lock between processes: a file with the id of the process that holds it. One left by a process that is gone is taken
 * over, and by one process only, however many try at the same moment.
 *
 * A lock appears whole or not at all: it is written under another name and then linked, which fails where a file exists.
 * To replace a dead one a process must first hold a lock of its own on that very file, named after its content; then it
 * looks whether that content is still there, and renames the second lock over the first.
 */
import { createHash, randomUUID } from 'node:crypto'
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'

/** A lock may vanish between two looks at it; after so many times somebody is busy with it. */
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
   * The lock, or the process that holds it; undefined when another one took it over just now.
   * @throws {Error} of the file system when the folder cannot be written.
   */
  static acquire(file: string): LockResult {
    // The rest makes each lock of a process another one.
    const content = `${process.pid} ${randomUUID()}`
    return acquire(file, content) ? new LockFile(file, content) : { heldBy: lockHolder(file) }
  }

  /** Gives it back, if it is still this one. */
  release(): void {
    if (read(this.#file) === this.#content) rmSync(this.#file, { force: true })
  }
}

/** The living process that holds a lock. */
export function lockHolder(file: string): number | undefined {
  const content = read(file)
  return content === undefined ? undefined : livingOwner(content)
}

function acquire(file: string, content: string): boolean {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    if (createWhole(file, content)) return true
    const found = read(file)
    if (found === undefined) continue
    if (livingOwner(found) !== undefined) return false
    return takeOver(file, found, content)
  }
  return false
}

/** Nobody else replaces `dead` while this process holds the lock that is named after it; its owner cannot. */
function takeOver(file: string, dead: string, content: string): boolean {
  const right = `${file}.${createHash('sha256').update(dead).digest('hex').slice(0, 12)}`
  if (!acquire(right, content)) return false
  if (read(file) === dead) {
    renameSync(right, file)
    return true
  }
  rmSync(right, { force: true })
  return false
}

function createWhole(file: string, content: string): boolean {
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

function livingOwner(content: string): number | undefined {
  const pid = Number(content.split(' ')[0])
  if (!Number.isInteger(pid) || pid <= 0) return undefined
  try {
    process.kill(pid, 0)
    return pid
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    return hasCode(error, 'EPERM') ? pid : undefined
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
