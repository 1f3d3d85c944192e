/** RFC 7643 §2 to §4 and §9: attributes, resources, Users and Groups. */
import { describe, expect, it } from 'vitest'
import { GROUP, newClient, TENANT_URL, USER } from '../support/harness.ts'
import { newClientWith } from '../support/profile-client.ts'
import { anotherMillisecond, CISCO, ENTERPRISE, expectError } from './protocol.ts'

const USER_BODY = { schemas: [USER], userName: 'ada@quillfern.example' }

describe('RFC 7643 §2, attributes', () => {
  it('accepts attribute names in any case and returns them as the schema spells them (§2.1)', async () => {
    const client = await newClient()
    const body = { SCHEMAS: [USER], USERNAME: 'ada', Name: { GIVENNAME: 'Ada' }, EMails: [{ VALUE: 'a@b' }] }
    const answer = await client.request('POST', '/Users', body)
    expect(answer.status).toBe(201)
    expect(answer.body).toMatchObject({
      userName: 'ada',
      name: { givenName: 'Ada' },
      emails: [{ value: 'a@b' }],
    })
  })

  it.for([
    ['a number for a string', { title: 5 }],
    ['an object for a string', { title: { value: 'x' } }],
    ['an array for a single value', { title: ['x'] }],
    ['a word for a boolean', { active: 'perhaps' }],
    ['a number for a boolean', { active: 1 }],
    ['a string for a complex value', { name: 'Ada' }],
    ['a number for an element of a multi-valued attribute', { emails: [5] }],
    ['invalid base64 for a binary value', { x509Certificates: [{ value: 'no base64!' }] }],
    ['a word for primary', { emails: [{ value: 'a@b', primary: 'first' }] }],
  ] as const)('rejects %s (§2.3)', async ([, attributes]) => {
    const client = await newClient()
    expectError(await client.request('POST', '/Users', { ...USER_BODY, ...attributes }), 400, 'invalidValue')
  })

  it('returns dateTimes with a date and a time (§2.3.5)', async () => {
    const client = await newClient()
    const { meta } = await client.createUser()
    for (const time of [meta.created, meta.lastModified]) {
      expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/)
      expect(Number.isNaN(Date.parse(time))).toBe(false)
    }
  })

  it('keeps binary values in base64, with or without padding (§2.3.6)', async () => {
    const client = await newClient()
    const values = ['MIIDQzCCAqygAwIBAgICEAAwDQYJKoZIhvcNAQEFBQAwTjE=', 'MIIDQzCCAqygAwIBAgICEAA']
    const user = await client.createUser({ x509Certificates: values.map((value) => ({ value })) })
    expect(user.x509Certificates.map(({ value }: { value: string }) => value)).toEqual(values)
  })

  it('returns references that can be resolved (§2.3.7)', async () => {
    const client = await newClient()
    const user = await client.createUser()
    const inner = await client.createGroup({ members: [{ value: user.id }] })
    const outer = await client.createGroup({ members: [{ value: inner.id }] })
    const { groups } = (await client.get(`/Users/${user.id}`)).body
    const references = [...groups, ...inner.members, ...outer.members].map(({ $ref }) => $ref)
    expect(references).toHaveLength(4)
    for (const reference of references) {
      const target = await client.get(reference.replace(TENANT_URL, ''))
      expect([target.status, target.body.meta.location]).toEqual([200, reference])
    }
  })

  it('accepts attributes in any order (§2.3.8)', async () => {
    const client = await newClient()
    const answer = await client.request('POST', '/Users', {
      emails: [{ primary: true, type: 'work', value: 'a@b' }],
      userName: 'ada',
      schemas: [USER],
    })
    expect(answer.body.emails).toEqual([{ value: 'a@b', type: 'work', primary: true }])
  })

  it('rejects a second primary value (§2.4)', async () => {
    const client = await newClient()
    const emails = ['a@b', 'c@d'].map((value) => ({ value, primary: true }))
    expectError(await client.request('POST', '/Users', { ...USER_BODY, emails }), 400, 'invalidValue')
  })

  it('treats a value without primary as not primary (§2.4)', async () => {
    const client = await newClient()
    await client.createUser({ userName: 'ada', emails: [{ value: 'a@b', type: 'work' }] })
    expect((await client.filter('/Users', 'emails[primary eq true]')).body.totalResults).toBe(0)
  })

  it('returns each pair of type and value once (§2.4)', async () => {
    const client = await newClient()
    const emails = ['work', 'home', 'work'].map((type) => ({ value: 'a@b', type }))
    const user = await client.createUser({ emails })
    expect(user.emails).toEqual(emails.slice(0, 2))
  })

  it('treats null and an empty array as unassigned (§2.5)', async () => {
    const client = await newClient()
    const user = await client.createUser({ title: null, emails: [], name: { givenName: null } })
    for (const name of ['title', 'emails', 'name']) expect(user).not.toHaveProperty([name])
    const set = { ...USER_BODY, title: 'Pilot', emails: [{ value: 'a@b' }] }
    await client.request('PUT', `/Users/${user.id}`, set)
    const answer = await client.request('PUT', `/Users/${user.id}`, { ...USER_BODY, title: null, emails: [] })
    for (const name of ['title', 'emails']) expect(answer.body).not.toHaveProperty([name])
    expect((await client.filter('/Users', 'title pr or emails pr')).body.totalResults).toBe(0)
  })
})

