/**
 * The guard against unusual deprovisioning: what counts, what is held, what goes on, and how an administrator lets it pass.
 */
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DAY_MS, releaseClock, resumeIds, setClock } from '../support/clock.ts'
import { Browser, textOf } from '../support/dashboard.ts'
import {
  type Answer,
  admin,
  Client,
  costOf,
  newClient,
  newToken,
  PATCH_OP,
  USER,
} from '../support/harness.ts'

const MINUTE_MS = 60_000
const START = Math.floor(Date.now() / DAY_MS) * DAY_MS

beforeEach(() => setClock(START))
afterEach(releaseClock)
afterAll(resumeIds)

const pass = (ms: number) => setClock(Date.now() + ms)

interface Guarded extends Client {
  readonly users: string[]
}

async function setGuard(tenantId: string, deprovisionGuard: unknown): Promise<Answer> {
  return await admin('PATCH', `/tenants/${tenantId}`, { deprovisionGuard })
}

/** A client of a tenant of its own, with users. */
async function newGuarded(userCount: number, guard?: unknown): Promise<Guarded> {
  const client = await newClient()
  const users: string[] = []
  for (let i = 0; i < userCount; i++) users.push((await client.createUser()).id)
  if (guard !== undefined) expect((await setGuard(client.tenantId, guard)).status).toBe(200)
  return Object.assign(client, { users })
}

const disable = (client: Client, id = '') =>
  client.patch(`/Users/${id}`, { op: 'replace', path: 'active', value: false })
const remove = (client: Client, id = '') => client.request('DELETE', `/Users/${id}`)

async function unusual(client: Client) {
  const { body } = await client.feed('?limit=500&types=deprovision.unusual')
  return body.events
}

async function clientOf({ tenantId }: Client) {
  return (await admin('GET', `/tenants/${tenantId}/clients`)).body.clients[0]
}

const GUARD = { share: 0.2, count: 3, windowMinutes: 60 }

