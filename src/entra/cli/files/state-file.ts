/**
 * The state file: locked while a command runs, and written atomically (to a new file that is synced and then renamed).
 * Writing is throttled, so that it takes a limited share of the time.
 */
import { createHash } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import { type JobState, newState, parseState, type StateTarget } from '../../documents/state.ts'
import type { TenantUrl } from '../../protocol/tenant-url.ts'
import type { ProviderName } from '../../providers/providers.ts'
import { visible } from '../../visible-text.ts'
import { UsageError } from '../usage-error.ts'
import { readDocument, throwProblems } from './documents.ts'
import { fileReason } from './file-error.ts'
import { LockFile, type LockResult, lockHolder } from './lock-file.ts'

/** The maximum share of the time spent on writing the state. */
const MAX_WRITING_SHARE = 0.05
const MIN_INTERVAL_MS = 1000

/**
 * Identifies the target of a state. New credentials for the same tenant are the same target.
 * @param tenant undefined if only the Tenant URL identifies the target
 */
export function stateTarget(
  tenantUrl: TenantUrl,
  tenant: string | undefined,
  provider: ProviderName,
): StateTarget {
  return { tenantUrl: tenantUrl.base, tenant: tenant === undefined ? '' : hash(tenant), provider }
}

/** E.g. `quillfern.1a2b3c4d.state.json` for `quillfern.json`: each target has its own state file. */
export function defaultStateFile(directoryFile: string, target: StateTarget): string {
  const name = basename(directoryFile, extname(directoryFile))
  return join(dirname(directoryFile), `${name}.${hash(`${target.tenantUrl} ${target.tenant}`)}.state.json`)
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8)
}

/** An opened and locked state file. `close` saves pending changes and releases the lock. */
export class StateFile {
  readonly file: string
  readonly state: JobState
  readonly #lock: LockFile
  #changed = false
  #timer: NodeJS.Timeout | undefined
  #intervalMs = MIN_INTERVAL_MS

  private constructor(file: string, state: JobState, lock: LockFile) {
    this.file = file
    this.state = state
    this.#lock = lock
  }

  /**
   * Opens the state file of a target, or creates a new state if there is none. Without `target`, any target is
   * accepted.
   * @throws {UsageError} if another run holds it, it is invalid, or it belongs to another target
   */
  static open(file: string, target?: StateTarget): StateFile {
    const lock = requireLock(file)
    try {
      return new StateFile(file, readState(file, target), lock)
    } catch (error) {
      lock.release()
      throw error
    }
  }

  /** Marks the state as changed and schedules a save. */
  touch(): void {
    this.#changed = true
    this.#timer ??= setTimeout(() => this.save(), this.#intervalMs)
  }

  save(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (!this.#changed) return
    this.#changed = false
    const started = performance.now()
    writeAtomically(this.file, visible(JSON.stringify(this.state)))
    this.#intervalMs = Math.max(MIN_INTERVAL_MS, (performance.now() - started) / MAX_WRITING_SHARE)
  }

  close(): void {
    try {
      this.save()
    } finally {
      clearTimeout(this.#timer)
      this.#lock.release()
    }
  }
}

/**
 * Reads a state without locking it, for read-only commands.
 * @throws {UsageError}
 */
export function readState(file: string, target?: StateTarget): JobState {
  if (!existsSync(file) && target !== undefined) return newState(target)
  const source = readDocument(file, 'state file')
  const { state, problems } = parseState(source.value)
  throwProblems(source, problems, 'state file')
  if (state === undefined) throw new UsageError(`The state file "${file}" cannot be used`)
  if (target === undefined) return state
  const owner = ownerOf(state.target, target)
  if (owner === undefined) return state
  throw new UsageError(
    `The state file "${file}" belongs to ${owner}; nothing was sent.\n` +
      '  Choose another one with --state FILE, or delete it to start with an initial cycle.',
  )
}

/** What a state belongs to, if it is not the target. */
function ownerOf(found: StateTarget, target: StateTarget): string | undefined {
  if (found.tenantUrl !== target.tenantUrl) return `${found.tenantUrl}, not to this target`
  if (found.tenant !== target.tenant) return 'another tenant of the same Tenant URL, not to this target'
  const { provider = target.provider } = found
  if (target.provider === undefined || provider === target.provider) return undefined
  return `the provider "${provider}", not to "${target.provider}"`
}

/**
 * By default, only the owner may read the file.
 * @throws {UsageError} if the folder is not writable
 */
export function writeAtomically(file: string, text: string, mode = 0o600): void {
  const temporary = `${file}.${process.pid}.tmp`
  try {
    const descriptor = openSync(temporary, 'w', mode)
    try {
      writeFileSync(descriptor, text)
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    renameSync(temporary, file)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw new UsageError(`Cannot write "${file}": ${fileReason(error)}`)
  }
}

/** True if a running command holds the state file. */
export function isLocked(file: string): boolean {
  return lockHolder(`${file}.lock`) !== undefined
}

/** @throws {UsageError} if another process holds it or the folder is not writable */
function requireLock(file: string): LockFile {
  const lockFile = `${file}.lock`
  let result: LockResult
  try {
    result = LockFile.acquire(lockFile)
  } catch (error) {
    throw new UsageError(`Cannot write "${lockFile}": ${fileReason(error)}`)
  }
  if (result instanceof LockFile) return result
  const holder = result.heldBy === undefined ? 'another process' : `process ${result.heldBy}`
  throw new UsageError(
    `The state file "${file}" is in use by ${holder}; nothing was sent. Wait for it to end, or choose another file with --state FILE.`,
  )
}
