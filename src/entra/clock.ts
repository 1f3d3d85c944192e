/**
 * Time and identifiers are passed in, so that tests control them and the command line supplies the real ones. Outside
 * cli/, nothing in src/entra/ reads the system clock.
 */

/** Milliseconds since 1970-01-01 UTC. */
export type Instant = number

export interface Clock {
  now(): Instant
  /** Resolves after `ms` milliseconds, or earlier if `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** Makes a random UUID. */
export type NewId = () => string

export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS
