/** The history of users and groups, and how they were at a time. */
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { MAX_LATER_BYTES, MAX_PAST_MEMBERS } from '../../src/scim/limits.ts'
import { addCrowd } from '../support/crowd.ts'
import { fileOf, idOf, imported, userLine } from '../support/directory-file.ts'
import { spreadEvents } from '../support/feed.ts'
import { admin, type Client, newClient } from '../support/harness.ts'
import { addMembers } from '../support/large.ts'
import { clientIdOf, secondSource } from '../support/sources.ts'
import { EVER, undone } from '../support/undo.ts'

/** As a previous value, it is kept: MAX_PREVIOUS_BYTES. */
const LONG_TEXT = 60_000

const historyOf = ({ tenantId }: Client, id: string, query = '') =>
  admin('GET', `/tenants/${tenantId}/history/${id}${query}`)
const asWas = (client: Client, id: string, at: number, more = '') =>
  historyOf(client, id, `?at=${new Date(at).toISOString()}${more}`)
const replace = (client: Client, path: string, attribute: string, value: unknown) =>
  client.patch(path, { op: 'replace', path: attribute, value })

describe('the history of a user', () => {
  it('has each change with its old and its new values, who made it, and the groups that it joined and left', async () => {
    const client = await newClient()
    const user = await client.createUser({ title: 'Ranger', name: { givenName: 'Mirela' } })
    await client.createUser()
    const group = await client.createGroup({ displayName: 'Rangers', members: [{ value: user.id }] })
    await replace(client, `/Users/${user.id}`, 'title', 'Warden')
    await replace(client, `/Users/${user.id}`, 'active', false)
    await client.request('DELETE', `/Users/${user.id}`)
    const { body } = await historyOf(client, user.id)
    const kinds = body.entries.map(({ kind }: { kind: string }) => kind)
    expect(kinds).toEqual(['deleted', 'left', 'disabled', 'changed', 'joined', 'created'])
    expect(body.entries[1].group).toEqual({ id: group.id, name: 'Rangers' })
    expect(body.entries[2].changes).toEqual([{ attribute: 'active', old: true, new: false }])
    expect(body.entries[3].changes).toEqual([{ attribute: 'title', old: 'Ranger', new: 'Warden' }])
    expect(body.entries[5].changes).toContainEqual({ attribute: 'title', new: 'Ranger' })
    for (const entry of body.entries) expect(entry.clientId).toMatch(`${client.tenantId}_`)
    const resource = { id: user.id, resourceType: 'User', name: user.userName, isDeleted: true }
    expect(body).toMatchObject({ resource, keptSince: null, nextCursor: null })
  })

  it('and the user as it was do not mind conflicts between sources, which change nothing', async () => {
    const client = await newClient()
    const another = await secondSource(client)
    const { id } = await client.createUser({ title: 'Ranger', externalId: 'a-1' })
    await replace(another, `/Users/${id}`, 'title', 'Warden')
    await spreadEvents(client)
    await replace(client, `/Users/${id}`, 'title', 'Ranger')
    const conflicts = await env.DB.prepare(
      "SELECT count(*) AS n FROM events WHERE tenant_id = ? AND type = 'source.conflict' AND resource_id = ?",
    )
    expect(await conflicts.bind(client.tenantId, id).first('n')).toBe(1)
    const { body } = await historyOf(client, id)
    expect(body.entries.map(({ kind }: { kind: string }) => kind)).toEqual(['changed', 'changed', 'created'])
    const past = await asWas(client, id, 2_000)
    expect([past.status, past.body.attributes?.title]).toEqual([200, 'Warden'])
    const window = { clientId: await clientIdOf(another), ...EVER, from: '1970-01-01T00:00:00Z' }
    // The title is what it was before.
    expect((await undone(client, window)).left).toEqual([])
    await replace(client, `/Users/${id}`, 'title', 'Keeper')
    const { left } = await undone(client, window)
    expect(left).toMatchObject([{ what: 'changed', of: 'title', reason: 'changed by others since' }])
  })

  it('is read in pages', async () => {
    const client = await newClient()
    const { id } = await client.createUser()
    for (let i = 0; i < 60; i++) await replace(client, `/Users/${id}`, 'title', `${i}`)
    const first = (await historyOf(client, id)).body
    const second = (await historyOf(client, id, `?cursor=${first.nextCursor}`)).body
    expect([first.entries.length, second.entries.length, second.nextCursor]).toEqual([50, 11, null])
    expect((await historyOf(client, id, '?cursor=x')).status).toBe(400)
    expect((await historyOf(client, 'nobody')).status).toBe(404)
  })

  it('shows the user as it was at a time, also after its deletion', async () => {
    const client = await newClient()
    const { id, userName } = await client.createUser({ title: 'Ranger' })
    await replace(client, `/Users/${id}`, 'title', 'Warden')
    await client.patch(
      `/Users/${id}`,
      { op: 'remove', path: 'title' },
      { op: 'add', path: 'nickName', value: 'W' },
    )
    await client.request('DELETE', `/Users/${id}`)
    await spreadEvents(client)
    const attributes = async (at: number) => (await asWas(client, id, at)).body.attributes
    expect((await asWas(client, id, 999)).body).toMatchObject({ exists: false, attributes: null })
    expect(await attributes(1_000)).toMatchObject({ userName, title: 'Ranger' })
    expect(await attributes(2_500)).toMatchObject({ userName, title: 'Warden' })
    const last = await attributes(3_000)
    expect([last.title, last.nickName]).toEqual([undefined, 'W'])
    expect((await asWas(client, id, 4_000)).body).toMatchObject({ exists: true })
  })

  it('refuses what is not kept: before the oldest event, before an import, and without previous values', async () => {
    const client = await newClient()
    const { id } = await client.createUser({ title: 'Ranger' })
    await replace(client, `/Users/${id}`, 'title', 'Warden')
    await spreadEvents(client)
    await env.DB.prepare('UPDATE events SET previous = NULL WHERE tenant_id = ?').bind(client.tenantId).run()
    const lost = await asWas(client, id, 1_000)
    expect(lost.status).toBe(409)
    expect(lost.body.error.message).toContain('1970-01-01T00:00:02.000Z')
    await env.DB.prepare('UPDATE users SET created_at = 0 WHERE tenant_id = ?').bind(client.tenantId).run()
    await env.DB.prepare('DELETE FROM events WHERE tenant_id = ? AND seq <= 2').bind(client.tenantId).run()
    expect((await asWas(client, id, 1_500)).body.error.message).toContain(
      'kept since 1970-01-01T00:00:02.000Z',
    )
    expect((await historyOf(client, id)).body.keptSince).toBe('1970-01-01T00:00:02.000Z')
    const target = await newClient()
    await imported(target.tenantId, await fileOf([userLine(1)]))
    const before = await asWas(target, idOf(1), 1_000)
    expect(before.status).toBe(409)
  })

  it('refuses a time since which more bytes have changed than are taken back at once', async () => {
    const client = await newClient()
    const { id } = await client.createUser()
    const changes = Math.ceil(MAX_LATER_BYTES / LONG_TEXT) + 1
    for (let i = 0; i < changes; i++) {
      const formatted = `${i} ${'x'.repeat(LONG_TEXT)}`
      await replace(client, `/Users/${id}`, 'addresses', [{ type: 'work', formatted }])
    }
    await spreadEvents(client)
    const early = await asWas(client, id, 1_000)
    expect([early.status, early.body.error.message]).toEqual([409, expect.stringContaining('4194304 bytes')])
    const late = await asWas(client, id, 10_000)
    expect([late.status, late.body.attributes?.addresses[0].formatted.slice(0, 3)]).toEqual([200, '8 x'])
  })
})

