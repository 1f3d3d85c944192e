/**
 * Opens and closes the resources of a command that runs the job: target, state, log, clock and client. The first Ctrl-C
 * aborts the signal; the second one stores the state and ends the process.
 */
import { randomUUID } from 'node:crypto'
import { existsSync, rmSync } from 'node:fs'
import type { Clock } from '../../clock.ts'
import { providerOf } from '../../documents/job.ts'
import type { JobState } from '../../documents/state.ts'
import type { CycleContext, CycleEvent } from '../../engine/cycle-context.ts'
import { ScimClient } from '../../protocol/scim-client.ts'
import type { Access } from '../access.ts'
import { readDirectory } from '../files/directory-file.ts'
import { LogFile } from '../files/log-file.ts'
import { StateFile } from '../files/state-file.ts'
import { importObjects } from '../import-objects.ts'
import { offsetClock, systemClock } from '../system-clock.ts'
import type { JobTarget } from '../target.ts'
import { type Interruption, interruption } from './interruption.ts'

export class Session {
  readonly client: ScimClient
  readonly clock: Clock
  readonly state: JobState
  readonly signal: AbortSignal
  readonly #target: JobTarget
  readonly #stateFile: StateFile
  readonly #log: LogFile
  readonly #stop: Interruption

  /**
   * `advanceMs` permanently moves the job's clock forward.
   * @throws {UsageError}
   */
  constructor(target: JobTarget, { tokens, fetch }: Access, advanceMs = 0) {
    const { tenantUrl, stateTarget } = target
    this.#target = target
    this.#stateFile = StateFile.open(target.stateFile, stateTarget)
    this.#log = new LogFile(target.stateFile)
    this.state = this.#stateFile.state
    this.#stop = interruption({
      onFirst: () =>
        process.stderr.write(
          '\nStopping after the requests in flight (press Ctrl-C again to stop at once) …\n',
        ),
      onSecond: () => this.close(),
    })
    this.signal = this.#stop.signal
    if (advanceMs > 0) this.state.clockOffsetMs = (this.state.clockOffsetMs ?? 0) + advanceMs
    this.clock = offsetClock(systemClock, this.state.clockOffsetMs ?? 0)
    this.client = new ScimClient({
      tenantUrl,
      tokens,
      fetch,
      clock: this.clock,
      signal: this.signal,
      wire: providerOf(target.job).wire,
    })
  }

  /**
   * Reads the directory file, which may have changed since the previous cycle.
   * @throws {UsageError}
   */
  context(emit: (event: CycleEvent) => void, retryAll: boolean, pushNow = false): CycleContext {
    const { job, directoryFile } = this.#target
    const directory = readDirectory(directoryFile, this.state.objects)
    return {
      job,
      state: this.state,
      imported: importObjects(directory, job, this.state, this.clock.now()),
      client: this.client,
      clock: this.clock,
      newId: randomUUID,
      emit: (event) => {
        if (event.type === 'log') this.#log.append(event.entry)
        emit(event)
      },
      onStateChanged: () => this.#stateFile.touch(),
      signal: this.signal,
      retryAll,
      pushNow,
    }
  }

  /** Writes pending state and log entries, so that other commands can read them between cycles. */
  save(): void {
    this.#log.flush()
    this.#stateFile.save()
  }

  /** Returns whether `pause` was requested during this run, and clears the request. */
  takePauseRequest(): boolean {
    const file = pauseRequestFile(this.#target.stateFile)
    if (!existsSync(file)) return false
    rmSync(file, { force: true })
    return true
  }

  /** Writes pending state and log entries and releases the lock. */
  close(): void {
    this.#stop.end()
    this.#log.flush()
    this.#stateFile.close()
  }
}

/** The file with which `pause` signals a run that holds the lock. */
export function pauseRequestFile(stateFile: string): string {
  return `${stateFile}.pause`
}
