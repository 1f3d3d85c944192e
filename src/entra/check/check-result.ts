/** The result of one step of `check`. Types only. */
import type { Dialect, ScimRequest } from '../protocol/requests.ts'
import type { WireResponse } from '../protocol/response.ts'
import type { Grade } from './assertions.ts'

export interface CheckResult {
  /** Absent for the steps at the token endpoint. */
  readonly dialect?: Dialect
  readonly title: string
  readonly grade: Grade
  readonly message: string
  /** What Entra would do in this case; set only for a deviation or an error. */
  readonly consequence?: string
  /** The document that requires the expected behaviour. */
  readonly source?: string
  readonly request?: ScimRequest
  readonly answer?: WireResponse
  readonly durationMs: number
}
