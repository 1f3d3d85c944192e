/**
 * The first use by an administrator: from sign-in to a user that Entra has provisioned.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launch, newPage, origin, signIn } from './support/browser.ts'

const DIRECTORY = 'test/fixtures/directory/quillfern.json'

let browser: Browser
let folder: string

beforeAll(async () => {
  browser = await launch()
  folder = mkdtempSync(join(tmpdir(), 'scim-worker-emulator-'))
})

afterAll(async () => {
  await browser?.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Runs one cycle of the emulator. @returns its exit code and output */
function provision(tenantUrl: string, token: string, state: string) {
  const args = ['src/entra/cli.ts', 'provision', '--directory', DIRECTORY, '--tenant-url', tenantUrl]
  const child = spawn(process.execPath, [...args, '--token', token, '--state', join(folder, state)])
  return new Promise<{ code: number | null; output: string }>((done, failed) => {
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    child.stderr.on('data', (chunk) => (output += chunk))
    child.on('error', failed)
    child.on('exit', (code) => done({ code, output }))
  })
}

describe('the first time', () => {
  it('leads from sign-in to provisioned users, and a revoked token ends it', async () => {
    const { page, errors } = await newPage(browser, { permissions: ['clipboard-read', 'clipboard-write'] })
    await signIn(page)
    await page.getByRole('link', { name: 'Connect', exact: true }).first().click()
    await page.getByRole('link', { name: 'Microsoft Entra ID', exact: true }).click()
    await page.getByRole('heading', { name: 'Microsoft Entra ID', level: 1 }).waitFor()
    await page.getByRole('button', { name: 'Generate Token' }).click()

    await page.getByText('It will not be shown again').waitFor()
    await page.getByRole('button', { name: 'Copy Secret Token' }).click()
    const token = String(await page.evaluate('navigator.clipboard.readText()'))
    expect(token).toMatch(/^scim_default_[\w-]{43}$/)
    await page.getByRole('button', { name: 'Copy Tenant URL' }).click()
    const tenantUrl = String(await page.evaluate('navigator.clipboard.readText()'))
    expect(tenantUrl).toBe(`${origin}/scim/v2`)

    const first = await provision(tenantUrl, token, 'first.json')
    expect(first.output).toContain('Cycle 1')
    await page.getByRole('link', { name: 'I have copied it' }).click()
    // The guide sees what has arrived.
    await page.locator('.watch-steps li.done', { hasText: 'First group' }).waitFor()
    expect(await page.locator('.watch-steps li.done').count()).toBe(4)
    await page.getByRole('link', { name: 'Users and Groups' }).click()
    await page.getByLabel('Search users').fill('mirela')
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByRole('link', { name: 'mirela.osterholt@quillfern.example' }).click()
    await page.getByRole('heading', { name: 'Mirela Osterholt', level: 1 }).waitFor()
    expect(await page.getByText('User · create').count()).toBe(1)
    await page.getByRole('link', { name: 'Overview' }).click()
    expect(
      await page
        .getByText(/^\d+ of \d+/)
        .first()
        .isVisible(),
    ).toBe(true)

    await page.getByRole('link', { name: 'API Keys' }).first().click()
    // The newest token is the first one.
    await page
      .getByRole('link', { name: /^Revoke/ })
      .first()
      .click()
    await page.getByRole('button', { name: 'Revoke' }).click()
    await page.getByText('The token is revoked').waitFor()
    const refused = await provision(tenantUrl, token, 'second.json')
    expect(refused.code).not.toBe(0)
    expect(refused.output).toMatch(/401|credentials/i)
    expect(errors).toEqual([])
  })

  it('gives the four values of OAuth, whose access token provisions until the secret is revoked', async () => {
    const { page, errors } = await newPage(browser, { permissions: ['clipboard-read', 'clipboard-write'] })
    await signIn(page)
    await page.getByRole('link', { name: 'API Keys' }).first().click()
    await page.getByLabel('Name', { exact: true }).fill('OAuth')
    await page.getByRole('button', { name: 'Generate Client Secret' }).click()
    await page.getByText('It will not be shown again').waitFor()
    const copied = async (name: string) => {
      await page.getByRole('button', { name: `Copy ${name}` }).click()
      return String(await page.evaluate('navigator.clipboard.readText()'))
    }
    const tenantUrl = await copied('Tenant URL')
    const tokenEndpoint = await copied('Token Endpoint')
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: await copied('Client Identifier'),
      client_secret: await copied('Client Secret'),
    })
    const answer = await fetch(tokenEndpoint, { method: 'POST', body: form })
    const { access_token: accessToken } = (await answer.json()) as { access_token: string }
    const first = await provision(tenantUrl, accessToken, 'oauth.json')
    expect(first.output).toContain('Cycle 1')
    await page.getByRole('link', { name: 'I have copied it' }).click()
    await page.getByRole('link', { name: /^Revoke the secret OAuth/ }).click()
    await page.getByRole('button', { name: 'Revoke' }).click()
    await page.getByText('The secret is revoked').waitFor()
    expect((await provision(tenantUrl, accessToken, 'oauth.json')).output).toMatch(/401|credentials/i)
    expect((await fetch(tokenEndpoint, { method: 'POST', body: form })).status).toBe(401)
    expect(errors).toEqual([])
  })

  it('works without JavaScript', async () => {
    const { page, errors } = await newPage(browser, { javaScriptEnabled: false })
    await signIn(page)
    await page.getByRole('link', { name: 'Tenants' }).click()
    const id = `nojs-${crypto.randomUUID().slice(0, 8)}`
    await page.getByLabel('Id', { exact: true }).fill(id)
    await page.getByLabel('Name', { exact: true }).fill('Without script')
    await page.getByRole('button', { name: 'Create tenant' }).click()
    await page.getByRole('link', { name: 'API Keys' }).first().click()
    await page.getByRole('button', { name: 'Generate Token' }).first().click()
    expect(await page.getByRole('textbox', { name: 'Secret Token' }).inputValue()).toMatch(
      new RegExp(`^scim_${id}_`),
    )
    expect(await page.getByRole('button', { name: 'Copy Secret Token' }).count()).toBe(0)
    await page.getByRole('link', { name: 'I have copied it' }).click()
    await page.getByRole('link', { name: /^Rotate/ }).click()
    await page.getByRole('button', { name: 'Generate the new token' }).click()
    await page.getByRole('link', { name: 'I have copied it' }).click()
    await page.getByText('To be revoked').waitFor()
    await page.getByRole('link', { name: 'Settings', exact: true }).click()
    await page.getByLabel(/^Type/).fill('Without script')
    await page.getByRole('button', { name: 'Delete tenant' }).click()
    await page.getByText('The tenant is deleted').waitFor()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByLabel('Admin token').waitFor()
    await page.goBack()
    await page.getByLabel('Admin token').waitFor()
    expect(errors).toEqual([])
  })
})
