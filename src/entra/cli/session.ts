/**
 * What a command that talks to an endpoint needs: target, job, state, log and client, opened together and closed
 * together. Ctrl-C aborts the signal once; a second one ends the process.
 */
import { randomUUID } from 'node:crypto'
import type { CycleContext, CycleEvent } from '../cycle-context.ts'
import { importDirectory } from '../import.ts'
import type { JobConfig } from '../job.ts'
import { ScimClient } from '../scim-client.ts'
import type { JobState } from '../state.ts'
import type { TenantUrl } from '../tenant-url.ts'
import { readDirectory } from './directory-file.ts'
import { LogFile } from './log-file.ts'
import { StateFile, stateTarget } from './state-file.ts'
import { systemClock } from './system-clock.ts'

export interface SessionOptions {
  readonly directoryFile: string
  readonly stateFile: string
  readonly tenantUrl: TenantUrl
  readonly token: string
  readonly job: JobConfig
  readonly retryAll: boolean
}

/** One Ctrl-C can arrive twice: from the terminal, and forwarded by npm. */
const SAME_SIGNAL_MS = 1000

export class Session {
  readonly client: ScimClient
  readonly state: JobState
  readonly signal: AbortSignal
  readonly #options: SessionOptions
  readonly #stateFile: StateFile
  readonly #log: LogFile
  readonly #stop = new AbortController()
  #interruptedAt = 0

  constructor(options: SessionOptions) {
    this.#options = options
    this.#stateFile = StateFile.open(options.stateFile, stateTarget(options.tenantUrl, options.token))
    this.#log = new LogFile(options.stateFile)
    this.state = this.#stateFile.state
    this.signal = this.#stop.signal
    const { tenantUrl, token } = options
    this.client = new ScimClient({ tenantUrl, token, fetch, clock: systemClock, signal: this.signal })
    process.on('SIGINT', this.#interrupt)
    process.on('SIGTERM', this.#interrupt)
  }

  /** Reads the directory file, as each cycle does: it may have been edited since. */
  context(emit: (event: CycleEvent) => void): CycleContext {
    const { job, directoryFile, retryAll } = this.#options
    const directory = readDirectory(directoryFile, this.state.objects)
    return {
      job,
      state: this.state,
      imported: importDirectory(directory, job, this.state, systemClock.now()),
      client: this.client,
      clock: systemClock,
      newId: randomUUID,
      emit: (event) => {
        if (event.type === 'log') this.#log.append(event.entry)
        emit(event)
      },
      onStateChanged: () => this.#stateFile.touch(),
      signal: this.signal,
      retryAll,
    }
  }

  /** Writes everything and gives the lock back. */
  close(): void {
    process.off('SIGINT', this.#interrupt)
    process.off('SIGTERM', this.#interrupt)
    this.#log.flush()
    this.#stateFile.close()
  }

  readonly #interrupt = (): void => {
    if (this.#stop.signal.aborted) {
      if (performance.now() - this.#interruptedAt < SAME_SIGNAL_MS) return
      this.close()
      process.exit(130)
    }
    this.#interruptedAt = performance.now()
    process.stderr.write('\nStopping after the requests in flight (once more to stop at once) …\n')
    this.#stop.abort()
  }
}
