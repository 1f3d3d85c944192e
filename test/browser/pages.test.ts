/**
 * Every page in light and dark, wide and narrow: accessible, without errors, without horizontal scrolling.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { admin, launch, newPage, newTenant, signedInState } from './support/browser.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
const EXTENSION = 'urn:ietf:params:scim:schemas:extension:acme:2.0:User'
const SCRIPT = '<script>alert(1)</script>'

/** The elements that are wider than the window or than their panel. */
const OVERFLOWING = `[document.documentElement, ...document.querySelectorAll('.panel, .card, .stat')]
  .filter((element) => element.scrollWidth > element.clientWidth + 1)
  .map((element) => element.tagName + ' ' + element.className + ' #' + element.id)`

/** Opens about forty pages, and checks each. */
const PAGES_TIMEOUT_MS = 300_000

let browser: Browser
let state: Awaited<ReturnType<typeof signedInState>>
let tenant: Awaited<ReturnType<typeof newTenant>>
let paths: readonly string[]

beforeAll(async () => {
  browser = await launch()
  state = await signedInState(browser)
  tenant = await newTenant()
  const user = await create('/Users', {
    userName: SCRIPT,
    displayName: '<img src=x onerror=alert(2)>',
    active: true,
  })
  await create('/Users', { userName: 'mirela@quillfern.example', active: false, nickName: 'a'.repeat(300) })
  const group = await create('/Groups', { displayName: 'Field Crew', members: [{ value: user.id }] })
  await createNames()
  for (let i = 0; i < 16; i++) await create('/Groups', { displayName: `Group ${i}` })
  for (let i = 0; i < 12; i++) await tenant.scim('POST', '/Users', { schemas: [USER], userName: SCRIPT })
  await admin('PUT', `/tenants/${tenant.id}/schemas/${EXTENSION}`, {
    id: EXTENSION,
    description: SCRIPT,
    attributes: [
      { name: 'badge', description: SCRIPT, indexed: true },
      { name: 'a'.repeat(64), type: 'complex', subAttributes: [{ name: 'b'.repeat(64) }] },
    ],
  })
  const client = await admin('POST', `/tenants/${tenant.id}/clients`, { name: 'Microsoft Entra ID' })
  const secrets = `/tenants/${tenant.id}/clients/${client.id}/secrets`
  const expiresAt = new Date(Date.now() + 6 * 24 * 60 * 60 * 1000).toISOString()
  const secret = await admin('POST', secrets, { name: 'Microsoft Entra ID, spring 2027', expiresAt })
  const { id: clientId } = await admin('POST', `/tenants/${tenant.id}/clients`, { name: SCRIPT })
  await admin('PUT', `/tenants/${tenant.id}/clients/${clientId}/federation`, {
    issuer: `https://login.microsoftonline.com/${SCRIPT}/v2.0`,
    jwksUri: 'https://login.microsoftonline.com/tenant/discovery/v2.0/keys',
    subject: SCRIPT,
    audiences: ['a'.repeat(300), SCRIPT],
  })
  const webhook = await failingWebhook()
  await metSources()
  const at = tenant.path
  paths = [
    at,
    `${at}/users`,
    `${at}/connect`,
    ...['entra', 'entra-custom', 'okta', 'onelogin', 'jumpcloud', 'google', 'other'].map(
      (guide) => `${at}/connect/${guide}`,
    ),
    `${at}/connect/entra?client=${clientId}`,
    `${at}/users?q=nobody`,
    `${at}/users/${user.id}`,
    `${at}/users/${user.id}/disable`,
    `${at}/users/${await disabledUser()}`,
    `${at}/groups`,
    `${at}/groups/${group.id}`,
    `${at}/api-keys`,
    `${at}/api-keys/federation`,
    `${at}/api-keys/clients/${clientId}/federation?done=connected`,
    `${at}/api-keys/clients/${clientId}/federation/remove`,
    `${at}/api-keys/${tenant.tokenId}/revoke`,
    `${at}/api-keys/${tenant.tokenId}/rotate`,
    `${at}/api-keys/secrets/${secret.id}/revoke`,
    `${at}/log/${await latestEntry()}`,
    `${at}/explain?entry=${await latestRefusal()}`,
    `${at}/log?q=s`,
    `${at}/log?outcome=refused&type=User`,
    `${at}/schemas`,
    `${at}/schemas/remove?urn=${EXTENSION}`,
    `${at}/settings`,
    `${at}/transfer`,
    `${at}/drift`,
    `${at}/explain`,
    `${at}/deleted`,
    `${at}/deleted/${await deletedUser()}/restore`,
    `${at}/history/${user.id}`,
    `${at}/undo?client=${clientId}&from=2026-01-01T00:00&to=2100-01-01T00:00`,
    `${at}/sources?done=counted`,
    `${at}/webhooks`,
    `${at}/webhooks/${webhook}`,
    `${at}/webhooks/${webhook}/delete`,
    '/admin/tenants',
    '/admin/tenants?q=nobody',
    '/admin/limits',
    '/admin/administrators',
    '/admin/audit',
    `${at}/audit`,
    `${at}/users/${user.id}/disable`,
  ]
}, PAGES_TIMEOUT_MS)

