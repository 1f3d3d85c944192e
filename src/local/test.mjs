/**
 * `npm test`: installs what is missing, then types, lint and format, and every test that needs no browser
 * and no network. Arguments go to the test runner: `npm test -- test/scim`.
 */
import { ensureInstalled, fail, run, toolCommand } from './toolchain.mjs'

/** All but the browser's: that is `npm run test:browser`. */
const PROJECTS = ['--project', 'workerd', '--project', 'node']

/** @type {readonly [string, [string, string[]]][]} */
const STEPS = [
  ['Types', toolCommand('typescript/bin/tsc', ['--noEmit'])],
  ['Lint and format', toolCommand('@biomejs/biome/bin/biome', ['check', '--error-on-warnings'])],
  ['Tests', toolCommand('vitest/vitest.mjs', ['run', ...PROJECTS, ...process.argv.slice(2)])],
]

await ensureInstalled()
for (const [name, [, args]] of STEPS) {
  console.log(`\n${name}`)
  // The command is looked up anew: the Node.js of the project may have come with the installation.
  const [command] = toolCommand('', [])
  const code = await run(command, args, { WRANGLER_SEND_METRICS: 'false' })
  if (code !== 0) fail(`${name} failed with exit code ${code}`)
}
