/** JUnit XML, as CI systems read it: a suite for each part, a case for each step. Pure. */
import { escapeMarkup } from './escape.ts'
import { exchangeLines } from './exchange-text.ts'
import { hasNotRun, isFailure, type Report, type ReportPart, type ReportStep, stepsOf } from './report.ts'

/** Deviations and errors are failures. */
export function junitReport(report: Report): string {
  const { endpoint, durationMs, parts, startedAt } = report
  const counts = countAttributes(stepsOf(report), durationMs)
  const suites = parts.map((part) => suite(part, new Date(startedAt).toISOString()))
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="${escapeMarkup(endpoint)}" ${counts}>\n${suites.join('')}</testsuites>\n`
}

function suite({ name, steps }: ReportPart, timestamp: string): string {
  const durationMs = steps.reduce((sum, step) => sum + step.durationMs, 0)
  const open = `  <testsuite name="${escapeMarkup(name)}" ${countAttributes(steps, durationMs)} timestamp="${timestamp}">`
  return `${open}\n${steps.map((step) => testCase(name, step)).join('')}  </testsuite>\n`
}

function countAttributes(steps: readonly ReportStep[], durationMs: number): string {
  const failures = steps.filter(isFailure).length
  const skipped = steps.filter(hasNotRun).length
  return `tests="${steps.length}" failures="${failures}" errors="0" skipped="${skipped}" time="${seconds(durationMs)}"`
}

const MAX_BODY_LENGTH = 2000

function testCase(part: string, step: ReportStep): string {
  const { name, grade, message, durationMs } = step
  const open = `    <testcase classname="entra.${escapeMarkup(part)}" name="${escapeMarkup(name)}" time="${seconds(durationMs)}"`
  if (hasNotRun(step)) return `${open}><skipped message="${escapeMarkup(message)}"/></testcase>\n`
  if (!isFailure(step)) return `${open}/>\n`
  const text = escapeMarkup(details(step))
  return `${open}><failure type="${grade}" message="${escapeMarkup(message)}">${text}</failure></testcase>\n`
}

function details({ consequence, source, exchanges }: ReportStep): string {
  const lines = [
    ...(consequence === undefined ? [] : [consequence]),
    ...(source === undefined ? [] : [`Source: ${source}`]),
    ...exchanges.map((exchange) => exchangeLines(exchange, MAX_BODY_LENGTH)),
  ]
  return `${lines.join('\n')}\n`
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3)
}
