/**
 * Reads at replicas: two isolates (two instances of the app) with a D1 whose replica lags as far as it may. An
 * answered write is visible everywhere from then on, and each kind of read costs what the README states.
 */
import { uuidv7 } from 'uuidv7'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { noFigures, openDatabase } from '../../../src/storage/database/database.ts'
import { type BookmarkHolder, d1Replicas, TenantBookmark } from '../../../src/storage/database/replicas.ts'
import { MIGRATIONS } from '../../sqlite/support/files.ts'
import { chance } from '../../support/chance.ts'
import { LaggingD1 } from '../../support/lagging-d1.ts'
import { Client, patch, userNamed, World, warmClient } from '../../support/replica-world.ts'

const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'

// Lost messages are faults, and faults are logged.
beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(() => undefined))
afterEach(() => void vi.restoreAllMocks())

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
    const form = { remaining: 'nothing' }
    const unreported = await world.form(path, form, cookie)
    expect([unreported.status, unreported.headers.get('Location')]).toEqual([503, null])
    world.lost = []
    expect((await world.form(path, form, cookie)).status).toBe(303)
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
