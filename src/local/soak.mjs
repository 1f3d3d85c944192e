/**
 * `npm run test:soak -- --minutes 10 --seed 7`: runs the model test with faults for the given time and prints a
 * summary. The same seed gives the same sequences. With `--hostile`, it searches for the most costly request instead.
 */
import { parseArgs } from 'node:util'
import { ensureInstalled, fail, run, toolCommand } from './toolchain.mjs'

const USAGE = `npm run test:soak -- [--hostile] [--minutes 10] [--seed 1]

  --hostile  search for the most costly request instead of running random sequences with faults
  --minutes  duration in minutes; 10 by default
  --seed     an integer seed; the current time by default, which is printed`

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
