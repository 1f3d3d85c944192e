/**
 * Administrators by name, from the sign-in at their provider to a page and back: what an owner, an administrator of one tenant
 * and a viewer see, and that all of it is accessible.
 */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { overflowing, violations } from './support/accessibility.ts'
import { launch, newPage } from './support/browser.ts'
import { type PeopleServer, startPeopleServer } from './support/people-server.ts'

const ROLES = 'owner: group Owners; admin of acme: group Acme; viewer: group Readers'

let browser: Browser
let server: PeopleServer

beforeAll(async () => {
  browser = await launch()
  server = await startPeopleServer(ROLES)
  for (const [id, name] of [
    ['acme', 'Acme Corp'],
    ['beta', 'Beta Ltd'],
  ]) {
    await server.admin('POST', '/tenants', { id, name })
    const { token } = await server.admin('POST', `/tenants/${id}/tokens`, { name: 'Microsoft Entra ID' })
    await fetch(`${server.origin}/scim/v2/Users`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/scim+json' },
      body: JSON.stringify({
        schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
        userName: `mirela@${id}.example`,
      }),
    })
  }
}, 60_000)

afterAll(async () => {
  await browser?.close()
  await server?.close()
})

/** Opens a page as someone who is not signed in, and signs in at the provider. */
async function signInAs(email: string, groups: readonly string[], path: string) {
  const watched = await newPage(browser, { baseURL: server.origin })
  const { page } = watched
  await page.goto(path)
  await continueAs(page, email, groups)
  return watched
}

async function continueAs(page: Page, email: string, groups: readonly string[]): Promise<void> {
  Object.assign(server.person, { email, groups })
  await page.getByRole('link', { name: /^Sign in with 127\.0\.0\.1/ }).click()
  await page.getByRole('link', { name: `Continue as ${email}` }).click()
}

const forms = (page: Page) => page.locator('main form[method=post]').count()

describe('an owner', () => {
  it('signs in at the provider, gets to the page that was asked for, and sees its forms', async () => {
    const { page, errors } = await signInAs('olga@example.com', ['Owners'], '/admin/tenants/acme/settings')
    await page.getByRole('heading', { name: 'Settings', level: 1 }).waitFor()
    expect(new URL(page.url()).pathname).toBe('/admin/tenants/acme/settings')
    await page.getByText('olga@example.com').waitFor()
    await page.getByLabel('Name', { exact: true }).fill('Acme Corporation')
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByText('Acme Corporation').first().waitFor()
    await page.getByRole('button', { name: 'Delete tenant' }).waitFor()
    await page.getByRole('link', { name: 'Audit trail' }).click()
    await page.locator('.entries summary', { hasText: 'Update tenant' }).first().waitFor()
    expect(await page.locator('.entries').textContent()).toContain('olga@example.com · OpenID Connect')
    expect(errors).toEqual([])
    await page.context().close()
  })

  it('signs out here, and then at the provider, which sends the browser back', async () => {
    const { page, errors } = await signInAs('olga@example.com', ['Owners'], '/admin/tenants')
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByText('You are signed out of this dashboard').waitFor()
    expect([await violations(page), await overflowing(page)]).toEqual([[], []])
    await page.getByRole('link', { name: /^Sign out of 127\.0\.0\.1/ }).click()
    await page.getByRole('heading', { name: 'Signed out' }).waitFor()
    await page.getByRole('link', { name: 'Back to the application' }).click()
    await page.getByRole('heading', { name: 'Sign in to scim-worker' }).waitFor()
    expect(await page.getByText('You are signed out of this dashboard').count()).toBe(0)
    expect(errors).toEqual([])
    await page.context().close()
  })
})

describe('a viewer', () => {
  const PAGES = [
    '',
    '/users',
    '/groups',
    '/api-keys',
    '/connect/entra',
    '/sources',
    '/webhooks',
    '/log',
    '/deleted',
    '/schemas',
    '/transfer',
    '/settings',
  ]

  it('sees every page of a tenant without a form, in both themes', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page, errors } = await signInAs('vera@example.com', ['Readers'], '/admin/tenants')
      await page.emulateMedia({ colorScheme })
      await page.getByRole('link', { name: 'Acme' }).first().waitFor()
      for (const path of PAGES) {
        await page.goto(`/admin/tenants/acme${path}`)
        await page.getByRole('heading', { level: 1 }).waitFor()
        expect([path, await forms(page), await violations(page)]).toEqual([path, 0, []])
      }
      expect(errors).toEqual([])
      await page.context().close()
    }
  })

  it('is told what is missing, and keeps the navigation', async () => {
    const { page } = await signInAs('vera@example.com', ['Readers'], '/admin/administrators')
    await page.getByRole('heading', { name: 'Not allowed' }).waitFor()
    await page.getByText(/Your role is: viewer/).waitFor()
    expect(await violations(page)).toEqual([])
    expect(await page.getByRole('link', { name: 'Administrators' }).count()).toBe(0)
    await page.getByRole('link', { name: 'Tenants' }).click()
    await page.getByRole('heading', { name: 'Tenants', level: 1 }).waitFor()
    await page.context().close()
  })
})

describe('an administrator of one tenant', () => {
  it('sees that tenant with its forms, and no other', async () => {
    const { page } = await signInAs('adam@example.com', ['Acme'], '/admin/tenants')
    await page.getByRole('link', { name: /^Acme/ }).click()
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor()
    await page.goto('/admin/tenants')
    expect(await page.getByRole('link', { name: 'Beta Ltd' }).count()).toBe(0)
    expect(await forms(page)).toBe(0)
    await page.goto('/admin/tenants/acme/api-keys')
    await page.getByRole('button', { name: 'Generate Token' }).waitFor()
    await page.goto('/admin/tenants/acme/settings')
    await page.getByRole('button', { name: 'Save', exact: true }).waitFor()
    expect(await page.getByRole('button', { name: 'Delete tenant' }).count()).toBe(0)
    const missing = await page.goto('/admin/tenants/beta')
    expect(missing?.status()).toBe(404)
    await page.getByText('There is no tenant “beta”.').waitFor()
    expect(await violations(page)).toEqual([])
    await page.context().close()
  })
})

describe('someone without a role', () => {
  it('is told so at the sign-in page, and may sign in as somebody else', async () => {
    const { page } = await signInAs('nina@example.com', ['Others'], '/admin/tenants/acme')
    await page.getByText('knows you as nina@example.com, who has no role here').waitFor()
    expect([await violations(page), await overflowing(page)]).toEqual([[], []])
    await continueAs(page, 'vera@example.com', ['Readers'])
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor()
    await page.context().close()
  })
})
