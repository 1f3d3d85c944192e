/** Users and groups that were deleted: gone for clients, kept for the administrator. */
import { env } from 'cloudflare:workers'
import { describe, expect, it, vi } from 'vitest'
import { MAX_DELETED_MEMBERSHIPS } from '../../src/scim/limits.ts'
import { noFigures, openDatabase } from '../../src/storage/database/database.ts'
import { pruneTombstones } from '../../src/storage/resources/tombstones.ts'
import { addCrowd } from '../support/crowd.ts'
import { deleteLeft } from '../support/deleted-groups.ts'
import { idOf } from '../support/directory-file.ts'
import { eventsOf, now, typesOf } from '../support/feed.ts'
import { admin, type Client, costOf, newClient } from '../support/harness.ts'
import { addMembers } from '../support/large.ts'

const tombstonesOf = async ({ tenantId }: Client, query = '') =>
  (await admin('GET', `/tenants/${tenantId}/tombstones${query}`)).body.tombstones
const restore = ({ tenantId }: Client, id: string) =>
  admin('POST', `/tenants/${tenantId}/tombstones/${id}/restore`)
const erase = ({ tenantId }: Client, id = '') =>
  admin('DELETE', `/tenants/${tenantId}/tombstones${id && `/${id}`}`)
const remove = (client: Client, path: string) => client.request('DELETE', path)
const memberIds = async (client: Client, id: string) =>
  ((await client.get(`/Groups/${id}`)).body.members ?? []).map(({ value }: { value: string }) => value).sort()

describe('a deleted user', () => {
  it('is gone for clients, and comes back with its id, its attributes, the next version and its groups', async () => {
    const client = await newClient()
    const user = await client.createUser({ title: 'Ranger', password: 'Kestrel-7-harbour' })
    const groups = [
      await client.createGroup({ members: [{ value: user.id }] }),
      await client.createGroup({ members: [{ value: user.id }] }),
      await client.createGroup({ members: [{ value: user.id }] }),
    ]
    await remove(client, `/Groups/${groups[2].id}`)
    const before = (await client.get(`/Users/${user.id}`)).body
    expect((await remove(client, `/Users/${user.id}`)).status).toBe(204)
    expect((await client.get(`/Users/${user.id}`)).status).toBe(404)
    const kept = await tombstonesOf(client)
    expect(kept[0]).toMatchObject({
      id: user.id,
      resourceType: 'User',
      name: user.userName,
      isRestored: false,
    })
    expect(kept[0].clientId).toMatch(new RegExp(`^${client.tenantId}_`))
    const after = await now(client)
    expect((await restore(client, user.id)).body).toEqual({
      id: user.id,
      resourceType: 'User',
      name: user.userName,
    })
    const found = (await client.get(`/Users/${user.id}`)).body
    expect({ ...found, meta: null }).toEqual({ ...before, meta: null })
    expect(found.meta).toMatchObject({ created: before.meta.created, version: 'W/"2"' })
    const events = await eventsOf(client, `?after=${after}`)
    expect(typesOf(events)).toEqual(['user.created', 'group.members_added', 'group.members_added'])
    expect(events[0]).toMatchObject({ source: { clientName: 'Administrator' }, data: { version: 2 } })
    expect((await client.log())[2]).toMatchObject({
      action: 'create',
      clientName: 'Administrator',
      detail: 'restored',
    })
    expect((await tombstonesOf(client)).map(({ id }: { id: string }) => id)).toEqual([groups[2].id])
  })

  it('leaves its name to others, and a restore then names who has it', async () => {
    const client = await newClient()
    const user = await client.createUser({ userName: 'Mirela' })
    await remove(client, `/Users/${user.id}`)
    const other = await client.createUser({ userName: 'mirela' })
    const refused = await restore(client, user.id)
    expect(refused.status).toBe(409)
    expect(refused.body.error.message).toContain(`"${other.id}"`)
    await client.patch(`/Users/${other.id}`, { op: 'replace', path: 'userName', value: 'other' })
    expect((await restore(client, user.id)).status).toBe(200)
  })

  it('that is deleted, restored and deleted again never has a version twice', async () => {
    const client = await newClient()
    const { id } = await client.createUser()
    const versions: number[] = []
    for (let i = 0; i < 3; i++) {
      versions.push((await client.get(`/Users/${id}`)).body.meta.version)
      await remove(client, `/Users/${id}`)
      await restore(client, id)
    }
    expect(versions).toEqual(['W/"1"', 'W/"2"', 'W/"3"'])
  })

  it('is kept without a round trip more, and for three written rows if it was in a group', async () => {
    const client = await newClient()
    const rows = []
    for (const keep of [false, true]) {
      const { id } = await client.createUser()
      await client.createGroup({ members: [{ value: id }] })
      if (!keep) {
        await env.DB.prepare(
          `CREATE TRIGGER no_tombstones BEFORE INSERT ON tombstones WHEN NEW.tenant_id = '${client.tenantId}'
           BEGIN SELECT RAISE(IGNORE); END`,
        ).run()
      }
      const cost = costOf(await remove(client, `/Users/${id}`))
      if (!keep) await env.DB.prepare('DROP TRIGGER no_tombstones').run()
      expect(cost.roundTrips).toBe(1)
      rows.push(cost.rowsWritten)
    }
    // The row of its groups is written in both cases.
    expect(Number(rows[1]) - Number(rows[0])).toBeLessThanOrEqual(2)
  })

  it('that is erased cannot be restored, and its history has no previous values', async () => {
    const client = await newClient()
    const { id } = await client.createUser({ title: 'Ranger' })
    await client.patch(`/Users/${id}`, { op: 'replace', path: 'title', value: 'Warden' })
    await remove(client, `/Users/${id}`)
    const previous = async () =>
      (
        await env.DB.prepare('SELECT previous FROM events WHERE tenant_id = ? AND previous IS NOT NULL')
          .bind(client.tenantId)
          .all()
      ).results
    expect(await previous()).toEqual([{ previous: '{"title":"Ranger"}' }])
    expect((await erase(client, id)).status).toBe(204)
    expect(await previous()).toEqual([])
    expect((await restore(client, id)).status).toBe(404)
    expect((await erase(client, id)).status).toBe(404)
  })

  it('is erased with all others of its tenant', async () => {
    const client = await newClient()
    for (let i = 0; i < 3; i++) await remove(client, `/Users/${(await client.createUser()).id}`)
    expect((await erase(client)).body).toEqual({ erased: 3, hasMore: false })
    expect(await tombstonesOf(client)).toEqual([])
  })

  it('is pruned after its time, and its memberships with it', async () => {
    const client = await newClient()
    const { id } = await client.createUser()
    await client.createGroup({ members: [{ value: id }] })
    await remove(client, `/Users/${id}`)
    await pruneTombstones(openDatabase(env.DB, noFigures()), Date.now() - 60_000, 100)
    expect(await tombstonesOf(client)).toHaveLength(1)
    await pruneTombstones(openDatabase(env.DB, noFigures()), Date.now() + 60_000, 100)
    expect(await tombstonesOf(client)).toEqual([])
    const left = env.DB.prepare('SELECT count(*) AS n FROM tombstone_memberships WHERE tenant_id = ?')
    expect(await left.bind(client.tenantId).first('n')).toBe(0)
  })
})

