/**
 * `npm test`: installs missing dependencies and runs the type checks, the linter, and all tests that require neither a
 * browser nor a network and take less than a minute. `npm run test:all` also runs the longer tests. Arguments are
 * passed to the test runner: `npm test -- test/scim`.
 */
import { ensureInstalled, fail, run, runQuietly, toolCommand } from './toolchain.mjs'

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
const CHECKS = [
  {
    name: 'Bindings: worker-configuration.d.ts matches wrangler.toml',
    tool: 'wrangler/bin/wrangler.js',
    args: ['types', '--check'],
  },
  { name: 'Types', tool: 'typescript/bin/tsc', args: ['-b'] },
  { name: 'Lint and format', tool: '@biomejs/biome/bin/biome', args: ['check', '--error-on-warnings'] },
]
const ENVIRONMENT = { WRANGLER_SEND_METRICS: 'false' }

await ensureInstalled()
// Each check leaves a processor idle for a part of its time, so they run side by side.
const failed = await Promise.all(
  CHECKS.map(async ({ name, tool, args }) => {
    const { code, output } = await runQuietly(...toolCommand(tool, args), ENVIRONMENT)
    console.log(`\n${name}\n${output.trimEnd()}`)
    return code === 0 ? [] : [`${name} failed with exit code ${code}`]
  }),
)
if (failed.flat().length > 0) fail(failed.flat().join('; '))

console.log('\nTests')
const vitest = toolCommand('vitest/vitest.mjs', ['run', ...PROJECTS, ...(isAll ? LONG : []), ...rest])
const code = await run(...vitest, ENVIRONMENT)
if (code !== 0) fail(`Tests failed with exit code ${code}`)
