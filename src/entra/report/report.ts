/**
 * The result of a run as one value, from which every report is rendered: verdict, causes, and steps with their requests
 * and responses. Pure.
 */
import type { Instant } from '../clock.ts'
import { type Grade, isBad } from '../grade.ts'
import type { ScimRequest } from '../protocol/requests.ts'
import type { WireResponse } from '../protocol/response.ts'
import { redact } from '../protocol/token-source.ts'

export interface Report {
  /** What ran, e.g. "Microsoft’s validation for the app gallery". */
  readonly title: string
  /** The Tenant URL without its query. */
  readonly endpoint: string
  /** The program that ran, for formats that name it. */
  readonly version: string
  readonly startedAt: Instant
  readonly durationMs: number
  readonly verdict: ReportVerdict
  readonly causes: readonly ReportCause[]
  readonly parts: readonly ReportPart[]
}

export interface ReportVerdict {
  readonly grade: Grade | 'interrupted'
  /** One line, such as "Succeeded: 24 passed, 1 skipped". */
  readonly text: string
}

/** What explains one or several findings. */
export interface ReportCause {
  readonly grade: Grade
  readonly message: string
  /** What the provisioning service does because of it. */
  readonly consequence?: string
  /** The page or the section of an RFC that requires the expected behaviour. */
  readonly source?: string
  /** The names of the steps that show it. */
  readonly steps: readonly string[]
}

export interface ReportPart {
  readonly name: string
  readonly steps: readonly ReportStep[]
}

export interface ReportStep {
  readonly name: string
  readonly grade: Grade
  readonly message: string
  readonly consequence?: string
  readonly source?: string
  readonly durationMs: number
  readonly exchanges: readonly ReportExchange[]
}

export interface ReportExchange {
  readonly request: ScimRequest
  /** The absolute URL of the request. */
  readonly url: string
  readonly answer: WireResponse
  readonly startedAt: Instant
  readonly durationMs: number
}

export function stepsOf({ parts }: Report): readonly ReportStep[] {
  return parts.flatMap(({ steps }) => steps)
}

export function isFailure({ grade }: { readonly grade: Grade }): boolean {
  return isBad(grade)
}

export function hasNotRun({ grade }: { readonly grade: Grade }): boolean {
  return grade === 'skipped' || grade === 'not-applicable'
}

/** The number of steps with a grade. */
export function countOf(steps: readonly ReportStep[], grade: Grade): number {
  return steps.filter((step) => step.grade === grade).length
}

/** The report with `***` for every secret, wherever it is and however it is spelled. */
export function withoutSecrets(report: Report, secrets: readonly string[]): Report {
  const clean = (value: unknown): unknown => {
    if (typeof value === 'string') return redact(value, secrets)
    if (Array.isArray(value)) return value.map(clean)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([name, part]) => [redact(name, secrets), clean(part)]),
    )
  }
  // The shape is unchanged: only texts are replaced.
  return clean(report) as Report
}
