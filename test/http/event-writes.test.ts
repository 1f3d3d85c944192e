/** What the event feed tells about the unusual writes: bulk, partial PATCH, nested groups, odd values, extensions. */
import { describe, expect, it } from 'vitest'
import { MAX_DELETED_MEMBERSHIPS, MAX_EVENT_BYTES_SENT, MAX_NAME_CHARACTERS } from '../../src/scim/limits.ts'
import { addCrowd } from '../support/crowd.ts'
import { deleteAndHold, deleteLeft } from '../support/deleted-groups.ts'
import { fileOf, groupLine, idOf, imported, memberLine, textOf, userLine } from '../support/directory-file.ts'
import { allEvents, eventsOf, now, typesOf } from '../support/feed.ts'
import { admin, type Client, newClient, USER } from '../support/harness.ts'
import { addMembers } from '../support/large.ts'
import { newOauthClient, signedIn } from '../support/oauth.ts'
import { BULK_REQUEST, GROUP } from '../support/urns.ts'

const CISCO = 'urn:ietf:params:scim:schemas:extension:ciscoumbrella:2.0:User'

const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value)).length

describe('the events', () => {
  it('of a bulk request are those of its operations, in their order', async () => {
    const client = await newClient()
    const after = await now(client)
    const { body } = await client.request('POST', '/Bulk', {
      schemas: [BULK_REQUEST],
      Operations: [
        { method: 'POST', path: '/Users', bulkId: 'a', data: { schemas: [USER], userName: 'a' } },
        { method: 'POST', path: '/Users', bulkId: 'b', data: { schemas: [USER], userName: 'A' } },
        {
          method: 'POST',
          path: '/Groups',
          bulkId: 'g',
          data: { schemas: [GROUP], displayName: 'g', members: [{ value: 'bulkId:a' }] },
        },
        { method: 'DELETE', path: '/Users/bulkId:a' },
      ],
    })
    const statuses = body.Operations.map(({ status }: { status: string }) => status)
    const types = typesOf(await eventsOf(client, `?after=${after}`))
    const left = statuses[3] === '204' ? ['group.members_removed', 'user.deleted'] : []
    expect(statuses.slice(0, 3)).toEqual(['201', '409', '201'])
    expect(types).toEqual(['user.created', 'group.created', 'group.members_added', ...left])
  })

  it('of a PATCH that only disables what it can are one deactivation', async () => {
    const client = await newClient()
    await client.createUser({ userName: 'taken' })
    const user = await client.createUser({ title: 'Ranger' })
    const after = await now(client)
    const { status } = await client.patch(
      `/Users/${user.id}`,
      { op: 'replace', path: 'userName', value: 'taken' },
      { op: 'replace', path: 'active', value: false },
    )
    expect(status).toBe(200)
    const events = await eventsOf(client, `?after=${after}`)
    expect(events).toMatchObject([
      { type: 'user.deactivated', data: { userName: user.userName, changed: ['active'] } },
    ])
    expect(events[0].data.attributes).toEqual({ active: false })
  })

  it('of nested groups and of a group that is its own member tell each direct membership once', async () => {
    const client = await newClient()
    const user = await client.createUser()
    const inner = await client.createGroup({ members: [{ value: user.id }] })
    const outer = await client.createGroup({ members: [{ value: inner.id }] })
    const after = await now(client)
    const add = (value: string) => ({ op: 'add', path: 'members', value: [{ value }] })
    await client.patch(`/Groups/${inner.id}`, add(inner.id), add(outer.id))
    await client.request('DELETE', `/Groups/${inner.id}`)
    const events = await eventsOf(client, `?after=${after}`)
    expect(events.map(({ type, data }) => [type, data.id, data.version])).toEqual([
      ['group.members_added', inner.id, 2],
      ['group.members_removed', outer.id, 2],
      ['group.deleted', inner.id, 2],
    ])
    expect(events[0].data.members.map(({ id, type }: { id: string; type: string }) => [id, type])).toEqual(
      expect.arrayContaining([
        [inner.id, 'Group'],
        [outer.id, 'Group'],
      ]),
    )
    expect(events[1].data.members).toMatchObject([
      { id: inner.id, type: 'Group', displayName: inner.displayName },
    ])
  })

  it('of a user who leaves many groups come before the deletion, with the new version of each group', async () => {
    const client = await newClient()
    const user = await client.createUser()
    const groups: string[] = []
    for (let i = 0; i < 60; i++) groups.push((await client.createGroup({ members: [{ value: user.id }] })).id)
    const after = await now(client)
    await client.request('DELETE', `/Users/${user.id}`)
    const events = await eventsOf(client, `?after=${after}`)
    expect(events.slice(0, -1).map(({ data }) => data.id)).toEqual(groups.toSorted())
    for (const { type, data } of events.slice(0, -1)) {
      expect([type, data.version, data.members.length]).toEqual(['group.members_removed', 2, 1])
      expect(data.members[0]).toMatchObject({ id: user.id, userName: user.userName, type: 'User' })
    }
    expect(events.at(-1)).toMatchObject({ type: 'user.deleted', data: { id: user.id } })
  })

  it('do not name a large group that was just deleted, while its memberships are', async () => {
    const client = await newClient()
    const [first = ''] = await addCrowd(client.tenantId, MAX_DELETED_MEMBERSHIPS + 1, (number) =>
      idOf(number + 1),
    )
    const { id } = await client.createGroup()
    await addMembers(client.tenantId, id, MAX_DELETED_MEMBERSHIPS + 1)
    const after = await now(client)
    await deleteAndHold(client, id)
    await client.request('DELETE', `/Users/${first}`)
    await deleteLeft(client.tenantId)
    // The whole directory lost its memberships, which is unusual.
    expect(typesOf(await eventsOf(client, `?after=${after}`))).toEqual([
      'group.deleted',
      'deprovision.unusual',
      'user.deleted',
    ])
  })

  it('have odd names unchanged, in all events that name them', async () => {
    const client = await newClient()
    for (const name of [
      'a\u0000b',
      '"\\ \u2028',
      'lone \ud800 surrogate',
      '\udc00',
      '😀 é',
      "'; DROP",
      '\u007f\u0001',
    ]) {
      const after = await now(client)
      const made = await client.request('POST', '/Users', {
        schemas: [USER],
        userName: `${crypto.randomUUID()}${name}`,
        externalId: name,
      })
      if (made.status !== 201) {
        expect(made.status).toBe(400)
        expect(await eventsOf(client, `?after=${after}`)).toEqual([])
        continue
      }
      const { userName, id, externalId } = made.body
      const group = await client.createGroup({ members: [{ value: id }] })
      const before = await eventsOf(client, `?after=${after}`)
      const known = { id, userName, externalId, type: 'User', version: 1 }
      expect(before[0].data).toMatchObject({ userName, externalId, attributes: { userName, externalId } })
      expect(before[2].data.members).toMatchObject([known])
      await client.request('DELETE', `/Users/${id}`)
      const [, , added, removed, deleted] = await eventsOf(client, `?after=${after}`)
      expect(added.data.members).toMatchObject([known])
      expect(removed.data).toMatchObject({ id: group.id, members: [known] })
      expect(deleted.data).toMatchObject({ id, userName, externalId })
    }
  })

  it.for([
    ['three bytes', '\u20ac'],
    ['six bytes as JSON', '\u0001'],
  ])('stay below 20 kB with the longest names, in characters of %s', async ([, character = '']) => {
    const client = await newClient()
    const name = character.repeat(MAX_NAME_CHARACTERS)
    const user = await client.createUser({
      userName: name,
      externalId: name,
      [CISCO]: { nativeObjectId: name },
    })
    const group = await client.createGroup({
      displayName: name,
      externalId: name,
      members: [{ value: user.id }],
    })
    await client.patch(`/Users/${user.id}`, { op: 'replace', path: 'active', value: false })
    await client.request('DELETE', `/Groups/${group.id}`)
    await client.request('DELETE', `/Users/${user.id}`)
    const events = await allEvents(client)
    expect(typesOf(events)).toEqual([
      'user.created',
      'group.created',
      'group.members_added',
      'user.deactivated',
      'group.deleted',
      'user.deleted',
    ])
    expect(events.map(bytesOf).filter((bytes) => bytes > MAX_EVENT_BYTES_SENT)).toEqual([])
  })

  it('name the client of an access token', async () => {
    const oauth = await newOauthClient()
    const client = await signedIn(oauth)
    await client.createUser()
    const [event] = await eventsOf(client)
    expect(event.source.clientId).toBe(oauth.clientId)
  })
})

