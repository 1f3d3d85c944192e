/**
 * The dashboard's part of docs/connect/entra.md: each page that it shows, with what its text says about the page. With the variable
 * SCREENSHOTS=1, the pictures of the document are taken anew. test/docs/commands.test.ts runs its commands.
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { admin, launch, newPage, signIn } from './support/browser.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const PICTURES = join(ROOT, 'docs/connect/pictures')
const TIMEOUT_MS = 300_000
const WINDOW = { width: 1000, height: 640 }

let browser: Browser
let folder: string

beforeAll(async () => {
  browser = await launch()
  folder = mkdtempSync(join(tmpdir(), 'scim-worker-tutorial-'))
})
afterAll(async () => {
  await browser?.close()
  rmSync(folder, { recursive: true, force: true })
})

async function picture(page: Page, name: string): Promise<void> {
  if (process.env.SCREENSHOTS !== '1') return
  await page.screenshot({ path: join(PICTURES, `${name}.png`), animations: 'disabled' })
}

/** Runs one cycle of the emulator. @returns what it printed */
function provision(tenantUrl: string, token: string): Promise<string> {
  const args = ['src/entra/cli.ts', 'provision', '--directory', join(folder, 'people.json')]
  const target = ['--tenant-url', tenantUrl, '--token', token, '--concurrency', '10']
  const child = spawn(process.execPath, [...args, ...target], { cwd: ROOT })
  return new Promise((done, failed) => {
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    child.stderr.on('data', (chunk) => (output += chunk))
    child.on('error', failed)
    child.on('exit', () => done(output))
  })
}

it('shows what the tutorial describes, from the token to the limit of groups', {
  timeout: TIMEOUT_MS,
}, async () => {
  const generate = ['generate', '--users', '40', '--groups', '210', '--seed', '7']
  execFileSync(process.execPath, [
    join(ROOT, 'src/entra/cli.ts'),
    ...generate,
    '--output',
    join(folder, 'people.json'),
  ])
  const { page, errors } = await newPage(browser, { viewport: WINDOW })
  await signIn(page)

  // Step 3: the token.
  await page.getByRole('link', { name: 'Connect', exact: true }).first().click()
  await page.getByRole('link', { name: 'Microsoft Entra ID', exact: true }).click()
  await page.getByRole('heading', { name: 'What has been seen' }).waitFor()
  await picture(page, 'connect')
  await page.getByRole('button', { name: 'Generate Token' }).click()
  await page.getByText('It will not be shown again').waitFor()
  await page.locator('#values').scrollIntoViewIfNeeded()
  await picture(page, 'token')
  const token = await page.getByRole('textbox', { name: 'Secret Token' }).inputValue()
  const tenantUrl = await page.getByRole('textbox', { name: 'Tenant URL' }).inputValue()
  await page.getByRole('link', { name: 'I have copied it' }).click()

  const others = (await admin('GET', '/tenants/default')).groupCount

  // Step 6: the first cycle, with the objectGUID of step 2.
  expect(await provision(tenantUrl, token)).toContain('Cycle 1 (initial) finished')
  await page.getByRole('link', { name: 'Users and Groups' }).first().click()
  await page.getByLabel('Search users').fill('mirela')
  await page.getByRole('button', { name: 'Search' }).click()
  await page.getByRole('link', { name: "mirela.o'hara1@quillfern.example" }).click()
  await page.getByText('nativeObjectId').first().waitFor()
  await picture(page, 'user')

  // Step 7: the refused groups, and the limit.
  const { entries } = await admin('GET', '/tenants/default/log?outcome=refused&resourceType=Group')
  // Ten in an empty tenant; other tests may have left groups in it. The commands of the tutorial check the ten.
  expect(entries.length).toBeGreaterThanOrEqual(10)
  // Its name needs no font that a machine may lack.
  const { id } = entries.find((entry: { resourceName: string }) => entry.resourceName === 'Legal South 201')
  await page.goto(`/admin/tenants/default/log/${id}`)
  await page
    .getByText(/its limit is 200/)
    .first()
    .waitFor()
  await picture(page, 'log')
  await page.getByRole('link', { name: 'Settings', exact: true }).click()
  await page.getByLabel(/group limit/i).fill('1000')
  await picture(page, 'group-limit')
  await page.getByLabel(/group limit/i).press('Enter')
  await expect.poll(async () => (await admin('GET', '/tenants/default')).groupLimit).toBe(1000)
  expect(await provision(tenantUrl, token)).toContain('Cycle 2 (incremental) finished')
  expect((await admin('GET', '/tenants/default')).groupCount).toBe(others + 210)
  expect(errors).toEqual([])
})
