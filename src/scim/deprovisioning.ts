/**
 * How much access a client may take away within a window before it is unusual: disabled and deleted users, deleted groups,
 * and removed memberships. Pure: storage counts and compares.
 */
import { MINUTE_MS } from './duration.ts'

/** Each kind is measured by itself. It is unusual above both the number and the share. */
export interface DeprovisionThreshold {
  /** Of what existed at the beginning of the window: above 0, at most 1. */
  readonly share: number
  /** At least 1. */
  readonly count: number
  readonly windowMinutes: number
}

/** From here on it is told, in tenants without a guard: more than 20 of a kind, and more than a fifth, within an hour. */
export const UNUSUAL: DeprovisionThreshold = { share: 0.2, count: 20, windowMinutes: 60 }

/** What a write takes away. */
export interface LostAccess {
  /** Disabled or deleted users, and deleted resources of other types. */
  readonly users: number
  readonly groups: number
  readonly memberships: number
}

/** A window is counted in twelfths, so that a write reads few rows. */
const PARTS = 12

/** The start of the part of the window that a time is in. All in milliseconds since 1970. */
export function partStart({ windowMinutes }: DeprovisionThreshold, now: number): number {
  return now - (now % (Math.ceil(windowMinutes / PARTS) * MINUTE_MS))
}

/** Parts that start after this time are in the window. */
export function windowStart({ windowMinutes }: DeprovisionThreshold, now: number): number {
  return now - windowMinutes * MINUTE_MS
}
