/**
 * Large answers that wait in the process for their clients, with the service without a port. test/deno tests the same
 * with clients and sockets.
 */
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  ANSWER_TIMEOUT_SECONDS,
  MAX_TENANT_UNREAD_ANSWER_BYTES,
  MAX_UNREAD_ANSWER_BYTES,
  MIN_ANSWER_BYTES_PER_SECOND,
  MIN_LARGE_ANSWER_CHARACTERS,
} from '../../src/scim/limits.ts'
import { type Service, startService } from '../../src/self-hosted/service.ts'
import { MemoryOfAnswers } from '../../src/self-hosted/unread-answers.ts'
import { serverSettings } from '../support/server-settings.ts'
import { MIGRATIONS, temporaryFolder } from './support/files.ts'

const MB = 1024 * 1024

async function read(body: ReadableStream<Uint8Array> | null): Promise<string> {
  return await new Response(body).text()
}

describe('large answers that wait for their clients', () => {
  it('arrive completely, whatever characters they contain', async () => {
    const answers = new MemoryOfAnswers()
    const text = `${'a'.repeat(65_535)}é😀${'€'.repeat(100_000)}`
    expect(await read(answers.hold('a', text))).toBe(text)
    expect(answers.bytes).toBe(0)
  })

  it('are counted in bytes until they are read, or their client is gone', async () => {
    const answers = new MemoryOfAnswers()
    const [first, second] = [answers.hold('a', 'é'.repeat(MB)), answers.hold('b', 'a'.repeat(MB))]
    expect(answers.bytes).toBe(3 * MB)
    await second.cancel()
    expect(answers.bytes).toBe(2 * MB)
    await read(first)
    expect(answers.bytes).toBe(0)
  })

  it('are sent in chunks, each on request', async () => {
    const answers = new MemoryOfAnswers()
    const reader = answers.hold('a', 'a'.repeat(200_000)).getReader()
    await new Promise((wait) => setTimeout(wait, 5))
    expect(answers.bytes).toBe(200_000)
    const sizes: number[] = []
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read())
      sizes.push(chunk.value.length)
    expect(sizes).toEqual([65_536, 65_536, 65_536, 3_392])
    expect(answers.bytes).toBe(0)
  })

  it('are refused with 503 beyond the limit of a tenant, and beyond that of all tenants', () => {
    const answers = new MemoryOfAnswers()
    const fill = (tenant: string) => answers.hold(tenant, 'a'.repeat(MAX_TENANT_UNREAD_ANSWER_BYTES))
    fill('t0')
    const refusal = {
      status: 503,
      detail: expect.stringMatching(/of this tenant wait .* read them, then try again/),
    }
    expect(() => answers.requireRoom('t0')).toThrow(expect.objectContaining(refusal))
    expect(() => answers.hold('t0', 'a')).toThrow(expect.objectContaining(refusal))
    answers.requireRoom('t1')
    for (let i = 1; i < MAX_UNREAD_ANSWER_BYTES / MAX_TENANT_UNREAD_ANSWER_BYTES; i++) fill(`t${i}`)
    expect(answers.bytes).toBe(MAX_UNREAD_ANSWER_BYTES)
    const all = { status: 503, detail: expect.stringContaining('of this server wait') }
    expect(() => answers.requireRoom('somebody else')).toThrow(expect.objectContaining(all))
  })

  it('are accepted one at a time when they exceed the limit', () => {
    const answers = new MemoryOfAnswers()
    answers.hold('a', 'a'.repeat(MAX_TENANT_UNREAD_ANSWER_BYTES + 1))
    expect(() => answers.requireRoom('a')).toThrow('of this tenant')
  })
})

describe('a client that does not read', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => void vi.useRealTimers())

  it('is disconnected after a time that grows with its answer', async () => {
    const answers = new MemoryOfAnswers()
    const small = answers.hold('a', 'a'.repeat(MIN_LARGE_ANSWER_CHARACTERS)).getReader()
    const large = answers.hold('a', 'a'.repeat(60 * MIN_ANSWER_BYTES_PER_SECOND)).getReader()
    await small.read()
    await large.read()
    vi.advanceTimersByTime((ANSWER_TIMEOUT_SECONDS + 2) * 1000)
    expect(await large.read()).toMatchObject({ done: false })
    vi.advanceTimersByTime(59_000)
    await expect(large.read()).rejects.toThrow(
      `did not read its answer within ${ANSWER_TIMEOUT_SECONDS + 60} s`,
    )
    expect(answers.bytes).toBe(0)
    expect(await small.read()).toMatchObject({ done: true })
  })
})

