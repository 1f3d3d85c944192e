/** /GroupMemberships: memberships as resources (draft-zollner-scim-group-members). */
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { addCrowd } from '../support/crowd.ts'
import {
  type Answer,
  admin,
  type Client,
  costOf,
  newClient,
  newName,
  newToken,
  RANGE_ENDS,
  TENANT_URL,
} from '../support/harness.ts'
import { addMembers } from '../support/large.ts'

const SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:GroupMembership'
const PATH = '/GroupMemberships'

const add = (client: Client, group: string, member: string, query = '') =>
  client.request('POST', `${PATH}${query}`, {
    schemas: [SCHEMA],
    group: { value: group },
    member: { value: member },
  })

const find = (client: Client, filter: string, more = '') =>
  client.get(`${PATH}?filter=${encodeURIComponent(filter)}${more}`)

const pairsOf = ({ body }: Answer): string[] =>
  body.Resources.map(
    (one: { group: { value: string }; member: { value: string } }) =>
      `${one.group.value}.${one.member.value}`,
  )

/** Two groups: the first with both users, the second with the first user and the first group. */
async function directory() {
  const client = await newClient()
  const [ann, ben] = [await client.createUser({ displayName: 'Ann' }), await client.createUser()]
  const crew = await client.createGroup({
    displayName: 'Crew',
    members: [{ value: ann.id }, { value: ben.id }],
  })
  const all = await client.createGroup({
    displayName: 'All',
    members: [{ value: ann.id }, { value: crew.id }],
  })
  const pairs = [
    ...[ann.id, ben.id].toSorted().map((id) => `${crew.id}.${id}`),
    ...[ann.id, crew.id].toSorted().map((id) => `${all.id}.${id}`),
  ].toSorted()
  return { client, ann, ben, crew, all, pairs }
}

