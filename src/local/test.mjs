/**
 * `npm test`: installs what is missing, then types, lint and format, and the tests that need no browser, no network and
 * less than a minute. `npm run test:all` adds those that take longer. Arguments go to the test runner:
 * `npm test -- test/scim`.
 */
import { ensureInstalled, fail, run, toolCommand } from './toolchain.mjs'

const PROJECTS = ['--project', 'workerd', '--project', 'node', '--project', 'sqlite']
/** Of vitest.config.ts, as the others. The browser's are `npm run test:browser`. */
const LONG = ['--project', 'workerd-long', '--project', 'node-long', '--project', 'sqlite-long']

const isAll = process.argv.includes('--all')
const rest = process.argv.slice(2).filter((argument) => argument !== '--all')

/** @type {readonly { name: string, tool: string, args: readonly string[] }[]} */
const STEPS = [
  {
    name: 'Bindings: worker-configuration.d.ts is that of wrangler.toml',
    tool: 'wrangler/bin/wrangler.js',
    args: ['types', '--check'],
  },
  { name: 'Types', tool: 'typescript/bin/tsc', args: ['-b'] },
  { name: 'Lint and format', tool: '@biomejs/biome/bin/biome', args: ['check', '--error-on-warnings'] },
  { name: 'Tests', tool: 'vitest/vitest.mjs', args: ['run', ...PROJECTS, ...(isAll ? LONG : []), ...rest] },
]

await ensureInstalled()
for (const { name, tool, args } of STEPS) {
  console.log(`\n${name}`)
  const code = await run(...toolCommand(tool, args), { WRANGLER_SEND_METRICS: 'false' })
  if (code !== 0) fail(`${name} failed with exit code ${code}`)
}
