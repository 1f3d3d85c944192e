/**
 * READ_REPLICATION while a tenant moves to another database: bookmarks are those of one database, and the replicas of the
 * former one may show the old copy for ever.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Client, userNamed, World, warmClient } from '../../support/replica-world.ts'

beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(() => undefined))
afterEach(() => void vi.restoreAllMocks())

const twoDatabases = () => warmClient(new World(true, ['DB', 'DB2']))

/** The users as each isolate sees them, twice: the second read may use the bookmark of the first. */
async function seen(client: Client): Promise<number[]> {
  const totals = []
  for (const isolate of [0, 1, 0, 1] as const) {
    const { status, body } = await client.get(isolate, '/Users?count=0')
    expect(status).toBe(200)
    totals.push(body.totalResults)
  }
  return totals
}

async function moved(world: World, { tenantId }: Client, database: string): Promise<void> {
  expect((await world.admin('POST', `/tenants/${tenantId}/move`, { database })).status).toBe(202)
  while ((await world.runJob(tenantId)) !== undefined);
}

describe('a read', () => {
  it('shows every answered write after each step of a move there and back', async () => {
    const { world, client } = await twoDatabases()
    let users = 0
    for (const database of ['DB2', 'DB', 'DB2']) {
      expect((await world.admin('POST', `/tenants/acme/move`, { database })).status).toBe(202)
      for (let isOver = false; !isOver; ) {
        isOver = (await world.runJob('acme')) === undefined
        const { status } = await client.send(0, 'POST', '/Users', userNamed(crypto.randomUUID()))
        expect([201, 503]).toContain(status)
        if (status === 201) users++
        expect(await seen(client)).toEqual([users, users, users, users])
      }
      expect((await world.admin('GET', '/tenants/acme')).body).toMatchObject({ database, state: 'ready' })
    }
    expect(users).toBeGreaterThan(2)
  })

  it('never gets a bookmark of the former database, even if its offer arrives late', async () => {
    const { world, client } = await twoDatabases()
    await client.send(0, 'POST', '/Users', userNamed('before'))
    world.heldBack = []
    expect((await client.get(0, '/Users?count=0')).body.totalResults).toBe(1)
    expect(world.heldBack).toHaveLength(1)
    await moved(world, client, 'DB2')
    expect((await client.send(1, 'POST', '/Users', userNamed('after'))).status).toBe(201)
    await world.settle()
    expect(await seen(client)).toEqual([2, 2, 2, 2])
  })

  it('goes to a replica of the new database with a bookmark of that one', async () => {
    const { world, client } = await twoDatabases()
    await client.send(0, 'POST', '/Users', userNamed('before'))
    await seen(client)
    await moved(world, client, 'DB2')
    await seen(client)
    world.costs()
    world.second.served = []
    world.second.sessions = []
    expect(await seen(client)).toEqual([1, 1, 1, 1])
    expect([world.costs().served, world.second.served]).toEqual(['', Array(4).fill('replica')])
    expect(new Set(world.second.sessions).has('first-primary')).toBe(false)
  })

  it('does not see a token that was revoked before, during or after the move', async () => {
    const { world, client } = await twoDatabases()
    const during = await (await world.newClient('acme', 'read')).warm()
    const after = await (await world.newClient('acme', 'read')).warm()
    await world.admin('POST', '/tenants/acme/move', { database: 'DB2' })
    await world.runJob('acme')
    const revoke = async ({ tokenId }: Client) =>
      expect((await world.admin('DELETE', `/tenants/acme/tokens/${tokenId}`)).status).toBe(204)
    await revoke(during)
    for (const isolate of [0, 1] as const) expect((await during.get(isolate, '/Users')).status).toBe(401)
    while ((await world.runJob('acme')) !== undefined);
    await seen(client)
    await seen(after)
    await revoke(after)
    for (const one of [during, after]) {
      for (const isolate of [0, 1] as const) expect((await one.get(isolate, '/Users')).status).toBe(401)
    }
  })
})

describe('a move', () => {
  it('does not let clients write at the target while the readers of the source cannot be told', async () => {
    const { world, client } = await twoDatabases()
    await client.send(0, 'POST', '/Users', userNamed('before'))
    await seen(client)
    await world.admin('POST', '/tenants/acme/move', { database: 'DB2' })
    world.lost = ['forget']
    for (let calls = 0; calls < 20; calls++) await world.runJob('acme')
    expect((await client.send(0, 'POST', '/Users', userNamed('during'))).status).toBe(503)
    expect(await seen(client)).toEqual([1, 1, 1, 1])
    world.lost = []
    while ((await world.runJob('acme')) !== undefined);
    expect((await client.send(0, 'POST', '/Users', userNamed('after'))).status).toBe(201)
    expect(await seen(client)).toEqual([2, 2, 2, 2])
  })
})
