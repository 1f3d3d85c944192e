/** RFC 7644 §3.7: bulk operations. */
import { describe, expect, it } from 'vitest'
import { type Client, GROUP, newClient, PATCH_OP, TENANT_URL, USER } from '../support/harness.ts'
import { BULK_REQUEST, BULK_RESPONSE, ENTERPRISE, ERROR, expectError } from './protocol.ts'

interface Result {
  readonly method: string
  readonly bulkId?: string
  readonly location?: string
  readonly version?: string
  readonly status: string
  readonly response?: { readonly [key: string]: unknown }
}

const user = (bulkId: string, userName: string, more: object = {}) => ({
  method: 'POST',
  path: '/Users',
  bulkId,
  data: {
    schemas: [USER, ...Object.keys(more).filter((name) => name.startsWith('urn:'))],
    userName,
    ...more,
  },
})
const group = (bulkId: string, displayName: string, ...members: readonly string[]) => ({
  method: 'POST',
  path: '/Groups',
  bulkId,
  data: { schemas: [GROUP], displayName, members: members.map((value) => ({ value })) },
})

function send(client: Client, Operations: readonly unknown[], more: object = {}) {
  return client.request('POST', '/Bulk', { schemas: [BULK_REQUEST], Operations, ...more })
}

async function run(client: Client, operations: readonly unknown[], more: object = {}) {
  const answer = await send(client, operations, more)
  expect(answer.status, JSON.stringify(answer.body)).toBe(200)
  expect(answer.body.schemas).toEqual([BULK_RESPONSE])
  return answer.body.Operations as readonly Result[]
}

const idOf = ({ location = '' }: Partial<Result> = {}) => location.split('/').at(-1) ?? ''

