/**
 * Writes of users that are sent at the same time share transactions, and each has its own outcome. The test holds the
 * database until all of them have arrived.
 */
import { createExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { MAX_GROUP_WRITE_MS } from '../../src/provider/groups/queued-group-writer.ts'
import { type D1Binding, noFigures, openDatabase } from '../../src/storage/database/database.ts'
import {
  CurrentWrites,
  type Joint,
  JointWrites,
  withJointWrites,
} from '../../src/storage/database/joint-writes.ts'
import worker from '../../src/worker.ts'
import {
  type Answer,
  answerOf,
  Client,
  costOf,
  expectSameCost,
  GROUP,
  newClient,
  PATCH_OP,
  TENANT_URL,
  USER,
} from '../support/harness.ts'
import { labRuntime, sendTo } from '../support/lab.ts'
import { soundState } from '../support/tenant-state.ts'

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i)
const times = <T>(count: number, what: (i: number) => Promise<T>) => Promise.all(numbers(count).map(what))

interface Scene {
  readonly client: Client
  /** The number of statements in each batch since the scene began. */
  readonly batches: number[]
  /** Sends the requests, and holds the database until all of them need it. */
  together(requests: readonly (() => Promise<Answer>)[]): Promise<readonly Answer[]>
  /** Makes batches of several writes fail. */
  failJoint(error: string): void
}

async function newScene(): Promise<Scene> {
  const { tenantId, token } = await newClient()
  const batches: number[] = []
  let gate = Promise.resolve()
  let arrived = 0
  let failure: string | undefined
  const held = (before: () => void): D1Binding => ({
    prepare: (text) => env.DB.prepare(text),
    async batch<T>(statements: D1PreparedStatement[]) {
      batches.push(statements.length)
      before()
      await gate
      // A write alone has fewer.
      if (failure !== undefined && statements.length > 5) throw new Error(failure)
      return await env.DB.batch<T>(statements)
    },
  })
  const arrive = () => {
    arrived++
  }
  const [direct, queued] = [held(arrive), held(() => undefined)]
  const queue = new JointWrites(() => openDatabase(queued, noFigures()), Date.now)
  const joint: Joint = {
    current: new CurrentWrites(Date.now),
    send: ({ resourceId }, statements) => {
      arrive()
      return queue.run(resourceId, statements)
    },
  }
  const runtime = labRuntime({
    openDatabase: (_name, figures) => withJointWrites(openDatabase(direct, figures), figures, joint),
  })
  const client = new Client(tenantId, token, (request) => answerOf(request, (sent) => sendTo(runtime, sent)))
  // The first request of a token checks it beforehand.
  await client.createUser()
  batches.length = 0
  return {
    client,
    batches,
    async together(requests) {
      const { promise, resolve } = Promise.withResolvers<void>()
      gate = promise
      arrived = 0
      const answers = requests.map((request) => request())
      while (arrived < requests.length) await new Promise((wait) => setTimeout(wait, 1))
      gate = Promise.resolve()
      resolve()
      return await Promise.all(answers)
    },
    failJoint: (error) => {
      failure = error
    },
  }
}

const create = (client: Client, userName: string) =>
  client.request('POST', '/Users', { schemas: [USER], userName, title: 'Pilot' })

const patch = (client: Client, id: string, path: string, value: unknown, headers?: Record<string, string>) =>
  client.request(
    'PATCH',
    `/Users/${id}`,
    { schemas: [PATCH_OP], Operations: [{ op: 'replace', path, value }] },
    headers,
  )

const statuses = (answers: readonly Answer[]) => answers.map(({ status }) => status)

