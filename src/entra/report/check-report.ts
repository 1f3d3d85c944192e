/** The report of `check`. Pure. */
import { type Cause, causesOf, verdictOf } from '../check/causes.ts'
import type { CheckResult } from '../check/check-result.ts'
import type { Instant } from '../clock.ts'
import { GRADES } from '../grade.ts'
import { requestUrl, type TenantUrl } from '../protocol/tenant-url.ts'
import { countOf, type Report, type ReportCause, type ReportPart, type ReportStep } from './report.ts'
import type { RunDetails } from './run-details.ts'

/** A result, and when it was reported, which is when its request had been answered. */
export interface TimedResult {
  readonly result: CheckResult
  readonly endedAt: Instant
}

/** @param partOf the heading under which a result is shown */
export function checkReport(
  results: readonly TimedResult[],
  partOf: (result: CheckResult) => string,
  details: RunDetails,
): Report {
  const { tenantUrl, interrupted, ...run } = details
  const steps = results.map((timed) => stepOf(timed, tenantUrl))
  const all = results.map(({ result }) => result)
  const grade = interrupted ? 'interrupted' : verdictOf(all)
  return {
    ...{ ...run, title: 'Check of a SCIM endpoint for Microsoft Entra ID', endpoint: tenantUrl.base },
    verdict: {
      grade,
      text: interrupted ? 'Interrupted: no verdict' : `Verdict: ${grade} (${counts(steps)})`,
    },
    causes: causesOf(all).map(reportCause),
    parts: partsOf(results, steps, partOf),
  }
}

function counts(steps: readonly ReportStep[]): string {
  return GRADES.map((grade) => `${countOf(steps, grade)} ${grade}`).join(', ')
}

function reportCause({ grade, messages, consequence, source, titles }: Cause): ReportCause {
  return {
    ...{ grade, message: messages.join('; '), steps: titles },
    ...(consequence === undefined ? {} : { consequence }),
    ...(source === undefined ? {} : { source }),
  }
}

function partsOf(
  results: readonly TimedResult[],
  steps: readonly ReportStep[],
  partOf: (result: CheckResult) => string,
): readonly ReportPart[] {
  const names = results.map(({ result }) => partOf(result))
  return [...new Set(names)].map((name) => ({
    name,
    steps: steps.filter((_, index) => names[index] === name),
  }))
}

function stepOf({ result, endedAt }: TimedResult, tenantUrl: TenantUrl): ReportStep {
  const { title, grade, message, consequence, source, request, answer, durationMs } = result
  const sent = request !== undefined && answer !== undefined
  const startedAt = endedAt - durationMs
  const url =
    request?.path.startsWith('/') === true ? requestUrl(tenantUrl, request.path) : (request?.path ?? '')
  return {
    ...{ name: title, grade, message, durationMs },
    ...(consequence === undefined ? {} : { consequence }),
    ...(source === undefined ? {} : { source }),
    exchanges: sent ? [{ request, url, answer, startedAt, durationMs }] : [],
  }
}
