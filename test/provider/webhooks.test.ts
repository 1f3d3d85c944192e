/** The delivery of webhooks in workerd, on D1: the schedule of repetitions, runs that collide, and the Durable Object. */
import { createScheduledController, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { deliverDue, type NextRun } from '../../src/provider/webhooks/deliver.ts'
import { NoAnswer, type WebhookAnswer, type WebhookPost } from '../../src/provider/webhooks/post.ts'
import { RETRY_PAUSES_MS } from '../../src/provider/webhooks/retries.ts'
import { MAX_SHOWN_DELIVERIES } from '../../src/scim/limits.ts'
import { noFigures, openDatabase } from '../../src/storage/database/database.ts'
import { RESOURCE_TYPES } from '../../src/storage/tables/resource-tables.ts'
import worker from '../../src/worker.ts'
import { DELIVERY } from '../bench/cost/model.ts'
import { eventsOf } from '../support/feed.ts'
import { admin, type Client, newClient, RANGE_ENDS } from '../support/harness.ts'
import { noting } from '../support/query-plans.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** What arrives at receivers, by their URLs; and how they answer. */
const arrived = new Map<string, WebhookPost[]>()
let answering: (post: WebhookPost) => Promise<Response> = async () => new Response(null, { status: 204 })

beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (url, init) => {
    const post = {
      url: String(url),
      headers: init?.headers as Record<string, string>,
      body: String(init?.body),
    }
    arrived.set(post.url, [...(arrived.get(post.url) ?? []), post])
    return await answering(post)
  })
  answering = async () => new Response(null, { status: 204 })
})
afterEach(() => void vi.restoreAllMocks())

interface Hooked {
  readonly client: Client
  readonly id: string
  readonly url: string
  readonly path: string
}

/** The events of the token and of the webhook, which come first in each tenant. */
const FIRST = 2

/** A tenant with a webhook whose object has nothing to do: it is disabled while a test makes events. */
async function hooked(events: number): Promise<Hooked> {
  const client = await newClient()
  const url = `https://${crypto.randomUUID()}.example.com/`
  const { body } = await admin('POST', `/tenants/${client.tenantId}/webhooks`, { url })
  const path = `/tenants/${client.tenantId}/webhooks/${body.id}`
  await setState(body.id, 'disabled')
  await client.get('/Users?count=1')
  for (let i = 0; i < events; i++) await client.createUser()
  await setState(body.id, 'active')
  return { client, id: body.id, url, path }
}

/** In the row only, so that no sender is told. */
async function setState(id: string, state: string): Promise<void> {
  await env.DB.prepare(
    `UPDATE tenants SET configuration = NULL WHERE id = (SELECT tenant_id FROM webhooks WHERE id = ?)`,
  )
    .bind(id)
    .run()
  await env.DB.prepare('UPDATE webhooks SET state = ?2 WHERE id = ?1').bind(id, state).run()
}

interface Sent {
  readonly posts: WebhookPost[]
  now: number
  answer: (post: WebhookPost, count: number) => WebhookAnswer | Promise<WebhookAnswer>
}

/** A runner with a clock and a receiver of its own. */
function runnerFor({ client, id }: Hooked, open = () => openDatabase(env.DB, noFigures())) {
  const sent: Sent = { posts: [], now: Date.now(), answer: () => ({ status: 204, retryAfter: null }) }
  const run = (): Promise<NextRun> =>
    deliverDue(
      {
        databases: {
          names: ['DB'],
          maxBytes: Number.POSITIVE_INFINITY,
          open,
        },
        resourceTypes: RESOURCE_TYPES,
        allowLoopback: false,
        now: () => sent.now,
        random: () => 0.5,
        post: async (post) => {
          sent.posts.push(post)
          return await sent.answer(post, sent.posts.length)
        },
      },
      { tenantId: client.tenantId, webhookId: id },
    )
  return { sent, run }
}

const idsOf = (posts: readonly WebhookPost[]) => posts.map(({ headers }) => headers['webhook-id'])
const feedIds = async ({ client }: Hooked) => (await eventsOf(client, '?limit=500')).map(({ id }) => id)

