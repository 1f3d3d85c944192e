/** The mode "owner": a resource belongs to the client that created it. */
import { beforeAll, describe, expect, it } from 'vitest'
import { admin, type Client, costOf, newClient } from '../support/harness.ts'
import { clientIdOf, secondSource } from '../support/sources.ts'
import { EVER, undone } from '../support/undo.ts'

let owner: Client
let other: Client

const setMode = async ({ tenantId }: Client, sourceMode: string) =>
  await admin('PATCH', `/tenants/${tenantId}`, { sourceMode })

beforeAll(async () => {
  owner = await newClient()
  other = await secondSource(owner)
  expect((await setMode(owner, 'owner')).body).toMatchObject({ sourceMode: 'owner' })
})

const title = { op: 'replace', path: 'title', value: 'Ranger' }
const name = { op: 'replace', path: 'displayName', value: 'Rangers' }

type Write = (client: Client, id: string, memberId: string) => ReturnType<Client['request']>

const USER_WRITES: readonly [name: string, write: Write][] = [
  ['PATCH', (client, id) => client.patch(`/Users/${id}`, title)],
  ['PUT', (client, id) => client.request('PUT', `/Users/${id}`, { userName: crypto.randomUUID() })],
  ['DELETE', (client, id) => client.request('DELETE', `/Users/${id}`)],
]

const GROUP_WRITES: readonly [name: string, write: Write][] = [
  ['PATCH', (client, id) => client.patch(`/Groups/${id}`, name)],
  ['PUT', (client, id) => client.request('PUT', `/Groups/${id}`, { displayName: crypto.randomUUID() })],
  [
    'PATCH that adds a member',
    (client, id, value) => client.patch(`/Groups/${id}`, { op: 'add', path: 'members', value: [{ value }] }),
  ],
  ['DELETE', (client, id) => client.request('DELETE', `/Groups/${id}`)],
]

describe('in the mode "owner"', () => {
  it.for(USER_WRITES)('a %s of a user by another client is refused and logged', async ([, write]) => {
    const user = await owner.createUser()
    await other.get(`/Users/${user.id}`)
    const answer = await write(other, user.id, '')
    expect(answer).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('belongs to the client "Test"') },
    })
    expect((await owner.log())[0]).toMatchObject({ outcome: 'refused', status: 409, resourceId: user.id })
    expect((await owner.get(`/Users/${user.id}`)).body).toMatchObject({ meta: { version: 'W/"1"' } })
    expect((await write(owner, user.id, '')).status).toBeLessThan(300)
  })

  it.for(GROUP_WRITES)('a %s of a group by another client is refused and logged', async ([, write]) => {
    const [group, user] = [await owner.createGroup(), await other.createUser()]
    const answer = await write(other, group.id, user.id)
    expect(answer).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('belongs to the client "Test"') },
    })
    expect((await owner.log())[0]).toMatchObject({ outcome: 'refused', status: 409, resourceId: group.id })
    expect((await write(owner, group.id, user.id)).status).toBeLessThan(300)
  })

  it('the owner writes as often as in the mode "observe" asks the database', async () => {
    const user = await owner.createUser()
    await owner.get(`/Users/${user.id}`)
    expect(costOf(await owner.patch(`/Users/${user.id}`, title)).roundTrips).toBe(1)
  })

  it('another client reads, and deletes its own user out of a group of the owner', async () => {
    const user = await other.createUser()
    const group = await owner.createGroup({ members: [{ value: user.id }] })
    expect((await other.get(`/Groups/${group.id}`)).status).toBe(200)
    expect((await other.request('DELETE', `/Users/${user.id}`)).status).toBe(204)
  })

  it('an administrator hands one resource over, also under the eyes of an isolate that remembers it', async () => {
    const user = await owner.createUser()
    await other.get(`/Users/${user.id}`)
    const path = `/tenants/${owner.tenantId}/resources/${user.id}/owner`
    expect((await admin('POST', path, { clientId: await clientIdOf(other) })).status).toBe(204)
    expect((await owner.patch(`/Users/${user.id}`, title)).status).toBe(409)
    expect((await other.patch(`/Users/${user.id}`, title)).status).toBe(200)
    expect((await admin('POST', path, { clientId: null })).status).toBe(204)
    expect((await owner.patch(`/Users/${user.id}`, { ...title, value: 'Warden' })).status).toBe(200)
  })

  it('an administrator hands over all resources of a client', async () => {
    const first = await newClient()
    const second = await secondSource(first)
    await setMode(first, 'owner')
    const [user, group, own] = [
      await first.createUser(),
      await first.createGroup(),
      await second.createUser(),
    ]
    const [from, to] = [await clientIdOf(first), await clientIdOf(second)]
    const answer = await admin('POST', `/tenants/${first.tenantId}/resources/owner`, { from, to })
    expect(answer).toMatchObject({ status: 200, body: { changed: 2, next: null } })
    expect((await first.patch(`/Users/${user.id}`, title)).status).toBe(409)
    expect((await second.patch(`/Groups/${group.id}`, name)).status).toBe(204)
    expect((await second.patch(`/Users/${own.id}`, title)).status).toBe(200)
  })

  it('the mode ends with the next request', async () => {
    const first = await newClient()
    const second = await secondSource(first)
    await setMode(first, 'owner')
    const user = await first.createUser()
    expect((await second.patch(`/Users/${user.id}`, title)).status).toBe(409)
    await setMode(first, 'observe')
    expect((await second.patch(`/Users/${user.id}`, title)).status).toBe(200)
  })
})

