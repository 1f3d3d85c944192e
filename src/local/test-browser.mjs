/**
 * `npm run test:browser`: tests the dashboard in Chromium against the running Worker. Arguments are passed to the test
 * runner.
 */
import { findChromium } from './chromium.mjs'
import { ensureInstalled, fail, run, toolCommand } from './toolchain.mjs'

await ensureInstalled()
if (findChromium() === undefined) {
  fail(
    'Chromium was not found: install it ("apt-get install chromium" on Debian) or set the variable CHROMIUM_PATH',
  )
}
const [command, args] = toolCommand('vitest/vitest.mjs', [
  'run',
  '--project',
  'browser',
  ...process.argv.slice(2),
])
process.exitCode = await run(command, args, { WRANGLER_SEND_METRICS: 'false' })
