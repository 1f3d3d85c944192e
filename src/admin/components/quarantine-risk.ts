/**
 * Estimates whether refused writes may put a job of Microsoft Entra ID into quarantine. The thresholds are 40 % of the
 * objects, after 5,000 failures, or 40,000 failures in all. Other clients have no quarantine.
 * https://learn.microsoft.com/entra/identity/app-provisioning/application-provisioning-quarantine-status
 */
import type { ClientFacts } from '../../scim/client-health.ts'
import { type ActivitySpan, sumOfActivity } from '../../storage/log/activity.ts'

const QUARANTINE_SHARE = 0.4
const QUARANTINE_MIN_FAILURES = 5_000
const QUARANTINE_FAILURES = 40_000
/** The share of a threshold from which a warning is shown. */
const NEAR = 0.75
/** With fewer writes, a share is not meaningful. */
const MIN_WRITES = 10

/** "past" if a threshold is exceeded, "near" if it is only near. */
export type QuarantineRisk = 'near' | 'past'

/**
 * The share is that of the client's own latest writes. How many failed in all is known of all clients together.
 *
 * @param hours the last 24 hours
 * @returns undefined if there is no risk
 */
export function quarantineRisk(
  facts: Pick<ClientFacts, 'isEntra' | 'writes' | 'refused'>,
  hours: readonly ActivitySpan[],
): QuarantineRisk | undefined {
  const { isEntra, writes } = facts
  if (!isEntra || facts.refused === 0) return undefined
  const share = facts.refused / writes
  const { refused } = sumOfActivity(hours)
  const isPast =
    refused > QUARANTINE_FAILURES || (refused >= QUARANTINE_MIN_FAILURES && share > QUARANTINE_SHARE)
  if (isPast) return 'past'
  const isNear =
    refused >= QUARANTINE_FAILURES * NEAR || (writes >= MIN_WRITES && share >= QUARANTINE_SHARE * NEAR)
  return isNear ? 'near' : undefined
}
