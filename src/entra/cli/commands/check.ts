/** `check`: tests an endpoint and reports the results as text, JSON, or JUnit XML for continuous integration. */
import { randomUUID } from 'node:crypto'
import type { Grade } from '../../check/assertions.ts'
import { worstGrade } from '../../check/assertions.ts'
import { checkEndpoint } from '../../check/check.ts'
import type { CheckResult } from '../../check/check-result.ts'
import type { Dialect } from '../../protocol/requests.ts'
import { checkReport, type TimedResult } from '../../report/check-report.ts'
import { type Access, withAccess } from '../access.ts'
import { choiceOption, textOption } from '../options.ts'
import { readReportFiles, SeenSecrets, writeReports } from '../reports.ts'
import { systemClock } from '../system-clock.ts'
import { readTarget, type Target } from '../target.ts'
import { version } from '../version.ts'
import { visible } from '../visible-text.ts'
import type { CommandContext } from './command.ts'
import { checkGallery } from './gallery.ts'

/** Exit codes by the worst grade. 2 is reserved for wrong usage. */
const EXIT_CODES: Readonly<Record<Grade, number>> = {
  skipped: 0,
  success: 0,
  acceptable: 0,
  deviation: 1,
  error: 3,
}

/**
 * Exit code 0 for success and acceptable, 1 for a deviation, 3 for an error, 130 if interrupted.
 * @throws {UsageError}
 */
export function check(command: CommandContext): Promise<number> {
  const { values, errors } = command
  if (choiceOption(values, 'suite', ['entra', 'gallery']) === 'gallery') return checkGallery(command)
  const target = readTarget(values)
  return withAccess(target.authentication, values, errors.write, (access) => run(target, access, command))
}

async function run(
  { tenantUrl, job, authentication }: Target,
  access: Access,
  { values, output }: CommandContext,
): Promise<number> {
  const json = values.json === true
  const dialects = textOption(values, 'dialect') === undefined ? (['old', 'flag'] as const) : [job.dialect]
  const files = readReportFiles(values)
  const secrets = new SeenSecrets(authentication)
  const startedAt = systemClock.now()
  const timed: TimedResult[] = []
  const stop = new AbortController()
  const interrupt = () => stop.abort()
  process.on('SIGINT', interrupt)
  let part = ''
  const onResult = (result: CheckResult) => {
    timed.push({ result, endedAt: systemClock.now() })
    if (json) return
    if (part !== partOf(result)) output.write(`\n${HEADINGS[partOf(result)]}\n`)
    part = partOf(result)
    output.write(describeResult(result, values.verbose === true))
  }
  const results = await checkEndpoint({
    tenantUrl,
    ...access,
    fetch: secrets.watch(access.fetch),
    clock: systemClock,
    newId: randomUUID,
    dialects,
    signal: stop.signal,
    onResult,
  })
  process.off('SIGINT', interrupt)
  const interrupted = stop.signal.aborted
  const durationMs = systemClock.now() - startedAt
  const details = { tenantUrl, version, startedAt, durationMs, interrupted }
  writeReports(
    files,
    checkReport(timed, (result) => HEADINGS[partOf(result)], details),
    secrets,
  )
  const verdict = worstGrade(results.map(({ grade }) => grade))
  output.write(json ? `${JSON.stringify({ verdict, results })}\n` : `\n${summaryLine(results, verdict)}\n`)
  return stop.signal.aborted ? 130 : EXIT_CODES[verdict]
}

type Part = Dialect | 'token endpoint'

const HEADINGS: Readonly<Record<Part, string>> = {
  'token endpoint': 'Token endpoint',
  old: 'Old dialect',
  flag: 'Dialect of aadOptscim062020',
}

function partOf({ dialect }: CheckResult): Part {
  return dialect ?? 'token endpoint'
}

function summaryLine(results: readonly CheckResult[], verdict: Grade): string {
  const count = (wanted: Grade) => results.filter(({ grade }) => grade === wanted).length
  const counts = (['success', 'acceptable', 'deviation', 'error', 'skipped'] as const).map(
    (grade) => `${count(grade)} ${grade}`,
  )
  return `Verdict: ${verdict} (${counts.join(', ')})`
}

/** One line. Deviations and errors, and with --verbose all results, include the request and the response. */
function describeResult(result: CheckResult, verbose: boolean): string {
  const { title, grade, message, consequence, source } = result
  const line = `  ${grade.padEnd(10)}  ${title}${grade === 'success' ? '' : `: ${visible(message)}`}\n`
  const effect = consequence === undefined ? '' : `              Entra: ${consequence}\n`
  const reference = source === undefined ? '' : `              Source: ${source}\n`
  return line + effect + reference + (verbose || consequence !== undefined ? describeExchange(result) : '')
}

function describeExchange({ request, answer }: CheckResult): string {
  if (request === undefined || answer === undefined) return ''
  const lines = [`${request.method} ${request.path}`]
  if (request.body !== undefined) lines.push(JSON.stringify(request.body))
  lines.push(
    answer.kind === 'none' ? `no response: ${answer.message}` : `HTTP ${answer.status} ${answer.contentType}`,
  )
  if (answer.kind === 'answer' && answer.text !== '')
    lines.push(answer.text.length > 2000 ? `${answer.text.slice(0, 2000)}…` : answer.text)
  // Each line of a body with several lines gets the prefix.
  return lines
    .flatMap((line) => line.split(/\r?\n/))
    .map((line) => `              | ${visible(line)}\n`)
    .join('')
}