describe('RFC 7644 §3.7, bulk operations', () => {
  it('runs POST, PUT, PATCH and DELETE like separate requests (§3.7)', async () => {
    const client = await newClient()
    const [old, gone] = [await client.createUser(), await client.createUser()]
    const change = { schemas: [PATCH_OP], Operations: [{ op: 'add', path: 'title', value: 'Pilot' }] }
    const results = await run(client, [
      user('qwerty', 'alice'),
      { method: 'PUT', path: `/Users/${old.id}`, data: { schemas: [USER], userName: 'bob' } },
      { method: 'PATCH', path: `/Users/${old.id}`, data: change },
      { method: 'DELETE', path: `/Users/${gone.id}` },
    ])
    expect(results.map(({ method, status }) => [method, status])).toEqual([
      ['POST', '201'],
      ['PUT', '200'],
      ['PATCH', '200'],
      ['DELETE', '204'],
    ])
    expect((await client.get(`/Users/${old.id}`)).body).toMatchObject({ userName: 'bob', title: 'Pilot' })
    expect((await client.get(`/Users/${gone.id}`)).status).toBe(404)
    expect((await client.get(`/Users/${idOf(results[0])}`)).body.userName).toBe('alice')
  })

  it('returns the bulkId of a new resource with its location and version (§3.7)', async () => {
    const client = await newClient()
    const [result] = await run(client, [user('qwerty', 'alice')])
    const { body } = await client.get(`/Users/${idOf(result)}`)
    expect(result).toMatchObject({
      bulkId: 'qwerty',
      location: body.meta.location,
      version: body.meta.version,
    })
  })

  it('continues after an error, with as many changes as possible (§3.7)', async () => {
    const client = await newClient()
    const results = await run(client, [
      user('a', 'alice'),
      user('b', 'ALICE'),
      user('c', ''),
      { method: 'DELETE', path: '/Users/unknown' },
      user('d', 'dora'),
    ])
    expect(results.map(({ status }) => status)).toEqual(['201', '409', '400', '404', '201'])
    expect((await client.get('/Users')).body.totalResults).toBe(2)
  })

  it('stops after failOnErrors errors, and returns the results so far (§3.7)', async () => {
    const client = await newClient()
    const operations = [user('a', 'alice'), user('b', ''), user('c', ''), user('d', 'dora')]
    const one = await run(client, operations, { failOnErrors: 1 })
    expect(one.map(({ bulkId, status }) => [bulkId, status])).toEqual([
      ['a', '201'],
      ['b', '400'],
    ])
    const other = await newClient()
    expect(await run(other, operations, { failOnErrors: 2 })).toHaveLength(3)
    expect((await other.get('/Users')).body.totalResults).toBe(1)
  })

  it('returns the error of a failed operation in response (§3.7, §3.7.3)', async () => {
    const client = await newClient()
    await client.createUser({ userName: 'alice' })
    const [conflict] = await run(client, [user('a', 'alice')])
    expect(conflict?.status).toBe('409')
    expect(conflict?.response).toMatchObject({
      schemas: [ERROR],
      status: '409',
      scimType: 'uniqueness',
      detail: expect.any(String),
    })
  })

  it('returns the location of every operation, except a failed POST (§3.7, §3.7.3)', async () => {
    const client = await newClient()
    const [kept, gone] = [await client.createUser(), await client.createUser()]
    const crew = await client.createGroup()
    const change = { schemas: [PATCH_OP], Operations: [{ op: 'add', path: 'externalId', value: 'x' }] }
    const bad = { schemas: [PATCH_OP], Operations: [{ op: 'add', path: 'shoeSize', value: 44 }] }
    const results = await run(client, [
      { method: 'PUT', path: `/Users/${kept.id}`, data: { schemas: [USER], userName: 'bob' } },
      { method: 'PATCH', path: `/Users/${kept.id}`, data: change },
      { method: 'PATCH', path: `/Users/${kept.id}`, data: bad },
      { method: 'PATCH', path: `/Groups/${crew.id}`, data: change },
      { method: 'DELETE', path: `/Users/${gone.id}` },
      { method: 'DELETE', path: '/Users/unknown' },
      user('a', ''),
    ])
    expect(results.map(({ location }) => location?.replace(TENANT_URL, ''))).toEqual([
      `/Users/${kept.id}`,
      `/Users/${kept.id}`,
      `/Users/${kept.id}`,
      `/Groups/${crew.id}`,
      `/Users/${gone.id}`,
      '/Users/unknown',
      undefined,
    ])
  })

  it('returns the results of all operations that ran, in order (§3.7.3)', async () => {
    const client = await newClient()
    const operations = Array.from({ length: 5 }, (_, i) => user(`u${i}`, `user-${i}`))
    const results = await run(client, operations)
    expect(results.map(({ bulkId }) => bulkId)).toEqual(operations.map(({ bulkId }) => bulkId))
  })

  it('replaces a bulkId by the id of the new resource, in data and in paths (§3.7.2)', async () => {
    const client = await newClient()
    const change = { schemas: [PATCH_OP], Operations: [{ op: 'add', path: 'title', value: 'Pilot' }] }
    const [alice, guides] = await run(client, [
      user('qwerty', 'alice'),
      group('ytrewq', 'Tour Guides', 'bulkId:qwerty'),
      { method: 'PATCH', path: '/Users/bulkId:qwerty', data: change },
    ])
    expect((await client.get(`/Groups/${idOf(guides)}`)).body.members).toMatchObject([
      { value: idOf(alice), type: 'User' },
    ])
    expect((await client.get(`/Users/${idOf(alice)}`)).body.title).toBe('Pilot')
  })

  it('resolves a bulkId of a later operation (§3.7, §3.7.2)', async () => {
    const client = await newClient()
    const [guides, alice] = await run(client, [group('g', 'Guides', 'bulkId:u'), user('u', 'alice')])
    expect([guides?.status, alice?.status]).toEqual(['201', '201'])
    expect((await client.get(`/Groups/${idOf(guides)}`)).body.members).toMatchObject([{ value: idOf(alice) }])
  })

  it('resolves a bulkId in an extension: the manager of a user (§3.7.2)', async () => {
    const client = await newClient()
    const manager = { [ENTERPRISE]: { employeeNumber: '11250', manager: { value: 'bulkId:qwerty' } } }
    const [alice, bob] = await run(client, [user('qwerty', 'alice'), user('ytrewq', 'bob', manager)])
    expect((await client.get(`/Users/${idOf(bob)}`)).body[ENTERPRISE]).toEqual({
      employeeNumber: '11250',
      manager: { value: idOf(alice) },
    })
  })

  it('resolves groups that are members of each other (§3.7.1)', async () => {
    const client = await newClient()
    const [a, b] = await run(client, [
      group('qwerty', 'Group A', 'bulkId:ytrewq'),
      group('ytrewq', 'Group B', 'bulkId:qwerty'),
    ])
    expect([a?.status, b?.status]).toEqual(['201', '201'])
    expect((await client.get(`/Groups/${idOf(a)}`)).body.members).toMatchObject([
      { value: idOf(b), type: 'Group' },
    ])
    expect((await client.get(`/Groups/${idOf(b)}`)).body.members).toMatchObject([
      { value: idOf(a), type: 'Group' },
    ])
  })

  it('resolves a group that is a member of itself, and a user that is its own manager (§3.7.1)', async () => {
    const client = await newClient()
    const manager = { [ENTERPRISE]: { employeeNumber: '1', manager: { value: 'bulkId:u' } } }
    const [g, u] = await run(client, [
      group('g', 'Group', 'bulkId:g', 'bulkId:u'),
      user('u', 'alice', { title: 'Pilot', ...manager }),
    ])
    expect([g?.status, u?.status]).toEqual(['201', '201'])
    const read = (await client.get(`/Groups/${idOf(g)}`)).body
    const values = read.members.map(({ value }: { value: string }) => value)
    expect(values.toSorted()).toEqual([idOf(g), idOf(u)].toSorted())
    expect(g?.version).toBe(read.meta.version)
    const alice = (await client.get(`/Users/${idOf(u)}`)).body
    expect(alice.title).toBe('Pilot')
    expect(alice[ENTERPRISE]).toEqual({ employeeNumber: '1', manager: { value: idOf(u) } })
  })

  it('answers 409 to circular references that cannot be resolved, and creates nothing (§3.7.1)', async () => {
    const client = await newClient()
    const results = await run(client, [
      group('a', 'Group A', 'bulkId:b'),
      group('b', '', 'bulkId:a'),
      user('c', 'alice'),
    ])
    expect(results.map(({ status }) => status)).toEqual(['409', '400', '201'])
    expect((await client.get('/Groups')).body.totalResults).toBe(0)
  })

  it('resolves the circular references of started operations even if failOnErrors stops the others (§3.7, §3.7.1)', async () => {
    const client = await newClient()
    const operations = [
      group('a', 'Group A', 'bulkId:b'),
      group('b', 'Group B', 'bulkId:a'),
      // Depends on the first group, so that the circular references are started when it fails.
      { ...user('c', ''), data: { schemas: [USER], title: 'bulkId:a' } },
      { method: 'DELETE', path: '/Groups/bulkId:a' },
    ]
    const [a, b, ...rest] = await run(client, operations, { failOnErrors: 1 })
    expect(rest.map(({ status }) => status)).toEqual(['400'])
    const members = async (result?: Result) => (await client.get(`/Groups/${idOf(result)}`)).body.members
    expect(await members(a)).toMatchObject([{ value: idOf(b) }])
    expect(await members(b)).toMatchObject([{ value: idOf(a) }])
  })

  it('runs an operation with a version only if the version matches (§3.7, §3.14)', async () => {
    const client = await newClient()
    const { id, meta } = await client.createUser({ userName: 'ada' })
    const replace = (userName: string) => ({
      method: 'PUT',
      path: `/Users/${id}`,
      version: meta.version,
      data: { schemas: [USER], userName },
    })
    const results = await run(client, [replace('bea'), replace('cyd')])
    expect(results.map(({ status }) => status)).toEqual(['200', '412'])
    expect((await client.get(`/Users/${id}`)).body.userName).toBe('bea')
  })

  it('answers 413 beyond a limit, and names the limit (§3.7.4)', async () => {
    const client = await newClient()
    const { bulk } = (await client.get('/ServiceProviderConfig')).body
    const many = Array.from({ length: bulk.maxOperations + 1 }, (_, i) => user(`${i}`, `user-${i}`))
    const tooMany = await send(client, many)
    expectError(tooMany, 413)
    expect(tooMany.body.detail).toContain(String(bulk.maxOperations))
    const tooLarge = await send(client, [user('a', 'x'.repeat(bulk.maxPayloadSize))])
    expectError(tooLarge, 413)
    expect(tooLarge.body.detail).toContain(String(bulk.maxPayloadSize))
    expect((await client.get('/Users')).body.totalResults).toBe(0)
  })

  it('accepts only endpoints as the path of a POST (§3.7)', async () => {
    const client = await newClient()
    const results = await run(client, [
      { ...user('a', 'alice'), path: '/Users/.search', data: {} },
      { ...user('b', 'bob'), path: '/Users/2819c223' },
    ])
    for (const { status } of results) expect(Number(status)).toBeGreaterThanOrEqual(400)
    expect((await client.get('/Users')).body.totalResults).toBe(0)
  })

  it('rejects an invalid message with an error (§3.7, §3.12)', async () => {
    const client = await newClient()
    expectError(await client.request('POST', '/Bulk', { schemas: [BULK_REQUEST] }), 400, 'invalidSyntax')
    expectError(await client.request('POST', '/Bulk', { Operations: [] }), 400, 'invalidSyntax')
    expectError(await client.request('POST', '/Bulk', 'no JSON'), 400, 'invalidSyntax')
  })
})
