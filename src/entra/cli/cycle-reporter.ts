/**
 * Reports a running cycle: a progress bar on a terminal, plain lines in a pipe, or JSON lines with --json. Shows
 * failures as they occur, up to a limit; the log contains all of them.
 */
import cliProgress from 'cli-progress'
import type { CycleEvent } from '../engine/cycle-context.ts'
import type { LogEntry } from '../engine/provisioning-log.ts'
import { visible } from '../visible-text.ts'
import { failedCount, summaryTable } from './summary-table.ts'

/** Receives the report; `isTTY` selects between progress bar and lines. */
export interface Output {
  readonly isTTY?: boolean | undefined
  write(text: string): unknown
}

export interface ReporterOptions {
  readonly output: Output
  /** Receives the progress bar if `output` is a terminal. */
  readonly terminal: NodeJS.WritableStream
  readonly json: boolean
  /** Returns the number of requests sent so far. */
  readonly requestCount: () => number
}

export type ReportCycle = (event: CycleEvent) => void

const MAX_FAILURES_SHOWN = 10

/** Minimum time between two plain progress lines. */
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
        return this.#print(`${event.resumed ? 'Resuming' : 'Starting'} ${event.kind} cycle ${event.cycle}`)
      case 'phaseStarted':
        return this.#startPhase(event.phase, event.total)
      case 'progress':
        return this.#progress(event.phase, event.done, event.total)
      case 'log':
        return this.#failure(event.entry)
      case 'cycleFinished':
        this.#stopBar()
        this.#print(`\n${summaryTable(event.summary)}\n`)
        return this.#print(this.#summaryLine(event))
    }
  }

  #startPhase(phase: string, total: number): void {
    this.#stopBar()
    this.#phaseStarted = performance.now()
    this.#lastLine = this.#phaseStarted
    this.#requestsBefore = this.#options.requestCount()
    if (total === 0) return
    if (!this.#options.output.isTTY) {
      this.#print(`${phase}: ${total} to process`)
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
    this.#print(
      `${phase}: ${done} of ${total} (${this.#rate()} requests/s${done < total ? `, ${this.#remaining(done, total)} left` : ''})`,
    )
  }

  #rate(): string {
    const seconds = (performance.now() - this.#phaseStarted) / 1000
    return seconds <= 0 ? '–' : ((this.#options.requestCount() - this.#requestsBefore) / seconds).toFixed(0)
  }

  #remaining(done: number, total: number): string {
    const seconds = (((performance.now() - this.#phaseStarted) / 1000) * (total - done)) / done
    return seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`
  }

  #failure({ statusInfo, sourceIdentity, action }: LogEntry): void {
    if (statusInfo.status !== 'failure') return
    this.#failures++
    if (this.#failures > MAX_FAILURES_SHOWN) return
    const { identityType, displayName } = sourceIdentity
    this.#printAboveBar(
      `  failed: ${action} ${identityType} "${displayName}": ${statusInfo.errorCode}: ${statusInfo.reason}`,
    )
    if (this.#failures === MAX_FAILURES_SHOWN) this.#printAboveBar('  … see the log for further failures')
  }

  #summaryLine(event: Extract<CycleEvent, { type: 'cycleFinished' }>): string {
    const { summary, complete } = event
    if (!complete) return `Cycle ${summary.cycle} stopped after ${summary.requests} requests.`
    const seconds = (Date.parse(summary.finishedAt) - Date.parse(summary.startedAt)) / 1000
    const failed = failedCount(summary)
    const failures = failed === 0 ? '' : `, ${failed} failed`
    return `Cycle ${summary.cycle} (${summary.kind}) finished: ${summary.requests} requests in ${seconds.toFixed(1)} s${failures}.`
  }

  /** Prints a line above the progress bar. */
  #printAboveBar(text: string): void {
    if (this.#bar !== undefined) this.#options.terminal.write('\r\u001b[K')
    this.#print(visible(text))
  }

  #print(text: string): void {
    this.#options.output.write(`${text}\n`)
  }

  #stopBar(): void {
    this.#bar?.stop()
    this.#bar = undefined
  }
}
