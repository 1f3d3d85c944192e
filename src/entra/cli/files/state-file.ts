/**
 * The state file: found beside the directory file, locked while a command runs, written atomically (a new file, synced,
 * then renamed over the old one), at once when asked and otherwise at intervals that keep writing cheap.
 */
import { createHash } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import { type JobState, newState, parseState, type StateTarget } from '../../documents/state.ts'
import type { TenantUrl } from '../../protocol/tenant-url.ts'
import { UsageError } from '../usage-error.ts'
import { visible } from '../visible-text.ts'
import { readDocument, refuseProblems } from './documents.ts'
import { LockFile, type LockResult, lockHolder } from './lock-file.ts'

/** At most this share of the time goes into writing the state. */
const MAX_WRITING_SHARE = 0.05
const MIN_INTERVAL_MS = 1000

/** Tokens that show their tenant look like `scim_acme_<secret>`; of others only the Tenant URL is known. */
const TENANT_TOKEN = /^([A-Za-z0-9]+_[A-Za-z0-9-]+)_[A-Za-z0-9_-]{32,}$/

/** Names the target of a state without keeping anything secret. A rotated token of the same tenant is the same target. */
export function stateTarget(tenantUrl: TenantUrl, token: string): StateTarget {
  const tenant = TENANT_TOKEN.exec(token)?.[1]
  return { tenantUrl: tenantUrl.base, tenant: tenant === undefined ? '' : hash(tenant) }
}

/** `quillfern.json` and a target make `quillfern.1a2b3c4d.state.json`: each target has a state of its own. */
export function defaultStateFile(directoryFile: string, target: StateTarget): string {
  const name = basename(directoryFile, extname(directoryFile))
  return join(dirname(directoryFile), `${name}.${hash(`${target.tenantUrl} ${target.tenant}`)}.state.json`)
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8)
}

/** An opened, locked state file. `close` writes what is left and gives the lock back. */
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
   * Opens the state of a target, making a new one when there is no file; without a target, of whichever it is.
   * @throws {UsageError} when another run holds it, it has a mistake, or it belongs to another target.
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

  /** Tells that the state changed; it is written soon. */
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

/** Reads a state without locking it, for commands that only look. @throws {UsageError} */
export function readState(file: string, target?: StateTarget): JobState {
  if (!existsSync(file) && target !== undefined) return newState(target)
  const source = readDocument(file, 'state file')
  const { state, problems } = parseState(source.value)
  refuseProblems(source, problems, 'state file')
  if (state === undefined) throw new UsageError(`The state file "${file}" cannot be used`)
  if (target === undefined) return state
  const same = state.target.tenantUrl === target.tenantUrl && state.target.tenant === target.tenant
  if (same) return state
  const other =
    state.target.tenantUrl === target.tenantUrl
      ? 'another tenant of the same Tenant URL'
      : state.target.tenantUrl
  throw new UsageError(
    `The state file "${file}" was made for ${other}, not for this target; nothing was sent.\n` +
      '  Choose another with --state FILE, or delete it to start with an initial cycle.',
  )
}

/** Readable by its owner only, unless told otherwise. @throws {UsageError} when the folder cannot be written. */
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
    throw new UsageError(`Cannot write "${file}": ${error instanceof Error ? error.message : error}`)
  }
}

/** Whether a running command holds the state file. */
export function isLocked(file: string): boolean {
  return lockHolder(`${file}.lock`) !== undefined
}

/** @throws {UsageError} when another process holds it, or the folder cannot be written. */
function requireLock(file: string): LockFile {
  const lockFile = `${file}.lock`
  let result: LockResult
  try {
    result = LockFile.acquire(lockFile)
  } catch (error) {
    throw new UsageError(`Cannot write "${lockFile}": ${error instanceof Error ? error.message : error}`)
  }
  if (result instanceof LockFile) return result
  const holder = result.heldBy === undefined ? 'another process' : `process ${result.heldBy}`
  throw new UsageError(
    `The state file "${file}" is in use by ${holder}; nothing was sent. Wait for it, or choose another with --state FILE.`,
  )
}
