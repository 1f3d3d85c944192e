/**
 * Invalid input is not treated as empty: an element without a valid value is rejected by every request, and nothing
 * changes. The forms that clients send to clear a value are accepted.
 */
import { describe, expect, it } from 'vitest'
import { type Client, GROUP, newClient, PATCH_OP, USER } from '../support/harness.ts'

const BULK = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest'
const EMAILS = [
  { value: 'ada@work.example', type: 'work', primary: true },
  { value: 'ada@home.example', type: 'home' },
]

/** Members without a valid id. */
const WITHOUT_ID: readonly unknown[] = [
  [{ display: 'Somebody' }],
  [{}],
  [{ id: '2819c223-7f76-453a-919d-413861904646' }],
  [{ value: null }],
  [{ value: '' }],
  [{ type: 'User' }],
  [null],
  [''],
]
/** The same without a list, which a PATCH also accepts. */
const SINGLE: readonly unknown[] = ['', {}, { display: 'Somebody' }, { value: null }]

async function withGroup() {
  const client = await newClient()
  const user = await client.createUser()
  const { id } = await client.createGroup({ members: [{ value: user.id }] })
  const path = `/Groups/${id}`
  const group = (await client.get(path)).body
  const expectRefused = async (method: string, body: unknown) => {
    const answer = await client.request(method, path, body)
    expect(answer.body).toMatchObject({ status: '400', scimType: 'invalidValue' })
    expect(answer.body.detail).toContain('"members[0].value" must have a value')
    expect((await client.get(path)).body).toEqual(group)
    expect((await client.log())[0]).toMatchObject({ outcome: 'refused', status: 400, resourceId: id })
  }
  return { client, user, group, path, expectRefused }
}

const patchOf = (...Operations: readonly unknown[]) => ({ schemas: [PATCH_OP], Operations })

describe('members without a value', () => {
  it.for([...WITHOUT_ID, ...SINGLE])('are rejected by every operation of a PATCH: %j', async (value) => {
    const { expectRefused } = await withGroup()
    for (const op of ['replace', 'Add', 'remove']) {
      await expectRefused('PATCH', patchOf({ op, path: 'members', value }))
    }
    await expectRefused('PATCH', patchOf({ op: 'replace', value: { members: value } }))
    await expectRefused('PATCH', patchOf({ op: 'add', value: { displayName: 'Other', members: value } }))
  })

  it.for(WITHOUT_ID)('are rejected by POST, PUT and /Bulk: %j', async (members) => {
    const { client, group, path, expectRefused } = await withGroup()
    const body = { schemas: [GROUP], displayName: group.displayName, members }
    await expectRefused('PUT', body)
    const Operations = [
      { method: 'PUT', path, data: body },
      { method: 'POST', path: '/Groups', bulkId: 'g', data: { ...body, displayName: 'Other' } },
    ]
    const bulk = (await client.request('POST', '/Bulk', { schemas: [BULK], Operations })).body
    for (const { status, response } of bulk.Operations) {
      expect([status, response.detail]).toEqual(['400', expect.stringContaining('"members[0].value"')])
    }
    expect((await client.get('/Groups')).body.Resources).toEqual([group])
  })

  it('are named by their index, also after a duplicate member', async () => {
    const { client, user, path } = await withGroup()
    const value = [{ value: user.id }, { value: user.id }, { display: 'Somebody' }]
    const answer = await client.patch(path, { op: 'replace', path: 'members', value })
    expect(answer.body.detail).toContain('"members[2].value" must have a value, found nothing')
  })

  it('do not include an empty list, null or a removal without a value, which clear the group', async () => {
    for (const operation of [
      { op: 'replace', path: 'members', value: [] },
      { op: 'replace', value: { members: null } },
      { op: 'remove', path: 'members' },
      { op: 'Remove', path: 'members', value: null },
    ]) {
      const { client, path } = await withGroup()
      expect((await client.patch(path, operation)).status, JSON.stringify(operation)).toBe(204)
      expect((await client.filter('/Groups', 'members pr')).body.totalResults).toBe(0)
    }
  })
})

