/**
 * Estimates whether refused writes may put Microsoft Entra's job into quarantine. The thresholds are 40 % of the objects,
 * after 5,000 failures, or 40,000 failures in all.
 */
import { type ActivitySpan, sumOfActivity, totalOfActivity } from '../../storage/log/activity.ts'

const QUARANTINE_SHARE = 0.4
const QUARANTINE_MIN_FAILURES = 5_000
const QUARANTINE_FAILURES = 40_000
/** The share of a threshold from which a warning is shown. */
const NEAR = 0.75
/** With fewer writes, a share is not meaningful. */
const MIN_WRITES = 10

export interface QuarantineRisk {
  readonly refused: number
  readonly total: number
  /** True if a threshold is exceeded, false if it is only near. */
  readonly isPast: boolean
}

/** @returns undefined if there is no risk */
export function quarantineRisk(spans: readonly ActivitySpan[]): QuarantineRisk | undefined {
  const sum = sumOfActivity(spans)
  const { refused } = sum
  const total = totalOfActivity(sum)
  const share = total === 0 ? 0 : refused / total
  const isPast =
    refused > QUARANTINE_FAILURES || (refused >= QUARANTINE_MIN_FAILURES && share > QUARANTINE_SHARE)
  const isNear =
    refused >= QUARANTINE_FAILURES * NEAR || (total >= MIN_WRITES && share >= QUARANTINE_SHARE * NEAR)
  return isPast || isNear ? { refused, total, isPast } : undefined
}
