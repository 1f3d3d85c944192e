/**
 * Several databases, as clients and the administrator see them: over HTTP, in workerd, on three D1 databases, with the
 * alarm of the Durable Object as the runner of jobs.
 */
import { createScheduledController, runDurableObjectAlarm } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { runJob } from '../../src/provider/jobs/runner.ts'
import { startMove } from '../../src/provider/jobs/start.ts'
import { maintain } from '../../src/provider/maintenance.ts'
import { type D1Binding, MAX_QUERIES_FREE } from '../../src/storage/database/database.ts'
import { RESOURCE_TYPES } from '../../src/storage/tables/resource-tables.ts'
import { deleteTenant } from '../../src/storage/tenants/deletion.ts'
import { reserveLocation } from '../../src/storage/tenants/locations.ts'
import worker from '../../src/worker.ts'
import { HOUR_MS } from '../support/clock.ts'
import {
  adminOfSeveral,
  BINDINGS,
  ClientOfSeveral,
  clearLocations,
  newClientIn,
  rowsOf,
  SEVERAL,
  sendSeveral,
  statesOf,
  threeDatabases,
} from '../support/databases.ts'
import { faultyBinding } from '../support/faults.ts'
import { type Answer, admin, Client, costOf, GROUP, ORIGIN, USER } from '../support/harness.ts'

beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(() => undefined))
afterEach(() => void vi.restoreAllMocks())
afterAll(clearLocations)

/** A client that never waits would leave a small machine no time for the move. */
const pause = () => new Promise((wait) => setTimeout(wait, 20))

const newUser = () => ({ schemas: [USER], userName: crypto.randomUUID() })

async function move({ tenantId }: ClientOfSeveral, database: string): Promise<Answer> {
  return await adminOfSeveral('POST', `/tenants/${tenantId}/move`, { database })
}

/** Waits until the job has ended. */
async function ended({ tenantId }: ClientOfSeveral, jobId: string) {
  const path = `/tenants/${tenantId}/jobs/${jobId}`
  return await vi.waitFor(
    async () => {
      // A busy workerd of a test may keep an alarm waiting for long.
      await runDurableObjectAlarm(env.GROUP_COORDINATOR.getByName(tenantId))
      const { body } = await adminOfSeveral('GET', path)
      expect(body.state).not.toBe('running')
      return body
    },
    { timeout: 25_000, interval: 50 },
  )
}

/** Gives a tenant more users than one request deletes. */
async function fill(name: string, tenantId: string): Promise<void> {
  await BINDINGS[name]
    ?.prepare(
      `WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 20000)
      INSERT INTO users (tenant_id, id, data, keys, version, created_at, last_modified)
      SELECT ?1, ?1 || value, user, user, 1, 0, 0 FROM (SELECT value, json_object('userName', 'u' || value) AS user FROM n)`,
    )
    .bind(tenantId)
    .run()
}

/** The bindings of an installation that has the database, and the number of statements that they were sent. */
function counting(name: 'DB' | 'DB2') {
  const counted = { statements: 0 }
  const count = (binding: D1Binding | undefined): D1Binding => ({
    prepare: (text) => (binding as D1Binding).prepare(text),
    batch<T>(all: D1PreparedStatement[]) {
      counted.statements += all.length
      return (binding as D1Binding).batch<T>(all)
    },
  })
  const all = { ...SEVERAL, DB: count(BINDINGS.DB) as D1Database, DB2: count(BINDINGS.DB2) }
  // An installation with one database has no catalogue of others, and deletes more in a request.
  const bindings = name === 'DB' ? { ...all, DB2: undefined, DB3: undefined } : all
  return { bindings, counted }
}