describe('a deleted group', () => {
  it('comes back with its members and its own groups', async () => {
    const client = await newClient()
    const users = [await client.createUser(), await client.createUser()]
    const inner = await client.createGroup({ members: users.map(({ id }) => ({ value: id })) })
    const outer = await client.createGroup({ members: [{ value: inner.id }] })
    await remove(client, `/Groups/${inner.id}`)
    await remove(client, `/Users/${users[1].id}`)
    expect(await memberIds(client, outer.id)).toEqual([])
    expect((await restore(client, inner.id)).status).toBe(200)
    expect(await memberIds(client, inner.id)).toEqual([users[0].id])
    expect(await memberIds(client, outer.id)).toEqual([inner.id])
  })

  it('is not restored beyond the group limit, nor beside another group of its name', async () => {
    const client = await newClient({ groupLimit: 1 })
    const { id } = await client.createGroup({ displayName: 'Rangers' })
    await remove(client, `/Groups/${id}`)
    const other = await client.createGroup({ displayName: 'Wardens' })
    expect((await restore(client, id)).status).toBe(400)
    await client.patch(`/Groups/${other.id}`, { op: 'replace', path: 'displayName', value: 'rangers' })
    await admin('PATCH', `/tenants/${client.tenantId}`, { groupLimit: 5 })
    const refused = await restore(client, id)
    expect(refused.status).toBe(409)
    expect(refused.body.error.message).toContain(`"${other.id}"`)
  })

  it('of more members than a transaction deletes comes back by a job', async () => {
    const many = MAX_DELETED_MEMBERSHIPS + 1_001
    const client = await newClient()
    await addCrowd(client.tenantId, many, (number) => idOf(number + 1))
    const { id } = await client.createGroup({ displayName: 'Everybody' })
    await addMembers(client.tenantId, id, many)
    await remove(client, `/Groups/${id}`)
    await deleteLeft(client.tenantId)
    const answer = await restore(client, id)
    expect(answer.status).toBe(202)
    expect(answer.body).toMatchObject({ kind: 'restore' })
    const count = async () =>
      await env.DB.prepare('SELECT count(*) AS n FROM memberships WHERE tenant_id = ?')
        .bind(client.tenantId)
        .first('n')
    await vi.waitFor(async () => expect(await count()).toBe(many), { timeout: 20_000, interval: 200 })
    await vi.waitFor(async () => expect(await tombstonesOf(client)).toEqual([]), {
      timeout: 20_000,
      interval: 200,
    })
    const job = async () => (await admin('GET', `/tenants/${client.tenantId}/jobs/${answer.body.id}`)).body
    await vi.waitFor(async () => expect(await job()).toMatchObject({ state: 'done', error: null }), {
      timeout: 20_000,
      interval: 200,
    })
  })
})

describe('the administrator', () => {
  it('is no client that could get a token, a secret or be deleted', async () => {
    const client = await newClient()
    const { id } = await client.createUser()
    await remove(client, `/Users/${id}`)
    await restore(client, id)
    const administrator = `${client.tenantId}_administrator`
    const clients = `/tenants/${client.tenantId}/clients`
    const listed = (await admin('GET', clients)).body.clients.map((one: { id: string }) => one.id)
    expect(listed).not.toContain(administrator)
    const statuses = [
      await admin('GET', `${clients}/${administrator}`),
      await admin('DELETE', `${clients}/${administrator}`),
      await admin('POST', `${clients}/${administrator}/secrets`, { name: 'a' }),
      await admin('POST', `/tenants/${client.tenantId}/tokens`, {
        name: 'a',
        expiresAt: null,
        clientId: administrator,
      }),
    ].map(({ status }) => status)
    expect(statuses).toEqual([404, 404, 404, 400])
    const tokens = env.DB.prepare('SELECT count(*) AS n FROM tokens WHERE client_id = ?').bind(administrator)
    expect(await tokens.first('n')).toBe(0)
  })
})
