/**
 * The limits on the length of values are the same for all kinds of writes. Longer values that were stored before the limits
 * existed can still be read and filtered, and their resources can be changed and deleted.
 */
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import {
  MAX_ELEMENTS,
  MAX_FOLDED_CHARACTERS,
  MAX_NAME_CHARACTERS,
  MAX_TEXT_CHARACTERS,
} from '../../src/scim/limits.ts'
import { type Answer, type Client, costOf, GROUP, newClient, PATCH_OP, USER } from '../support/harness.ts'
import { addUsersWithTitles } from '../support/large.ts'

const BULK_REQUEST = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest'
const TITLE = 'x'.repeat(MAX_NAME_CHARACTERS)
const DETAIL = `attribute "title" has ${MAX_NAME_CHARACTERS + 1} characters, the limit is ${MAX_NAME_CHARACTERS}`

/** The ways to write a user. */
const WRITES: Readonly<
  Record<string, (client: Client, user: Record<string, unknown>, attributes: object) => Promise<Answer>>
> = {
  POST: (client, _, attributes) =>
    client.request('POST', '/Users', { schemas: [USER], userName: crypto.randomUUID(), ...attributes }),
  PUT: (client, { id, userName }, attributes) =>
    client.request('PUT', `/Users/${id}`, { schemas: [USER], userName, ...attributes }),
  'PATCH without a path': (client, { id }, attributes) =>
    client.patch(`/Users/${id}`, { op: 'replace', value: attributes }),
  'PATCH with a path': (client, { id }, attributes) => {
    const [[path, value] = []] = Object.entries(attributes)
    return client.patch(`/Users/${id}`, { op: 'add', path, value })
  },
  async Bulk(client, { id }, attributes) {
    const data = { schemas: [PATCH_OP], Operations: [{ op: 'add', value: attributes }] }
    const Operations = [{ method: 'PATCH', path: `/Users/${id}`, data }]
    const answer = await client.request('POST', '/Bulk', { schemas: [BULK_REQUEST], Operations })
    const [{ status, response }] = answer.body.Operations
    return { ...answer, status: Number(status), body: response }
  },
}

describe.for(Object.entries(WRITES))('a value sent by %s', ([, write]) => {
  it('is accepted up to the limit, and rejected beyond it with the attribute, length and limit', async () => {
    const client = await newClient()
    const user = await client.createUser()
    expect((await write(client, user, { title: TITLE })).status).toBeLessThan(300)
    const before = (await client.get(`/Users/${user.id}`)).body
    const answer = await write(client, user, { title: `${TITLE}x` })
    expect(answer.body).toMatchObject({ status: '400', scimType: 'invalidValue', detail: DETAIL })
    expect((await client.get(`/Users/${user.id}`)).body).toEqual(before)
  })

  it('is rejected beyond a thousand values of an attribute', async () => {
    const client = await newClient()
    const user = await client.createUser()
    const roles = Array.from({ length: MAX_ELEMENTS }, (_, i) => ({ value: `role ${i}` }))
    expect((await write(client, user, { roles })).status).toBeLessThan(300)
    const answer = await write(client, user, { roles: [...roles, { value: 'one more' }] })
    expect(answer.body).toMatchObject({ status: '400', scimType: 'invalidValue' })
    expect(answer.body.detail).toBe('attribute "roles" has 1001 values, the limit is 1000')
  })
})