describe('a tenant in another database', () => {
  it('is read with one round trip more at the first request of an isolate, and with one from then on', async () => {
    const client = await newClientIn('DB2')
    const trips = []
    for (let i = 0; i < 3; i++) trips.push(costOf(await client.get('/Users')).roundTrips)
    expect(trips).toEqual([2, 1, 1])
  })

  it('is written with two round trips more at the first request at most, and with as many as any other from then on', async () => {
    const [client, group, plain] = [
      await newClientIn('DB2'),
      await newClientIn('DB3'),
      await newClientIn('DB'),
    ]
    const user = async () => costOf(await client.request('POST', '/Users', newUser())).roundTrips
    const groupTrips = async (one: ClientOfSeveral) =>
      costOf(await one.request('POST', '/Groups', { schemas: [GROUP], displayName: crypto.randomUUID() }))
        .roundTrips
    expect([await user(), await user()]).toEqual([3, 1])
    const first = await groupTrips(plain)
    const usual = await groupTrips(plain)
    expect(await groupTrips(group)).toBeLessThanOrEqual(first + 2)
    expect(await groupTrips(group)).toBe(usual)
  })

  it('keeps its rows there and nowhere else', async () => {
    const client = await newClientIn('DB2')
    await client.createUser()
    expect((await rowsOf('DB2', client.tenantId)).users).toHaveLength(1)
    expect((await rowsOf('DB', client.tenantId)).tenants).toEqual([])
    expect((await adminOfSeveral('GET', `/tenants/${client.tenantId}`)).body).toMatchObject({
      database: 'DB2',
      userCount: 1,
    })
  })

  it('is listed with those of all databases, once', async () => {
    const clients = [await newClientIn('DB'), await newClientIn('DB2'), await newClientIn('DB3')]
    const { body } = await adminOfSeveral('GET', '/tenants')
    const databases = new Map<string, string>(
      body.tenants.map(({ id, database }: Record<string, string>) => [id, database]),
    )
    expect(clients.map(({ tenantId }) => databases.get(tenantId))).toEqual(['DB', 'DB2', 'DB3'])
    const ids = body.tenants.map(({ id }: { id: string }) => id)
    expect(ids).toEqual([...new Set(ids)].sort())
    expect(databases.get('default')).toBe('DB')
  })

  it('has an id that no other tenant can get', async () => {
    for (const database of ['DB', 'DB2'] as const) {
      const { tenantId: id } = await newClientIn(database)
      for (const wanted of ['DB', 'DB2', 'DB3', undefined]) {
        const { status, body } = await adminOfSeveral('POST', '/tenants', {
          id,
          name: 'Other',
          database: wanted,
        })
        expect([status, body.error?.field]).toEqual([409, 'id'])
      }
    }
  })

  it('is deleted there, and its id is free again', async () => {
    const client = await newClientIn('DB2')
    await client.createUser()
    const { tenantId: id } = client
    expect((await adminOfSeveral('DELETE', `/tenants/${id}`)).status).toBe(204)
    expect((await client.get('/Users')).status).toBe(401)
    expect((await adminOfSeveral('POST', '/tenants', { id, name: 'New', database: 'DB3' })).status).toBe(201)
    expect(await statesOf(id)).toEqual({ DB: undefined, DB2: undefined, DB3: 'ready' })
  })

  it.for(['DB', 'DB2'] as const)(
    'is deleted from %s with as many statements as the Free plan answers, and a job deletes the rest',
    async (name) => {
      const client = await newClientIn(name)
      const { tenantId } = client
      await fill(name, tenantId)
      const { bindings, counted } = counting(name)
      const { status, body } = await adminOfSeveral('DELETE', `/tenants/${tenantId}`, undefined, bindings)
      expect([status, body.state]).toEqual([202, 'deleting'])
      expect(counted.statements).toBeLessThanOrEqual(MAX_QUERIES_FREE)
      expect(await ended(client, body.jobId)).toMatchObject({ kind: 'delete', state: 'done' })
      expect(await statesOf(tenantId)).toEqual({ DB: undefined, DB2: undefined, DB3: undefined })
    },
  )

  it.for(['DB', 'DB2'] as const)(
    'in %s has its import undone with as many statements, its event included',
    async (name) => {
      const { tenantId } = await newClientIn(name)
      await fill(name, tenantId)
      await BINDINGS[name]
        ?.prepare(
          `UPDATE tenants SET state = 'importing', imported_lines = 1, import_digest = 'x' WHERE id = ?`,
        )
        .bind(tenantId)
        .run()
      const { bindings, counted } = counting(name)
      const path = `/tenants/${tenantId}/import`
      const { status, body } = await adminOfSeveral('DELETE', path, undefined, bindings)
      expect([status, body.state]).toEqual([202, 'undoing'])
      expect(counted.statements).toBeLessThanOrEqual(MAX_QUERIES_FREE)
    },
  )

  it.for(['DB', 'DB2'] as const)(
    'in %s has the events of what administrators do, also of jobs, and takes them along',
    async (home) => {
      const client = await newClientIn(home)
      const path = `/tenants/${client.tenantId}`
      const reader = new Client(client.tenantId, client.token, sendSeveral)
      const acted = async () => {
        const { body } = await reader.feed('?types=administrator.acted')
        return body.events.map(({ data }: { data: { operation: string } }) => data.operation)
      }
      const before = await acted()
      await adminOfSeveral('PATCH', path, { groupLimit: 7 })
      await adminOfSeveral('PATCH', path, { groupLimit: -7 })
      await ended(client, (await adminOfSeveral('POST', `${path}/exports`)).body.id)
      const { body: token } = await adminOfSeveral('POST', `${path}/tokens`, { name: 'Okta' })
      const { body: other } = await adminOfSeveral('POST', `${path}/tokens`, { name: 'Other' })
      expect((await adminOfSeveral('POST', `${path}/move`, { database: home })).status).toBe(400)
      await ended(client, (await move(client, 'DB3')).body.id)
      await adminOfSeveral('DELETE', `${path}/tokens/${token.id}`)
      const expected = [
        'updateTenant',
        'startExport',
        'createToken',
        'createToken',
        'moveTenant',
        'revokeToken',
      ]
      expect(await acted()).toEqual([...before, ...expected])
      // Both sides of a move must stay equal.
      const state = async (value: string) =>
        await BINDINGS.DB3?.prepare('UPDATE tenants SET state = ?2 WHERE id = ?1')
          .bind(client.tenantId, value)
          .run()
      await state('moving')
      expect((await adminOfSeveral('DELETE', `${path}/tokens/${other.id}`)).status).toBe(204)
      expect((await rowsOf('DB3', client.tenantId)).tokens).toContainEqual(
        expect.objectContaining({ id: other.id, revoked_at: expect.any(Number) }),
      )
      await state('ready')
      expect(await acted()).toEqual([...before, ...expected])
    },
  )

  it.for(['DB', 'DB2'] as const)('costs a stranger who names one of %s no more than before', async (name) => {
    const { tenantId } = await newClientIn(name)
    const secret = 'A'.repeat(43)
    const cost = async (id: string) => {
      const answer = await new ClientOfSeveral(id, `scim_${id}_${secret}`).get('/Users')
      expect(answer.status).toBe(401)
      return costOf(answer).roundTrips
    }
    expect(await cost('made-up')).toBe(1)
    const trips = [await cost(tenantId), await cost(tenantId)]
    expect(trips).toEqual(name === 'DB' ? [1, 1] : [2, 1])
  })

  it('is pruned and counted as healthy like the others', async () => {
    const { tenantId } = await newClientIn('DB3')
    await BINDINGS.DB3?.prepare(
      `INSERT INTO provisioning_log (tenant_id, id, time, token_id, action, outcome, resource_type, status, changes, ignored, request_id)
       VALUES (?, '00000000-0000-7000-8000-000000000000', 1, 't', 'create', 'accepted', 'User', 201, '[]', '[]', 'r')`,
    )
      .bind(tenantId)
      .run()
    vi.spyOn(console, 'log').mockImplementation(() => undefined)
    // One database has its turn in each hour.
    for (const hour of [0, 1, 2]) {
      const scheduledTime = Date.now() + hour * HOUR_MS
      await worker.scheduled(createScheduledController({ scheduledTime }), SEVERAL)
    }
    expect((await rowsOf('DB3', tenantId)).provisioning_log).toEqual([])
  })
})