describe('GET /GroupMemberships', () => {
  it('lists each direct membership once, in one round trip', async () => {
    const { client, pairs } = await directory()
    const answer = await client.get(PATH)
    expect(pairsOf(answer)).toEqual(pairs)
    expect(answer.body).toMatchObject({ totalResults: 4, startIndex: 1, itemsPerPage: 4 })
    expect(costOf(answer).roundTrips).toBe(1)
  })

  it('names both ends of a membership, as Group.members and User.groups do', async () => {
    const { client, ann, crew, all } = await directory()
    const [resource] = (await find(client, `group.value eq "${crew.id}" and member.value eq "${ann.id}"`))
      .body.Resources
    const id = `${crew.id}.${ann.id}`
    expect(resource).toEqual({
      schemas: [SCHEMA],
      id,
      group: { value: crew.id, display: 'Crew', $ref: `${TENANT_URL}/Groups/${crew.id}` },
      member: { value: ann.id, type: 'User', display: 'Ann', $ref: `${TENANT_URL}/Users/${ann.id}` },
      meta: { resourceType: 'GroupMembership', location: `${TENANT_URL}${PATH}/${id}` },
    })
    const { members } = (await client.get(`/Groups/${crew.id}`)).body
    const { groups } = (await client.get(`/Users/${ann.id}`)).body
    expect(members).toContainEqual(resource.member)
    expect(groups).toContainEqual({ ...resource.group, type: 'direct' })
    const nested = await find(client, `group.value eq "${all.id}" and member.value eq "${crew.id}"`)
    expect(nested.body.Resources[0].member).toMatchObject({
      type: 'Group',
      $ref: `${TENANT_URL}/Groups/${crew.id}`,
    })
  })

  it('finds the memberships of a group and those of a member', async () => {
    const { client, ann, ben, crew, all, pairs } = await directory()
    const ofCrew = await find(client, `group.value eq "${crew.id}"`)
    expect(pairsOf(ofCrew)).toEqual(pairs.filter((pair) => pair.startsWith(crew.id)))
    expect(ofCrew.body.totalResults).toBe(2)
    const ofAnn = await find(client, `${SCHEMA}:member.value eq "${ann.id}"`)
    expect(pairsOf(ofAnn)).toEqual([`${crew.id}.${ann.id}`, `${all.id}.${ann.id}`])
    expect(
      (await find(client, `group.value eq "${all.id}" and member.value eq "${ben.id}"`)).body,
    ).toMatchObject({ totalResults: 0, Resources: [] })
    expect((await find(client, 'group.value eq "unknown"')).body.totalResults).toBe(0)
  })

  it.each(['', 'group', 'member'])('pages by index and by cursor in both directions, %s', async (by) => {
    const client = await newClient()
    const users = await Promise.all(Array.from({ length: 3 }, () => client.createUser()))
    const members = users.map(({ id }) => ({ value: id }))
    const groups = []
    for (let i = 0; i < 3; i++) groups.push(await client.createGroup({ members }))
    await client.createGroup()
    const filter = {
      '': '',
      group: `group.value eq "${groups[1].id}"`,
      member: `member.value eq "${users[1]?.id}"`,
    }
    const query = `${PATH}?count=2&filter=${encodeURIComponent(filter[by as 'group'])}`
    const whole = pairsOf(await client.get(query.replace('count=2', 'count=100')))
    expect(whole).toHaveLength(by === '' ? 9 : 3)
    const byIndex: string[] = []
    for (let start = 1; start <= whole.length; start += 2)
      byIndex.push(...pairsOf(await client.get(`${query}&startIndex=${start}`)))
    expect(byIndex).toEqual(whole)
    const [there, back]: [Answer[], string[]] = [[], []]
    for (let cursor: string | undefined = ''; cursor !== undefined; cursor = there.at(-1)?.body.nextCursor)
      there.push(await client.get(`${query}&cursor=${cursor}`))
    expect(there.flatMap(pairsOf)).toEqual(whole)
    expect(there.every(({ body }) => body.totalResults === whole.length)).toBe(true)
    for (let page = there.at(-1); page?.body.previousCursor !== undefined; ) {
      page = await client.get(`${query}&cursor=${page.body.previousCursor}`)
      back.unshift(...pairsOf(page))
    }
    expect(back).toEqual(whole.slice(0, back.length))
    expect(back.length).toBe(whole.length - pairsOf(there.at(-1) as Answer).length)
  })

  it.each([
    'member.display eq "Ann"',
    'group.value sw "0"',
    'group.value eq "a" or member.value eq "b"',
    'not (group.value eq "a")',
    'group.value eq "a" and group.value eq "b"',
    'id pr',
  ])('refuses the filter %s and names what is allowed', async (filter) => {
    const client = await newClient()
    const { status, body } = await find(client, filter)
    expect([status, body.scimType]).toEqual([400, 'invalidFilter'])
    expect(body.detail).toContain('"group.value eq", "member.value eq"')
  })

  it('refuses "sortBy", and selects attributes', async () => {
    const { client } = await directory()
    expect((await client.get(`${PATH}?sortBy=`)).status).toBe(200)
    expect((await client.get(`${PATH}?sortBy=id`)).body).toMatchObject({
      status: '400',
      scimType: 'invalidValue',
    })
    const { Resources } = (await client.get(`${PATH}?attributes=member.value&count=1`)).body
    expect(Object.keys(Resources[0]).toSorted()).toEqual(['id', 'member', 'schemas'])
    expect(Object.keys(Resources[0].member)).toEqual(['value'])
  })

  it('searches by POST, and with a read token', async () => {
    const { client, crew } = await directory()
    const body = {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'],
      filter: `group.value eq "${crew.id}"`,
    }
    const Authorization = `Bearer ${(await newToken(client.tenantId, { scope: 'read' })).token}`
    const answer = await client.request('POST', `${PATH}/.search`, body, { Authorization })
    expect(answer.body.totalResults).toBe(2)
  })

  it('shows no memberships of another tenant', async () => {
    const { pairs } = await directory()
    const other = await newClient()
    expect((await other.get(PATH)).body.totalResults).toBe(0)
    expect((await other.get(`${PATH}/${pairs[0]}`)).status).toBe(404)
    expect((await other.request('DELETE', `${PATH}/${pairs[0]}`)).status).toBe(404)
  })

  it('reads rows in proportion to the page, wherever it begins', async () => {
    const client = await newClient()
    await addCrowd(client.tenantId, 3_000)
    const { id } = await client.createGroup()
    await addMembers(client.tenantId, id, 3_000)
    const query = `${PATH}?count=10&filter=${encodeURIComponent(`group.value eq "${id}"`)}`
    const first = await client.get(`${query}&cursor=`)
    expect(first.body.totalResults).toBe(3_000)
    const second = await client.get(`${query}&cursor=${first.body.nextCursor}`)
    const unfiltered = await client.get(`${PATH}?count=10&cursor=`)
    const next = await client.get(`${PATH}?count=10&cursor=${unfiltered.body.nextCursor}`)
    const ofMember = await find(client, `member.value eq "${first.body.Resources[0].member.value}"`)
    for (const page of [first, second, unfiltered, next, ofMember])
      expect(costOf(page).rowsRead).toBeLessThan(100)
    expect(pairsOf(second)).not.toContain(pairsOf(first)[9])
  })

  it('begins a page by index at the group that the index is in, whatever comes before it', async () => {
    const client = await newClient()
    await addCrowd(client.tenantId, 11_000)
    const [first, second] = [await client.createGroup(), await client.createGroup()]
    await addMembers(client.tenantId, first.id, 11_000)
    await addMembers(client.tenantId, second.id, 20)
    const page = await client.get(`${PATH}?count=5&startIndex=11001`)
    expect(
      page.body.Resources.every(({ group }: { group: { value: string } }) => group.value === second.id),
    ).toBe(true)
    expect(page.body).toMatchObject({ totalResults: 11_020, itemsPerPage: 5 })
    expect(costOf(page).rowsRead).toBeLessThan(100)
    expect((await client.get(`${PATH}?startIndex=12000`)).body.Resources).toEqual([])
  })
})

