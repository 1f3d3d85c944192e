/**
 * Faults of the database and of a Durable Object: the responses to clients and the stored state. Each fault is injected
 * into every batch of every operation.
 */
import { abortAllDurableObjects, evictDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openDatabase } from '../../src/storage/database/database.ts'
import { FAULTS, type Fault, type FaultPlan, failing, faultyBinding } from '../support/faults.ts'
import { type Client, GROUP, newClient, PATCH_OP, TENANT_URL, USER } from '../support/harness.ts'
import { labRuntime, sendTo, wrapCoordinator } from '../support/lab.ts'
import { soundState } from '../support/tenant-state.ts'

const TIMEOUT_MS = 60

beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(() => undefined))
afterEach(() => void vi.restoreAllMocks())

/** A directory with a user in a group, and one request. */
interface Scene {
  readonly client: Client
  readonly userId: string
  readonly groupId: string
}

type Ask = (scene: Scene) => readonly [method: string, path: string, body?: object]

const patch = (...Operations: readonly object[]) => ({ schemas: [PATCH_OP], Operations })

/** Every operation with its number of batches and the response to a repetition after it succeeded. */
const OPERATIONS: Readonly<Record<string, { ask: Ask; batches: number; again: readonly number[] }>> = {
  'POST user': {
    ask: () => ['POST', '/Users', { schemas: [USER], userName: 'new' }],
    batches: 1,
    again: [201, 409],
  },
  'PUT user': {
    ask: ({ userId }) => ['PUT', `/Users/${userId}`, { schemas: [USER], userName: 'put' }],
    batches: 2,
    again: [200],
  },
  'PATCH user': {
    ask: ({ userId }) => [
      'PATCH',
      `/Users/${userId}`,
      patch({ op: 'replace', path: 'active', value: false }),
    ],
    batches: 2,
    again: [200],
  },
  'DELETE user': { ask: ({ userId }) => ['DELETE', `/Users/${userId}`], batches: 1, again: [204, 404] },
  'POST group': {
    ask: ({ userId }) => [
      'POST',
      '/Groups',
      { schemas: [GROUP], displayName: 'New', members: [{ value: userId }] },
    ],
    batches: 2,
    again: [201, 409],
  },
  'PUT group': {
    ask: ({ groupId }) => ['PUT', `/Groups/${groupId}`, { schemas: [GROUP], displayName: 'Put' }],
    batches: 2,
    again: [200],
  },
  'PATCH group': {
    ask: ({ groupId, userId }) => [
      'PATCH',
      `/Groups/${groupId}`,
      patch({ op: 'remove', path: `members[value eq "${userId}"]` }),
    ],
    batches: 2,
    again: [204],
  },
  'DELETE group': { ask: ({ groupId }) => ['DELETE', `/Groups/${groupId}`], batches: 1, again: [204, 404] },
  'a rejected POST': { ask: () => ['POST', '/Users', { schemas: [USER] }], batches: 1, again: [400] },
  'GET user': { ask: ({ userId }) => ['GET', `/Users/${userId}`], batches: 1, again: [200] },
  'GET list': { ask: () => ['GET', '/Users?filter=active%20eq%20true'], batches: 1, again: [200] },
}

async function newScene(): Promise<Scene> {
  const client = await newClient()
  const { id: userId } = await client.createUser()
  const { id: groupId } = await client.createGroup({ members: [{ value: userId }] })
  return { client, userId, groupId }
}

async function ask(
  client: Client,
  [method, path, body]: ReturnType<Ask>,
  plan: FaultPlan,
): Promise<Response> {
  const binding = faultyBinding(env.DB, plan)
  const runtime = labRuntime({ openDatabase: (_name, figures) => openDatabase(binding, figures, TIMEOUT_MS) })
  const headers = { Authorization: `Bearer ${client.token}`, 'Content-Type': 'application/scim+json' }
  const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }
  return await sendTo(runtime, new Request(`${TENANT_URL}${path}`, init))
}

/** The rows of a tenant, without random values and times. */
async function contents({ tenantId }: Client): Promise<string> {
  const { users, groups, memberships } = await soundState(tenantId)
  const rows = [...users, ...groups].map(({ data, member_count }) => [data, member_count])
  return JSON.stringify([rows, memberships.length])
}

/** The state before a request and after it succeeded without a fault. */
async function doneAndNot(asked: Ask): Promise<{ before: string; after: (scene: Scene) => Promise<string> }> {
  const scene = await newScene()
  const before = await contents(scene.client)
  const [method, path, body] = asked(scene)
  await scene.client.request(method, path, body)
  const mark = shape(await contents(scene.client))
  return { before: shape(before), after: async () => mark }
}

