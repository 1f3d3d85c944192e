/**
 * The navigation on a narrow screen: a menu that needs no script, in the place of the sidebar.
 */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { overflowing, violations } from './support/accessibility.ts'
import { launch, newPage, signedInState } from './support/browser.ts'

const NARROW = { width: 380, height: 700 }

let browser: Browser
let state: Awaited<ReturnType<typeof signedInState>>

beforeAll(async () => {
  browser = await launch()
  state = await signedInState(browser)
})

afterAll(() => browser?.close())

it('opens the menu, and a page from it, without script', async () => {
  const options = { storageState: state, viewport: NARROW, javaScriptEnabled: false }
  const { page } = await newPage(browser, options)
  await page.goto('/admin/tenants/default')
  const link = page.getByRole('link', { name: 'Provisioning log' })
  expect(await link.isVisible()).toBe(false)
  const header = await page.locator('.sidebar').boundingBox()
  expect(header?.height).toBeLessThan(130)
  await page.getByRole('button', { name: 'Menu' }).click()
  await page.getByRole('button', { name: 'Sign out' }).waitFor()
  await link.click()
  await page.getByRole('heading', { name: 'Provisioning log', level: 1 }).waitFor()
  await page.context().close()
})

it.for(['light', 'dark'] as const)('is accessible, and closes with Escape, in %s', async (colorScheme) => {
  const { page, errors } = await newPage(browser, { storageState: state, viewport: NARROW, colorScheme })
  await page.goto('/admin/tenants/default')
  await page.getByRole('button', { name: 'Menu' }).press('Enter')
  const menu = page.locator('#menu')
  await menu.getByRole('link', { name: 'Overview' }).waitFor()
  expect([await violations(page), await overflowing(page)]).toEqual([[], []])
  await page.keyboard.press('Escape')
  await menu.waitFor({ state: 'hidden' })
  // The shortcuts work while the menu is closed.
  await page.keyboard.press('g')
  await page.keyboard.press('l')
  await page.getByRole('heading', { name: 'Provisioning log', level: 1 }).waitFor()
  expect(errors).toEqual([])
  await page.context().close()
})

it('is a sidebar without buttons in a wide window', async () => {
  const { page } = await newPage(browser, { storageState: state, viewport: { width: 1280, height: 800 } })
  await page.goto('/admin/tenants/default')
  expect(await page.getByRole('link', { name: 'Provisioning log' }).isVisible()).toBe(true)
  expect(await page.getByRole('button', { name: /^(?:Menu|Close)$/ }).count()).toBe(0)
  await page.context().close()
})
