import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { noFigures, openDatabase } from '../../src/storage/database/database.ts'
import { logExpiryWarnings } from '../../src/storage/log/expiry-warnings.ts'
import { DAY_MS } from '../support/clock.ts'
import { Browser, textOf } from '../support/dashboard.ts'
import { costOf, newClient, newToken, PATCH_OP, USER } from '../support/harness.ts'

async function newLog() {
  const client = await newClient()
  const browser = await new Browser().signIn()
  return { client, browser, path: `/admin/tenants/${client.tenantId}/log` }
}

/** The names on a page, in order. */
function namesOn(html: string): readonly string[] {
  return [...html.matchAll(/class="entry-name">([^<]*)</g)].map(([, name]) => name ?? '')
}

describe('the provisioning log', () => {
  it('shows in an entry the changed attributes with old and new values, and the ignored ones', async () => {
    const { client, browser, path } = await newLog()
    const user = await client.createUser({ userName: 'mirela', title: 'Engineer', favouriteColour: 'red' })
    const Operations = [{ op: 'replace', path: 'title', value: 'Lead' }]
    await client.request('PATCH', `/Users/${user.id}`, { schemas: [PATCH_OP], Operations })
    const text = textOf((await browser.get(path)).html)
    expect(text).toContain('title Engineer Lead')
    expect(text).toMatch(/Ignored: .*favouriteColour/)
    expect(text).toContain('Request id')
  })

  it('names the operations that a disabling PATCH left out, and shows the PATCH as accepted', async () => {
    const { client, browser, path } = await newLog()
    const user = await client.createUser({ userName: 'mirela' })
    const title = { op: 'replace', path: 'title', value: 5 }
    await client.patch(`/Users/${user.id}`, title, { op: 'replace', path: 'active', value: false })
    const { html } = await browser.get(`${path}?action=disable`)
    expect(textOf(html)).toMatch(/omitted: attribute "title" must be a string.* Ignored: title/s)
    expect(html).not.toContain('notice danger')
    expect(textOf((await browser.get(`${path}?q=omitted`)).html)).toContain('mirela')
  })

  it('says what to do about a refusal, and leads to the user that has the name', async () => {
    const { client, browser, path } = await newLog()
    const { userName } = await client.createUser()
    await client.request('POST', '/Users', { schemas: [USER], userName })
    const { html } = await browser.get(`${path}?outcome=refused`)
    expect(textOf(html)).toContain('Find the resource that has it')
    const href = /href="([^"]+)">Show the user that has it</.exec(html)?.[1]?.replaceAll('&amp;', '&') ?? ''
    expect(textOf((await browser.get(href)).html)).toContain(`${userName} `)
  })

  it('leads to no page of a resource that does not exist', async () => {
    const { client, browser, path } = await newLog()
    const { id } = await client.createUser()
    await client.request('DELETE', `/Users/${id}`)
    await client.request('DELETE', `/Users/${id}`)
    for (const filter of ['action=delete&outcome=accepted', 'action=delete&outcome=refused']) {
      const { html } = await browser.get(`${path}?${filter}`)
      expect([filter, html.includes('Open the user')]).toEqual([filter, false])
      expect(textOf(html)).toContain('All entries')
    }
  })

  it('names no credential for what an administrator did', async () => {
    const { client, browser, path } = await newLog()
    const { id } = await client.createUser()
    await browser.post(`/admin/tenants/${client.tenantId}/users/${id}/disable`, { reason: '' })
    const text = textOf((await browser.get(`${path}?action=disable`)).html)
    expect(text).toContain('Client Administrator')
    for (const part of ['Credential', 'Federation']) expect(text).not.toContain(part)
  })

  it('keeps the navigation of the tenant on the page of an entry that does not exist', async () => {
    const { browser, path } = await newLog()
    const { status, html } = await browser.get(`${path}/${crypto.randomUUID()}`)
    expect(status).toBe(404)
    expect(html).toContain(`href="${path}"`)
    expect(html).toContain(`href="${path.replace(/log$/, 'webhooks')}"`)
  })

  it('shows a warning of a credential that expires soon, which has no answer', async () => {
    const { client, browser, path } = await newLog()
    const expiresAt = new Date(Date.now() + 7 * DAY_MS - 1000).toISOString()
    await newToken(client.tenantId, { name: 'Entra', expiresAt })
    await logExpiryWarnings(openDatabase(env.DB, noFigures()), Date.now())
    const { html } = await browser.get(`${path}?action=warn`)
    expect(namesOn(html)).toEqual(['Entra'])
    const text = textOf(html)
    expect(text).toContain('Warning')
    expect(text).toContain(`the token expires at ${expiresAt.slice(0, 16).replace('T', ' ')} UTC`)
    expect(text).toContain('Credential Entra')
    for (const part of ['HTTP 0', 'Request id', 'The values were the same']) expect(text).not.toContain(part)
  })

  it('filters by each field and by several', async () => {
    const { client, browser, path } = await newLog()
    const user = await client.createUser({ userName: 'anna' })
    await client.createUser({ userName: 'bela' })
    await client.request('POST', '/Groups', { displayName: 'crew' })
    await client.request('POST', '/Users', { schemas: [USER], userName: 'anna' })
    await client.request('DELETE', `/Users/${user.id}`)
    const other = await newToken(client.tenantId, { name: 'Other' })
    const names = async (query: string) => namesOn((await browser.get(`${path}?${query}`)).html)
    expect(await names('')).toEqual(['anna', 'anna', 'crew', 'bela', 'anna'])
    expect(await names('outcome=refused')).toEqual(['anna'])
    expect(await names('action=delete')).toEqual(['anna'])
    expect(await names('type=Group')).toEqual(['crew'])
    expect(await names('q=ANN')).toEqual(['anna', 'anna', 'anna'])
    expect(await names('q=already')).toEqual(['anna'])
    expect(await names(`resource=${user.id}`)).toEqual(['anna', 'anna'])
    expect(await names(`token=${other.id}`)).toEqual([])
    expect(await names('from=2020-01-01T00:00&to=2020-02-01T00:00')).toEqual([])
    expect(await names('from=2020-01-01T00:00&type=User&outcome=accepted&q=bel')).toEqual(['bela'])
  })

  it('shows an invalid filter as an error beside its field', async () => {
    const { browser, path } = await newLog()
    const page = await browser.get(`${path}?from=yesterday&q=kept`)
    expect(page.status).toBe(400)
    expect(page.html).toContain('id="filter-from-error"')
    expect(page.html).toContain('value="kept"')
    expect((await browser.get(`${path}?action=explode`)).status).toBe(400)
    expect((await browser.get(`${path}.csv?from=yesterday`)).status).toBe(400)
  })

  it('pages by cursor, and reads a bounded number of rows for a rare match in a long log', async () => {
    const { client, browser, path } = await newLog()
    const rare = await client.createUser({ userName: 'needle' })
    await fillLog(client.tenantId, 5_000)
    const first = await browser.get(path)
    expect(namesOn(first.html)).toHaveLength(50)
    expect(costOf({ status: 200, headers: first.headers, body: undefined }).rowsRead).toBeLessThan(250)
    let at = `${path}?q=needle`
    let found: readonly string[] = []
    for (let i = 0; i < 40 && found.length === 0; i++) {
      const page = await browser.get(at)
      const { roundTrips, rowsRead } = costOf({ status: 200, headers: page.headers, body: undefined })
      expect([roundTrips <= 2, rowsRead <= 200 || rowsRead]).toEqual([true, true])
      found = namesOn(page.html)
      const next = /<a href="([^"]+)">Search older entries/.exec(page.html)?.[1]
      if (found.length === 0) expect(next).toBeDefined()
      at = next?.replaceAll('&amp;', '&') ?? at
    }
    expect(found).toEqual(['needle'])
    const all = await browser.get(`${path}?outcome=accepted`)
    expect(namesOn(all.html)).toHaveLength(50)
    const cost = costOf({ status: 200, headers: all.headers, body: undefined })
    expect([cost.roundTrips, cost.rowsRead <= 200 || cost.rowsRead]).toEqual([2, true])
    const own = await browser.get(`${path}?resource=${rare.id}`)
    expect(namesOn(own.html)).toEqual(['needle'])
    expect(costOf({ status: 200, headers: own.headers, body: undefined }).rowsRead).toBeLessThan(20)
  })

  it('downloads all matches as CSV and JSON, without formulas in cells', async () => {
    const { client, browser, path } = await newLog()
    await client.createUser({ userName: '=HYPERLINK("http://evil.example","x")' })
    await client.createUser({ userName: 'a;=1+1;b' })
    await fillLog(client.tenantId, 2_499)
    const csv = await browser.get(`${path}.csv`)
    expect(csv.headers.get('Content-Disposition')).toMatch(
      /^attachment; filename="provisioning-log-.*\.csv"$/,
    )
    const lines = csv.html.trimEnd().split('\r\n')
    expect(lines).toHaveLength(2_502)
    expect(csv.html).toContain(`"'=HYPERLINK(""http://evil.example"",""x"")"`)
    expect(csv.html).toContain(`"a;'=1+1;b"`)
    const json = JSON.parse((await browser.get(`${path}.json`)).html)
    expect(json).toHaveLength(2_501)
    expect(json[0].time).toMatch(/^\d{4}-.*Z$/)
    const filtered = JSON.parse((await browser.get(`${path}.json?action=create&q=hyperlink`)).html)
    expect(filtered).toHaveLength(1)
    expect(JSON.parse((await browser.get(`${path}.json?q=nothing-at-all`)).html)).toEqual([])
  })

  it('downloads the same entries as the admin API', async () => {
    const { client, browser, path } = await newLog()
    await client.createUser()
    await client.request('POST', '/Users', { schemas: [] })
    const downloaded = JSON.parse((await browser.get(`${path}.json`)).html)
    expect(downloaded.length).toBeGreaterThan(1)
    expect(downloaded).toEqual(await client.log())
  })

  it('downloads long entries completely, although it reads a few megabytes at a time', async () => {
    const { client, browser, path } = await newLog()
    const changes = JSON.stringify([{ attribute: 'members', new: ['x'.repeat(60_000)] }])
    await fillLog(client.tenantId, 200, changes)
    const entries = JSON.parse((await browser.get(`${path}.json`)).html) as { id: string; changes: unknown }[]
    expect(new Set(entries.map(({ id }) => id)).size).toBe(200)
    expect(entries.map(({ id }) => id)).toEqual(
      entries
        .map(({ id }) => id)
        .toSorted()
        .reverse(),
    )
    expect(entries.every((entry) => JSON.stringify(entry.changes) === changes)).toBe(true)
  })

  it('shows a page of bounded size for entries of any size', async () => {
    const { client, browser, path } = await newLog()
    await fillLog(client.tenantId, 60, JSON.stringify([{ attribute: 'title', new: '<'.repeat(9_000) }]))
    const page = await browser.get(path)
    expect(namesOn(page.html)).toHaveLength(50)
    expect(page.html.length).toBeLessThan(200_000)
  })

  it('shows long lists of changes only on the page of the entry', async () => {
    const { client, browser, path } = await newLog()
    const changes = JSON.stringify([
      { attribute: 'members', new: Array.from({ length: 1_000 }, (_, i) => `member-${i}`) },
    ])
    await fillLog(client.tenantId, 1, changes)
    const page = await browser.get(path)
    expect(page.html).toContain('The list of changes is long')
    const href = /href="([^"]+)">Show it on its own page/.exec(page.html)?.[1] ?? ''
    const entry = await browser.get(href)
    expect(entry.html).toContain('member-199')
    expect(textOf(entry.html)).toContain('and 800 more')
  })
})

/** Adds entries after the present ones. */
async function fillLog(tenantId: string, count: number, changes = '[]'): Promise<void> {
  await env.DB.prepare(
    `INSERT INTO provisioning_log (tenant_id, id, time, token_id, action, outcome, resource_type, resource_id,
       resource_name, status, changes, ignored, request_id)
     WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < ${count})
     SELECT ?1, printf('0a000000-0000-7000-8000-%012d', i), 1790000000000 + i, 'token', 'update', 'accepted', 'User',
       printf('id-%d', i), printf('user %d', i), 200, ?2, '[]', 'request' FROM s`,
  )
    .bind(tenantId, changes)
    .run()
}
