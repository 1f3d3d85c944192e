/** `check`: tests an endpoint and reports the results as text, JSON, or JUnit XML for continuous integration. */
import { randomUUID } from 'node:crypto'
import type { Grade } from '../../check/assertions.ts'
import { worstGrade } from '../../check/assertions.ts'
import { checkEndpoint } from '../../check/check.ts'
import type { CheckResult } from '../../check/check-result.ts'
import type { Dialect } from '../../protocol/requests.ts'
import { type Access, withAccess } from '../access.ts'
import { writeAtomically } from '../files/state-file.ts'
import { choiceOption, textOption } from '../options.ts'
import { systemClock } from '../system-clock.ts'
import { readTarget, type Target } from '../target.ts'
import { visible, visibleLines } from '../visible-text.ts'
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
  { tenantUrl, job }: Target,
  access: Access,
  { values, output }: CommandContext,
): Promise<number> {
  const json = values.json === true
  const dialects = textOption(values, 'dialect') === undefined ? (['old', 'flag'] as const) : [job.dialect]
  const stop = new AbortController()
  const interrupt = () => stop.abort()
  process.on('SIGINT', interrupt)
  let part = ''
  const onResult = (result: CheckResult) => {
    if (json) return
    if (part !== partOf(result)) output.write(`\n${HEADINGS[partOf(result)]}\n`)
    part = partOf(result)
    output.write(describeResult(result, values.verbose === true))
  }
  const results = await checkEndpoint({
    tenantUrl,
    ...access,
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

/** One suite for the token endpoint and for each dialect, and one case for each step. Deviations and errors are failures. */
function junit(name: string, results: readonly CheckResult[]): string {
  const suites = [...new Set(results.map(partOf))].map((part) => {
    const cases = results.filter((result) => partOf(result) === part)
    const failures = cases.filter(({ grade }) => grade === 'deviation' || grade === 'error').length
    const skipped = cases.filter(({ grade }) => grade === 'skipped').length
    const attributes = `name="${part === 'token endpoint' ? part : `${part} dialect`}" tests="${cases.length}" failures="${failures}" skipped="${skipped}"`
    return `  <testsuite ${attributes}>\n${cases.map(testCase).join('')}  </testsuite>\n`
  })
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="${xml(name)}">\n${suites.join('')}</testsuites>\n`
}

function testCase(result: CheckResult): string {
  const { title, grade, message, consequence, source, durationMs } = result
  const open = `    <testcase classname="entra.${partOf(result)}" name="${xml(title)}" time="${(durationMs / 1000).toFixed(3)}"`
  if (grade === 'skipped') return `${open}><skipped message="${xml(message)}"/></testcase>\n`
  if (consequence === undefined && grade !== 'error') return `${open}/>\n`
  const reference = source === undefined ? '' : `Source: ${source}\n`
  const text = `${consequence ?? ''}\n${reference}${describeExchange(result)}`
  return `${open}><failure type="${grade}" message="${xml(message)}">${xml(text)}</failure></testcase>\n`
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** XML cannot represent some characters; they become the replacement character. */
function xml(text: string): string {
  return visibleLines(text)
    .replace(/[&<>"]/g, (character) => ENTITIES[character] ?? '')
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
}
