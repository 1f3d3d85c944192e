/**
 * Rate limits over HTTP: the counted clients, and the responses beyond a limit. The limits themselves are configured in
 * wrangler.toml, so these tests count on their own.
 */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, it, vi } from 'vitest'
import type { RateLimitName, Runtime } from '../../src/runtime.ts'
import { noFigures } from '../../src/storage/database/database.ts'
import worker from '../../src/worker.ts'
import { Client, newClient, newToken, PATCH_OP, TENANT_URL, USER } from '../support/harness.ts'
import { labRuntime, sendTo } from '../support/lab.ts'
import { soundState } from '../support/tenant-state.ts'

/** Counts the requests to each limit and allows the given number. */
function limits(allowed: Partial<Record<RateLimitName, number>>) {
  const counts = new Map<string, number>()
  const isAllowed = async (limit: RateLimitName, key: string) => {
    const count = (counts.get(`${limit} ${key}`) ?? 0) + 1
    counts.set(`${limit} ${key}`, count)
    return count <= (allowed[limit] ?? Number.POSITIVE_INFINITY)
  }
  return { runtime: labRuntime({ isAllowed }), counts }
}

/** An address that no other test uses, because counts are kept by address. */
const randomAddress = () => crypto.randomUUID()

const ask = (client: Client, token = client.token, headers: Record<string, string> = {}) =>
  new Request(`${TENANT_URL}/Users`, { headers: { Authorization: `Bearer ${token}`, ...headers } })

describe('rate limits', () => {
  it.for(['client', 'tenant'] as const)('answer 429 with Retry-After beyond that of a %s', async (limit) => {
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

  it('of a client counts all of its tokens together', async () => {
    const { tenantId } = await newClient()
    const first = await newToken(tenantId)
    const second = await newToken(tenantId, { clientId: first.clientId })
    const clients = [first, second].map(({ token }) => new Client(tenantId, token))
    for (const client of clients) await client.get('/Users')
    const { runtime } = limits({ client: 2 })
    const statuses: number[] = []
    for (const client of [...clients, ...clients]) statuses.push((await sendTo(runtime, ask(client))).status)
    expect(statuses).toEqual([200, 200, 429, 429])
  })

  it('prevent a rejected write from being applied and logged', async () => {
    const client = await newClient()
    const { runtime } = limits({ client: 0 })
    const request = new Request(`${TENANT_URL}/Users`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${client.token}`, 'Content-Type': 'application/scim+json' },
      body: JSON.stringify({ schemas: [USER], userName: 'too-much' }),
    })
    expect((await sendTo(runtime, request)).status).toBe(429)
    const { users, log } = await soundState(client.tenantId)
    expect([users, log]).toEqual([[], []])
  })

  it('of a tenant cannot be exhausted without one of its tokens', async () => {
    const client = await newClient()
    await client.get('/Users')
    const { runtime, counts } = limits({ tenant: 1 })
    const stranger = client.token.replace(/.{8}$/, 'AAAAAAAA')
    for (let i = 0; i < 5; i++) expect((await sendTo(runtime, ask(client, stranger))).status).toBe(401)
    expect(counts.get(`tenant ${client.tenantId}`)).toBeUndefined()
    expect((await sendTo(runtime, ask(client))).status).toBe(200)
  })

  it('of a tenant count group writes', async () => {
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
    expect(counts.get(`tenant ${client.tenantId}`)).toBe(3)
  })

  it('allow requests when the limiter itself fails', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const client = await newClient()
    await client.get('/Users')
    const broken = { limit: () => Promise.reject(new Error('the limiter was reset')) }
    const limiters = { TOKEN_LIMIT: broken, TENANT_LIMIT: broken, FAILED_AUTHENTICATION_LIMIT: broken }
    const statuses: number[] = []
    for (const token of [client.token, 'no-token']) {
      const ctx = createExecutionContext()
      const request = new Request<unknown, IncomingRequestCfProperties>(ask(client, token))
      statuses.push((await worker.fetch(request, { ...env, ...limiters }, ctx)).status)
      await waitOnExecutionContext(ctx)
    }
    expect(statuses).toEqual([200, 401])
    expect(logged).toHaveBeenCalledTimes(3)
    logged.mockRestore()
  })

  describe('of failed authentications', () => {
    /**
     * Sends three wrong tokens, which are within the limit, and two more.
     * @returns a function that sends from the same address
     */
    async function guesser(now = Date.now) {
      const client = await newClient()
      const { runtime, counts } = limits({ failedAuthentication: 3 })
      let batches = 0
      const openCounted: Runtime['openDatabase'] = (name, figures) => {
        const db = runtime.openDatabase(name, figures)
        return {
          batch(statements) {
            batches++
            return db.batch(statements)
          },
        }
      }
      const own = randomAddress()
      const from = async (address: string, token: string) => {
        const request = ask(client, token, { 'CF-Connecting-IP': address })
        return (await sendTo({ ...runtime, openDatabase: openCounted, now }, request)).status
      }
      const wrong = client.token.replace(/.{8}$/, 'BBBBBBBB')
      const statuses: number[] = []
      for (let i = 0; i < 6; i++) statuses.push(await from(own, wrong))
      return { client, counts, own, from, wrong, statuses, batches: () => batches }
    }

    it('apply to each address, and then keep its requests from the database', async () => {
      const { statuses, batches, from, wrong, own } = await guesser()
      expect([statuses, batches()]).toEqual([[401, 401, 401, 429, 429, 429], 4])
      expect(await from(randomAddress(), wrong)).toBe(401)
      expect([await from(own, 'no-token'), batches()]).toEqual([429, 5])
    })

    it('apply to a valid token that is unknown to the isolate, but not to a known one', async () => {
      const { client, from, own, wrong } = await guesser()
      expect(await from(own, client.token)).toBe(429)
      expect(await from(randomAddress(), client.token)).toBe(200)
      expect(await from(own, client.token)).toBe(200)
      expect(await from(own, wrong)).toBe(429)
    })

    it('last for a minute, also if the clock is set back', async () => {
      for (const [passedMs, status] of [
        [59_999, 429],
        [60_000, 401],
        [-3_600_000, 401],
      ] as const) {
        let time = Date.now()
        const { counts, from, own } = await guesser(() => time)
        time += passedMs
        counts.clear()
        expect([passedMs, await from(own, 'no-token')]).toEqual([passedMs, status])
      }
    })

    it('count all addresses of an IPv6 network as one', async () => {
      const { runtime, counts } = limits({})
      const client = await newClient()
      const network = `2001:db8:${crypto.randomUUID().slice(0, 4)}:7`
      for (const host of ['::1', '::2', ':0:0:0:3', ':ffff:0:0:4']) {
        await sendTo(runtime, ask(client, 'no-token', { 'CF-Connecting-IP': `${network}${host}` }))
      }
      const counted = [...counts].filter(([key]) => key.startsWith('failedAuthentication'))
      expect(counted.map(([, count]) => count)).toEqual([4])
    })
  })
})
