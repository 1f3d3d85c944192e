/**
 * Profiles over HTTP: deviations outside of request bodies, and that all kinds of writes use the profile of the tenant.
 */
import { describe, expect, it } from 'vitest'
import { admin, type Client } from '../support/harness.ts'
import { newClientWith } from '../support/profile-client.ts'
import { BULK_REQUEST, GROUP, PATCH_OP, SEARCH_REQUEST, USER } from '../support/urns.ts'

const user = (userName: string) => ({ schemas: [USER], userName })

/** Paths that are accepted only by a deviation. */
const CASES = ['/users', '/GROUPS?count=1', '/schemas', `/schemas/${USER}`, '/resourceTypes/User', '/me']
const SLASHES = ['/Users/', '//Users', '/Users/?count=1', '/Groups//', '/Schemas/']

describe('paths', () => {
  it.for([...CASES, ...SLASHES])('%s is not found in the strict profile', async (path) => {
    const client = await newClientWith('strict')
    const answer = await client.get(path)
    expect(answer.body).toMatchObject({ status: '404', detail: expect.stringContaining('did you mean') })
  })

  it('must be spelled as in RFC 7644 §3.2 in the strict profile', async () => {
    const client = await newClientWith('strict')
    const { id } = await client.createUser()
    for (const path of [
      '',
      '/',
      '/?count=1',
      '/Users',
      `/Users/${id}`,
      '/Users?count=1',
      '/Schemas',
      '/ResourceTypes',
    ]) {
      expect((await client.get(path)).status, path).toBe(200)
    }
    expect((await client.get('/Me')).status).toBe(501)
    expect((await client.request('POST', '/Users/.search', { schemas: [SEARCH_REQUEST] })).status).toBe(200)
  })

  it('may deviate in the entra profile as Entra requires, but not in the okta profile', async () => {
    const [entra, okta] = [await newClientWith('entra'), await newClientWith('okta')]
    for (const path of ['/users', '//Users', '/Users/?count=1']) {
      expect((await entra.get(path)).status, path).toBe(200)
      expect((await okta.get(path)).status, path).toBe(404)
    }
  })

  it('are not checked for an invalid token, which gets 401', async () => {
    const client = await newClientWith('strict')
    for (const path of ['/users', '//Users', '/schemas']) {
      expect((await client.get(path, { Authorization: `Bearer ${client.token}x` })).status, path).toBe(401)
    }
  })

  it('of bulk operations must be spelled as in the RFC too', async () => {
    const client = await newClientWith('strict')
    const Operations = [
      { method: 'POST', path: '/users', bulkId: 'a', data: user('ada') },
      { method: 'POST', path: '/Users', bulkId: 'b', data: user('bob') },
      { method: 'POST', path: '/Users', bulkId: 'c', data: { ...user('eve'), shoeSize: 5 } },
    ]
    const { body } = await client.request('POST', '/Bulk', { schemas: [BULK_REQUEST], Operations })
    expect(body.Operations.map(({ status }: { status: string }) => status)).toEqual(['404', '201', '400'])
  })
})

describe('a token without the word Bearer', () => {
  const bare = (client: Client) => ({ Authorization: client.token })

  it.for([
    ['tolerant', 200, 201],
    ['okta', 200, 201],
    ['strict', 401, 401],
    ['entra', 401, 401],
  ] as const)('is accepted or not according to the %s profile', async ([profile, read, write]) => {
    const client = await newClientWith(profile)
    for (const path of ['/Users', '/Schemas', '/Users/unknown', '/']) {
      const found = await client.get(path, bare(client))
      expect(found.status, path).toBe(path === '/Users/unknown' && read === 200 ? 404 : read)
    }
    const made = await client.request('POST', '/Users', user(crypto.randomUUID()), bare(client))
    expect(made.status).toBe(write)
    if (write === 401) expect(made.headers.get('WWW-Authenticate')).toBe('Bearer realm="scim-worker"')
    expect((await client.get('/Users')).body.totalResults).toBe(write === 401 ? 0 : 1)
  })

  it('is judged by the present profile, also where an earlier one is remembered', async () => {
    const client = await newClientWith('strict')
    expect((await client.get('/Users', bare(client))).status).toBe(401)
    await admin('PATCH', `/tenants/${client.tenantId}`, { profile: 'okta' })
    expect((await client.get('/Users', bare(client))).status).toBe(200)
    await admin('PATCH', `/tenants/${client.tenantId}`, { profile: 'strict' })
    expect((await client.get('/Users', bare(client))).status).toBe(401)
    expect((await client.get('/Users')).status).toBe(200)
  })

  it('is not accepted in another form', async () => {
    const client = await newClientWith('okta')
    for (const Authorization of [`Token ${client.token}`, `x ${client.token}`, `${client.token} x`]) {
      expect((await client.get('/Users', { Authorization })).status, Authorization).toBe(401)
    }
  })
})

