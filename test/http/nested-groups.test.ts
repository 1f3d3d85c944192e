/**
 * The number of memberships of groups in groups is limited, which bounds the steps of a traversal. The database enforces
 * the limit for every kind of write.
 */
import { describe, expect, it } from 'vitest'
import { MAX_NESTED_MEMBERSHIPS } from '../../src/scim/limits.ts'
import { addCrowd, addGroups, addToGroup, nestGroups } from '../support/crowd.ts'
import { admin, type Client, costOf, newClient, ORIGIN, send } from '../support/harness.ts'

/** A tenant with some fewer memberships of groups in groups than the limit. */
async function nestedClient(missing: number): Promise<{ client: Client; groups: readonly string[] }> {
  const client = await newClient()
  const groups = await addGroups(client.tenantId, 40)
  await nestGroups(client.tenantId, groups, MAX_NESTED_MEMBERSHIPS - missing)
  return { client, groups }
}

const addMembers = (ids: readonly string[]) => ({
  op: 'add',
  path: 'members',
  value: ids.map((value) => ({ value })),
})

describe('memberships of groups in groups', () => {
  it('are rejected beyond the limit with the number, the limit and a remedy, and nothing changes', async () => {
    const { client, groups } = await nestedClient(1)
    const { id } = await client.createGroup()
    const user = await client.createUser()
    const refused = await client.patch(`/Groups/${id}`, addMembers([...groups.slice(0, 2), user.id]))
    expect([refused.status, refused.body.scimType]).toEqual([400, 'invalidValue'])
    expect(refused.body.detail).toContain('adds memberships of groups in groups (2)')
    expect(refused.body.detail).toContain(`may hold ${MAX_NESTED_MEMBERSHIPS} of them`)
    expect(refused.body.detail).toContain('make users the members instead')
    const group = await client.get(`/Groups/${id}`)
    expect(group.body.meta.version).toBe('W/"1"')
    expect((group.body.members ?? []).length).toBe(0)
    const [entry] = await client.log('?outcome=refused')
    expect(entry).toMatchObject({ resourceId: id, status: 400 })
  })

  it('are accepted up to the limit, and again after others are removed; users are always accepted', async () => {
    const { client, groups } = await nestedClient(1)
    const [first = '', second = ''] = groups
    const { id } = await client.createGroup()
    const user = await client.createUser()
    expect((await client.patch(`/Groups/${id}`, addMembers([first]))).status).toBe(204)
    expect((await client.patch(`/Groups/${id}`, addMembers([second]))).status).toBe(400)
    expect((await client.patch(`/Groups/${id}`, addMembers([user.id]))).status).toBe(204)
    expect(
      (await client.patch(`/Groups/${id}`, { op: 'remove', path: `members[value eq "${first}"]` })).status,
    ).toBe(204)
    expect((await client.patch(`/Groups/${id}`, addMembers([second]))).status).toBe(204)
  })

  it('are rejected in a new group and in a PUT', async () => {
    const { client, groups } = await nestedClient(0)
    const members = [{ value: groups[0] }]
    const created = await client.request('POST', '/Groups', { displayName: 'New', members })
    expect([created.status, created.body.detail]).toEqual([400, expect.stringContaining('(1)')])
    expect((await client.filter('/Groups', 'displayName eq "New"')).body.totalResults).toBe(0)
    const { id } = await client.createGroup()
    const replaced = await client.request('PUT', `/Groups/${id}`, { displayName: 'New', members })
    expect(replaced.status).toBe(400)
  })

  it('are rejected in an import', async () => {
    const { tenantId } = await newClient({ groupLimit: 2_000 })
    const id = (n: number) => `01900000-0000-7000-8000-${String(n).padStart(12, '0')}`
    const groups = Array.from({ length: MAX_NESTED_MEMBERSHIPS + 2 }, (_, n) => ({
      kind: 'group',
      id: id(n),
      version: 1,
      createdAt: 0,
      lastModified: 0,
      resource: { displayName: `Group ${n}` },
    }))
    const memberships = groups.slice(1).map((group) => ({
      kind: 'membership',
      groupId: id(0),
      memberId: group.id,
      memberType: 'Group',
    }))
    const body = [...groups, ...memberships].map((record) => JSON.stringify(record)).join('\n')
    const answer = await send(
      new Request(`${ORIGIN}/admin/api/tenants/${tenantId}/import?end=missing`, {
        method: 'POST',
        headers: { Authorization: 'Bearer test-admin-token', 'Content-Type': 'application/jsonl' },
        body,
      }),
    )
    expect(answer.status).toBe(409)
    expect(JSON.stringify(answer.body)).toContain(
      `the file has too many memberships of groups in groups, the limit is ${MAX_NESTED_MEMBERSHIPS}`,
    )
    expect((await admin('GET', `/tenants/${tenantId}`)).status).toBe(200)
  })
})

