/** RFC 7644 §3.1, §3.2, §3.13 and §4: endpoints and discovery. */
import { describe, expect, it } from 'vitest'
import { GROUP, newClient, ORIGIN, send, TENANT_URL, USER } from '../support/harness.ts'
import { ENTERPRISE, expectError, LIST_RESPONSE } from './protocol.ts'

describe('RFC 7644 §4, discovery', () => {
  it('returns /ServiceProviderConfig with its schema (§4)', async () => {
    const { status, body } = await send(new Request(`${TENANT_URL}/ServiceProviderConfig`))
    expect(status).toBe(200)
    expect(body.schemas).toEqual(['urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'])
    expect(body.meta).toMatchObject({ resourceType: 'ServiceProviderConfig' })
  })

  it('supports the features that it lists (§4)', async () => {
    const client = await newClient()
    const { body } = await client.get('/ServiceProviderConfig')
    for (const feature of ['patch', 'bulk', 'filter', 'sort', 'etag']) {
      expect(body[feature].supported, feature).toBe(true)
    }
    expect(body.changePassword.supported).toBe(false)
    for (let i = 0; i < 3; i++) await client.createUser()
    const many = await client.get(`/Users?count=${body.filter.maxResults + 1}`)
    expect(many.body.Resources.length).toBeLessThanOrEqual(body.filter.maxResults)
  })

  it.for([
    ['/Schemas', 'urn:ietf:params:scim:schemas:core:2.0:Schema', [USER, GROUP, ENTERPRISE]],
    ['/ResourceTypes', 'urn:ietf:params:scim:schemas:core:2.0:ResourceType', ['User', 'Group']],
  ] as const)('returns %s as a ListResponse of %s, and each by its id (§4)', async ([path, schema, ids]) => {
    const client = await newClient()
    const { body } = await client.get(path)
    expect(body).toMatchObject({ schemas: [LIST_RESPONSE], totalResults: body.Resources.length })
    for (const resource of body.Resources) {
      expect(resource.schemas).toEqual([schema])
      expect((await client.get(`${path}/${resource.id}`)).body).toEqual(resource)
      expect(resource.meta.location).toBe(`${TENANT_URL}${path}/${resource.id}`)
    }
    expect(body.Resources.map(({ id }: { id: string }) => id)).toEqual(expect.arrayContaining(ids.slice()))
    expectError(await client.get(`${path}/unknown`), 404)
  })

  it('does not list messages among the schemas (§3.1)', async () => {
    const client = await newClient()
    const { Resources } = (await client.get('/Schemas')).body
    for (const { id } of Resources) expect(id).not.toContain(':api:')
    expectError(await client.get('/Schemas/urn:ietf:params:scim:api:messages:2.0:ListResponse'), 404)
  })

  it.for(['/Schemas', '/ResourceTypes'])('ignores sorting and pagination of %s (§4)', async (path) => {
    const client = await newClient()
    const { body } = await client.get(path)
    const query = 'startIndex=2&count=1&sortBy=id&sortOrder=descending&attributes=id'
    expect((await client.get(`${path}?${query}`)).body).toEqual(body)
  })

  it.for(['/Schemas', '/ResourceTypes'])('rejects a filter on %s with 403 (§4)', async (path) => {
    const client = await newClient()
    expectError(await client.get(`${path}?filter=name+eq+%22User%22`), 403)
  })

  it('has endpoints with the plural of the resource name (§3.2)', async () => {
    const client = await newClient()
    const types = (await client.get('/ResourceTypes')).body.Resources
    for (const { name, endpoint } of types) expect(endpoint).toBe(`/${name}s`)
  })
})

describe('RFC 7644 §3.13, protocol versions', () => {
  it('rejects an unsupported version (§3.13)', async () => {
    const { token } = await newClient()
    const headers = { Authorization: `Bearer ${token}` }
    const answer = await send(new Request(`${ORIGIN}/scim/v1/Users`, { headers }))
    expect(answer.status).toBe(404)
  })
})