describe('extension attributes', () => {
  const URN = 'urn:example:events:User'

  async function withSchema(attributes: readonly object[]): Promise<Client> {
    const client = await newClient()
    const { status, body } = await admin('PUT', `/tenants/${client.tenantId}/schemas/${URN}`, { attributes })
    expect(status, JSON.stringify(body)).toBe(201)
    return client
  }

  it('are in events unless a read does not return them by default', async () => {
    const client = await withSchema([
      { name: 'site' },
      { name: 'notes', returned: 'request' },
      {
        name: 'badge',
        type: 'complex',
        subAttributes: [
          { name: 'number' },
          { name: 'code', returned: 'request' },
          { name: 'remark', returned: 'request' },
        ],
      },
    ])
    const values = {
      site: 'site-1',
      notes: 'hidden-2',
      badge: { number: 'n-1', code: 'hidden-3', remark: 'hidden-4' },
    }
    const { body: user } = await client.request('POST', '/Users', {
      schemas: [USER, URN],
      userName: 'a',
      [URN]: values,
    })
    await client.patch(
      `/Users/${user.id}`,
      { op: 'replace', path: `${URN}:badge.code`, value: 'hidden-5' },
      { op: 'replace', path: `${URN}:notes`, value: 'hidden-6' },
    )
    await client.patch(`/Users/${user.id}`, { op: 'replace', path: `${URN}:badge.number`, value: 'n-2' })
    const events = await eventsOf(client)
    expect(typesOf(events)).toEqual(['user.created', 'user.updated', 'user.updated'])
    expect(events[0].data.attributes[URN]).toEqual({ site: 'site-1', badge: { number: 'n-1' } })
    expect(events[1].data.attributes).toEqual({ [URN]: { site: 'site-1', badge: { number: 'n-1' } } })
    expect(events[2].data.attributes[URN].badge).toEqual({ number: 'n-2' })
    expect(JSON.stringify(events)).not.toContain('hidden')
  })
})

