/** The option --report: files in which a command writes the report of its run. */
import { accessSync, constants } from 'node:fs'
import { dirname } from 'node:path'
import type { Fetch } from '../protocol/fetch.ts'
import { REPORT_FORMATS, type ReportFormat, renderReport } from '../report/formats.ts'
import type { Report } from '../report/report.ts'
import type { Authentication } from './authentication.ts'
import { fileReason } from './files/file-error.ts'
import { writeAtomically } from './files/state-file.ts'
import { type OptionValues, textOption } from './options.ts'
import { UsageError } from './usage-error.ts'

export interface ReportFile {
  readonly format: ReportFormat
  readonly file: string
}

/**
 * `--report html=a.html,junit=b.xml`, and `--junit b.xml` for short.
 * @throws {UsageError} also if a folder cannot be written to: after the run would be too late to say so
 */
export function readReportFiles(values: OptionValues): readonly ReportFile[] {
  const junit = textOption(values, 'junit')
  const listed = (textOption(values, 'report') ?? '').split(',').filter((entry) => entry !== '')
  const files = [
    ...(junit === undefined ? [] : [{ format: 'junit', file: junit } as const]),
    ...listed.map(reportFile),
  ]
  for (const { file } of files) requireWritableFolder(file)
  return files
}

function requireWritableFolder(file: string): void {
  try {
    accessSync(dirname(file), constants.W_OK)
  } catch (error) {
    throw new UsageError(`Cannot write "${file}": ${fileReason(error)}`)
  }
}

function reportFile(entry: string): ReportFile {
  const [name = '', ...rest] = entry.split('=')
  const file = rest.join('=')
  const format = REPORT_FORMATS.find((candidate) => candidate === name)
  const formats = REPORT_FORMATS.map((candidate) => `${candidate}=FILE`).join(', ')
  if (format === undefined || file === '')
    throw new UsageError(`--report must be a list of ${formats}, got "${entry}"`)
  return { format, file }
}

/** Writes every file. `secrets` are left out of all of them. */
export function writeReports(files: readonly ReportFile[], report: Report, secrets: Iterable<string>): void {
  for (const { format, file } of files)
    writeAtomically(file, renderReport(report, format, [...secrets]), 0o644)
}

/**
 * Collects the secrets of a run: those that are configured, and the tokens, assertions and credentials that pass through
 * `fetch`. An endpoint may repeat any of them.
 */
export class SeenSecrets {
  readonly #values = new Set<string>()

  constructor(authentication: Authentication) {
    if (authentication.kind === 'bearer') this.#values.add(authentication.token)
    if (authentication.kind === 'client-credentials') this.#values.add(authentication.clientSecret)
    if (authentication.kind === 'federated') this.#add(authentication.workload.applicationSecret)
  }

  [Symbol.iterator](): Iterator<string> {
    return this.#values.values()
  }

  /** The same fetch; what it sends and receives is looked through. */
  watch(fetch: Fetch): Fetch {
    return async (url, init) => {
      this.#add(init.headers.Authorization?.replace(/^\w+ /, ''))
      if (init.headers['Content-Type'] === 'application/x-www-form-urlencoded') this.#addForm(init.body ?? '')
      const answer = await fetch(url, init)
      const text = await answer.text()
      this.#add(/"access_token"\s*:\s*"([^"]+)"/.exec(text)?.[1])
      return { status: answer.status, headers: answer.headers, text: async () => text }
    }
  }

  #addForm(body: string): void {
    const form = new URLSearchParams(body)
    for (const name of ['client_secret', 'client_assertion']) this.#add(form.get(name) ?? undefined)
  }

  #add(value: string | undefined): void {
    if (value !== undefined && value !== '') this.#values.add(value)
  }
}
