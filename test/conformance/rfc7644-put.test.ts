/** RFC 7644 §3.5 and §3.5.1: replacing resources. */
import { describe, expect, it } from 'vitest'
import { GROUP, newClient, USER } from '../support/harness.ts'
import { expectError } from './protocol.ts'

describe('RFC 7644 §3.5.1, replacing', () => {
  it('answers 200 with the replaced resource (§3.5, §3.5.1)', async () => {
    const client = await newClient()
    const { id, userName } = await client.createUser({ title: 'Pilot' })
    const body = { schemas: [USER], userName, title: 'Diver', emails: [{ value: 'a@b', type: 'work' }] }
    const answer = await client.request('PUT', `/Users/${id}`, body)
    expect(answer.status).toBe(200)
    expect(answer.body).toMatchObject({ ...body, id })
    expect((await client.get(`/Users/${id}`)).body).toEqual(answer.body)
  })

  it('answers 404 to an unknown id and creates nothing (§3.2, §3.5.1)', async () => {
    const client = await newClient()
    const unknown = '2819c223-7f76-453a-919d-413861904646'
    expectError(await client.request('PUT', `/Users/${unknown}`, { schemas: [USER], userName: 'ada' }), 404)
    const group = { schemas: [GROUP], displayName: 'Crew' }
    expectError(await client.request('PUT', `/Groups/${unknown}`, group), 404)
    expect((await client.get('')).body.totalResults).toBe(0)
  })

  it('clears attributes that are omitted, null or empty (§3.5.1)', async () => {
    const client = await newClient()
    const { id, userName } = await client.createUser({
      title: 'Pilot',
      nickName: 'Ada',
      emails: [{ value: 'a@b' }],
      name: { givenName: 'Ada', familyName: 'Byron' },
    })
    const body = { schemas: [USER], userName, nickName: null, emails: [], name: { givenName: 'Ada' } }
    const answer = await client.request('PUT', `/Users/${id}`, body)
    for (const name of ['title', 'nickName', 'emails']) expect(answer.body).not.toHaveProperty([name])
    expect(answer.body.name).toEqual({ givenName: 'Ada' })
  })

  it('ignores read-only attributes, changed or not (§3.1, §3.5.1)', async () => {
    const client = await newClient()
    const user = await client.createUser()
    const body = { ...user, id: 'other', groups: [{ value: 'x' }], meta: { version: 'x' }, title: 'Pilot' }
    const answer = await client.request('PUT', `/Users/${user.id}`, body)
    expect(answer.status).toBe(200)
    expect(answer.body).toMatchObject({ id: user.id, title: 'Pilot', meta: { created: user.meta.created } })
    expect(answer.body).not.toHaveProperty('groups')
  })

  it('accepts a resource as it was returned, without a change (§3.5.1)', async () => {
    const client = await newClient()
    const user = await client.createUser({ name: { givenName: 'Ada' }, emails: [{ value: 'a@b' }] })
    const group = await client.createGroup({ members: [{ value: user.id }] })
    const read = (await client.get(`/Users/${user.id}`)).body
    expect((await client.request('PUT', `/Users/${user.id}`, read)).body).toEqual(read)
    const same = (await client.get(`/Groups/${group.id}`)).body
    expect((await client.request('PUT', `/Groups/${group.id}`, same)).body).toEqual(same)
  })

  it('rejects a body without a required attribute (§3.5.1)', async () => {
    const client = await newClient()
    const user = await client.createUser()
    const body = { schemas: [USER], title: 'Pilot' }
    expectError(await client.request('PUT', `/Users/${user.id}`, body), 400, 'invalidValue')
    expect((await client.get(`/Users/${user.id}`)).body).toEqual(user)
  })

  it('answers 409 uniqueness to a value of another resource (§3.3, §3.12)', async () => {
    const client = await newClient()
    await client.createUser({ userName: 'ada' })
    const { id } = await client.createUser({ userName: 'bea' })
    const body = { schemas: [USER], userName: 'ADA' }
    expectError(await client.request('PUT', `/Users/${id}`, body), 409, 'uniqueness')
  })

  it('replaces the members of a group, and accepts unchanged members (§3.5.1)', async () => {
    const client = await newClient()
    const [a, b, c] = [await client.createUser(), await client.createUser(), await client.createUser()]
    const { id, displayName, members } = await client.createGroup({
      members: [{ value: a.id }, { value: b.id }],
    })
    const body = { schemas: [GROUP], displayName, members: [members[1], { value: c.id }] }
    const answer = await client.request('PUT', `/Groups/${id}`, body)
    const values = answer.body.members.map(({ value }: { value: string }) => value)
    expect(values.toSorted()).toEqual([b.id, c.id].toSorted())
  })

  it('returns the requested attributes (§3.9)', async () => {
    const client = await newClient()
    const { id, userName } = await client.createUser()
    const body = { schemas: [USER], userName, title: 'Pilot' }
    const answer = await client.request('PUT', `/Users/${id}?attributes=title`, body)
    expect(Object.keys(answer.body).sort()).toEqual(['id', 'schemas', 'title'])
  })
})
