import { describe, expect, it } from 'vitest'
import { addCrowd, addToGroup } from '../support/crowd.ts'
import { costOf, newClient, TENANT_URL, USER } from '../support/harness.ts'

const CISCO = 'urn:ietf:params:scim:schemas:extension:ciscoumbrella:2.0:User'

describe('POST /Users', () => {
  it('answers 201 with the resource, its location and its ETag, in one round trip', async () => {
    const client = await newClient()
    await client.get('/Users?count=0')
    const answer = await client.request('POST', '/Users', {
      schemas: [USER, CISCO],
      userName: 'Zoë.Åkerström@quillfern.example',
      name: { givenName: 'Zoë', familyName: 'Åkerström' },
      [CISCO]: { nativeObjectId: 'C0A1F7D2' },
    })
    expect(answer.status).toBe(201)
    const { id, meta } = answer.body
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(meta).toMatchObject({
      resourceType: 'User',
      location: `${TENANT_URL}/Users/${id}`,
      version: 'W/"1"',
    })
    expect(meta.created).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    expect(answer.headers.get('Location')).toBe(meta.location)
    expect(answer.headers.get('ETag')).toBe('W/"1"')
    expect(answer.body.active).toBe(true)
    expect(answer.body.schemas).toEqual([USER, CISCO])
    expect((await client.get(`/Users/${id}`)).body).toEqual(answer.body)
    expect(costOf(answer).roundTrips).toBe(1)
  })

  it('answers 409 uniqueness to a userName that differs only in case, for all of Unicode', async () => {
    const client = await newClient()
    await client.createUser({ userName: 'ÉLODIE@quillfern.example' })
    for (const userName of ['élodie@quillfern.example', 'ÉLODIE@quillfern.example'.normalize('NFD')]) {
      const answer = await client.request('POST', '/Users', { schemas: [USER], userName })
      expect(answer.body).toMatchObject({ status: '409', scimType: 'uniqueness' })
      expect(answer.body.detail).toContain(userName)
      expect(costOf(answer).roundTrips).toBe(2)
    }
  })

  it('ignores id, meta, groups and unknown attributes, and reports unknown ones in the log', async () => {
    const client = await newClient()
    const user = await client.createUser({
      id: 'mine',
      meta: { created: '2001-01-01T00:00:00Z' },
      groups: [{ value: 'x' }],
      password: 'correct horse battery staple',
      shoeSize: 44,
      name: { givenName: 'Ada', shadow: 1 },
      'urn:example:unknown': {},
    })
    expect(user.id).not.toBe('mine')
    expect(user.meta.created).not.toContain('2001')
    expect(user).not.toHaveProperty('groups')
    expect(user).not.toHaveProperty('password')
    const [entry] = await client.log()
    expect(entry?.ignored).toEqual(['password', 'shoeSize', 'name.shadow', 'urn:example:unknown'])
    expect(JSON.stringify(entry)).not.toContain('correct horse')
  })

  it('returns only the requested attributes', async () => {
    const client = await newClient()
    const body = { schemas: [USER], userName: 'a@quillfern.example', title: 'Surveyor' }
    const answer = await client.request('POST', '/Users?attributes=userName', body)
    expect(Object.keys(answer.body).sort()).toEqual(['id', 'schemas', 'userName'])
    expect(answer.headers.get('ETag')).toBe('W/"1"')
  })
})