describe('GET /GroupMemberships/{id}', () => {
  it('returns one membership, also with an encoded id', async () => {
    const { client, pairs } = await directory()
    const answer = await client.get(`${PATH}/${pairs[0]?.replace('.', '%2E')}`)
    expect(answer.body.id).toBe(pairs[0])
    expect(answer.headers.get('Location')).toBe(answer.body.meta.location)
    expect(costOf(answer).roundTrips).toBe(1)
    expect((await client.get(`${PATH}/${pairs[0]}?excludedAttributes=group`)).body.group).toBeUndefined()
  })

  it.each(['unknown', 'a.b', '.b', 'a.b.c'])('answers 404 to %s', async (id) => {
    const client = await newClient()
    expect((await client.get(`${PATH}/${id}`)).status).toBe(404)
  })
})

describe('POST /GroupMemberships', () => {
  it('adds a member as a PATCH of the group does: version, log, events, round trips', async () => {
    const { client, ben, all } = await directory()
    const created = await add(client, all.id, ben.id)
    expect(created.status).toBe(201)
    expect(created.headers.get('Location')).toBe(`${TENANT_URL}${PATH}/${all.id}.${ben.id}`)
    expect(costOf(created).roundTrips).toBe(2)
    expect((await client.get(`${PATH}/${all.id}.${ben.id}`)).body).toEqual(created.body)
    const group = (await client.get(`/Groups/${all.id}`)).body
    expect(group.members).toContainEqual(created.body.member)
    expect(group.meta.version).toBe('W/"2"')
    const [entry] = await client.log()
    expect(entry).toMatchObject({
      action: 'add member',
      resourceType: 'Group',
      resourceId: all.id,
      status: 201,
    })
    const { events } = (await client.feed()).body
    expect(events.at(-1)).toMatchObject({ type: 'group.members_added' })
  })

  it('refuses a membership that exists, with 409', async () => {
    const { client, ann, all } = await directory()
    expect((await add(client, all.id, ann.id)).body).toMatchObject({ status: '409', scimType: 'uniqueness' })
    const [entry] = await client.log()
    expect(entry).toMatchObject({ action: 'add member', outcome: 'refused', status: 409, resourceId: all.id })
    expect((await client.get(`/Groups/${all.id}`)).body.meta.version).toBe('W/"1"')
  })

  it('refuses an unknown group and an unknown member, and names them', async () => {
    const { client, ann, all } = await directory()
    for (const [group, member] of [
      ['nowhere', ann.id],
      [all.id, 'nobody'],
    ]) {
      const { body } = await add(client, group, member)
      expect(body).toMatchObject({ status: '400', scimType: 'invalidValue' })
      expect(body.detail).toMatch(/"group.value" .*"nowhere"|"member.value" .*"nobody"/)
    }
  })

  it.each([{}, { group: { value: 'a' } }, { group: { value: 'a' }, member: { value: '' } }, { group: 1 }])(
    'refuses a body without both ends: %j',
    async (body) => {
      const client = await newClient()
      const answer = await client.request('POST', PATH, { schemas: [SCHEMA], ...body })
      expect(answer.body).toMatchObject({ status: '400', scimType: 'invalidValue' })
    },
  )

  it('refuses both "attributes" and "excludedAttributes" in the strict profile, as other writes do', async () => {
    const { client, ben, all } = await directory()
    await admin('PATCH', `/tenants/${client.tenantId}`, { profile: 'strict' })
    const refused = await add(client, all.id, ben.id, '?attributes=group&excludedAttributes=member')
    expect(refused.body).toMatchObject({
      status: '400',
      detail: expect.stringContaining('mutually exclusive'),
    })
    expect((await client.get(`${PATH}/${all.id}.${ben.id}`)).status).toBe(404)
  })

  it('refuses a read token with 403, and other methods with 405', async () => {
    const { client, pairs, ben, all } = await directory()
    const Authorization = `Bearer ${(await newToken(client.tenantId, { scope: 'read' })).token}`
    const body = { schemas: [SCHEMA], group: { value: all.id }, member: { value: ben.id } }
    expect((await client.request('POST', PATH, body, { Authorization })).status).toBe(403)
    expect((await client.request('DELETE', `${PATH}/${pairs[0]}`, undefined, { Authorization })).status).toBe(
      403,
    )
    expect((await client.request('PUT', `${PATH}/${pairs[0]}`, body)).status).toBe(405)
    expect((await client.request('PATCH', `${PATH}/${pairs[0]}`, body)).status).toBe(405)
    expect((await client.get(PATH)).body.totalResults).toBe(4)
  })
})

