/**
 * Events under group commit: the writes of a chunk share a transaction, and each still has its own events, or none.
 */
import { env } from 'cloudflare:workers'
import { describe, expect, it, vi } from 'vitest'
import {
  change,
  create,
  newCoordinator,
  rename,
  requestOf,
  statusOf,
  type Write,
} from '../support/coordinator.ts'
import { failing, faultyBinding } from '../support/faults.ts'
import { eventsOf, now, seqOf, type TestEvent, typesOf } from '../support/feed.ts'
import { type Client, newClient } from '../support/harness.ts'

async function newScene(options: Parameters<typeof newCoordinator>[1] = {}) {
  const client = await newClient()
  const users: string[] = []
  for (let i = 0; i < 4; i++) users.push((await client.createUser()).id)
  const group = await client.createGroup({ displayName: 'First' })
  return { client, users, id: String(group.id), coordinator: await newCoordinator(client, options) }
}

const requestsOf = (client: Client, writes: readonly Write[]) =>
  Promise.all(
    writes.map(async (write, i) => ({ ...(await requestOf(client, write)), requestId: `request-${i}` })),
  )

const shown = (events: readonly TestEvent[]) =>
  events.map(({ type, source, data }) => [source.requestId, type, data.version])

describe('writes that are committed together', () => {
  it('have their events in the order of the writes, and refused ones have none', async () => {
    const { client, users, id, coordinator } = await newScene()
    const [a = '', b = '', c = ''] = users
    const after = await now(client)
    const requests = await requestsOf(client, [
      change(id, 'add', a),
      change(id, 'add', 'nobody'),
      rename(id, 'Other'),
      change(id, 'add', a),
      create('Second', b),
      create('second'),
      change(id, 'remove', a),
      change(id, 'add', b, c),
    ])
    const answers = await coordinator.together(requests)
    expect(answers.map(statusOf)).toEqual([200, 400, 200, 200, 200, 409, 200, 200])
    expect(coordinator.batches).toHaveLength(2)
    const events = await eventsOf(client, `?after=${after}`)
    expect(shown(events)).toEqual([
      ['request-0', 'group.members_added', 2],
      ['request-2', 'group.updated', 3],
      ['request-4', 'group.created', 1],
      ['request-4', 'group.members_added', 1],
      ['request-6', 'group.members_removed', 4],
      ['request-7', 'group.members_added', 5],
    ])
    expect(events.map(seqOf)).toEqual(events.map((_, i) => seqOf(events[0]) + i))
  })

  it('have events once although another writer was faster', async () => {
    const { client, users, id, coordinator } = await newScene()
    const [a = '', b = '', c = ''] = users
    const after = await now(client)
    coordinator.before = async (batch) => {
      // Between the load and the write of the chunk.
      if (batch === 1)
        await client.patch(`/Groups/${id}`, { op: 'add', path: 'members', value: [{ value: c }] })
    }
    const requests = await requestsOf(client, [
      change(id, 'add', a),
      change(id, 'add', b),
      change(id, 'add', c),
    ])
    expect((await coordinator.together(requests)).map(statusOf)).toEqual([200, 200, 200])
    expect(coordinator.batches.length).toBeGreaterThan(2)
    const events = await eventsOf(client, `?after=${after}`)
    expect(
      events.map(({ data }) => [data.version, data.members.map(({ id }: { id: string }) => id)]),
    ).toEqual([
      [2, [c]],
      [3, [a]],
      [4, [b]],
    ])
  })

  it.for([
    ['error before', []],
    ['error after', ['group.members_added', 'group.created']],
  ] as const)('have all events or none after "%s"', async ([fault, expected]) => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    // The batches of the coordinator's first write, then the plug, the load and the write.
    let plan = failing('slow')
    const { client, users, id, coordinator } = await newScene({
      binding: faultyBinding(env.DB, (statements) => plan(statements)),
    })
    const after = await now(client)
    coordinator.before = (batch) => {
      plan = failing(fault, ...(batch === 1 ? [0] : []))
    }
    const requests = await requestsOf(client, [change(id, 'add', users[0] ?? ''), create('Second')])
    const statuses = (await coordinator.together(requests)).map(statusOf)
    expect(statuses).toEqual([503, 503])
    expect(typesOf(await eventsOf(client, `?after=${after}`))).toEqual(expected)
    vi.restoreAllMocks()
  })
})
