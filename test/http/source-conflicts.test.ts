/** Conflicts between sources: which writes open one, and which do not. */
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { MAX_CONFLICTS } from '../../src/scim/limits.ts'
import { eventsOf, now } from '../support/feed.ts'
import { type Client, newClient } from '../support/harness.ts'
import { clientIdOf, secondSource } from '../support/sources.ts'

const CISCO = 'urn:ietf:params:scim:schemas:extension:ciscoumbrella:2.0:User'
/** One GUID as text, and in base64 as Active Directory has it. */
const GUID = '01020304-0506-0708-090a-0b0c0d0e0f10'
const BASE64 = 'BAMCAQYFCAcJCgsMDQ4PEA=='

async function conflictsOf({ tenantId }: Client) {
  const { results } = await env.DB.prepare(
    `SELECT kind, key, attribute, state, seen, resource_id AS id, client_id AS client, other_resource_id AS otherId,
       other_client_id AS otherClient, request_id AS requestId, other_request_id AS otherRequestId
     FROM source_conflicts WHERE tenant_id = ? ORDER BY kind, key`,
  )
    .bind(tenantId)
    .all()
  return results
}

async function twoSources() {
  const first = await newClient({ uniqueGroupNames: false })
  const second = await secondSource(first)
  return { first, second, one: await clientIdOf(first), other: await clientIdOf(second) }
}

