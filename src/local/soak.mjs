/**
 * `npm run test:soak -- --minutes 10 --seed 7`: the model test with faults for as long as it is told, and
 * a summary at the end. The same seed tries the same sequences.
 */
import { parseArgs } from 'node:util'
import { ensureInstalled, fail, run, toolCommand } from './toolchain.mjs'

const USAGE = `npm run test:soak -- [--minutes 10] [--seed 1]

  --minutes  how long to run; 10 by default
  --seed     a whole number to begin with; by default the time, which is printed`

const { minutes, seed } = readArguments()
await ensureInstalled()
const [command, args] = toolCommand('vitest/vitest.mjs', [
  'run',
  '--config',
  'test/reliability/soak.config.ts',
  '--root',
  '.',
])
const environment = { SOAK_MINUTES: String(minutes), SOAK_SEED: String(seed), WRANGLER_SEND_METRICS: 'false' }
process.exitCode = await run(command, args, environment)

function readArguments() {
  try {
    const { values } = parseArgs({ options: { minutes: { type: 'string' }, seed: { type: 'string' } } })
    const found = { minutes: Number(values.minutes ?? 10), seed: Number(values.seed ?? Date.now() % 1e9) }
    if (!(found.minutes > 0)) fail(`--minutes must be a number above 0, found "${values.minutes}"`)
    if (!Number.isInteger(found.seed)) fail(`--seed must be a whole number, found "${values.seed}"`)
    return found
  } catch (error) {
    return fail(`${error instanceof Error ? error.message : error}\n\n${USAGE}`)
  }
}
