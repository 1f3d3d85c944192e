import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { MAX_LOGGED_CHANGES_CHARACTERS } from '../../src/scim/limits.ts'
import { addCrowd, addToGroup } from '../support/crowd.ts'
import {
  type Client,
  costOf,
  expectSameCost,
  GROUP,
  newClient,
  PATCH_OP,
  TENANT_URL,
} from '../support/harness.ts'
import { addUsersWithTitles } from '../support/large.ts'

async function createUsers(client: Client, count: number): Promise<string[]> {
  const users = await Promise.all(Array.from({ length: count }, () => client.createUser()))
  return users.map((user) => user.id)
}

async function membersOf(client: Client, id: string): Promise<string[]> {
  const { members = [] } = (await client.get(`/Groups/${id}`)).body
  return members.map((member: { value: string }) => member.value).sort()
}

const values = (ids: readonly string[]) => ids.map((value) => ({ value }))

describe('POST /Groups', () => {
  it('answers 201 with its members, in two round trips', async () => {
    const client = await newClient()
    const user = await client.createUser({ displayName: 'Mirela Osterholt' })
    const body = {
      schemas: [GROUP],
      displayName: 'Field Crew',
      externalId: 'f1',
      members: [{ value: user.id, display: 'x' }],
    }
    const answer = await client.request('POST', '/Groups', body)
    expect(answer.status).toBe(201)
    expect(answer.body.members).toEqual([
      { value: user.id, type: 'User', display: 'Mirela Osterholt', $ref: `${TENANT_URL}/Users/${user.id}` },
    ])
    expect((await client.get(`/Groups/${answer.body.id}`)).body).toEqual(answer.body)
    expect(costOf(answer).roundTrips).toBe(2)
  })

  it('answers 409 uniqueness to a displayName that differs in case alone', async () => {
    const client = await newClient()
    await client.createGroup({ displayName: 'ÉQUIPE NORD' })
    const answer = await client.request('POST', '/Groups', { schemas: [GROUP], displayName: 'équipe nord' })
    expect(answer.body).toMatchObject({ status: '409', scimType: 'uniqueness' })
    expect(costOf(answer).roundTrips).toBe(2)
  })

  it('rejects a group beyond the limit with 400, the reason and a remedy, and logs the attempt', async () => {
    const client = await newClient({ groupLimit: 2 })
    await client.createGroup()
    await client.createGroup()
    const answer = await client.request('POST', '/Groups', { schemas: [GROUP], displayName: 'Third' })
    expect(answer.status).toBe(400)
    expect(answer.body.detail).toMatch(/holds 2 groups and its limit is 2: .+ raise the limit/)
    expect((await client.get('/Groups')).body.totalResults).toBe(2)
    const [entry] = await client.log()
    expect(entry).toMatchObject({ action: 'create', outcome: 'refused', status: 400, resourceName: 'Third' })
  })
})

