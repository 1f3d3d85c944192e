/**
 * Chromium, signed-in pages, and the errors that a page must not report.
 */
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { inject } from 'vitest'
import { findChromium } from '../../../src/local/chromium.mjs'

export const origin = inject('origin')
const adminToken = inject('adminToken')

export async function launch(): Promise<Browser> {
  const executablePath = findChromium()
  if (executablePath === undefined) throw new Error('no Chromium was found: see npm run test:browser')
  // Chromium's sandbox needs user namespaces, which containers do not have. All pages are our own.
  return await chromium.launch({ executablePath, args: ['--no-sandbox'] })
}

/** A page, and the errors that it has reported. */
export interface WatchedPage {
  readonly page: Page
  readonly errors: string[]
}

export async function newPage(browser: Browser, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const context = await browser.newContext({ baseURL: origin, locale: 'en-GB', ...options })
  context.setDefaultTimeout(15_000)
  const page = await context.newPage()
  const errors: string[] = []
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('dialog', (dialog) => {
    errors.push(`dialog: ${dialog.message()}`)
    dialog.dismiss().catch(() => undefined)
  })
  return { page, errors }
}

export async function signIn(page: Page): Promise<void> {
  await page.goto('/admin')
  await page.getByLabel('Admin token').fill(adminToken)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor()
}

/** The cookies of one sign-in, for all pages of a file, because sign-ins are limited. */
export async function signedInState(browser: Browser) {
  const { page } = await newPage(browser)
  await signIn(page)
  const state = await page.context().storageState()
  await page.context().close()
  return state
}

/** Sends a request to the admin API. */
// biome-ignore lint/suspicious/noExplicitAny: -- tests assert on what they read
export async function admin(method: string, path: string, body?: unknown): Promise<any> {
  const response = await fetch(`${origin}/admin/api${path}`, {
    method,
    headers: { Authorization: `Bearer ${adminToken}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return await response.json()
}

/** Creates a tenant with a token. @returns its id, its path in the dashboard, the id of the token, and a SCIM client */
export async function newTenant() {
  const id = `t-${crypto.randomUUID()}`
  await admin('POST', '/tenants', { id, name: 'Quillfern', groupLimit: 20 })
  const { token, id: tokenId } = await admin('POST', `/tenants/${id}/tokens`, { name: 'Microsoft Entra ID' })
  const scim = (method: string, path: string, body?: unknown, as: string = token) =>
    fetch(`${origin}/scim/v2${path}`, {
      method,
      headers: { Authorization: `Bearer ${as}`, 'Content-Type': 'application/scim+json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  return { id, path: `/admin/tenants/${id}`, tokenId: String(tokenId), scim }
}