describe('a database that is gone', () => {
  const { DB2: _, ...without } = SEVERAL
  const { DB3: __, ...alone } = without

  it.for([
    ['of three', without],
    ['of two, so that one is left', alone],
  ] as const)('%s is named, and nobody is told that its tenants do not exist', async ([, left]) => {
    const client = await newClientIn('DB2')
    const { tenantId } = client
    const named = /the database "DB[23]" is not configured/
    for (const path of ['/tenants', `/tenants/${tenantId}`, `/tenants/${tenantId}/tokens`]) {
      const { status, body } = await adminOfSeveral('GET', path, undefined, left)
      expect([path, status, body.error?.message]).toEqual([path, 503, expect.stringMatching(named)])
    }
    const again = { id: tenantId, name: 'New', database: 'DB' }
    expect((await adminOfSeveral('POST', '/tenants', again, left)).status).toBe(503)
    const read = await client.send('GET', '/Users', undefined, left)
    expect([read.status, read.headers.get('Retry-After')]).toEqual([503, '5'])
    const written = await client.send('POST', '/Users', newUser(), left)
    expect([written.status, written.headers.get('Retry-After')]).toEqual([503, '5'])
    expect((await client.get('/Users')).status).toBe(200)
    expect((await adminOfSeveral('GET', '/tenants/no-such-tenant', undefined, left)).status).toBe(404)
  })

  it('is named by the list of tenants when it does not respond, and the others are served', async () => {
    const other = await newClientIn('DB3')
    const down = { ...SEVERAL, DB2: faultyBinding(BINDINGS.DB2 as D1Binding, () => 'overloaded') }
    const { status, body } = await adminOfSeveral('GET', '/tenants', undefined, down)
    expect([status, body.error.message]).toEqual([503, 'the database "DB2" does not respond'])
    expect((await other.send('GET', '/Users', undefined, down)).status).toBe(200)
    expect((await adminOfSeveral('GET', `/tenants/${other.tenantId}`, undefined, down)).status).toBe(200)
  })
})