describe('the history of a group', () => {
  it('shows its members as they were', async () => {
    const client = await newClient()
    const [a, b, c] = [await client.createUser(), await client.createUser(), await client.createUser()]
    const { id } = await client.createGroup({ members: [{ value: a.id }, { value: b.id }] })
    await client.patch(`/Groups/${id}`, { op: 'remove', path: `members[value eq "${a.id}"]` })
    await client.patch(`/Groups/${id}`, { op: 'add', path: 'members', value: [{ value: c.id }] })
    await client.patch(`/Groups/${id}`, { op: 'add', path: 'members', value: [{ value: a.id }] })
    await spreadEvents(client)
    const members = async (at: number) => (await asWas(client, id, at)).body.members
    expect(await members(5_000)).toEqual([a.id, b.id].sort())
    expect(await members(6_000)).toEqual([b.id])
    expect(await members(7_000)).toEqual([b.id, c.id].sort())
    expect(await members(8_000)).toEqual([a.id, b.id, c.id].sort())
    await client.request('DELETE', `/Groups/${id}`)
    expect(await members(7_500)).toEqual([b.id, c.id].sort())
    expect((await historyOf(client, id)).body.entries[1]).toMatchObject({
      kind: 'members added',
      members: [a.id],
    })
  })

  it('shows the members of a large one in pages', async () => {
    const client = await newClient()
    const users = await addCrowd(client.tenantId, MAX_PAST_MEMBERS + 10, (number) => idOf(number + 1))
    const { id } = await client.createGroup()
    await addMembers(client.tenantId, id, users.length)
    const gone = users[5] ?? ''
    await client.patch(`/Groups/${id}`, { op: 'remove', path: `members[value eq "${gone}"]` })
    await spreadEvents(client)
    const first = (await asWas(client, id, 1_000)).body
    const second = (await asWas(client, id, 1_000, `&cursor=${first.nextCursor}`)).body
    expect([first.members.length, second.members.length, second.nextCursor]).toEqual([
      MAX_PAST_MEMBERS,
      10,
      null,
    ])
    expect(first.members).toContain(gone)
    expect((await asWas(client, id, 2_000)).body.members).not.toContain(gone)
  })
})
