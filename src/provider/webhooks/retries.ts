/** When a failed delivery is tried again: the schedule of Standard Webhooks, with jitter. */
import { HOUR_MS, MINUTE_MS } from '../../scim/duration.ts'

const SECOND_MS = 1000

/** The pauses after the first failed attempt, the second one, … Together they take three days. */
export const RETRY_PAUSES_MS: readonly number[] = [
  5 * SECOND_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
  20 * HOUR_MS,
  24 * HOUR_MS,
]

/** So that receivers that failed together are not asked again together. */
const JITTER = 0.2
/** A receiver cannot put off deliveries for longer. */
const MAX_RETRY_AFTER_MS = 24 * HOUR_MS
/** A next attempt that is further away was planned before the clock was set back. */
export const MAX_PAUSE_MS = Math.max(MAX_RETRY_AFTER_MS, ...RETRY_PAUSES_MS) * (1 + JITTER)

/**
 * The pause after a failed attempt.
 *
 * @param attempts failed attempts in a row, this one included
 * @param retryAfter the header of the answer: a number of seconds or an HTTP date (RFC 9110 §10.2.3). It only prolongs the pause
 * @param random a number from 0 to 1
 * @returns undefined after the last attempt
 */
export function pauseAfter(
  attempts: number,
  retryAfter: string | null,
  now: number,
  random: number,
): number | undefined {
  const pause = RETRY_PAUSES_MS[attempts - 1]
  if (pause === undefined) return undefined
  return Math.max(Math.round(pause * (1 + JITTER * random)), retryAfterMs(retryAfter, now))
}

function retryAfterMs(header: string | null, now: number): number {
  if (header === null) return 0
  const ms = /^\d+$/.test(header) ? Number(header) * SECOND_MS : Date.parse(header) - now
  return Number.isNaN(ms) ? 0 : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS)
}