describe('the query of one resource', () => {
  it.for(['attributes=', 'excludedAttributes=', 'attributes=userName,', 'attributes'])(
    'may have the empty parameter %s only in profiles that ignore it',
    async (query) => {
      const [strict, tolerant] = [await newClientWith('strict'), await newClientWith('tolerant')]
      for (const [client, status] of [
        [strict, 400],
        [tolerant, 200],
      ] as const) {
        const { id } = await client.createUser()
        const group = await client.createGroup()
        expect((await client.get(`/Users/${id}?${query}`)).status).toBe(status)
        expect((await client.get(`/Users?${query}`)).status).toBe(status)
        const change = {
          schemas: [PATCH_OP],
          Operations: [{ op: 'replace', path: 'displayName', value: 'B' }],
        }
        const patched = await client.request('PATCH', `/Groups/${group.id}?${query}`, change)
        expect(patched.status === 400).toBe(status === 400)
      }
      const { body } = await strict.get(`/Users?${query}`)
      expect(body).toMatchObject({
        scimType: 'invalidValue',
        detail: expect.stringContaining('an empty name'),
      })
    },
  )

  it('has numbers in the form of JSON in the strict profile', async () => {
    const [strict, tolerant] = [await newClientWith('strict'), await newClientWith('tolerant')]
    for (const query of ['count=+5', 'count=%2B5', 'startIndex=01']) {
      expect((await tolerant.get(`/Users?${query}`)).status, query).toBe(200)
      const { status, body } = await strict.get(`/Users?${query}`)
      expect([status, body.scimType], query).toEqual([400, 'invalidValue'])
    }
    expect((await strict.get('/Users?count=5&startIndex=-1')).status).toBe(200)
  })
})

describe('names in a body', () => {
  it('must not be repeated in another case in the strict profile', async () => {
    const [strict, tolerant] = [await newClientWith('strict'), await newClientWith('tolerant')]
    const { id } = await strict.createUser()
    const bodies = [
      ['POST', '/Users', { ...user('ada'), USERNAME: 'bob' }],
      ['POST', '/Users', { ...user('ada'), emails: [{ value: 'a', Value: 'b' }] }],
      [
        'PATCH',
        `/Users/${id}`,
        { schemas: [PATCH_OP], Operations: [{ op: 'add', OP: 'remove', path: 'title' }] },
      ],
      ['POST', '/.search', { schemas: [SEARCH_REQUEST], count: 1, Count: 2 }],
      ['POST', '/Groups', { schemas: [GROUP], displayName: 'a', displayname: 'b' }],
    ] as const
    for (const [method, path, body] of bodies) {
      const answer = await strict.request(method, path, body)
      expect([answer.status, answer.body.scimType], path).toEqual([400, 'invalidSyntax'])
      expect(answer.body.detail).toMatch(/^an object must not have the member "\w+" twice$/)
    }
    const Operations = [{ method: 'POST', path: '/Users', bulkId: 'a', data: bodies[0][2] }]
    const bulk = await strict.request('POST', '/Bulk', { schemas: [BULK_REQUEST], Operations })
    expect([bulk.status, bulk.body.scimType]).toEqual([400, 'invalidSyntax'])
    expect((await strict.get('/Users')).body.totalResults).toBe(1)
    const made = await tolerant.request('POST', '/Users', bodies[0][2])
    expect([made.status, made.body.userName]).toEqual([201, 'bob'])
  })
})

describe('media types', () => {
  it('are required for a body in the strict profile', async () => {
    const body = JSON.stringify(user('ada'))
    for (const [profile, status] of [
      ['strict', 415],
      ['tolerant', 201],
    ] as const) {
      const client = await newClientWith(profile)
      expect((await client.request('POST', '/Users', body, { 'Content-Type': '' })).status).toBe(status)
    }
    const strict = await newClientWith('strict')
    const answer = await strict.request('POST', '/Users', body, { 'Content-Type': 'application/json' })
    expect(answer.status).toBe(201)
  })
})