describe('users that are created at the same time', () => {
  it('share transactions, at the cost of one round trip for each', async () => {
    const { client, batches, together } = await newScene()
    const answers = await together(numbers(50).map((i) => () => create(client, `user-${i}`)))
    expect(new Set(statuses(answers))).toEqual(new Set([201]))
    expect(batches.length).toBeLessThanOrEqual(10)
    expect(Math.max(...batches)).toBeLessThanOrEqual(45)
    const { length } = batches
    const alone = costOf(await create(client, 'user-51'))
    expect(batches.length).toBe(length + 1)
    for (const answer of answers) expectSameCost(costOf(answer), alone)
    const { body } = await client.get('/Users?count=100')
    expect(body.totalResults).toBe(52)
    expect(new Set(answers.map(({ body: { id } }) => id)).size).toBe(50)
    await soundState(client.tenantId)
  })

  it('fail alone if their name is taken', async () => {
    const { client, together } = await newScene()
    const names = numbers(12).map((i) => `user-${i === 9 ? 8 : i}`)
    const answers = await together(names.map((name) => () => create(client, name)))
    const refused = answers.filter(({ status }) => status !== 201)
    expect(statuses(refused)).toEqual([409])
    expect(refused[0]?.body).toMatchObject({
      scimType: 'uniqueness',
      detail: expect.stringContaining('user-8'),
    })
    expect((await client.get('/Users?count=0')).body.totalResults).toBe(12)
    const entries = await client.log()
    expect(entries.filter(({ outcome }) => outcome === 'accepted')).toHaveLength(12)
    expect(entries.filter(({ status }) => status === 409)).toHaveLength(1)
    await soundState(client.tenantId)
  })

  it('are not sent again if the database does not answer', async () => {
    // Each failure is written to the application log.
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const { client, batches, together, failJoint } = await newScene()
    failJoint('Network connection lost.')
    const answers = await together(numbers(12).map((i) => () => create(client, `user-${i}`)))
    expect(statuses(answers).filter((status) => status === 201)).toHaveLength(4)
    expect(statuses(answers).filter((status) => status === 503)).toHaveLength(8)
    expect(batches).toHaveLength(5)
  })
})

describe('the batch of a write', () => {
  it('has as few statements as it needs', async () => {
    const { client, batches } = await newScene()
    const statementsOf = async (answer: Promise<Answer>, status: number) => {
      expect((await answer).status).toBe(status)
      return batches.at(-1)
    }
    expect(await statementsOf(create(client, 'anna'), 201)).toBe(2)
    const { id } = await client.createUser({ externalId: 'ben' })
    // It also looks for other users with the externalId.
    expect(batches.at(-1)).toBe(3)
    expect(await statementsOf(patch(client, id, 'title', 'Captain'), 200)).toBe(2)
    // It also counts what is taken away.
    expect(await statementsOf(patch(client, id, 'active', false), 200)).toBe(4)
    expect(await statementsOf(client.request('DELETE', `/Users/${id}`), 204)).toBe(10)
  })
})

describe('deletions of users that are sent at the same time', () => {
  it('share transactions, and each is refused or done for itself', async () => {
    const { client, batches, together } = await newScene()
    const users = await times(9, () => client.createUser())
    const [group] = await times(1, () =>
      client.createGroup({ members: users.map(({ id }) => ({ value: id })) }),
    )
    batches.length = 0
    const requests = users.map(({ id }, i) => {
      const headers = { 'If-Match': i === 7 ? 'W/"5"' : 'W/"1"' }
      return () => client.request('DELETE', `/Users/${id}`, undefined, headers)
    })
    const missing = () => client.request('DELETE', `/Users/${crypto.randomUUID()}`)
    const answers = await together([...requests, missing])
    expect(statuses(answers)).toEqual([204, 204, 204, 204, 204, 204, 204, 412, 204, 404])
    // Two of them are the entries of the refused ones.
    expect(batches.length).toBeLessThanOrEqual(8)
    expect(Math.max(...batches)).toBeLessThanOrEqual(45)
    const { body } = await client.get(`/Groups/${group.id}`)
    expect(body.members.map(({ value }: { value: string }) => value)).toEqual([users[7].id])
    expect(body.meta.version).toBe('W/"9"')
    expect((await client.log()).filter(({ action }) => action === 'delete')).toHaveLength(10)
    await soundState(client.tenantId)
  })
})