describe('PATCH /Groups/{id}', () => {
  it('answers 204 in two round trips, and 200 if attributes are requested', async () => {
    const client = await newClient()
    const [a = ''] = await createUsers(client, 1)
    const { id } = await client.createGroup()
    const add = { op: 'Add', path: 'members', value: [{ $ref: null, value: a }] }
    const silent = await client.patch(`/Groups/${id}`, add)
    expect([silent.status, silent.body]).toEqual([204, undefined])
    expect(costOf(silent).roundTrips).toBe(2)
    const asked = await client.request('PATCH', `/Groups/${id}?attributes=members`, { Operations: [add] })
    expect(asked.status).toBe(200)
    expect(asked.body.members).toHaveLength(1)
  })

  it('accepts adding a present member and removing an absent one, without a new version', async () => {
    const client = await newClient()
    const [a = '', b = ''] = await createUsers(client, 2)
    const { id, meta } = await client.createGroup({ members: values([a]) })
    expect(
      (await client.patch(`/Groups/${id}`, { op: 'Add', path: 'members', value: values([a]) })).status,
    ).toBe(204)
    expect(
      (await client.patch(`/Groups/${id}`, { op: 'Remove', path: 'members', value: values([b, 'nobody']) }))
        .status,
    ).toBe(204)
    expect(
      (await client.patch(`/Groups/${id}`, { op: 'remove', path: `members[value eq "${b}"]` })).status,
    ).toBe(204)
    expect((await client.get(`/Groups/${id}`)).body.meta).toEqual(meta)
  })

  it('removes only the listed members by Remove with a value, in both dialects', async () => {
    const client = await newClient()
    const ids = await createUsers(client, 4)
    const [a = '', b = '', c = '', d = ''] = ids
    const { id } = await client.createGroup({ members: values(ids) })
    await client.patch(`/Groups/${id}`, { op: 'Remove', path: 'members', value: [{ $ref: null, value: a }] })
    expect(await membersOf(client, id)).toEqual([b, c, d].sort())
    await client.patch(`/Groups/${id}`, { op: 'remove', path: `members[value eq "${b}"]` })
    expect(await membersOf(client, id)).toEqual([c, d].sort())
    await client.patch(`/Groups/${id}`, { op: 'replace', path: 'members', value: values([a, c]) })
    expect(await membersOf(client, id)).toEqual([a, c].sort())
    await client.patch(`/Groups/${id}`, { op: 'remove', path: 'members' })
    expect(await membersOf(client, id)).toEqual([])
  })

  it('rejects the whole PATCH for an unknown member, and names it', async () => {
    const client = await newClient()
    const [a = ''] = await createUsers(client, 1)
    const group = await client.createGroup()
    const answer = await client.patch(
      `/Groups/${group.id}`,
      { op: 'replace', path: 'displayName', value: 'Other' },
      { op: 'add', path: 'members', value: values([a, 'no-such-user']) },
    )
    expect(answer.body).toMatchObject({ status: '400', scimType: 'invalidValue' })
    expect(answer.body.detail).toContain('"no-such-user"')
    expect(answer.body.detail).not.toContain(a)
    expect((await client.get(`/Groups/${group.id}`)).body).toEqual(group)
    expect(costOf(answer).roundTrips).toBe(2)
  })

  it('takes the type of a member from the directory, not from the client', async () => {
    const client = await newClient()
    const [user = ''] = await createUsers(client, 1)
    const inner = await client.createGroup()
    const { id } = await client.createGroup()
    const value = [
      { value: user, type: 'Group' },
      { value: inner.id, type: 'User' },
    ]
    expect((await client.patch(`/Groups/${id}`, { op: 'add', path: 'members', value })).status).toBe(204)
    const { members } = (await client.get(`/Groups/${id}`)).body
    const types = new Map(
      members.map((member: { value: string; type: string }) => [member.value, member.type]),
    )
    expect([types.get(user), types.get(inner.id)]).toEqual(['User', 'Group'])
  })

  it('accepts a group as its own member, and shows the group once for each of its members', async () => {
    const client = await newClient()
    const [user = ''] = await createUsers(client, 1)
    const { id } = await client.createGroup()
    const itself = { op: 'add', path: 'members', value: values([id, user]) }
    expect((await client.patch(`/Groups/${id}`, itself)).status).toBe(204)
    expect(await membersOf(client, id)).toEqual([id, user].sort())
    const { groups } = (await client.get(`/Users/${user}`)).body
    expect(groups).toMatchObject([{ value: id, type: 'direct' }])
    expect((await client.filter('/Users', `groups.value eq "${id}"`)).body.totalResults).toBe(1)
    expect((await client.filter('/Groups', `members.value eq "${id}"`)).body.totalResults).toBe(1)
    const apart = { op: 'remove', path: 'members', value: values([id]) }
    expect((await client.patch(`/Groups/${id}`, apart)).status).toBe(204)
    expect(await membersOf(client, id)).toEqual([user])
  })

  it('adds thousands of members in two round trips', async () => {
    const client = await newClient()
    const ids = await addCrowd(client.tenantId, 5_000)
    const { id } = await client.createGroup()
    const answer = await client.patch(`/Groups/${id}`, { op: 'add', path: 'members', value: values(ids) })
    expect(answer.status).toBe(204)
    expect(costOf(answer).roundTrips).toBe(2)
    expect(await membersOf(client, id)).toHaveLength(5_000)
  })

  it('shows the names of many named members, also beside a large document', async () => {
    const client = await newClient()
    const { tenantId } = client
    const crowd = await addCrowd(tenantId, 600)
    const user = await client.createUser({ displayName: 'Zoë "Z" 李' })
    const inner = await client.createGroup({ displayName: 'Inner' })
    const { id } = await client.createGroup({ members: values(crowd.slice(300)) })
    const names = new Map<string, string>([
      ...crowd.map((name) => [name, name] as const),
      [user.id, user.displayName],
      [inner.id, 'Inner'],
    ])
    const shown = async (document: string, expected: readonly string[]) => {
      const answer = await client.request('PUT', `/Groups/${id}`, {
        displayName: 'All',
        members: values(expected),
      })
      expect([document, answer.status]).toEqual([document, 200])
      const members = (answer.body.members ?? []) as { value: string; display: string; type: string }[]
      expect(members.map(({ value }) => value).sort()).toEqual(expected.toSorted())
      for (const { value, display, type } of members)
        expect([value, display, type]).toEqual([
          value,
          names.get(value),
          value === inner.id ? 'Group' : 'User',
        ])
      return costOf(answer)
    }
    const few = [...crowd.slice(0, 300), user.id]
    const all = [...crowd, user.id, inner.id]
    await shown('small', few)
    await shown('small', all)
    // Nothing changes, so the difference is the names: the lists of ids in SQL, and no second look-up.
    const body = { displayName: 'All', members: values(all) }
    const path = `/Groups/${id}?excludedAttributes=members`
    const hidden = costOf(await client.request('PUT', path, body))
    const more = (await shown('small', all)).rowsRead - hidden.rowsRead
    expect(more).toBeLessThan(100)
    await addUsersWithTitles(tenantId, new Map([['large', 'x'.repeat(5_000)]]))
    await shown('large', few)
    await shown('large', all)
  })

  it('removes all of 45,000 members in two round trips, and logs the first names and the number of the others', async () => {
    const client = await newClient()
    const { tenantId } = client
    const { id } = await client.createGroup()
    await addToGroup(tenantId, id, await addCrowd(tenantId, 45_000))
    const answer = await client.patch(`/Groups/${id}`, { op: 'remove', path: 'members' })
    expect([answer.status, costOf(answer).roundTrips]).toEqual([204, 2])
    expect(await membersOf(client, id)).toEqual([])
    const [entry] = await client.log()
    const [change] = (entry?.changes ?? []) as { old: string[] }[]
    const named = Number(change?.old.length) - 1
    expect(named).toBeGreaterThan(1_000)
    expect(change?.old.at(-1)).toBe(`and ${45_000 - named} more`)
    expect(JSON.stringify(entry?.changes).length).toBeLessThan(MAX_LOGGED_CHANGES_CHARACTERS)
  })

  it('reads and writes as many rows for one member in a group of 5,000 as in a group of 1', async () => {
    const client = await newClient()
    const [a = '', b = '', c = ''] = await createUsers(client, 3)
    const small = await client.createGroup({ members: values([a]) })
    const large = await client.createGroup()
    await addToGroup(client.tenantId, large.id, await addCrowd(client.tenantId, 5_000))
    // The first removal of a client creates the row that counts them.
    const counted = await client.createGroup({ members: values([a]) })
    await client.patch(`/Groups/${counted.id}`, { op: 'remove', path: 'members', value: values([a]) })
    for (const operation of [
      { op: 'add', path: 'members', value: values([b]) },
      { op: 'remove', path: 'members', value: values([b]) },
      { op: 'add', path: 'members', value: values([b, c]) },
      { op: 'replace', path: 'displayName', value: 'Renamed' },
    ]) {
      const unique = (name: string) =>
        operation.op === 'replace' ? { ...operation, value: name } : operation
      const [one, many] = [
        await client.patch(`/Groups/${small.id}`, unique('S')),
        await client.patch(`/Groups/${large.id}`, unique('L')),
      ]
      expectSameCost(costOf(many), costOf(one))
    }
    const [one, many] = [small, large].map((group) =>
      client.get(`/Groups/${group.id}?excludedAttributes=members`),
    )
    expectSameCost(costOf(await (many as Promise<never>)), costOf(await (one as Promise<never>)))
  })
})

