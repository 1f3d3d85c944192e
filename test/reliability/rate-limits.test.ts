/**
 * Rate limits over HTTP: who is counted, and what too many are told. How many are too many is configured
 * (wrangler.toml), so here the counting is the test's own.
 */
import { describe, expect, it } from 'vitest'
import type { RateLimitName } from '../../src/runtime.ts'
import { noFigures } from '../../src/storage/database.ts'
import { type Client, newClient, PATCH_OP, TENANT_URL, USER } from '../support/harness.ts'
import { labRuntime, sendTo } from '../support/lab.ts'
import { soundState } from '../support/tenant-state.ts'

/** Counts what is asked of each limit, and allows so many. */
function limits(allowed: Partial<Record<RateLimitName, number>>) {
  const counts = new Map<string, number>()
  const isAllowed = async (limit: RateLimitName, key: string) => {
    const count = (counts.get(`${limit} ${key}`) ?? 0) + 1
    counts.set(`${limit} ${key}`, count)
    return count <= (allowed[limit] ?? Number.POSITIVE_INFINITY)
  }
  return { runtime: labRuntime({ isAllowed }), counts }
}

const ask = (client: Client, token = client.token, headers: Record<string, string> = {}) =>
  new Request(`${TENANT_URL}/Users`, { headers: { Authorization: `Bearer ${token}`, ...headers } })

describe('rate limits', () => {
  it.for(['token', 'tenant'] as const)('answer 429 with Retry-After beyond that of a %s', async (limit) => {
    const client = await newClient()
    await client.get('/Users')
    const { runtime } = limits({ [limit]: 2 })
    const answers = [1, 2, 3].map(() => sendTo(runtime, ask(client)))
    const statuses = (await Promise.all(answers)).map(({ status }) => status)
    expect(statuses).toEqual([200, 200, 429])
    const refused = await sendTo(runtime, ask(client))
    expect(Number(refused.headers.get('Retry-After'))).toBeGreaterThan(0)
    expect(await refused.json()).toMatchObject({ status: '429' })
  })

  it('leave a refused write undone and out of the log', async () => {
    const client = await newClient()
    const { runtime } = limits({ token: 0 })
    const request = new Request(`${TENANT_URL}/Users`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${client.token}`, 'Content-Type': 'application/scim+json' },
      body: JSON.stringify({ schemas: [USER], userName: 'too-much' }),
    })
    expect((await sendTo(runtime, request)).status).toBe(429)
    const { users, log } = await soundState(client.tenantId)
    expect([users, log]).toEqual([[], []])
  })

  it('of a tenant cannot be used up by somebody without a token of it', async () => {
    const client = await newClient()
    await client.get('/Users')
    const { runtime, counts } = limits({ tenant: 1 })
    const stranger = client.token.replace(/.{8}$/, 'AAAAAAAA')
    for (let i = 0; i < 5; i++) expect((await sendTo(runtime, ask(client, stranger))).status).toBe(401)
    expect(counts.get(`tenant ${client.tenantId}`)).toBeUndefined()
    expect((await sendTo(runtime, ask(client))).status).toBe(200)
  })

  it('of a tenant count those who only write groups', async () => {
    const client = await newClient()
    const { runtime, counts } = limits({})
    const groupWriter = () => ({
      write: async () => ({ figures: noFigures(), rendered: { version: 2, location: 'elsewhere' } }),
    })
    const request = () =>
      new Request(`${TENANT_URL}/Groups/one`, {
        method: 'PATCH',
        headers: { Authorization: `Bearer ${client.token}`, 'Content-Type': 'application/scim+json' },
        body: JSON.stringify({ schemas: [PATCH_OP], Operations: [] }),
      })
    for (let i = 0; i < 3; i++) await sendTo({ ...runtime, groupWriter }, request())
    expect(counts.get(`tenant ${client.tenantId}`)).toBe(2)
  })

  it('of failed authentications hold for each address and let valid tokens through', async () => {
    const client = await newClient()
    const { runtime } = limits({ failedAuthentication: 3 })
    const from = (address: string, token: string) =>
      sendTo(runtime, ask(client, token, { 'CF-Connecting-IP': address }))
    const wrong = client.token.replace(/.{8}$/, 'BBBBBBBB')
    const statuses: number[] = []
    for (let i = 0; i < 5; i++) statuses.push((await from('192.0.2.1', wrong)).status)
    expect(statuses).toEqual([401, 401, 401, 429, 429])
    expect((await from('192.0.2.2', wrong)).status).toBe(401)
    expect((await from('192.0.2.1', client.token)).status).toBe(200)
  })
})