describe('a hand-over', () => {
  it('refuses a client and a resource that the tenant does not have', async () => {
    const user = await owner.createUser()
    const path = (id: string) => `/tenants/${owner.tenantId}/resources/${id}/owner`
    expect(await admin('POST', path(user.id), { clientId: 'no_client' })).toMatchObject({
      status: 400,
      body: { error: { field: 'clientId' } },
    })
    expect((await admin('POST', path('none'), { clientId: null })).status).toBe(404)
  })
})

describe('a resource that an administrator restores', () => {
  it('keeps its source, which may go on changing it', async () => {
    const client = await newClient()
    const another = await secondSource(client)
    const [user, member] = [await client.createUser(), await another.createUser()]
    const group = await client.createGroup({ members: [{ value: member.id }] })
    await setMode(client, 'owner')
    for (const [path, id] of [
      ['/Users', user.id],
      ['/Groups', group.id],
    ]) {
      expect((await client.request('DELETE', `${path}/${id}`)).status).toBe(204)
      expect((await admin('POST', `/tenants/${client.tenantId}/tombstones/${id}/restore`)).status).toBe(200)
      const operation = path === '/Users' ? title : name
      expect((await another.patch(`${path}/${id}`, operation)).status).toBe(409)
      expect((await client.patch(`${path}/${id}`, operation)).status).toBeLessThan(300)
    }
    expect((await client.get(`/Groups/${group.id}`)).body.members).toHaveLength(1)
  })

  it('is undone in the mode "owner" as in the other one', async () => {
    const client = await newClient()
    const another = await secondSource(client)
    const users = [await client.createUser({ title: 'Ranger' }), await client.createUser()]
    const group = await client.createGroup({ members: users.map(({ id }) => ({ value: id })) })
    await another.patch(`/Users/${users[0].id}`, { op: 'replace', path: 'title', value: 'Warden' })
    await another.patch(`/Groups/${group.id}`, { op: 'remove', path: 'members' })
    await another.request('DELETE', `/Users/${users[1].id}`)
    await another.createUser()
    await setMode(client, 'owner')
    const { job, left } = await undone(client, { clientId: await clientIdOf(another), ...EVER })
    expect([job.state, left]).toEqual(['done', []])
    expect((await client.get(`/Users/${users[0].id}`)).body.title).toBe('Ranger')
    expect((await client.get(`/Groups/${group.id}`)).body.members).toHaveLength(2)
    expect((await client.get('/Users')).body.totalResults).toBe(2)
    for (const { id } of users) expect((await client.patch(`/Users/${id}`, title)).status).toBe(200)
  })
})