describe('the hourly run', () => {
  beforeEach(() => void vi.spyOn(console, 'log').mockImplementation(() => undefined))

  const addOldEntry = async (name: string, tenantId: string) =>
    await BINDINGS[name]
      ?.prepare(
        `INSERT INTO provisioning_log (tenant_id, id, time, token_id, action, outcome, resource_type, status, changes, ignored, request_id)
         VALUES (?, '00000000-0000-7000-8000-000000000000', 1, 't', 'create', 'accepted', 'User', 201, '[]', '[]', 'r')`,
      )
      .bind(tenantId)
      .run()
  const entriesOf = async (name: string, tenantId: string) =>
    (await rowsOf(name, tenantId)).provisioning_log?.length

  it('goes on at the other databases when one does not respond, and tells of it', async () => {
    const clients = { DB: await newClientIn('DB'), DB3: await newClientIn('DB3') }
    for (const [name, { tenantId }] of Object.entries(clients)) await addOldEntry(name, tenantId)
    const moved = await newClientIn('DB')
    await move(moved, 'DB3')
    const down = { ...SEVERAL, DB2: faultyBinding(BINDINGS.DB2 as D1Binding, () => 'overloaded') }
    for (const hour of [0, 1, 2]) {
      const scheduledTime = Date.now() + hour * HOUR_MS
      const failed = worker.scheduled(createScheduledController({ scheduledTime }), down)
      await failed.catch((error) => expect(String(error)).toContain('"DB2"'))
    }
    expect(await entriesOf('DB', clients.DB.tenantId)).toBe(0)
    expect(await entriesOf('DB3', clients.DB3.tenantId)).toBe(0)
  })

  it('takes turns at the databases when it may not ask all of them', async () => {
    const databases = threeDatabases()
    const tenants = new Map<string, string>()
    for (const name of databases.names) tenants.set(name, (await newClientIn(name)).tenantId)
    for (const [name, tenantId] of tenants) await addOldEntry(name, tenantId)
    const left = async () => {
      const counts = [...tenants].map(([name, tenantId]) => entriesOf(name, tenantId))
      return (await Promise.all(counts)).filter((count) => count === 1).length
    }
    const found = [await left()]
    for (const hour of [0, 1, 2]) {
      const run = {
        databases,
        resourceTypes: RESOURCE_TYPES,
        retentionDays: 30,
        eventRetentionDays: 30,
        tombstoneDays: 30,
        pokeWebhooks: async () => undefined,
        maxStatements: 27,
      }
      await maintain({ ...run, now: Date.now() + hour * HOUR_MS }, () => undefined)
      found.push(await left())
    }
    expect(found).toEqual([3, 2, 1, 0])
  })

  it('fills in the words of tenants of each database, with the few statements of a Worker', async () => {
    const mark = `q${crypto.randomUUID().slice(0, 8)}`
    const clients = [await newClientIn('DB'), await newClientIn('DB2'), await newClientIn('DB3')]
    const wordless = async () => {
      const counts = ['DB', 'DB2', 'DB3'].map(async (name) => {
        const asked = BINDINGS[name]?.prepare(
          `SELECT count(*) AS count FROM tenants WHERE name_words IS NULL AND state = 'ready'`,
        )
        return (await asked?.first<{ count: number }>())?.count
      })
      return await Promise.all(counts)
    }
    for (const [i, name] of ['DB', 'DB2', 'DB3'].entries()) {
      // As an earlier version does it: a trigger forgets the words of the old name.
      await BINDINGS[name]
        ?.prepare('UPDATE tenants SET name = ?2 WHERE id = ?1')
        .bind(clients[i]?.tenantId, `Heather ${mark}`)
        .run()
    }
    expect(Math.min(...(await wordless()).map(Number))).toBeGreaterThan(0)
    for (let hour = 0; hour < 9 && Math.max(...(await wordless()).map(Number)) > 0; hour++) {
      const scheduledTime = Date.now() + hour * HOUR_MS
      await worker.scheduled(createScheduledController({ scheduledTime }), SEVERAL)
    }
    expect(await wordless()).toEqual([0, 0, 0])
    const wordOf = async (name: string, tenantId = '') =>
      await BINDINGS[name]
        ?.prepare('SELECT word FROM tenant_words WHERE tenant_id = ?1 AND word = ?2')
        .bind(tenantId, mark)
        .first<{ word: string }>()
    const words = ['DB', 'DB2', 'DB3'].map((name, i) => wordOf(name, clients[i]?.tenantId))
    expect((await Promise.all(words)).map((row) => row?.word)).toEqual([mark, mark, mark])
    const { log } = console as unknown as { log: { mock: { calls: readonly (readonly unknown[])[] } } }
    const notes = log.mock.calls
      .map(([line]) => String(line))
      .filter((line) => line.includes('words of tenants'))
    expect(new Set(notes.map((line) => JSON.parse(line).database))).toEqual(new Set(['DB', 'DB2', 'DB3']))
  })

  it('lets a tenant be deleted whose creation was interrupted', async () => {
    const id = `t-${crypto.randomUUID()}`
    await reserveLocation(threeDatabases(), id, 'DB2')
    expect((await adminOfSeveral('GET', `/tenants/${id}`)).status).toBe(503)
    expect((await adminOfSeveral('DELETE', `/tenants/${id}`)).status).toBe(204)
    expect((await adminOfSeveral('GET', `/tenants/${id}`)).status).toBe(404)
    expect((await adminOfSeveral('DELETE', `/tenants/${id}`)).status).toBe(404)
  })

  it('finishes a deletion that was broken off, and the id can be used in any database', async () => {
    const client = await newClientIn('DB2')
    const { tenantId: id } = client
    await client.createUser()
    const db2 = threeDatabases().open('DB2')
    expect(await deleteTenant(db2, RESOURCE_TYPES, { id, maxBatches: 1 })).toBe('deleting')
    // Other tests have left deletions, which go first.
    for (let hour = 0; hour < 50 && (await statesOf(id)).DB2 !== undefined; hour++) {
      const scheduledTime = Date.now() + hour * HOUR_MS
      await worker.scheduled(createScheduledController({ scheduledTime }), SEVERAL)
    }
    expect((await statesOf(id)).DB2).toBeUndefined()
    expect((await adminOfSeveral('POST', '/tenants', { id, name: 'New', database: 'DB' })).status).toBe(201)
  })
})

