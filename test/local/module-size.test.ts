/**
 * The Worker's module keeps to its budget, because an isolate parses all of it when it starts. The budget is a little
 * above the size, so that a large addition is a decision and not an accident: docs/benchmarks.md.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, it, onTestFinished } from 'vitest'
import { ROOT, toolCommand, toolEnvironment } from '../../src/local/toolchain.mjs'

/** In bytes, with gzip. docs/benchmarks.md names it too. */
const BUDGET = 301_000

it('the module of the Worker keeps to its budget', () => {
  const size = gzipSync(builtModule(), { level: 9 }).length
  expect(
    size,
    `the module has ${bytes(size)} with gzip, budget ${bytes(BUDGET)}: make it smaller (docs/benchmarks.md says how to see what is in it), or raise the budget here and there`,
  ).toBeLessThanOrEqual(BUDGET)
})

it('docs/benchmarks.md names the budget', () => {
  const page = readFileSync(join(ROOT, 'docs', 'benchmarks.md'), 'utf8')
  const row = page.split('\n').find((line) => line.startsWith("| the Worker's module, with gzip "))
  expect(row?.split('|')[2]?.trim()).toBe(`one, ${bytes(BUDGET)} at most`)
})

/** The module as `wrangler deploy` uploads it. */
function builtModule(): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'scim-module-size-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const [command, args] = toolCommand('wrangler/bin/wrangler.js', ['deploy', '--dry-run', '--outdir', folder])
  execFileSync(command, args, {
    cwd: ROOT,
    env: toolEnvironment({ CI: '1', WRANGLER_SEND_METRICS: 'false' }),
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return readFileSync(join(folder, 'worker.js'))
}

function bytes(count: number): string {
  return `${count.toLocaleString('en')} bytes`
}
