/**
 * The keyboard shortcuts, the search of tenants in the sidebar, and what opens, appears and is printed.
 */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { admin, launch, newPage, newTenant, signedInState } from './support/browser.ts'

let browser: Browser
let state: Awaited<ReturnType<typeof signedInState>>
let tenant: Awaited<ReturnType<typeof newTenant>>

beforeAll(async () => {
  browser = await launch()
  state = await signedInState(browser)
  tenant = await newTenant()
}, 60_000)

afterAll(() => browser?.close())

async function open(path: string, options: Parameters<typeof newPage>[1] = {}): Promise<Page> {
  const { page } = await newPage(browser, { storageState: state, ...options })
  await page.goto(`${tenant.path}${path}`)
  return page
}

const focused = (page: Page) => page.evaluate('document.activeElement.name ?? document.activeElement.tagName')

describe('the keyboard', () => {
  it('opens a page with g and a letter, and moves to the search with /', async () => {
    const page = await open('')
    await page.keyboard.press('g')
    await page.keyboard.press('l')
    await page.waitForURL(`**${tenant.path}/log`)
    await page.keyboard.press('/')
    expect(await focused(page)).toBe('q')
    await page.keyboard.type('gl/?')
    expect(await page.locator('main input[name=q]').first().inputValue()).toBe('gl/?')
    expect(new URL(page.url()).pathname).toBe(`${tenant.path}/log`)
    await page.context().close()
  })

  it('opens the directory with / on a page without a search', async () => {
    const page = await open('/settings')
    await page.keyboard.press('/')
    await page.waitForURL(`**${tenant.path}/users`)
    await page.context().close()
  })

  it('lists the shortcuts with ?, and turns them off', async () => {
    const page = await open('')
    await page.keyboard.press('?')
    const help = page.getByRole('dialog', { name: 'Keyboard shortcuts' })
    await help.getByText('Provisioning log').waitFor()
    await help.getByLabel('Use these shortcuts').uncheck()
    await help.getByRole('button', { name: 'Close' }).click()
    await page.keyboard.press('g')
    await page.keyboard.press('l')
    await page.keyboard.press('?')
    expect([await help.isVisible(), new URL(page.url()).pathname]).toEqual([false, tenant.path])
    await page.getByRole('button', { name: 'Keyboard shortcuts' }).click()
    await help.getByLabel('Use these shortcuts').check()
    await page.keyboard.press('Escape')
    await page.keyboard.press('g')
    await page.keyboard.press('e')
    await page.waitForURL(`**${tenant.path}/settings`)
    await page.context().close()
  })

  it('leaves combinations and a late second key to the browser', async () => {
    const page = await open('')
    await page.keyboard.press('Control+g')
    await page.keyboard.press('l')
    await page.keyboard.press('g')
    await page.waitForTimeout(1_600)
    await page.keyboard.press('l')
    expect(new URL(page.url()).pathname).toBe(tenant.path)
    await page.context().close()
  })
})

describe('the search of tenants in the sidebar', () => {
  it('shows matches while one types', async () => {
    const name = `Zimtstern ${crypto.randomUUID().slice(0, 8)}`
    await admin('POST', '/tenants', { id: `t-${crypto.randomUUID()}`, name })
    const page = await open('')
    await page.getByText('Switch tenant').click()
    await page.getByLabel('Id or name').fill(name.toUpperCase())
    await page.getByRole('link', { name }).click()
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor()
    expect(await page.locator('.tenant-name').textContent()).toBe(name)
    await page.context().close()
  })

  it('opens the tenant, or lists what matches, without the script', async () => {
    const other = await newTenant()
    const page = await open('', { javaScriptEnabled: false })
    await page.getByText('Switch tenant').click()
    await page.getByLabel('Id or name').fill(other.id)
    await page.getByRole('button', { name: 'Switch' }).click()
    await page.waitForURL(`**${other.path}`)
    await page.getByText('Switch tenant').click()
    await page.getByLabel('Id or name').fill('t-')
    await page.getByRole('button', { name: 'Switch' }).click()
    await page.getByRole('heading', { name: 'Tenants found' }).waitFor()
    await page.context().close()
  })
})

describe('what opens or appears', () => {
  it('moves nothing above it, and nothing sideways', async () => {
    await tenant.scim('POST', '/Users', { userName: 7 })
    for (const width of [380, 1280]) {
      const page = await open('/log', { viewport: { width, height: 900 } })
      const summary = page.locator('main details > summary').last()
      const place = () =>
        summary.evaluate((element) => {
          const { left, top, width } = element.getBoundingClientRect()
          return [left, top + element.ownerDocument.documentElement.scrollTop, width]
        })
      const before = await place()
      await summary.click()
      expect(await place()).toEqual(before)
      await page.context().close()
    }
  })

  it('tells that a value was copied', async () => {
    const page = await open('/connect/entra', { permissions: ['clipboard-read', 'clipboard-write'] })
    await page.getByRole('button', { name: 'Copy Tenant URL' }).first().click()
    await page.locator('#toast').getByText('Copied Tenant URL').waitFor()
    await page.context().close()
  })

  it('is no sidebar and no button on paper', async () => {
    const page = await open('')
    await page.emulateMedia({ media: 'print' })
    expect(await page.locator('.sidebar').isVisible()).toBe(false)
    expect(await page.getByRole('heading', { name: 'Overview', level: 1 }).isVisible()).toBe(true)
    await page.context().close()
  })
})

describe('the cards of the overview', () => {
  it.each([
    [1600, [3]],
    [1280, [3]],
    [768, [2, 1]],
    [380, [2, 1]],
  ])('stand in rows that are full, %i pixels wide', async (width, rows) => {
    const page = await open('', { viewport: { width, height: 900 } })
    const cards = (await page.evaluate(`[...document.querySelectorAll('.stat')].map((card) => {
      const { top, right } = card.getBoundingClientRect()
      return { top, right }
    })`)) as readonly { readonly top: number; readonly right: number }[]
    const tops = [...new Set(cards.map(({ top }) => top))]
    expect(tops.map((top) => cards.filter((card) => card.top === top).length)).toEqual(rows)
    const ends = tops.map((top) =>
      Math.max(...cards.filter((card) => card.top === top).map(({ right }) => Math.round(right))),
    )
    expect(new Set(ends).size).toBe(1)
    await page.context().close()
  })
})

describe('an upload', () => {
  it('shows its progress and, in place, what is wrong with the file', async () => {
    const page = await open('/transfer')
    const file = {
      name: 'export.jsonl',
      mimeType: 'application/jsonl',
      buffer: Buffer.from('{"kind":"user"}\n'),
    }
    await page.getByLabel('File').setInputFiles(file)
    await page.getByRole('button', { name: 'Import', exact: true }).click()
    await page.getByRole('alert').getByText('The file is incomplete').waitFor()
    expect(new URL(page.url()).pathname).toBe(`${tenant.path}/transfer`)
    await page.context().close()
  })
})
