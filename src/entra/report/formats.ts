/** The formats of a report. Pure. */

import { visibleLines } from '../visible-text.ts'
import { harReport } from './har.ts'
import { htmlReport } from './html.ts'
import { junitReport } from './junit.ts'
import { markdownReport } from './markdown.ts'
import { type Report, withoutSecrets } from './report.ts'

/** By the name of the format on the command line. */
const RENDERERS = {
  junit: junitReport,
  html: htmlReport,
  json: jsonReport,
  har: harReport,
  md: markdownReport,
} as const satisfies Readonly<Record<string, (report: Report) => string>>

export type ReportFormat = keyof typeof RENDERERS

export const REPORT_FORMATS = Object.keys(RENDERERS) as readonly ReportFormat[]

/** Control characters are escaped as JSON escapes them, so that the values stay the same. */
function jsonReport(report: Report): string {
  return `${visibleLines(JSON.stringify(report, null, 2))}\n`
}

/** A report without secrets. @param secrets tokens and secrets that were sent or received during the run */
export function renderReport(report: Report, format: ReportFormat, secrets: readonly string[]): string {
  return RENDERERS[format](withoutSecrets(report, secrets))
}
