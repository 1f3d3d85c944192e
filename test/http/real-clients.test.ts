/**
 * Requests and expectations of real clients beyond the RFCs. The comment above each describe names the client. The
 * functions in src/scim/compatibility name the sources.
 */
import { describe, expect, it } from 'vitest'
import { GROUP, newClient, USER } from '../support/harness.ts'

const BULK = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest'

// Microsoft's Postman collection requests /users: AzureAD/SCIMReferenceCode#43.
describe('endpoints in another case', () => {
  it('are equivalent to those of RFC 7644 §3.2', async () => {
    const client = await newClient()
    const created = await client.request('POST', '/users', { schemas: [USER], userName: 'ada' })
    expect(created.status).toBe(201)
    const { id, meta } = created.body
    expect(created.headers.get('Location')).toBe(meta.location)
    expect(meta.location).toMatch(/\/scim\/v2\/Users\//)
    const group = await client.request('POST', '/GROUPS/', { schemas: [GROUP], displayName: 'Crew' })
    expect(group.status).toBe(201)
    for (const path of [
      '/users',
      '/uSERS/',
      `/users/${id}`,
      `//users//${id}/?attributes=id`,
      '/groups?count=1',
    ]) {
      expect((await client.get(path)).status, path).toBe(200)
    }
    for (const path of [
      '/schemas',
      '/SCHEMAS/',
      `/schemas/${USER}`,
      '/resourcetypes',
      '/resourceTypes/User',
    ]) {
      expect((await client.get(path)).status, path).toBe(200)
    }
    expect((await client.get('/serviceproviderconfig')).status).toBe(200)
    expect((await client.get('/me')).status).toBe(501)
    expect((await client.request('POST', '/users/.search', {})).body.totalResults).toBe(1)
    expect((await client.request('PATCH', `/users/${id}`, { Operations: [] })).status).toBe(200)
    expect((await client.request('DELETE', `/groups/${group.body.id}`)).status).toBe(204)
    expect((await client.log()).map(({ action }) => action)).toEqual(['delete', 'update', 'create', 'create'])
  })

  it('require a token, reject unsupported methods, and keep the case of ids', async () => {
    const client = await newClient()
    const { id } = await client.createUser()
    const stranger = { Authorization: 'Bearer x' }
    for (const path of ['/users', '/groups', '/schemas', '/bulk']) {
      const answer = await client.request(path === '/bulk' ? 'POST' : 'GET', path, undefined, stranger)
      expect(answer.status, path).toBe(401)
    }
    expect((await client.request('PUT', '/users', {})).headers.get('Allow')).toContain('POST')
    expect((await client.get(`/users/${id.toUpperCase()}`)).status).toBe(404)
    for (const path of ['/user', '/usersx', '/users.search', '/USERS%2F', '/.SEARCH']) {
      expect((await client.get(path)).status, path).toBe(404)
    }
  })

  it('are accepted in the paths of bulk operations, and returned as the RFC spells them', async () => {
    const client = await newClient()
    const Operations = [
      { method: 'POST', path: '/users', bulkId: 'u', data: { schemas: [USER], userName: 'ada' } },
      { method: 'PATCH', path: '/USERS/bulkId:u', data: { Operations: [] } },
      { method: 'DELETE', path: '/groups/unknown' },
    ]
    const { body } = await client.request('POST', '/bulk', { schemas: [BULK], Operations })
    const results = body.Operations as readonly { status: string; location: string }[]
    expect(results.map(({ status }) => status)).toEqual(['201', '200', '404'])
    expect(results.map(({ location }) => new URL(location).pathname.split('/')[3])).toEqual([
      'Users',
      'Users',
      'Groups',
    ])
  })
})

// Without a media type, the client of SCIM-SDK assumes that the response is not from a SCIM endpoint.
describe('the 204 of a group PATCH', () => {
  it('has the Content-Type application/scim+json and no body', async () => {
    const client = await newClient()
    const user = await client.createUser()
    const { id } = await client.createGroup()
    for (const operation of [
      { op: 'add', path: 'members', value: [{ value: user.id }] },
      { op: 'remove', path: `members[value eq "${user.id}"]` },
      { op: 'replace', path: 'displayName', value: 'Other' },
    ]) {
      const answer = await client.patch(`/Groups/${id}`, operation)
      expect([answer.status, answer.body]).toEqual([204, undefined])
      expect(answer.headers.get('Content-Type')).toBe('application/scim+json')
      expect(answer.headers.get('ETag')).toMatch(/^W\/"\d+"$/)
    }
  })
})

// authentik compares members only if it finds a list, so it did not restore the members of an emptied group.
describe('a group without members', () => {
  it('has an empty list if members are returned', async () => {
    const client = await newClient()
    const displayName = 'Crew'
    const created = await client.request('POST', '/Groups', { schemas: [GROUP], displayName })
    const path = `/Groups/${created.body.id}`
    const filter = `filter=${encodeURIComponent('displayName eq "crew"')}`
    const rename = { Operations: [{ op: 'replace', path: 'externalId', value: 'x' }] }
    const answers = [
      created,
      await client.get(path),
      await client.get(`${path}?attributes=members`),
      await client.get(`${path}?attributes=displayName,members.value`),
      await client.get(`${path}?excludedAttributes=externalId`),
      await client.request('PUT', path, { schemas: [GROUP], displayName, members: [] }),
      await client.request('PATCH', `${path}?attributes=members`, rename),
      await client.request('PATCH', `${path}?attributes=displayName,members`, rename),
    ]
    for (const [i, { body }] of answers.entries()) expect(body.members, `answer ${i}`).toEqual([])
    for (const list of [
      '/Groups',
      `/Groups?${filter}`,
      `/Groups?${filter}&attributes=members`,
      '',
      '?count=5',
    ]) {
      const { Resources } = (await client.get(list)).body
      expect(Resources[0].members, list).toEqual([])
    }
    const found = await client.request('POST', '/Groups/.search', { attributes: ['members'] })
    expect(found.body.Resources[0].members).toEqual([])
  })

  it('has no list if members are not returned', async () => {
    const client = await newClient()
    const { id } = await client.createGroup()
    const queries = [
      'excludedAttributes=members',
      'attributes=displayName',
      'attributes=id&excludedAttributes=members',
    ]
    for (const query of queries) {
      expect((await client.get(`/Groups/${id}?${query}`)).body).not.toHaveProperty('members')
      for (const resource of (await client.get(`/Groups?${query}`)).body.Resources) {
        expect(resource).not.toHaveProperty('members')
      }
    }
    const named = await client.request('PATCH', `/Groups/${id}?attributes=displayName`, { Operations: [] })
    expect(named.body).not.toHaveProperty('members')
    expect(await client.createUser()).not.toHaveProperty('groups')
  })

  it('can be written back as it was read, and does not match "members pr"', async () => {
    const client = await newClient()
    const group = await client.createGroup()
    const answer = await client.request('PUT', `/Groups/${group.id}`, group)
    expect([answer.status, answer.body]).toEqual([200, group])
    expect((await client.filter('/Groups', 'members pr')).body.totalResults).toBe(0)
  })
})

// The client of SCIM-SDK wraps values of a PATCH in lists: Captain-P-Goldfish/SCIM-SDK#968.
describe('a PATCH value in a list of one', () => {
  it.for([
    [undefined, [{ title: 'Pilot', 'name.givenName': 'Ada' }]],
    [undefined, { title: ['Pilot'], name: [{ givenName: 'Ada' }] }],
  ] as const)('is unwrapped, with the path %j', async ([path, value]) => {
    const client = await newClient()
    const { id } = await client.createUser()
    const answer = await client.patch(`/Users/${id}`, { op: 'replace', path, value })
    expect([answer.status, answer.body.title, answer.body.name]).toEqual([200, 'Pilot', { givenName: 'Ada' }])
  })

  it('is unwrapped with a path too', async () => {
    const client = await newClient()
    const { id } = await client.createUser()
    const value = ['de']
    expect(
      (await client.patch(`/Users/${id}`, { op: 'add', path: 'preferredLanguage', value })).body
        .preferredLanguage,
    ).toBe('de')
    const disabled = await client.patch(`/Users/${id}`, { op: 'replace', path: 'active', value: [false] })
    expect(disabled.body.active).toBe(false)
  })

  it.for([[], [{}, {}], ['title'], [null], [[{ title: 'x' }]]])(
    'is rejected if it is not an object: %j',
    async (value) => {
      const client = await newClient()
      const user = await client.createUser()
      const answer = await client.patch(`/Users/${user.id}`, { op: 'replace', value })
      expect(answer.body).toMatchObject({ status: '400', scimType: 'invalidValue' })
      expect((await client.get(`/Users/${user.id}`)).body).toEqual(user)
    },
  )
})

// SCIM-SDK until July 2024, and Gluu's client: Captain-P-Goldfish/SCIM-SDK#690, GluuFederation/SCIM-Client#59.
describe('a SearchRequest with names as one text', () => {
  it('is split at commas', async () => {
    const client = await newClient()
    await client.createUser({ userName: 'ada', title: 'Pilot', nickName: 'A' })
    const keys = async (body: object) =>
      Object.keys((await client.request('POST', '/Users/.search', body)).body.Resources[0]).sort()
    expect(await keys({ attributes: 'userName' })).toEqual(['id', 'schemas', 'userName'])
    expect(await keys({ attributes: ' userName, title,' })).toEqual(['id', 'schemas', 'title', 'userName'])
    const all = await keys({})
    expect(await keys({ attributes: '' })).toEqual(all)
    expect(await keys({ excludedAttributes: 'title,nickName' })).toEqual(
      all.filter((name) => name !== 'title' && name !== 'nickName'),
    )
  })
})

// Clients that use a numeric key or an employee number as externalId.
describe('externalId as a number', () => {
  it('is converted to a string, and matched by both forms', async () => {
    const client = await newClient()
    const user = await client.createUser({ externalId: 4711 })
    expect(user.externalId).toBe('4711')
    for (const literal of ['"4711"', '4711']) {
      const { body } = await client.filter('/Users', `externalId eq ${literal}`)
      expect(body.Resources.map(({ id }: { id: string }) => id)).toEqual([user.id])
    }
    const path = `/Users/${user.id}`
    const patch = { op: 'replace', path: 'externalId', value: 12 }
    expect((await client.patch(path, patch)).body.externalId).toBe('12')
    expect((await client.patch(path, { op: 'replace', value: { externalId: -3 } })).body.externalId).toBe(
      '-3',
    )
    const put = { schemas: [USER], userName: user.userName, externalId: 0 }
    expect((await client.request('PUT', path, put)).body.externalId).toBe('0')
    expect((await client.createGroup({ externalId: 7 })).externalId).toBe('7')
  })

  it.for(['12345678901234567890', '1.5', '1e400', 'true', '{}'])('is rejected as %s', async (externalId) => {
    const client = await newClient()
    const body = `{"schemas":["${USER}"],"userName":"ada","externalId":${externalId}}`
    const answer = await client.request('POST', '/Users', body)
    expect(answer.body).toMatchObject({ status: '400', scimType: 'invalidValue' })
    expect(answer.body.detail).toContain('"externalId" must be a string')
  })

  it('is accepted only for externalId, not for other string attributes', async () => {
    const client = await newClient()
    const answer = await client.request('POST', '/Users', { schemas: [USER], userName: 'ada', title: 5 })
    expect(answer.body).toMatchObject({ status: '400', scimType: 'invalidValue' })
  })
})
