/**
 * Time, identifiers and waiting as objects that are passed in: tests move them, the command line hands in the real
 * ones. Nothing else under src/entra/ reads a clock, except the files in cli/.
 */

/** Milliseconds since 1970-01-01 UTC. */
export type Instant = number

export interface Clock {
  now(): Instant
  /** Resolves after `ms` milliseconds, or early when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** Makes a random UUID. */
export type NewId = () => string

export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS
