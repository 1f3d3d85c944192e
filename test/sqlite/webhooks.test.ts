/**
 * Webhooks of a self-hosted server: what receivers get over real connections, and what becomes of receivers that do not
 * behave. Pauses of hours are in test/provider/webhooks.test.ts.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Service, startService } from '../../src/self-hosted/service.ts'
import { fileOf, userLine } from '../support/directory-file.ts'
import { serverSettings } from '../support/server-settings.ts'
import { type Answering, type Receiver, startReceiver, verified } from '../support/webhook-receiver.ts'
import { MIGRATIONS, temporaryFolder } from './support/files.ts'

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
const ORIGIN = 'http://scim.test'

let service: Service
const receivers: Receiver[] = []

beforeAll(() => {
  service = startService(serverSettings(temporaryFolder(), { allowLoopbackWebhooks: true }), MIGRATIONS)
})
afterAll(() => service.stop())
afterEach(async () => {
  for (const receiver of receivers.splice(0)) await receiver.close()
})

async function send(method: string, path: string, token: string, body?: unknown) {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }
  const request = new Request(`${ORIGIN}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const response = await service.fetch({ request, address: '192.0.2.1' })
  const text = await response.text()
  // biome-ignore lint/suspicious/noExplicitAny: -- tests assert on what they read
  return { status: response.status, body: (text === '' ? undefined : JSON.parse(text)) as any }
}

const admin = (method: string, path: string, body?: unknown) =>
  send(method, `/admin/api${path}`, 'test-admin-token', body)

async function receiverOf(answering?: Answering): Promise<Receiver> {
  const receiver = await startReceiver(answering)
  receivers.push(receiver)
  return receiver
}

/** A tenant with a token and a webhook. */
async function tenantWith(url: string, types: readonly string[] | null = null) {
  const id = `t-${crypto.randomUUID()}`
  await admin('POST', '/tenants', { id, name: 'Test' })
  const { token } = (await admin('POST', `/tenants/${id}/tokens`, { name: 'Test' })).body
  const webhook = (await admin('POST', `/tenants/${id}/webhooks`, { url, types })).body
  const path = `/tenants/${id}/webhooks/${webhook.id}`
  return {
    id,
    path,
    secret: webhook.secret as string,
    createUser: async (userName = crypto.randomUUID()) => {
      const { status, body } = await send('POST', '/scim/v2/Users', token, { schemas: [USER], userName })
      expect(status).toBe(201)
      return body
    },
    bulk: (Operations: readonly unknown[]) =>
      send('POST', '/scim/v2/Bulk', token, {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
        Operations,
      }),
    events: async () => (await send('GET', '/events?limit=500', token)).body.events as { id: string }[],
    webhook: async () => (await admin('GET', path)).body,
    deliveries: async () => (await admin('GET', `${path}/deliveries`)).body.deliveries,
  }
}

const SOON = { timeout: 5_000, interval: 20 } as const
const idsOf = (all: readonly { readonly id: string }[]) => all.map(({ id }) => id)