describe('PUT /Groups/{id}', () => {
  it('replaces attributes and members', async () => {
    const client = await newClient()
    const [a = '', b = ''] = await createUsers(client, 2)
    const { id } = await client.createGroup({ externalId: 'x', members: values([a]) })
    const answer = await client.request('PUT', `/Groups/${id}`, {
      schemas: [GROUP],
      displayName: 'New',
      members: values([b]),
    })
    expect(answer.body).toMatchObject({
      displayName: 'New',
      members: [{ value: b }],
      meta: { version: 'W/"2"' },
    })
    expect(answer.body).not.toHaveProperty('externalId')
    expect(costOf(answer).roundTrips).toBe(2)
  })
})

describe('DELETE /Groups/{id}', () => {
  it('removes the group and its memberships, and makes its name available', async () => {
    const client = await newClient({ groupLimit: 1 })
    const [a = ''] = await createUsers(client, 1)
    const group = await client.createGroup({ displayName: 'Crew', members: values([a]) })
    const answer = await client.request('DELETE', `/Groups/${group.id}`)
    expect(answer.status).toBe(204)
    expect(costOf(answer).roundTrips).toBe(1)
    expect((await client.get(`/Users/${a}`)).body).not.toHaveProperty('groups')
    expect((await client.createGroup({ displayName: 'Crew' })).id).not.toBe(group.id)
    expect((await client.request('DELETE', `/Groups/${group.id}`)).status).toBe(404)
  })
})

