/**
 * `npm run test:soak -- --minutes 10 --seed 7`: runs the model test with faults for the given time and prints a
 * summary. The same seed gives the same sequences. With `--events`, consumers follow the event feed meanwhile; with
 * `--hostile`, it searches for the most costly request instead.
 */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureInstalled, fail, run, toolCommand } from './toolchain.mjs'

const USAGE = `npm run test:soak -- [--events | --hostile] [--minutes 10] [--seed 1] [--out FILE]

  --events   random writes with faults while consumers follow the events
  --hostile  search for the most costly request instead of running random sequences with faults
  --minutes  duration in minutes; 10 by default
  --seed     an integer seed; the current time by default, which is printed
  --out      with --hostile: a file for the requests that were found, as JSON`

const { minutes, seed, hostile, file, out } = readArguments()
await ensureInstalled()
const config = hostile ? 'test/reliability/hostile/soak.config.ts' : 'test/reliability/soak.config.ts'
const [command, args] = toolCommand('vitest/vitest.mjs', ['run', '--config', config, '--root', '.'])
const environment = {
  SOAK_FILE: file,
  SOAK_MINUTES: String(minutes),
  SOAK_SEED: String(seed),
  ...(out === undefined ? {} : { SOAK_OUT: out }),
  WRANGLER_SEND_METRICS: 'false',
}
process.exitCode = await run(command, args, environment)

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        events: { type: 'boolean' },
        hostile: { type: 'boolean' },
        minutes: { type: 'string' },
        seed: { type: 'string' },
        out: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    if (values.help) {
      console.log(USAGE)
      process.exit(0)
    }
    const found = {
      hostile: values.hostile === true,
      file: values.events ? 'test/reliability/event-model/soak.ts' : 'test/reliability/soak.ts',
      minutes: Number(values.minutes ?? 10),
      seed: Number(values.seed ?? Date.now() % 1e9),
      out: values.out === undefined ? undefined : resolve(values.out),
    }
    if (values.events && values.hostile) fail('give either --events or --hostile')
    if (!(found.minutes > 0)) fail(`--minutes must be a number above 0, found "${values.minutes}"`)
    if (!Number.isInteger(found.seed)) fail(`--seed must be a whole number, found "${values.seed}"`)
    return found
  } catch (error) {
    return fail(`${error instanceof Error ? error.message : error}\n\n${USAGE}`)
  }
}
