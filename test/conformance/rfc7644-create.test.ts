/** RFC 7644 §3.3 and §3.8: creating resources, and the encoding of requests and responses. */
import { describe, expect, it } from 'vitest'
import { GROUP, newClient, TENANT_URL, USER } from '../support/harness.ts'
import { expectError } from './protocol.ts'

const BODY = { schemas: [USER], userName: 'ada@quillfern.example' }

describe('RFC 7644 §3.3, creating resources', () => {
  it('answers 201 with the resource, and its URI in Location and meta.location (§3.3)', async () => {
    const client = await newClient()
    for (const [path, body] of [
      ['/Users', { ...BODY, name: { givenName: 'Ada' } }],
      ['/Groups', { schemas: [GROUP], displayName: 'Field Crew' }],
    ] as const) {
      const answer = await client.request('POST', path, body)
      expect(answer.status).toBe(201)
      expect(answer.body).toMatchObject(body)
      expect(answer.headers.get('Location')).toBe(`${TENANT_URL}${path}/${answer.body.id}`)
      expect(answer.body.meta.location).toBe(answer.headers.get('Location'))
      expect((await client.get(`${path}/${answer.body.id}`)).body).toEqual(answer.body)
    }
  })

  it('ignores read-only attributes (§3.3)', async () => {
    const client = await newClient()
    const answer = await client.request('POST', '/Users', {
      ...BODY,
      id: 'mine',
      groups: [{ value: 'x' }],
      meta: { resourceType: 'Robot' },
    })
    expect(answer.status).toBe(201)
    expect(answer.body.id).not.toBe('mine')
    expect(answer.body).not.toHaveProperty('groups')
    expect(answer.body.meta.resourceType).toBe('User')
  })

  it('answers 409 uniqueness to a duplicate (§3.3)', async () => {
    const client = await newClient()
    await client.createUser({ userName: BODY.userName })
    expectError(await client.request('POST', '/Users', BODY), 409, 'uniqueness')
    await client.createGroup({ displayName: 'Field Crew' })
    const group = { schemas: [GROUP], displayName: 'Field Crew' }
    expectError(await client.request('POST', '/Groups', group), 409, 'uniqueness')
  })

  it('sets meta.resourceType to the type of the endpoint (§3.3.1)', async () => {
    const client = await newClient()
    const meta = { resourceType: 'Group' }
    expect((await client.createUser({ meta })).meta.resourceType).toBe('User')
    expect((await client.createGroup({ meta: { resourceType: 'User' } })).meta.resourceType).toBe('Group')
  })

  it('returns the requested attributes (§3.9)', async () => {
    const client = await newClient()
    const answer = await client.request('POST', '/Users?attributes=userName', { ...BODY, title: 'Pilot' })
    expect(Object.keys(answer.body).sort()).toEqual(['id', 'schemas', 'userName'])
    const second = { ...BODY, userName: 'eve', title: 'Pilot' }
    const without = await client.request('POST', '/Users?excludedAttributes=title', second)
    expect(without.body).toMatchObject({ userName: 'eve' })
    expect(without.body).not.toHaveProperty('title')
  })
})

describe('RFC 7644 §3.8 and §8.1, encoding', () => {
  it('accepts and returns UTF-8 (§3.8)', async () => {
    const client = await newClient()
    const displayName = 'Žofie Ørsted 山田 \u{1F984}'
    const body = JSON.stringify({ ...BODY, displayName })
    const answer = await client.request('POST', '/Users', body, { 'Content-Type': 'application/scim+json' })
    expect(answer.body.displayName).toBe(displayName)
    expect((await client.filter('/Users', `displayName eq "${displayName}"`)).body.totalResults).toBe(1)
  })

  it('accepts application/scim+json and application/json, with and without a charset (§3.8, §8.1)', async () => {
    const client = await newClient()
    for (const type of [
      'application/scim+json',
      'application/scim+json; charset=UTF-8',
      'application/json',
      'application/json;charset=utf-8',
    ]) {
      const answer = await client.request(
        'POST',
        '/Users',
        { ...BODY, userName: type },
        { 'Content-Type': type },
      )
      expect(answer.status, type).toBe(201)
    }
  })

  it('returns application/scim+json for any Accept header, or none (§3.8)', async () => {
    const client = await newClient()
    for (const headers of [{ Accept: 'application/scim+json' }, { Accept: 'application/json' }, {}]) {
      const answer = await client.get('/Users', headers as Record<string, string>)
      expect(answer.status).toBe(200)
      expect(answer.headers.get('Content-Type')).toMatch(/^application\/scim\+json/)
    }
  })
})
