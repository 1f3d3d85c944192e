/**
 * The guides of identity providers in Chromium: what is seen of a connection appears without a reload, and a broken token
 * leads to its fix.
 */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launch, newPage, newTenant, origin, signedInState } from './support/browser.ts'

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
const WELL_FORMED = 'A'.repeat(43)

let browser: Browser
let state: Awaited<ReturnType<typeof signedInState>>

beforeAll(async () => {
  browser = await launch()
  state = await signedInState(browser)
})
afterAll(() => browser?.close())

/** A page at a guide of a new tenant, and a client with the token that it generates. */
async function newGuide(id: string, options: Parameters<typeof newPage>[1] = {}) {
  const tenant = await newTenant()
  const { page, errors } = await newPage(browser, { storageState: state, ...options })
  await page.goto(`${tenant.path}/connect/${id}`)
  const generate = async () => {
    await page.getByRole('button', { name: 'Generate Token' }).click()
    await page.getByText('It will not be shown again').waitFor()
    return await page.locator('#values input[value^="scim_"]').inputValue()
  }
  const step = (title: string, of: string) => page.locator(`.watch-steps li.${of}`, { hasText: title })
  return { tenant, page, errors, generate, step }
}

describe('a guide', () => {
  it('shows each step when it is seen, while the token stays on the page', async () => {
    const { tenant, page, errors, generate, step } = await newGuide('okta')
    const token = await generate()
    await step('First request', 'waiting').waitFor()
    await tenant.scim('GET', '/Users?startIndex=1&count=2', undefined, token)
    await step('Test of the connection', 'done').waitFor()
    await tenant.scim('POST', '/Users', { schemas: [USER], userName: 'mirela@quillfern.example' }, token)
    await step('First user', 'done').getByRole('link', { name: 'mirela@quillfern.example' }).waitFor()
    await tenant.scim('POST', '/Groups', { displayName: 'Field Crew' }, token)
    await step('First group', 'done').waitFor()
    await step('First full cycle', 'waiting').waitFor()
    expect(await page.locator('#values input[value^="scim_"]').inputValue()).toBe(token)
    expect(errors).toEqual([])
    await page.context().close()
  })

  it('leads from a broken token to its fix', async () => {
    const { tenant, page, errors, generate, step } = await newGuide('entra')
    const token = await generate()
    const broken = `scim_${tenant.id}_${WELL_FORMED}`
    expect((await tenant.scim('GET', '/Users?count=1', undefined, broken)).status).toBe(401)
    const problem = step('First request', 'problem')
    await problem.getByText('the token is not one of this tenant').waitFor({ timeout: 30_000 })
    await problem.getByText('Generate another one under API Keys').waitFor()
    expect((await tenant.scim('GET', '/Users?filter=userName is 1', undefined, token)).status).toBe(400)
    await step('Test of the connection', 'problem').getByText('invalidFilter').waitFor()
    await tenant.scim('POST', '/Users', { schemas: [USER], userName: 'tavish@quillfern.example' }, token)
    await step('Test of the connection', 'done').waitFor()
    await step('First user', 'done').waitFor()
    expect(errors).toEqual([])
    await page.context().close()
  })

  it('shows the steps without the script, by a link', async () => {
    const { tenant, page, generate, step } = await newGuide('google', { javaScriptEnabled: false })
    const token = await generate()
    await page.getByRole('link', { name: 'I have copied it' }).click()
    await step('First request', 'waiting').waitFor()
    await tenant.scim('POST', '/Users', { schemas: [USER], userName: 'ada@quillfern.example' }, token)
    await page.getByRole('link', { name: 'Refresh' }).click()
    await step('First user', 'done').waitFor()
    expect(await page.getByText(token).count()).toBe(0)
    expect(page.url().startsWith(`${origin}${tenant.path}/connect/google?credential=`)).toBe(true)
    await page.context().close()
  })
})