/** Names of many scripts and directions, without a place to break, and with characters that hide or turn round the text. */
const NAMES = [
  'شركة النور للتجارة والمقاولات (فرع القاهرة)',
  'Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverleihungsurkunde',
  'Bezirksschornsteinfegermeisterin Müller-Lüdenscheidt von und zu Hohenzollern-Sigmaringen',
  'abc\u202Eexe.png',
  '\u200B\u200B\u200B',
  'e\u0301\u0323\u0327'.repeat(60),
  '👩‍👩‍👧‍👦'.repeat(40),
  `https://quillfern.example/${'path/'.repeat(60)}`,
]

async function createNames(): Promise<void> {
  for (const [i, displayName] of NAMES.entries()) {
    await create('/Users', {
      userName: `${displayName.slice(0, 200)}${i}`,
      externalId: 'x'.repeat(250),
      displayName,
    })
  }
  await create('/Groups', { displayName: NAMES[0], externalId: 'y'.repeat(250) })
}

/** A user whom an administrator has disabled, with a reason of many scripts. @returns its id */
async function disabledUser(): Promise<string> {
  const { id } = await create('/Users', { userName: 'disabled@quillfern.example', displayName: NAMES[3] })
  const reason = NAMES.join(' ').slice(0, 200).toWellFormed()
  await admin('POST', `/tenants/${tenant.id}/users/${id}/disable`, { reason })
  return id
}

async function latestRefusal(): Promise<string> {
  return (await admin('GET', `/tenants/${tenant.id}/log?outcome=refused&resourceType=User`)).entries[0].id
}

/** Conflicts with a second client, and the mode in which a page shows the owner. */
async function metSources(): Promise<void> {
  const { token } = await admin('POST', `/tenants/${tenant.id}/tokens`, { name: 'AD connector' })
  const write = (userName: string) =>
    tenant.scim('POST', '/Users', { schemas: [USER], userName, externalId: 'a'.repeat(200) }, token)
  await write('second@quillfern.example')
  await create('/Users', { userName: 'third@quillfern.example', externalId: 'a'.repeat(200) })
  await write(SCRIPT)
  await admin('PATCH', `/tenants/${tenant.id}`, { sourceMode: 'owner' })
}

/** A webhook with deliveries, to a port that nobody listens on. @returns its id */
async function failingWebhook(): Promise<string> {
  const path = `/tenants/${tenant.id}/webhooks`
  const { id } = await admin('POST', path, { url: `http://127.0.0.1:9/${'a'.repeat(100)}` })
  await admin('POST', `${path}/${id}/secrets`)
  await create('/Users', { userName: 'tavish@quillfern.example' })
  await admin('POST', `${path}/${id}/test`)
  return id
}

afterAll(() => browser?.close())

/** A user that was deleted, whose name another one has by now. @returns its id */
async function deletedUser(): Promise<string> {
  const userName = `${SCRIPT} ${NAMES[0]}`
  const { id } = await create('/Users', { userName, displayName: NAMES[1], nickName: 'z'.repeat(300) })
  await tenant.scim('DELETE', `/Users/${id}`)
  await create('/Users', { userName })
  return id
}

/** The id of the newest entry of the log. */
async function latestEntry(): Promise<string> {
  const { entries } = await admin('GET', `/tenants/${tenant.id}/log`)
  return entries[0].id
}

async function create(path: string, resource: Record<string, unknown>) {
  const response = await tenant.scim('POST', path, {
    ...resource,
    schemas: path === '/Users' ? [USER] : undefined,
  })
  return (await response.json()) as { id: string }
}

/** With SCREENSHOTS_IN=folder, each page is stored there as a picture, to be looked at. */
async function picture(page: Page, view: string, path: string): Promise<void> {
  const folder = process.env.SCREENSHOTS_IN
  if (folder === undefined) return
  const name = path
    .replace(tenant.path, '')
    .replace(/[^a-z0-9]+/gi, '-')
    .slice(0, 40)
  await page.screenshot({ path: join(folder, `${name}-${view}.png`), fullPage: true })
}

/** The relevant violations that axe finds. */
async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(AXE)
  const found = (await page.evaluate(`axe.run().then(({ violations }) => violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => id + ': ' + target + ' ' + failureSummary)))`)) as string[]
  return found
}

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
    const { page, errors } = await newPage(browser, { colorScheme, viewport, storageState: state })
    const faults: string[] = []
    for (const path of paths) {
      await page.goto(path)
      for (const summary of await page.locator('main details:not([open]) > summary').all()) {
        if (await summary.isVisible()) await summary.click()
      }
      await picture(page, `${colorScheme}-${width}`, path)
      faults.push(...(await violations(page)).map((fault) => `${path} ${fault}`))
      faults.push(
        ...((await page.evaluate(OVERFLOWING)) as string[]).map((wide) => `${path} is too wide: ${wide}`),
      )
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
      expect([await violations(page), await page.evaluate(OVERFLOWING)]).toEqual([[], []])
      await page.getByRole('link', { name: 'I have copied it' }).click()
      await page.getByText('To be revoked').first().waitFor()
      expect([await violations(page), await page.evaluate(OVERFLOWING)]).toEqual([[], []])
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
      expect([await violations(page), await page.evaluate(OVERFLOWING)]).toEqual([[], []])
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
    await page.getByRole('heading', { name: '<img src=x onerror=alert(2)>' }).waitFor()
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
    await create('/Users', { userName: name })
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
