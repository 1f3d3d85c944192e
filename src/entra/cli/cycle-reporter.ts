/**
 * Shows a running cycle: a progress bar on a terminal, plain lines in a pipe, one JSON object a line with --json.
 * Failures are shown as they happen, up to a limit; all of them are in the log.
 */
import cliProgress from 'cli-progress'
import type { CycleEvent } from '../engine/cycle-context.ts'
import type { LogEntry } from '../engine/provisioning-log.ts'
import { failedCount, summaryTable } from './summary-table.ts'
import { visible } from './visible-text.ts'

/** Where lines go; `isTTY` decides between bar and lines. */
export interface Output {
  readonly isTTY?: boolean | undefined
  write(text: string): unknown
}

export interface ReporterOptions {
  readonly output: Output
  /** Gets the progress bar, when `output` is a terminal. */
  readonly terminal: NodeJS.WritableStream
  readonly json: boolean
  /** How many requests have been sent so far. */
  readonly requestCount: () => number
}

export type ReportCycle = (event: CycleEvent) => void

const MAX_FAILURES_SHOWN = 10

/** Plain lines are written at most this often. */
const LINE_INTERVAL_MS = 2000

export function cycleReporter(options: ReporterOptions): ReportCycle {
  if (options.json) return (event) => options.output.write(`${JSON.stringify(event)}\n`)
  return new TextReporter(options).report
}

class TextReporter {
  readonly #options: ReporterOptions
  #bar: cliProgress.SingleBar | undefined
  #phaseStarted = 0
  #requestsBefore = 0
  #lastLine = 0
  #failures = 0

  constructor(options: ReporterOptions) {
    this.#options = options
  }

  readonly report: ReportCycle = (event) => {
    switch (event.type) {
      case 'cycleStarted':
        this.#failures = 0
        return this.#line(`${event.resumed ? 'Resuming' : 'Starting'} ${event.kind} cycle ${event.cycle}`)
      case 'phaseStarted':
        return this.#startPhase(event.phase, event.total)
      case 'progress':
        return this.#progress(event.phase, event.done, event.total)
      case 'log':
        return this.#failure(event.entry)
      case 'cycleFinished':
        this.#stopBar()
        this.#line(`\n${summaryTable(event.summary)}\n`)
        return this.#line(this.#closing(event))
    }
  }

  #startPhase(phase: string, total: number): void {
    this.#stopBar()
    this.#phaseStarted = performance.now()
    this.#lastLine = this.#phaseStarted
    this.#requestsBefore = this.#options.requestCount()
    if (total === 0) return
    if (!this.#options.output.isTTY) {
      this.#line(`${phase}: ${total} to process`)
      return
    }
    this.#bar = new cliProgress.SingleBar({
      format: `${phase.padEnd(11)} {bar} {value}/{total}  {rate} requests/s  {eta_formatted} left`,
      stream: this.#options.terminal,
      barsize: 30,
      hideCursor: true,
    })
    this.#bar.start(total, 0, { rate: '–' })
  }

  #progress(phase: string, done: number, total: number): void {
    if (this.#bar !== undefined) {
      this.#bar.update(done, { rate: this.#rate() })
      if (done === total) this.#stopBar()
      return
    }
    if (this.#options.output.isTTY) return
    const now = performance.now()
    if (done < total && now - this.#lastLine < LINE_INTERVAL_MS) return
    this.#lastLine = now
    this.#line(
      `${phase}: ${done} of ${total} (${this.#rate()} requests/s${done < total ? `, ${this.#left(done, total)} left` : ''})`,
    )
  }

  #rate(): string {
    const seconds = (performance.now() - this.#phaseStarted) / 1000
    return seconds <= 0 ? '–' : ((this.#options.requestCount() - this.#requestsBefore) / seconds).toFixed(0)
  }

  #left(done: number, total: number): string {
    const seconds = (((performance.now() - this.#phaseStarted) / 1000) * (total - done)) / done
    return seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`
  }

  #failure({ statusInfo, sourceIdentity, action }: LogEntry): void {
    if (statusInfo.status !== 'failure') return
    this.#failures++
    if (this.#failures > MAX_FAILURES_SHOWN) return
    const { identityType, displayName } = sourceIdentity
    this.#above(
      `  failed: ${action} ${identityType} "${displayName}": ${statusInfo.errorCode}: ${statusInfo.reason}`,
    )
    if (this.#failures === MAX_FAILURES_SHOWN) this.#above('  … further failures are in the log only')
  }

  #closing(event: Extract<CycleEvent, { type: 'cycleFinished' }>): string {
    const { summary, complete } = event
    if (!complete) return `Cycle ${summary.cycle} stopped after ${summary.requests} requests.`
    const seconds = (Date.parse(summary.finishedAt) - Date.parse(summary.startedAt)) / 1000
    const failed = failedCount(summary)
    const how = failed === 0 ? '' : `, ${failed} failed`
    return `Cycle ${summary.cycle} (${summary.kind}) finished: ${summary.requests} requests in ${seconds.toFixed(1)} s${how}.`
  }

  /** A line that does not break the bar. */
  #above(text: string): void {
    if (this.#bar !== undefined) this.#options.terminal.write('\r\u001b[K')
    this.#line(visible(text))
  }

  #line(text: string): void {
    this.#options.output.write(`${text}\n`)
  }

  #stopBar(): void {
    this.#bar?.stop()
    this.#bar = undefined
  }
}
