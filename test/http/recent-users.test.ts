/**
 * Changes of users in the cache of this isolate: they save a round trip, and the result does not depend on the cached
 * state. SQL simulates the changes of another isolate.
 */
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { chance } from '../support/chance.ts'
import { type Client, costOf, newClient } from '../support/harness.ts'

/** One to three operations, of which some change nothing and some are refused. */
function randomOperations(random: () => number): readonly unknown[] {
  const of = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  const operation = () =>
    of([
      {
        op: of(['add', 'replace']),
        path: of(['title', 'displayName', 'name.givenName']),
        value: of(['One', 'Two']),
      },
      { op: 'replace', path: 'active', value: of([true, false, 'False']) },
      { op: 'replace', path: 'emails[type eq "work"].value', value: of(['a@x.example', 'b@x.example']) },
      { op: 'add', value: { nickName: of(['One', 'Two']), unknownName: 'x' } },
      { op: 'remove', path: of(['title', 'displayName', 'active']) },
      { op: 'replace', path: 'externalId', value: of(['one', '8d6e4b2a-0000-4000-8000-000000000000']) },
      { op: 'replace', path: 'title', value: 17 },
    ])
  return Array.from({ length: 1 + Math.floor(random() * 3) }, operation)
}

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

  it('takes one round trip if the user was matched by a filter, as identity providers do', async () => {
    const client = await newClient()
    for (const [id, filter] of [
      ['by-name', 'userName eq "by-name"'],
      ['by-other', 'userName eq "by-other" and active eq true'],
    ] as const) {
      await createElsewhere(client, id)
      expect((await client.filter('/Users', filter)).body.totalResults).toBe(1)
      const answer = await client.patch(`/Users/${id}`, setName('One'))
      expect([answer.status, costOf(answer).roundTrips]).toEqual([200, 1])
    }
  })

  it('is stored, logged and told the same whether the user was read, matched or neither', async () => {
    const client = await newClient()
    await client.get('/Users?count=0')
    const seen = [
      (id: string) => client.get(`/Users/${id}`),
      (id: string) => client.filter('/Users', `userName eq "${id}"`),
      async () => undefined,
    ]
    const random = chance(17)
    for (let run = 0; run < 10; run++) {
      const operations = randomOperations(random)
      const outcomes = []
      for (const [i, see] of seen.entries()) {
        // One word, so that the words of the search are the same for all.
        const id = await createElsewhere(client, `user${run}x${i}`)
        await see(id)
        const { status, body } = await client.patch(`/Users/${id}`, ...operations)
        const { results } = await env.DB.prepare(
          `SELECT data, keys, version, (SELECT json_group_array(json_array(action, status, changes, ignored, detail) ORDER BY id)
              FROM provisioning_log AS l WHERE l.tenant_id = u.tenant_id AND l.resource_id = u.id) AS log,
            (SELECT json_group_array(json_array(type, data, previous) ORDER BY seq)
              FROM events AS e WHERE e.tenant_id = u.tenant_id AND e.resource_id = u.id) AS events
          FROM users AS u WHERE tenant_id = ?1 AND id = ?2`,
        )
          .bind(client.tenantId, id)
          .all()
        const { meta: _, ...attributes } = body
        outcomes.push(JSON.stringify([status, attributes, results]).replaceAll(id, 'user'))
      }
      expect(outcomes[1], JSON.stringify(operations)).toBe(outcomes[0])
      expect(outcomes[2], JSON.stringify(operations)).toBe(outcomes[0])
    }
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
