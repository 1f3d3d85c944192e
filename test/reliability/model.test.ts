/**
 * Random sequences of SCIM requests from up to eight clients, compared with a model. A failing sequence is shrunk and
 * printed as curl commands. `npm run test:soak` runs the same test for a given time, with faults.
 */
import { exports } from 'cloudflare:workers'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { coordinatorNamed, labRuntime, sendTo } from '../support/lab.ts'
import { sequence } from './model/commands.ts'
import { explanation } from './model/failure-report.ts'
import { faultySend } from './model/faulty-tenant.ts'
import { newTally, runSequence, type Send, type Tally } from './model/run.ts'
import { createModelTenant, type ModelTenant } from './model/tenant.ts'

/** Fixed, so that a failure is reproducible. The sequences run concurrently, each with its own tenant. */
const SEEDS = [1, 2, 3, 4]
/** Two thousand in total. */
const WORKER_SEQUENCES = 400
const APP_SEQUENCES = 1_600
const FAULTY_SEQUENCES = 200
/** Much longer than needed on an idle machine. */
const TIMEOUT_MS = 900_000

afterEach(() => void vi.restoreAllMocks())

describe('any sequence of sequential and concurrent requests', () => {
  // Requests through the worker also pass the rate limits, whose local emulation is slow.
  it.for([
    ['the worker', WORKER_SEQUENCES, () => (request: Request) => exports.default.fetch(request)],
    [
      'the app on the same bindings',
      APP_SEQUENCES,
      () => (request: Request) => sendTo(labRuntime(), request),
    ],
  ] as const)(
    'has the responses and the stored state of the model with %s',
    {
      timeout: TIMEOUT_MS,
    },
    async ([, sequences, open]) => {
      const tally = newTally()
      await runAll(sequences, tally, async () => open())
      expect(tally.sequences).toBeGreaterThanOrEqual(sequences)
      expect(tally.unknown).toBe(0)
    },
  )

  it('neither loses nor duplicates a change when the database fails occasionally', {
    timeout: TIMEOUT_MS,
  }, async () => {
    // Every fault is written to the application log; here there are hundreds.
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const tally = newTally()
    let faults = 0
    await runAll(FAULTY_SEQUENCES, tally, (tenant, seed) => faultySend(tenant, seed, () => faults++))
    expect(tally.sequences).toBeGreaterThanOrEqual(FAULTY_SEQUENCES)
    expect(faults).toBeGreaterThan(FAULTY_SEQUENCES / 4)
    expect(tally.unknown).toBeGreaterThan(0)
  })

  it('has the responses and the stored state of the model with two concurrent group coordinators', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const tally = newTally()
    await runAll(FAULTY_SEQUENCES, tally, async ({ tenantId }) => {
      let turn = 0
      const runtime = labRuntime({ groupWriter: () => coordinatorNamed(`${tenantId}-${turn++ % 2}`) })
      return (request) => sendTo(runtime, request)
    })
    expect(tally.sequences).toBeGreaterThanOrEqual(FAULTY_SEQUENCES)
  })
})

async function runAll(
  sequences: number,
  tally: Tally,
  open: (tenant: ModelTenant, seed: number) => Promise<Send>,
): Promise<void> {
  const run = async (seed: number) => {
    const tenant = await createModelTenant()
    const send = await open(tenant, seed)
    const property = fc.asyncProperty(sequence, (one) => runSequence(tenant, one, send, tally))
    const report = await fc.check(property, { seed, numRuns: sequences / SEEDS.length })
    if (report.failed) throw new Error(explanation(report))
  }
  await Promise.all(SEEDS.map(run))
}