describe('a filter on groups that are all members of each other', () => {
  const USERS = 60

  /** 25 groups, and users who are members of two groups each. */
  async function meshClient(): Promise<Client> {
    const client = await newClient()
    const groups = await addGroups(client.tenantId, 25)
    await nestGroups(client.tenantId, groups, 25 * 24)
    const users = await addCrowd(client.tenantId, USERS)
    await addToGroup(client.tenantId, groups[0] ?? '', users)
    await addToGroup(client.tenantId, groups[1] ?? '', users)
    return client
  }

  it.for([
    ['groups.display sw "g"', USERS, 1],
    ['groups[display sw "g" and not (value eq "group-3")]', USERS, 1],
    // Traverses upwards from each user, who is in all groups.
    ['groups.type eq "indirect"', USERS, USERS],
    ['groups[type eq "direct" and value eq "group-1"]', USERS, 1],
    ['groups[type eq "direct" and value eq "group-3"]', 0, 1],
    ['groups[type eq "indirect" and value eq "group-1"]', 0, USERS],
  ] as const)('reads each membership a few times: %s', async ([filter, total, walks]) => {
    const client = await meshClient()
    const answer = await client.filter('/Users', filter, '&count=1&excludedAttributes=groups')
    expect(answer.body.totalResults).toBe(total)
    const rows = 25 + 25 * 24 + 2 * USERS
    // For the total and the page. An earlier version read 80,000 rows, for pairs of groups times members.
    expect(costOf(answer).rowsRead).toBeLessThan(2 * walks * 2 * rows + 6 * rows)
  })

  it('returns all groups of each user, and reads the memberships of groups once for a page', async () => {
    const client = await meshClient()
    const page = await client.get(`/Users?count=${USERS}`)
    expect(page.body.Resources).toHaveLength(USERS)
    const [first] = page.body.Resources
    for (const user of page.body.Resources) expect(user.groups).toEqual(first.groups)
    const alone = await client.get(`/Users/${first.id}`)
    expect(alone.body.groups).toEqual(first.groups)
    expect(first.groups).toHaveLength(25)
    const types = first.groups.map(({ type }: { type: string }) => type)
    expect(types.filter((type: string) => type === 'direct')).toHaveLength(2)
    // An earlier version traversed them for each user: 40,000 rows.
    expect(costOf(page).rowsRead).toBeLessThan(3 * 25 * 24 + 10 * USERS)
  })
})

describe('users in a group that holds groups', () => {
  it('are each counted once, regardless of the number of paths', async () => {
    const client = await newClient()
    const [outer, inner, unrelated] = [
      await client.createGroup({ displayName: 'outer' }),
      await client.createGroup({ displayName: 'inner' }),
      await client.createGroup({ displayName: 'unrelated' }),
    ]
    const [both, below, other] = [
      await client.createUser(),
      await client.createUser(),
      await client.createUser(),
    ]
    await client.patch(`/Groups/${inner.id}`, addMembers([both.id, below.id, inner.id]))
    await client.patch(`/Groups/${unrelated.id}`, addMembers([other.id]))
    const found = async (filter: string) => {
      const { body } = await client.filter('/Users', filter)
      return [body.totalResults, body.Resources.map(({ id }: { id: string }) => id)]
    }
    expect(await found(`groups.value eq "${inner.id}"`)).toEqual([2, [both.id, below.id]])
    await client.patch(`/Groups/${outer.id}`, addMembers([both.id, inner.id]))
    expect(await found(`groups.value eq "${outer.id}"`)).toEqual([2, [both.id, below.id]])
    expect(await found(`groups[value eq "${outer.id}" or value eq "${unrelated.id}"]`)).toEqual([
      3,
      [both.id, below.id, other.id],
    ])
    expect(await found('groups.value eq "nobody"')).toEqual([0, []])
  })
})