describe('a receiver that fails', () => {
  it('is tried ten times in three days, is then disabled with the reason, and can be enabled again', async () => {
    const webhook = await hooked(2)
    const { sent, run } = runnerFor(webhook)
    sent.answer = () => ({ status: 500, retryAfter: null })
    const begun = sent.now
    const pauses: NextRun[] = []
    for (let next = await run(); typeof next === 'number'; next = await run()) {
      pauses.push(next)
      // Nothing is sent before the pause is over.
      sent.now += next - 1
      expect(await run()).toBe(1)
      sent.now += 1
    }
    // 10% of jitter.
    expect(pauses).toEqual(RETRY_PAUSES_MS.map((ms) => Math.round(ms * 1.1)))
    expect(RETRY_PAUSES_MS.reduce((a, b) => a + b) / DAY_MS).toBeCloseTo(3.15, 1)
    expect(sent.posts).toHaveLength(10)
    expect(new Set(idsOf(sent.posts)).size).toBe(1)
    expect(new Set(sent.posts.map(({ headers }) => headers['webhook-timestamp'])).size).toBe(10)
    const { body } = await admin('GET', webhook.path)
    expect(body).toMatchObject({ state: 'disabled', attempts: 10, eventsBehind: 2 })
    expect(body.disabledReason).toBe(
      `10 attempts failed since ${new Date(begun).toISOString()}; the last one: the receiver answered 500`,
    )
    expect(await run()).toBe('idle')
    await admin('PATCH', webhook.path, { state: 'active' })
    const after = runnerFor(webhook)
    // The Durable Object was told, too; whoever is first, both events are delivered.
    await after.run()
    await vi.waitFor(async () => expect((await admin('GET', webhook.path)).body.eventsBehind).toBe(0))
  })

  it.for([
    ['7200', 2 * HOUR_MS],
    ['0', 5_500],
    ['in a while', 5_500],
    ['999999999', DAY_MS],
  ] as const)('with Retry-After: %s is left alone for %i ms', async ([retryAfter, ms]) => {
    const { sent, run } = runnerFor(await hooked(1))
    sent.answer = () => ({ status: 429, retryAfter })
    expect(await run()).toBe(ms)
  })

  it('with a date in Retry-After is left alone until then', async () => {
    const { sent, run } = runnerFor(await hooked(1))
    sent.now = Math.floor(sent.now / 1000) * 1000
    sent.answer = () => ({ status: 503, retryAfter: new Date(sent.now + HOUR_MS).toUTCString() })
    expect(await run()).toBe(HOUR_MS)
  })

  it('without an answer has the reason recorded, and begins anew after a success', async () => {
    const webhook = await hooked(3)
    const { sent, run } = runnerFor(webhook)
    sent.answer = (_, count) => {
      if (count !== 2) return { status: 200, retryAfter: null }
      throw new NoAnswer('the connection failed')
    }
    expect(await run()).toBe(5_500)
    const { body } = await admin('GET', webhook.path)
    expect(body).toMatchObject({ eventsBehind: 2, attempts: 1, lastError: 'the connection failed' })
    sent.now += 5_500
    expect(await run()).toBe('idle')
    const [first, second, third] = await feedIds(webhook)
    expect(idsOf(sent.posts)).toEqual([first, second, second, third])
    const { deliveries } = (await admin('GET', `${webhook.path}/deliveries`)).body
    expect(deliveries.map(({ attempt }: { attempt: number }) => attempt)).toEqual([1, 2, 1, 1])
  })
})