describe('a move', () => {
  it('goes on by itself, and the client notices nothing', async () => {
    const client = await newClientIn('DB')
    const user = await client.createUser()
    const group = await client.createGroup({ members: [{ value: user.id }] })
    const before = [await client.get(`/Users/${user.id}`), await client.get(`/Groups/${group.id}`)]
    const started = await move(client, 'DB2')
    expect([started.status, started.body]).toMatchObject([
      202,
      { kind: 'move', state: 'running', from: 'DB', to: 'DB2', error: null },
    ])
    const job = await ended(client, started.body.id)
    expect(job).toMatchObject({ state: 'done', step: null, error: null })
    expect(job.progress.done).toBe(job.progress.total)
    const after = [await client.get(`/Users/${user.id}`), await client.get(`/Groups/${group.id}`)]
    expect(after.map(({ body }) => body)).toEqual(before.map(({ body }) => body))
    expect((await client.createUser()).id).toBeDefined()
    expect((await adminOfSeveral('GET', `/tenants/${client.tenantId}/log`)).body.entries).toHaveLength(3)
    expect(await statesOf(client.tenantId)).toEqual({ DB: undefined, DB2: 'ready', DB3: undefined })
  })

  it('redirects an isolate that remembers the old home after one lookup in the catalogue', async () => {
    const client = await newClientIn('DB2')
    await client.get('/Users')
    await ended(client, (await move(client, 'DB3')).body.id)
    const trips = []
    for (let i = 0; i < 2; i++) trips.push(costOf(await client.get('/Users')).roundTrips)
    expect(trips).toEqual([3, 1])
  })

  it('is told to it also while the rows of the old home are being deleted', async () => {
    const client = await newClientIn('DB2')
    const { tenantId } = client
    await client.get('/Users')
    const databases = threeDatabases()
    const start = {
      databases,
      resourceTypes: RESOURCE_TYPES,
      tenantId,
      home: 'DB2',
      newId: () => crypto.randomUUID(),
      now: Date.now(),
    }
    await startMove(start, 'DB3')
    const run = { databases, resourceTypes: RESOURCE_TYPES, maxStatements: 27, now: Date.now }
    const left = async () => (await rowsOf('DB2', tenantId)).tokens?.length
    while ((await left()) !== 0) await runJob(run, tenantId)
    expect((await client.get('/Users')).status).toBe(200)
    while ((await runJob(run, tenantId)) !== undefined);
    expect((await client.get('/Users')).status).toBe(200)
  })

  it('loses nothing of a client that writes all the time, and tries again after 503', {
    timeout: 60_000,
  }, async () => {
    const client = await newClientIn('DB')
    const group = await client.createGroup()
    const written: string[] = []
    let [refused, isOver] = [0, false]
    const persist = async (method: string, path: string, body: object): Promise<Answer> => {
      for (;;) {
        const answer = await client.request(method, path, body)
        if (answer.status !== 503 || isOver) return answer
        expect(answer.headers.get('Retry-After')).toBe('5')
        refused++
        await pause()
      }
    }
    const write = async () => {
      while (!isOver || written.length < 20) {
        const { status, body } = await persist('POST', '/Users', newUser())
        expect(status).toBe(201)
        const patched = await persist('PATCH', `/Groups/${group.id}`, {
          schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
          Operations: [{ op: 'add', path: 'members', value: [{ value: body.id }] }],
        })
        expect(patched.status).toBe(204)
        written.push(body.id)
        await pause()
      }
    }
    const read = async () => {
      while (!isOver) {
        expect((await client.get(`/Groups/${group.id}?excludedAttributes=members`)).status).toBe(200)
        await pause()
      }
    }
    const moves = async () => {
      try {
        for (const to of ['DB2', 'DB3', 'DB']) {
          expect(await ended(client, (await move(client, to)).body.id)).toMatchObject({ state: 'done' })
        }
      } finally {
        isOver = true
      }
    }
    await Promise.all([write(), write(), read(), moves()])
    expect(refused).toBeGreaterThan(0)
    const { body } = await client.get(`/Groups/${group.id}`)
    expect(body.members.map(({ value }: { value: string }) => value).sort()).toEqual(written.sort())
    expect((await client.get('/Users?count=0')).body.totalResults).toBe(written.length)
  })

  it('leaves reads open while it is under way, and refuses writes of every kind', async () => {
    const client = await newClientIn('DB')
    const user = await client.createUser()
    await env.DB.prepare("UPDATE tenants SET state = 'moving', move_job_id = 'test' WHERE id = ?")
      .bind(client.tenantId)
      .run()
    expect((await client.get(`/Users/${user.id}`)).status).toBe(200)
    expect((await client.get('/Users')).status).toBe(200)
    for (const [method, path, body] of [
      ['POST', '/Users', newUser()],
      ['POST', '/Users', { schemas: [USER] }],
      ['PUT', `/Users/${user.id}`, newUser()],
      ['DELETE', `/Users/${user.id}`, undefined],
      ['POST', '/Groups', { schemas: [GROUP], displayName: 'A' }],
    ] as const) {
      const { status, headers } = await client.request(method, path, body)
      expect([method, status, headers.get('Retry-After')]).toEqual([method, 503, '5'])
    }
    for (const [method, path, body] of [
      ['PATCH', '', { name: 'New' }],
      ['POST', '/tokens', { name: 'New' }],
      ['DELETE', '', undefined],
    ] as const) {
      const answer = await adminOfSeveral(method, `/tenants/${client.tenantId}${path}`, body)
      expect([method, answer.status]).toEqual([method, 503])
    }
    expect((await adminOfSeveral('GET', `/tenants/${client.tenantId}`)).body.state).toBe('moving')
    expect((await rowsOf('DB', client.tenantId)).provisioning_log).toHaveLength(1)
  })

  it.for([
    [
      'the revocation of a token',
      async ({ tenantId }: ClientOfSeveral) => {
        const { body } = await adminOfSeveral('GET', `/tenants/${tenantId}/tokens`)
        return `/tokens/${body.tokens[0].id}`
      },
    ],
    [
      'the deletion of a client',
      async ({ tenantId }: ClientOfSeveral) => {
        const { body } = await adminOfSeveral('GET', `/tenants/${tenantId}/clients`)
        return `/clients/${body.clients[0].id}`
      },
    ],
  ] as const)(
    'does not hold up %s at any step, and it goes along',
    { timeout: 60_000 },
    async ([, pathOf]) => {
      const databases = threeDatabases()
      const run = { databases, resourceTypes: RESOURCE_TYPES, maxStatements: 27, now: Date.now }
      let steps = 0
      for (let calls = 1, isOver = false; !isOver; calls++) {
        const client = await newClientIn('DB2')
        const { tenantId } = client
        const path = await pathOf(client)
        const start = {
          databases,
          resourceTypes: RESOURCE_TYPES,
          tenantId,
          home: 'DB2',
          newId: () => crypto.randomUUID(),
          now: Date.now(),
        }
        await startMove(start, 'DB3')
        for (let i = 0; i < calls; i++) isOver = (await runJob(run, tenantId)) === undefined
        const ended = await adminOfSeveral('DELETE', `/tenants/${tenantId}${path}`)
        expect([calls, ended.status]).toEqual([calls, 204])
        expect((await client.get('/Users')).status).toBe(401)
        while ((await runJob(run, tenantId)) !== undefined);
        expect((await client.get('/Users')).status).toBe(401)
        expect(Object.values(await statesOf(tenantId)).filter((state) => state !== undefined)).toEqual([
          'ready',
        ])
        steps = calls
      }
      expect(steps).toBeGreaterThan(3)
    },
  )

  it('does not hold up a revocation while the target does not respond, and it goes along', {
    timeout: 60_000,
  }, async () => {
    const databases = threeDatabases()
    const run = { databases, resourceTypes: RESOURCE_TYPES, maxStatements: 27, now: Date.now }
    const down = { ...SEVERAL, DB3: faultyBinding(BINDINGS.DB3 as D1Binding, () => 'overloaded') }
    const common = { databases, resourceTypes: RESOURCE_TYPES, newId: () => crypto.randomUUID() }
    let atSource = 0
    for (let calls = 1, isOver = false; !isOver; calls++) {
      const client = await newClientIn('DB2')
      const { tenantId } = client
      const { body } = await adminOfSeveral('GET', `/tenants/${tenantId}/tokens`)
      await startMove({ ...common, tenantId, home: 'DB2', now: Date.now() }, 'DB3')
      for (let i = 0; i < calls; i++) isOver = (await runJob(run, tenantId)) === undefined
      const home = (await adminOfSeveral('GET', `/tenants/${tenantId}`)).body.database
      const path = `/tenants/${tenantId}/tokens/${body.tokens[0].id}`
      const { status } = await adminOfSeveral('DELETE', path, undefined, down)
      // Nobody can end anything in the database of the tenant while that does not respond.
      expect([calls, status]).toEqual([calls, home === 'DB2' ? 204 : 503])
      if (home === 'DB2') {
        atSource++
        expect((await client.get('/Users')).status).toBe(401)
      }
      while ((await runJob(run, tenantId)) !== undefined);
      if (home === 'DB2') expect((await client.get('/Users')).status).toBe(401)
      expect(await statesOf(tenantId)).toEqual({ DB: undefined, DB2: undefined, DB3: 'ready' })
    }
    expect(atSource).toBeGreaterThan(2)
  })

  it.for([
    [
      'an unknown database',
      { database: 'DB9' },
      400,
      /"database" must be a database other than "DB": "DB2" or "DB3", found "DB9"/,
    ],
    ['the same database', { database: 'DB' }, 400, /"database" must be a database other than "DB"/],
    ['no database', {}, 400, /"database" must be/],
    ['a number', { database: 2 }, 400, /"database" must be/],
  ] as const)('to %s is refused, and changes nothing', async ([, body, status, message]) => {
    const { tenantId } = await newClientIn('DB')
    const answer = await adminOfSeveral('POST', `/tenants/${tenantId}/move`, body)
    expect(answer).toMatchObject({
      status,
      body: { error: { field: 'database', message: expect.stringMatching(message) } },
    })
    expect(await statesOf(tenantId)).toEqual({ DB: 'ready', DB2: undefined, DB3: undefined })
  })

  it('to a database that is full is refused', async () => {
    const client = await newClientIn('DB')
    const other = await newClientIn('DB3')
    const grow = (users: number) =>
      BINDINGS.DB3?.prepare('UPDATE tenants SET user_count = ? WHERE id = ?')
        .bind(users, other.tenantId)
        .run()
    await grow(3_000_000)
    const { status, body } = await move(client, 'DB3')
    await grow(0)
    expect([status, body.error.field]).toEqual([409, 'database'])
    expect(body.error.message).toMatch(
      /must have room for the tenant, found "DB3": it would hold about 10\.2 GB, the limit is 9\.5 GB/,
    )
  })

  it('of a tenant that is deleted, imported, moved already or unknown is refused', async () => {
    const client = await newClientIn('DB')
    const set = (state: string) =>
      env.DB.prepare('UPDATE tenants SET state = ? WHERE id = ?').bind(state, client.tenantId).run()
    for (const state of ['deleting', 'importing', 'undoing']) {
      await set(state)
      const { status, body } = await move(client, 'DB2')
      expect([state, status, body.error.code]).toEqual([state, 409, 'conflict'])
    }
    await set('ready')
    await env.DB.prepare(
      `INSERT INTO jobs (id, tenant_id, kind, state, step, source, target, created_at) VALUES (?, ?, 'move', 'running', 'copying', 'DB', 'DB2', 0)`,
    )
      .bind(crypto.randomUUID(), client.tenantId)
      .run()
    const twice = await move(client, 'DB3')
    expect([twice.status, twice.body.error.message]).toEqual([
      409,
      expect.stringContaining(`The move of tenant "${client.tenantId}" to "DB2" is running; see GET `),
    ])
    const again = await move(client, 'DB2')
    expect([again.status, again.body.step]).toEqual([202, 'copying'])
    await ended(client, again.body.id)
    const unknown = await adminOfSeveral('POST', '/tenants/nobody/move', { database: 'DB2' })
    expect([unknown.status, unknown.body.error.code]).toEqual([404, 'notFound'])
  })

  it('is refused where there is one database', async () => {
    const { status, body } = await admin('POST', '/tenants/default/move', { database: 'DB2' })
    expect([status, body.error.message]).toEqual([400, expect.stringContaining('but no other is configured')])
  })
})