/** Names of users and groups are random, so they are replaced by their kind. */
function shape(text: string): string {
  return text.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'id')
}

const isGroupWrite = (name: string) => name.endsWith(' group')
/** A silent database is not tested for every operation, because the coordinator waits as long as in production. */
const faultsOf = (name: string): readonly Fault[] =>
  isGroupWrite(name) ? FAULTS.filter((fault) => !fault.startsWith('silent')) : FAULTS

describe.for(Object.entries(OPERATIONS))('%s', ([name, { ask: asked, batches, again }]) => {
  const cases = faultsOf(name).flatMap((fault) =>
    Array.from({ length: batches }, (_, batch) => [fault, batch] as const),
  )

  it.for(cases)('survives "%s" in its batch %i', async ([fault, batch]) => {
    const { before, after } = await doneAndNot(asked)
    const scene = await newScene()
    const { client } = scene
    const request = asked(scene)
    const plan = failing(fault, batch)
    if (isGroupWrite(name)) await wrapCoordinator(client.tenantId, (real) => faultyBinding(real, plan))
    const answer = await ask(client, request, isGroupWrite(name) ? () => undefined : plan)
    const done = await after(scene)
    const found = shape(await contents(client))
    if (answer.status === 503) {
      expect(Number(answer.headers.get('Retry-After'))).toBeGreaterThan(0)
      expect([before, done]).toContain(found)
    } else {
      expect(again).toContain(answer.status)
      expect(found).toBe(done)
    }
    // The client repeats the request, as clients do.
    const second = await client.request(request[0], request[1], request[2])
    expect(again).toContain(second.status)
    expect(shape(await contents(client))).toBe(done)
    const { log } = await soundState(client.tenantId)
    expect(log.filter(({ status }) => status === 500)).toEqual([])
  })
})

describe('a read', () => {
  it.for(['error before', 'overloaded', 'silent before'] as const)(
    'is repeated once after "%s"',
    async (fault) => {
      const { client, userId } = await newScene()
      const request = ['GET', `/Users/${userId}`] as const
      expect((await ask(client, request, failing(fault, 0))).status).toBe(200)
      const twice = await ask(client, request, failing(fault, 0, 1))
      expect([twice.status, twice.headers.get('Retry-After')]).toEqual([503, '5'])
    },
  )
})

describe('a write', () => {
  it('is not repeated, because it may have succeeded', async () => {
    const { client } = await newScene()
    let batches = 0
    const plan: FaultPlan = () => {
      batches++
      return 'error after'
    }
    const answer = await ask(client, ['POST', '/Users', { schemas: [USER], userName: 'once' }], plan)
    expect([answer.status, batches]).toEqual([503, 1])
    expect((await soundState(client.tenantId)).users).toHaveLength(2)
  })
})

describe('a group coordinator', () => {
  /** Sends twelve group writes concurrently and causes a disturbance in between. */
  async function createWhile(client: Client, disturb: () => Promise<void>): Promise<readonly number[]> {
    const creations = Array.from({ length: 12 }, (_, i) =>
      client.request('POST', '/Groups', { schemas: [GROUP], displayName: `Group ${i}` }),
    )
    await disturb()
    return (await Promise.all(creations)).map(({ status, headers }) => {
      if (status === 503) expect(headers.get('Retry-After')).toBe('5')
      return status
    })
  }

  it.for([
    ['is reset', () => abortAllDurableObjects()],
    [
      'is evicted',
      (id: string) => evictDurableObject(env.GROUP_COORDINATOR.getByName(id)).catch(() => undefined),
    ],
  ] as const)('that %s while its queue is not empty loses no confirmed write', async ([, disturb]) => {
    const client = await newClient()
    const statuses = await createWhile(client, async () => {
      await client.get('/Groups')
      await disturb(client.tenantId)
    })
    for (const status of statuses) expect([201, 503]).toContain(status)
    const { groups } = await soundState(client.tenantId)
    expect(groups.length).toBeGreaterThanOrEqual(statuses.filter((status) => status === 201).length)
    const again = await createWhile(client, async () => undefined)
    expect(again.filter((status) => status !== 201 && status !== 409)).toEqual([])
    expect((await soundState(client.tenantId)).groups).toHaveLength(12)
  })

  it('continues after a write that failed in the database', async () => {
    const client = await newClient()
    await wrapCoordinator(client.tenantId, (real) => faultyBinding(real, failing('error before', 0, 2)))
    const statuses = await createWhile(client, async () => undefined)
    expect(statuses.filter((status) => status === 503)).toHaveLength(2)
    expect((await soundState(client.tenantId)).groups).toHaveLength(10)
  })
})
