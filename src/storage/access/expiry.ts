/**
 * Warnings before a credential expires. An administrator then has time to replace it: a client with an expired
 * credential provisions nothing.
 */
import { DAY_MS } from '../../scim/duration.ts'

/** The days before the expiry at which a warning is due. */
export const WARNING_DAYS = [60, 30, 7] as const

export type WarningDays = (typeof WARNING_DAYS)[number]

/**
 * The last warning that was due for a credential. All times in milliseconds since 1970.
 *
 * @param expiresAt null if it does not expire
 * @returns undefined if it is too early, or the credential has expired
 */
export function warningOf(expiresAt: number | null, now: number): WarningDays | undefined {
  if (expiresAt === null || expiresAt <= now) return undefined
  return WARNING_DAYS.findLast((days) => expiresAt <= now + days * DAY_MS)
}
