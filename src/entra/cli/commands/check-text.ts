/** The results of `check` as text: one line for each step while it runs, and the causes at the end. Pure. */
import { type Cause, causesOf, verdictOf } from '../../check/causes.ts'
import type { CheckResult } from '../../check/check-result.ts'
import { GRADES, type Grade } from '../../grade.ts'
import { visible } from '../../visible-text.ts'

/** The section of a result. */
export function headingOf({ dialect, check, grade }: CheckResult): string {
  if (dialect !== undefined) return dialect === 'old' ? 'Old dialect' : 'Dialect of aadOptscim062020'
  if (grade === 'not-applicable') return 'Not applicable'
  if (check === 'concurrency') return 'Concurrent clients'
  return check === undefined ? 'Token endpoint' : 'Connection'
}

/** One line; none for a step that did not run. With --verbose, every step has its request and response. */
export function describeResult(result: CheckResult, verbose: boolean): string {
  const { title, grade, message } = result
  if (grade === 'skipped' && !verbose) return ''
  const line = `  ${grade.padEnd(14)}  ${visible(title)}${grade === 'success' ? '' : `: ${visible(message)}`}\n`
  return verbose ? line + describeExchange(result) : line
}

/** The causes of all findings, and the verdict. */
export function describeEnd(results: readonly CheckResult[], interrupted: boolean): string {
  const causes = causesOf(results)
  const title = causes.length === 1 ? '\nOne finding\n' : `\n${causes.length} findings\n`
  const findings = causes.length === 0 ? '' : `${title}${causes.map(describeCause).join('')}`
  return `${findings}\n${verdictLine(results, interrupted)}\n`
}

const INDENT = '     '

function describeCause(cause: Cause, index: number): string {
  const { grade, messages, consequence, source, first } = cause
  const lines = [
    `${`${index + 1}.`.padEnd(4)} ${grade}: ${visible(joined(messages))}`,
    `${INDENT}At:     ${describeSteps(cause)}`,
    ...(consequence === undefined ? [] : [`${INDENT}Entra:  ${consequence}`]),
    ...(source === undefined ? [] : [`${INDENT}Source: ${source}`]),
  ]
  return `\n${lines.join('\n')}\n${describeExchange(first, MAX_BODY_LENGTH_OF_CAUSE)}`
}

const MAX_MESSAGES = 3
const MAX_TITLES = 4

function joined(messages: readonly string[]): string {
  const more = messages.length - MAX_MESSAGES
  return messages.slice(0, MAX_MESSAGES).join('; ') + (more > 0 ? `; and ${more} more` : '')
}

function describeSteps({ titles, notRun }: Cause): string {
  const steps = (count: number) => (count === 1 ? '1 step' : `${count} steps`)
  const hidden = titles.length - MAX_TITLES
  const shown = titles.slice(0, MAX_TITLES).map((title) => visible(title))
  const more = hidden > 0 ? ` and ${steps(hidden)} more` : ''
  return `${shown.join('; ')}${more}${notRun === 0 ? '' : `; ${steps(notRun)} could not run`}`
}

/** Bodies are cut, because people read them. */
const MAX_BODY_LENGTH = 2000
const MAX_BODY_LENGTH_OF_CAUSE = 500

/** The request and the response of a result; empty if nothing was sent. */
function describeExchange({ request, answer }: CheckResult, maxLength = MAX_BODY_LENGTH): string {
  if (request === undefined || answer === undefined) return ''
  const lines = [`${request.method} ${request.path}`]
  if (request.body !== undefined) lines.push(excerpt(JSON.stringify(request.body), maxLength))
  lines.push(
    answer.kind === 'none' ? `no response: ${answer.message}` : `HTTP ${answer.status} ${answer.contentType}`,
  )
  if (answer.kind === 'answer' && answer.text !== '') lines.push(excerpt(answer.text, maxLength))
  // Each line of a body with several lines gets the prefix.
  return lines
    .flatMap((line) => line.split(/\r?\n/))
    .map((line) => `${INDENT}| ${visible(line)}\n`)
    .join('')
}

function excerpt(text: string, maxLength: number): string {
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text
}

function verdictLine(results: readonly CheckResult[], interrupted: boolean): string {
  const count = (wanted: Grade) => results.filter(({ grade }) => grade === wanted).length
  const counts = GRADES.filter((grade) => grade === 'success' || count(grade) > 0).map(
    (grade) => `${count(grade)} ${grade}`,
  )
  return interrupted
    ? `Interrupted: no verdict (until then ${counts.join(', ')})`
    : `Verdict: ${verdictOf(results)} (${counts.join(', ')})`
}
