/**
 * What events cost: rows of writes, of the feed and of pruning, exactly, and the plans of the statements.
 */
import { createExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { noFigures, openDatabase } from '../../src/storage/database/database.ts'
import { pruneEvents } from '../../src/storage/events/pruning.ts'
import worker from '../../src/worker.ts'
import { DAY_MS } from '../support/clock.ts'
import { now } from '../support/feed.ts'
import {
  type Answer,
  type Client,
  costOf,
  expectSameCost,
  newClient,
  ORIGIN,
  RANGE_ENDS,
} from '../support/harness.ts'
import { noting } from '../support/query-plans.ts'

/** So long ago that the events of other tests are younger. */
const OLD = Date.UTC(2001)

/** A client of a tenant without events: the one of its token is deleted. */
async function emptyClient(): Promise<Client> {
  const client = await newClient()
  await env.DB.prepare('DELETE FROM events WHERE tenant_id = ?').bind(client.tenantId).run()
  return client
}

/** Adds events of users to the empty stream of a tenant, a minute apart. @returns their number */
async function addEvents({ tenantId }: Client, count: number, from = Date.now(), type = 'user.updated') {
  for (let start = 0; start < count; start += 10_000) {
    const numbers = Array.from({ length: Math.min(10_000, count - start) }, (_, i) => start + i + 1)
    await env.DB.prepare(
      `INSERT INTO events (tenant_id, seq, type, time, resource_id, data, total_bytes)
       SELECT ?1, value, ?4, ?3 + value * 60000, 'u', '{"userName":"u","version":1}', value * 30 FROM json_each(?2)`,
    )
      .bind(tenantId, JSON.stringify(numbers), from, type)
      .run()
  }
  return count
}

const stored = async ({ tenantId }: Client) =>
  await env.DB.prepare(
    'SELECT count(*) AS count, min(seq) AS first, max(seq) AS last FROM events WHERE tenant_id = ?',
  )
    .bind(tenantId)
    .first<{ count: number; first: number; last: number }>()

async function prune(before: number, limit = 50_000) {
  const figures = noFigures()
  const deleted = await pruneEvents(openDatabase(env.DB, figures), before, limit)
  return { ...figures, deleted }
}

/** The costs of a write with its events and of the same write in a tenant without events. */
async function costsOf(write: (client: Client) => Promise<Answer>) {
  const [told, silent] = [await emptyClient(), await emptyClient()]
  await env.DB.prepare(
    `CREATE TRIGGER no_events BEFORE INSERT ON events WHEN NEW.tenant_id = '${silent.tenantId}'
     BEGIN SELECT RAISE(IGNORE); END`,
  ).run()
  try {
    const [withEvents, without] = [costOf(await write(told)), costOf(await write(silent))]
    const { count = 0 } = (await stored(told)) ?? {}
    expect((await stored(silent))?.count).toBe(0)
    return { withEvents, without, count }
  } finally {
    await env.DB.prepare('DROP TRIGGER no_events').run()
  }
}

describe('the events of a write', () => {
  const patchUser = async (client: Client, path: string, value: unknown) => {
    const { id } = await client.createUser()
    await client.get(`/Users/${id}`)
    return await client.patch(`/Users/${id}`, { op: 'replace', path, value })
  }
  const withMembers = async (client: Client, count: number) => {
    const ids: string[] = []
    for (let i = 0; i < count; i++) ids.push((await client.createUser()).id)
    const { id } = await client.createGroup()
    return { id: String(id), members: ids.map((value) => ({ value })) }
  }

  it.for<[name: string, rows: number, write: (client: Client) => Promise<Answer>]>([
    ['that creates a user', 2, (client) => client.request('POST', '/Users', { userName: 'a' })],
    ['that changes a user', 2, (client) => patchUser(client, 'title', 'Ranger')],
    ['that disables a user', 2, (client) => patchUser(client, 'active', false)],
    ['that changes nothing', 0, (client) => patchUser(client, 'active', true)],
    [
      'that deletes a user',
      2,
      async (client) => client.request('DELETE', `/Users/${(await client.createUser()).id}`),
    ],
    ['that creates a group', 2, (client) => client.request('POST', '/Groups', { displayName: 'a' })],
    [
      'that adds a member',
      3,
      async (client) => {
        const { id, members } = await withMembers(client, 1)
        return await client.patch(`/Groups/${id}`, { op: 'add', path: 'members', value: members })
      },
    ],
    [
      'that adds 51 members',
      6,
      async (client) => {
        const { id, members } = await withMembers(client, 51)
        return await client.patch(`/Groups/${id}`, { op: 'add', path: 'members', value: members })
      },
    ],
  ])('%s are %i written rows more, and no round trip', async ([, rows, write]) => {
    const { withEvents, without } = await costsOf(write)
    expect(withEvents.rowsWritten - without.rowsWritten).toBe(rows)
    expect(withEvents.roundTrips).toBe(without.roundTrips)
    expect(withEvents.rowsRead - without.rowsRead).toBeLessThanOrEqual(4 + RANGE_ENDS)
  })

  it('cost the same however many events are stored', async () => {
    const costs = []
    for (const count of [1_000, 100_000]) {
      const client = await emptyClient()
      await addEvents(client, count)
      costs.push(costOf(await client.request('POST', '/Users', { userName: 'a' })))
    }
    const [few, many] = costs
    if (few === undefined || many === undefined) throw new Error('a cost is missing')
    expectSameCost(many, few)
  })
})

describe('a page of the feed', () => {
  it('reads the same rows of 1,000 events and of 120,000, in one round trip', async () => {
    const costs: number[][] = []
    for (const count of [1_000, 120_000]) {
      const client = await emptyClient()
      await addEvents(client, count)
      await client.feed('?limit=1')
      const first = await client.feed('?limit=400')
      const second = await client.feed(`?limit=500&after=${first.body.cursor}`)
      const head = await now(client)
      const empty = await client.feed(`?after=${head}`)
      const answers = [first, second, empty]
      expect(answers.map(({ body }) => body.events.length)).toEqual([400, 500, 0])
      expect(answers.map((answer) => costOf(answer).roundTrips)).toEqual([1, 1, 1])
      costs.push(answers.map((answer) => costOf(answer).rowsRead))
    }
    const [few = [], many = []] = costs
    for (const [i, rows] of many.entries()) expect(rows - (few[i] ?? 0)).toBeLessThanOrEqual(RANGE_ENDS)
    // The sums over the page are in temporary tables, whose rows count as well.
    expect(many[1]).toBeLessThanOrEqual(10 * 500)
    // Those in which the last event that the page may look at is found are among them.
    expect(many[2]).toBeLessThanOrEqual(30)
  })

  it('finds the names of deleted members however many events are stored', async () => {
    const costs: number[] = []
    for (const count of [100, 50_000]) {
      const client = await emptyClient()
      const users: { id: string; userName: string }[] = []
      for (let i = 0; i < 10; i++) users.push(await client.createUser())
      const { id } = await client.createGroup()
      const after = await now(client)
      await client.patch(`/Groups/${id}`, {
        op: 'add',
        path: 'members',
        value: users.map(({ id: value }) => ({ value })),
      })
      for (const user of users) await client.request('DELETE', `/Users/${user.id}`)
      await env.DB.prepare(
        `INSERT INTO events (tenant_id, seq, type, time, resource_id, data, total_bytes)
         SELECT ?1, ?2 + value, 'user.updated', 0, 'u', '{}', 1000000 FROM json_each(?3)`,
      )
        .bind(client.tenantId, 1_000, JSON.stringify([...Array(count).keys()]))
        .run()
      const answer = await client.feed(`?after=${after}&limit=1`)
      const names = answer.body.events[0].data.members.map(({ userName }: { userName: string }) => userName)
      expect(names.toSorted()).toEqual(users.map(({ userName }) => userName).toSorted())
      costs.push(costOf(answer).rowsRead)
    }
    expect((costs[1] ?? 0) - (costs[0] ?? 0)).toBeLessThanOrEqual(RANGE_ENDS)
  })

  it('passes 5,000 events of other types, and finds the one behind them', async () => {
    const client = await emptyClient()
    await addEvents(client, 12_000)
    await env.DB.prepare(
      `UPDATE events SET type = 'group.created' WHERE tenant_id = ? AND seq IN (11000, 11001)`,
    )
      .bind(client.tenantId)
      .run()
    const pages: unknown[] = []
    let query = '?types=group.created&limit=1'
    for (let hasMore = true; hasMore; ) {
      const answer = await client.feed(query)
      expect(costOf(answer).rowsRead).toBeLessThanOrEqual(5_000 + 40)
      pages.push(answer.body.events.length)
      query = `?types=group.created&limit=1&after=${answer.body.cursor}`
      hasMore = answer.body.hasMore
    }
    expect(pages).toEqual([0, 0, 1, 1])
  })

  it('is found by the key of the events, and members by theirs', async () => {
    const client = await emptyClient()
    const user = await client.createUser()
    await client.createGroup({ members: [{ value: user.id }] })
    const cursor = (await client.feed('?limit=1')).body.cursor
    const plansOf = async (query: string) => {
      const { binding, plans } = noting()
      const headers = { Authorization: `Bearer ${client.token}` }
      const request = new Request(`${ORIGIN}/events${query}`, { headers })
      const response = await worker.fetch(
        request as never,
        { ...env, DB: binding } as never,
        createExecutionContext(),
      )
      expect(response.status).toBe(200)
      return (await plans()).filter((step) => /events|AS e\b|\be\b|users|groups|\bd\b/.test(step))
    }
    for (const query of ['', `?after=${cursor}`, `?after=${cursor}&types=user.created`, '?after=now']) {
      const plans = await plansOf(query)
      expect(
        plans.filter((step) => /^SCAN (events|e|users|groups|as_users|as_groups|d)\b/.test(step)),
      ).toEqual([])
      expect(plans).toContainEqual(
        expect.stringMatching(/^SEARCH e USING PRIMARY KEY \(tenant_id=\? AND seq>\?/),
      )
      expect(plans).toContainEqual(expect.stringMatching(/^SEARCH d USING .*INDEX events_by_resource/))
      expect(plans).toContainEqual(
        expect.stringMatching(/^SEARCH as_users USING .*\(tenant_id=\? AND id=\?\)/),
      )
    }
  })
})

describe('pruning', () => {
  it('deletes events that are older, except the newest one of a tenant, and reads in proportion', async () => {
    // Other tests have tenants with old events, too.
    await prune(OLD)
    const clients = [await emptyClient(), await emptyClient(), await emptyClient()] as const
    const [idle, busy, young] = clients
    await addEvents(idle, 50, OLD)
    await addEvents(busy, 2_000, OLD)
    await addEvents(young, 10)
    const nothing = await prune(OLD)
    const tenants = await env.DB.prepare('SELECT count(*) AS n FROM tenants').first<number>('n')
    expect(nothing).toMatchObject({ deleted: 0, rowsWritten: 0 })
    expect(nothing.rowsRead).toBeLessThanOrEqual(4 * Number(tenants) + 10)
    const some = await prune(OLD + 101 * 60_000)
    expect(await stored(busy)).toEqual({ count: 1_900, first: 101, last: 2_000 })
    expect(await stored(idle)).toEqual({ count: 1, first: 50, last: 50 })
    expect(await stored(young)).toMatchObject({ count: 10 })
    expect(some).toMatchObject({ deleted: 149, rowsWritten: 149 })
    // test/bench/cost/model.ts uses this figure and the one of the feed.
    expect(some.rowsRead - nothing.rowsRead).toBeLessThanOrEqual(7 * 149 + 5)
    // At most as many as asked for, the oldest first; the newest one of the idle tenant is one of them and stays.
    expect(await prune(OLD + DAY_MS, 500)).toMatchObject({ deleted: 499 })
    expect(await stored(busy)).toEqual({ count: 1_401, first: 600, last: 2_000 })
    // The next event has the next number.
    await idle.createUser()
    expect(await stored(idle)).toEqual({ count: 2, first: 50, last: 51 })
    await prune(OLD + 2 * DAY_MS)
    expect(await stored(idle)).toEqual({ count: 1, first: 51, last: 51 })
  })

  it.for(['moving', 'arriving', 'moved'])('leaves a tenant that is %s', async (state) => {
    const client = await emptyClient()
    await addEvents(client, 10, OLD)
    const setState = async (to: string) =>
      await env.DB.prepare('UPDATE tenants SET state = ?2 WHERE id = ?1').bind(client.tenantId, to).run()
    await setState(state)
    await prune(OLD + DAY_MS)
    expect((await stored(client))?.count).toBe(10)
    await setState('ready')
    await prune(OLD + DAY_MS)
    expect((await stored(client))?.count).toBe(1)
  })
})
