/**
 * Random writes with faults while consumers follow the events. `npm run test:soak -- --events` runs the same rounds for a
 * given time.
 */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { eventRound, newEventTally } from './event-model/run.ts'

const SEEDS = [1, 2, 3]
const WRITES = 160
const TIMEOUT_MS = 300_000

afterEach(() => void vi.restoreAllMocks())

describe('consumers that follow while clients write and everything fails now and then', () => {
  it('end with exactly the directory, and each event has its write', { timeout: TIMEOUT_MS }, async () => {
    // Every fault is written to the application log.
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const tally = newEventTally()
    for (const seed of SEEDS) {
      expect((await eventRound(seed, { writes: WRITES, kills: 2 }, tally)).join('\n')).toBe('')
    }
    expect(tally.writes).toBeGreaterThanOrEqual(SEEDS.length * WRITES)
    expect(tally.events).toBeGreaterThan(tally.rounds * 50)
    expect(tally.unknown).toBeGreaterThan(0)
    expect(tally.followed).toBeGreaterThan(tally.events)
    expect(tally.delivered - tally.repeated).toBe(2 * tally.events)
    expect(tally.repeated).toBeGreaterThan(0)
    expect(tally.faults.get('object killed')).toBe(2 * SEEDS.length)
  })
})
