/** The result of one step of `check`. Types only. */
import type { Grade } from '../grade.ts'
import type { Dialect, ScimRequest } from '../protocol/requests.ts'
import type { WireResponse } from '../protocol/response.ts'
import type { FindingKind } from './findings.ts'

/** One finding of a step, with what Entra does because of it. */
export interface Consequence {
  readonly grade: Grade
  readonly message: string
  /** The same text for all findings with one cause. */
  readonly cause: string
  readonly consequence?: string
  /** Set only for a deviation or an error. */
  readonly kind?: FindingKind
}

export interface CheckResult {
  /** Absent for the steps that are the same in both dialects. */
  readonly dialect?: Dialect
  /** The name of the check, a row of the table in README.md; absent for the steps at the token endpoint. */
  readonly check?: string
  readonly title: string
  readonly grade: Grade
  readonly message: string
  /** What Entra would do in this case; set only for a deviation or an error. */
  readonly consequence?: string
  /** The document that requires the expected behaviour. */
  readonly source?: string
  /** The single findings; absent for a success. For a skipped step, the cause of the step that failed before. */
  readonly findings?: readonly Consequence[]
  readonly request?: ScimRequest
  readonly answer?: WireResponse
  readonly durationMs: number
}
