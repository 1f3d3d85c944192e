/** The pages that explain a request and compare an export, without JavaScript. */
import { beforeAll, describe, expect, it } from 'vitest'
import { Browser, textOf } from '../support/dashboard.ts'
import { type Client, newClient, ORIGIN, send, USER } from '../support/harness.ts'

const SCRIPT = '<script>alert(1)</script>'

let client: Client
let browser: Browser
let path: string

beforeAll(async () => {
  client = await newClient()
  browser = await new Browser().signIn()
  path = `/admin/tenants/${client.tenantId}`
  await client.createUser({ userName: 'mirela@quillfern.example', displayName: SCRIPT })
})

describe('the page that explains a request', () => {
  it('is linked from a refused entry of the log, with its method, path, body and client', async () => {
    await client.request('POST', '/Users', { schemas: [USER], userName: 'mirela@quillfern.example' })
    const log = await browser.get(`${path}/log`)
    const href = /href="([^"]*\/explain\?[^"]*)"/.exec(log.html)?.[1]?.replaceAll('&amp;', '&') ?? ''
    expect(href).toMatch(/explain\?entry=[\da-f-]{36}$/)
    const form = await browser.get(href)
    expect(form.status).toBe(200)
    expect(form.html).toMatch(/<option value="POST" selected/)
    expect(form.html).toContain('value="/Users"')
    expect(form.html).toMatch(/<option value="t-[^"]+" selected/)
    expect(form.html).toContain('mirela@quillfern.example&quot;\n}</textarea>')
  })

  it('shows the refusal with its fix, and keeps the form', async () => {
    const body = JSON.stringify({ schemas: [USER], userName: 'mirela@quillfern.example' })
    const page = await browser.post(`${path}/explain`, { method: 'POST', path: '/Users', body, client: '' })
    const text = textOf(page.html)
    expect(page.status).toBe(200)
    expect(text).toContain('Refused 409')
    expect(text).toContain('already in use')
    expect(text).toContain('Find the resource that has it')
    expect(page.html).toContain('mirela@quillfern.example&quot;}</textarea>')
  })

  it('shows what a list costs, and values as text', async () => {
    const query = encodeURIComponent('title co "x" or userName sw "m"')
    const page = await browser.post(`${path}/explain`, { method: 'GET', path: `/Users?filter=${query}` })
    expect(textOf(page.html)).toContain('Without an index')
    expect(textOf(page.html)).toContain('User: title co')
    expect(page.html).not.toContain('<script>alert')
    expect(textOf(page.html)).toContain(SCRIPT)
  })

  it('names an invalid path and an invalid body', async () => {
    const bulk = await browser.post(`${path}/explain`, { method: 'POST', path: '/Bulk', body: '{}' })
    expect([bulk.status, textOf(bulk.html)]).toEqual([400, expect.stringContaining('bulk request')])
    const odd = await browser.post(`${path}/explain`, { method: 'POST', path: '/Users', body: '{' })
    expect([odd.status, odd.html]).toEqual([400, expect.stringContaining('id="body-error"')])
    const stranger = await browser.post(
      `${path}/explain`,
      { method: 'GET', path: '/Users' },
      { Origin: 'https://x.example' },
    )
    expect(stranger.status).toBe(403)
  })
})

describe('a long answer', () => {
  it('is shown in part, and says so', async () => {
    const client = await newClient()
    const title = '<b>\u{1F600}'.repeat(200)
    for (let i = 0; i < 30; i++) await client.createUser({ title })
    const own = `/admin/tenants/${client.tenantId}/explain`
    const { status, html } = await browser.post(own, { method: 'GET', path: '/Users', body: '', client: '' })
    expect(status).toBe(200)
    expect(textOf(html)).toMatch(
      /The answer has [\d,]+ characters as shown here\. These are the first 1\d,\d{3}\./,
    )
    expect(html.length).toBeLessThan(60_000)
  })
})

describe('the page that compares an export', () => {
  async function upload(file: string, fields: Record<string, string> = {}, origin = ORIGIN) {
    const form = new FormData()
    for (const [name, value] of Object.entries(fields)) form.set(name, value)
    form.set('file', new File([file], 'users.csv', { type: 'text/csv' }))
    const encoded = new Response(form)
    const body = await encoded.arrayBuffer()
    const headers = {
      'Content-Type': encoded.headers.get('Content-Type') ?? '',
      'Content-Length': String(body.byteLength),
      Cookie: browser.cookie,
      Origin: origin,
    }
    return send(new Request(`${ORIGIN}${path}/drift`, { method: 'POST', headers, body }))
  }
  const FILE = 'userPrincipalName,displayName\nmirela@quillfern.example,=1+1\nnew@quillfern.example,New\n'

  it('is linked from the list of users, and shows the differences', async () => {
    expect((await browser.get(`${path}/users`)).html).toContain(`${path}/drift"`)
    expect((await browser.get(`${path}/drift`)).html).toContain('multipart/form-data')
    const { status, body } = await upload(FILE)
    const text = textOf(body)
    expect(status).toBe(200)
    expect(text).toContain('2 exported, 1 missing, 0 extra, 1 different')
    expect(text).toContain('users are matched by userName')
    expect(text).toContain('new@quillfern.example')
    expect(body).not.toContain('<script>alert')
  })

  it('gives the differences as a file', async () => {
    const csv = await upload(FILE, { format: 'csv' })
    expect(csv.headers.get('Content-Disposition')).toMatch(/^attachment; filename="drift-.*\.csv"$/)
    expect(csv.body).toContain(",displayName,'=1+1,<script>")
    const json = await upload(FILE, { format: 'json' })
    expect(json.body.differenceCount).toBe(2)
    expect((await upload(FILE, { format: 'constructor' })).headers.get('Content-Type')).toMatch(/^text\/html/)
  })

  it('says what is wrong with a file, and of which site a form is', async () => {
    const cut = await upload('userPrincipalName\n"a')
    expect([cut.status, textOf(cut.body)]).toEqual([400, expect.stringContaining('The file is cut short')])
    const other = await upload('userPrincipalName\nx@other.example\n')
    expect(textOf(other.body)).toContain('Another tenant?')
    expect((await upload(FILE, {}, 'https://x.example')).status).toBe(403)
  })
})
