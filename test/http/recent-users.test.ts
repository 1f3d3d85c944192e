/**
 * Changes of users in the cache of this isolate: they save a round trip, and the result does not depend on the cached
 * state. SQL simulates the changes of another isolate.
 */
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { type Client, costOf, newClient } from '../support/harness.ts'

const setName = (value: string) => ({ op: 'replace', path: 'displayName', value })

/** Sets another displayName and the next version of a user, without updating the cache. */
async function renameElsewhere({ tenantId }: Client, id: string, name: string): Promise<void> {
  await env.DB.prepare(
    `UPDATE users SET data = json_set(data, '$.displayName', ?3), keys = json_set(keys, '$.displayName', lower(?3)),
      version = version + 1 WHERE tenant_id = ?1 AND id = ?2`,
  )
    .bind(tenantId, id, name)
    .run()
}

/** A user that is not in the cache of this isolate. */
async function createElsewhere({ tenantId }: Client, id: string): Promise<string> {
  await env.DB.prepare(
    `INSERT INTO users (tenant_id, id, data, keys, version, created_at, last_modified)
     SELECT ?1, ?2, data, data, 1, 0, 0 FROM (SELECT json_object('userName', ?2, 'active', json('true')) AS data)`,
  )
    .bind(tenantId, id)
    .run()
  return id
}

describe('a change of a user', () => {
  it('takes one round trip if the user was read before, otherwise two', async () => {
    const client = await newClient()
    await client.get('/Users?count=0')
    const id = await createElsewhere(client, 'unseen')
    const first = await client.patch(`/Users/${id}`, setName('One'))
    expect([first.status, costOf(first).roundTrips]).toEqual([200, 2])
    const second = await client.patch(`/Users/${id}`, setName('Two'))
    expect([second.status, costOf(second).roundTrips]).toEqual([200, 1])
    const other = await createElsewhere(client, 'read')
    await client.get(`/Users/${other}`)
    expect(costOf(await client.patch(`/Users/${other}`, setName('One'))).roundTrips).toBe(1)
  })

  it('returns the current groups of the user', async () => {
    const client = await newClient()
    const { id } = await client.createUser()
    const group = await client.createGroup({ members: [{ value: id }] })
    const answer = await client.patch(`/Users/${id}`, setName('One'))
    expect(costOf(answer).roundTrips).toBe(1)
    expect(answer.body.groups).toMatchObject([{ value: group.id, type: 'direct' }])
  })

  it('keeps concurrent changes of another isolate', async () => {
    const client = await newClient()
    const { id } = await client.createUser({ displayName: 'Old' })
    await renameElsewhere(client, id, 'New')
    const answer = await client.patch(`/Users/${id}`, { op: 'add', path: 'title', value: 'Surveyor' })
    expect(answer.body).toMatchObject({
      displayName: 'New',
      title: 'Surveyor',
      meta: { version: 'W/"3"' },
    })
  })

  it('is applied even if it would not change the cached user', async () => {
    const client = await newClient()
    const { id } = await client.createUser({ displayName: 'Old' })
    await renameElsewhere(client, id, 'New')
    const answer = await client.patch(`/Users/${id}`, setName('Old'))
    expect(answer.body).toMatchObject({ displayName: 'Old', meta: { version: 'W/"3"' } })
  })

  it('checks its precondition against the stored version, not the cached one', async () => {
    const client = await newClient()
    const { id } = await client.createUser({ displayName: 'Old' })
    await renameElsewhere(client, id, 'New')
    const put = (version: string) =>
      client.request(
        'PATCH',
        `/Users/${id}`,
        { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: [setName('Newer')] },
        { 'If-Match': version },
      )
    expect((await put('W/"1"')).status).toBe(412)
    expect((await put('W/"2"')).body).toMatchObject({ displayName: 'Newer', meta: { version: 'W/"3"' } })
  })

  // An import of an edited file, a restore and manual SQL can all repeat a version.
  it.for([
    ['disabled', { active: false }],
    ['renamed', { userName: 'other', displayName: 'somebody else' }],
  ] as const)('keeps a change of another isolate at the same version: %s', async ([, edit]) => {
    const client = await newClient()
    const user = await client.createUser({ displayName: 'Old' })
    await env.DB.prepare(
      `UPDATE users SET data = json_patch(data, ?3), keys = json_patch(keys, ?3)
        WHERE tenant_id = ?1 AND id = ?2`,
    )
      .bind(client.tenantId, user.id, JSON.stringify(edit))
      .run()
    const answer = await client.patch(`/Users/${user.id}`, { op: 'replace', path: 'title', value: 'Pilot' })
    expect(answer.status).toBe(200)
    const { meta: _, ...before } = user
    expect(answer.body).toMatchObject({ ...before, ...edit, title: 'Pilot', meta: { version: 'W/"2"' } })
    expect((await client.get(`/Users/${user.id}`)).body).toEqual(answer.body)
  })

  it('returns the stored time of creation', async () => {
    const client = await newClient()
    const { id } = await client.createUser()
    await env.DB.prepare('UPDATE users SET created_at = 0 WHERE tenant_id = ?1 AND id = ?2')
      .bind(client.tenantId, id)
      .run()
    const { body } = await client.patch(`/Users/${id}`, setName('One'))
    expect(body.meta.created).toBe('1970-01-01T00:00:00.000Z')
  })

  it('selects among the stored values, not the cached ones', async () => {
    const client = await newClient()
    const { id } = await client.createUser()
    await env.DB.prepare(
      `UPDATE users SET data = json_set(data, '$.emails', json('[{"type":"work","value":"a@x.example"}]')),
        version = version + 1 WHERE tenant_id = ?1 AND id = ?2`,
    )
      .bind(client.tenantId, id)
      .run()
    const operation = { op: 'replace', path: 'emails[type eq "work"].value', value: 'b@x.example' }
    expect((await client.patch(`/Users/${id}`, operation)).body.emails).toMatchObject([
      { value: 'b@x.example' },
    ])
  })

  it('answers 404 if another isolate deleted the user', async () => {
    const client = await newClient()
    const { id } = await client.createUser()
    await env.DB.prepare('DELETE FROM users WHERE tenant_id = ?1 AND id = ?2').bind(client.tenantId, id).run()
    expect((await client.patch(`/Users/${id}`, setName('One'))).status).toBe(404)
  })

  it('answers 404 for a user of another tenant', async () => {
    const [owner, stranger] = [await newClient(), await newClient()]
    const { id } = await owner.createUser()
    await owner.get(`/Users/${id}`)
    expect((await stranger.patch(`/Users/${id}`, setName('One'))).status).toBe(404)
  })
})