describe('GET /Users/{id}', () => {
  it('returns the groups of a user, in one round trip', async () => {
    const client = await newClient()
    const user = await client.createUser()
    const group = await client.createGroup({ displayName: 'Field Crew', members: [{ value: user.id }] })
    const answer = await client.get(`/Users/${user.id}`)
    expect(answer.body.groups).toEqual([
      { value: group.id, display: 'Field Crew', type: 'direct', $ref: `${TENANT_URL}/Groups/${group.id}` },
    ])
    expect(costOf(answer).roundTrips).toBe(1)
  })

  it('reads no more rows if the tenant has thousands of other users and memberships', async () => {
    const client = await newClient()
    const user = await client.createUser({ externalId: 'one', displayName: 'One' })
    const own = await client.createGroup({ members: [{ value: user.id }] })
    const crowd = await client.createGroup()
    await addToGroup(client.tenantId, crowd.id, await addCrowd(client.tenantId, 5_000))
    expect(costOf(await client.get(`/Users/${user.id}`)).rowsRead).toBeLessThan(12)
    for (const sorted of ['', '&sortBy=userName']) {
      const members = await client.filter('/Users', `groups.value eq "${own.id}"`, sorted)
      expect(members.body.totalResults).toBe(1)
      expect(costOf(members).rowsRead).toBeLessThan(100)
    }
    for (const lookup of [
      'externalId eq "one"',
      'displayName eq "one"',
      `meta.lastModified eq "${user.meta.lastModified}"`,
      'userName eq "nobody" or externalId eq "one"',
      `externalId eq "one" and groups.value eq "${own.id}"`,
    ]) {
      const found = await client.filter('/Users', lookup)
      expect(found.body.totalResults).toBe(1)
      // Other users could have the same value, so that they are counted before.
      expect(costOf(found).rowsRead).toBeLessThan(45)
    }
    // The matches of an index are counted before other tests.
    for (const narrowed of [
      'displayName sw "on" and active eq true',
      'active eq true and (displayName eq "one" or externalId eq "two" or groups.value eq "three")',
    ]) {
      const found = await client.filter('/Users', narrowed)
      expect(found.body.totalResults).toBe(1)
      expect(costOf(found).rowsRead).toBeLessThan(60)
    }
    await addToGroup(client.tenantId, crowd.id, [user.id])
    const inCrowd = await client.filter('/Users', `externalId eq "one" and groups.value eq "${crowd.id}"`)
    expect(inCrowd.body.totalResults).toBe(1)
    expect(costOf(inCrowd).rowsRead).toBeLessThan(40)
    const empty = await client.createGroup()
    for (const path of [`/Users/${user.id}`, `/Groups/${empty.id}`]) {
      expect(costOf(await client.request('DELETE', path)).rowsRead).toBeLessThan(220)
    }
  })

  it('answers 304 if the client has the version, and 404 for an unknown id', async () => {
    const client = await newClient()
    const { id } = await client.createUser()
    const known = await client.get(`/Users/${id}`, { 'If-None-Match': '"7", W/"1"' })
    expect([known.status, known.body]).toEqual([304, undefined])
    expect((await client.get(`/Users/${id}`, { 'If-None-Match': 'W/"2"' })).status).toBe(200)
    expect((await client.get('/Users/unknown')).body).toMatchObject({
      status: '404',
      detail: 'User "unknown" not found',
    })
  })
})

describe('GET /Users', () => {
  it('pages in the order of creation with the correct total', async () => {
    const client = await newClient()
    const ids: string[] = []
    for (let i = 0; i < 7; i++) ids.push((await client.createUser()).id)
    const pages = []
    for (let startIndex = 1; startIndex <= 7; startIndex += 3) {
      const { body } = await client.get(`/Users?startIndex=${startIndex}&count=3&attributes=id`)
      expect(body).toMatchObject({ totalResults: 7, startIndex, itemsPerPage: body.Resources.length })
      pages.push(...body.Resources.map((user: { id: string }) => user.id))
    }
    expect(pages).toEqual(ids)
  })

  it('returns only the total for count 0 and negative counts, and treats a startIndex below 1 as 1', async () => {
    const client = await newClient()
    await client.createUser()
    expect((await client.get('/Users?count=0')).body).toMatchObject({
      totalResults: 1,
      itemsPerPage: 0,
      Resources: [],
    })
    expect((await client.get('/Users?count=-5')).body).toMatchObject({ totalResults: 1, Resources: [] })
    expect((await client.get('/Users?startIndex=-3')).body).toMatchObject({ startIndex: 1, itemsPerPage: 1 })
    expect((await client.get('/Users?startIndex=50')).body).toMatchObject({ totalResults: 1, Resources: [] })
    expect((await client.get('/Users?count=99999999999999999999')).body.itemsPerPage).toBe(1)
    expect((await client.get('/Users?count=ten')).body).toMatchObject({
      status: '400',
      scimType: 'invalidValue',
    })
  })
})

