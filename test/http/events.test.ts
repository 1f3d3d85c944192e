/** The event feed: what it tells about each write, and how readers follow it. */
import { describe, expect, it } from 'vitest'
import { eventsOf, now, typesOf } from '../support/feed.ts'
import { admin, Client, costOf, newClient, newToken, USER } from '../support/harness.ts'

const CISCO = 'urn:ietf:params:scim:schemas:extension:ciscoumbrella:2.0:User'

describe('a write', () => {
  it('has one event of its most specific type, with its source and the new values', async () => {
    const client = await newClient()
    const user = await client.createUser({
      userName: 'mirela@quillfern.example',
      externalId: 'e1',
      displayName: 'Mirela',
      password: 'secret-1',
      [CISCO]: { nativeObjectId: 'n1' },
    })
    await client.patch(`/Users/${user.id}`, { op: 'replace', path: 'displayName', value: 'Mirela O.' })
    await client.patch(
      `/Users/${user.id}`,
      { op: 'replace', path: 'active', value: false },
      { op: 'replace', path: 'title', value: 'Ranger' },
    )
    await client.patch(`/Users/${user.id}`, { op: 'replace', path: 'active', value: true })
    await client.request('PUT', `/Users/${user.id}`, {
      schemas: [USER],
      userName: 'mirela@quillfern.example',
    })
    await client.request('DELETE', `/Users/${user.id}`)
    const events = await eventsOf(client)
    expect(typesOf(events)).toEqual([
      'user.created',
      'user.updated',
      'user.deactivated',
      'user.activated',
      'user.updated',
      'user.deleted',
    ])
    const [created, updated, deactivated, , replaced, deleted] = events
    expect(created).toMatchObject({
      tenant: client.tenantId,
      source: {
        clientName: 'Test',
        clientId: expect.stringContaining(`${client.tenantId}_`),
        requestId: expect.any(String),
      },
      data: {
        id: user.id,
        externalId: 'e1',
        userName: 'mirela@quillfern.example',
        nativeObjectId: 'n1',
        version: 1,
        attributes: { userName: 'mirela@quillfern.example', displayName: 'Mirela', active: true },
      },
    })
    expect(Date.parse(created.timestamp)).toBeGreaterThan(Date.now() - 60_000)
    expect(updated.data).toMatchObject({
      version: 2,
      changed: ['displayName'],
      attributes: { displayName: 'Mirela O.' },
    })
    expect(deactivated.data).toMatchObject({ version: 3, attributes: { active: false, title: 'Ranger' } })
    expect(deactivated.data.changed.toSorted()).toEqual(['active', 'title'])
    expect(replaced.data.attributes).toMatchObject({
      displayName: null,
      title: null,
      externalId: null,
      [CISCO]: null,
    })
    expect(deleted.data).toEqual({
      id: user.id,
      externalId: null,
      userName: 'mirela@quillfern.example',
      nativeObjectId: null,
      version: 5,
    })
    expect(JSON.stringify(events)).not.toContain('secret-1')
  })

  it('has none if it changes nothing or is refused', async () => {
    const client = await newClient()
    const user = await client.createUser({ title: 'Ranger' })
    const after = await now(client)
    await client.patch(`/Users/${user.id}`, { op: 'replace', path: 'title', value: 'Ranger' })
    await client.request('POST', '/Users', { schemas: [USER], userName: user.userName })
    await client.request('DELETE', '/Users/unknown')
    expect(await eventsOf(client, `?after=${after}`)).toEqual([])
  })

  it('of a group has an event for its attributes and then those of its members', async () => {
    const client = await newClient()
    const [a, b] = [
      await client.createUser({ externalId: 'a', [CISCO]: { nativeObjectId: 'na' } }),
      await client.createUser(),
    ]
    const after = await now(client)
    const group = await client.createGroup({ displayName: 'Crew', members: [{ value: a.id }] })
    await client.patch(
      `/Groups/${group.id}`,
      { op: 'replace', path: 'displayName', value: 'Field crew' },
      { op: 'add', path: 'members', value: [{ value: b.id }] },
      { op: 'remove', path: `members[value eq "${a.id}"]` },
    )
    await client.request('DELETE', `/Users/${b.id}`)
    await client.request('DELETE', `/Groups/${group.id}`)
    const events = await eventsOf(client, `?after=${after}`)
    expect(typesOf(events)).toEqual([
      'group.created',
      'group.members_added',
      'group.updated',
      'group.members_removed',
      'group.members_added',
      'group.members_removed',
      'user.deleted',
      'group.deleted',
    ])
    const member = {
      id: a.id,
      type: 'User',
      externalId: 'a',
      userName: a.userName,
      nativeObjectId: 'na',
      version: 1,
    }
    expect(events[1].data).toMatchObject({ id: group.id, displayName: 'Crew', version: 1, members: [member] })
    expect(events[2].data).toMatchObject({ version: 2, attributes: { displayName: 'Field crew' } })
    expect(events[3].data).toMatchObject({ version: 2, members: [member] })
    // Deleted since, and still known by name.
    const gone = {
      id: b.id,
      type: 'User',
      externalId: null,
      userName: b.userName,
      nativeObjectId: null,
      version: 1,
    }
    expect(events[4].data.members).toEqual([gone])
    expect(events[5].data).toMatchObject({ id: group.id, version: 3, members: [gone] })
  })

  it('of many members has events of 50 at most, each below 20 kB', async () => {
    const client = await newClient()
    const ids: string[] = []
    const name = 'é'.repeat(150)
    for (let i = 0; i < 120; i++) {
      const user = await client.createUser({ userName: `${i}-${name}`, externalId: `${i}-${name}` })
      ids.push(user.id)
    }
    const after = await now(client)
    await client.createGroup({ members: ids.map((value) => ({ value })) })
    const [, ...added] = await eventsOf(client, `?after=${after}`)
    expect(added.map(({ data }) => data.members.length)).toEqual([50, 50, 20])
    expect(added.flatMap(({ data }) => data.members.map(({ id }: { id: string }) => id)).toSorted()).toEqual(
      ids.toSorted(),
    )
    for (const event of added)
      expect(new TextEncoder().encode(JSON.stringify(event)).length).toBeLessThanOrEqual(20_000)
  })

  it('with very long values has an event without them', async () => {
    const client = await newClient()
    const user = await client.createUser({ addresses: [{ formatted: 'x'.repeat(20_000) }] })
    const [event] = await eventsOf(client)
    expect(event.data).toMatchObject({ id: user.id, version: 1, attributes: null })
    expect(event.data.changed).toContain('addresses')
  })

  it('costs no round trip', async () => {
    const client = await newClient()
    await client.get('/Users?count=1')
    const user = await client.createUser()
    const answer = await client.patch(`/Users/${user.id}`, { op: 'replace', path: 'title', value: 'Ranger' })
    expect(costOf(answer).roundTrips).toBe(1)
  })
})

