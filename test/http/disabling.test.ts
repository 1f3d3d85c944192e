/**
 * A PATCH that disables a user omits rejected operations and reports them in the log, so that an invalid title, a userName
 * in use or a wrong mapping does not preserve the access of a leaver. All other PATCHes are atomic.
 */
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { MAX_DISABLING_OPERATIONS } from '../../src/scim/limits.ts'
import { type Client, costOf, newClient, PATCH_OP, USER } from '../support/harness.ts'

const BULK = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest'
const STRICT = { Prefer: 'handling=strict' }
const UNKNOWN = 'urn:ietf:params:scim:schemas:extension:acme:2.0:User:badge'
const EMAILS = [
  { value: 'ada@work.example', type: 'work', primary: true },
  { value: 'ada@home.example', type: 'home' },
]
const OFF = { op: 'Replace', path: 'active', value: 'False' }
const LONG = 'x'.repeat(1_025)
const WORK_LIMIT = /^the request exceeds the limit of \d+ units of work/
const NO_SUB_ATTRIBUTE = 'emails[type eq "work"].shoeSize'
const NO_ELEMENT = 'emails[value eq "x"].type'
const NO_FILTER = 'emails[kind eq "x"].type'
const TWO_PRIMARY = ['a', 'b'].map((value) => ({ value, primary: true }))
const rename = (value: unknown) => ({ op: 'replace', path: 'userName', value })
const patchOf = (...Operations: readonly unknown[]) => ({ schemas: [PATCH_OP], Operations })

/** A user that is not in the cache of this isolate. */
async function createElsewhere({ tenantId }: Client, active = true): Promise<string> {
  const id = crypto.randomUUID()
  await env.DB.prepare(
    `INSERT INTO users (tenant_id, id, data, keys, version, created_at, last_modified)
     SELECT ?1, ?2, data, data, 1, 0, 0 FROM (SELECT json_object('userName', ?2, 'active', json(?3)) AS data)`,
  )
    .bind(tenantId, id, String(active))
    .run()
  return id
}

/** A user that a version without today's limits has stored. */
async function storeUser({ tenantId }: Client, attributes: object): Promise<string> {
  const id = crypto.randomUUID()
  const data = JSON.stringify({ userName: id, active: true, ...attributes })
  await env.DB.prepare(
    `INSERT INTO users (tenant_id, id, data, keys, version, created_at, last_modified) VALUES (?1, ?2, ?3, ?3, 1, 0, 0)`,
  )
    .bind(tenantId, id, data)
    .run()
  return id
}

/** Operations that are rejected on their own, with the scimType that they get in any other PATCH. */
const REFUSED: readonly (readonly [name: string, scimType: string, operation: object])[] = [
  ['title', 'invalidValue', { op: 'Replace', path: 'title', value: LONG }],
  ['title', 'invalidValue', { op: 'Replace', path: 'title', value: 5 }],
  ['title', 'invalidValue', { op: 'replace', value: { title: LONG } }],
  ['name.givenName', 'invalidValue', { op: 'replace', value: { 'name.givenName': LONG } }],
  ['title', 'invalidValue', { op: 'Add', path: 'title' }],
  ['Operations[1]', 'invalidValue', { op: 'Add', value: 'title' }],
  ['userName', 'invalidValue', { op: 'Replace', path: 'userName', value: LONG }],
  ['userName', 'mutability', { op: 'Remove', path: 'userName' }],
  ['id', 'mutability', { op: 'Replace', path: 'id', value: 'x' }],
  ['Operations[1]', 'noTarget', { op: 'Remove' }],
  [UNKNOWN, 'invalidPath', { op: 'Add', path: UNKNOWN, value: 'x' }],
  ['Operations[1]', 'invalidPath', { op: 'Add', path: ['title'], value: 'x' }],
  [NO_SUB_ATTRIBUTE, 'invalidPath', { op: 'Remove', path: NO_SUB_ATTRIBUTE }],
  [NO_ELEMENT, 'noTarget', { op: 'Replace', path: NO_ELEMENT, value: 'work' }],
  [NO_ELEMENT, 'noTarget', { op: 'replace', value: { [NO_ELEMENT]: 'work' } }],
  [NO_FILTER, 'invalidFilter', { op: 'Replace', path: NO_FILTER, value: 'work' }],
  [NO_FILTER, 'invalidFilter', { op: 'replace', value: { [NO_FILTER]: 'work' } }],
  ['emails', 'invalidValue', { op: 'add', path: 'emails', value: [{ display: 'Nobody' }, {}] }],
  ['roles', 'invalidValue', { op: 'add', path: 'roles', value: TWO_PRIMARY }],
  ['name', 'invalidValue', { op: 'replace', path: 'name', value: { givenName: 'A', familyName: LONG } }],
]

