/** What a report needs to know of a run besides its results. Types only. */
import type { Instant } from '../clock.ts'
import type { TenantUrl } from '../protocol/tenant-url.ts'

export interface RunDetails {
  readonly tenantUrl: TenantUrl
  readonly version: string
  readonly startedAt: Instant
  readonly durationMs: number
  /** Ended before its time, so that there is no verdict. */
  readonly interrupted: boolean
}
