/**
 * The size of the provisioning log is limited: single entries, rejected writes, and the log of a tenant.
 */
import { env } from 'cloudflare:workers'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { MAX_LOG_BYTES, MAX_LOGGED_CHANGES_CHARACTERS } from '../../src/scim/limits.ts'
import { HOUR_MS, releaseClock, resumeIds, setClock } from '../support/clock.ts'
import { addLogEntries } from '../support/crowd.ts'
import { Browser, textOf } from '../support/dashboard.ts'
import { admin, Client, costOf, newClient, newToken, USER } from '../support/harness.ts'

afterEach(releaseClock)
afterAll(resumeIds)

const first = <T>(query: string, tenantId: string) => env.DB.prepare(query).bind(tenantId).first<T>('value')
const bytesOf = async (tenantId: string) =>
  Number(await first('SELECT sum(bytes) AS value FROM provisioning_log WHERE tenant_id = ?', tenantId))
/** The stored size of the log. */
const weightOf = async (tenantId: string) =>
  Number(
    await first(
      `SELECT log_bytes + (SELECT coalesce(sum(log_bytes), 0) FROM provisioning_activity AS a WHERE a.tenant_id = t.id)
         AS value FROM tenants AS t WHERE id = ?`,
      tenantId,
    ),
  )

async function readerOf(client: Client): Promise<Client> {
  return new Client(client.tenantId, (await newToken(client.tenantId, { scope: 'read' })).token)
}

describe('an entry of the log', () => {
  it('is small for a rejected read token, regardless of the body', async () => {
    const reader = await newClient({ scope: 'read' })
    for (let i = 0; i < 3; i++) {
      await reader.request('POST', '/Users', { schemas: [USER], userName: `${i}${'x'.repeat(1_000_000)}` })
    }
    expect(await bytesOf(reader.tenantId)).toBeLessThan(3 * 2_000)
    const page = await (await new Browser().signIn()).get(`/admin/tenants/${reader.tenantId}/log`)
    expect(page.html.length).toBeLessThan(20_000)
  })

  it('limits the name, id, reason, request id and ignored names', async () => {
    const client = await newClient()
    const long = 'é'.repeat(150_000)
    const ignored = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`${'n'.repeat(200)}${i}`, 1]))
    await client.request('POST', '/Users', { schemas: [USER], userName: long, ...ignored })
    await client.request('POST', '/Users', { schemas: [USER], userName: long })
    await client.patch(`/Users/${'i'.repeat(5_000)}`, { op: 'replace', path: 'title', value: 'x' })
    await client.request('POST', '/Users', { schemas: [USER] }, { 'X-Request-Id': 'r'.repeat(200) })
    const entries = await client.log()
    expect(entries.length).toBeGreaterThanOrEqual(3)
    for (const entry of entries) {
      expect(String(entry.resourceName ?? '').length).toBeLessThanOrEqual(256)
      expect(String(entry.resourceId ?? '').length).toBeLessThanOrEqual(100)
      expect(String(entry.detail ?? '').length).toBeLessThanOrEqual(1_000)
      expect(String(entry.requestId).length).toBeLessThanOrEqual(128)
      expect(JSON.stringify(entry.ignored).length).toBeLessThan(2_500)
    }
  })

  it('contains the beginning of each changed value and its length', async () => {
    const client = await newClient()
    const emails = Array.from({ length: 1_000 }, (_, i) => ({
      value: `${i}-${'😀'.repeat(20)}@quillfern.example`,
    }))
    const user = await client.createUser({
      addresses: [{ formatted: 't'.repeat(20_000) }],
      emails,
      nickName: 'short',
    })
    await client.patch(`/Users/${user.id}`, { op: 'replace', path: 'emails', value: emails.slice(1) })
    const [changed, created] = await client.log()
    for (const entry of [changed, created]) {
      expect(JSON.stringify(entry?.changes).length).toBeLessThan(MAX_LOGGED_CHANGES_CHARACTERS + 2_000)
      expect(JSON.stringify(entry?.changes)).not.toContain('�')
    }
    const changes = created?.changes as { attribute: string; new: unknown }[]
    const of = (name: string) => changes.find(({ attribute }) => attribute === name)?.new
    expect(of('addresses')).toEqual([{ formatted: `${'t'.repeat(1_999)}… (20000 characters)` }])
    expect(of('nickName')).toBe('short')
    const kept = of('emails') as unknown[]
    expect(kept[0]).toEqual({ value: emails[0]?.value })
    expect(kept.at(-1)).toBe(`and ${1_000 - (kept.length - 1)} more`)
  })

  it('limits the name when a user with a long one is deleted', async () => {
    const client = await newClient()
    await env.DB.prepare(
      `INSERT INTO users (tenant_id, id, data, keys, version, created_at, last_modified) SELECT ?1, 'long',
         json_object('userName', n), json_object('userName', n), 1, 0, 0
       FROM (SELECT printf('%.*c', 100000, 'x') AS n)`,
    )
      .bind(client.tenantId)
      .run()
    expect((await client.request('DELETE', '/Users/long')).status).toBe(204)
    expect((await client.log())[0]?.resourceName).toBe('x'.repeat(256))
  })
})

