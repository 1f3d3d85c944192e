/**
 * Each request proves the snapshot of the tenant that its isolate remembers: a new configuration holds from the next
 * request on, and nothing is written by an old one. The tests change the configuration directly in the database, as
 * another isolate would.
 */
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import type { OpenDatabase, Runtime } from '../../src/runtime.ts'
import { noFigures, openDatabase } from '../../src/storage/database/database.ts'
import { RESOURCE_TYPES } from '../../src/storage/tables/resource-tables.ts'
import { deleteTenant } from '../../src/storage/tenants/deletion.ts'
import { type ConfigurationChange, updateTenant } from '../../src/storage/tenants/tenants.ts'
import { change, newCoordinator, requestOf, statusOf } from '../support/coordinator.ts'
import {
  admin,
  Client,
  costOf,
  GROUP,
  newClient,
  newToken,
  PATCH_OP,
  RANGE_ENDS,
  USER,
} from '../support/harness.ts'
import { labRuntime, sendTo } from '../support/lab.ts'

const BULK = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest'

const db = () => openDatabase(env.DB, noFigures())

/** Changes the configuration as another isolate does: this one is not told. */
async function configure({ tenantId }: Client, configuration: ConfigurationChange): Promise<void> {
  await updateTenant(db(), tenantId, { configuration })
}

const newUser = () => ({ schemas: [USER], userName: crypto.randomUUID() })

async function userCount({ tenantId }: Client): Promise<number> {
  return (await admin('GET', `/tenants/${tenantId}`)).body.userCount
}

/** The version of the configuration. */
async function versionOf({ tenantId }: Client): Promise<number | null> {
  return await env.DB.prepare('SELECT version FROM tenants WHERE id = ?1').bind(tenantId).first('version')
}

/** An isolate that records the parameters of its batches, among them the version of the configuration. */
class Isolate {
  readonly asked: (readonly unknown[])[] = []
  readonly #runtime: Runtime

  constructor(before: () => Promise<void> = async () => undefined) {
    const open: OpenDatabase = (_name, figures) => {
      const database = openDatabase(env.DB, figures)
      return {
        batch: async (statements) => {
          this.asked.push(statements.flatMap(({ params }) => params))
          await before()
          return await database.batch(statements)
        },
      }
    }
    this.#runtime = labRuntime({ openDatabase: open })
  }

