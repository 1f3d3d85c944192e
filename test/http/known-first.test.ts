/**
 * The body of a request is not read before the token of the client or the administrator is verified.
 */
import { exports } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { Browser } from '../support/dashboard.ts'
import { admin, Client, costOf, newClient, newToken, ORIGIN, USER } from '../support/harness.ts'

const KIB = 1024

/** Sends an endless body. @returns the status, and how much of the body was read */
async function sendEndless(path: string, headers: Record<string, string>) {
  let sent = 0
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        sent += 16 * KIB
        controller.enqueue(new Uint8Array(16 * KIB).fill(0x20))
      },
    },
    { highWaterMark: 0 },
  )
  const request = new Request(`${ORIGIN}${path}`, {
    method: 'POST',
    headers: { 'CF-Connecting-IP': crypto.randomUUID(), 'Content-Type': 'application/json', ...headers },
    body,
    redirect: 'manual',
  })
  const response = await exports.default.fetch(request)
  await response.text()
  return { status: response.status, sent }
}

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` })
const newUser = () => ({ schemas: [USER], userName: crypto.randomUUID() })

describe('a body', () => {
  it.for([
    '/Users',
    '/Users/.search',
    '/Groups',
    '/Groups/.search',
    '/.search',
    '/Bulk',
    '/Schemas',
    '/nowhere',
  ])('with an invalid token is not read: %s', async (path) => {
    const made = bearer(`scim_default_${'A'.repeat(43)}`)
    const { status, sent } = await sendEndless(`/scim/v2${path}`, made)
    expect([401, 404, 405]).toContain(status)
    expect(sent).toBeLessThan(256 * KIB)
  })

  it.for(['/tenants', '/tenants/default/tokens', '/tenants/default/import'])(
    'with an invalid ADMIN_TOKEN is not read: %s',
    async (path) => {
      const { status, sent } = await sendEndless(`/admin/api${path}`, bearer('wrong'))
      expect(status).toBe(401)
      expect(sent).toBeLessThan(256 * KIB)
    },
  )

  it('of a form without a session is not read', async () => {
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded', Origin: ORIGIN }
    const { status, sent } = await sendEndless('/admin/tenants', headers)
    expect(status).toBe(303)
    expect(sent).toBeLessThan(256 * KIB)
  })

  it('of a request to the token endpoint is read up to its small limit, and not at all if it is not a form', async () => {
    for (const [type, most] of [
      ['application/x-www-form-urlencoded', 64 * KIB],
      ['application/json', 32 * KIB],
    ] as const) {
      const { status, sent } = await sendEndless('/oauth/token', { 'Content-Type': type })
      expect(status, type).toBe(400)
      expect(sent, type).toBeLessThanOrEqual(most)
    }
  })

  it('of a sign-in attempt is not read after too many attempts', async () => {
    const browser = new Browser()
    for (let i = 0; i < 11; i++) await browser.post('/admin/sign-in', { token: 'guess' })
    const headers = {
      'Content-Type': 'application/x-www-form-urlencoded',
      Origin: ORIGIN,
      'CF-Connecting-IP': browser.address,
    }
    const { status, sent } = await sendEndless('/admin/sign-in', headers)
    expect(status).toBe(429)
    expect(sent).toBeLessThan(256 * KIB)
  })

  it('with a known token is read until the token is rejected', async () => {
    const { tenantId } = await newClient()
    const { id, token } = await newToken(tenantId)
    const client = new Client(tenantId, token)
    await client.get('/Users')
    expect((await sendEndless('/scim/v2/Users', bearer(token))).status).toBe(413)
    await admin('DELETE', `/tenants/${tenantId}/tokens/${id}`)
    expect((await client.get('/Users')).status).toBe(401)
    const { status, sent } = await sendEndless('/scim/v2/Users', bearer(token))
    expect(status).toBe(401)
    expect(sent).toBeLessThan(256 * KIB)
  })

  it.for([
    ['POST', '/Users', newUser()],
    ['DELETE', '/Users/x', undefined],
    ['PATCH', '/Groups/x', { Operations: [] }],
    ['DELETE', '/Groups/x', undefined],
  ] as const)('does not cause a second check of a rejected token: %s %s', async ([method, path, body]) => {
    const { tenantId } = await newClient()
    const { id, token } = await newToken(tenantId)
    const client = new Client(tenantId, token)
    await client.get('/Users')
    await admin('DELETE', `/tenants/${tenantId}/tokens/${id}`)
    for (let i = 0; i < 2; i++) {
      const answer = await client.request(method, path, body)
      expect([answer.status, costOf(answer).roundTrips]).toEqual([401, 1])
    }
  })
})

describe('the first request of a token', () => {
  it('takes one more round trip for a write, and none for a read', async () => {
    const writer = await newClient()
    const create = async (client: Client) =>
      costOf(await client.request('POST', '/Users', newUser())).roundTrips
    expect([await create(writer), await create(writer)]).toEqual([2, 1])
    const reader = await newClient()
    expect(costOf(await reader.get('/Users')).roundTrips).toBe(1)
    expect(await create(reader)).toBe(1)
  })

  it('gets 401 for an invalid token regardless of other errors, in one round trip', async () => {
    const stranger = new Client('default', `scim_default_${'A'.repeat(43)}`)
    for (const path of ['/Users?filter=nonsense', '/Users?count=x', '/Groups?sortBy=nothing', '/?filter=(']) {
      const answer = await stranger.get(path)
      expect([path, answer.status, costOf(answer).roundTrips]).toEqual([path, 401, 1])
    }
  })
})
