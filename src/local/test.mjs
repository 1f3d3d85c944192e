/**
 * `npm test`: installs missing dependencies and runs the type checks, the linter, and all tests that require neither a
 * browser nor a network and take less than a minute. `npm run test:all` also runs the longer tests. Arguments are
 * passed to the test runner: `npm test -- test/scim`.
 */
import { ensureInstalled, fail, run, toolCommand } from './toolchain.mjs'

const PROJECTS = ['--project', 'workerd', '--project', 'node', '--project', 'sqlite']
/** Like the others, projects of vitest.config.ts. `npm run test:browser` runs the browser tests. */
const LONG = [
  '--project',
  'workerd-long',
  '--project',
  'strict-long',
  '--project',
  'node-long',
  '--project',
  'sqlite-long',
]

const isAll = process.argv.includes('--all')
const rest = process.argv.slice(2).filter((argument) => argument !== '--all')

/** @type {readonly { name: string, tool: string, args: readonly string[] }[]} */
const STEPS = [
  {
    name: 'Bindings: worker-configuration.d.ts matches wrangler.toml',
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
