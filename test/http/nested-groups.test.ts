/**
 * Groups in groups are bounded, so that whoever walks through them takes few steps: by the database itself, whichever
 * way a membership comes.
 */
import { describe, expect, it } from 'vitest'
import { MAX_NESTED_MEMBERSHIPS } from '../../src/scim/limits.ts'
import { addGroups, nestGroups } from '../support/crowd.ts'
import { admin, type Client, newClient, ORIGIN, send } from '../support/harness.ts'

/** A tenant that holds as many memberships of groups in groups as it may, but for some. */
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
  it('are refused beyond the limit with the number, the limit and the way out, and nothing changes', async () => {
    const { client, groups } = await nestedClient(1)
    const { id } = await client.createGroup()
    const user = await client.createUser()
    const refused = await client.patch(`/Groups/${id}`, addMembers([...groups.slice(0, 2), user.id]))
    expect(refused.status).toBe(400)
    expect(refused.body.detail).toContain('adds memberships of groups in groups (2)')
    expect(refused.body.detail).toContain(`may hold ${MAX_NESTED_MEMBERSHIPS} of them`)
    expect(refused.body.detail).toContain('make users the members instead')
    const group = await client.get(`/Groups/${id}`)
    expect(group.body.meta.version).toBe('W/"1"')
    expect((group.body.members ?? []).length).toBe(0)
    const [entry] = await client.log('?outcome=refused')
    expect(entry).toMatchObject({ resourceId: id, status: 400 })
  })

  it('are taken up to the limit, and again when others are gone; users always are', async () => {
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

  it('are refused to a new group and to PUT', async () => {
    const { client, groups } = await nestedClient(0)
    const members = [{ value: groups[0] }]
    const created = await client.request('POST', '/Groups', { displayName: 'New', members })
    expect([created.status, created.body.detail]).toEqual([400, expect.stringContaining('(1)')])
    expect((await client.filter('/Groups', 'displayName eq "New"')).body.totalResults).toBe(0)
    const { id } = await client.createGroup()
    const replaced = await client.request('PUT', `/Groups/${id}`, { displayName: 'New', members })
    expect(replaced.status).toBe(400)
  })

  it('are refused to an import', async () => {
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
      new Request(`${ORIGIN}/admin/api/tenants/${tenantId}/import`, {
        method: 'POST',
        headers: { Authorization: 'Bearer test-admin-token', 'Content-Type': 'application/jsonl' },
        body,
      }),
    )
    expect(answer.status).toBe(409)
    expect(JSON.stringify(answer.body)).toContain(
      `a tenant may hold ${MAX_NESTED_MEMBERSHIPS} memberships of groups in groups, and the file holds more`,
    )
    expect((await admin('GET', `/tenants/${tenantId}`)).status).toBe(200)
  })
})
