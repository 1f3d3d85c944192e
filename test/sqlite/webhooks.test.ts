/**
 * Webhooks of a self-hosted server: what receivers get over real connections, and what becomes of receivers that do not
 * behave. Pauses and time-outs are in webhook-pauses.test.ts, and those of hours in test/provider/webhooks.test.ts.
 */
import { createHash } from 'node:crypto'
import { describe, expect, it, vi } from 'vitest'
import { USER } from '../support/urns.ts'
import { type Answering, verified } from '../support/webhook-receiver.ts'
import { admin, idsOf, receiverOf, SOON, sendText, tenantWith } from './support/webhook-service.ts'

const IMPORTED = {
  kind: 'user',
  id: '01a2097c-0000-7000-8000-000000000001',
  version: 1,
  createdAt: 1,
  lastModified: 2,
  resource: { userName: 'mirela', active: true },
}

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

  it('tells of an import, and of an import by a job', async () => {
    const line = `${JSON.stringify(IMPORTED)}\n`
    const counts = { users: 1, groups: 0, memberships: 0 }
    const end = { kind: 'end', ...counts, sha256: createHash('sha256').update(line).digest('hex') }
    const file = `${line}${JSON.stringify(end)}\n`
    for (const [path, status] of [
      ['import', 200],
      ['imports', 202],
    ] as const) {
      const receiver = await receiverOf()
      const tenant = await tenantWith(receiver.url)
      expect(await sendText(`/tenants/${tenant.id}/${path}`, file)).toBe(status)
      await expect
        .poll(() => receiver.received.map(({ type }) => type), SOON)
        .toEqual(['administrator.acted', 'tenant.imported'])
    }
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
    // The event of the new secret.
    await expect.poll(() => receiver.received.length, SOON).toBe(1)
    const [both] = receiver.received
    if (both === undefined) throw new Error('nothing was received')
    expect(both.headers['webhook-signature']?.split(' ')).toHaveLength(2)
    for (const secret of [tenant.secret, added.secret]) verified(secret, both)
    const [first] = (await tenant.webhook()).secrets
    expect((await admin('DELETE', `${tenant.path}/secrets/${first.id}`)).status).toBe(204)
    await tenant.createUser()
    await expect.poll(() => receiver.received.length, SOON).toBe(3)
    const one = receiver.received.at(-1)
    if (one === undefined) throw new Error('nothing was received')
    verified(added.secret, one)
    expect(() => verified(tenant.secret, one)).toThrow(/signature/i)
  })

  it('is repeated from any kept position', async () => {
    const receiver = await receiverOf()
    const tenant = await tenantWith(receiver.url)
    for (let i = 0; i < 3; i++) await tenant.createUser()
    await expect.poll(() => receiver.received.length, SOON).toBe(3)
    const ids = idsOf(await tenant.events())
    await expect.poll(async () => (await tenant.webhook()).eventsBehind, SOON).toBe(0)
    await admin('POST', `${tenant.path}/replay`, { after: ids[0] })
    await expect.poll(() => receiver.received.length, SOON).toBe(6)
    // The event of the replay comes last.
    const acted = (await tenant.events()).at(-1)?.id
    expect(idsOf(receiver.received)).toEqual([...ids, ...ids.slice(1), acted])
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
    'sends informational responses without end',
    (response) => {
      const timer = setInterval(() => response.writeProcessing(), 1)
      response.once('close', () => clearInterval(timer))
    },
    'too many informational responses',
  ],
  [
    'answers 400 with 10 MB',
    (response) => response.writeHead(400).end(Buffer.alloc(10_000_000)),
    'the receiver answered 400',
  ],
]

describe('a receiver', () => {
  it('has neither its URL nor a secret in the log of the server', async () => {
    const logged: unknown[] = []
    const spies = (['log', 'warn', 'error'] as const).map((method) =>
      vi.spyOn(console, method).mockImplementation((...parts) => void logged.push(parts)),
    )
    const receiver = await receiverOf((response) => response.destroy())
    const tenant = await tenantWith(`${receiver.url}?key=secret-in-url`)
    await tenant.createUser()
    await admin('POST', `${tenant.path}/test`)
    await admin('PATCH', tenant.path, { url: 'https://127.0.0.1/?key=secret-in-url' })
    await expect.poll(async () => (await tenant.webhook()).attempts, SOON).toBe(1)
    expect(JSON.stringify([logged, await tenant.deliveries()])).not.toMatch(/secret-in-url|whsec_/)
    expect(JSON.stringify((await tenant.webhook()).lastError)).not.toContain('secret-in-url')
    for (const spy of spies) spy.mockRestore()
  })

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

  it.for<[string, Answering]>([
    ['closes the connection', (response) => response.socket?.resetAndDestroy()],
    ['violates the protocol', (response) => response.socket?.end('not a chunk')],
  ])('that accepts and %s in its answer has accepted', async ([, rest]) => {
    const receiver = await receiverOf((response, event, count) => {
      response.writeHead(200).write('a')
      setTimeout(() => rest(response, event, count), 50)
    })
    const tenant = await tenantWith(receiver.url)
    await tenant.createUser()
    await expect.poll(tenant.webhook, SOON).toMatchObject({ eventsBehind: 0, lastError: null })
    expect(receiver.received).toHaveLength(1)
  })

  it('whose URL begins with "HTTP:" is reached like any other', async () => {
    const receiver = await receiverOf()
    const tenant = await tenantWith(receiver.url.replace('http:', 'HTTP:'))
    await tenant.createUser()
    await expect.poll(() => receiver.received.length, SOON).toBe(1)
  })

  it('that fails is replaced by another one at once', async () => {
    const [bad, good] = [await receiverOf((response) => response.writeHead(500).end()), await receiverOf()]
    const tenant = await tenantWith(bad.url)
    await tenant.createUser()
    await expect.poll(async () => (await tenant.webhook()).attempts, SOON).toBe(1)
    await admin('PATCH', tenant.path, { url: good.url })
    await expect
      .poll(() => good.received.map(({ type }) => type), { timeout: 2_000 })
      .toEqual(['user.created', 'administrator.acted'])
    expect(bad.received).toHaveLength(1)
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
    await expect
      .poll(() => receiver.received.slice(1).map(({ type }) => type), SOON)
      .toEqual(['user.created', 'user.created', 'administrator.acted'])
  })
})
