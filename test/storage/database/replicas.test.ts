/**
 * Reads at replicas: two isolates (two instances of the app) with a D1 whose replica lags as far as it may. An
 * answered write is visible everywhere from then on, and each kind of read costs what the README states.
 */
import { uuidv7 } from 'uuidv7'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createApp } from '../../../src/app.ts'
import type { Runtime } from '../../../src/runtime.ts'
import { groupWriters } from '../../../src/self-hosted/group-writers.ts'
import { noFigures, openDatabase } from '../../../src/storage/database/database.ts'
import { type BookmarkHolder, d1Replicas, TenantBookmark } from '../../../src/storage/database/replicas.ts'
import { RESOURCE_TYPES } from '../../../src/storage/tables/resource-tables.ts'
import { MIGRATIONS } from '../../sqlite/support/files.ts'
import { chance } from '../../support/chance.ts'
import { LaggingD1 } from '../../support/lagging-d1.ts'
import { ONE_DATABASE } from '../../support/one-database.ts'

const ORIGIN = 'https://scim.test'
const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'

// Lost messages are faults, and faults are logged.
beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(() => undefined))
afterEach(() => void vi.restoreAllMocks())

/** Two isolates, one database, and the bookmark holders. */
class World {
  readonly d1 = new LaggingD1(MIGRATIONS)
  readonly holders = new Map<string, TenantBookmark>()
  /** Every message to a holder. */
  hops: string[] = []
  /** Kinds of messages that get lost. */
  lost: string[] = []
  /** Delayed messages; undefined if none is delayed. */
  heldBack: (() => void)[] | undefined
  #background: Promise<unknown>[] = []
  #now = Date.now()
  readonly #apps = [createApp(), createApp()]
  readonly #runtime: Runtime

