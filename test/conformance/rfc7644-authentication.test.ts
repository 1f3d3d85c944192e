/** RFC 7644 §2, §5 and §7: authentication, comparison of names, and security. */
import { describe, expect, it, vi } from 'vitest'
import { Client, GROUP, newClient, newToken, send, TENANT_URL, USER } from '../support/harness.ts'
import { SEARCH_REQUEST } from '../support/urns.ts'
import { expectError } from './protocol.ts'

describe('RFC 7644 §2, authentication', () => {
  it('names its scheme in WWW-Authenticate with every 401 (§2)', async () => {
    for (const path of ['', '/Users', '/Groups', '/Schemas', '/ResourceTypes', '/Me', '/Users/x']) {
      for (const headers of [{}, { Authorization: 'Basic YTpi' }, { Authorization: 'Bearer nonsense' }]) {
        const answer = await send(new Request(`${TENANT_URL}${path}`, { headers: headers as HeadersInit }))
        expectError(answer, 401)
        expect(answer.headers.get('WWW-Authenticate'), path).toMatch(/^Bearer /)
      }
    }
  })

  it('limits each client to the directory and scope of its token (§2)', async () => {
    const [ours, theirs] = [await newClient(), await newClient()]
    const user = await theirs.createUser()
    expectError(await ours.get(`/Users/${user.id}`), 404)
    expectError(await ours.request('DELETE', `/Users/${user.id}`), 404)
    expect((await ours.get('')).body.totalResults).toBe(0)
    const member = { schemas: [GROUP], displayName: 'Crew', members: [{ value: user.id }] }
    expectError(await ours.request('POST', '/Groups', member), 400, 'invalidValue')
  })

  it('distinguishes clients that may read from those that may write (§2, §7.7)', async () => {
    const client = await newClient()
    const user = await client.createUser()
    const reader = new Client(client.tenantId, (await newToken(client.tenantId, { scope: 'read' })).token)
    expect((await reader.get(`/Users/${user.id}`)).status).toBe(200)
    expect((await reader.request('POST', '/.search', { schemas: [SEARCH_REQUEST] })).status).toBe(200)
    expectError(await reader.request('DELETE', `/Users/${user.id}`), 403)
    expectError(await reader.patch(`/Users/${user.id}`, { op: 'add', path: 'title', value: 'x' }), 403)
  })
})

describe('RFC 7644 §5 and §7.8, names', () => {
  it.for([
    ['case', 'ÉLAN', 'élan'],
    ['composition', 'e\u0301lan', '\u00e9lan'],
  ] as const)('compares userNames regardless of %s (§5, §7.8)', async ([, taken, other]) => {
    const client = await newClient()
    const { id } = await client.createUser({ userName: taken })
    expectError(
      await client.request('POST', '/Users', { schemas: [USER], userName: other }),
      409,
      'uniqueness',
    )
    const { body } = await client.filter('/Users', `userName eq "${other}"`)
    expect(body.Resources.map((user: { id: string }) => user.id)).toEqual([id])
  })
})

describe('RFC 7644 §7, security', () => {
  it('generates unique tokens of 256 random bits (§7.4)', async () => {
    const { tenantId } = await newClient()
    const tokens = await Promise.all(Array.from({ length: 5 }, () => newToken(tenantId)))
    const secrets = tokens.map(({ token }: { token: string }) => token.slice(`scim_${tenantId}_`.length))
    for (const secret of secrets) expect(secret).toMatch(/^[\w-]{43}$/)
    expect(new Set(secrets).size).toBe(5)
  })

  it('supports an expiry time for tokens (§7.4)', async () => {
    const { tenantId } = await newClient()
    const expiresAt = new Date(Date.now() + 1000).toISOString()
    const client = new Client(tenantId, (await newToken(tenantId, { expiresAt })).token)
    // The token is valid before that, unless a slow machine sends the request too late.
    await vi.waitUntil(async () => (await client.get('/Users')).status === 401, { timeout: 5000 })
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(expiresAt))
    expectError(await client.get('/Users'), 401)
  })

  it('supports queries without personal data in the URL (§7.5.2)', async () => {
    const client = await newClient()
    await client.createUser({ userName: 'ada' })
    const answer = await client.request('POST', '/Users/.search', {
      schemas: [SEARCH_REQUEST],
      filter: 'userName eq "ada"',
    })
    expect(answer.body.totalResults).toBe(1)
  })
})
