/** Undoing what one client did between two times. */
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { allEvents, spreadEvents } from '../support/feed.ts'
import { admin, Client, newClient } from '../support/harness.ts'
import { anotherClient, clientIdOf, EVER, preview, resultOf, undo, undone } from '../support/undo.ts'

const replace = (client: Client, path: string, attribute: string, value: unknown) =>
  client.patch(path, { op: 'replace', path: attribute, value })
const add = (client: Client, group: string, ...ids: readonly string[]) =>
  client.patch(`/Groups/${group}`, { op: 'add', path: 'members', value: ids.map((value) => ({ value })) })
const take = (client: Client, group: string, id: string) =>
  client.patch(`/Groups/${group}`, { op: 'remove', path: `members[value eq "${id}"]` })
const read = async (client: Client, path: string) => (await client.get(path)).body
const memberIds = async (client: Client, id: string) =>
  ((await read(client, `/Groups/${id}`)).members ?? []).map(({ value }: { value: string }) => value).sort()

/** Two clients of a tenant: the second one is undone. */
async function twoClients() {
  const first = await newClient()
  const { token, id } = await anotherClient(first, 'Old connector')
  return { first, second: new Client(first.tenantId, token), window: { clientId: id, ...EVER } }
}

describe('an undo', () => {
  it('takes back what a client created, changed, disabled, deleted, added and removed', async () => {
    const { first, second, window } = await twoClients()
    const a = await first.createUser({ title: 'Ranger' })
    const b = await first.createUser()
    const c = await first.createUser()
    const group = await first.createGroup({ members: [{ value: a.id }, { value: b.id }] })
    const gone = await first.createGroup({ members: [{ value: a.id }] })
    await first.patch(`/Groups/${group.id}`, { op: 'add', path: 'members', value: [{ value: gone.id }] })
    await replace(second, `/Users/${a.id}`, 'title', 'Warden')
    await replace(second, `/Users/${a.id}`, 'title', 'Keeper')
    await replace(second, `/Users/${a.id}`, 'active', false)
    await replace(second, `/Groups/${group.id}`, 'displayName', 'Changed')
    await take(second, group.id, a.id)
    await add(second, group.id, c.id)
    await second.request('DELETE', `/Users/${b.id}`)
    await second.request('DELETE', `/Groups/${gone.id}`)
    const made = await second.createUser()
    await add(second, group.id, made.id)
    await second.createGroup({ members: [{ value: c.id }] })
    const { body } = await preview(first, window)
    expect(body.counts).toMatchObject({
      created: 2,
      changed: 3,
      disabled: 1,
      deleted: 2,
      joined: 3,
      isComplete: true,
    })
    expect(body.clientName).toBe('Old connector')
    const ofA = body.resources.find(({ id }: { id: string }) => id === a.id)
    expect(ofA).toMatchObject({ values: { title: 'Ranger', active: true }, left: [] })
    expect(await read(first, `/Users/${a.id}`)).toMatchObject({ title: 'Keeper', active: false })
    const { job, left } = await undone(first, window)
    expect([job.state, job.error, left]).toEqual(['done', null, []])
    expect(await read(first, `/Users/${a.id}`)).toMatchObject({ title: 'Ranger', active: true })
    expect(await read(first, `/Users/${b.id}`)).toMatchObject({ userName: b.userName })
    expect((await first.get(`/Users/${made.id}`)).status).toBe(404)
    expect(await read(first, `/Groups/${group.id}`)).toMatchObject({ displayName: group.displayName })
    expect(await memberIds(first, group.id)).toEqual([a.id, b.id, gone.id].sort())
    expect(await memberIds(first, gone.id)).toEqual([a.id])
    expect((await read(first, '/Groups')).totalResults).toBe(2)
    const events = (await allEvents(first)).filter(({ source }) => source.requestId === job.id)
    expect(new Set(events.map(({ source }) => source.clientName))).toEqual(new Set(['Administrator']))
  })

  it('leaves what others have changed since, and says what and who', async () => {
    const { first, second, window } = await twoClients()
    const others = await clientIdOf(first)
    const a = await first.createUser({ title: 'Ranger', nickName: 'R' })
    const group = await first.createGroup()
    await replace(second, `/Users/${a.id}`, 'title', 'Warden')
    await replace(second, `/Users/${a.id}`, 'nickName', 'W')
    await replace(first, `/Users/${a.id}`, 'title', 'Keeper')
    await add(second, group.id, a.id)
    await take(first, group.id, a.id)
    await add(first, group.id, a.id)
    const made = await second.createUser()
    await replace(first, `/Users/${made.id}`, 'title', 'Mine')
    const used = await second.createUser()
    await add(first, group.id, used.id)
    const { left } = await undone(first, window)
    expect(await read(first, `/Users/${a.id}`)).toMatchObject({ title: 'Keeper', nickName: 'R' })
    expect(await memberIds(first, group.id)).toEqual([a.id, used.id].sort())
    expect((await first.get(`/Users/${made.id}`)).status).toBe(200)
    expect(left).toHaveLength(4)
    for (const expected of [
      { what: 'changed', of: 'title', reason: 'changed by others since', byClientId: others },
      { what: 'joined', of: a.id, reason: 'changed by others since', byClientId: others },
      { what: 'created', of: null, reason: 'changed by others since', byClientId: others },
      { what: 'created', of: null, reason: 'used by others', byClientId: null },
    ]) {
      expect(left).toContainEqual(expected)
    }
  })

  it('leaves what is outside of the two times', async () => {
    const { first, second, window } = await twoClients()
    const a = await first.createUser({ title: '0' })
    for (const title of ['1', '2', '3', '4']) await replace(second, `/Users/${a.id}`, 'title', title)
    await spreadEvents(first)
    const at = (ms: number) => new Date(ms).toISOString()
    const middle = await undone(first, { ...window, from: at(3_000), to: at(4_000) })
    expect(middle.left).toMatchObject([{ what: 'changed', of: 'title', byClientId: window.clientId }])
    expect(await read(first, `/Users/${a.id}`)).toMatchObject({ title: '4' })
    await undone(first, { ...window, from: at(4_000), to: at(5_000) })
    expect(await read(first, `/Users/${a.id}`)).toMatchObject({ title: '2' })
  })

  it('can be undone itself', async () => {
    const { first, second, window } = await twoClients()
    const a = await first.createUser({ title: 'Ranger' })
    await replace(second, `/Users/${a.id}`, 'title', 'Warden')
    const b = await second.createUser()
    await undone(first, window)
    const { left } = await undone(first, { ...window, clientId: `${first.tenantId}_administrator` })
    expect(left).toEqual([])
    expect(await read(first, `/Users/${a.id}`)).toMatchObject({ title: 'Warden' })
    expect((await first.get(`/Users/${b.id}`)).status).toBe(200)
  })

  it('leaves what has lost its name to somebody else, and goes on', async () => {
    const { first, second, window } = await twoClients()
    const a = await first.createUser({ userName: 'mirela' })
    const b = await first.createUser({ title: 'Ranger', userName: 'oren' })
    const group = await first.createGroup({ displayName: 'Rangers' })
    await second.request('DELETE', `/Users/${a.id}`)
    await replace(second, `/Users/${b.id}`, 'title', 'Warden')
    await replace(second, `/Users/${b.id}`, 'userName', 'oren2')
    await second.request('DELETE', `/Groups/${group.id}`)
    await first.createUser({ userName: 'Mirela' })
    await first.createUser({ userName: 'Oren' })
    await first.createGroup({ displayName: 'rangers' })
    const inUse = { reason: 'name in use', byClientId: null }
    const expected = [
      { what: 'deleted', of: null, ...inUse },
      { what: 'changed', of: 'userName', ...inUse },
      { what: 'deleted', of: null, ...inUse },
    ]
    const { body } = await preview(first, window)
    expect(body.resources.flatMap(({ left }: { left: unknown }) => left)).toEqual(expected.toReversed())
    const { job, left } = await undone(first, window)
    expect([job.state, left]).toEqual(['done', expected.toReversed()])
    expect(await read(first, `/Users/${b.id}`)).toMatchObject({ title: 'Ranger', userName: 'oren2' })
  })

  it('restores a user and a group that the client has deleted and created again', async () => {
    const { first, second, window } = await twoClients()
    const a = await first.createUser({ userName: 'mirela' })
    const group = await first.createGroup({ displayName: 'Rangers', members: [{ value: a.id }] })
    const kept = await first.createGroup({ members: [{ value: a.id }] })
    await second.request('DELETE', `/Users/${a.id}`)
    await second.request('DELETE', `/Groups/${group.id}`)
    const again = await second.createUser({ userName: 'mirela' })
    await second.createGroup({ displayName: 'Rangers', members: [{ value: again.id }] })
    await add(second, kept.id, again.id)
    const { body } = await preview(first, window)
    expect(body.resources.flatMap(({ left }: { left: unknown }) => left)).toEqual([])
    const { job, left } = await undone(first, window)
    expect([job.state, left]).toEqual(['done', []])
    expect((await read(first, '/Users')).Resources.map(({ id }: { id: string }) => id)).toEqual([a.id])
    expect(await memberIds(first, kept.id)).toEqual([a.id])
    expect(await memberIds(first, group.id)).toEqual([a.id])
  })

  it('leaves a deleted group beyond the group limit', async () => {
    const { first, second, window } = await twoClients()
    const group = await first.createGroup()
    const other = await first.createGroup({ displayName: 'Other' })
    await second.request('DELETE', `/Groups/${group.id}`)
    await replace(second, `/Groups/${other.id}`, 'displayName', 'Changed')
    await admin('PATCH', `/tenants/${first.tenantId}`, { groupLimit: 1 })
    const { job, left } = await undone(first, window)
    expect([job.state, left]).toEqual([
      'done',
      [{ what: 'deleted', of: null, reason: 'group limit', byClientId: null }],
    ])
    expect(await read(first, `/Groups/${other.id}`)).toMatchObject({ displayName: 'Other' })
  })

  it('refuses what it cannot do, and changes nothing', async () => {
    const { first, second, window } = await twoClients()
    const a = await first.createUser({ title: 'Ranger' })
    await replace(second, `/Users/${a.id}`, 'title', 'Warden')
    const answers = [
      await undo(first, { ...window, from: EVER.to, to: EVER.from }),
      await undo(first, { ...window, clientId: 'nobody' }),
      await admin('POST', '/tenants/nobody/undo', window),
      await admin('POST', `/tenants/${first.tenantId}/undo`, { ...window, from: 'yesterday' }),
      await undo(first, { ...window, to: '2001-01-01T00:00:00Z' }),
      await admin('DELETE', `/tenants/${first.tenantId}/undo`),
      await admin('GET', `/tenants/${first.tenantId}/undo/nothing`),
    ]
    expect(answers.map(({ status, body }) => [status, body.error.field])).toEqual([
      [400, 'to'],
      [400, 'clientId'],
      [404, undefined],
      [400, 'from'],
      [409, undefined],
      [404, undefined],
      [404, undefined],
    ])
    await env.DB.prepare('DELETE FROM events WHERE tenant_id = ? AND seq = 1').bind(first.tenantId).run()
    expect((await undo(first, window)).status).toBe(409)
    expect(await read(first, `/Users/${a.id}`)).toMatchObject({ title: 'Warden' })
  })

  it('is one at a time, and can be cancelled and started again', async () => {
    const { first, second, window } = await twoClients()
    const users = []
    for (let i = 0; i < 20; i++) users.push(await first.createUser())
    for (const { id } of users) await replace(second, `/Users/${id}`, 'active', false)
    const started = await undo(first, window)
    const repeated = await undo(first, window)
    expect([202, 409]).toContain(repeated.status)
    const cancelled = await admin('DELETE', `/tenants/${first.tenantId}/undo`)
    expect([202, 404]).toContain(cancelled.status)
    await resultOf(first, started.body.id)
    const again = await undone(first, window)
    expect(again.left).toEqual([])
    expect((await first.filter('/Users', 'active eq false')).body.totalResults).toBe(0)
    // What an earlier undo has taken back is not left.
    expect((await undone(first, window)).left).toEqual([])
    await replace(first, `/Users/${users[0].id}`, 'active', false)
    expect((await undone(first, window)).left).toMatchObject([
      { of: 'active', reason: 'changed by others since' },
    ])
  })
})
