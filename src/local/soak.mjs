/**
 * `npm run test:soak -- --minutes 10 --seed 7`: the model test with faults for as long as it is told, and
 * a summary at the end. The same seed tries the same sequences. With `--hostile`: the search for the most costly
 * request instead.
 */
import { parseArgs } from 'node:util'
import { ensureInstalled, fail, run, toolCommand } from './toolchain.mjs'

const USAGE = `npm run test:soak -- [--hostile] [--minutes 10] [--seed 1]

  --hostile  look for the most costly request, instead of random sequences with faults
  --minutes  how long to run; 10 by default
  --seed     a whole number to begin with; by default the time, which is printed`

const { minutes, seed, hostile } = readArguments()
await ensureInstalled()
const config = hostile ? 'test/reliability/hostile/soak.config.ts' : 'test/reliability/soak.config.ts'
const [command, args] = toolCommand('vitest/vitest.mjs', ['run', '--config', config, '--root', '.'])
const environment = { SOAK_MINUTES: String(minutes), SOAK_SEED: String(seed), WRANGLER_SEND_METRICS: 'false' }
process.exitCode = await run(command, args, environment)

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        hostile: { type: 'boolean' },
        minutes: { type: 'string' },
        seed: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    if (values.help) {
      console.log(USAGE)
      process.exit(0)
    }
    const found = {
      hostile: values.hostile === true,
      minutes: Number(values.minutes ?? 10),
      seed: Number(values.seed ?? Date.now() % 1e9),
    }
    if (!(found.minutes > 0)) fail(`--minutes must be a number above 0, found "${values.minutes}"`)
    if (!Number.isInteger(found.seed)) fail(`--seed must be a whole number, found "${values.seed}"`)
    return found
  } catch (error) {
    return fail(`${error instanceof Error ? error.message : error}\n\n${USAGE}`)
  }
}