describe('a run', () => {
  it('sends 40 events at most, and stores its progress in one row', async () => {
    const webhook = await hooked(45)
    const { sent, run } = runnerFor(webhook)
    expect(await run()).toBe(0)
    expect(sent.posts).toHaveLength(40)
    expect(await run()).toBe('idle')
    expect(idsOf(sent.posts)).toEqual(await feedIds(webhook))
    const { deliveries } = (await admin('GET', `${webhook.path}/deliveries`)).body
    expect(deliveries).toHaveLength(45)
    expect(deliveries[0].eventId).toBe((await feedIds(webhook)).at(-1))
  })

  it('takes two round trips and one written row, and reads by index what it sends', async () => {
    const webhook = await hooked(20)
    const costs = async () => {
      const figures = noFigures()
      const { sent, run } = runnerFor(webhook, () => openDatabase(env.DB, figures))
      expect(await run()).toBe('idle')
      return { ...figures, sent: sent.posts.length }
    }
    expect(await costs()).toMatchObject({ roundTrips: 2, rowsWritten: 1, sent: 20 })
    const { events } = (await webhook.client.feed('?limit=500')).body
    const replay = async (index: number) => {
      await env.DB.prepare('UPDATE webhooks SET seq = ?2 WHERE id = ?1').bind(webhook.id, index).run()
      return await costs()
    }
    // D1 counts the twenty deliveries that are shown as rows as well, which are in one row.
    const one = await replay(events.length - 1)
    expect(one).toMatchObject({ roundTrips: 2, rowsWritten: 1, sent: 1 })
    expect(one.rowsRead).toBeLessThan(30 + 3 * 20)
    const { binding, plans } = noting()
    await replay(events.length - 1)
    await env.DB.prepare('UPDATE webhooks SET seq = seq - 1 WHERE id = ?').bind(webhook.id).run()
    await runnerFor(webhook, () => openDatabase(binding, noFigures())).run()
    const steps = await plans()
    expect(steps).toContainEqual(
      expect.stringMatching(/SEARCH e USING PRIMARY KEY \(tenant_id=\? AND seq>\? AND seq<\?\)/),
    )
    expect(steps.filter((step) => /^SCAN (?:e|w|events|webhooks|t|tenants)\b/.test(step))).toEqual([])
  })

  it('of one event costs what docs/operate/growth.md says, with a full list of deliveries', async () => {
    const webhook = await hooked(3)
    const delivery = { time: 1, eventId: 'evt', type: 'user.created', attempt: 1, status: 204, error: null }
    const full = JSON.stringify(Array.from({ length: MAX_SHOWN_DELIVERIES }, () => delivery))
    await env.DB.prepare('UPDATE webhooks SET seq = ?3, deliveries = ?2 WHERE id = ?1')
      .bind(webhook.id, full, FIRST + 2)
      .run()
    const figures = noFigures()
    const { sent, run } = runnerFor(webhook, () => openDatabase(env.DB, figures))
    expect(await run()).toBe('idle')
    expect(sent.posts).toHaveLength(1)
    expect(figures.rowsWritten).toBe(DELIVERY.rowsWritten)
    expect(Math.abs(DELIVERY.rowsRead - figures.rowsRead)).toBeLessThanOrEqual(RANGE_ENDS)
  })

  it('never moves the position back, whoever else runs', async () => {
    const webhook = await hooked(3)
    const [slow, fast] = [runnerFor(webhook), runnerFor(webhook)]
    slow.sent.answer = async (_, count) => {
      // While the first event is on its way, another runner delivers all of them.
      if (count === 1) expect(await fast.run()).toBe('idle')
      return { status: count === 3 ? 500 : 200, retryAfter: null }
    }
    // Its failure is of no importance any more: it looks again, at once.
    expect(await slow.run()).toBe(0)
    expect(await slow.run()).toBe('idle')
    expect(slow.sent.posts).toHaveLength(3)
    expect((await admin('GET', webhook.path)).body).toMatchObject({ eventsBehind: 0, attempts: 0 })
  })

  it('waits while the tenant is moved, and ends for a webhook or a tenant that is gone', async () => {
    const webhook = await hooked(1)
    const { sent, run } = runnerFor(webhook)
    const state = (state: string) =>
      env.DB.prepare('UPDATE tenants SET state = ?2 WHERE id = ?1').bind(webhook.client.tenantId, state).run()
    await state('moving')
    expect(await run()).toBe(30_000)
    await state('importing')
    expect(await run()).toBe('idle')
    await state('deleting')
    expect(await run()).toBe('gone')
    await state('ready')
    await admin('DELETE', webhook.path)
    expect(await run()).toBe('gone')
    expect(sent.posts).toEqual([])
  })

  it('stores nothing if a move has begun meanwhile, and repeats the event after it', async () => {
    const webhook = await hooked(1)
    const { sent, run } = runnerFor(webhook)
    const state = (state: string) =>
      env.DB.prepare('UPDATE tenants SET state = ?2 WHERE id = ?1').bind(webhook.client.tenantId, state).run()
    sent.answer = async () => {
      await state('moving')
      return { status: 200, retryAfter: null }
    }
    const row = () => env.DB.prepare('SELECT * FROM webhooks WHERE id = ?').bind(webhook.id).first()
    const before = await row()
    expect(await run()).toBe(0)
    expect(await row()).toEqual(before)
    await state('ready')
    expect(await run()).toBe(0)
    expect(new Set(idsOf(sent.posts)).size).toBe(1)
    await state('ready')
  })

  it('tells how many events were deleted before they could be sent', async () => {
    const webhook = await hooked(5)
    await env.DB.prepare('DELETE FROM events WHERE tenant_id = ? AND seq <= ?')
      .bind(webhook.client.tenantId, FIRST + 3)
      .run()
    const { sent, run } = runnerFor(webhook)
    expect(await run()).toBe('idle')
    expect(sent.posts).toHaveLength(2)
    const { deliveries } = (await admin('GET', `${webhook.path}/deliveries`)).body
    expect(deliveries[2]).toMatchObject({
      eventId: null,
      error: '3 events were not sent, because they are no longer kept',
    })
    expect(await run()).toBe('idle')
    expect(sent.posts).toHaveLength(2)
  })

  it('begins again if the types change meanwhile, so that it passes no event of a new one', async () => {
    const webhook = await hooked(0)
    await admin('PATCH', webhook.path, { types: ['user.deleted'] })
    await setState(webhook.id, 'disabled')
    await webhook.client.get('/Users?count=1')
    const { id } = await webhook.client.createUser()
    await webhook.client.request('DELETE', `/Users/${id}`)
    await webhook.client.createUser()
    await setState(webhook.id, 'active')
    const { sent, run } = runnerFor(webhook)
    sent.answer = async (_, count) => {
      if (count === 1) await admin('PATCH', webhook.path, { types: ['user.created'] })
      return { status: 204, retryAfter: null }
    }
    expect(await run()).toBe(0)
    expect(await run()).toBe('idle')
    const [first, deleted, second] = await feedIds(webhook)
    expect(idsOf(sent.posts)).toEqual([deleted, first, second])
  })

  it('does not wait until a time that was planned before the clock was set back', async () => {
    const webhook = await hooked(1)
    const { sent, run } = runnerFor(webhook)
    sent.now += 40 * DAY_MS
    sent.answer = () => ({ status: 500, retryAfter: null })
    expect(await run()).toBe(5_500)
    sent.now -= 40 * DAY_MS
    expect(await run()).toBe(5 * 60_000 * 1.1)
    // Later than the longest pause, and longer than a timer can wait.
    await env.DB.prepare('UPDATE webhooks SET next_attempt_at = ?2 WHERE id = ?1')
      .bind(webhook.id, Date.now() + 40 * DAY_MS)
      .run()
    vi.spyOn(console, 'log').mockImplementation(() => undefined)
    await vi.waitFor(async () => {
      await worker.scheduled(createScheduledController({ scheduledTime: Date.now() }), env)
      await runDurableObjectAlarm(env.WEBHOOK_SENDER.getByName(webhook.id))
      expect(idsOf(arrived.get(webhook.url) ?? [])).toEqual(await feedIds(webhook))
    }, SOON)
  })

  it('sends nothing to a URL that is not allowed any more', async () => {
    const webhook = await hooked(1)
    await env.DB.prepare("UPDATE webhooks SET url = 'http://127.0.0.1/' WHERE id = ?").bind(webhook.id).run()
    const { sent, run } = runnerFor(webhook)
    expect(await run()).toBe(5_500)
    expect(sent.posts).toEqual([])
    expect((await admin('GET', webhook.path)).body.lastError).toMatch(/^the URL is not allowed/)
  })
})

