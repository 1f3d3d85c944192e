/**
 * Random sequences of SCIM requests from up to eight clients, held against a model. What fails is shrunk
 * and printed as curl commands. `npm run test:soak` runs the same for as long as it is told, with faults.
 */
import { exports } from 'cloudflare:workers'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { coordinatorNamed, labRuntime, sendTo } from '../support/lab.ts'
import { type Arena, newArena } from './model/arena.ts'
import { sequence } from './model/commands.ts'
import { explanation } from './model/explanation.ts'
import { noTally, runSequence, type Send, type Tally } from './model/run.ts'
import { troubledSend } from './model/troubled.ts'

/** Fixed, so that what fails here fails everywhere. Each has a tenant of its own; they run side by side. */
const SEEDS = [1, 2, 3, 4]
/** Two thousand together. */
const WORKER_SEQUENCES = 400
const APP_SEQUENCES = 1_600
const TROUBLED_SEQUENCES = 200
/** Far more than it takes on an idle machine. */
const TIMEOUT_MS = 900_000

afterEach(() => void vi.restoreAllMocks())

describe('any sequence of requests, alone and at once', () => {
  // By the worker's own door each request also meets the rate limits, whose local stand-in takes its time.
  it.for([
    ['the worker', WORKER_SEQUENCES, () => (request: Request) => exports.default.fetch(request)],
    [
      'the app on the same bindings',
      APP_SEQUENCES,
      () => (request: Request) => sendTo(labRuntime(), request),
    ],
  ] as const)(
    'is answered and stored as the model says by %s',
    {
      timeout: TIMEOUT_MS,
    },
    async ([, sequences, open]) => {
      const tally = noTally()
      await runAll(sequences, tally, async () => open())
      expect(tally.sequences).toBeGreaterThanOrEqual(sequences)
      expect(tally.unknown).toBe(0)
    },
  )

  it('loses and doubles nothing when the database fails now and then', { timeout: TIMEOUT_MS }, async () => {
    // Every fault is reported to the application log; here there are hundreds.
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const tally = noTally()
    let faults = 0
    await runAll(TROUBLED_SEQUENCES, tally, (arena, seed) => troubledSend(arena, seed, () => faults++))
    expect(tally.sequences).toBeGreaterThanOrEqual(TROUBLED_SEQUENCES)
    expect(faults).toBeGreaterThan(TROUBLED_SEQUENCES / 4)
    expect(tally.unknown).toBeGreaterThan(0)
  })

  it('is answered and stored as the model says by two group coordinators at once', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const tally = noTally()
    await runAll(TROUBLED_SEQUENCES, tally, async ({ tenantId }) => {
      let turn = 0
      const runtime = labRuntime({ groupWriter: () => coordinatorNamed(`${tenantId}-${turn++ % 2}`) })
      return (request) => sendTo(runtime, request)
    })
    expect(tally.sequences).toBeGreaterThanOrEqual(TROUBLED_SEQUENCES)
  })
})

async function runAll(
  sequences: number,
  tally: Tally,
  open: (arena: Arena, seed: number) => Promise<Send>,
): Promise<void> {
  const run = async (seed: number) => {
    const arena = await newArena()
    const send = await open(arena, seed)
    const property = fc.asyncProperty(sequence, (one) => runSequence(arena, one, send, tally))
    const report = await fc.check(property, { seed, numRuns: sequences / SEEDS.length })
    if (report.failed) throw new Error(explanation(report))
  }
  await Promise.all(SEEDS.map(run))
}