describe('a group', () => {
  it.for([
    ['strict', undefined, null],
    ['tolerant', [], 'application/scim+json'],
    ['okta', [], null],
  ] as const)(
    'without members is returned and changed according to the %s profile',
    async ([profile, members, type]) => {
      const client = await newClientWith(profile)
      const created = await client.request('POST', '/Groups', { schemas: [GROUP], displayName: 'Crew' })
      expect(created.body.members).toEqual(members)
      const path = `/Groups/${created.body.id}`
      expect((await client.get(path)).body.members).toEqual(members)
      expect((await client.get('/Groups')).body.Resources[0].members).toEqual(members)
      const renamed = await client.patch(path, { op: 'replace', path: 'displayName', value: 'Staff' })
      expect([renamed.status, renamed.headers.get('Content-Type')]).toEqual([204, type])
    },
  )

  it('rejects the removal of absent members, and removal by value, in the strict profile', async () => {
    const client = await newClientWith('strict')
    const [ada, bob] = [await client.createUser(), await client.createUser()]
    const { id } = await client.createGroup({ members: [{ value: ada.id }] })
    const path = `/Groups/${id}`
    for (const [operation, scimType] of [
      [{ op: 'remove', path: `members[value eq "${bob.id}"]` }, 'noTarget'],
      [{ op: 'remove', path: 'members[type eq "Group"]' }, 'noTarget'],
      [{ op: 'remove', path: 'members', value: [{ value: ada.id }] }, 'invalidValue'],
      [{ op: 'Add', path: 'members', value: [{ value: bob.id }] }, 'invalidSyntax'],
      [{ op: 'add', path: 'members', value: { value: bob.id } }, 'invalidValue'],
      [{ op: 'add', path: 'members', value: [bob.id] }, 'invalidValue'],
    ] as const) {
      const answer = await client.patch(path, operation)
      expect([answer.status, answer.body?.scimType], JSON.stringify(operation)).toEqual([400, scimType])
    }
    expect(await membersOf(client, path)).toEqual([ada.id])
    expect((await client.patch(path, { op: 'remove', path: `members[value eq "${ada.id}"]` })).status).toBe(
      204,
    )
    expect(await membersOf(client, path)).toEqual([])
  })
})

async function membersOf(client: Client, path: string): Promise<readonly string[]> {
  const { members = [] } = (await client.get(path)).body
  return members.map(({ value }: { value: string }) => value)
}

describe('a user', () => {
  it('is disabled atomically in the strict profile', async () => {
    const operations = [
      { op: 'replace', path: 'active', value: false },
      { op: 'replace', path: 'shoeSize', value: 5 },
    ]
    const strict = await newClientWith('strict')
    const { id } = await strict.createUser()
    const refused = await strict.patch(`/Users/${id}`, ...operations)
    expect([refused.status, refused.body.scimType]).toEqual([400, 'invalidPath'])
    expect((await strict.get(`/Users/${id}`)).body.active).toBe(true)
    const entra = await newClientWith('entra')
    const leaver = await entra.createUser()
    expect((await entra.patch(`/Users/${leaver.id}`, ...operations)).body.active).toBe(false)
  })

  it('keeps "active" if a PUT omits it, and the strict profile rejects ""', async () => {
    const client = await newClientWith('strict')
    const { id, userName } = await client.createUser({ active: false })
    const path = `/Users/${id}`
    expect((await client.request('PUT', path, user(userName))).body.active).toBe(false)
    const answer = await client.request('PUT', path, { ...user(userName), active: '' })
    expect([answer.status, answer.body.scimType]).toEqual([400, 'invalidValue'])
  })

  it('is not changed by a message without schemas, and ignored attributes are logged', async () => {
    const client = await newClientWith('okta')
    const { id } = await client.createUser({ password: 'q7-Quillfern' })
    const Operations = [{ op: 'replace', value: { id, title: 'Pilot' } }]
    const answer = await client.request('PATCH', `/Users/${id}`, { Operations })
    expect([answer.status, answer.body.scimType]).toEqual([400, 'invalidSyntax'])
    const accepted = await client.request('PATCH', `/Users/${id}`, { schemas: [PATCH_OP], Operations })
    expect([accepted.status, accepted.body.title]).toEqual([200, 'Pilot'])
    const entries = await client.log()
    expect(entries.map(({ ignored }) => ignored)).toContainEqual(['password'])
  })
})

describe('"attributes" together with "excludedAttributes"', () => {
  it('is rejected in the strict profile for all responses with resources', async () => {
    const client = await newClientWith('strict')
    const [ada, crew] = [await client.createUser(), await client.createGroup()]
    const both = '?attributes=externalId&excludedAttributes=meta'
    const rename = { op: 'replace', path: 'externalId', value: 'x' }
    const refused = { status: 400, body: { scimType: 'invalidValue' } }
    expect(await client.get(`/Users/${ada.id}${both}`)).toMatchObject(refused)
    expect(await client.get(`/Users${both}`)).toMatchObject(refused)
    expect(await client.patch(`/Users/${ada.id}${both}`, rename)).toMatchObject(refused)
    expect(await client.patch(`/Groups/${crew.id}${both}`, rename)).toMatchObject(refused)
    expect((await client.get(`/Groups/${crew.id}`)).body).not.toHaveProperty('externalId')
    expect((await client.get(`/Users/${ada.id}?attributes=externalId`)).status).toBe(200)
  })
})