describe('a user that is read', () => {
  it('has its attributes in the order of the schema', async () => {
    const client = await newClient()
    const body = { displayName: 'Order', active: true, userName: 'order@quillfern.example', schemas: [USER] }
    const { id } = (await client.request('POST', '/Users', body)).body
    const order = ['schemas', 'userName', 'displayName', 'active', 'id', 'meta']
    expect(Object.keys((await client.get(`/Users/${id}`)).body)).toEqual(order)
    const { Resources } = (await client.filter('/Users', 'userName eq "order@quillfern.example"')).body
    expect(Object.keys(Resources[0])).toEqual(order)
  })
})

describe('PUT /Users/{id}', () => {
  it('clears omitted attributes, but does not enable a disabled user', async () => {
    const client = await newClient()
    const { id, userName } = await client.createUser({ title: 'Surveyor', active: false })
    const answer = await client.request('PUT', `/Users/${id}`, { schemas: [USER], userName, nickName: 'Mi' })
    expect(answer.body).toMatchObject({ nickName: 'Mi', active: false, meta: { version: 'W/"2"' } })
    expect(answer.body).not.toHaveProperty('title')
    expect(costOf(answer).roundTrips).toBe(1)
  })

  it('keeps the version if nothing changes', async () => {
    const client = await newClient()
    const user = await client.createUser({ title: 'Surveyor' })
    const answer = await client.request('PUT', `/Users/${user.id}`, user)
    expect(answer.body).toEqual(user)
  })

  it('answers 409 to a userName in use, in two round trips, and changes nothing', async () => {
    const client = await newClient()
    await client.createUser({ userName: 'taken@quillfern.example' })
    const user = await client.createUser({ userName: 'free@quillfern.example' })
    const body = { schemas: [USER], userName: 'TAKEN@quillfern.example' }
    const answer = await client.request('PUT', `/Users/${user.id}`, body)
    expect(answer.body).toMatchObject({ status: '409', scimType: 'uniqueness' })
    expect(costOf(answer).roundTrips).toBe(2)
    expect((await client.get(`/Users/${user.id}`)).body).toEqual(user)
  })
})

describe('PATCH /Users/{id}', () => {
  it('answers 200 with the changed resource, in one round trip if it is cached', async () => {
    const client = await newClient()
    const user = await client.createUser()
    const answer = await client.patch(`/Users/${user.id}`, {
      op: 'replace',
      path: 'displayName',
      value: 'Mirela',
    })
    expect(answer.status).toBe(200)
    expect(answer.body).toMatchObject({
      displayName: 'Mirela',
      meta: { version: 'W/"2"', created: user.meta.created },
    })
    expect(answer.headers.get('ETag')).toBe('W/"2"')
    expect(costOf(answer).roundTrips).toBe(1)
  })

  it('is atomic', async () => {
    const client = await newClient()
    const user = await client.createUser({ title: 'Surveyor' })
    const answer = await client.patch(
      `/Users/${user.id}`,
      { op: 'replace', path: 'title', value: 'Pilot' },
      { op: 'replace', path: 'active', value: 'perhaps' },
    )
    expect(answer.body).toMatchObject({ status: '400', scimType: 'invalidValue' })
    expect(answer.body.detail).toContain('"active" must be a boolean, found a string')
    expect((await client.get(`/Users/${user.id}`)).body).toEqual(user)
    expect(costOf(answer).roundTrips).toBe(2)
  })

  it('does not change version or lastModified if nothing else changes', async () => {
    const client = await newClient()
    const user = await client.createUser({ title: 'Surveyor' })
    const answer = await client.patch(`/Users/${user.id}`, {
      op: 'Replace',
      path: 'title',
      value: 'Surveyor',
    })
    expect(answer.body).toEqual(user)
  })

  it('honours If-Match', async () => {
    const client = await newClient()
    const { id } = await client.createUser()
    const operations = { Operations: [{ op: 'replace', path: 'title', value: 'Pilot' }] }
    const stale = await client.request('PATCH', `/Users/${id}`, operations, { 'If-Match': 'W/"7"' })
    expect(stale.status).toBe(412)
    expect((await client.request('PATCH', `/Users/${id}`, operations, { 'If-Match': 'W/"1"' })).status).toBe(
      200,
    )
    expect((await client.request('PATCH', `/Users/${id}`, operations, { 'If-Match': '*' })).status).toBe(200)
  })
})

