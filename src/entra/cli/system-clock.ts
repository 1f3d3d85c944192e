/** The system clock. */
import { setTimeout as wait } from 'node:timers/promises'
import type { Clock } from '../clock.ts'

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    try {
      await wait(ms, undefined, signal === undefined ? {} : { signal })
    } catch (error) {
      if (!signal?.aborted) throw error
    }
  },
}

/** A clock that is ahead of another one by a fixed time. */
export function offsetClock(clock: Clock, offsetMs: number): Clock {
  return { now: () => clock.now() + offsetMs, sleep: (ms, signal) => clock.sleep(ms, signal) }
}
