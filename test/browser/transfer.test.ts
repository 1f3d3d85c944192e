/**
 * An import and an export as an administrator sees them, from the file to the end of the job, and the pictures of
 * docs/operate/dashboard.md, which are taken anew with the variable SCREENSHOTS=1.
 */
import { createHash } from 'node:crypto'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { admin, launch, newPage, origin, signedInState } from './support/browser.ts'

const PICTURES = resolve(import.meta.dirname, '../../docs/operate/pictures')
const TIMEOUT_MS = 300_000
const NAMES = [
  'Mirela Osterholt',
  'Oskar Müller-Lüdenscheidt',
  'ليلى النجار',
  'Ада Лавлейс',
  '王芳',
  'Zoë Ångström',
]

let browser: Browser
let state: Awaited<ReturnType<typeof signedInState>>

beforeAll(async () => {
  browser = await launch()
  state = await signedInState(browser)
}, TIMEOUT_MS)
afterAll(() => browser?.close())

const TAKES_PICTURES = process.env.SCREENSHOTS === '1'
/** So many that a picture shows the job on its way. */
const USERS = TAKES_PICTURES ? 30_000 : 3_000

async function picture(page: Page, name: string): Promise<void> {
  if (!TAKES_PICTURES) return
  await page.screenshot({ path: join(PICTURES, `${name}.png`), animations: 'disabled' })
}

/** An export with so many users, compressed. */
function exportOf(count: number): Buffer {
  const users = Array.from({ length: count }, (_, i) => {
    const id = `01a2097c-0000-7000-8000-${i.toString(16).padStart(12, '0')}`
    const displayName = NAMES[i % NAMES.length]
    const resource = {
      userName: `user-${i}@quillfern.example`,
      displayName,
      externalId: `E-${10_000 + i}`,
      active: i % 9 > 0,
    }
    return `${JSON.stringify({ kind: 'user', id, version: 1, createdAt: 1, lastModified: 1_795_000_000_000, resource })}\n`
  }).join('')
  const sha256 = createHash('sha256').update(users).digest('hex')
  return gzipSync(
    `${users}${JSON.stringify({ kind: 'end', users: count, groups: 0, memberships: 0, sha256 })}\n`,
  )
}

it('a file is checked, imported with its progress, and exported again', { timeout: TIMEOUT_MS }, async () => {
  const id = `t-${crypto.randomUUID()}`
  await admin('POST', '/tenants', { id, name: 'Quillfern' })
  const viewport = { width: 1000, height: 700 }
  const { page, errors } = await newPage(browser, { storageState: state, viewport })
  await page.goto(`/admin/tenants/${id}/transfer`)
  const file = { name: 'quillfern.jsonl.gz', mimeType: 'application/gzip', buffer: exportOf(USERS) }
  await page.getByLabel('File').setInputFiles(file)
  await page.getByRole('button', { name: 'Check the file' }).click()
  await page.getByText('The file is complete and unchanged').waitFor({ timeout: TIMEOUT_MS })
  // The file is still chosen.
  await page.getByRole('button', { name: 'Import', exact: true }).click()
  await page
    .getByText('The import has begun')
    .or(page.getByText('Import finished'))
    .first()
    .waitFor({ timeout: TIMEOUT_MS })
  if (TAKES_PICTURES) await page.getByText(/\([2-9]\d %\)/).waitFor({ timeout: TIMEOUT_MS })
  await picture(page, 'transfer')
  // Without a reload by the reader.
  await page.getByText('Import finished').waitFor({ timeout: TIMEOUT_MS })
  expect((await admin('GET', `/tenants/${id}`)).userCount).toBe(USERS)

  await page.getByRole('button', { name: 'Export', exact: true }).click()
  const link = page.getByRole('link', { name: 'Download the export' })
  await link.waitFor({ timeout: TIMEOUT_MS })
  const [download] = await Promise.all([page.waitForEvent('download'), link.click()])
  expect(download.suggestedFilename()).toBe(`${id}.jsonl`)

  await page.keyboard.press('?')
  await page.getByRole('dialog').waitFor()
  await picture(page, 'shortcuts')
  await page.keyboard.press('Escape')

  const { token } = await admin('POST', `/tenants/${id}/tokens`, { name: 'Microsoft Entra ID' })
  await fetch(`${origin}/scim/v2/Users/01a2097c-0000-7000-8000-000000000001`, {
    method: 'DELETE',
    headers: { Authorization: `Bearer ${token}` },
  })
  await page.goto(`/admin/tenants/${id}/deleted`)
  await page.getByRole('link', { name: 'Restore' }).click()
  await page.getByText('It had no memberships.').waitFor()
  await picture(page, 'restore')
  await page.getByRole('button', { name: 'Restore' }).click()
  await page.getByText('It is restored.').waitFor()

  await page.goto('/admin/limits')
  await page.getByRole('heading', { name: 'Limits and settings', level: 1 }).waitFor()
  await picture(page, 'limits')
  expect(errors).toEqual([])
  await page.context().close()
})
