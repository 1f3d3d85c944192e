/** Markdown for the summary of a CI job (`$GITHUB_STEP_SUMMARY`): verdict, counts, causes, failed steps. Pure. */
import { GRADES } from '../grade.ts'
import { visible } from '../visible-text.ts'
import { escapeMarkup, excerpt } from './escape.ts'
import { exchangeLines } from './exchange-text.ts'
import { countOf, isFailure, type Report, type ReportCause, type ReportStep, stepsOf } from './report.ts'

/** GitHub refuses a summary of more than 1 MiB for a step; these bounds stay below it. */
const MAX_STEPS = 100
const MAX_CAUSES = 50
const MAX_BODY_LENGTH = 1500
const MAX_EXCHANGES = 3

export function markdownReport(report: Report): string {
  const { title, endpoint, verdict, causes, parts } = report
  const failed = stepsOf(report).filter(isFailure)
  const shown = GRADES.filter((grade) => countOf(stepsOf(report), grade) > 0)
  const rows = parts.map(({ name, steps }) => [name, ...shown.map((grade) => String(countOf(steps, grade)))])
  const lines = [
    `## ${text(title)}`,
    '',
    `**${text(verdict.text)}**`,
    '',
    `Endpoint: ${code(endpoint)}`,
    '',
    ...table(['part', ...shown], rows),
    ...(causes.length === 0 ? [] : ['', '### Findings', '', ...causes.slice(0, MAX_CAUSES).map(causeItem)]),
    ...rest(causes.length - MAX_CAUSES, 'findings'),
    ...(failed.length === 0
      ? []
      : ['', '### Failed steps', '', ...failed.slice(0, MAX_STEPS).map(stepDetails)]),
    ...rest(failed.length - MAX_STEPS, 'failed steps'),
  ]
  return `${lines.join('\n')}\n`
}

function rest(count: number, what: string): string[] {
  return count > 0 ? ['', `… and ${count} more ${what}.`] : []
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.map(text).join(' | ')} |`
  return [
    line(head),
    `|${head.map((_, index) => (index === 0 ? '---' : '---:')).join('|')}|`,
    ...rows.map(line),
  ]
}

function causeItem({ grade, message, consequence, source, steps }: ReportCause): string {
  const parts = [
    `* **${grade}**: ${text(message)}`,
    ...(consequence === undefined ? [] : [`  Effect: ${text(consequence)}`]),
    ...(source === undefined ? [] : [`  Source: ${text(source)}`]),
    `  Seen in: ${text(steps.slice(0, 3).join(', '))}${steps.length > 3 ? ` and ${steps.length - 3} more` : ''}`,
  ]
  // Two spaces at the end of a line break it.
  return parts.join('  \n')
}

function stepDetails({ name, grade, message, exchanges }: ReportStep): string {
  const last = exchanges.slice(-MAX_EXCHANGES).map((exchange) => exchangeLines(exchange, MAX_BODY_LENGTH))
  const body = escapeMarkup(last.join('\n\n'))
  // A blank line would end the element.
  const summary = `<summary>${escapeMarkup(visible(`${grade}: ${name}`))}</summary>`
  return `<details>${summary}\n\n${text(message)}\n\n<pre>${body}</pre>\n\n</details>\n`
}

/** Text of one line in which nothing is markup. */
function text(value: string): string {
  const line = excerpt(visible(value), MAX_BODY_LENGTH)
  return escapeMarkup(line.replace(/[\\`*_{}[\]()#+!|~@]/g, '\\$&'))
}

/** A text in backquotes, which the text cannot end. */
function code(value: string): string {
  return `\`${escapeMarkup(visible(value)).replaceAll('`', "'")}\``
}
