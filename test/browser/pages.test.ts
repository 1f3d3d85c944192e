/**
 * Every page in light and dark, wide and narrow: accessible, without errors, without horizontal scrolling.
 */
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { colliding, overflowing, violations } from './support/accessibility.ts'
import { launch, newPage, signedInState } from './support/browser.ts'
import { type HostileTenant, hostileTenant, IMAGE, SCRIPT, SHOWN_PAGES } from './support/hostile-tenant.ts'

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
/** Opens about sixty pages, and checks each. */
const PAGES_TIMEOUT_MS = 300_000

let browser: Browser
let state: Awaited<ReturnType<typeof signedInState>>
let tenant: HostileTenant

beforeAll(async () => {
  browser = await launch()
  state = await signedInState(browser)
  tenant = await hostileTenant()
}, PAGES_TIMEOUT_MS)

afterAll(() => browser?.close())

/** With SCREENSHOTS_IN=folder, each page is stored there as a picture, to be looked at. */
async function picture(page: Page, view: string, path: string): Promise<void> {
  const folder = process.env.SCREENSHOTS_IN
  if (folder === undefined) return
  const name = path
    .replace(tenant.path, '')
    .replace(/(?<=\/|=)(?:t-)?[0-9a-f]{8}-[\w-]+/g, 'id')
    .replace(/[^a-z0-9]+/gi, '-')
  await page.screenshot({ path: join(folder, `${name}-${view}.png`), fullPage: true })
}

it('has an address for every page of the dashboard', () => {
  expect(Object.keys(tenant.pages).toSorted()).toEqual(SHOWN_PAGES.toSorted())
})

describe.each([
  ['light', 1280],
  ['dark', 1280],
  ['light', 768],
  ['dark', 768],
  ['light', 380],
  ['dark', 380],
  // 200 % zoom of a window of 1,280 pixels, and a wide one.
  ['light', 640],
  ['dark', 1600],
] as const)('in %s, %i pixels wide', (colorScheme, width) => {
  it('every page is accessible, without errors, and fits', { timeout: PAGES_TIMEOUT_MS }, async () => {
    const viewport = { width, height: 900 }
    // American times are longer than British ones.
    const locale = colorScheme === 'light' ? 'en-US' : 'en-GB'
    const { page, errors } = await newPage(browser, { colorScheme, locale, viewport, storageState: state })
    const faults: string[] = []
    for (const path of Object.values(tenant.pages).flat()) {
      await page.goto(path)
      await picture(page, `${colorScheme}-${width}-closed`, path)
      await page.locator('main details').evaluateAll((all) => {
        for (const one of all) one.setAttribute('open', '')
      })
      await picture(page, `${colorScheme}-${width}`, path)
      faults.push(...(await violations(page)).map((fault) => `${path} ${fault}`))
      faults.push(...(await overflowing(page)).map((wide) => `${path} is too wide: ${wide}`))
      faults.push(...(await colliding(page)).map((cell) => `${path} ${cell}`))
    }
    expect(faults).toEqual([])
    expect(errors).toEqual([])
    await page.context().close()
  })
})

describe('the page of a new token', () => {
  it('is accessible, and so is the list with a token that was rotated', async () => {
    for (const viewport of [
      { width: 1280, height: 900 },
      { width: 380, height: 800 },
    ]) {
      const { page, errors } = await newPage(browser, { storageState: state, viewport })
      await page.goto(`${tenant.path}/api-keys`)
      await page
        .getByRole('link', { name: /^Rotate the token/ })
        .first()
        .click()
      await page.getByRole('button', { name: 'Generate the new token' }).click()
      await page.getByText('It will not be shown again').waitFor()
      expect([await violations(page), await overflowing(page)]).toEqual([[], []])
      await page.getByRole('link', { name: 'I have copied it' }).click()
      await page.getByText('To be revoked').first().waitFor()
      expect([await violations(page), await overflowing(page)]).toEqual([[], []])
      expect(errors).toEqual([])
      await page.context().close()
    }
  })
})

describe('the page of a new client secret', () => {
  it('is accessible and fits', async () => {
    for (const width of [1280, 768, 380]) {
      const viewport = { width, height: 900 }
      const { page, errors } = await newPage(browser, { storageState: state, viewport })
      await page.goto(`${tenant.path}/api-keys`)
      await page.getByRole('button', { name: 'Generate Client Secret' }).click()
      await page.getByText('It will not be shown again').waitFor()
      expect([await violations(page), await overflowing(page)]).toEqual([[], []])
      expect(errors).toEqual([])
      await page.context().close()
    }
  })
})

describe('pages outside the session', () => {
  it('the sign-in page and the 404 page are accessible', async () => {
    const { page } = await newPage(browser)
    await page.goto('/admin/sign-in')
    expect(await violations(page)).toEqual([])
    const inside = await newPage(browser, { storageState: state })
    await inside.page.goto(`${tenant.path}/users/nobody`)
    expect(await violations(inside.page)).toEqual([])
    await inside.page.getByRole('link', { name: 'All users' }).waitFor()
  })
})

describe('the script', () => {
  it('does not run code in the name of a user', async () => {
    const { page, errors } = await newPage(browser, { storageState: state })
    await page.goto(`${tenant.path}/users`)
    await page.getByRole('link', { name: SCRIPT, exact: true }).click()
    await page.getByRole('heading', { name: IMAGE }).waitFor()
    expect(errors).toEqual([])
    await page.context().close()
  })

  it("shows times in the reader's time zone, and UTC on hover", async () => {
    const { page } = await newPage(browser, { storageState: state, timezoneId: 'Asia/Tokyo' })
    await page.goto(`${tenant.path}/log`)
    const time = page.locator('.entries time').first()
    const at = new Date((await time.getAttribute('datetime')) ?? '')
    const [utc, tokyo] = ['UTC', 'Asia/Tokyo'].map((timeZone) =>
      new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone }).format(at),
    )
    expect(await time.textContent()).toContain(tokyo)
    expect(await time.getAttribute('title')).toContain(`${utc} UTC`)
    await page.context().close()
  })

  it('refreshes content without a reload, keeps details open, and can be paused', async () => {
    const { page, errors } = await newPage(browser, { storageState: state })
    await page.clock.install()
    await page.goto(`${tenant.path}/log`)
    await page.locator('.entries summary').first().click()
    const name = `new-${crypto.randomUUID()}`
    await page.getByRole('heading', { level: 1 }).click()
    await tenant.scim('POST', '/Users', { schemas: [USER], userName: name })
    await page.clock.fastForward(16_000)
    await page.getByText(name).first().waitFor()
    expect(await page.locator('.entries details[open]').count()).toBe(1)
    await page.getByRole('button', { name: 'Live' }).click()
    await page.getByRole('button', { name: 'Paused' }).waitFor()
    expect(errors).toEqual([])
    await page.context().close()
  })

  it('can be used with the keyboard alone', async () => {
    const { page } = await newPage(browser, { storageState: state })
    await page.goto(tenant.path)
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.textContent.trim()')).toBe('Skip to the content')
    await page.keyboard.press('Enter')
    expect(await page.evaluate('document.activeElement.id')).toBe('content')
    await page.context().close()
  })
})