describe('an import', () => {
  const FILE = [userLine(1), userLine(2), groupLine(3), memberLine(3, 1), memberLine(3, 2)]

  it('has one event, with its last part', async () => {
    const client = await newClient()
    const text = textOf(FILE)
    const part = await imported(client.tenantId, text, '?end=later')
    expect(part.status).toBe(202)
    expect((await client.feed()).status).toBe(503)
    const whole = await imported(client.tenantId, await fileOf(FILE))
    expect(whole.status).toBe(200)
    expect(typesOf(await eventsOf(client))).toEqual(['tenant.imported'])
    expect((await imported(client.tenantId, await fileOf(FILE))).status).toBe(409)
    expect(typesOf(await eventsOf(client))).toEqual(['tenant.imported'])
  })

  it('has none if it is undone', async () => {
    const client = await newClient()
    const user = await client.createUser()
    await client.request('DELETE', `/Users/${user.id}`)
    const after = await now(client)
    await imported(client.tenantId, textOf(FILE), '?end=later')
    expect((await admin('DELETE', `/tenants/${client.tenantId}/import`)).status).toBe(204)
    expect(await eventsOf(client, `?after=${after}`)).toEqual([])
    await client.createUser()
    expect(typesOf(await eventsOf(client, `?after=${after}`))).toEqual(['user.created'])
  })
})