describe('a PATCH that disables a user', () => {
  it.for(REFUSED)(
    'omits %s, which is rejected with %s, in any order',
    async ([name, scimType, operation]) => {
      const client = await newClient()
      const set = { op: 'replace', path: 'displayName', value: 'Left' }
      for (const operations of [
        [OFF, operation, set],
        [set, operation, OFF],
      ]) {
        const { meta: _, ...before } = await client.createUser({ emails: EMAILS })
        const answer = await client.patch(`/Users/${before.id}`, ...operations)
        expect(answer.status).toBe(200)
        const { meta, ...after } = answer.body
        expect(after).toEqual({ ...before, active: false, displayName: 'Left' })
        expect(meta.version).toBe('W/"2"')
        expect((await client.get(`/Users/${before.id}`)).body).toEqual(answer.body)
        const [entry, earlier] = await client.log()
        expect(earlier).toMatchObject({ action: 'create' })
        expect(entry).toMatchObject({ action: 'disable', outcome: 'accepted', status: 200, ignored: [name] })
        expect(entry?.detail).toMatch(/^omitted: ./)
      }
      const user = await client.createUser({ emails: EMAILS })
      const refused = await client.patch(`/Users/${user.id}`, set, operation)
      expect(refused.body).toMatchObject({ status: '400', scimType })
      expect((await client.get(`/Users/${user.id}`)).body).toEqual(user)
    },
  )

  it.for([
    { op: 'Replace', path: 'active', value: 'False' },
    { op: 'replace', path: 'active', value: false },
    { op: 'Add', path: `${USER}:Active`, value: false },
    { op: 'replace', value: { active: false } },
    { op: 'replace', value: [{ ACTIVE: 'False' }] },
    { op: 'replace', path: 'active', value: [false] },
    { op: 'replace', value: { active: false, title: 5 } },
  ])('is recognised by %j', async (off) => {
    const client = await newClient()
    const { id } = await client.createUser()
    const unknown = { op: 'Add', path: UNKNOWN, value: 'x' }
    const answer = await client.patch(`/Users/${id}`, { op: 'add', value: { title: LONG } }, off, unknown)
    expect([answer.status, answer.body.active, answer.body.title]).toEqual([200, false, undefined])
    expect((await client.log())[0]).toMatchObject({ ignored: [UNKNOWN, 'title'] })
  })

  it.for([
    { op: 'Replace', path: 'active', value: 'True' },
    { op: 'Remove', path: 'active' },
    { op: 'Remove', path: 'active', value: 'False' },
    { op: 'Replace', path: 'active', value: null },
    { op: 'Replace', path: 'active', value: 'no' },
    { op: 'Replace', path: 'nickName', value: false },
    { op: 'Replace', path: UNKNOWN, value: false },
  ])('is not recognised by %j, so the whole PATCH is rejected', async (active) => {
    const client = await newClient()
    const user = await client.createUser()
    for (const refused of [LONG, null]) {
      const operation =
        refused === null
          ? { op: 'Add', path: UNKNOWN, value: 'x' }
          : { op: 'add', path: 'title', value: refused }
      const answer = await client.patch(`/Users/${user.id}`, operation, active)
      expect(answer.body).toMatchObject({ status: '400' })
    }
    expect((await client.get(`/Users/${user.id}`)).body).toEqual(user)
  })

  it('is recognised by the last operation on "active"', async () => {
    const client = await newClient()
    const [off, on] = [false, true].map((value) => ({ op: 'replace', path: 'active', value }))
    const user = await client.createUser()
    for (const refused of [
      { op: 'replace', path: 'shoeSize', value: 44 },
      { op: 'replace', path: 'title', value: LONG },
    ]) {
      expect((await client.patch(`/Users/${user.id}`, off, refused, on)).status).toBe(400)
    }
    const word = { op: 'replace', path: 'active', value: 'perhaps' }
    const answer = await client.patch(`/Users/${user.id}`, on, off, word)
    expect([answer.status, answer.body.active]).toEqual([200, false])
    expect((await client.log())[0]).toMatchObject({ ignored: ['active'] })
  })

  it('is applied if all other operations are rejected, and logs the reasons', async () => {
    const client = await newClient()
    const { id } = await client.createUser()
    const answer = await client.patch(`/Users/${id}`, OFF, ...REFUSED.map(([, , operation]) => operation))
    expect([answer.status, answer.body.active]).toEqual([200, false])
    const [entry] = await client.log()
    expect(entry?.ignored).toEqual(expect.arrayContaining(['title', 'id', UNKNOWN, 'emails']))
    expect(entry?.detail).toContain('attribute "title" has 1025 characters, the limit is 1024; ')
  })

  it('omits more rejected operations than the log names', async () => {
    const client = await newClient()
    const { id } = await client.createUser()
    const unknown = Array.from({ length: 300 }, (_, i) => ({ op: 'add', path: `name.shadow${i}`, value: 1 }))
    const wrong = Array.from({ length: 300 }, () => ({ op: 'add', path: 'title', value: LONG }))
    const answer = await client.patch(`/Users/${id}`, ...unknown, OFF, ...wrong)
    expect([answer.status, answer.body.active]).toEqual([200, false])
    expect((await client.log())[0]?.ignored).toHaveLength(100)
  })

  it('is rejected if it exceeds the work limit, is malformed, or its precondition fails', async () => {
    const client = await newClient()
    const user = await client.createUser({
      emails: Array.from({ length: 1_000 }, (_, i) => ({ value: `${i}@x.example` })),
    })
    const path = `/Users/${user.id}`
    const wrong = { op: 'add', path: 'title', value: LONG }
    const many = Array.from({ length: 1_000 }, (_, i) => ({
      op: 'remove',
      path: `emails[value eq "${i}@y"]`,
    }))
    const costly = await client.patch(path, OFF, wrong, ...many)
    expect(costly.body.detail).toMatch(/^the request exceeds the limit of \d+ units of work/)
    const small = await client.createUser()
    const refusals = Array.from({ length: 15_000 }, () => ({ op: 'remove', path: 'id' }))
    expect((await client.patch(`/Users/${small.id}`, OFF, ...refusals)).body).toEqual(costly.body)
    for (const operation of [{ op: 'disable', path: 'title' }, 'title', { path: 'title', value: 'x' }]) {
      const malformed = await client.patch(path, OFF, wrong, operation)
      expect(malformed.body).toMatchObject({ status: '400', scimType: 'invalidSyntax' })
    }
    const late = await client.request('PATCH', path, patchOf(OFF, wrong), { 'If-Match': 'W/"7"' })
    expect(late.status).toBe(412)
    expect((await client.patch('/Users/nobody', OFF, wrong)).status).toBe(404)
    expect((await client.get(path)).body).toEqual(user)
  })

  it('is applied to a user of so many values that other operations exceed the work limit, and leaves these out', async () => {
    const client = await newClient()
    const lists = ['emails', 'phoneNumbers', 'ims', 'photos', 'roles', 'entitlements']
    const values = Array.from({ length: 1_000 }, (_, i) => ({ value: `${i}`, type: `t${i}`, display: 'd' }))
    const path = `/Users/${await storeUser(client, Object.fromEntries(lists.map((name) => [name, values])))}`
    const leaver = (count: number) => [
      OFF,
      { op: 'add', path: 'title', value: LONG },
      ...Array.from({ length: count - 2 }, (_, i) => ({ op: 'replace', path: 'nickName', value: `${i}` })),
    ]
    const shown = `${path}?attributes=active,nickName`
    expect((await client.patch(shown, ...leaver(MAX_DISABLING_OPERATIONS + 1))).body.detail).toMatch(
      WORK_LIMIT,
    )
    const atomic = await client.request('PATCH', shown, patchOf(...leaver(MAX_DISABLING_OPERATIONS)), STRICT)
    expect(atomic.status).toBe(400)
    const answer = await client.patch(shown, ...leaver(MAX_DISABLING_OPERATIONS))
    expect([answer.status, answer.body.active, answer.body.nickName]).toEqual([200, false, undefined])
    const [entry] = await client.log()
    expect(entry).toMatchObject({ action: 'disable', ignored: ['title', 'nickName'] })
    expect(entry?.detail).toMatch(/^omitted: the request exceeds the limit of \d+ units of work/)
  })

  it('is applied to a user whose documents are as large as they may be, and costly to write', async () => {
    const client = await newClient()
    const emails = Array.from({ length: 74_000 }, () => ({ value: 1 }))
    const costly = `/Users/${await storeUser(client, { emails })}`
    expect((await client.patch(costly, { op: 'add', path: 'title', value: 'x' })).body.detail).toMatch(
      WORK_LIMIT,
    )
    expect((await client.patch(`${costly}?attributes=active`, OFF)).body.active).toBe(false)

    const largest = `/Users/${await storeUser(client, { title: 'x'.repeat(899_000) })}`
    const nickName = (length: number) => ({ op: 'add', path: 'nickName', value: 'x'.repeat(length) })
    const { detail } = (await client.patch(largest, nickName(1_000))).body
    const needed = Number(/^the User would need (\d+) bytes, 1800000 are allowed$/.exec(detail)?.[1])
    const fitting = 1_000 - Math.ceil((needed - 1_800_000) / 2)
    expect((await client.patch(largest, nickName(fitting + 1))).status).toBe(400)
    expect((await client.patch(largest, nickName(fitting))).status).toBe(200)
    expect((await client.patch(`${largest}?attributes=active`, OFF)).body.active).toBe(false)
  })

  it('is atomic for a client that prefers strict handling', async () => {
    const client = await newClient()
    const [user, other] = [await client.createUser(), await client.createUser()]
    const path = `/Users/${user.id}`
    for (const [operation, status] of [
      [{ op: 'add', path: 'title', value: LONG }, 400],
      [{ op: 'add', path: UNKNOWN, value: 'x' }, 400],
      [rename(other.userName), 409],
    ] as const) {
      for (const Prefer of ['handling=strict', 'return=minimal, Handling = "strict"; x=1']) {
        const answer = await client.request('PATCH', path, patchOf(operation, OFF), { Prefer })
        expect(answer.status).toBe(status)
      }
      const Operations = [{ method: 'PATCH', path, data: patchOf(operation, OFF) }]
      const bulk = await client.request('POST', '/Bulk', { schemas: [BULK], Operations }, STRICT)
      expect(bulk.body.Operations).toMatchObject([{ status: String(status) }])
    }
    expect((await client.get(path)).body).toEqual(user)
    const lenient = { Prefer: 'handling=lenient' }
    expect((await client.request('PATCH', path, patchOf(rename(other.userName), OFF), lenient)).status).toBe(
      200,
    )
  })

  it('works the same in a bulk request', async () => {
    const client = await newClient()
    const [user, other] = [await client.createUser(), await client.createUser()]
    const path = `/Users/${user.id}`
    const data = patchOf(rename(other.userName), { op: 'add', path: 'title', value: LONG }, OFF)
    const Operations = [{ method: 'PATCH', path, data }]
    const { body } = await client.request('POST', '/Bulk', { schemas: [BULK], Operations, failOnErrors: 1 })
    expect(body.Operations).toMatchObject([{ status: '200', version: 'W/"2"' }])
    const after = (await client.get(path)).body
    expect([after.active, after.userName]).toEqual([false, user.userName])
    expect((await client.log())[0]).toMatchObject({ action: 'disable', ignored: ['userName', 'title'] })
  })
})

