/** What every page has to be: accessible by the rules of axe, not wider than its window, and with nothing on top of anything else. */
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

/**
 * The cells of tables whose text runs into the next cell, the times that are cut, and the buttons that a scrolling part hides.
 */
const COLLIDING = `(() => {
  const faults = []
  const nameOf = (element) => element.tagName + ' "' + element.textContent.trim().slice(0, 40) + '"'
  // The boxes of its texts and buttons, without what only screen readers read.
  const partsOf = (cell) => {
    const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT)
    const boxes = [...cell.querySelectorAll('button, .button')].map((button) => button.getBoundingClientRect())
    while (walker.nextNode()) {
      const { parentElement } = walker.currentNode
      if (parentElement.closest('.visually-hidden') || !parentElement.checkVisibility()) continue
      const range = document.createRange()
      range.selectNodeContents(walker.currentNode)
      boxes.push(range.getBoundingClientRect())
    }
    return boxes.filter((box) => box.width > 0)
  }
  for (const row of document.querySelectorAll('main tr')) {
    let right = -Infinity
    for (const cell of row.cells) {
      const { display, overflowX } = getComputedStyle(cell)
      if (display !== 'table-cell' || !cell.checkVisibility()) continue
      const box = cell.getBoundingClientRect()
      const shown = partsOf(cell)
      if (shown.length === 0) continue
      const [from, to] = [Math.min(...shown.map((part) => part.left)), Math.max(...shown.map((part) => part.right))]
      const isClipped = overflowX !== 'visible'
      const left = isClipped ? Math.max(from, box.left) : from
      if (left < right - 1) faults.push('runs into its neighbour: ' + nameOf(cell))
      right = isClipped ? Math.min(to, box.right) : to
      if (cell.querySelector('time') && cell.scrollWidth > cell.clientWidth + 1) faults.push('is cut: ' + nameOf(cell))
    }
  }
  for (const button of document.querySelectorAll('main .scroll :is(button, .button)')) {
    const end = button.closest('.scroll').getBoundingClientRect().right
    if (button.getBoundingClientRect().right > end + 1) faults.push('is hidden: ' + nameOf(button))
  }
  return faults
})()`

export async function colliding(page: Page): Promise<readonly string[]> {
  return (await page.evaluate(COLLIDING)) as string[]
}