describe('concurrent group writes', () => {
  it('create exactly as many groups as the limit allows, and log every attempt', async () => {
    const client = await newClient()
    const answers = await Promise.all(
      Array.from({ length: 250 }, (_, i) =>
        client.request('POST', '/Groups', { schemas: [GROUP], displayName: `Group ${i}` }),
      ),
    )
    const statuses = answers.map((answer) => answer.status)
    expect(statuses.filter((status) => status === 201)).toHaveLength(200)
    expect(statuses.filter((status) => status === 400)).toHaveLength(50)
    expect((await client.get('/Groups?count=0')).body.totalResults).toBe(200)
    const { results } = await env.DB.prepare(
      'SELECT outcome, count(*) AS n FROM provisioning_log WHERE tenant_id = ?1 GROUP BY outcome ORDER BY outcome',
    )
      .bind(client.tenantId)
      .all()
    expect(results).toEqual([
      { outcome: 'accepted', n: 200 },
      { outcome: 'refused', n: 50 },
    ])
  })

  it('keep all members that 100 clients add', async () => {
    const client = await newClient()
    const ids = await createUsers(client, 100)
    const { id } = await client.createGroup()
    const answers = await Promise.all(
      ids.map((value) => client.patch(`/Groups/${id}`, { op: 'add', path: 'members', value: [{ value }] })),
    )
    expect(answers.every((answer) => answer.status === 204)).toBe(true)
    expect(await membersOf(client, id)).toEqual([...ids].sort())
    expect((await client.get(`/Groups/${id}`)).body.meta.version).toBe('W/"101"')
  })

  it('create one group if 20 clients use the same name', async () => {
    const client = await newClient()
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        client.request('POST', '/Groups', { schemas: [GROUP], displayName: 'One' }),
      ),
    )
    expect(answers.map((answer) => answer.status).sort()).toEqual([201, ...Array(19).fill(409)])
  })
})

describe('a group write that names members', () => {
  it('accepts users and groups in any order, and returns the names of existing and new members', async () => {
    const client = await newClient()
    const [ada, bo] = [
      await client.createUser({ displayName: 'Ada' }),
      await client.createUser({ displayName: 'Bo' }),
    ]
    const inner = await client.createGroup({ displayName: 'Inner' })
    const { id, displayName } = await client.createGroup()
    const shown = (answer: { body: { members: { value: string; type: string; display: string }[] } }) =>
      answer.body.members.map(({ value, type, display }) => [value, type, display]).sort()
    const put = (...ids: readonly string[]) =>
      client.request('PUT', `/Groups/${id}`, { displayName, members: ids.map((value) => ({ value })) })
    const all = [
      [ada.id, 'User', 'Ada'],
      [bo.id, 'User', 'Bo'],
      [inner.id, 'Group', 'Inner'],
    ].sort()
    expect(shown(await put(bo.id))).toEqual([[bo.id, 'User', 'Bo']])
    expect(shown(await put(inner.id, bo.id, ada.id))).toEqual(all)
    const op = { op: 'remove', path: 'members[display eq "Bo"]' }
    const patched = { schemas: [PATCH_OP], Operations: [op] }
    const answer = await client.request('PATCH', `/Groups/${id}?attributes=members`, patched)
    expect(shown(answer)).toEqual(all.filter(([memberId]) => memberId !== bo.id))
    expect((await put()).body.members).toEqual([])
    expect((await client.get(`/Groups/${id}`)).body.members).toEqual([])
  })
})

describe('concurrent user writes', () => {
  it('create one user if 20 clients use the same name, and keep all changes of 20 PATCHes', async () => {
    const client = await newClient()
    const body = {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
      userName: 'one@quillfern.example',
    }
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => client.request('POST', '/Users', body)),
    )
    expect(answers.map((answer) => answer.status).sort()).toEqual([201, ...Array(19).fill(409)])
    const { id } = answers.find((answer) => answer.status === 201)?.body ?? {}
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        client.patch(`/Users/${id}`, {
          op: 'add',
          path: 'emails',
          value: [{ value: `${i}@quillfern.example` }],
        }),
      ),
    )
    const user = (await client.get(`/Users/${id}`)).body
    expect(user.emails).toHaveLength(20)
    expect(user.meta.version).toBe('W/"21"')
  })
})
