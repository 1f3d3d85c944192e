/**
 * The rotation of a token by an administrator who revokes the wrong one first.
 */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launch, newPage, newTenant, signedInState } from './support/browser.ts'

let browser: Browser

beforeAll(async () => {
  browser = await launch()
})
afterAll(async () => await browser?.close())

/** Rotates the token with those last characters. @returns the new one */
async function rotate(page: Page, end: string): Promise<string> {
  await page.getByRole('link', { name: new RegExp(`^Rotate the token .*${end}$`) }).click()
  await page.getByRole('button', { name: 'Generate the new token' }).click()
  await page.getByText('It will not be shown again').waitFor()
  const token = await page.getByRole('textbox', { name: 'Secret Token' }).inputValue()
  await page.getByRole('link', { name: 'I have copied it' }).click()
  return token
}

const revokeLink = (page: Page, end: string) =>
  page.getByRole('link', { name: new RegExp(`^Revoke the token .*${end}$`) })

describe('a rotation', () => {
  it('survives the revocation of the wrong token, without a script', async () => {
    const state = await signedInState(browser)
    const { page, errors } = await newPage(browser, { storageState: state, javaScriptEnabled: false })
    const tenant = await newTenant()
    const read = async (token?: string) => (await tenant.scim('GET', '/Users', undefined, token)).status
    expect(await read()).toBe(200)
    await page.goto(`${tenant.path}/api-keys`)
    const old = (await page.locator('#tokens tbody code').first().innerText()).slice(-4)

    const second = await rotate(page, old)
    await page.getByText(`scim_…${second.slice(-4)} replaces it and has not been used yet.`).waitFor()
    await revokeLink(page, second.slice(-4)).click()
    await page.getByText('This cancels the rotation.').waitFor()
    await page.getByRole('button', { name: 'Revoke it, keep the old one' }).click()
    await page.getByText('The token is revoked').waitFor()
    expect([await read(), await read(second)]).toEqual([200, 401])

    const third = await rotate(page, old)
    await revokeLink(page, old).click()
    await page.getByText('No other credential of its client has ever been used.').waitFor()
    await page.getByRole('link', { name: 'Cancel' }).click()
    expect(await read(third)).toBe(200)
    await page.reload()
    await page.getByText(`scim_…${third.slice(-4)} replaces it and is in use.`).waitFor()
    await revokeLink(page, old).click()
    await page.getByRole('button', { name: 'Revoke', exact: true }).click()
    await page.getByText('The token is revoked').waitFor()
    expect([await read(), await read(third)]).toEqual([401, 200])
    await revokeLink(page, third.slice(-4)).click()
    await page.getByText('This is the only valid credential of its client.').waitFor()
    expect(errors).toEqual([])
  })
})
