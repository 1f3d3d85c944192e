/**
 * What clients that are in use send and need beyond the RFCs. Each describe names who, and the function in the source
 * names where that is documented or was reported.
 */
import { describe, expect, it } from 'vitest'
import { GROUP, newClient, USER } from '../support/harness.ts'

const BULK = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest'

// Microsoft's Postman collection asks for /users: AzureAD/SCIMReferenceCode#43.
describe('endpoints in another case', () => {
  it('are those of RFC 7644 §3.2', async () => {
    const client = await newClient()
    const created = await client.request('POST', '/users', { schemas: [USER], userName: 'ada' })
    expect(created.status).toBe(201)
    const { id, meta } = created.body
    expect(created.headers.get('Location')).toBe(meta.location)
    expect(meta.location).toMatch(/\/scim\/v2\/Users\//)
    const group = await client.request('POST', '/GROUPS/', { schemas: [GROUP], displayName: 'Crew' })
    expect(group.status).toBe(201)
    for (const path of [
      '/users',
      '/uSERS/',
      `/users/${id}`,
      `//users//${id}/?attributes=id`,
      '/groups?count=1',
    ]) {
      expect((await client.get(path)).status, path).toBe(200)
    }
    for (const path of [
      '/schemas',
      '/SCHEMAS/',
      `/schemas/${USER}`,
      '/resourcetypes',
      '/resourceTypes/User',
    ]) {
      expect((await client.get(path)).status, path).toBe(200)
    }
    expect((await client.get('/serviceproviderconfig')).status).toBe(200)
    expect((await client.get('/me')).status).toBe(501)
    expect((await client.request('POST', '/users/.search', {})).body.totalResults).toBe(1)
    expect((await client.request('PATCH', `/users/${id}`, { Operations: [] })).status).toBe(200)
    expect((await client.request('DELETE', `/groups/${group.body.id}`)).status).toBe(204)
    expect((await client.log()).map(({ action }) => action)).toEqual(['delete', 'update', 'create', 'create'])
  })

  it('are asked for a token, know their methods, and ids keep their case', async () => {
    const client = await newClient()
    const { id } = await client.createUser()
    const stranger = { Authorization: 'Bearer x' }
    for (const path of ['/users', '/groups', '/schemas', '/bulk']) {
      const answer = await client.request(path === '/bulk' ? 'POST' : 'GET', path, undefined, stranger)
      expect(answer.status, path).toBe(401)
    }
    expect((await client.request('PUT', '/users', {})).headers.get('Allow')).toContain('POST')
    expect((await client.get(`/users/${id.toUpperCase()}`)).status).toBe(404)
    for (const path of ['/user', '/usersx', '/users.search', '/USERS%2F', '/.SEARCH']) {
      expect((await client.get(path)).status, path).toBe(404)
    }
  })

  it('are taken in the paths of a bulk request, and answered in the spelling of the RFC', async () => {
    const client = await newClient()
    const Operations = [
      { method: 'POST', path: '/users', bulkId: 'u', data: { schemas: [USER], userName: 'ada' } },
      { method: 'PATCH', path: '/USERS/bulkId:u', data: { Operations: [] } },
      { method: 'DELETE', path: '/groups/unknown' },
    ]
    const { body } = await client.request('POST', '/bulk', { schemas: [BULK], Operations })
    const results = body.Operations as readonly { status: string; location: string }[]
    expect(results.map(({ status }) => status)).toEqual(['201', '200', '404'])
    expect(results.map(({ location }) => new URL(location).pathname.split('/')[3])).toEqual([
      'Users',
      'Users',
      'Groups',
    ])
  })
})