describe('a tenant with as many conflicts as it keeps', () => {
  it('notices no more until others are deleted, and accepts writes', async () => {
    const { first, second, one } = await twoSources()
    await env.DB.prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
       INSERT INTO source_conflicts (tenant_id, kind, key, resource_type, attribute, resource_id, client_id, time,
         first_seen_at, last_seen_at)
       SELECT ?1, 'uniqueness', 'k' || i, 'User', 'userName', 'r' || i, ?3, 1, 1, 1 FROM n`,
    )
      .bind(first.tenantId, MAX_CONFLICTS, one)
      .run()
    const group = await first.createGroup({ displayName: 'Rangers' })
    const user = await first.createUser({ userName: 'mirela', externalId: 'e', title: 'Ranger' })
    const title = (value: string) => ({ op: 'replace', path: 'title', value })
    const member = (op: string) => ({ op, path: 'members', value: [{ value: user.id }] })
    const meet = async () => {
      expect((await second.request('POST', '/Users', { userName: 'mirela' })).status).toBe(409)
      await second.createUser({ externalId: 'e' })
      for (const [client, value] of [
        [second, 'Warden'],
        [first, 'Ranger'],
      ] as const)
        expect((await client.patch(`/Users/${user.id}`, title(value))).status).toBe(200)
      for (const [client, op] of [
        [first, 'add'],
        [second, 'remove'],
        [first, 'add'],
      ] as const)
        expect((await client.patch(`/Groups/${group.id}`, member(op))).status).toBe(204)
    }
    await meet()
    expect(await conflictsOf(first)).toHaveLength(MAX_CONFLICTS)
    await env.DB.prepare(`DELETE FROM source_conflicts WHERE tenant_id = ? AND key LIKE 'k%'`)
      .bind(first.tenantId)
      .run()
    await meet()
    const kinds = (await conflictsOf(first)).map(({ kind }) => kind)
    expect(kinds).toEqual(expect.arrayContaining(['uniqueness', 'externalId', 'attribute', 'membership']))
  })
})

describe('a conflict is opened by', () => {
  it('a create that is refused because a user of another source has the userName', async () => {
    const { first, second, one, other } = await twoSources()
    const user = await first.createUser({ userName: 'Mirela' })
    const after = await now(first)
    const answer = await second.request('POST', '/Users', { userName: 'mirela' })
    expect(answer.status).toBe(409)
    const [conflict, ...more] = await conflictsOf(first)
    expect(more).toEqual([])
    expect(conflict).toMatchObject({
      kind: 'uniqueness',
      key: 'mirela',
      attribute: 'userName',
      state: 'open',
    })
    expect(conflict).toMatchObject({ id: user.id, client: one, otherId: null, otherClient: other })
    const requests = (await first.log()).map(({ requestId }) => requestId)
    expect([conflict?.otherRequestId, conflict?.requestId]).toEqual(requests)
    expect(await eventsOf(first, `?after=${after}`)).toMatchObject([
      {
        type: 'source.conflict',
        source: { clientId: other, requestId: conflict?.otherRequestId },
        data: { kind: 'uniqueness', value: 'mirela', first: { id: user.id, clientId: one } },
      },
    ])
  })

  it('a PATCH that is refused for the same reason', async () => {
    const { first, second } = await twoSources()
    await first.createUser({ userName: 'mirela' })
    const user = await second.createUser()
    const answer = await second.patch(`/Users/${user.id}`, {
      op: 'replace',
      path: 'userName',
      value: 'MIRELA',
    })
    expect(answer.status).toBe(409)
    expect(await conflictsOf(first)).toMatchObject([{ kind: 'uniqueness', key: 'mirela' }])
  })

  it('an externalId that a user of another source has', async () => {
    const { first, second, one, other } = await twoSources()
    const user = await first.createUser({ externalId: 'm.osterholt' })
    const double = await second.createUser({ externalId: 'm.osterholt' })
    expect(await conflictsOf(first)).toMatchObject([
      {
        kind: 'externalId',
        key: 'm.osterholt',
        id: user.id,
        client: one,
        otherId: double.id,
        otherClient: other,
      },
    ])
  })

  it.for<[name: string, first: object, second: object]>([
    ['as text and in base64', { [CISCO]: { nativeObjectId: GUID } }, { [CISCO]: { nativeObjectId: BASE64 } }],
    ['in base64 and as text', { [CISCO]: { nativeObjectId: BASE64 } }, { [CISCO]: { nativeObjectId: GUID } }],
    ['as nativeObjectId and externalId', { [CISCO]: { nativeObjectId: GUID } }, { externalId: BASE64 }],
    [
      'as externalId and nativeObjectId',
      { externalId: BASE64 },
      { [CISCO]: { nativeObjectId: GUID.toUpperCase() } },
    ],
  ])('one GUID of users of two sources, %s', async ([, mine, theirs]) => {
    const { first, second } = await twoSources()
    const user = await first.createUser(mine as Record<string, unknown>)
    const double = await second.createUser(theirs as Record<string, unknown>)
    expect(await conflictsOf(first)).toMatchObject([
      { kind: 'nativeObjectId', key: GUID, id: user.id, otherId: double.id },
    ])
  })

  it('a PATCH that gives a user the nativeObjectId of another one, also of the same source', async () => {
    const { first } = await twoSources()
    const [user, double] = [
      await first.createUser({ [CISCO]: { nativeObjectId: 'a-1' } }),
      await first.createUser(),
    ]
    await first.patch(`/Users/${double.id}`, { op: 'add', path: `${CISCO}:nativeObjectId`, value: 'A-1' })
    expect(await conflictsOf(first)).toMatchObject([
      { kind: 'nativeObjectId', key: 'a-1', id: user.id, otherId: double.id },
    ])
  })

  it('a group with the name of a group of another source', async () => {
    const { first, second } = await twoSources()
    const group = await first.createGroup({ displayName: 'Rangers' })
    const double = await second.createGroup({ displayName: 'RANGERS' })
    expect(await conflictsOf(first)).toMatchObject([
      { kind: 'groupName', key: 'rangers', id: group.id, otherId: double.id },
    ])
  })

  it('a group whose name is refused because a group of another source has it', async () => {
    const first = await newClient()
    const second = await secondSource(first)
    await first.createGroup({ displayName: 'Rangers' })
    const answer = await second.request('POST', '/Groups', { displayName: 'rangers' })
    expect(answer.status).toBe(409)
    expect(await conflictsOf(first)).toMatchObject([{ kind: 'groupName', key: 'rangers', otherId: null }])
  })

  it('an attribute that two sources turn back and forth, in one row however often', async () => {
    const { first, second, one, other } = await twoSources()
    const user = await first.createUser({ title: 'Ranger' })
    const after = await now(first)
    const set = (client: Client, value: string) =>
      client.patch(`/Users/${user.id}`, { op: 'replace', path: 'title', value })
    await set(second, 'Warden')
    expect(await conflictsOf(first)).toEqual([])
    for (let i = 0; i < 3; i++) {
      await set(first, 'Ranger')
      await set(second, 'Warden')
    }
    expect(await conflictsOf(first)).toMatchObject([
      {
        kind: 'attribute',
        key: `${user.id} title`,
        attribute: 'title',
        seen: 6,
        client: one,
        otherClient: other,
      },
    ])
    const types = (await eventsOf(first, `?after=${after}`)).map(({ type }: { type: string }) => type)
    expect(types.filter((type: string) => type === 'source.conflict')).toHaveLength(1)
  })

  it('a membership that one source adds and another removes', async () => {
    const { first, second } = await twoSources()
    const user = await first.createUser()
    const group = await first.createGroup({ members: [{ value: user.id }] })
    const path = `members[value eq "${user.id}"]`
    await second.patch(`/Groups/${group.id}`, { op: 'remove', path })
    expect(await conflictsOf(first)).toMatchObject([
      { kind: 'membership', key: `${group.id} ${user.id}`, seen: 1 },
    ])
    await first.patch(`/Groups/${group.id}`, { op: 'add', path: 'members', value: [{ value: user.id }] })
    expect(await conflictsOf(first)).toMatchObject([{ kind: 'membership', seen: 2 }])
  })
})

describe('no conflict is opened by', () => {
  it('writes of one client, or of its other token', async () => {
    const { first } = await twoSources()
    const user = await first.createUser({ externalId: 'a', title: 'Ranger' })
    await first.createUser({ externalId: 'a' })
    for (const value of ['Warden', 'Ranger', 'Warden'])
      await first.patch(`/Users/${user.id}`, { op: 'replace', path: 'title', value })
    await first.request('POST', '/Users', { userName: user.userName })
    expect(await conflictsOf(first)).toEqual([])
  })

  it('a second source that changes attributes once, and those of its own', async () => {
    const { first, second } = await twoSources()
    const user = await first.createUser({ title: 'Ranger' })
    await second.patch(`/Users/${user.id}`, { op: 'replace', path: 'title', value: 'Warden' })
    await first.patch(`/Users/${user.id}`, { op: 'replace', path: 'nickName', value: 'Mi' })
    await second.patch(`/Users/${user.id}`, { op: 'replace', path: 'title', value: 'Keeper' })
    expect(await conflictsOf(first)).toEqual([])
  })

  it('a token that may only read', async () => {
    const { first } = await twoSources()
    const user = await first.createUser()
    const reader = await secondSource(first, 'reader', 'read')
    expect((await reader.request('POST', '/Users', { userName: user.userName })).status).toBe(403)
    expect(await conflictsOf(first)).toEqual([])
  })
})