describe('RFC 7643 §3, resources', () => {
  it('returns schemas of every resource without duplicates, the core schema first (§3, §3.3)', async () => {
    const client = await newClient()
    const user = await client.createUser({ schemas: [CISCO, USER], [CISCO]: { nativeObjectId: 'x' } })
    const group = await client.createGroup()
    expect(user.schemas).toEqual([USER, CISCO])
    expect(group.schemas).toEqual([GROUP])
    const listed = (await client.get('')).body.Resources
    expect(listed.map(({ schemas }: { schemas: string[] }) => schemas)).toEqual([user.schemas, group.schemas])
  })

  it.for([
    ['tolerant', 201],
    ['strict', 400],
  ] as const)(
    'returns no duplicates, and the profile %s answers a duplicate with %i (§3)',
    async ([profile, status]) => {
      const client = await newClientWith(profile)
      const schemas = [USER, CISCO, USER.toUpperCase(), CISCO]
      const body = { ...USER_BODY, schemas, [CISCO]: { nativeObjectId: 'x' } }
      const created = await client.request('POST', '/Users', body)
      if (status === 400) {
        expectError(created, 400, 'invalidValue')
        expect(created.body.detail).toContain('"schemas" must not have duplicates')
        expect((await client.get('/Users')).body.totalResults).toBe(0)
        return
      }
      expect([created.status, created.body.schemas]).toEqual([status, [USER, CISCO]])
      const replaced = await client.request('PUT', `/Users/${created.body.id}`, body)
      expect([replaced.status, replaced.body.schemas]).toEqual([200, [USER, CISCO]])
    },
  )

  it('lists an extension in schemas exactly if the resource has a value of it (§3, §3.3)', async () => {
    const client = await newClient()
    const user = await client.createUser({
      schemas: [USER, ENTERPRISE, CISCO],
      [CISCO]: { nativeObjectId: 'x' },
    })
    expect(user.schemas).toEqual([USER, CISCO])
    const added = await client.patch(`/Users/${user.id}`, {
      op: 'add',
      path: `${ENTERPRISE}:department`,
      value: 'Survey',
    })
    expect(added.body.schemas.toSorted()).toEqual([USER, CISCO, ENTERPRISE].toSorted())
    const removed = await client.patch(`/Users/${user.id}`, { op: 'remove', path: CISCO })
    expect(removed.body.schemas).toEqual([USER, ENTERPRISE])
  })

  it('accepts schemas in any order (§3)', async () => {
    const client = await newClient()
    const extension = { [ENTERPRISE]: { department: 'Survey' } }
    const first = await client.createUser({ schemas: [USER, ENTERPRISE], ...extension })
    const second = await client.createUser({ schemas: [ENTERPRISE, USER], ...extension })
    expect(second.schemas).toEqual(first.schemas)
  })

  it('returns the attributes of an extension under the URN of its schema (§3.3)', async () => {
    const client = await newClient()
    const user = await client.createUser({ [ENTERPRISE]: { department: 'Survey', costCenter: '4130' } })
    expect(user[ENTERPRISE]).toEqual({ department: 'Survey', costCenter: '4130' })
    expect(user).not.toHaveProperty('department')
  })

  it('assigns id and meta and ignores those of a client (§3.1)', async () => {
    const client = await newClient()
    const meta = { resourceType: 'Robot', created: '2001-01-01T00:00:00Z', location: 'x', version: 'y' }
    const user = await client.createUser({ id: 'mine', meta })
    expect(user.id).not.toBe('mine')
    expect(user.meta).toMatchObject({ resourceType: 'User', location: `${TENANT_URL}/Users/${user.id}` })
    expect(user.meta.created).not.toBe(meta.created)
    const replaced = await client.request('PUT', `/Users/${user.id}`, { ...USER_BODY, id: 'mine', meta })
    expect(replaced.body.id).toBe(user.id)
    expect(replaced.body.meta).toMatchObject({ resourceType: 'User', created: user.meta.created })
  })

  it('keeps the id of a resource through all changes and does not reuse it (§3.1)', async () => {
    const client = await newClient()
    const ids = new Set<string>()
    for (let i = 0; i < 3; i++) {
      const user = await client.createUser({ userName: 'ada' })
      const changed = await client.patch(`/Users/${user.id}`, { op: 'add', path: 'title', value: 'Pilot' })
      const renamed = await client.request('PUT', `/Users/${user.id}`, { ...USER_BODY, userName: 'eve' })
      expect([changed.body.id, renamed.body.id]).toEqual([user.id, user.id])
      await client.request('DELETE', `/Users/${user.id}`)
      ids.add(user.id)
      ids.add((await client.createGroup()).id)
    }
    expect(ids.size).toBe(6)
    for (const id of ids) expect(id).not.toContain('bulkId')
  })

  it('keeps externalId as sent, does not assign one, and allows two resources to share one (§3.1)', async () => {
    const client = await newClient()
    const without = await client.createUser()
    expect(without).not.toHaveProperty('externalId')
    for (let i = 0; i < 2; i++) {
      expect((await client.createUser({ externalId: 'Ä-701984' })).externalId).toBe('Ä-701984')
    }
    expect((await client.filter('/Users', 'externalId eq "Ä-701984"')).body.totalResults).toBe(2)
  })

  it('scopes externalId and all other data to the tenant of the client (§3.1)', async () => {
    const [one, other] = [await newClient(), await newClient()]
    await one.createUser({ userName: 'ada', externalId: '701984' })
    expect((await other.filter('/Users', 'externalId eq "701984"')).body.totalResults).toBe(0)
    expect((await other.createUser({ userName: 'ada', externalId: '701984' })).externalId).toBe('701984')
  })

  it('sets lastModified to created at first, and updates it with each change (§3.1)', async () => {
    const client = await newClient()
    const { id, meta } = await client.createUser()
    expect(meta.lastModified).toBe(meta.created)
    await anotherMillisecond()
    const changed = await client.patch(`/Users/${id}`, { op: 'add', path: 'title', value: 'Pilot' })
    expect(changed.body.meta.created).toBe(meta.created)
    expect(Date.parse(changed.body.meta.lastModified)).toBeGreaterThan(Date.parse(meta.lastModified))
  })

  it('returns meta.location as Content-Location (§3.1)', async () => {
    const client = await newClient()
    for (const path of ['/Users', '/Groups']) {
      const body = path === '/Users' ? USER_BODY : { schemas: [GROUP], displayName: 'Crew' }
      const created = await client.request('POST', path, body)
      const { id, meta } = created.body
      const replaced = await client.request('PUT', `${path}/${id}`, body)
      for (const answer of [created, replaced, await client.get(`${path}/${id}`)]) {
        expect(answer.headers.get('Content-Location')).toBe(meta.location)
        expect(answer.body.meta.location).toBe(`${TENANT_URL}${path}/${id}`)
      }
    }
  })

  it('returns versions as weak ETags (§3.1)', async () => {
    const client = await newClient()
    const { id, meta } = await client.createUser()
    expect(meta.version).toMatch(/^W\/"[^"]+"$/)
    expect((await client.get(`/Users/${id}`)).headers.get('ETag')).toBe(meta.version)
  })
})

