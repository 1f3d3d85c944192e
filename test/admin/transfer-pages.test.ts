/**
 * The page Export and import: files in forms, their check and import, and the progress of the job.
 */
import { env } from 'cloudflare:workers'
import { describe, expect, it, vi } from 'vitest'
import { Browser, textOf } from '../support/dashboard.ts'
import {
  exported,
  fileOf,
  groupLine,
  imported,
  textOf as lines,
  memberLine,
  userLine,
  users,
} from '../support/directory-file.ts'
import { admin, newClient } from '../support/harness.ts'

const FILE = await fileOf([...users(3), groupLine(4), memberLine(4, 1), memberLine(4, 2)])
const COMPRESSED = await gzip(FILE)

async function newPage(options?: Parameters<typeof newClient>[0]) {
  const client = await newClient(options)
  const browser = await new Browser().signIn()
  const tenant = `/admin/tenants/${client.tenantId}`
  return { client, browser, tenant, path: `${tenant}/transfer` }
}

/** Waits until the page shows a text. */
async function shown(browser: Browser, path: string, text: string | RegExp): Promise<string> {
  return await vi.waitFor(
    async () => {
      const { html } = await browser.get(path)
      expect(textOf(html)).toMatch(text)
      return html
    },
    { timeout: 25_000, interval: 20 },
  )
}

async function gzip(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}

describe('an export', () => {
  it('is started, shows that it has finished, and offers the file', async () => {
    const { client, browser, tenant, path } = await newPage()
    await imported(client.tenantId, FILE)
    expect((await browser.get(path)).html).toContain(`action="${tenant}/export"`)
    expect((await browser.post(`${tenant}/export`, {})).location).toBe(`${path}?done=exporting`)
    const html = await shown(browser, path, 'Download the export')
    expect(textOf(html)).toContain('Export finished')
    const link = new RegExp(`href="(${tenant}/jobs/[^"]+/file)"`).exec(html)?.[1] ?? ''
    expect((await browser.get(link)).html).toBe(await exported(client.tenantId))
    expect((await new Browser().get(link)).status).toBe(303)
  })

  it('says why it cannot begin', async () => {
    const { client, browser, tenant } = await newPage()
    await runningImport(client.tenantId)
    const { html, status } = await browser.post(`${tenant}/export`, {})
    expect(status).toBe(409)
    expect(html).toContain('The import into tenant')
    expect(html).toMatch(/<button[^>]*disabled[^>]*>\s*Export/)
    // Nobody works on this job: others look at all jobs of the database.
    await env.DB.prepare('DELETE FROM jobs WHERE tenant_id = ?').bind(client.tenantId).run()
  })
})

async function runningImport(tenantId: string): Promise<void> {
  await env.DB.prepare(
    `INSERT INTO jobs (id, tenant_id, kind, state, step, source, done, total, created_at)
     VALUES (?, ?, 'import', 'running', 'importing', 'DB', 250, 1000, 0)`,
  )
    .bind(crypto.randomUUID(), tenantId)
    .run()
}