  async send({ token }: Client, method: string, path: string, body?: unknown): Promise<Response> {
    const request = new Request(`https://scim.test/scim/v2${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/scim+json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return await sendTo(this.#runtime, request)
  }
}

describe('a tenant with a configuration of its own', () => {
  it('costs one more round trip at the first read of an isolate, and none later', async () => {
    const client = await newClient()
    await configure(client, { profile: 'tolerant' })
    const trips: number[] = []
    for (let i = 0; i < 3; i++) trips.push(costOf(await client.get('/Users')).roundTrips)
    expect(trips).toEqual([2, 1, 1])
  })

  it('costs no further round trip if the first request is a write', async () => {
    const client = await newClient()
    await configure(client, { profile: 'tolerant' })
    const trips: number[] = []
    for (let i = 0; i < 2; i++)
      trips.push(costOf(await client.request('POST', '/Users', newUser())).roundTrips)
    expect(trips).toEqual([2, 1])
  })

  it('reads no more rows than one with the default configuration', async () => {
    const [plain, configured] = [await newClient(), await newClient()]
    await configure(configured, { profile: 'tolerant' })
    const rows = async (client: Client) => {
      const { id } = await client.createUser()
      await client.get(`/Users/${id}`)
      return costOf(await client.get(`/Users/${id}`)).rowsRead
    }
    expect(await rows(configured)).toBeLessThanOrEqual((await rows(plain)) + RANGE_ENDS)
  })

  it('has the default configuration again once everything is reset', async () => {
    const client = await newClient()
    await configure(client, { profile: 'tolerant' })
    await client.get('/Users')
    await configure(client, { profile: null })
    const { results } = await env.DB.prepare('SELECT configuration, version FROM tenants WHERE id = ?1')
      .bind(client.tenantId)
      .all()
    expect(results).toEqual([{ configuration: null, version: 0 }])
    expect((await client.get('/Users')).status).toBe(200)
  })

  it('is known to tokens that are created later', async () => {
    const client = await newClient()
    await configure(client, { profile: 'tolerant' })
    await client.get('/Users')
    const another = new Client(client.tenantId, (await newToken(client.tenantId)).token)
    expect(costOf(await another.get('/Users')).roundTrips).toBe(1)
  })
})

describe('a configuration that another isolate has changed', () => {
  it.for([
    ['GET', '/Users', undefined],
    ['GET', '/Users?filter=nonsense', undefined],
    ['POST', '/Users/.search', {}],
    ['GET', '/', undefined],
    ['POST', '/.search', {}],
    ['GET', '/Schemas', undefined],
    ['GET', '/ResourceTypes', undefined],
    ['GET', '/Me', undefined],
    ['POST', '/Users', { schemas: [USER], userName: 'ada' }],
    ['POST', '/Users', { schemas: [USER] }],
    ['PATCH', '/Users/none', { schemas: [PATCH_OP], Operations: [] }],
    ['DELETE', '/Users/none', undefined],
    ['POST', '/Bulk', { schemas: [BULK], Operations: [{ method: 'DELETE', path: '/Users/none' }] }],
  ] as const)('holds for the very next request: %s %s %j', async ([method, path, body]) => {
    const [client, isolate] = [await newClient(), new Isolate()]
    const before = await (await isolate.send(client, 'GET', '/Users')).json()
    expect(before).toMatchObject({ totalResults: 0 })
    await configure(client, { profile: 'tolerant' })
    const { status } = await isolate.send(client, method, path, body)
    expect([200, 201, 400, 404, 501]).toContain(status)
    expect(isolate.asked.at(-1)).toContain(await versionOf(client))
  })

  it('applies to a write, which is logged once', async () => {
    const [client, isolate] = [await newClient(), new Isolate()]
    await isolate.send(client, 'POST', '/Users', newUser())
    await configure(client, { profile: 'tolerant' })
    expect((await isolate.send(client, 'POST', '/Users', newUser())).status).toBe(201)
    expect((await isolate.send(client, 'POST', '/Users', { schemas: [USER] })).status).toBe(400)
    const version = await versionOf(client)
    expect(isolate.asked.slice(-2).map((params) => params.includes(version))).toEqual([true, true])
    expect(await userCount(client)).toBe(2)
    expect((await client.log()).map(({ status }) => status)).toEqual([400, 201, 201])
  })

  it('applies to a refused write, which is logged once', async () => {
    const [client, isolate] = [await newClient(), new Isolate()]
    await isolate.send(client, 'POST', '/Users', newUser())
    await configure(client, { profile: 'tolerant' })
    expect((await isolate.send(client, 'POST', '/Users', { schemas: [USER] })).status).toBe(400)
    expect((await client.log()).map(({ status, repeated }) => [status, repeated])).toEqual([
      [400, 0],
      [201, 0],
    ])
  })

  it('may belong to a new tenant of the same id', async () => {
    const [client, isolate] = [await newClient(), new Isolate()]
    const { tenantId } = client
    await configure(client, { profile: 'tolerant' })
    await isolate.send(client, 'GET', '/Users')
    await deleteTenant(db(), RESOURCE_TYPES, { id: tenantId })
    await admin('POST', '/tenants', { id: tenantId, name: 'Another' })
    await configure(client, { profile: 'tolerant' })
    const another = new Client(tenantId, (await newToken(tenantId)).token)
    await isolate.send(another, 'GET', '/Users')
    expect(isolate.asked.at(-1)).toContain(await versionOf(client))
  })

  it('leads to 503 if it keeps changing, and nothing is written', async () => {
    const client = await newClient()
    let changes = 0
    const isolate = new Isolate(() => configure(client, { profile: changes++ % 2 === 0 ? 'tolerant' : null }))
    for (const [method, path, body] of [
      ['GET', '/Users', undefined],
      ['POST', '/Users', newUser()],
      ['POST', '/Groups', { schemas: [GROUP] }],
    ] as const) {
      const answer = await isolate.send(client, method, path, body)
      expect([answer.status, answer.headers.get('Retry-After')]).toEqual([503, '5'])
    }
    // Each of them is tried three times.
    expect(changes).toBeLessThanOrEqual(12)
    expect([await userCount(client), (await client.log()).length]).toEqual([0, 0])
  })

  it('does not open the directory to a revoked token, nor let a read token write', async () => {
    const [client, reader] = [await newClient(), await newClient({ scope: 'read' })]
    await client.get('/Users')
    await reader.get('/Users')
    await configure(client, { profile: 'tolerant' })
    await configure(reader, { profile: 'tolerant' })
    await env.DB.prepare('UPDATE tokens SET revoked_at = 1 WHERE tenant_id = ?1').bind(client.tenantId).run()
    const refused = await client.request('POST', '/Users', newUser())
    expect([refused.status, costOf(refused).roundTrips]).toEqual([401, 1])
    expect((await reader.request('POST', '/Users', newUser())).status).toBe(403)
  })
})

describe('the group coordinator', () => {
  it('applies a configuration that was changed before a write', async () => {
    const client = await newClient()
    const { id } = await client.createGroup()
    await configure(client, { profile: 'tolerant' })
    const user = await client.createUser()
    const answer = await client.patch(`/Groups/${id}`, {
      op: 'add',
      path: 'members',
      value: [{ value: user.id }],
    })
    expect(answer.status).toBe(204)
    const again = await client.patch(`/Groups/${id}`, {
      op: 'replace',
      path: 'displayName',
      value: 'Renamed',
    })
    expect([again.status, costOf(again).roundTrips]).toEqual([204, 2])
  })

  it('writes nothing by a configuration that changed between load and commit', async () => {
    const client = await newClient()
    const [group, other] = [await client.createGroup(), await client.createGroup()]
    const users = [await client.createUser(), await client.createUser()]
    const coordinator = await newCoordinator(client)
    coordinator.before = async (batch) => {
      if (batch === 1) await configure(client, { profile: 'tolerant' })
    }
    const requests = await Promise.all([
      requestOf(client, change(group.id, 'add', users[0].id)),
      requestOf(client, change(other.id, 'add', users[1].id)),
    ])
    const answers = await coordinator.together(requests)
    expect(answers.map(statusOf)).toEqual([200, 200])
    const entries = (await client.log()).filter(({ action }) => action === 'add member')
    expect(entries).toHaveLength(2)
    expect((await client.get(`/Groups/${group.id}`)).body.members).toHaveLength(1)
  })
})