describe('a delivery', () => {
  it('is the event of the feed, below 20 kB, and the public library verifies it', async () => {
    const receiver = await receiverOf()
    const tenant = await tenantWith(receiver.url)
    const begun = performance.now()
    await tenant.createUser('mirela')
    await expect.poll(() => receiver.received.length, SOON).toBe(1)
    expect(performance.now() - begun).toBeLessThan(1_000)
    const [delivery] = receiver.received
    if (delivery === undefined) throw new Error('nothing was received')
    const [event] = await tenant.events()
    expect(delivery.event).toEqual(event)
    expect(delivery.headers).toMatchObject({
      'webhook-id': event?.id,
      'content-type': 'application/json',
      'user-agent': 'scim-worker',
    })
    expect(verified(tenant.secret, delivery)).toEqual(event)
    expect(() => verified(tenant.secret, { ...delivery, body: `${delivery.body} ` })).toThrow(/signature/i)
    await expect
      .poll(tenant.deliveries, SOON)
      .toMatchObject([{ eventId: event?.id, type: 'user.created', attempt: 1, status: 204, error: null }])
    expect(await tenant.webhook()).toMatchObject({ eventsBehind: 0, behindSince: null, lastError: null })
  })

  it('tells of an import', async () => {
    const receiver = await receiverOf()
    const tenant = await tenantWith(receiver.url)
    const imported = await service.fetch({
      request: new Request(`${ORIGIN}/admin/api/tenants/${tenant.id}/import`, {
        method: 'POST',
        headers: { Authorization: 'Bearer test-admin-token' },
        body: await fileOf([userLine(1)]),
      }),
      address: '192.0.2.1',
    })
    expect(imported.status).toBe(200)
    await expect.poll(() => receiver.received.map(({ type }) => type), SOON).toEqual(['tenant.imported'])
  })

  it('comes in the order of the commits, once, of bulk requests as well', async () => {
    const receiver = await receiverOf()
    const tenant = await tenantWith(receiver.url)
    const operations = Array.from({ length: 60 }, (_, i) => ({
      method: 'POST',
      path: '/Users',
      bulkId: `b${i}`,
      data: { schemas: [USER], userName: `user-${i}` },
    }))
    await tenant.bulk(operations)
    await tenant.createUser()
    await expect.poll(() => receiver.received.length, SOON).toBe(61)
    expect(idsOf(receiver.received)).toEqual(idsOf(await tenant.events()))
  })

  it('has the wanted types only, and the webhook passes the others', async () => {
    const receiver = await receiverOf()
    const tenant = await tenantWith(receiver.url, ['user.deleted'])
    await tenant.createUser()
    await expect.poll(async () => (await tenant.webhook()).eventsBehind, SOON).toBe(0)
    expect(receiver.received).toEqual([])
  })

  it('is signed with each secret during a rotation', async () => {
    const receiver = await receiverOf()
    const tenant = await tenantWith(receiver.url)
    const added = (await admin('POST', `${tenant.path}/secrets`)).body
    await tenant.createUser()
    await expect.poll(() => receiver.received.length, SOON).toBe(1)
    const [both] = receiver.received
    if (both === undefined) throw new Error('nothing was received')
    expect(both.headers['webhook-signature']?.split(' ')).toHaveLength(2)
    for (const secret of [tenant.secret, added.secret]) verified(secret, both)
    const [first] = (await tenant.webhook()).secrets
    expect((await admin('DELETE', `${tenant.path}/secrets/${first.id}`)).status).toBe(204)
    await tenant.createUser()
    await expect.poll(() => receiver.received.length, SOON).toBe(2)
    const [, one] = receiver.received
    if (one === undefined) throw new Error('nothing was received')
    verified(added.secret, one)
    expect(() => verified(tenant.secret, one)).toThrow(/signature/i)
  })

  it('is tried again with the same id and a new time, and later events wait', async () => {
    const receiver = await receiverOf((response, _, count) =>
      response.writeHead(count === 1 ? 500 : 204).end(),
    )
    const tenant = await tenantWith(receiver.url)
    await tenant.createUser()
    await expect.poll(async () => (await tenant.webhook()).attempts, SOON).toBe(1)
    // A poke does not override the pause.
    await tenant.createUser()
    expect(await tenant.webhook()).toMatchObject({
      eventsBehind: 2,
      lastError: 'the receiver answered 500',
      lastSuccessAt: null,
      state: 'active',
    })
    await expect.poll(() => receiver.received.length, { timeout: 10_000 }).toBe(3)
    const [failed, again, next] = receiver.received
    const [first, second] = await tenant.events()
    expect([failed?.id, again?.id, next?.id]).toEqual([first?.id, first?.id, second?.id])
    const times = [failed, again].map((one) => Number(one?.headers['webhook-timestamp']))
    expect(Number(times[1]) - Number(times[0])).toBeGreaterThanOrEqual(5)
    await expect.poll(tenant.webhook, SOON).toMatchObject({ attempts: 0, eventsBehind: 0, lastError: null })
    expect((await tenant.deliveries()).map(({ status }: { status: number }) => status)).toEqual([
      204, 204, 500,
    ])
  })

  it('is repeated from any kept position', async () => {
    const receiver = await receiverOf()
    const tenant = await tenantWith(receiver.url)
    for (let i = 0; i < 3; i++) await tenant.createUser()
    await expect.poll(() => receiver.received.length, SOON).toBe(3)
    const ids = idsOf(await tenant.events())
    await expect.poll(async () => (await tenant.webhook()).eventsBehind, SOON).toBe(0)
    await admin('POST', `${tenant.path}/replay`, { after: ids[0] })
    await expect.poll(() => receiver.received.length, SOON).toBe(5)
    expect(idsOf(receiver.received)).toEqual([...ids, ...ids.slice(1)])
  })
})