/** Elements without a value, and the attribute that the error names. */
const EMPTY: readonly (readonly [attribute: string, value: unknown, named: string])[] = [
  ['emails', [{}], 'emails[0].value'],
  ['emails', [{ value: null }], 'emails[0].value'],
  ['emails', [{ address: 'ada@work.example' }], 'emails[0].value'],
  ['emails', [null], 'emails[0].value'],
  ['emails', [''], 'emails[0].value'],
  ['emails', [EMAILS[0], {}], 'emails[1].value'],
  ['phoneNumbers', [{ number: '+1' }], 'phoneNumbers[0].value'],
  ['ims', [{}], 'ims[0].value'],
  ['photos', [{ url: 'https://x.example/a.png' }], 'photos[0].value'],
  ['entitlements', [{}], 'entitlements[0].value'],
  ['roles', [{ id: '1' }], 'roles[0].value'],
  ['x509Certificates', [{ value: null }], 'x509Certificates[0].value'],
  ['addresses', [{}], 'addresses[0]'],
  ['addresses', [{ street: 'Ferry Road 4' }], 'addresses[0]'],
]

describe('an element without a value', () => {
  it.for(EMPTY)('is rejected in %s: %j', async ([attribute, value, named]) => {
    const client = await newClient()
    const user = await client.createUser({ emails: EMAILS, addresses: [{ type: 'work', locality: 'A' }] })
    const path = `/Users/${user.id}`
    const { userName } = user
    const expectRefused = async (method: string, body: unknown, to = path) => {
      const answer = await client.request(method, to, body)
      expect(answer.body).toMatchObject({ status: '400', scimType: 'invalidValue' })
      expect(answer.body.detail).toContain(`"${named}" must have a value, found`)
      expect((await client.get(path)).body).toEqual(user)
    }
    await expectRefused('POST', { schemas: [USER], userName: 'other', [attribute]: value }, '/Users')
    await expectRefused('PUT', { schemas: [USER], userName, [attribute]: value })
    for (const op of ['add', 'replace', 'remove']) {
      await expectRefused('PATCH', patchOf({ op, path: attribute, value }))
    }
    await expectRefused('PATCH', patchOf({ op: 'replace', value: { [attribute]: value } }))
    expect((await client.get('/Users')).body.totalResults).toBe(1)
  })

  it('is rejected without a list too: "" and {} do not clear e-mail addresses', async () => {
    const client = await newClient()
    const user = await client.createUser({ emails: EMAILS })
    for (const op of ['add', 'replace', 'remove']) {
      for (const value of ['', {}]) {
        const answer = await client.patch(`/Users/${user.id}`, { op, path: 'emails', value })
        expect(answer.body).toMatchObject({ status: '400', scimType: 'invalidValue' })
      }
    }
    expect((await client.get(`/Users/${user.id}`)).body).toEqual(user)
  })

  it('is accepted if it has a type, because its value may be added later', async () => {
    const client = await newClient()
    const attributes = { addresses: [{ type: 'work' }], emails: [{ type: 'work', value: null }] }
    const user = await client.createUser(attributes)
    expect([user.addresses, user.emails]).toEqual([[{ type: 'work' }], [{ type: 'work' }]])
    const path = 'emails[type eq "work"].value'
    const answer = await client.patch(`/Users/${user.id}`, { op: 'Replace', path, value: 'ada@work.example' })
    expect(answer.body.emails).toEqual([{ type: 'work', value: 'ada@work.example' }])
    const again = await client.request('PUT', `/Users/${user.id}`, user)
    expect(again.body.emails).toEqual([{ type: 'work' }])
  })

  it.for([
    { op: 'replace', path: 'emails', value: [] },
    { op: 'replace', path: 'emails', value: null },
    { op: 'remove', path: 'emails' },
    { op: 'replace', value: { emails: null } },
  ])('does not include values that clear e-mail addresses: %j', async (operation) => {
    const client = await newClient()
    const { id } = await client.createUser({ emails: EMAILS })
    const answer = await client.patch(`/Users/${id}`, operation)
    expect(answer.status).toBe(200)
    expect(answer.body).not.toHaveProperty('emails')
  })

  it.for([null, ''])('does not include the values with which Entra clears one value: %j', async (value) => {
    const client = await newClient()
    const path = 'emails[type eq "work"].value'
    for (const operation of [
      { op: 'Replace', path, value },
      { op: 'replace', value: { [path]: value } },
    ]) {
      const { id } = await client.createUser({ emails: EMAILS })
      const answer = await client.patch(`/Users/${id}`, operation)
      expect(answer.body.emails).toEqual([{ type: 'work', primary: true }, EMAILS[1]])
    }
  })
})

