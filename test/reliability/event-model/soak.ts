/**
 * `npm run test:soak -- --events --minutes 10 --seed 7`: runs rounds of the model test of events until the time is over or
 * a check fails. Ends with a summary.
 */
import { env } from 'cloudflare:workers'
import { expect, it, vi } from 'vitest'
import { eventRound, newEventTally } from './run.ts'

const WRITES = 240
const KILLS = 3
const MINUTE_MS = 60_000

const { SOAK_MINUTES, SOAK_SEED } = env as unknown as { SOAK_MINUTES: string; SOAK_SEED: string }

it('gives each consumer exactly the directory', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
  const started = Date.now()
  const end = started + Number(SOAK_MINUTES) * MINUTE_MS
  const tally = newEventTally()
  const found: string[] = []
  let seed = Number(SOAK_SEED)
  let reported = started
  while (Date.now() < end && found.length === 0) {
    found.push(...(await eventRound(seed, { writes: WRITES, kills: KILLS }, tally)))
    seed++
    if (Date.now() - reported > MINUTE_MS / 2) {
      reported = Date.now()
      console.log(
        `${Math.round((reported - started) / 1000)} s: ${tally.rounds} rounds, ${tally.events} events`,
      )
    }
  }
  const injected = [...tally.faults.values()].reduce((sum, count) => sum + count, 0)
  console.log(
    [
      `seeds ${SOAK_SEED} to ${seed - 1}, ${Math.round((Date.now() - started) / 1000)} s`,
      `rounds              ${tally.rounds}`,
      `writes              ${tally.writes}, ${tally.unknown} with an unknown outcome, ${tally.refused} refused`,
      `events              ${tally.events}, and ${tally.followed} applied by consumers`,
      `deliveries          ${tally.delivered} to receivers of webhooks, ${tally.repeated} of them repeated`,
      `faults injected     ${injected}: ${[...tally.faults].map(([fault, count]) => `${count} ${fault}`).join(', ')}`,
      `violations          ${found.length}`,
    ].join('\n'),
  )
  expect(found.join('\n\n')).toBe('')
})