describe('a PATCH that disables a user and sets a userName in use', () => {
  it.for(['seen', 'not seen'])(
    'keeps the userName of a user that this isolate has %s before',
    async (seen) => {
      const client = await newClient()
      const other = await client.createUser()
      for (const operations of [
        [rename(other.userName.toUpperCase()), { op: 'add', path: 'title', value: 'Left' }, OFF],
        [{ op: 'replace', value: { active: false, title: 'Left', userName: other.userName } }],
        [OFF, rename('free'), { op: 'add', path: 'title', value: 'Left' }, rename(other.userName)],
        // The last name is rejected on its own, so the previous one is used.
        [rename(other.userName), { op: 'add', path: 'title', value: 'Left' }, OFF, rename(LONG)],
      ]) {
        const id = await createElsewhere(client)
        if (seen === 'seen') await client.get(`/Users/${id}`)
        const answer = await client.patch(`/Users/${id}`, ...operations)
        expect([answer.status, answer.body]).toMatchObject([
          200,
          { userName: id, active: false, title: 'Left' },
        ])
        const [entry] = await client.log()
        expect(entry).toMatchObject({ action: 'disable', outcome: 'accepted', ignored: ['userName'] })
        expect(entry?.detail).toMatch(/^omitted: .*userName .* is already in use/)
        expect((await client.log()).filter(({ resourceId }) => resourceId === id)).toHaveLength(1)
      }
      expect((await client.get(`/Users/${other.id}`)).body).toEqual(other)
    },
  )

  it('takes two round trips, also if it is repeated, and one if the name is available', async () => {
    const client = await newClient()
    const other = await client.createUser()
    const id = await createElsewhere(client)
    for (const action of ['disable', 'update', 'update']) {
      const answer = await client.patch(`/Users/${id}`, rename(other.userName), OFF)
      expect([answer.status, answer.body.active, costOf(answer).roundTrips]).toEqual([200, false, 2])
      await client.get(`/Users/${id}`)
      expect((await client.log())[0]).toMatchObject({ action, ignored: ['userName'] })
    }
    const seen = await client.createUser()
    const taken = await client.patch(`/Users/${seen.id}`, rename(other.userName), OFF)
    expect([taken.status, costOf(taken).roundTrips]).toEqual([200, 2])
    const free = await client.createUser()
    const renamed = await client.patch(`/Users/${free.id}`, rename(crypto.randomUUID()), OFF)
    expect([renamed.status, costOf(renamed).roundTrips]).toEqual([200, 1])
    const wrong = await client.createUser()
    const answer = await client.patch(`/Users/${wrong.id}`, OFF, { op: 'add', path: 'title', value: LONG })
    expect([answer.body.active, costOf(answer).roundTrips]).toEqual([false, 1])
  })

  it('returns the groups of the user if no change remains', async () => {
    const client = await newClient()
    const other = await client.createUser()
    const user = await client.createUser({ active: false })
    const group = await client.createGroup({ members: [{ value: user.id }] })
    const tail = { op: 'remove', path: 'userName' }
    for (const operations of [
      [rename(other.userName), OFF],
      [rename(other.userName), OFF, tail],
    ]) {
      const answer = await client.patch(`/Users/${user.id}`, ...operations)
      expect(answer.status).toBe(200)
      expect(answer.body.groups).toMatchObject([{ value: group.id }])
    }
  })

  it('is the only request for which such a userName is not rejected with 409', async () => {
    const client = await newClient()
    const other = await client.createUser()
    for (const id of [await createElsewhere(client), (await client.createUser()).id]) {
      const title = { op: 'add', path: 'title', value: 'x' }
      for (const answer of [
        await client.patch(`/Users/${id}`, title, rename(other.userName)),
        await client.patch(`/Users/${id}`, OFF, rename(other.userName), {
          op: 'Add',
          path: 'active',
          value: true,
        }),
        await client.request('PUT', `/Users/${id}`, {
          schemas: [USER],
          userName: other.userName,
          active: false,
        }),
      ]) {
        expect(answer.body).toMatchObject({ status: '409', scimType: 'uniqueness' })
      }
      expect((await client.get(`/Users/${id}`)).body).toMatchObject({ active: true })
    }
  })
})

