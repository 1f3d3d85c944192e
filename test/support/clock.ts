/**
 * A fake clock of the server, which only changes by calls. Timers are not affected.
 */
import { vi } from 'vitest'

export const HOUR_MS = 60 * 60 * 1000
export const DAY_MS = 24 * HOUR_MS

/** @param time milliseconds since 1970 */
export function setClock(time: number): void {
  if (!vi.isFakeTimers()) vi.useFakeTimers({ toFake: ['Date'] })
  vi.setSystemTime(time)
}

/** Restores the real clock. Must be called after each test. */
export function releaseClock(): void {
  vi.useRealTimers()
}
