/**
 * `npm run test:soak -- --minutes 10 --seed 7`: random sequences with faults, until the time is over or
 * something is not as it must be. Ends with a summary.
 */
import { abortAllDurableObjects } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import fc from 'fast-check'
import { expect, it, vi } from 'vitest'
import { newArena } from './model/arena.ts'
import { sequence } from './model/commands.ts'
import { explanation } from './model/explanation.ts'
import { noTally, runSequence } from './model/run.ts'
import { troubledSend } from './model/troubled.ts'

const LANES = 4
/** Sequences of one seed: then the next one, with the Durable Objects reset in between. */
const ROUND = 50
const MINUTE_MS = 60_000

const { SOAK_MINUTES, SOAK_SEED } = env as unknown as { SOAK_MINUTES: string; SOAK_SEED: string }

it('loses and doubles nothing for as long as it runs', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
  const started = Date.now()
  const end = started + Number(SOAK_MINUTES) * MINUTE_MS
  const tally = noTally()
  const faults = new Map<string, number>()
  const arenas = await Promise.all(Array.from({ length: LANES }, newArena))
  const found: string[] = []
  let seed = Number(SOAK_SEED)
  let reported = started
  while (Date.now() < end && found.length === 0) {
    await Promise.all(
      arenas.map(async (arena, lane) => {
        const send = await troubledSend(arena, seed + lane, (fault) =>
          faults.set(fault, (faults.get(fault) ?? 0) + 1),
        )
        const property = fc.asyncProperty(sequence, (one) => runSequence(arena, one, send, tally))
        const report = await fc.check(property, { seed: seed + lane, numRuns: ROUND })
        if (report.failed) found.push(explanation(report))
      }),
    )
    seed += LANES
    await abortAllDurableObjects()
    faults.set('object reset', (faults.get('object reset') ?? 0) + LANES)
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
      `requests            ${tally.requests}, ${tally.unknown} of them with an outcome that the client cannot know`,
      `faults injected     ${injected}: ${kinds}`,
      `invariants checked  ${tally.invariants}`,
      `violations          ${found.length}`,
    ].join('\n')
  }
})