/** A tenant with a webhook that its Durable Object delivers to. */
async function delivered(): Promise<Hooked> {
  const client = await newClient()
  const url = `https://${crypto.randomUUID()}.example.com/`
  const { body } = await admin('POST', `/tenants/${client.tenantId}/webhooks`, { url })
  return { client, id: body.id, url, path: `/tenants/${client.tenantId}/webhooks/${body.id}` }
}

const SOON = { timeout: 10_000, interval: 50 } as const

/** Waits until the receiver has a number of events. A busy workerd of a test may keep an alarm waiting for long. */
async function arrivals({ id, url }: Hooked, count: number): Promise<readonly WebhookPost[]> {
  return await vi.waitFor(async () => {
    await runDurableObjectAlarm(env.WEBHOOK_SENDER.getByName(id))
    const posts = arrived.get(url) ?? []
    expect(posts.length).toBeGreaterThanOrEqual(count)
    return posts
  }, SOON)
}

describe('the Durable Object of a webhook', () => {
  it('delivers after each write: of users, of groups, and of a bulk request', async () => {
    const webhook = await delivered()
    const { client } = webhook
    const user = await client.createUser()
    await arrivals(webhook, 1)
    await client.createGroup({ members: [{ value: user.id }] })
    await arrivals(webhook, 3)
    await client.request('POST', '/Bulk', {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
      Operations: [{ method: 'DELETE', path: `/Users/${user.id}` }],
    })
    const posts = await arrivals(webhook, 5)
    expect(idsOf(posts)).toEqual(await feedIds(webhook))
    expect(posts[0]?.headers['webhook-signature']).toMatch(/^v1,/)
    await vi.waitFor(async () => expect((await admin('GET', webhook.path)).body.eventsBehind).toBe(0), SOON)
  })

  it('keeps its pause when it is poked, and ends it when the webhook is enabled again', async () => {
    const webhook = await delivered()
    answering = async () => new Response('a'.repeat(10_000), { status: 500 })
    await webhook.client.createUser()
    await arrivals(webhook, 1)
    const sender = env.WEBHOOK_SENDER.getByName(webhook.id)
    const alarm = async () => await runInDurableObject(sender, (_, state) => state.storage.getAlarm())
    await vi.waitFor(async () => expect(await alarm()).toBeGreaterThan(Date.now() + 1_000), SOON)
    const before = await alarm()
    await webhook.client.createUser()
    expect(await alarm()).toBe(before)
    answering = async () => new Response(null, { status: 200 })
    await admin('PATCH', webhook.path, { state: 'active' })
    const posts = await arrivals(webhook, 3)
    const [first, second] = await feedIds(webhook)
    expect(idsOf(posts)).toEqual([first, first, second])
  })

  it('forgets a webhook that is gone', async () => {
    const webhook = await delivered()
    await webhook.client.createUser()
    await arrivals(webhook, 1)
    await admin('DELETE', webhook.path)
    const sender = env.WEBHOOK_SENDER.getByName(webhook.id)
    await vi.waitFor(async () => {
      await runDurableObjectAlarm(sender)
      expect(await runInDurableObject(sender, (_, state) => state.storage.get('address'))).toBeUndefined()
    }, SOON)
  })

  it('is poked by the cron trigger if a poke was lost', async () => {
    const webhook = await hooked(1)
    vi.spyOn(console, 'log').mockImplementation(() => undefined)
    // Webhooks of other tests may be due as well, and a run pokes ten.
    await vi.waitFor(async () => {
      await worker.scheduled(createScheduledController({ scheduledTime: Date.now() }), env)
      await runDurableObjectAlarm(env.WEBHOOK_SENDER.getByName(webhook.id))
      expect(idsOf(arrived.get(webhook.url) ?? [])).toEqual(await feedIds(webhook))
    }, SOON)
  })
})