describe('a guard', () => {
  it('lets exactly the threshold pass, holds what is beyond it, and everything else goes on', async () => {
    const client = await newGuarded(12, GUARD)
    const { users } = client
    const statuses: number[] = []
    for (const id of users.slice(0, 2)) statuses.push((await disable(client, id)).status)
    statuses.push((await remove(client, users[2])).status)
    expect(statuses).toEqual([200, 200, 204])
    const held = await disable(client, users[3])
    expect(held.status).toBe(429)
    expect(held.headers.get('Retry-After')).toBe('300')
    expect(held.body.detail).toMatch(/^the write is held: /)
    expect((await remove(client, users[4])).status).toBe(429)
    expect((await client.get(`/Users/${users[3]}`)).body.active).toBe(true)
    expect((await client.get(`/Users/${users[4]}`)).status).toBe(200)
    // Everything else.
    const { id: groupId } = await client.createGroup({ members: [{ value: users[5] }] })
    await client.createUser()
    const title = { op: 'replace', path: 'title', value: 'Ranger' }
    expect((await client.patch(`/Users/${users[3]}`, title)).status).toBe(200)
    const enable = { op: 'replace', path: 'active', value: true }
    expect((await client.patch(`/Users/${users[0]}`, enable)).status).toBe(200)
    const add = { op: 'add', path: 'members', value: [{ value: users[6] }] }
    expect((await client.patch(`/Groups/${groupId}`, add)).status).toBe(204)
    // The log, the event and the client tell.
    const log = await client.log('?outcome=refused')
    expect(log.map(({ action, status }) => [action, status])).toEqual([
      ['delete', 429],
      ['update', 429],
    ])
    const events = await unusual(client)
    expect(events).toHaveLength(1)
    expect(events[0].data).toMatchObject({ isHeld: true, users: 3, groups: 0, memberships: 0 })
    const found = await clientOf(client)
    expect(events[0].source.clientId).toBe(found.id)
    expect(found.deprovisioning).toMatchObject({ held: 2, releasedUntil: null })
  })

  it('needs the share as well as the number', async () => {
    const client = await newGuarded(30, { share: 0.5, count: 1, windowMinutes: 60 })
    const statuses: number[] = []
    for (const id of client.users.slice(0, 16)) statuses.push((await disable(client, id)).status)
    expect(statuses).toEqual([...Array(15).fill(200), 429])
  })

  it('counts the removed members of a PATCH and of a PUT, and those of a deleted group', async () => {
    const client = await newGuarded(8)
    const members = client.users.map((value) => ({ value }))
    const { id, displayName } = await client.createGroup({ members })
    const other = await client.createGroup({ members: members.slice(0, 4) })
    await setGuard(client.tenantId, { share: 0.1, count: 3, windowMinutes: 60 })
    const removal = (count: number) =>
      client.patch(`/Groups/${id}`, { op: 'remove', path: 'members', value: members.slice(0, count) })
    expect((await removal(4)).status).toBe(429)
    expect((await removal(2)).status).toBe(204)
    const put = (kept: typeof members) =>
      client.request('PUT', `/Groups/${id}`, { displayName, members: kept })
    expect((await put(members.slice(4))).status).toBe(429)
    expect((await put(members.slice(3))).status).toBe(200)
    expect((await client.request('DELETE', `/Groups/${other.id}`)).status).toBe(429)
    expect((await client.get(`/Groups/${other.id}`)).body.members).toHaveLength(4)
    expect((await put(members)).status).toBe(200)
  })

  it('counts each operation of a bulk request', async () => {
    const client = await newGuarded(8, GUARD)
    const Operations = client.users.slice(0, 5).map((id) => ({ method: 'DELETE', path: `/Users/${id}` }))
    const schemas = ['urn:ietf:params:scim:api:messages:2.0:BulkRequest']
    const { body } = await client.request('POST', '/Bulk', { schemas, Operations })
    expect(body.Operations.map(({ status }: { status: string }) => status)).toEqual([
      '204',
      '204',
      '204',
      '429',
      '429',
    ])
  })

  it('is not exceeded by writes at the same time', async () => {
    const client = await newGuarded(20, { share: 0.1, count: 5, windowMinutes: 60 })
    const { users } = client
    const deletions = users.slice(0, 10).map((id) => remove(client, id))
    const disabled = users.slice(10).map((id) => disable(client, id))
    const statuses = (await Promise.all([...deletions, ...disabled])).map(({ status }) => status)
    expect(statuses.filter((status) => status < 300)).toHaveLength(5)
    expect(statuses.filter((status) => status === 429)).toHaveLength(15)
  })

  it('holds neither other clients nor other tenants', async () => {
    const client = await newGuarded(12, GUARD)
    for (const id of client.users.slice(0, 4)) await disable(client, id)
    const other = new Client(client.tenantId, (await newToken(client.tenantId, { name: 'Other' })).token)
    expect((await disable(client, client.users[5])).status).toBe(429)
    expect((await disable(other, client.users[5])).status).toBe(200)
    const elsewhere = await newGuarded(6, GUARD)
    expect((await disable(elsewhere, elsewhere.users[0])).status).toBe(200)
  })

  it('lets pass what comes after the window', async () => {
    const client = await newGuarded(12, GUARD)
    for (const id of client.users.slice(0, 3)) await disable(client, id)
    pass(54 * MINUTE_MS)
    expect((await disable(client, client.users[4])).status).toBe(429)
    pass(6 * MINUTE_MS)
    expect((await disable(client, client.users[4])).status).toBe(200)
  })

  it('is passed for the time of a release, and what passed does not count afterwards', async () => {
    const client = await newGuarded(14, GUARD)
    for (const id of client.users.slice(0, 3)) await disable(client, id)
    expect((await disable(client, client.users[3])).status).toBe(429)
    const { id } = await clientOf(client)
    const path = `/tenants/${client.tenantId}/clients/${id}/guard/release`
    expect((await admin('POST', path, { minutes: 0 })).status).toBe(400)
    const released = await admin('POST', path, { minutes: 30 })
    expect(released.body.releasedUntil).toBe(new Date(Date.now() + 30 * MINUTE_MS).toISOString())
    for (const user of client.users.slice(3, 10)) expect((await disable(client, user)).status).toBe(200)
    pass(36 * MINUTE_MS)
    const after: number[] = []
    for (const user of client.users.slice(10, 14)) after.push((await disable(client, user)).status)
    expect(after).toEqual([200, 200, 200, 429])
    expect((await admin('POST', `/tenants/${client.tenantId}/clients/x/guard/release`, {})).status).toBe(404)
  })

  it.for([
    [{ ...GUARD, share: 0 }, 'share'],
    [{ ...GUARD, share: 1.1 }, 'share'],
    [{ ...GUARD, count: 0 }, 'count'],
    [{ ...GUARD, count: 1.5 }, 'count'],
    [{ ...GUARD, windowMinutes: 0 }, 'windowMinutes'],
    [{ ...GUARD, windowMinutes: 1_441 }, 'windowMinutes'],
    [{ share: 0.2, count: 3 }, 'windowMinutes'],
  ] as const)('is refused as %j', async ([guard, field]) => {
    const { tenantId } = await newClient()
    const { status, body } = await setGuard(tenantId, guard)
    expect(status).toBe(400)
    expect(body.error.field).toBe(`deprovisionGuard.${field}`)
    if (field !== 'windowMinutes')
      expect(body.error.message).toMatch(/null instead of the guard turns it off/)
    expect((await admin('GET', `/tenants/${tenantId}`)).body.deprovisionGuard).toBeNull()
  })

  it('is shown, and turned off', async () => {
    const client = await newGuarded(6, GUARD)
    const read = async () => (await admin('GET', `/tenants/${client.tenantId}`)).body.deprovisionGuard
    expect(await read()).toEqual(GUARD)
    expect((await setGuard(client.tenantId, null)).body.deprovisionGuard).toBeNull()
    for (const id of client.users) expect((await disable(client, id)).status).toBe(200)
  })
})

