/**
 * `npm run test:browser`: the dashboard in a real Chromium against the running worker. Arguments go to the
 * test runner.
 */
import { findChromium } from './chromium.mjs'
import { ensureInstalled, fail, run, toolCommand } from './toolchain.mjs'

await ensureInstalled()
if (findChromium() === undefined) {
  fail(
    'no Chromium was found: install it ("apt-get install chromium" on Debian), or name it in the variable CHROMIUM_PATH',
  )
}
const [command, args] = toolCommand('vitest/vitest.mjs', [
  'run',
  '--project',
  'browser',
  ...process.argv.slice(2),
])
process.exitCode = await run(command, args, { WRANGLER_SEND_METRICS: 'false' })
