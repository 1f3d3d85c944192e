/**
 * The log keeps what a client has sent in a refused write: without secrets, bounded, and of no use to fill the log.
 */
import { env } from 'cloudflare:workers'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { MAX_KEPT_REQUEST_CHARACTERS, MAX_KEPT_REQUESTS_PER_MINUTE } from '../../src/scim/limits.ts'
import { HOUR_MS, releaseClock, resumeIds, setClock } from '../support/clock.ts'
import { Browser, textOf } from '../support/dashboard.ts'
import { admin, Client, newClient, newToken, PATCH_OP, USER } from '../support/harness.ts'

afterEach(releaseClock)
afterAll(resumeIds)

/** The requests of the entries, newest first. */
async function requestsOf(client: Client) {
  // biome-ignore lint/suspicious/noExplicitAny: -- tests assert on what they read
  return (await client.log('?outcome=refused')).map(({ request }) => request as any)
}

const minute = () => Date.now() - (Date.now() % HOUR_MS) + 5 * 60_000

describe('the request of a refused write', () => {
  it('is in the admin API, on the page of the entry, and in the download', async () => {
    const client = await newClient()
    const body = { schemas: [USER], displayName: 'Ada <b>', name: { givenName: 'Ada' } }
    await client.request('POST', '/Users', body)
    const [entry] = await client.log()
    expect(entry?.request).toEqual({ method: 'POST', body, isShortened: false })
    const browser = await new Browser().signIn()
    const path = `/admin/tenants/${client.tenantId}/log`
    const page = await browser.get(`${path}/${entry?.id}`)
    expect(textOf(page.html)).toContain('Request POST, without secrets')
    expect(page.html).toContain('Ada &lt;b&gt;')
    const list = await browser.get(path)
    expect(list.html).toContain(`${path}/${entry?.id}">Show what the client sent</a>`)
    expect(list.html).not.toContain('Ada &lt;b&gt;')
    expect(JSON.parse((await browser.get(`${path}.json`)).html)).toMatchObject([{ request: { body } }])
  })

  it('fills the form that explains it, with one click', async () => {
    const client = await newClient()
    const user = await client.createUser()
    await client.request('PUT', `/Users/${user.id}`, { schemas: [USER], displayName: 'no \u202ename' })
    const browser = await new Browser().signIn()
    const [entry] = await client.log()
    const page = await browser.get(`/admin/tenants/${client.tenantId}/log/${entry?.id}`)
    const href = /href="([^"]+)">Explain this request</.exec(page.html)?.[1] ?? ''
    expect(href).toBe(`/admin/tenants/${client.tenantId}/explain?entry=${entry?.id}`)
    const form = await browser.get(href)
    expect(form.html).toMatch(/<option value="PUT" selected/)
    expect(form.html).toContain(`value="/Users/${user.id}"`)
    expect(form.html).toContain('&quot;displayName&quot;: &quot;no \\u202ename&quot;')
    expect(form.html).toMatch(new RegExp(`<option value="${entry?.clientId}" selected`))
    const unknown = await browser.get(
      `/admin/tenants/${client.tenantId}/explain?entry=${crypto.randomUUID()}`,
    )
    expect(unknown.status).toBe(404)
  })

  it('has no secrets, wherever they are', async () => {
    const client = await newClient()
    const user = await client.createUser()
    const secret = 'correct-horse-battery'
    await client.request('POST', '/Users', {
      schemas: [USER],
      password: secret,
      unknown: { apiToken: secret, clientSecret: secret, note: `use ${client.token} please` },
      [`${USER}:password`]: secret,
      name: { familyName: 'Bearer abcdefghijkl' },
    })
    await client.request('PATCH', `/Users/${user.id}`, {
      schemas: [PATCH_OP],
      Operations: [
        { op: 'replace', path: 'password', value: secret },
        { op: 'replace', path: `${USER}:password`, value: secret },
        { op: 'replace', path: `emails[password eq "${secret}"].value`, value: 'x' },
        { op: 'add', value: { password: secret, 'name.password': secret } },
        { op: 'replace', path: 'userName', value: '' },
      ],
    })
    const requests = await requestsOf(client)
    expect(requests).toHaveLength(2)
    expect(JSON.stringify(requests)).not.toContain(secret)
    expect(JSON.stringify(requests)).not.toContain(client.token)
    expect(requests[1].body).toMatchObject({ password: '(not kept)', name: { familyName: '(not kept)' } })
    expect(requests[0].body.Operations[4]).toEqual({ op: 'replace', path: 'userName', value: '' })
    const { results } = await env.DB.prepare('SELECT * FROM provisioning_log WHERE tenant_id = ?')
      .bind(client.tenantId)
      .all()
    expect(JSON.stringify(results)).not.toContain(secret)
  })

  it('has no secrets that are spelled in another case, in pairs, or quoted by the detail', async () => {
    const client = await newClient()
    const user = await client.createUser()
    const secret = 'correct-horse-battery'
    const refused = { op: 'replace', path: 'userName', value: '' }
    for (const operation of [
      { Op: 'replace', Path: 'password', Value: secret },
      { OP: 'replace', PATH: `${USER}:password`, VALUE: secret },
      { op: 'add', value: [{ name: 'password', value: secret }] },
      { op: 'replace', path: `emails[pin eq ${secret}].value`, value: 'x' },
      { op: 'replace', path: `password eq "${secret}"`, value: 'x' },
    ]) {
      const Operations = [operation, refused]
      await client.request('PATCH', `/Users/${user.id}`, { schemas: [PATCH_OP], Operations })
    }
    await client.request('GET', `/Users?filter=password eq ${secret}`)
    await client.request('GET', `/Users?sortBy=password ${secret}`)
    const { results } = await env.DB.prepare('SELECT * FROM provisioning_log WHERE tenant_id = ?')
      .bind(client.tenantId)
      .all()
    expect(results.filter(({ outcome }) => outcome === 'refused')).toHaveLength(7)
    expect(JSON.stringify(results)).not.toContain(secret)
  })

  it('is shortened to fit, and says so', async () => {
    const client = await newClient()
    const members = Array.from({ length: 5_000 }, (_, i) => ({ value: `member-${i}-${'x'.repeat(30)}` }))
    await client.request('POST', '/Groups', { displayName: 'Large', members })
    await client.request('POST', '/Users', { schemas: [USER], displayName: '😀'.repeat(100_000) })
    const requests = await requestsOf(client)
    for (const request of requests) {
      expect(request.isShortened).toBe(true)
      expect(JSON.stringify(request).length).toBeLessThanOrEqual(MAX_KEPT_REQUEST_CHARACTERS)
      expect(JSON.stringify(request)).not.toContain('\\ud83d"')
    }
    expect(requests[1].body.members.at(-1)).toMatch(/^and [\d]+ more$/)
    const browser = await new Browser().signIn()
    const [entry] = await client.log()
    const form = await browser.get(`/admin/tenants/${client.tenantId}/explain?entry=${entry?.id}`)
    expect(textOf(form.html)).toContain('The body is shortened.')
  })

  it('is not kept of a body that is not JSON, or of a token that may only read', async () => {
    const client = await newClient()
    await client.request('POST', '/Users', '{"password":"half' as never)
    const reader = new Client(client.tenantId, (await newToken(client.tenantId, { scope: 'read' })).token)
    await reader.request('POST', '/Users', { schemas: [USER], userName: 'x' })
    await reader.request('POST', '/Users', { schemas: [USER] })
    await reader.patch('/Users/nobody', { op: 'replace', path: 'title', value: 'x' })
    expect((await requestsOf(client)).filter((request) => request !== null)).toEqual([])
  })
})

