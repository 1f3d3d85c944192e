/** What every page has to be: accessible by the rules of axe, and not wider than its window. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** The elements that are wider than the window or than their panel. */
const OVERFLOWING = `[document.documentElement, ...document.querySelectorAll('.panel, .card, .stat')]
  .filter((element) => element.scrollWidth > element.clientWidth + 1)
  .map((element) => element.tagName + ' ' + element.className + ' #' + element.id)`

/** The relevant violations that axe finds. */
export async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(AXE)
  return (await page.evaluate(`axe.run().then(({ violations }) => violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => id + ': ' + target + ' ' + failureSummary)))`)) as string[]
}

/** The elements that do not fit. */
export async function overflowing(page: Page): Promise<readonly string[]> {
  return (await page.evaluate(OVERFLOWING)) as string[]
}