describe('a PUT that disables a user', () => {
  it('is rejected as a whole', async () => {
    const client = await newClient()
    const user = await client.createUser()
    const { userName } = user
    const body = { schemas: [USER], userName, active: false, title: LONG }
    expect((await client.request('PUT', `/Users/${user.id}`, body)).body).toMatchObject({
      status: '400',
      scimType: 'invalidValue',
    })
    expect((await client.get(`/Users/${user.id}`)).body).toEqual(user)
  })
})

describe('a PATCH of a group', () => {
  it('is atomic, even if it sets "active"', async () => {
    const client = await newClient()
    const { id } = await client.createGroup()
    const group = (await client.get(`/Groups/${id}`)).body
    for (const operation of [
      { op: 'replace', value: { displayName: 'Other', active: false } },
      { op: 'add', path: 'members', value: [{ value: 'nobody' }] },
    ]) {
      for (const more of [[], [{ op: 'replace', value: { displayName: LONG } }]]) {
        const off = { op: 'replace', value: { active: false } }
        const wrong = { op: 'replace', path: 'externalId', value: LONG }
        expect((await client.patch(`/Groups/${id}`, off, operation, wrong, ...more, off)).status).toBe(400)
      }
    }
    expect((await client.patch(`/Groups/${id}`, OFF)).body).toMatchObject({ scimType: 'invalidPath' })
    expect((await client.get(`/Groups/${id}`)).body).toEqual(group)
  })
})