describe('RFC 7643 §4, users and groups', () => {
  it.for([undefined, '', null])('rejects a user whose userName is %j (§4.1.1)', async (userName) => {
    const client = await newClient()
    expectError(await client.request('POST', '/Users', { schemas: [USER], userName }), 400, 'invalidValue')
  })

  it('does not allow two users with the same userName, regardless of case (§4.1.1)', async () => {
    const client = await newClient()
    await client.createUser({ userName: 'Ada.Élan@quillfern.example' })
    const taken = { schemas: [USER], userName: 'ADA.ÉLAN@QUILLFERN.EXAMPLE' }
    expectError(await client.request('POST', '/Users', taken), 409, 'uniqueness')
    const other = await client.createUser()
    expectError(await client.request('PUT', `/Users/${other.id}`, taken), 409, 'uniqueness')
    const patch = { op: 'replace', path: 'userName', value: taken.userName }
    expectError(await client.patch(`/Users/${other.id}`, patch), 409, 'uniqueness')
  })

  it('neither returns nor stores a password (§4.1.1, §9.2)', async () => {
    const client = await newClient()
    const password = 'correct horse battery staple'
    const created = await client.createUser({ password })
    const path = `/Users/${created.id}`
    const replaced = await client.request('PUT', path, { ...USER_BODY, password })
    const patched = await client.patch(path, { op: 'replace', value: { password } })
    const read = await client.get(`${path}?attributes=password,userName`)
    for (const body of [created, replaced.body, patched.body, read.body]) {
      expect(body).not.toHaveProperty('password')
    }
    expect(JSON.stringify(await client.log())).not.toContain(password)
  })

  it('returns the groups of a user with value, $ref and type (§4.1.2)', async () => {
    const client = await newClient()
    const user = await client.createUser()
    const inner = await client.createGroup({ displayName: 'Inner', members: [{ value: user.id }] })
    const outer = await client.createGroup({ displayName: 'Outer', members: [{ value: inner.id }] })
    const { groups } = (await client.get(`/Users/${user.id}`)).body
    const shown = groups.map(({ value, $ref, type }: Record<string, string>) => [value, $ref, type])
    expect(shown.toSorted()).toEqual(
      [
        [inner.id, inner.meta.location, 'direct'],
        [outer.id, outer.meta.location, 'indirect'],
      ].toSorted(),
    )
  })

  it('changes memberships only through the group (§4.1.2)', async () => {
    const client = await newClient()
    const group = await client.createGroup()
    const user = await client.createUser({ groups: [{ value: group.id }] })
    const path = `/Users/${user.id}`
    await client.request('PUT', path, { ...USER_BODY, groups: [{ value: group.id }] })
    const patch = { op: 'add', path: 'groups', value: [{ value: group.id }] }
    expectError(await client.patch(path, patch), 400, 'mutability')
    expect((await client.get(path)).body).not.toHaveProperty('groups')
    expect((await client.get(`/Groups/${group.id}`)).body.members ?? []).toEqual([])
  })

  it.for([undefined, '', null])('rejects a group whose displayName is %j (§4.2)', async (displayName) => {
    const client = await newClient()
    const answer = await client.request('POST', '/Groups', { schemas: [GROUP], displayName })
    expectError(answer, 400, 'invalidValue')
  })

  it('allows two groups with the same displayName only if the tenant allows it (§4.2)', async () => {
    const body = { schemas: [GROUP], displayName: 'All Staff' }
    const [unique, namesakes] = [await newClient(), await newClient({ uniqueGroupNames: false })]
    for (const client of [unique, namesakes]) await client.createGroup(body)
    expectError(await unique.request('POST', '/Groups', body), 409, 'uniqueness')
    const { status, body: second } = await namesakes.request('POST', '/Groups', body)
    expect(status).toBe(201)
    const found = (await namesakes.filter('/Groups', 'displayName eq "all staff"')).body.Resources
    expect(found.map(({ id }: { id: string }) => id)).toContain(second.id)
    expect(found).toHaveLength(2)
  })

  it('returns members with value, $ref and type, both users and groups (§4.2)', async () => {
    const client = await newClient()
    const user = await client.createUser()
    const inner = await client.createGroup()
    const { members } = await client.createGroup({ members: [{ value: user.id }, { value: inner.id }] })
    expect(members).toMatchObject([
      { value: user.id, type: 'User', $ref: user.meta.location },
      { value: inner.id, type: 'Group', $ref: inner.meta.location },
    ])
  })

  it('stores the enterprise extension, and ignores the read-only name of the manager (§4.3)', async () => {
    const client = await newClient()
    const manager = await client.createUser()
    const user = await client.createUser({
      schemas: [USER, ENTERPRISE],
      [ENTERPRISE]: { employeeNumber: '701984', manager: { value: manager.id, displayName: 'The Boss' } },
    })
    expect(user[ENTERPRISE]).toEqual({ employeeNumber: '701984', manager: { value: manager.id } })
  })
})
