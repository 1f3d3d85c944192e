/**
 * `npm run test:soak -- --minutes 10 --seed 7`: runs random sequences with faults until the time is over or a check
 * fails. Ends with a summary.
 */
import { abortAllDurableObjects } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import fc from 'fast-check'
import { expect, it, vi } from 'vitest'
import { sequence } from './model/commands.ts'
import { explanation } from './model/failure-report.ts'
import { faultySend } from './model/faulty-tenant.ts'
import { newTally, runSequence } from './model/run.ts'
import { createModelTenant } from './model/tenant.ts'

const CONCURRENCY = 4
/** Sequences of one seed. Before the next seed, the Durable Objects are reset. */
const ROUND = 50
const MINUTE_MS = 60_000

const { SOAK_MINUTES, SOAK_SEED } = env as unknown as { SOAK_MINUTES: string; SOAK_SEED: string }

it('neither loses nor duplicates a change', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
  const started = Date.now()
  const end = started + Number(SOAK_MINUTES) * MINUTE_MS
  const tally = newTally()
  const faults = new Map<string, number>()
  const tenants = await Promise.all(Array.from({ length: CONCURRENCY }, createModelTenant))
  const found: string[] = []
  let seed = Number(SOAK_SEED)
  let reported = started
  while (Date.now() < end && found.length === 0) {
    await Promise.all(
      tenants.map(async (tenant, index) => {
        const send = await faultySend(tenant, seed + index, (fault) =>
          faults.set(fault, (faults.get(fault) ?? 0) + 1),
        )
        const property = fc.asyncProperty(sequence, (one) => runSequence(tenant, one, send, tally))
        const report = await fc.check(property, { seed: seed + index, numRuns: ROUND })
        if (report.failed) found.push(explanation(report))
      }),
    )
    seed += CONCURRENCY
    await abortAllDurableObjects()
    faults.set('object reset', (faults.get('object reset') ?? 0) + CONCURRENCY)
    if (Date.now() - reported > MINUTE_MS / 2) {
      reported = Date.now()
      console.log(
        `${Math.round((reported - started) / 1000)} s: ${tally.sequences} sequences, ${tally.requests} requests`,
      )
    }
  }
  console.log(summary(Date.now() - started))
  expect(found.join('\n\n')).toBe('')

  function summary(ms: number): string {
    const injected = [...faults.values()].reduce((sum, count) => sum + count, 0)
    const kinds = [...faults].map(([fault, count]) => `${count} ${fault}`).join(', ')
    return [
      `seeds ${SOAK_SEED} to ${seed - 1}, ${Math.round(ms / 1000)} s`,
      `sequences           ${tally.sequences}`,
      `requests            ${tally.requests}, ${tally.unknown} of them with an unknown outcome`,
      `faults injected     ${injected}: ${kinds}`,
      `invariants checked  ${tally.invariants}`,
      `violations          ${found.length}`,
    ].join('\n')
  }
})