describe('a flat key that selects a value', () => {
  const key = 'emails[type eq "work"].value'

  it('is applied as a path', async () => {
    const client = await newClient()
    const { id } = await client.createUser({ emails: EMAILS })
    for (const op of ['replace', 'Add']) {
      const value = {
        displayName: op,
        [key]: `${op}@work.example`,
        'phoneNumbers[type eq "mobile"].value': op,
      }
      const { status, body } = await client.patch(`/Users/${id}`, { op, value })
      expect([status, body.displayName]).toEqual([200, op])
      expect(body.emails).toEqual([{ ...EMAILS[0], value: `${op}@work.example` }, EMAILS[1]])
      expect(body.phoneNumbers).toEqual([{ type: 'mobile', value: op }])
    }
    expect((await client.log())[0]).toMatchObject({ ignored: [] })
  })

  it.for([
    ['emails[type eq "work"', 'invalidPath'],
    ['emails[kind eq "work"].value', 'invalidFilter'],
    ['emails[type eq "work"].shoeSize', 'invalidPath'],
    ['emails[value eq "nobody"].type', 'noTarget'],
    ['title[type eq "work"]', 'invalidPath'],
  ])('is rejected if the path is invalid, and nothing changes: %s', async ([path = '', scimType]) => {
    const client = await newClient()
    const user = await client.createUser({ emails: EMAILS })
    const value = { displayName: 'Other', [path]: 'x' }
    const answer = await client.patch(`/Users/${user.id}`, { op: 'replace', value })
    expect(answer.body).toMatchObject({ status: '400', scimType })
    expect((await client.get(`/Users/${user.id}`)).body).toEqual(user)
  })

  it('applies to each value without a filter, like a path, and respects read-only sub-attributes', async () => {
    const client = await newClient()
    const { id } = await client.createUser({ emails: EMAILS })
    const value = { 'emails.display': 'Ada', 'groups[value eq "x"].display': 'Crew', 'meta.version': 'x' }
    const { status, body } = await client.patch(`/Users/${id}`, { op: 'replace', value })
    expect([status, body.emails]).toEqual([200, EMAILS.map((email) => ({ ...email, display: 'Ada' }))])
    expect(body).not.toHaveProperty('groups')
  })

  it.for([key, `${USER}:${key}`, 'emails.value', 'phoneNumbers[primary eq true]'])(
    'is rejected in a whole resource: %s',
    async (selection) => {
      const client = await newClient()
      const user = await client.createUser({ emails: EMAILS })
      const body = { schemas: [USER], userName: user.userName, [selection]: 'x' }
      for (const [method, path] of [
        ['PUT', `/Users/${user.id}`],
        ['POST', '/Users'],
      ] as const) {
        const answer = await client.request(method, path, body)
        expect(answer.body).toMatchObject({ status: '400', scimType: 'invalidPath' })
        expect(answer.body.detail).toContain('which is allowed only in a PATCH')
      }
      expect((await client.get('/Users')).body.Resources).toEqual([user])
      const others = { 'emails.shoeSize': 1, 'groups[value eq "x"].value': 'x', 'groups.value': 'x' }
      const answer = await client.request('PUT', `/Users/${user.id}`, { ...user, ...others })
      expect([answer.status, answer.body]).toEqual([200, user])
    },
  )

  it('is ignored and reported in the log if the attribute is unknown', async () => {
    const client = await newClient()
    const { id } = await client.createUser()
    const unknown = 'certifications[type eq "pilot"].value'
    const value = { title: 'Pilot', [unknown]: 'A320' }
    const answer = await client.patch(`/Users/${id}`, { op: 'replace', value })
    expect([answer.status, answer.body.title]).toEqual([200, 'Pilot'])
    expect((await client.log())[0]).toMatchObject({ outcome: 'accepted', ignored: [unknown] })
  })
})

describe('replace of a selected value', () => {
  it('keeps sub-attributes that are not sent, so that the next path selects the value again', async () => {
    const client: Client = await newClient()
    const { id } = await client.createUser({ emails: EMAILS })
    const path = `/Users/${id}`
    const value = { value: 'new@work.example' }
    await client.patch(path, { op: 'replace', path: 'emails[type eq "work"]', value })
    const next = { op: 'Replace', path: 'emails[type eq "work"].value', value: 'next@work.example' }
    const answer = await client.patch(path, next)
    expect(answer.body.emails).toEqual([{ ...EMAILS[0], value: 'next@work.example' }, EMAILS[1]])
  })
})

describe("Entra's roles as JSON text", () => {
  it('are parsed inside an element and alone, and unknown sub-attributes are reported in the log', async () => {
    const client = await newClient()
    const text = '{"id":"r1","value":"Admin","displayName":"Administrator"}'
    for (const value of [[{ value: text }], [text]]) {
      const { id } = await client.createUser()
      const answer = await client.patch(`/Users/${id}`, { op: 'Add', path: 'roles', value })
      expect(answer.body.roles).toEqual([{ value: 'Admin' }])
      expect((await client.log())[0]).toMatchObject({ ignored: ['roles.id', 'roles.displayName'] })
    }
  })
})
