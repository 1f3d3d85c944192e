/** The results of `check` as JUnit XML. Pure. */
import type { CheckResult } from '../../check/check-result.ts'
import { isBad } from '../../check/findings.ts'
import { visibleLines } from '../visible-text.ts'
import { describeExchange, headingOf } from './check-text.ts'

/** One suite for each section, and one case for each step. Deviations and errors are failures. */
export function junit(name: string, results: readonly CheckResult[]): string {
  const suites = [...new Set(results.map(headingOf))].map((heading) => {
    const cases = results.filter((result) => headingOf(result) === heading)
    const failures = cases.filter(({ grade }) => isBad(grade)).length
    const attributes = `name="${heading}" tests="${cases.length}" failures="${failures}" skipped="${cases.filter(isSkipped).length}"`
    return `  <testsuite ${attributes}>\n${cases.map(testCase).join('')}  </testsuite>\n`
  })
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="${xml(name)}">\n${suites.join('')}</testsuites>\n`
}

function isSkipped({ grade }: CheckResult): boolean {
  return grade === 'skipped' || grade === 'not-applicable'
}

function testCase(result: CheckResult): string {
  const { title, grade, message, consequence, source, durationMs } = result
  const open = `    <testcase classname="entra.${xml(headingOf(result))}" name="${xml(title)}" time="${(durationMs / 1000).toFixed(3)}"`
  if (isSkipped(result)) return `${open}><skipped message="${xml(message)}"/></testcase>\n`
  if (!isBad(grade)) return `${open}/>\n`
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