describe('a test event', () => {
  it('is sent at once, also to a disabled webhook, and its outcome is told', async () => {
    const receiver = await receiverOf()
    const tenant = await tenantWith(receiver.url)
    await admin('PATCH', tenant.path, { state: 'disabled' })
    const { status, body } = await admin('POST', `${tenant.path}/test`)
    expect([status, body]).toMatchObject([200, { type: 'webhook.test', status: 204, error: null }])
    const [delivery] = receiver.received
    if (delivery === undefined) throw new Error('nothing was received')
    expect(verified(tenant.secret, delivery)).toMatchObject({ type: 'webhook.test', tenant: tenant.id })
    expect(await tenant.deliveries()).toEqual([body])
    receiver.answering = (response) => response.writeHead(503).end()
    const failed = await admin('POST', `${tenant.path}/test`)
    expect(failed.body).toMatchObject({ status: 503, error: 'the receiver answered 503' })
  })
})

/** Receivers that fail, with what is recorded. */
const FAILURES: readonly (readonly [string, Answering, string])[] = [
  ['closes the connection', (response) => response.destroy(), 'the connection failed: ECONNRESET'],
  [
    'redirects',
    (response) => response.writeHead(302, { Location: 'https://example.com/' }).end(),
    'the receiver answered 302; redirects are not followed',
  ],
  ['answers 404', (response) => response.writeHead(404).end(), 'the receiver answered 404'],
  [
    'answers 400 with 10 MB',
    (response) => response.writeHead(400).end(Buffer.alloc(10_000_000)),
    'the receiver answered 400',
  ],
]

describe('a receiver', () => {
  it.for(FAILURES)('that %s has a failed delivery', async ([, answering, error]) => {
    const receiver = await receiverOf(answering)
    const tenant = await tenantWith(receiver.url)
    await tenant.createUser()
    await expect.poll(async () => (await tenant.webhook()).lastError, SOON).toBe(error)
    expect(await tenant.webhook()).toMatchObject({ attempts: 1, state: 'active', eventsBehind: 1 })
  })

  it('that accepts with 10 MB is served without reading them', async () => {
    let sent = 0
    const receiver = await receiverOf((response) => {
      response.writeHead(200)
      const more = () => {
        for (sent += 65_536; sent <= 10_000_000 && response.write(Buffer.alloc(65_536)); ) sent += 65_536
      }
      response.on('drain', more)
      more()
    })
    const tenant = await tenantWith(receiver.url)
    await tenant.createUser()
    await expect.poll(tenant.webhook, SOON).toMatchObject({ eventsBehind: 0, lastError: null })
    expect(sent).toBeLessThan(10_000_000)
  })

  it('that answers 410 gets nothing more', async () => {
    const receiver = await receiverOf((response) => response.writeHead(410).end())
    const tenant = await tenantWith(receiver.url)
    await tenant.createUser()
    const reason = 'the receiver answered 410: it wants no more events'
    await expect.poll(tenant.webhook, SOON).toMatchObject({ state: 'disabled', disabledReason: reason })
    await tenant.createUser()
    expect(receiver.received).toHaveLength(1)
    // Enabled again, it gets all that it has missed.
    receiver.answering = (response) => response.writeHead(204).end()
    await admin('PATCH', tenant.path, { state: 'active' })
    await expect.poll(() => receiver.received.length, SOON).toBe(3)
  })

  it('that never answers delays no other, and fails after 10 seconds', async () => {
    const hanging = await receiverOf(() => undefined)
    const stuck = await tenantWith(hanging.url)
    const others = []
    for (let i = 0; i < 20; i++) others.push(await tenantWith((await receiverOf()).url))
    const begun = performance.now()
    await stuck.createUser()
    for (const tenant of others) await tenant.createUser()
    for (const tenant of others) await expect.poll(tenant.webhook, SOON).toMatchObject({ eventsBehind: 0 })
    expect(performance.now() - begun).toBeLessThan(8_000)
    await expect
      .poll(async () => (await stuck.webhook()).lastError, { timeout: 15_000 })
      .toBe('no answer within 10 seconds')
  })
})
