/**
 * The directory in Chromium: an administrator finds a user, sorts and filters the list, and looks at a group, with hostile
 * values in every cell.
 */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launch, newPage, newTenant, signedInState } from './support/browser.ts'

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'

const HOSTILE = [
  { userName: '<script>alert(1)</script>', displayName: '"><img src=x onerror=alert(2)>' },
  { userName: 'abc\u202eexe.png', displayName: 'محمد بن عبد الرحمن الأنصاري', externalId: 'שלום-1234' },
  { userName: 'zero\u200bwidth', displayName: '\u200b\u200b', externalId: '\u202e\u202e' },
  {
    userName: `${'long.'.repeat(50)}@contoso.example`,
    displayName: 'W'.repeat(300),
    externalId: 'a'.repeat(300),
  },
  { userName: 'Donaudampfschifffahrtsgesellschaftskapitän@contoso.example', displayName: 'Wörter ohne Ende' },
  { userName: '💥👩‍👩‍👧‍👦', displayName: '\u0301\u0301\u0301', active: false },
] as const

let browser: Browser
let state: Awaited<ReturnType<typeof signedInState>>
let tenant: Awaited<ReturnType<typeof newTenant>>

beforeAll(async () => {
  browser = await launch()
  state = await signedInState(browser)
  tenant = await newTenant()
  const ids = []
  for (const [i, more] of [...HOSTILE, ...Array.from({ length: 55 }, () => ({}))].entries()) {
    const name = { givenName: 'Maria', familyName: `Achterberg${i}` }
    const user = {
      schemas: [USER],
      userName: `maria.${i}@contoso.example`,
      displayName: `Maria Achterberg${i}`,
      name,
      active: true,
    }
    const answer = await tenant.scim('POST', '/Users', { ...user, externalId: crypto.randomUUID(), ...more })
    expect(answer.status).toBe(201)
    ids.push(((await answer.json()) as { id: string }).id)
  }
  const inner = await tenant.scim('POST', '/Groups', {
    schemas: [GROUP],
    displayName: 'Inner \u202e group',
    members: ids.map((value) => ({ value })),
  })
  const { id } = (await inner.json()) as { id: string }
  await tenant.scim('POST', '/Groups', { schemas: [GROUP], displayName: 'Outer', members: [{ value: id }] })
}, 60_000)

afterAll(() => browser?.close())

async function opened(path: string, width = 1280) {
  const { page, errors } = await newPage(browser, { storageState: state, viewport: { width, height: 900 } })
  await page.goto(`${tenant.path}${path}`)
  return { page, errors }
}

describe('the directory', () => {
  it('finds a user by a word, and shows its groups, its JSON and its log', async () => {
    const { page, errors } = await opened('/users')
    await page.getByLabel('Search users').fill('achterberg33')
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByText('1 found.').waitFor()
    await page.getByRole('link', { name: 'maria.33@contoso.example' }).click()
    await page.getByRole('heading', { name: 'Maria Achterberg33', level: 1 }).waitFor()
    await page.getByText('Outer', { exact: true }).waitFor()
    expect(await page.locator('#groups').innerText()).toMatch(/Through these groups\s+Outer through Inner/)
    await page.getByText('As JSON').click()
    await page.getByRole('button', { name: 'Copy JSON' }).waitFor()
    expect(JSON.parse((await page.locator('#json').textContent()) ?? '')).toMatchObject({
      userName: 'maria.33@contoso.example',
    })
    expect(errors).toEqual([])
    await page.context().close()
  })

  it('sorts, filters and pages, and keeps both in the file', async () => {
    const { page, errors } = await opened('/users')
    const list = page.getByRole('region', { name: 'Users' })
    await list.getByRole('link', { name: 'Created' }).click()
    expect(await list.locator('tbody th').first().innerText()).toBe('maria.60@contoso.example')
    await list.getByRole('link', { name: 'Created, newest first' }).click()
    expect(await list.locator('tbody th').first().innerText()).toContain('<script>')
    await list.getByText('1–50 of 61 users').waitFor()
    await list.getByRole('link', { name: 'Next page' }).click()
    await list.getByText('51–61 of 61 users').waitFor()
    await list.getByRole('link', { name: 'Inactive' }).click()
    expect(await list.locator('tbody tr').count()).toBe(1)
    const file = await list.getByRole('link', { name: 'Download these as CSV' }).getAttribute('href')
    expect(file).toMatch(/\/users\.csv\?show=inactive$/)
    expect(errors).toEqual([])
    await page.context().close()
  })

  it('searches among the members of a group', async () => {
    const { page, errors } = await opened('/groups?q=inner')
    await page.locator('tbody th a').click()
    await page.getByLabel('Search the users among the members').fill('achterberg12')
    await page.getByRole('button', { name: 'Search' }).click()
    expect(await page.locator('tbody th').allInnerTexts()).toEqual(['maria.12@contoso.example'])
    await page.getByRole('link', { name: 'Show all users' }).click()
    await page.getByText('1–50 of 61 users').waitFor()
    expect(errors).toEqual([])
    await page.context().close()
  })

  it('cuts a text from right to left at its end, which is on the left', async () => {
    const { page } = await opened('/users?sort=created&reverse=1')
    const cells = page.locator('td[data-label="Display name"]')
    const arabic = cells.filter({ hasText: 'محمد' })
    expect(await arabic.evaluate((cell) => cell.computedStyleMap().get('direction')?.toString())).toBe('rtl')
    const [first, cell] = [await cells.first().boundingBox(), await arabic.boundingBox()]
    expect(cell?.x).toBe(first?.x)
    await page.context().close()
  })

  it.for([380, 768, 1280])('has rows of one height, and no horizontal scrolling, at %i px', async (width) => {
    const { page, errors } = await opened('/users?sort=created&reverse=1', width)
    const heights = await page
      .locator('tbody tr')
      .evaluateAll((rows) => rows.map((row) => row.getBoundingClientRect().height))
    if (width > 640) expect(Math.max(...heights) - Math.min(...heights)).toBeLessThan(4)
    expect(
      await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth'),
    ).toBeLessThanOrEqual(0)
    expect(await page.locator('.mark').count()).toBeGreaterThan(2)
    expect(errors).toEqual([])
    await page.context().close()
  })
})