/** The rows of both tables that may have the name of the new member, of the CTEs around them, and of the bound of their bytes. */
const NAMES = 8

describe('DELETE /GroupMemberships/{id}', () => {
  it('removes a member as a PATCH of the group does', async () => {
    const { client, ann, crew } = await directory()
    const path = `${PATH}/${crew.id}.${ann.id}`
    const removed = await client.request('DELETE', path)
    expect([removed.status, removed.body]).toEqual([204, undefined])
    expect(costOf(removed).roundTrips).toBe(2)
    expect((await client.get(path)).status).toBe(404)
    const group = (await client.get(`/Groups/${crew.id}`)).body
    expect(group.members.map(({ value }: { value: string }) => value)).not.toContain(ann.id)
    expect(group.meta.version).toBe('W/"2"')
    const [entry] = await client.log()
    expect(entry).toMatchObject({
      action: 'remove member',
      resourceType: 'Group',
      resourceId: crew.id,
      status: 204,
    })
  })

  it('answers 404 to a membership that does not exist, and to one of a deleted group', async () => {
    const { client, ann, ben, crew, all } = await directory()
    expect((await client.request('DELETE', `${PATH}/${all.id}.${ben.id}`)).body.detail).toContain(
      `${all.id}.${ben.id}`,
    )
    await client.request('DELETE', `/Groups/${crew.id}`)
    expect((await client.request('DELETE', `${PATH}/${crew.id}.${ann.id}`)).status).toBe(404)
    expect((await client.get(`${PATH}/${crew.id}.${ann.id}`)).status).toBe(404)
  })

  it('costs as many rows as a PATCH of one member', async () => {
    const client = await newClient()
    const user = await client.createUser()
    const group = await client.createGroup()
    const costs = []
    for (const op of ['add', 'remove']) {
      const patched = await client.patch(`/Groups/${group.id}`, {
        op,
        path: 'members',
        value: [{ value: user.id }],
      })
      costs.push(costOf(patched))
    }
    const created = await add(client, group.id, user.id)
    const removed = await client.request('DELETE', `${PATH}/${created.body.id}`)
    expect(costOf(created).rowsRead).toBeLessThanOrEqual((costs[0]?.rowsRead ?? 0) + NAMES + RANGE_ENDS)
    expect(costOf(created).rowsWritten).toBe(costs[0]?.rowsWritten)
    expect(costOf(removed).rowsRead).toBeLessThanOrEqual((costs[1]?.rowsRead ?? 0) + RANGE_ENDS)
    expect(costOf(removed).rowsWritten).toBe(costs[1]?.rowsWritten)
  })
})