describe('the limits of values', () => {
  it.for<[path: string, limit: number]>([
    ['userName', MAX_NAME_CHARACTERS],
    ['externalId', MAX_NAME_CHARACTERS],
    ['name.familyName', MAX_NAME_CHARACTERS],
    ['emails[type eq "work"].value', MAX_NAME_CHARACTERS],
    ['urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department', MAX_NAME_CHARACTERS],
    ['urn:ietf:params:scim:schemas:extension:ciscoumbrella:2.0:User:nativeObjectId', MAX_NAME_CHARACTERS],
    ['photos[type eq "photo"].value', MAX_TEXT_CHARACTERS],
    ['addresses[type eq "work"].formatted', MAX_TEXT_CHARACTERS],
    ['x509Certificates.value', MAX_TEXT_CHARACTERS],
  ])('for %s are %i characters', async ([path, limit]) => {
    const client = await newClient()
    const user = await client.createUser({ x509Certificates: [{ value: 'AAAA' }] })
    const set = (length: number) =>
      client.patch(`/Users/${user.id}`, { op: 'replace', path, value: 'A'.repeat(length) })
    expect((await set(limit)).status).toBe(200)
    const { body } = await set(limit + 1)
    expect(body).toMatchObject({ status: '400', scimType: 'invalidValue' })
    expect(body.detail).toMatch(new RegExp(`has ${limit + 1} characters, the limit is ${limit}$`))
  })

  it('apply to values that a path filter gives a new element', async () => {
    const client = await newClient()
    const { id } = await client.createUser()
    const add = (type: string) =>
      client.patch(`/Users/${id}`, { op: 'add', path: `entitlements[type eq "${type}"].value`, value: 'x' })
    expect((await add(TITLE)).body.entitlements).toEqual([{ type: TITLE, value: 'x' }])
    const { body } = await add(`y${TITLE}`)
    expect(body).toMatchObject({ status: '400', scimType: 'invalidValue' })
    expect(body.detail).toMatch(/\.type" has 1025 characters, the limit is 1024$/)
  })

  it('apply to groups', async () => {
    const client = await newClient()
    const body = { schemas: [GROUP], displayName: 'x'.repeat(1_025) }
    const answer = await client.request('POST', '/Groups', body)
    expect(answer.body.detail).toBe('attribute "displayName" has 1025 characters, the limit is 1024')
  })

  it('cannot be exceeded by several PATCHes', async () => {
    const client = await newClient()
    const roles = Array.from({ length: MAX_ELEMENTS }, (_, i) => ({ value: `role ${i}` }))
    const user = await client.createUser({ roles })
    const add = (value: string) =>
      client.patch(`/Users/${user.id}`, { op: 'add', path: 'roles', value: [{ value }] })
    expect((await add('role 7')).status).toBe(200)
    expect((await add('another')).body.detail).toMatch(/has 1001 values, the limit is 1000$/)
  })

  it('are documented in /Schemas', async () => {
    const client = await newClient()
    const { body } = await client.get(`/Schemas/${USER}`)
    const descriptionOf = (name: string) =>
      body.attributes.find((attribute: { name: string }) => attribute.name === name).description
    expect(descriptionOf('userName')).toMatch(/ At most 1024 characters\.$/)
    expect(descriptionOf('emails')).toMatch(/ At most 1000 values in a request\.$/)
  })
})

/** "ΐ" takes longest to fold. Each value is as long as it may be. */
function folded(characters: number): readonly object[] {
  const count = Math.ceil(characters / 1_000)
  return Array.from({ length: count }, (_, i) => ({
    // As many characters as the last value needs.
    value: `${i}${'ΐ'.repeat(Math.min(1_000, characters - i * 1_000))}`,
  }))
}

describe('the characters beyond ASCII of a resource', () => {
  it('are limited in all, because each change folds all of them', async () => {
    const client = await newClient()
    const { id } = await client.createUser({ roles: folded(MAX_FOLDED_CHARACTERS) })
    const detail = `the User would have ${MAX_FOLDED_CHARACTERS + 1} characters beyond ASCII, the limit is ${MAX_FOLDED_CHARACTERS}`
    const refused = { status: '400', scimType: 'invalidValue', detail }
    for (const answer of [
      await client.patch(`/Users/${id}`, { op: 'add', path: 'title', value: 'é' }),
      await WRITES.POST?.(client, {}, { roles: folded(MAX_FOLDED_CHARACTERS), title: 'é' }),
    ])
      expect(answer?.body).toMatchObject(refused)
    expect((await client.patch(`/Users/${id}`, { op: 'add', path: 'title', value: 'e' })).status).toBe(200)
  })

  it('count as work of each change, once', async () => {
    const client = await newClient()
    const { id } = await client.createUser({ roles: folded(50_000) })
    const answer = await client.patch(`/Users/${id}`, { op: 'add', path: 'title', value: 'new' })
    const work = Number(/work;desc="(\d+) units"/.exec(answer.headers.get('Server-Timing') ?? '')?.[1])
    expect(work).toBeGreaterThan(12 * 50_000)
    expect(work).toBeLessThan(16 * 50_000)
  })

  it('may stay as many as a user had before the limit existed, but not become more', async () => {
    const client = await newClient()
    const id = `old-${crypto.randomUUID()}`
    const more = MAX_FOLDED_CHARACTERS + 1_000
    await addUsersWithTitles(client.tenantId, new Map([[id, 'é'.repeat(more)]]))
    expect((await client.patch(`/Users/${id}`, { op: 'replace', path: 'active', value: false })).status).toBe(
      200,
    )
    const added = await client.patch(`/Users/${id}`, { op: 'add', path: 'nickName', value: 'é' })
    expect(added.body.detail).toContain(`${more + 1} characters beyond ASCII`)
    const kept = [
      { op: 'replace', path: 'title', value: 'é' },
      { op: 'add', path: 'nickName', value: 'é' },
    ]
    expect((await client.patch(`/Users/${id}`, ...kept)).status).toBe(200)
  })
})

describe('a user that was stored before the limits existed', () => {
  async function oldUser() {
    const client = await newClient()
    const title = `${'é'.repeat(5_000)} end`
    const emails = Array.from({ length: 1_500 }, (_, i) => ({ value: `e${i}@x.example` }))
    const { id, userName } = await client.createUser({ title: 'short' })
    const set = (column: string) =>
      env.DB.prepare(
        `UPDATE users SET version = version + 1, ${column} = json_set(${column}, '$.title', ?2, '$.emails', json(?3)) WHERE id = ?1`,
      ).bind(id, title, JSON.stringify(emails))
    await env.DB.batch([set('data'), set('keys')])
    return { client, id, userName, title, emails }
  }

  it('can be read, found, changed and deleted', async () => {
    const { client, id, title, emails } = await oldUser()
    expect((await client.get(`/Users/${id}`)).body).toMatchObject({ title, emails })
    const found = await client.filter('/Users', 'title ew "end" and emails.value eq "e1400@x.example"')
    expect(found.body.Resources).toMatchObject([{ id }])
    const patched = await client.patch(
      `/Users/${id}`,
      { op: 'replace', path: 'nickName', value: 'new' },
      { op: 'replace', path: 'emails[value eq "e7@x.example"].display', value: 'seven' },
      { op: 'remove', path: 'emails', value: [{ value: 'e8@x.example' }] },
    )
    expect(patched.body).toMatchObject({ nickName: 'new', title })
    expect(patched.body.emails).toHaveLength(1_499)
    expect(patched.body.emails[7]).toEqual({ value: 'e7@x.example', display: 'seven' })
    expect((await client.request('DELETE', `/Users/${id}`)).status).toBe(204)
  })

  it('accepts fewer and shorter values, but no additional ones', async () => {
    const { client, id } = await oldUser()
    const add = await client.patch(`/Users/${id}`, { op: 'add', path: 'emails', value: 'new@x.example' })
    expect(add.body.detail).toBe('attribute "emails" has 1501 values, the limit is 1000')
    const replaced = await client.patch(
      `/Users/${id}`,
      { op: 'replace', path: 'emails', value: 'new@x.example' },
      { op: 'replace', path: 'title', value: 'short' },
    )
    expect(replaced.body).toMatchObject({ title: 'short', emails: [{ value: 'new@x.example' }] })
  })
})

describe('the work of a bulk request', () => {
  const bulk = async (client: Client, Operations: readonly unknown[]) => {
    const { body } = await client.request('POST', '/Bulk', { schemas: [BULK_REQUEST], Operations })
    return body.Operations.map(
      ({ response }: { response?: { detail: string } }) => response?.detail ?? 'done',
    )
  }
  const REFUSED = expect.stringMatching(/^the request exceeds the limit of 3600000 units of work/)

  it('is the sum for its operations on users', async () => {
    const client = await newClient()
    const user = await client.createUser({
      roles: Array.from({ length: 1_000 }, (_, i) => ({ value: `r${i}` })),
    })
    const patch = (i: number) => ({
      schemas: [PATCH_OP],
      Operations: Array.from({ length: 50 }, (_, k) => ({
        op: 'replace',
        path: `roles[value eq "r${i}${k}"].display`,
        value: 'x',
      })),
    })
    const operations = Array.from({ length: 5 }, (_, i) => ({
      method: 'PATCH',
      path: `/Users/${user.id}`,
      data: patch(i + 1),
    }))
    const details = await bulk(client, operations)
    expect([details[0], details[4]]).toEqual(['done', REFUSED])
    // As separate requests, all are accepted.
    expect((await client.request('PATCH', `/Users/${user.id}`, patch(7))).status).toBe(200)
  })

  it('is the sum for its operations on groups, including the work of the group writer', async () => {
    const client = await newClient()
    const members = Array.from({ length: 25_000 }, (_, i) => `m${i}`)
    const operations = Array.from({ length: 4 }, (_, i) => ({
      method: 'POST',
      path: '/Groups',
      bulkId: `b${i}`,
      data: { schemas: [GROUP], displayName: `g${i}`, members },
    }))
    const details = await bulk(client, operations)
    expect([details[0], details[3]]).toEqual([expect.stringMatching(/names no User or Group/), REFUSED])
  })

  it('causes later operations to be rejected without a query once the limit is exceeded', async () => {
    const client = await newClient()
    const [user, group] = [await client.createUser(), await client.createGroup()]
    const members = Array.from({ length: 25_000 }, (_, i) => `m${i}`)
    const creations = Array.from({ length: 3 }, (_, i) => ({
      method: 'POST',
      path: '/Groups',
      bulkId: `b${i}`,
      data: { schemas: [GROUP], displayName: `g${i}`, members },
    }))
    const selection = { op: 'remove', path: 'members[display eq "x"]' }
    const data = { schemas: [PATCH_OP], Operations: [selection] }
    const patches = Array.from({ length: 50 }, () => ({ method: 'PATCH', path: `/Groups/${group.id}`, data }))
    const deletion = { method: 'DELETE', path: `/Users/${user.id}` }
    const operations = [...creations, ...patches, deletion]
    const answer = await client.request('POST', '/Bulk', { schemas: [BULK_REQUEST], Operations: operations })
    const details = answer.body.Operations.map(
      ({ response }: { response?: { detail: string } }) => response?.detail,
    )
    expect(new Set(details.slice(3))).toEqual(new Set([REFUSED]))
    expect(costOf(answer).roundTrips).toBeLessThan(20)
    expect((await client.get(`/Users/${user.id}`)).status).toBe(200)
  })
})

describe('an error message', () => {
  const LONG = 'x'.repeat(1_000)
  const SHORT = `"${'x'.repeat(100)}…"`

  it.for<[what: string, send: (client: Client) => Promise<Answer>, detail: string]>([
    [
      'userName in use',
      async (client) => {
        await client.createUser({ userName: LONG })
        return await client.request('POST', '/Users', { schemas: [USER], userName: LONG })
      },
      `userName ${SHORT} is already in use`,
    ],
    [
      'displayName in use',
      async (client) => {
        await client.createGroup({ displayName: LONG })
        return await client.request('POST', '/Groups', { schemas: [GROUP], displayName: LONG })
      },
      `displayName ${SHORT} is already in use`,
    ],
    ['unknown id', (client) => client.get(`/Users/${LONG}`), `User ${SHORT} not found`],
    [
      'unknown member',
      (client) =>
        client.request('POST', '/Groups', { schemas: [GROUP], displayName: 'g', members: [{ value: LONG }] }),
      `attribute "members" names no User or Group of the directory: ${SHORT}`,
    ],
    ['unknown schema', (client) => client.get(`/Schemas/${LONG}`), `Schema ${SHORT} not found`],
    [
      'unknown endpoint',
      (client) => client.get(`/${LONG}`),
      `endpoint GET ${`/scim/v2/${LONG}`.slice(0, 100)}… not found`,
    ],
  ])('quotes at most 100 characters of a %s', async ([, request, detail]) => {
    expect((await request(await newClient())).body.detail).toBe(detail)
  })

  it('quotes at most 100 characters of a path and of a bulkId in a bulk request', async () => {
    const client = await newClient()
    const Operations = [
      { method: 'DELETE', path: `/${LONG}` },
      { method: 'PATCH', path: `/Users/bulkId:${LONG}`, data: {} },
    ]
    const { body } = await client.request('POST', '/Bulk', { schemas: [BULK_REQUEST], Operations })
    const details = body.Operations.map(({ response }: { response: { detail: string } }) => response.detail)
    expect(details).toEqual([
      `bulk operations do not support the path "/${'x'.repeat(99)}…"`,
      `bulkId ${SHORT} does not refer to an operation that created a resource`,
    ])
  })
})