describe('many refused writes', () => {
  it('leave the requests of the first ones in a minute, and one of those that share an entry', async () => {
    const client = await newClient()
    setClock(minute())
    for (let i = 0; i < 230; i++)
      await client.request('POST', '/Users', { schemas: [USER], displayName: `${i}` })
    const { results } = await env.DB.prepare(
      `SELECT count(*) AS entries, count(request) AS requests, sum(bytes) AS bytes FROM provisioning_log WHERE tenant_id = ?`,
    )
      .bind(client.tenantId)
      .all()
    expect(results[0]).toMatchObject({ entries: 201, requests: MAX_KEPT_REQUESTS_PER_MINUTE + 1 })
  })

  it('are counted in the bytes of the log', async () => {
    const client = await newClient()
    await client.request('POST', '/Users', { schemas: [USER], displayName: 'x'.repeat(1_900) })
    const found = await env.DB.prepare(
      `SELECT (SELECT sum(bytes) FROM provisioning_log AS l WHERE l.tenant_id = t.id) AS bytes, log_bytes +
         (SELECT sum(log_bytes) FROM provisioning_activity AS a WHERE a.tenant_id = t.id) AS counted
       FROM tenants AS t WHERE id = ?`,
    )
      .bind(client.tenantId)
      .first<{ bytes: number; counted: number }>()
    expect(found?.bytes).toBeGreaterThan(2_400)
    expect(found?.counted).toBe(found?.bytes)
  })

  it('leave no requests once the log is half full', async () => {
    const client = await newClient()
    await env.DB.prepare('UPDATE tenants SET log_bytes = 134217728 WHERE id = ?').bind(client.tenantId).run()
    await client.request('POST', '/Users', { schemas: [USER] })
    expect(await requestsOf(client)).toEqual([null])
  })

  it('are gone with their tenant', async () => {
    const client = await newClient()
    await client.request('POST', '/Users', { schemas: [USER], displayName: 'gone' })
    await admin('DELETE', `/tenants/${client.tenantId}`)
    const left = await env.DB.prepare('SELECT count(*) AS count FROM provisioning_log WHERE tenant_id = ?')
      .bind(client.tenantId)
      .first('count')
    expect(left).toBe(0)
  })
})
