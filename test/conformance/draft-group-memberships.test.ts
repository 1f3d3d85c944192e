/** draft-zollner-scim-group-members: memberships as resources. The sections are those of version -01. */
import { describe, expect, it } from 'vitest'
import { type Client, newClient, TENANT_URL } from '../support/harness.ts'
import { expectError, LIST_RESPONSE } from './protocol.ts'

const SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:GroupMembership'
const PATH = '/GroupMemberships'

async function filled() {
  const client = await newClient()
  const [a, b] = [
    await client.createUser({ displayName: 'A' }),
    await client.createUser({ displayName: 'B' }),
  ]
  const inner = await client.createGroup({ members: [{ value: a.id }] })
  const outer = await client.createGroup({ members: [{ value: inner.id }] })
  return { client, a, b, inner, outer }
}

const post = (client: Client, group: string, member: string) =>
  client.request('POST', PATH, { schemas: [SCHEMA], group: { value: group }, member: { value: member } })

const found = async (client: Client, query: string) =>
  (await client.get(`${PATH}?${query}`)).body.Resources.map(
    ({ group, member }: Record<string, { value: string }>) => [group?.value, member?.value],
  )

describe('draft-zollner-scim-group-members', () => {
  it('represents direct memberships only, and all of them (§4)', async () => {
    const { client, a, inner, outer } = await filled()
    expect(await found(client, '')).toEqual([
      [inner.id, a.id],
      [outer.id, inner.id],
    ])
  })

  it('has the attributes and the metadata of a resource (§4.1)', async () => {
    const { client, b, inner } = await filled()
    const { body } = await post(client, inner.id, b.id)
    expect(body).toEqual({
      schemas: [SCHEMA],
      id: expect.stringMatching(/^[\w.~-]+$/),
      group: { value: inner.id, display: inner.displayName, $ref: inner.meta.location },
      member: { value: b.id, type: 'User', display: 'B', $ref: b.meta.location },
      meta: { resourceType: 'GroupMembership', location: `${TENANT_URL}${PATH}/${body.id}` },
    })
  })

  it('keeps members, groups and memberships the same (§6)', async () => {
    const { client, a, b, inner } = await filled()
    const { body } = await post(client, inner.id, b.id)
    const members = async () => (await client.get(`/Groups/${inner.id}`)).body.members
    expect(await members()).toHaveLength(2)
    expect((await client.get(`/Users/${b.id}`)).body.groups[0].value).toBe(inner.id)
    await client.request('DELETE', `${PATH}/${body.id}`)
    expect((await members()).map(({ value }: { value: string }) => value)).toEqual([a.id])
    await client.patch(`/Groups/${inner.id}`, { op: 'remove', path: 'members' })
    expect(await found(client, `filter=group.value eq "${inner.id}"`)).toEqual([])
  })

  it('supports no other methods than POST, GET and DELETE (§6)', async () => {
    const { client, b, inner } = await filled()
    const { body } = await post(client, inner.id, b.id)
    for (const method of ['PUT', 'PATCH'])
      expectError(await client.request(method, `${PATH}/${body.id}`, body), 405)
  })

  it('creates a membership with 201, of a group and a member that exist (§6.1)', async () => {
    const { client, b, inner } = await filled()
    const created = await post(client, inner.id, b.id)
    expect(created.status).toBe(201)
    expect((await client.get(`${PATH}/${created.body.id}`)).body).toEqual(created.body)
    expectError(await post(client, inner.id, 'unknown'), 400, 'invalidValue')
    expectError(await post(client, 'unknown', b.id), 400, 'invalidValue')
  })

  it('answers 409 to a membership that exists (§6.1)', async () => {
    const { client, a, inner } = await filled()
    expectError(await post(client, inner.id, a.id), 409, 'uniqueness')
  })

  it('paginates by index and by cursor (§6.2.1)', async () => {
    const { client } = await filled()
    const all = await found(client, '')
    expect([...(await found(client, 'count=1')), ...(await found(client, 'startIndex=2&count=1'))]).toEqual(
      all,
    )
    const { body } = await client.get(`${PATH}?cursor=&count=1`)
    expect(body).toMatchObject({ schemas: [LIST_RESPONSE], totalResults: 2, itemsPerPage: 1 })
    expect(await found(client, `cursor=${body.nextCursor}&count=1`)).toEqual([all[1]])
  })

  it('filters by group.value and by member.value (§6.2.2)', async () => {
    const { client, a, inner, outer } = await filled()
    expect(await found(client, `filter=group.value eq "${outer.id}"`)).toEqual([[outer.id, inner.id]])
    expect(await found(client, `filter=member.value eq "${a.id}"`)).toEqual([[inner.id, a.id]])
  })

  it('removes a membership with 204 (§6.3)', async () => {
    const { client, b, inner } = await filled()
    const { body } = await post(client, inner.id, b.id)
    expect((await client.request('DELETE', `${PATH}/${body.id}`)).status).toBe(204)
    expectError(await client.get(`${PATH}/${body.id}`), 404)
  })

  it('creates and removes memberships in a bulk request (§6.4)', async () => {
    const { client, a, b, inner } = await filled()
    const [{ id }] = (await client.get(`${PATH}?filter=member.value eq "${a.id}"`)).body.Resources
    const data = { schemas: [SCHEMA], group: { value: inner.id }, member: { value: b.id } }
    const { body } = await client.request('POST', '/Bulk', {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
      Operations: [
        { method: 'POST', path: PATH, bulkId: 'one', data },
        { method: 'DELETE', path: `${PATH}/${id}`, bulkId: 'two' },
      ],
    })
    expect(body.Operations.map(({ status }: { status: string }) => status)).toEqual(['201', '204'])
    expect(await found(client, `filter=group.value eq "${inner.id}"`)).toEqual([[inner.id, b.id]])
  })

  it('declares the resource type and its schema (§7.1)', async () => {
    const { client } = await filled()
    const { body } = await client.get('/ResourceTypes/GroupMembership')
    expect(body).toMatchObject({ name: 'GroupMembership', endpoint: PATH, schema: SCHEMA })
    const { attributes } = (await client.get(`/Schemas/${SCHEMA}`)).body
    for (const { required, mutability, multiValued } of attributes)
      expect({ required, mutability, multiValued }).toEqual({
        required: true,
        mutability: 'immutable',
        multiValued: false,
      })
  })
})