describe('preconditions', () => {
  it('fail with 412 for a matching If-None-Match, and for a GET with a different If-Match', async () => {
    const client = await newClient()
    const { id, userName } = await client.createUser()
    const body = { schemas: [USER], userName, title: 'Pilot' }
    const patch = { Operations: [{ op: 'replace', path: 'title', value: 'Pilot' }] }
    for (const [method, sent] of [
      ['PUT', body],
      ['PATCH', patch],
      ['DELETE', undefined],
    ] as const) {
      for (const tag of ['*', 'W/"1"', '"7", "1"']) {
        const answer = await client.request(method, `/Users/${id}`, sent, { 'If-None-Match': tag })
        expect(answer.status, `${method} ${tag}`).toBe(412)
      }
    }
    expect((await client.get(`/Users/${id}`, { 'If-Match': 'W/"2"' })).status).toBe(412)
    expect((await client.get(`/Users/${id}`, { 'If-Match': 'W/"1"' })).status).toBe(200)
    const other = await client.request('DELETE', `/Users/${id}`, undefined, { 'If-None-Match': 'W/"2"' })
    expect(other.status).toBe(204)
  })
})

describe('very long values', () => {
  it('are stored, and truncated in the provisioning log', async () => {
    const client = await newClient()
    const long = (count: number) => Array.from({ length: count }, (_, i) => `${i}${'x'.repeat(62_499)}`)
    const addresses = long(8).map((formatted) => ({ formatted }))
    const user = await client.createUser({ addresses, nickName: 'short' })
    expect((await client.get(`/Users/${user.id}`)).body.addresses).toEqual(addresses)
    const [entry] = await client.log()
    const logged = { formatted: `0${'x'.repeat(1_998)}… (62500 characters)` }
    const changes = entry?.changes as { attribute: string; new: unknown[] }[]
    const change = changes.find(({ attribute }) => attribute === 'addresses')
    expect(change?.new[0]).toEqual(logged)
    expect(entry?.changes).toContainEqual({ attribute: 'nickName', new: 'short' })
    const growing = await client.patch(`/Users/${user.id}`, {
      op: 'add',
      path: 'photos',
      value: long(8).map((value) => ({ value })),
    })
    expect(growing.body).toMatchObject({ status: '400', scimType: 'invalidValue' })
    expect(growing.body.detail).toMatch(/would need \d+ bytes/)
  })
})

describe('DELETE /Users/{id}', () => {
  it('removes the user and its memberships, and makes the userName available, in one round trip', async () => {
    const client = await newClient()
    const user = await client.createUser()
    const group = await client.createGroup({ members: [{ value: user.id }] })
    const answer = await client.request('DELETE', `/Users/${user.id}`)
    expect([answer.status, answer.body]).toEqual([204, undefined])
    expect(costOf(answer).roundTrips).toBe(1)
    expect((await client.get(`/Users/${user.id}`)).status).toBe(404)
    const { body } = await client.get(`/Groups/${group.id}`)
    expect(body.members).toEqual([])
    expect(body.meta.version).toBe('W/"2"')
    expect((await client.createUser({ userName: user.userName })).id).not.toBe(user.id)
  })

  it('answers 404 the second time, and 412 for another version', async () => {
    const client = await newClient()
    const { id } = await client.createUser()
    const stale = await client.request('DELETE', `/Users/${id}`, undefined, { 'If-Match': 'W/"9"' })
    expect(stale.status).toBe(412)
    expect((await client.request('DELETE', `/Users/${id}`, undefined, { 'If-Match': 'W/"1"' })).status).toBe(
      204,
    )
    const again = await client.request('DELETE', `/Users/${id}`)
    expect(again.status).toBe(404)
    expect(costOf(again).roundTrips).toBe(2)
  })
})