describe('many rejected writes', () => {
  /** The start of a minute, so that the test does not cross a minute boundary. */
  const minute = () => Date.now() - (Date.now() % HOUR_MS) + 5 * 60_000

  it('of a token have 200 entries in a minute, and one that counts the others', async () => {
    const client = await newClient()
    const other = new Client(client.tenantId, (await newToken(client.tenantId, { name: 'Other' })).token)
    const start = minute()
    setClock(start)
    let last = await client.request('POST', '/Users', { schemas: [USER], userName: '' })
    for (let i = 1; i < 230; i++) {
      last = await client.request('POST', '/Users', { schemas: [USER], displayName: `number ${i}` })
    }
    expect(last.status).toBe(400)
    await client.request('PATCH', '/Users/nobody', { Operations: [{ op: 'remove', path: 'title' }] })
    await other.request('POST', '/Users', { schemas: [USER], displayName: 'of another token' })
    const count = await first(
      'SELECT count(*) AS value FROM provisioning_log WHERE tenant_id = ?',
      client.tenantId,
    )
    expect(count).toBe(200 + 2 + 1)
    const entries = await client.log('?outcome=refused')
    expect(entries.map(({ repeated }) => repeated).filter((repeated) => repeated !== 0)).toEqual([29])
    setClock(start + 60_000)
    await client.request('POST', '/Users', { schemas: [USER], displayName: 'a minute later' })
    expect((await client.log())[0]).toMatchObject({ repeated: 0, outcome: 'refused' })
  })

  it('are all counted in the activity, and shown on pages, in the API and in downloads', async () => {
    const client = await newClient()
    const reader = await readerOf(client)
    setClock(minute())
    for (let i = 0; i < 12; i++) await reader.request('DELETE', `/Users/${i}`)
    const browser = await new Browser().signIn()
    const path = `/admin/tenants/${client.tenantId}`
    expect(textOf((await browser.get(path)).html)).toContain('Last 24 hours 12 writes')
    expect(textOf((await browser.get(`${path}/log`)).html)).toContain('and 11 more like this one')
    const api = (await admin('GET', `/tenants/${client.tenantId}/log`)).body
    expect(api.entries).toMatchObject([{ status: 403, action: 'delete', resourceId: '0', repeated: 11 }])
    expect(JSON.parse((await browser.get(`${path}/log.json`)).html)).toMatchObject([{ repeated: 11 }])
    const [names, values] = (await browser.get(`${path}/log.csv`)).html.split('\r\n')
    expect(names).toMatch(/,repeated$/)
    expect(values).toMatch(/,11$/)
  })

  it('add no bytes, and write two rows each, without additional round trips', async () => {
    const reader = await newClient({ scope: 'read' })
    setClock(minute())
    // The token is already verified, which takes an extra round trip before the first write.
    await reader.request('GET', '/Users')
    const once = await reader.request('DELETE', '/Users/a')
    const bytes = await bytesOf(reader.tenantId)
    for (let i = 0; i < 5; i++) {
      const again = await reader.request('DELETE', `/Users/${i}`)
      expect(costOf(again)).toMatchObject({ rowsWritten: 2, roundTrips: costOf(once).roundTrips })
    }
    expect(await bytesOf(reader.tenantId)).toBe(bytes)
  })
})

describe('the log of a tenant', () => {
  it('is measured after writes, rejected writes and pruning', async () => {
    const client = await newClient()
    const user = await client.createUser({ addresses: [{ formatted: 'x'.repeat(3_000) }] })
    for (let i = 0; i < 100; i++) {
      const value = [{ formatted: `${i}`.repeat(2_000) }]
      await client.patch(`/Users/${user.id}`, { op: 'replace', path: 'addresses', value })
    }
    await client.request('POST', '/Users', { schemas: [USER] })
    expect(await bytesOf(client.tenantId)).toBeGreaterThan(300_000)
    expect(await weightOf(client.tenantId)).toBe(await bytesOf(client.tenantId))
    // Most of the size is already added to the row of the tenant.
    const ofTenant = await first('SELECT log_bytes AS value FROM tenants WHERE id = ?', client.tenantId)
    expect(Number(ofTenant)).toBeGreaterThanOrEqual(262_144)
  })

  it('drops its oldest entries when it is full, in the batch of the write that fills it', async () => {
    const client = await newClient()
    await addLogEntries(client.tenantId, 1_500, Date.now() - HOUR_MS)
    await client.createUser()
    await env.DB.prepare('UPDATE tenants SET log_bytes = ?2 WHERE id = ?1')
      .bind(client.tenantId, MAX_LOG_BYTES)
      .run()
    await env.DB.prepare('UPDATE provisioning_activity SET log_bytes = 262143 WHERE tenant_id = ?')
      .bind(client.tenantId)
      .run()
    const entries = () =>
      first<number>('SELECT count(*) AS value FROM provisioning_log WHERE tenant_id = ?', client.tenantId)
    const before = Number(await entries())
    await client.createUser({ userName: 'newest@quillfern.example' })
    expect(await entries()).toBe(before + 1 - 1_000)
    expect((await client.log())[0]?.resourceName).toBe('newest@quillfern.example')
    const weight = await first<number>('SELECT log_bytes AS value FROM tenants WHERE id = ?', client.tenantId)
    expect(weight).toBeLessThan(MAX_LOG_BYTES)
  })
})
