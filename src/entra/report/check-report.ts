/** The report of `check`. Pure. */
import { worstGrade } from '../check/assertions.ts'
import type { CheckResult } from '../check/check-result.ts'
import type { Instant } from '../clock.ts'
import { requestUrl, type TenantUrl } from '../protocol/tenant-url.ts'
import {
  countOf,
  isFailure,
  type Report,
  type ReportCause,
  type ReportGrade,
  type ReportPart,
  type ReportStep,
} from './report.ts'
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
  const grade = interrupted ? 'interrupted' : worstGrade(results.map(({ result }) => result.grade))
  return {
    ...{ ...run, title: 'Check of a SCIM endpoint for Microsoft Entra ID', endpoint: tenantUrl.base },
    verdict: {
      grade,
      text: interrupted ? 'Interrupted: no verdict' : `Verdict: ${grade} (${counts(steps)})`,
    },
    causes: causesOf(steps),
    parts: partsOf(results, steps, partOf),
  }
}

const GRADES: readonly ReportGrade[] = ['success', 'acceptable', 'deviation', 'error', 'skipped']

function counts(steps: readonly ReportStep[]): string {
  return GRADES.map((grade) => `${countOf(steps, grade)} ${grade}`).join(', ')
}

/** Steps that failed with the same message and effect have one cause; errors come first. */
function causesOf(steps: readonly ReportStep[]): readonly ReportCause[] {
  const groups = Map.groupBy(steps.filter(isFailure), ({ message, consequence }) =>
    JSON.stringify([message, consequence]),
  )
  return [...groups.values()]
    .map((group) => {
      const [first] = group as [ReportStep, ...ReportStep[]]
      const { grade, message, consequence, source } = first
      return {
        ...{ grade, message, steps: [...new Set(group.map(({ name }) => name))] },
        ...(consequence === undefined ? {} : { consequence }),
        ...(source === undefined ? {} : { source }),
      }
    })
    .toSorted((a, b) => Number(b.grade === 'error') - Number(a.grade === 'error'))
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