describe('the dashboard', () => {
  const page = async (path: string, cookie: string) =>
    await sendSeveral(new Request(`${ORIGIN}/admin${path}`, { headers: { Cookie: cookie } }))
  const signIn = async () => {
    const body = new URLSearchParams({ token: 'test-admin-token' })
    const request = new Request(`${ORIGIN}/admin/sign-in`, {
      method: 'POST',
      headers: { Origin: ORIGIN },
      body,
      redirect: 'manual',
    })
    return (await sendSeveral(request)).headers.get('Set-Cookie')?.split(';')[0] ?? ''
  }

  it('shows where a tenant lives, moves it, and shows how far a move has come as a bar', async () => {
    const client = await newClientIn('DB2')
    const cookie = await signIn()
    const transfer = `/tenants/${client.tenantId}/transfer`
    expect((await page(transfer, cookie)).body).toMatch(
      /The tenant is stored in <span class="mono">DB2<\/span>/,
    )
    const jobId = crypto.randomUUID()
    await env.DB.prepare(
      `INSERT INTO jobs (id, tenant_id, kind, state, step, source, target, done, total, created_at)
       VALUES (?, ?, 'move', 'running', 'copying', 'DB2', 'DB3', 30, 90, 0)`,
    )
      .bind(jobId, client.tenantId)
      .run()
    const { status, body } = await page(transfer, cookie)
    expect(status).toBe(200)
    expect(body).toContain('Move to DB3: copying, 30 of about 90 rows (33 %).')
    expect(body).toContain('<progress aria-label="Move to DB3" max="90" value="30">')
    await env.DB.prepare('DELETE FROM jobs WHERE id = ?').bind(jobId).run()
    const form = new Request(`${ORIGIN}/admin/tenants/${client.tenantId}/move`, {
      method: 'POST',
      headers: { Cookie: cookie, Origin: ORIGIN },
      body: new URLSearchParams({ database: 'DB' }),
      redirect: 'manual',
    })
    expect((await sendSeveral(form)).status).toBe(303)
    await vi.waitFor(async () => expect((await statesOf(client.tenantId)).DB).toBe('ready'), {
      timeout: 20_000,
    })
    expect((await page('/tenants', cookie)).status).toBe(200)
  })

  it('shows the result of an undo of a tenant in another database, which is not that of any other tenant', async () => {
    const [client, other] = [await newClientIn('DB2'), await newClientIn('DB2')]
    const { tenantId } = client
    const { body: made } = await adminOfSeveral('POST', `/tenants/${tenantId}/tokens`, { name: 'Old' })
    const second = new ClientOfSeveral(tenantId, made.token)
    const change = async (by: ClientOfSeveral, id: string, path: string, value: string) =>
      await by.request('PATCH', `/Users/${id}`, {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
        Operations: [{ op: 'replace', path, value }],
      })
    const user = await client.createUser({ title: 'Ranger', nickName: 'Sam' })
    await change(second, user.id, 'title', 'Warden')
    await change(second, user.id, 'nickName', 'Pip')
    await change(client, user.id, 'nickName', 'Merry')
    const { id: gone } = await second.createUser()
    const window = { clientId: made.clientId, from: '2000-01-01T00:00:00Z', to: '2100-01-01T00:00:00Z' }
    const cookie = await signIn()
    const query = new URLSearchParams({
      client: made.clientId,
      from: '2000-01-01T00:00',
      to: '2100-01-01T00:00',
    })
    const preview = await page(`/tenants/${tenantId}/undo?${query}`, cookie)
    expect(preview.body).toMatch(/title: “Ranger”/)
    const { status, body: job } = await adminOfSeveral('POST', `/tenants/${tenantId}/undo`, window)
    expect([status, job.kind]).toEqual([202, 'undo'])
    expect((await ended(client, job.id)).state).toBe('done')
    const result = await page(`/tenants/${tenantId}/undo/${job.id}`, cookie)
    expect(result.body).toContain('The undo is complete.')
    expect(result.body).toMatch(/nickName \(changed by others since\)/)
    expect(result.body).not.toMatch(/title:|Warden/)
    // The catalogue, the job and two for what is left.
    expect(costOf(result).roundTrips).toBeLessThanOrEqual(4)
    const { body } = await adminOfSeveral('GET', `/tenants/${tenantId}/undo/${job.id}`)
    const left = body.resources.flatMap((one: { left: readonly unknown[] }) => one.left)
    expect([body.job.state, left]).toEqual(['done', [expect.objectContaining({ of: 'nickName' })]])
    expect((await client.get(`/Users/${user.id}`)).body).toMatchObject({ title: 'Ranger', nickName: 'Merry' })
    expect((await client.get(`/Users/${gone}`)).status).toBe(404)
    const { body: exported } = await adminOfSeveral('POST', `/tenants/${tenantId}/exports`)
    for (const path of [`${other.tenantId}/undo/${job.id}`, `${tenantId}/undo/${exported.id}`]) {
      const answers = [
        (await page(`/tenants/${path}`, cookie)).status,
        (await adminOfSeveral('GET', `/tenants/${path}`)).status,
      ]
      expect([path, answers]).toEqual([path, path.startsWith(tenantId) ? [409, 409] : [404, 404]])
    }
    await ended(client, exported.id)
  })
})

describe('a deletion that takes more than one request', () => {
  it('goes on by itself, and ends its job', async () => {
    const client = await newClientIn('DB2')
    const { tenantId } = client
    await client.createUser()
    const jobId = crypto.randomUUID()
    await BINDINGS.DB2?.prepare("UPDATE tenants SET state = 'deleting' WHERE id = ?").bind(tenantId).run()
    await env.DB.prepare(
      `INSERT INTO jobs (id, tenant_id, kind, state, step, source, created_at) VALUES (?, ?, 'delete', 'running', 'deleting', 'DB2', 0)`,
    )
      .bind(jobId, tenantId)
      .run()
    await env.GROUP_COORDINATOR.getByName(tenantId).wakeJobs(tenantId)
    expect(await ended(client, jobId)).toMatchObject({ kind: 'delete', state: 'done' })
    expect(await statesOf(tenantId)).toEqual({ DB: undefined, DB2: undefined, DB3: undefined })
    expect((await adminOfSeveral('POST', '/tenants', { id: tenantId, name: 'New' })).status).toBe(201)
  })
})