describe('memberships in a bulk request', () => {
  it('are created, with bulkId references, and deleted', async () => {
    const { client, ann, all } = await directory()
    const user = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: newName() }
    const membership = { schemas: [SCHEMA], group: { value: all.id }, member: { value: 'bulkId:u' } }
    const answer = await client.request('POST', '/Bulk', {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
      Operations: [
        { method: 'POST', path: PATH, bulkId: 'm', data: membership },
        { method: 'POST', path: '/Users', bulkId: 'u', data: user },
        { method: 'DELETE', path: `${PATH}/${all.id}.${ann.id}` },
        { method: 'DELETE', path: `${PATH}/${all.id}.unknown` },
      ],
    })
    const { Operations } = answer.body
    expect(Operations.map(({ status }: { status: string }) => status)).toEqual(['201', '201', '204', '404'])
    const location = String(Operations[0].location)
    expect((await client.get(location.slice(TENANT_URL.length))).status).toBe(200)
  })
})

describe('a request that is explained', () => {
  it.each(['GET', 'POST', 'DELETE'])('tells what %s would do, and changes nothing', async (method) => {
    const { client, ben, all, pairs } = await directory()
    const path = method === 'DELETE' ? `${PATH}/${pairs[0]}` : PATH
    const membership = { schemas: [SCHEMA], group: { value: all.id }, member: { value: ben.id } }
    const body = { method, path, ...(method === 'POST' && { body: membership }) }
    const explained = await admin('POST', `/tenants/${client.tenantId}/explain`, body)
    expect(explained.body.status).toBe({ GET: 200, POST: 201, DELETE: 204 }[method])
    expect(explained.body.members).toEqual({
      added: method === 'POST' ? [ben.id] : [],
      removed: method === 'DELETE' ? [pairs[0]?.split('.')[1]] : [],
    })
    expect(pairsOf(await client.get(PATH))).toEqual(pairs)
  })
})

describe('a group that was deleted before its memberships', () => {
  it('has none here', async () => {
    const client = await newClient()
    await addCrowd(client.tenantId, 6_000)
    const { id } = await client.createGroup()
    await addMembers(client.tenantId, id, 6_000)
    const [first] = (await client.get(`${PATH}?count=1`)).body.Resources
    await env.DB.prepare('DELETE FROM groups WHERE tenant_id = ?1 AND id = ?2')
      .bind(client.tenantId, id)
      .run()
    expect((await client.get(PATH)).body).toMatchObject({ totalResults: 0, Resources: [] })
    const ofGroup = await find(client, `group.value eq "${id}"`)
    expect(ofGroup.body.totalResults).toBe(0)
    expect(costOf(ofGroup).rowsRead).toBeLessThan(20)
    expect((await find(client, `member.value eq "${first.member.value}"`)).body.totalResults).toBe(0)
  })
})

describe('discovery', () => {
  it('declares the type and its schema', async () => {
    const client = await newClient()
    const type = await client.get('/ResourceTypes/GroupMembership')
    expect(type.body).toMatchObject({ endpoint: PATH, schema: SCHEMA, schemaExtensions: [] })
    const { attributes } = (await client.get(`/Schemas/${SCHEMA}`)).body
    expect(
      attributes.map(({ name, mutability, required }: Record<string, unknown>) => [
        name,
        mutability,
        required,
      ]),
    ).toEqual([
      ['group', 'immutable', true],
      ['member', 'immutable', true],
    ])
  })
})
