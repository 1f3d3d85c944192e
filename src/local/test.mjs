/**
 * `npm test`: installs what is missing, then types, lint and format, and every test that needs no browser
 * and no network. Arguments go to the test runner: `npm test -- test/scim`.
 */
import { ensureInstalled, fail, run, toolCommand } from './toolchain.mjs'

/** All but the browser's: that is `npm run test:browser`. */
const PROJECTS = ['--project', 'workerd', '--project', 'node', '--project', 'sqlite']

/** @type {readonly { name: string, tool: string, args: readonly string[] }[]} */
const STEPS = [
  {
    name: 'Bindings: worker-configuration.d.ts is that of wrangler.toml',
    tool: 'wrangler/bin/wrangler.js',
    args: ['types', '--check'],
  },
  { name: 'Types', tool: 'typescript/bin/tsc', args: ['-b'] },
  { name: 'Lint and format', tool: '@biomejs/biome/bin/biome', args: ['check', '--error-on-warnings'] },
  { name: 'Tests', tool: 'vitest/vitest.mjs', args: ['run', ...PROJECTS, ...process.argv.slice(2)] },
]

await ensureInstalled()
for (const { name, tool, args } of STEPS) {
  console.log(`\n${name}`)
  const code = await run(...toolCommand(tool, args), { WRANGLER_SEND_METRICS: 'false' })
  if (code !== 0) fail(`${name} failed with exit code ${code}`)
}