describe('changes of users that are sent at the same time', () => {
  it('share transactions, each with the version and the ETag of its own user', async () => {
    const { client, batches, together } = await newScene()
    const users = await times(14, () => client.createUser())
    batches.length = 0
    const answers = await together(
      users.map(
        ({ id }) =>
          () =>
            patch(client, id, 'title', 'Captain'),
      ),
    )
    expect(batches.length).toBeLessThanOrEqual(5)
    for (const [i, { status, headers, body }] of answers.entries()) {
      expect([status, headers.get('ETag')]).toEqual([200, 'W/"2"'])
      expect(body).toMatchObject({ id: users[i].id, title: 'Captain' })
      expect((await client.get(`/Users/${users[i].id}`)).body).toEqual(body)
    }
    await soundState(client.tenantId)
  })

  it('are all stored if they are changes of one user', async () => {
    const { client, together } = await newScene()
    const { id } = await client.createUser()
    const paths = ['title', 'nickName', 'displayName', 'userType', 'locale', 'timezone']
    const answers = await together(paths.map((path) => () => patch(client, id, path, path)))
    expect(new Set(answers.map(({ headers }) => headers.get('ETag'))).size).toBe(paths.length)
    const { body } = await client.get(`/Users/${id}`)
    expect(body).toMatchObject(Object.fromEntries(paths.map((path) => [path, path])))
    expect(body.meta.version).toBe(`W/"${paths.length + 1}"`)
    await soundState(client.tenantId)
  })

  it('succeed once for each version that they require', async () => {
    const { client, together } = await newScene()
    const users = await times(6, () => client.createUser())
    const answers = await together(
      users.flatMap(({ id }) =>
        ['a', 'b', 'c'].map((value) => () => patch(client, id, 'title', value, { 'If-Match': 'W/"1"' })),
      ),
    )
    for (const [i] of users.entries()) {
      const ofUser = answers.slice(i * 3, i * 3 + 3)
      expect(statuses(ofUser).toSorted()).toEqual([200, 412, 412])
      const winner = ofUser.find(({ status }) => status === 200)
      expect(winner?.headers.get('ETag')).toBe('W/"2"')
      expect((await client.get(`/Users/${users[i].id}`)).body).toEqual(winner?.body)
    }
    await soundState(client.tenantId)
  })
})

describe('an object of an earlier version', () => {
  it('has no queue: writes are sent directly', async () => {
    const { tenantId, token } = await newClient()
    const object = env.GROUP_COORDINATOR.getByName(tenantId) as unknown as Record<string, Joint['send']>
    const joint: Joint = {
      current: new CurrentWrites(Date.now),
      send: async (...write) => await object.aMethodOfALaterVersion?.(...write),
    }
    const runtime = labRuntime({
      openDatabase: (_name, figures) => withJointWrites(openDatabase(env.DB, figures), figures, joint),
    })
    const client = new Client(tenantId, token, (request) =>
      answerOf(request, (sent) => sendTo(runtime, sent)),
    )
    for (const _ of numbers(2)) joint.current.begin(tenantId)
    expect((await create(client, 'user')).status).toBe(201)
  })
})

describe('the worker', () => {
  it('answers 503 if the object of the tenant does not answer', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const { token } = await newClient()
    const asked = Promise.withResolvers<void>()
    const write = () => {
      asked.resolve()
      return new Promise(() => {})
    }
    const silent = { ...env, GROUP_COORDINATOR: { getByName: () => ({ write }) } } as unknown as typeof env
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/scim+json' }
    const body = JSON.stringify({ schemas: [GROUP], displayName: 'Group' })
    const request = new Request<unknown, IncomingRequestCfProperties>(`${TENANT_URL}/Groups`, {
      method: 'POST',
      headers,
      body,
    })
    const answer = worker.fetch(request, silent, createExecutionContext())
    await asked.promise
    await vi.advanceTimersByTimeAsync(MAX_GROUP_WRITE_MS)
    expect((await answer).status).toBe(503)
  })

  it('serves writes that arrive at the same time, each in a request of its own', async () => {
    const client = await newClient()
    await client.createUser()
    const answers = await times(24, (i) => create(client, `user-${i === 15 ? 14 : i}`))
    expect(statuses(answers).filter((status) => status === 201)).toHaveLength(23)
    expect(statuses(answers).filter((status) => status === 409)).toHaveLength(1)
    const created = answers.filter(({ status }) => status === 201)
    const changed = await Promise.all(created.map(({ body }) => patch(client, body.id, 'title', 'Captain')))
    expect(new Set(statuses(changed))).toEqual(new Set([200]))
    await soundState(client.tenantId)
  })
})
