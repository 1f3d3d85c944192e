/**
 * Whether refused writes near what puts Microsoft Entra's job into quarantine: more than 40 % of the
 * objects, counted from 5,000 failures on, or 40,000 failures.
 */
import { type ActivitySpan, sumOfActivity, totalOfActivity } from '../../storage/log/activity.ts'

const QUARANTINE_SHARE = 0.4
const QUARANTINE_MIN_FAILURES = 5_000
const QUARANTINE_FAILURES = 40_000
/** How near is near: three quarters of the way. */
const NEAR = 0.75
/** Fewer writes say nothing of a share. */
const MIN_WRITES = 10

export interface QuarantineRisk {
  readonly refused: number
  readonly total: number
  /** The thresholds are passed, not only near. */
  readonly isPast: boolean
}

/** @returns undefined when all is well */
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