  constructor(isOn = true) {
    const open: Runtime['openDatabase'] = (_name, figures) => openDatabase(this.d1.binding, figures)
    const now = () => this.#now
    this.#runtime = {
      openDatabase: open,
      ...ONE_DATABASE,
      isHealthy: async () => true,
      replicas: isOn
        ? d1Replicas(
            () => this.d1.binding,
            (tenantId) => this.#holderOf(tenantId),
            (promise) => this.#background.push(promise),
          )
        : undefined,
      groupWriter: groupWriters({ openDatabase: open, resourceTypes: RESOURCE_TYPES, newId: uuidv7, now }),
      now,
      newId: uuidv7,
      isAllowed: async () => true,
      later: () => undefined,
      fetch: () => Promise.reject(new Error('no network')),
      settings: {
        adminToken: 'test-admin-token',
        serverTiming: true,
        requestLog: false,
        logRetentionDays: '30',
        eventRetentionDays: '30',
        accessTeamDomain: undefined,
        accessAudience: undefined,
      },
    }
  }

  #holderOf(tenantId: string): BookmarkHolder {
    const hop = async <Result>(kind: string, run: (bookmark: TenantBookmark) => Result) => {
      this.hops.push(`${kind} ${tenantId}`)
      if (kind === 'offer' && this.heldBack) await new Promise<void>((go) => this.heldBack?.push(go))
      if (this.lost.includes(kind)) throw new Error('the Durable Object was reset')
      const bookmark = this.holders.get(tenantId) ?? new TenantBookmark(() => this.#now)
      this.holders.set(tenantId, bookmark)
      return run(bookmark)
    }
    return {
      get: () => hop('get', (bookmark) => bookmark.get()),
      offer: (bookmark, epoch) => hop('offer', (kept) => kept.offer(bookmark, epoch)),
      forget: () => hop('forget', (bookmark) => bookmark.forget()),
    }
  }

  pass(ms: number): void {
    this.#now += ms
  }

  /** Sends a request to one of the isolates. Waits for work after the answer as well, unless it is delayed. */
  async send(isolate: 0 | 1, method: string, path: string, token: string, body?: unknown) {
    const headers: Record<string, string> = { Authorization: `Bearer ${token}` }
    if (body !== undefined) {
      headers['Content-Type'] = path.startsWith('/scim') ? 'application/scim+json' : 'application/json'
    }
    const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }
    const response = await this.#apps[isolate]?.fetch(new Request(`${ORIGIN}${path}`, init), this.#runtime)
    if (response === undefined) throw new Error('no answer')
    const text = await response.text()
    if (this.heldBack === undefined) await this.settle()
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? undefined : JSON.parse(text),
    }
  }

  /** Submits a form of the dashboard. */
  async form(path: string, fields: Record<string, string>, cookie = ''): Promise<Response> {
    const headers = { Origin: ORIGIN, Cookie: cookie }
    const init = { method: 'POST', headers, body: new URLSearchParams(fields) }
    return (await this.#apps[0]?.fetch(new Request(`${ORIGIN}${path}`, init), this.#runtime)) as Response
  }

  async settle(): Promise<void> {
    for (const go of this.heldBack ?? []) go()
    this.heldBack = undefined
    await Promise.all(this.#background.splice(0))
  }

  admin(method: string, path: string, body?: unknown) {
    return this.send(0, method, `/admin/api${path}`, 'test-admin-token', body)
  }

  async newTenant(id: string): Promise<Client> {
    await this.admin('POST', '/tenants', { id, name: id })
    return await this.newClient(id, 'provision')
  }

  async newClient(tenantId: string, scope: 'provision' | 'read'): Promise<Client> {
    const { body } = await this.admin('POST', `/tenants/${tenantId}/tokens`, { name: 'Test', scope })
    return new Client(this, tenantId, body.token, body.id)
  }

  /** The costs since the last call: where batches ran, and the messages to the holders. */
  costs() {
    const costs = {
      served: this.d1.served.join(' '),
      hops: this.hops.map((hop) => hop.split(' ')[0]).join(' '),
    }
    this.d1.served = []
    this.hops = []
    return costs
  }
}

class Client {
  readonly #world: World
  readonly tenantId: string
  readonly token: string
  readonly tokenId: string

  constructor(world: World, tenantId: string, token: string, tokenId: string) {
    this.#world = world
    this.tenantId = tenantId
    this.token = token
    this.tokenId = tokenId
  }

  send(isolate: 0 | 1, method: string, path: string, body?: unknown) {
    return this.#world.send(isolate, method, `/scim/v2${path}`, this.token, body)
  }

  get(isolate: 0 | 1, path: string) {
    return this.send(isolate, 'GET', path)
  }

  /** Makes the token known to both isolates, and the newest bookmark to the holder. */
  async warm(): Promise<this> {
    await this.get(0, '/Users?count=1')
    await this.get(0, '/Users?count=1')
    this.#world.costs()
    return this
  }
}

const userNamed = (userName: string) => ({ schemas: [USER], userName })
const patch = (...Operations: unknown[]) => ({ schemas: [PATCH_OP], Operations })

async function warmClient(world = new World()) {
  return { world, client: await (await world.newTenant('acme')).warm() }
}

describe('a read', () => {
  it('goes to the replica, with one hop and one round trip, once a bookmark is known', async () => {
    const { world, client } = await warmClient()
    const answer = await client.get(1, '/Users')
    expect(answer.status).toBe(200)
    expect(answer.headers.get('Server-Timing')).toContain('desc="1 round trips')
    expect(world.costs()).toEqual({ served: 'replica', hops: 'get' })
    for (const path of [
      '/Groups',
      '/Users?filter=userName%20eq%20%22x%22',
      '/?count=1',
      `/Users/${uuidv7()}`,
    ]) {
      await client.get(0, path)
      expect(world.costs(), path).toEqual({ served: 'replica', hops: 'get' })
    }
    for (const path of ['/.search', '/Users/.search', '/Groups/.search']) {
      const schemas = ['urn:ietf:params:scim:api:messages:2.0:SearchRequest']
      expect((await client.send(0, 'POST', path, { schemas })).status).toBe(200)
      expect(world.costs(), path).toEqual({ served: 'replica', hops: 'get' })
    }
  })

  it('goes to the primary once after a write, and offers the bookmark', async () => {
    const { world, client } = await warmClient()
    await client.send(0, 'POST', '/Users', userNamed('ana'))
    expect(world.costs()).toEqual({ served: 'primary', hops: 'forget' })
    await client.get(1, '/Users')
    expect(world.costs()).toEqual({ served: 'primary', hops: 'get offer' })
    await client.get(0, '/Users')
    expect(world.costs()).toEqual({ served: 'replica', hops: 'get' })
  })

  it('goes to the primary, without a hop, when it carries "last used"', async () => {
    const { world, client } = await warmClient()
    world.pass(60_000)
    await client.get(0, '/Users')
    expect(world.costs()).toEqual({ served: 'primary', hops: '' })
  })

  it('goes to the primary when the holder cannot be reached', async () => {
    const { world, client } = await warmClient()
    world.lost = ['get']
    expect((await client.get(0, '/Users')).status).toBe(200)
    expect(world.costs()).toEqual({ served: 'primary', hops: 'get' })
  })

  it('is repeated at the primary when the replica does not answer', async () => {
    const { world, client } = await warmClient()
    world.d1.isReplicaDown = true
    expect((await client.get(0, '/Users')).status).toBe(200)
    expect(world.costs()).toEqual({ served: 'primary', hops: 'get' })
  })

  it('goes to the primary when the bookmark is a minute old, so that unreported writes become visible', async () => {
    const { world, client } = await warmClient()
    world.lost = ['forget']
    await client.send(0, 'POST', '/Users', userNamed('ana'))
    world.lost = []
    // Another read has written "last used" in the meantime.
    world.pass(60_000)
    await client.get(0, '/Users')
    world.costs()
    expect((await client.get(1, '/Users')).body.totalResults).toBe(1)
    expect(world.costs()).toEqual({ served: 'primary', hops: 'get offer' })
  })

  it('of an unknown token or tenant goes to the primary without a message to a holder', async () => {
    const { world } = await warmClient()
    const secret = 'A'.repeat(43)
    for (const token of [`scim_acme_${secret}`, `scim_nobody_${secret}`]) {
      for (const [method, body] of [['GET'], ['POST', userNamed('eve')]] as const) {
        expect((await world.send(0, method, '/scim/v2/Users', token, body)).status).toBe(401)
        expect(world.costs()).toEqual({ served: 'primary', hops: '' })
      }
    }
    expect([...world.holders.keys()]).toEqual(['acme'])
  })

  it('opens no session while read replication is off', async () => {
    const { world, client } = await warmClient(new World(false))
    await client.send(0, 'POST', '/Users', userNamed('ana'))
    await client.get(0, '/Users')
    expect(world.costs()).toEqual({ served: 'primary primary', hops: '' })
    expect(world.d1.sessions).toEqual([])
  })
})

describe('an answered write', () => {
  it('is visible to a client of the other isolate: users', async () => {
    const { world, client } = await warmClient()
    const reader = await (await world.newClient('acme', 'read')).warm()
    const { id } = (await client.send(0, 'POST', '/Users', userNamed('ana'))).body
    // Twice: at the primary, and then at the replica.
    for (const _ of [1, 2]) {
      expect((await client.get(1, `/Users/${id}`)).status).toBe(200)
      expect((await reader.get(1, '/Users?filter=userName%20eq%20%22ana%22')).body.totalResults).toBe(1)
    }
    const disabled = { op: 'replace', path: 'active', value: false }
    expect((await client.send(1, 'PATCH', `/Users/${id}`, patch(disabled))).status).toBe(200)
    for (const _ of [1, 2]) expect((await reader.get(0, `/Users/${id}`)).body.active).toBe(false)
    await client.send(1, 'PUT', `/Users/${id}`, { ...userNamed('bea'), displayName: 'Bea' })
    for (const _ of [1, 2]) expect((await reader.get(0, `/Users/${id}`)).body.displayName).toBe('Bea')
    expect((await client.send(0, 'DELETE', `/Users/${id}`)).status).toBe(204)
    for (const _ of [1, 2]) expect((await reader.get(1, `/Users/${id}`)).status).toBe(404)
    expect(world.costs().served).toContain('replica')
  })

  it('is visible to a client of the other isolate: groups and members', async () => {
    const { world, client } = await warmClient()
    const reader = await (await world.newClient('acme', 'read')).warm()
    const user = (await client.send(0, 'POST', '/Users', userNamed('ana'))).body
    const group = (await client.send(0, 'POST', '/Groups', { schemas: [GROUP], displayName: 'Crew' })).body
    for (const _ of [1, 2]) expect((await reader.get(1, `/Groups/${group.id}`)).status).toBe(200)
    const add = { op: 'add', path: 'members', value: [{ value: user.id }] }
    expect((await client.send(0, 'PATCH', `/Groups/${group.id}`, patch(add))).status).toBe(204)
    for (const _ of [1, 2]) expect((await reader.get(1, `/Users/${user.id}`)).body.groups).toHaveLength(1)
    expect((await client.send(1, 'DELETE', `/Groups/${group.id}`)).status).toBe(204)
    for (const _ of [1, 2]) expect((await reader.get(0, `/Users/${user.id}`)).body.groups).toBeUndefined()
    expect(world.costs().served).toContain('replica')
  })

  it('is visible after a bulk request', async () => {
    const { client } = await warmClient()
    const Operations = ['ana', 'bea'].map((name) => ({
      method: 'POST',
      path: '/Users',
      bulkId: name,
      data: userNamed(name),
    }))
    const schemas = ['urn:ietf:params:scim:api:messages:2.0:BulkRequest']
    expect((await client.send(0, 'POST', '/Bulk', { schemas, Operations })).status).toBe(200)
    for (const _ of [1, 2]) expect((await client.get(1, '/Users')).body.totalResults).toBe(2)
  })

  it('is visible when the holder has lost its memory', async () => {
    const { world, client } = await warmClient()
    await client.send(0, 'POST', '/Users', userNamed('ana'))
    world.holders.clear()
    expect((await client.get(1, '/Users')).body.totalResults).toBe(1)
    expect(world.costs().served).toBe('primary primary')
  })

  it.for(['the same holder', 'a new one'])(
    'is visible although an older bookmark arrives late, at %s',
    async (holder) => {
      const { world, client } = await warmClient()
      await client.send(0, 'POST', '/Users', userNamed('ana'))
      world.heldBack = []
      // Reads before the next write; the offer of its bookmark is delayed.
      await client.get(0, '/Users')
      await client.send(1, 'POST', '/Users', userNamed('bea'))
      if (holder === 'a new one') world.holders.clear()
      await world.settle()
      expect((await client.get(0, '/Users')).body.totalResults).toBe(2)
    },
  )

  it('is visible although a read ran during the write', async () => {
    const { world, client } = await warmClient()
    await client.send(0, 'POST', '/Users', userNamed('ana'))
    world.d1.beforeWrite = async () => {
      world.d1.beforeWrite = undefined
      expect((await client.get(1, '/Users')).body.totalResults).toBe(1)
    }
    await client.send(0, 'POST', '/Users', userNamed('bea'))
    expect((await client.get(1, '/Users')).body.totalResults).toBe(2)
  })

  it('has been reported: if the report fails twice, the answer is 503', async () => {
    const { world, client } = await warmClient()
    world.lost = ['forget']
    for (const [path, body] of [
      ['/Users', userNamed('ana')],
      ['/Groups', { schemas: [GROUP], displayName: 'Crew' }],
    ] as const) {
      const answer = await client.send(0, 'POST', path, body)
      expect(answer.status).toBe(503)
      expect(answer.headers.get('Retry-After')).not.toBeNull()
      expect(answer.headers.get('Location')).toBeNull()
      expect(answer.headers.get('Server-Timing')).not.toBeNull()
      expect(world.costs().hops).toBe('forget forget')
    }
  })

  it('of one tenant keeps the bookmark of another', async () => {
    const { world, client } = await warmClient()
    const other = await (await world.newTenant('other')).warm()
    await client.warm()
    await client.send(0, 'POST', '/Users', userNamed('ana'))
    expect(world.hops).toEqual(['forget acme'])
    world.costs()
    expect((await other.get(0, '/Users')).body.totalResults).toBe(0)
    expect(world.hops).toEqual(['get other'])
    expect(world.costs().served).toBe('replica')
  })
})

describe('a token', () => {
  it('is refused at once when it was revoked, wherever its request is served', async () => {
    const { world, client } = await warmClient()
    expect((await client.get(1, '/Users')).status).toBe(200)
    expect(world.costs().served).toBe('replica')
    expect((await world.admin('DELETE', `/tenants/acme/tokens/${client.tokenId}`)).status).toBe(204)
    for (const isolate of [0, 1, 0] as const) {
      expect((await client.get(isolate, '/Users')).status).toBe(401)
    }
  })

  it('is refused at once when it was revoked at the dashboard', async () => {
    const { world, client } = await warmClient()
    const signedIn = await world.form('/admin/sign-in', { token: 'test-admin-token', next: '/admin' })
    const cookie = signedIn.headers.get('Set-Cookie')?.split(';')[0]
    const path = `/admin/tenants/acme/api-keys/${client.tokenId}/revoke`
    world.lost = ['forget']
    const unreported = await world.form(path, {}, cookie)
    expect([unreported.status, unreported.headers.get('Location')]).toEqual([503, null])
    world.lost = []
    expect((await world.form(path, {}, cookie)).status).toBe(303)
    expect((await client.get(1, '/Users')).status).toBe(401)
  })

  it('is refused at once when its tenant was deleted', async () => {
    const { world, client } = await warmClient()
    expect((await world.admin('DELETE', '/tenants/acme')).status).toBe(204)
    for (const isolate of [0, 1, 0] as const) {
      expect((await client.get(isolate, '/Users')).status).toBe(401)
    }
  })

  it('is refused when it has expired, also by a replica', async () => {
    const { world } = await warmClient()
    const expiresAt = new Date(Date.now() + 30_000).toISOString()
    const { body } = await world.admin('POST', '/tenants/acme/tokens', { name: 'Short', expiresAt })
    const client = await new Client(world, 'acme', body.token, body.id).warm()
    expect((await client.get(0, '/Users')).status).toBe(200)
    world.pass(31_000)
    expect((await client.get(0, '/Users')).status).toBe(401)
    expect(world.costs().served).toBe('replica replica')
  })

  it('is valid as soon as it was issued, also at a replica', async () => {
    const { world } = await warmClient()
    const fresh = await world.newClient('acme', 'read')
    for (const isolate of [0, 1, 0] as const) expect((await fresh.get(isolate, '/Users')).status).toBe(200)
    expect(world.costs().served).toContain('replica')
  })

  it('is not shown as revoked before the revocation is reported; once it is listed as revoked, it is refused', async () => {
    const { world, client } = await warmClient()
    world.lost = ['forget']
    expect((await world.admin('DELETE', `/tenants/acme/tokens/${client.tokenId}`)).status).toBe(503)
    expect((await world.admin('GET', '/tenants/acme/tokens')).status).toBe(503)
    world.lost = []
    const { tokens } = (await world.admin('GET', '/tenants/acme/tokens')).body
    expect(tokens[0].revokedAt).not.toBeNull()
    expect((await client.get(1, '/Users')).status).toBe(401)
  })
})

describe('TenantBookmark', () => {
  it('accepts a bookmark only with the epoch that it gave out since the last write', () => {
    const kept = new TenantBookmark(() => 0)
    const { epoch } = kept.get()
    kept.forget()
    kept.offer('old', epoch)
    expect(kept.get().bookmark).toBeUndefined()
    kept.offer('new', kept.get().epoch)
    expect(kept.get().bookmark).toBe('new')
  })

  it('gives out epochs that no other instance gives out', () => {
    const [one, another] = [new TenantBookmark(() => 0), new TenantBookmark(() => 0)]
    another.offer('of another copy', one.get().epoch)
    expect(another.get().bookmark).toBeUndefined()
  })

  it('forgets a bookmark a minute after the start of its read', () => {
    let now = 0
    const kept = new TenantBookmark(() => now)
    const { epoch } = kept.get()
    now = 59_000
    kept.offer('read long ago', epoch)
    expect(kept.get().bookmark).toBe('read long ago')
    now = 60_000
    expect(kept.get().bookmark).toBeUndefined()
  })
})

describe('writers and readers at the same time', () => {
  it.for([1, 2, 3, 4, 5])('see every write that was answered before they began (seed %i)', async (seed) => {
    const d1 = new LaggingD1(MIGRATIONS)
    const next = chance(seed)
    const random = (below: number) => Math.floor(next() * below)
    /** Messages take time in both directions and overtake each other. */
    const underWay = async () => {
      for (let i = random(8); i > 0; i--) await new Promise((turn) => setImmediate(turn))
    }
    let kept = new TenantBookmark(() => 0)
    const hop = async <Result>(run: () => Result) => {
      await underWay()
      // The object is moved and loses its memory.
      if (random(20) === 0) kept = new TenantBookmark(() => 0)
      const result = run()
      await underWay()
      return result
    }
    const holder: BookmarkHolder = {
      get: () => hop(() => kept.get()),
      offer: (bookmark, epoch) => hop(() => kept.offer(bookmark, epoch)),
      forget: () => hop(() => kept.forget()),
    }
    const replicas = d1Replicas(
      () => d1.binding,
      () => holder,
      () => undefined,
    )
    let [written, answered] = [0, 0]
    const write = async () => {
      const value = ++written
      const sql = `UPDATE tenants SET group_limit = max(group_limit, 1000 + ${value}) WHERE id = 'default'`
      await openDatabase(d1.binding, noFigures()).batch([{ sql, params: [] }])
      await replicas.noteWrite('default')
      answered = Math.max(answered, value)
    }
    const read = async () => {
      const least = 1000 + answered
      const sql = "SELECT group_limit AS value FROM tenants WHERE id = 'default'"
      const [result] = await replicas
        .openDatabase(undefined, 'default', noFigures())
        .batch([{ sql, params: [] }])
      expect(result?.rows[0]?.value).toBeGreaterThanOrEqual(least)
    }
    const worker = async (isWriter: boolean) => {
      for (let i = 0; i < 60; i++) {
        await (isWriter && random(3) === 0 ? write() : read())
        await underWay()
      }
    }
    await write()
    await Promise.all([worker(true), worker(true), worker(false), worker(false), worker(false)])
    expect(d1.served).toContain('replica')
  })
})
