/**
 * The modules of the Worker keep to their budgets, because an isolate parses and evaluates some of them when it starts. The
 * budgets are a little above the sizes, so that a large addition is a decision and not an accident: docs/benchmarks.md.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { ROOT } from '../../src/local/toolchain.mjs'
import { buildWorkerModules, type WorkerModule } from '../../src/local/worker-modules.mjs'

/** In bytes, with gzip. docs/benchmarks.md names them too. */
const BUDGETS = [
  { what: 'in every isolate', budget: 160_000, counts: ({ isLazy }: WorkerModule) => !isLazy },
  { what: 'in all', budget: 390_000, counts: () => true },
] as const

const folder = mkdtempSync(join(tmpdir(), 'scim-module-size-'))
afterAll(() => rmSync(folder, { recursive: true }))
const modules = await buildWorkerModules(folder)

it.for(BUDGETS)('the modules $what keep to their budget', ({ what, budget, counts }) => {
  const size = modules.filter(counts).reduce((sum, { gzipBytes }) => sum + gzipBytes, 0)
  expect(
    size,
    `the modules ${what} have ${bytes(size)} with gzip, budget ${bytes(budget)}: make them smaller or load more of them later (docs/benchmarks.md says how to see what is in them), or raise the budget here and there`,
  ).toBeLessThanOrEqual(budget)
})

it.for(BUDGETS)('docs/benchmarks.md names the budget of the modules $what', ({ what, budget }) => {
  const page = readFileSync(join(ROOT, 'docs', 'benchmarks.md'), 'utf8')
  const row = page.split('\n').find((line) => line.startsWith(`| the Worker's modules ${what}, with gzip `))
  expect(row?.split('|')[2]?.trim()).toBe(`${bytes(budget)} at most`)
})

it('a part that is loaded later is a module of its own', () => {
  const lazy = modules.filter(({ isLazy }) => isLazy).map(({ name }) => name.replace(/-\w+\.mjs$/, ''))
  expect(lazy).toEqual(expect.arrayContaining(['administration', 'authorization-server', 'background-work']))
})

function bytes(count: number): string {
  return `${count.toLocaleString('en')} bytes`
}
