/**
 * A fake clock of the server, which only changes by calls. Timers are not affected.
 */
import { vi } from 'vitest'
import { MAX_ID_LEAD_MS } from '../../src/id-generator.ts'
import { newClient } from './harness.ts'

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

/**
 * Lets the ids of users and groups follow the real clock again. Must be called after a test file that has set the clock ahead:
 * other files share the server. Beyond the allowed lead, ids begin anew.
 */
export async function resumeIds(): Promise<void> {
  const client = await newClient()
  setClock(Date.now() - MAX_ID_LEAD_MS)
  await client.createUser()
  await client.createGroup()
  releaseClock()
}
