/** `check`: tests an endpoint and reports the results as text, JSON, or JUnit XML for continuous integration. */
import { randomUUID } from 'node:crypto'
import type { Grade } from '../../check/assertions.ts'
import { worstGrade } from '../../check/assertions.ts'
import { type CheckResult, checkEndpoint } from '../../check/check.ts'
import { writeAtomically } from '../files/state-file.ts'
import { textOption } from '../options.ts'
import { systemClock } from '../system-clock.ts'
import { readTarget } from '../target.ts'
import { visible, visibleLines } from '../visible-text.ts'
import { wireFetch } from '../wire-fetch.ts'
import type { CommandContext } from './command.ts'

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
export async function check({ values, output }: CommandContext): Promise<number> {
  const { tenantUrl, token, job } = readTarget(values)
  const json = values.json === true
  const dialects = textOption(values, 'dialect') === undefined ? (['old', 'flag'] as const) : [job.dialect]
  const stop = new AbortController()
  const interrupt = () => stop.abort()
  process.on('SIGINT', interrupt)
  let dialect = ''
  const onResult = (result: CheckResult) => {
    if (json) return
    if (dialect !== result.dialect)
      output.write(`\n${result.dialect === 'old' ? 'Old dialect' : 'Dialect of aadOptscim062020'}\n`)
    dialect = result.dialect
    output.write(describeResult(result, values.verbose === true))
  }
  const results = await checkEndpoint({
    tenantUrl,
    token,
    fetch: wireFetch(),
    clock: systemClock,
    newId: randomUUID,
    dialects,
    signal: stop.signal,
    onResult,
  })
  process.off('SIGINT', interrupt)
  const file = textOption(values, 'junit')
  if (file !== undefined) writeAtomically(file, junit(tenantUrl.base, results), 0o644)
  const verdict = worstGrade(results.map(({ grade }) => grade))
  output.write(json ? `${JSON.stringify({ verdict, results })}\n` : `\n${summaryLine(results, verdict)}\n`)
  return stop.signal.aborted ? 130 : EXIT_CODES[verdict]
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
  const { title, grade, message, consequence } = result
  const line = `  ${grade.padEnd(10)}  ${title}${grade === 'success' ? '' : `: ${visible(message)}`}\n`
  const effect = consequence === undefined ? '' : `              Entra: ${consequence}\n`
  return line + effect + (verbose || consequence !== undefined ? describeExchange(result) : '')
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

/** One suite for each dialect and one case for each step. Deviations and errors count as failures. */
function junit(name: string, results: readonly CheckResult[]): string {
  const suites = [...new Set(results.map(({ dialect }) => dialect))].map((dialect) => {
    const cases = results.filter((result) => result.dialect === dialect)
    const failures = cases.filter(({ grade }) => grade === 'deviation' || grade === 'error').length
    const skipped = cases.filter(({ grade }) => grade === 'skipped').length
    const attributes = `name="${dialect} dialect" tests="${cases.length}" failures="${failures}" skipped="${skipped}"`
    return `  <testsuite ${attributes}>\n${cases.map(testCase).join('')}  </testsuite>\n`
  })
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="${xml(name)}">\n${suites.join('')}</testsuites>\n`
}

function testCase(result: CheckResult): string {
  const { title, dialect, grade, message, consequence, durationMs } = result
  const open = `    <testcase classname="entra.${dialect}" name="${xml(title)}" time="${(durationMs / 1000).toFixed(3)}"`
  if (grade === 'skipped') return `${open}><skipped message="${xml(message)}"/></testcase>\n`
  if (consequence === undefined && grade !== 'error') return `${open}/>\n`
  const text = `${consequence ?? ''}\n${describeExchange(result)}`
  return `${open}><failure type="${grade}" message="${xml(message)}">${xml(text)}</failure></testcase>\n`
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** XML cannot represent some characters; they become the replacement character. */
function xml(text: string): string {
  return visibleLines(text)
    .replace(/[&<>"]/g, (character) => ENTITIES[character] ?? '')
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
}