describe('without a guard', () => {
  it('nothing is held, and one event for each window tells', async () => {
    const client = await newGuarded(60)
    for (const id of client.users.slice(0, 20)) await disable(client, id)
    expect(await unusual(client)).toEqual([])
    for (const id of client.users.slice(20, 25)) expect((await disable(client, id)).status).toBe(200)
    const events = await unusual(client)
    expect(events).toHaveLength(1)
    expect(events[0].data).toMatchObject({ isHeld: false, windowMinutes: 60, users: 21 })
    pass(2 * 60 * MINUTE_MS)
    for (const id of client.users.slice(25, 50)) await disable(client, id)
    expect(await unusual(client)).toHaveLength(2)
  })

  it('a write that takes access away costs one row more, and no round trip', async () => {
    const client = await newGuarded(4)
    const [first, second, third] = client.users
    await disable(client, first)
    // The counter has its row by now, and the isolate has seen the users.
    const title = (id = '', value: string) =>
      client.patch(`/Users/${id}`, { op: 'replace', path: 'title', value })
    const update = costOf(await title(second, 'a'))
    const disabled = costOf(await disable(client, second))
    expect(disabled.roundTrips).toBe(update.roundTrips)
    // The tenant's number of active users, and the value "inactive" of the index, are the other rows.
    expect(disabled.rowsWritten - update.rowsWritten).toBeLessThanOrEqual(3)
    const again = costOf(await title(third, 'b'))
    expect(again.rowsWritten).toBe(update.rowsWritten)
  })
})

describe('a user that is created by the client', () => {
  it('is no loss', async () => {
    const client = await newGuarded(1, { share: 0.01, count: 1, windowMinutes: 60 })
    for (let i = 0; i < 5; i++) {
      const body = { schemas: [USER], userName: `u${i}@quillfern.example`, active: false }
      expect((await client.request('POST', '/Users', body)).status).toBe(201)
    }
    const noChange = { schemas: [PATCH_OP], Operations: [{ op: 'replace', path: 'active', value: true }] }
    expect((await client.request('PATCH', `/Users/${client.users[0]}`, noChange)).status).toBe(200)
  })
})

describe('the dashboard', () => {
  it('sets the guard, warns of held requests, and lets the client pass', async () => {
    const client = await newGuarded(12)
    const browser = new Browser()
    await browser.signIn()
    const at = `/admin/tenants/${client.tenantId}`
    const refused = await browser.post(`${at}/guard`, { share: '0', count: '3', windowMinutes: '60' })
    expect(refused.status).toBe(400)
    expect(textOf(refused.html)).toContain('Must be a number above 0, at most 100.')
    await browser.post(`${at}/guard`, { share: '20', count: '3', windowMinutes: '60' })
    expect((await admin('GET', `/tenants/${client.tenantId}`)).body.deprovisionGuard).toEqual(GUARD)
    expect(textOf((await browser.get(at)).html)).not.toContain('an unusual amount')
    for (const id of client.users.slice(0, 5)) await disable(client, id)
    const warned = textOf((await browser.get(at)).html)
    expect(warned).toContain('is removing an unusual amount of access')
    expect(warned).toContain('2 requests were held in the last 24 hours.')
    const { id } = await clientOf(client)
    expect((await browser.post(`${at}/clients/${id}/release`, {})).status).toBe(303)
    expect(textOf((await browser.get(at)).html)).toContain('Its requests are let through until')
    expect((await disable(client, client.users[5])).status).toBe(200)
    await browser.post(`${at}/guard`, { share: '', count: '', windowMinutes: '' })
    expect((await admin('GET', `/tenants/${client.tenantId}`)).body.deprovisionGuard).toBeNull()
  })
})