describe('an import', () => {
  it.each([
    ['as it is', FILE],
    ['compressed', COMPRESSED],
  ])('stores a file %s', async (_, file) => {
    const { client, browser, path } = await newPage()
    const sent = await browser.postFile(`${path}/import`, file)
    expect([sent.status, sent.location]).toEqual([303, `${path}?done=importing`])
    await shown(browser, path, /Import finished/)
    const copy = await newClient()
    await imported(copy.tenantId, FILE)
    expect(await exported(client.tenantId)).toBe(await exported(copy.tenantId))
  })

  it('shows its progress as a bar, and can be cancelled', async () => {
    const { client, browser, tenant, path } = await newPage()
    await runningImport(client.tenantId)
    const { html } = await browser.get(path)
    expect(html).toContain('<progress aria-label="Import" max="1000" value="250">')
    expect(textOf(html)).toContain('Import: importing, 250 of about 1,000 lines (25 %)')
    expect((await browser.post(`${tenant}/undo-import`, {})).location).toBe(`${path}?done=undoing`)
    await shown(browser, path, 'Import failed: cancelled by an administrator')
  })

  it('names the line that the database refuses, and keeps nothing', async () => {
    const { client, browser, path } = await newPage()
    await browser.postFile(`${path}/import`, await fileOf([...users(3), userLine(2)]))
    await shown(browser, path, 'Import failed: line 4: an earlier line has the same "userName"')
    expect((await admin('GET', `/tenants/${client.tenantId}`)).body).toMatchObject({ userCount: 0 })
  })

  it('is refused, and not offered, if the tenant has users', async () => {
    const { client, browser, path } = await newPage()
    await client.createUser()
    const { html } = await browser.get(path)
    expect(textOf(html)).toContain('An import needs an empty tenant, and this one has 1 user and 0 groups.')
    expect(html).not.toMatch(/>\s*Import\s*<\/button>/)
    const refused = await browser.postFile(`${path}/import`, FILE)
    expect([refused.status, textOf(refused.html)]).toEqual([
      409,
      expect.stringContaining('An import requires an empty tenant'),
    ])
  })

  it.each([
    ['is cut', FILE.slice(0, FILE.indexOf('\n') + 1), 400, 'The file is incomplete'],
    ['is empty', '', 400, 'The file is incomplete'],
    ['is a picture', new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0xff, 0xfe]), 400, 'The body is not UTF-8.'],
    [
      'is damaged gzip',
      new Uint8Array([0x1f, 0x8b, 8, 0, 1, 2, 3]),
      400,
      'The gzip file is damaged or incomplete.',
    ],
    ['has very many blank lines', '\n'.repeat(1_000_000), 400, 'The file has more than 10000 blank lines.'],
    ['has a line that is too long', 'a'.repeat(2_000_001), 413, 'Line 1 is too long'],
  ])('says on the page that the file %s', async (_, file, status, message) => {
    const { client, browser, path } = await newPage()
    for (const action of ['import', 'check']) {
      const { html, ...page } = await browser.postFile(`${path}/${action}`, file)
      expect([action, page.status]).toEqual([action, status])
      expect(textOf(html)).toContain(message)
      expect(html).toContain('id="import-file"')
    }
    await shown(browser, path, 'Import failed')
    expect((await admin('GET', `/tenants/${client.tenantId}`)).body).toMatchObject({
      state: 'ready',
      userCount: 0,
    })
  })

  it('says that no file was chosen', async () => {
    const { browser, path } = await newPage()
    const boundary = '----b'
    const body = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename=""\r\n\r\n\r\n--${boundary}--\r\n`
    const type = { 'Content-Type': `multipart/form-data; boundary=${boundary}` }
    const { html, status } = await browser.postFile(`${path}/import`, '', type, body)
    expect([status, textOf(html)]).toEqual([400, expect.stringContaining('Choose a file.')])
  })

  it('refuses the form of another site, without a session, and with another type', async () => {
    const { client, browser, path } = await newPage()
    const foreign = await browser.postFile(`${path}/import`, FILE, { Origin: 'https://evil.example' })
    expect(foreign.status).toBe(403)
    const stranger = await new Browser().postFile(`${path}/import`, FILE)
    expect([stranger.status, stranger.location]).toEqual([303, '/admin/sign-in'])
    const text = await browser.postFile(`${path}/import`, FILE, { 'Content-Type': 'text/plain' })
    expect([403, 415]).toContain(text.status)
    const settings = await browser.postFile(path.replace('transfer', 'settings'), FILE)
    expect(settings.status).toBe(415)
    expect((await admin('GET', `/tenants/${client.tenantId}`)).body).toMatchObject({ userCount: 0 })
  })

  it('answers 404 for a tenant that does not exist', async () => {
    const { browser } = await newPage()
    expect((await browser.postFile('/admin/tenants/nobody/transfer/import', FILE)).status).toBe(404)
  })
})

describe('the check of a file', () => {
  it('says what the file has, and imports nothing', async () => {
    const { client, browser, path } = await newPage({ groupLimit: 0 })
    const { html, status } = await browser.postFile(`${path}/check`, FILE)
    expect(status).toBe(200)
    const text = textOf(html)
    expect(text).toContain('The file is complete and unchanged It has 3 users, 1 group and 2 memberships.')
    expect(text).toContain('This tenant may have 0 groups.')
    expect((await admin('GET', `/tenants/${client.tenantId}`)).body).toMatchObject({ userCount: 0 })
  })

  it('names the line that is wrong', async () => {
    const { browser, path } = await newPage()
    const file = await fileOf([userLine(1), userLine(2, { active: 'perhaps' })])
    const { html, status } = await browser.postFile(`${path}/check`, file)
    expect([status, textOf(html)]).toEqual([400, expect.stringContaining('Line 2')])
  })

  it('finds that a line was changed', async () => {
    const { browser, path } = await newPage()
    const { html } = await browser.postFile(`${path}/check`, FILE.replace('user-2@', 'user-9@'))
    expect(textOf(html)).toContain('the file was changed: "sha256" is')
  })

  it('shows the names of a file as text', async () => {
    const { browser, path } = await newPage()
    const line = lines([userLine(1, { '<script>alert(1)</script>': 1 })])
    const { html } = await browser.postFile(`${path}/check`, line)
    expect(html).not.toContain('<script>alert')
    expect(textOf(html)).toContain('<script>alert(1)</script>')
  })
})