describe('the service', () => {
  /** A tenant with users of 800 kB, and one whose groups exceed one value of the database. */
  async function filled(): Promise<{
    service: Service
    scim: (method: string, path: string, body?: object) => Promise<Response>
    admin: (method: string, path: string, body?: object) => Promise<Response>
  }> {
    const its = serverSettings(temporaryFolder())
    const service = startService(its, MIGRATIONS)
    const send = (method: string, path: string, token: string, body?: object) => {
      const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }
      const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }
      return service.fetch({ request: new Request(`http://a${path}`, init), address: '' })
    }
    const made = await send('POST', '/admin/api/tenants/default/tokens', 'test-admin-token', { name: 't' })
    const { token } = (await made.json()) as { token: string }
    const database = new DatabaseSync(its.databaseFile, { timeout: 1_000 })
    database.exec(`
      UPDATE tenants SET group_limit = 1000;
      INSERT INTO users (tenant_id, id, data, keys, version, created_at, last_modified)
      SELECT 'default', 'u' || value, json_object('userName', 'u' || value, 'title', hex(zeroblob(400000))),
        json_object('userName', 'u' || value), 1, 0, 0
      FROM json_each('[1,2,3,4]');
      INSERT INTO users (tenant_id, id, data, keys, version, created_at, last_modified)
      VALUES ('default', 'z', '{"userName":"z"}', '{"userName":"z"}', 1, 0, 0);
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 220)
      INSERT INTO groups (tenant_id, id, data, keys, version, created_at, last_modified, member_count)
      SELECT 'default', 'g' || i, json_object('displayName', i || hex(zeroblob(5000))), json_object('displayName', 'g' || i),
        1, 0, 0, 1 FROM n;
      INSERT INTO memberships (tenant_id, group_id, member_id, member_type)
      SELECT 'default', id, 'z', 'User' FROM groups;`)
    database.close()
    return {
      service,
      scim: (method, path, body) => send(method, `/scim/v2${path}`, token, body),
      admin: (method, path, body) =>
        send(method, `/admin/api/tenants/default${path}`, 'test-admin-token', body),
    }
  }

  it('refuses a tenant with many unread answers, and serves it again after it has read them', async () => {
    const { service, scim } = await filled()
    const unread: Response[] = []
    for (;;) {
      const answer = await scim('GET', '/Users?count=4')
      if (answer.status !== 200) break
      unread.push(answer)
    }
    // 3.2 MB each, and one of the smaller answers.
    expect(unread.length).toBe(10)
    unread.push(await scim('GET', '/Users/u1'))
    expect((await scim('GET', '/Users/u1')).status).toBe(503)
    const user = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'new' }
    const refused = await scim('GET', '/Users?count=4')
    expect([refused.status, refused.headers.get('Retry-After')]).toEqual([503, '5'])
    await unread[0]?.body?.cancel()
    expect(await unread[1]?.json()).toMatchObject({ itemsPerPage: 4, totalResults: 5 })
    expect((await scim('POST', '/Users', user)).status).toBe(201)
    for (const answer of unread.slice(2)) await answer.text()
    expect((await scim('GET', '/Users?count=4')).status).toBe(200)
    await service.stop()
  })

  it('refuses large answers to an administrator who does not read them, and serves clients and small ones', async () => {
    const { service, scim, admin } = await filled()
    const explain = () => admin('POST', '/explain', { method: 'GET', path: '/Users?count=4' })
    const unread: Response[] = []
    for (let answer = await explain(); answer.status === 200; answer = await explain()) unread.push(answer)
    expect(unread.length).toBe(10)
    const refused = await explain()
    expect([refused.status, await refused.json()]).toMatchObject([
      503,
      { error: { message: expect.stringContaining('wait to be read') } },
    ])
    expect((await admin('GET', '/clients')).status).toBe(200)
    expect((await scim('GET', '/Users?count=4')).status).toBe(200)
    expect(await unread.pop()?.json()).toMatchObject({ status: 200, answer: { totalResults: 5 } })
    expect((await explain()).status).toBe(200)
    await service.stop()
  })

  it('counts nothing for HEAD or for the operations of a bulk request', async () => {
    const { service, scim } = await filled()
    const schemas = ['urn:ietf:params:scim:api:messages:2.0:PatchOp']
    const data = { schemas, Operations: [{ op: 'replace', path: 'displayName', value: 'New' }] }
    for (let i = 0; i < 40; i++) expect((await scim('HEAD', '/Users/u1')).status).toBe(200)
    const bulk = {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
      Operations: Array.from({ length: 60 }, () => ({ method: 'PATCH', path: '/Users/u1', data })),
    }
    const done = (await (await scim('POST', '/Bulk', bulk)).json()) as { Operations: { status: string }[] }
    const statuses = done.Operations.map(({ status }) => status)
    expect(statuses[0]).toBe('200')
    // Large documents exhaust the work of the request; none of its operations runs out of room for answers.
    expect(new Set(statuses)).toEqual(new Set(['200', '400']))
    await service.stop()
  })

  it('answers tooMany with advice when the groups of a user exceed one value', async () => {
    const { service, scim } = await filled()
    for (const path of ['/Users/z', '/Users?filter=userName%20eq%20%22z%22', '/Users?startIndex=5']) {
      const answer = await scim('GET', path)
      expect(await answer.json(), path).toMatchObject({
        status: '400',
        scimType: 'tooMany',
        detail: expect.stringContaining('excludedAttributes=groups'),
      })
      const more = path.includes('?') ? '&' : '?'
      expect((await scim('GET', `${path}${more}excludedAttributes=groups`)).status).toBe(200)
    }
    await service.stop()
  })
})