describe('the feed', () => {
  it('goes on after a cursor, page by page, for any client of the tenant', async () => {
    const client = await newClient()
    const other = new Client(client.tenantId, (await newToken(client.tenantId, { scope: 'read' })).token)
    const start = await now(client)
    for (let i = 0; i < 5; i++) await client.createUser({ userName: `user-${i}` })
    const first = (await client.feed(`?limit=2&after=${start}`)).body
    const second = (await other.feed(`?limit=2&after=${first.cursor}`)).body
    const third = (await client.feed(`?limit=2&after=${second.cursor}`)).body
    const last = (await client.feed(`?limit=2&after=${third.cursor}`)).body
    const names = [first, second, third].flatMap(({ events }) =>
      events.map(({ data }: { data: { userName: string } }) => data.userName),
    )
    expect(names).toEqual(['user-0', 'user-1', 'user-2', 'user-3', 'user-4'])
    expect([first.hasMore, second.hasMore, third.hasMore, last.hasMore]).toEqual([true, true, false, false])
    expect(last).toEqual({ events: [], cursor: third.cursor, hasMore: false })
    // The cursor of an event is the position after it.
    const again = (await client.feed(`?limit=1&after=${first.events[0].cursor}`)).body
    expect(again.events[0].id).toBe(first.events[1].id)
    expect(costOf(await client.feed(`?after=${first.cursor}`)).roundTrips).toBe(1)
  })

  it('filters by type, and its cursor passes the others', async () => {
    const client = await newClient()
    await client.createUser()
    await client.createGroup()
    const { body } = await client.feed('?types=group.created,group.deleted')
    expect(typesOf(body.events)).toEqual(['group.created'])
    await client.createUser()
    const more = (await client.feed(`?types=group.created&after=${body.cursor}`)).body
    expect(more).toMatchObject({ events: [], hasMore: false })
    expect(more.cursor).toBe(await now(client))
  })

  it.for([
    ['limit=0', 'limit'],
    ['limit=501', 'limit'],
    ['limit=x', 'limit'],
    ['wait=3600', 'wait'],
    ['types=user.renamed', 'types'],
    ['types=', 'types'],
    ['after=', 'after'],
    ['after=x', 'after'],
    ['after=MS4x.AAAAAAAAAAAAAAAAAAAAAA', 'after'],
  ])('refuses ?%s and names the parameter', async ([query, field]) => {
    const client = await newClient()
    await client.createUser()
    const { status, body } = await client.feed(`?${query}`)
    expect(status).toBe(400)
    expect(body.error).toMatchObject({ field, message: expect.stringContaining('"') })
  })

  it('refuses the cursor of another tenant, and of a tenant of the same name that was deleted', async () => {
    const client = await newClient()
    await client.createUser()
    const cursor = await now(client)
    const other = await newClient()
    await other.createUser()
    expect((await other.feed(`?after=${cursor}`)).body.error).toMatchObject({ code: 'invalid_cursor' })
    await admin('DELETE', `/tenants/${client.tenantId}`)
    await admin('POST', '/tenants', { id: client.tenantId, name: 'Again' })
    const again = new Client(client.tenantId, (await newToken(client.tenantId)).token)
    await again.createUser()
    const { status, body } = await again.feed(`?after=${cursor}`)
    expect([status, body.error.code]).toEqual([400, 'invalid_cursor'])
    expect(await eventsOf(again)).toHaveLength(1)
  })

  it('answers 401 with a challenge, and 405 with the methods, both as JSON', async () => {
    const client = await newClient()
    const stranger = new Client(client.tenantId, `${client.token.slice(0, -4)}AAAA`)
    const { status, body, headers } = await stranger.feed()
    expect([status, body.error.code, headers.get('WWW-Authenticate')]).toEqual([
      401,
      'unauthorized',
      'Bearer realm="scim-worker"',
    ])
    const posted = await client.request('POST', '/../../events', {})
    expect([posted.status, posted.body.error.code, posted.headers.get('Allow')]).toEqual([
      405,
      'methodNotAllowed',
      'GET, HEAD',
    ])
  })

  it('waits for an event, and at most for the given time', async () => {
    const client = await newClient()
    const after = await now(client)
    const empty = await client.feed(`?after=${after}&wait=1`)
    expect(empty.body).toEqual({ events: [], cursor: after, hasMore: false })
    const waiting = client.feed(`?after=${after}&wait=25`)
    const user = await client.createUser()
    const { body } = await waiting
    expect(body.events).toMatchObject([{ type: 'user.created', data: { id: user.id } }])
  })
})
