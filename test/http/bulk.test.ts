import { describe, expect, it } from 'vitest'
import { type Client, GROUP, newClient, PATCH_OP, USER } from '../support/harness.ts'

const BULK = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest'
const send = (client: Client, Operations: readonly unknown[], more: object = {}) =>
  client.request('POST', '/Bulk', { schemas: [BULK], Operations, ...more })
const user = (bulkId: string, userName: string) => ({
  method: 'POST',
  path: '/Users',
  bulkId,
  data: { schemas: [USER], userName },
})
const group = (bulkId: string, displayName: string, ...members: readonly string[]) => ({
  method: 'POST',
  path: '/Groups',
  bulkId,
  data: { schemas: [GROUP], displayName, members: members.map((value) => ({ value })) },
})

describe('/Bulk', () => {
  it('runs all methods and answers each with status, location and version', async () => {
    const client = await newClient()
    const [old, gone] = [
      await client.createUser({ userName: 'old' }),
      await client.createUser({ userName: 'gone' }),
    ]
    const answer = await send(client, [
      user('a', 'ada'),
      {
        method: 'PUT',
        path: `/Users/${old.id}`,
        data: { schemas: [USER], userName: 'new' },
        version: 'W/"1"',
      },
      {
        method: 'patch',
        path: `/Users/${old.id}`,
        data: { schemas: [PATCH_OP], Operations: [{ op: 'add', path: 'title', value: 'Pilot' }] },
      },
      { method: 'DELETE', path: `/Users/${gone.id}` },
    ])
    expect(answer.status).toBe(200)
    expect(answer.body.schemas).toEqual(['urn:ietf:params:scim:api:messages:2.0:BulkResponse'])
    const [created, replaced, patched, deleted] = answer.body.Operations
    expect(created).toMatchObject({ method: 'POST', bulkId: 'a', status: '201', version: 'W/"1"' })
    expect(created.location).toMatch(/\/scim\/v2\/Users\/[0-9a-f-]{36}$/)
    expect([replaced.status, patched.status, deleted.status]).toEqual(['200', '200', '204'])
    expect((await client.get(`/Users/${old.id}`)).body).toMatchObject({ userName: 'new', title: 'Pilot' })
    expect((await client.log()).map((entry) => entry.action)).toEqual([
      'delete',
      'update',
      'update',
      'create',
      'create',
      'create',
    ])
  })

  it('resolves references backwards, forwards, in paths and in circles', async () => {
    const client = await newClient()
    const answer = await send(client, [
      group('g1', 'First', 'bulkId:g2', 'bulkId:u'),
      group('g2', 'Second', 'bulkId:g1'),
      user('u', 'ada'),
      {
        method: 'PATCH',
        path: '/Users/bulkId:u',
        data: { schemas: [PATCH_OP], Operations: [{ op: 'add', path: 'title', value: 'Pilot' }] },
      },
    ])
    expect(answer.body.Operations.map((operation: { status: string }) => operation.status)).toEqual([
      '201',
      '201',
      '201',
      '200',
    ])
    const [first, second] = (await client.get('/Groups?sortBy=displayName')).body.Resources
    const ada = (await client.filter('/Users', 'userName eq "ada"')).body.Resources[0]
    const values = (members: readonly { value: string }[]) => members.map((member) => member.value).sort()
    expect(values(first.members)).toEqual([second.id, ada.id].sort())
    expect(values(second.members)).toEqual([first.id])
    expect(ada.title).toBe('Pilot')
    const { version } = answer.body.Operations[0]
    expect((await client.get(`/Groups/${first.id}`)).body.meta.version).toBe(version)
  })

  it('stops after failOnErrors, and answers errors with their message', async () => {
    const client = await newClient()
    const operations = [user('a', 'ada'), user('b', 'ADA'), user('c', ''), user('d', 'dora')]
    const stopped = await send(client, operations, { failOnErrors: 1 })
    expect(stopped.body.Operations).toHaveLength(2)
    expect(stopped.body.Operations[1]).toMatchObject({
      bulkId: 'b',
      status: '409',
      response: { scimType: 'uniqueness' },
    })
    const all = await send(client, operations.slice(1))
    expect(all.body.Operations.map((operation: { status: string }) => operation.status)).toEqual([
      '409',
      '400',
      '201',
    ])
  })

  it('fails an operation that names a bulkId that nothing made, and those that lead elsewhere', async () => {
    const client = await newClient()
    const answer = await send(client, [
      user('a', ''),
      group('g', 'Crew', 'bulkId:a'),
      { method: 'DELETE', path: '/Users/bulkId:nobody' },
      { method: 'POST', path: '/Bulk', bulkId: 'x', data: {} },
      { method: 'DELETE', path: '/../admin/api/tenants/default' },
      { method: 'PUT', path: '/Users/unknown', data: { schemas: [USER], userName: 'x' }, version: 'W/"1"' },
    ])
    expect(answer.body.Operations.map((operation: { status: string }) => operation.status)).toEqual([
      '400',
      '409',
      '409',
      '404',
      '404',
      '404',
    ])
    expect((await client.get('/Groups')).body.totalResults).toBe(0)
  })

  it('refuses more operations than it takes with 413, and malformed requests with 400', async () => {
    const client = await newClient()
    const many = Array.from({ length: 101 }, (_, i) => user(`${i}`, `user-${i}`))
    expect((await send(client, many)).status).toBe(413)
    for (const body of [
      { Operations: [] },
      { schemas: [BULK] },
      { schemas: [BULK], Operations: [{ method: 'GET', path: '/Users' }] },
      { schemas: [BULK], Operations: [{ method: 'POST', path: '/Users', data: {} }] },
      { schemas: [BULK], Operations: [user('a', 'a'), user('a', 'b')] },
    ]) {
      expect((await client.request('POST', '/Bulk', body)).body).toMatchObject({
        status: '400',
        scimType: 'invalidSyntax',
      })
    }
    expect((await client.get('/Users')).body.totalResults).toBe(0)
  })

  it('lets a read token write nothing, and counts every round trip', async () => {
    const client = await newClient({ scope: 'read' })
    const answer = await send(client, [user('a', 'ada')])
    expect(answer.body.Operations[0].status).toBe('403')
    expect(answer.headers.get('Server-Timing')).toMatch(/"3 round trips/)
  })
})
