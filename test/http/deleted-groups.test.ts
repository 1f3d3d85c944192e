/**
 * A group with more members than one transaction deletes: it is gone for everybody at once, while its memberships are
 * deleted afterwards.
 */
import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { MAX_DELETED_GROUPS, MAX_DELETED_MEMBERSHIPS, MAX_NESTED_MEMBERSHIPS } from '../../src/scim/limits.ts'
import { CHUNK_STATEMENTS } from '../../src/storage/resources/deleted-groups.ts'
import { addCrowd, addGroups, nestGroups } from '../support/crowd.ts'
import { Browser, textOf } from '../support/dashboard.ts'
import { deleteAndHold, deleteLeft, membershipsOf } from '../support/deleted-groups.ts'
import {
  exported,
  fileOf,
  groupLine,
  idOf,
  imported,
  memberLine,
  userLine,
} from '../support/directory-file.ts'
import { admin, type Client, costOf, newClient } from '../support/harness.ts'
import { addMembers } from '../support/large.ts'
import { SEARCH_REQUEST } from '../support/urns.ts'

const MANY = MAX_DELETED_MEMBERSHIPS + 1

/** A tenant of MANY users, all of them in a group with the given number of members. */
async function crowded(members = MANY, groupLimit = 200) {
  const client = await newClient({ groupLimit })
  const users = await addCrowd(client.tenantId, MANY, (number) => idOf(number + 1))
  const { id } = await client.createGroup({ displayName: 'Everybody' })
  await addMembers(client.tenantId, id, members)
  return { client, users, id }
}

/** The count that the dashboard shows. */
async function membershipCount({ tenantId }: Client): Promise<unknown> {
  const tenant = env.DB.prepare('SELECT membership_count AS n FROM tenants WHERE id = ?1').bind(tenantId)
  return (await tenant.first<{ n: number }>())?.n
}

const add = (client: Client, groupId: string, value: string) =>
  client.patch(`/Groups/${groupId}`, { op: 'add', path: 'members', value: [{ value }] })

describe('a large group that was just deleted', () => {
  let client: Client
  let everybody: string
  let first: string
  let second: string
  let small: { id: string }
  let inner: { id: string }

  /** Everybody has a group as a member, and is in a group; the first user is in a small group and in the inner one. */
  beforeEach(async () => {
    const made = await crowded(MANY, 4)
    client = made.client
    everybody = made.id
    ;[first = '', second = ''] = made.users
    small = await client.createGroup({ displayName: 'Small', members: [{ value: first }] })
    inner = await client.createGroup({ displayName: 'Inner', members: [{ value: first }] })
    await client.createGroup({ displayName: 'Outer', members: [{ value: everybody }] })
    await add(client, everybody, inner.id)
    const before = (await client.get(`/Users/${first}`)).body.groups
    expect(before.map(({ display, type }: Record<string, unknown>) => [display, type]).sort()).toEqual([
      ['Everybody', 'direct'],
      ['Inner', 'direct'],
      ['Outer', 'indirect'],
      ['Small', 'direct'],
    ])
    expect((await deleteAndHold(client, everybody)).status).toBe(204)
    expect(await membershipsOf(client.tenantId, everybody)).toBe(MANY)
  })

  const found = async (endpoint: '/Users' | '/Groups', filter: string) => {
    const { body } = await client.filter(endpoint, filter, '&attributes=id&count=10')
    return [body.totalResults, body.Resources.map(({ id }: { id: string }) => id)]
  }
  const groupsOf = (resource: { groups?: readonly { display: string; type: string }[] }) =>
    (resource.groups ?? []).map(({ display, type }) => `${type} ${display}`).sort()

  it('is unknown to every request, and in no list of groups', async () => {
    const path = `/Groups/${everybody}`
    const requests = [
      client.get(path),
      client.request('PUT', path, { displayName: 'Everybody' }),
      add(client, everybody, first),
      client.request('DELETE', path),
    ]
    expect((await Promise.all(requests)).map(({ status }) => status)).toEqual([404, 404, 404, 404])
    expect((await client.get('/Groups')).body.totalResults).toBe(3)
    expect(await found('/Groups', 'displayName eq "Everybody"')).toEqual([0, []])
    expect(await found('/Groups', `members.value eq "${second}"`)).toEqual([0, []])
    expect(await found('/Groups', `members.value eq "${first}"`)).toEqual([2, [small.id, inner.id]])
    expect(await found('/Groups', `members[value eq "${first}" and display sw "01a2"]`)).toEqual([
      2,
      [small.id, inner.id],
    ])
    expect(await found('/Groups', 'displayName eq "Outer" and members pr')).toEqual([0, []])
  })

  it('is in the groups of no user, directly or indirectly', async () => {
    expect(groupsOf((await client.get(`/Users/${first}`)).body)).toEqual(['direct Inner', 'direct Small'])
    expect((await client.get(`/Users/${second}`)).body.groups).toBeUndefined()
    const page = (await client.get('/Users?count=2')).body.Resources
    expect(page.map(groupsOf)).toEqual([['direct Inner', 'direct Small'], []])
    const changed = await client.patch(`/Users/${second}`, { op: 'replace', path: 'title', value: 'x' })
    expect(changed.body.groups).toBeUndefined()
    expect((await client.get(`/Groups/${inner.id}`)).body.groups).toBeUndefined()
  })

  it('is found by no filter on groups', async () => {
    for (const filter of [
      `groups.value eq "${everybody}"`,
      'groups.display eq "Everybody"',
      'groups.display eq "Outer"',
      'groups.type eq "indirect"',
      `groups[value eq "${everybody}" and type eq "direct"]`,
      `userName eq "${second}" and groups pr`,
      `userName eq "${first}" and groups.display eq "Everybody"`,
    ])
      expect([filter, ...(await found('/Users', filter))]).toEqual([filter, 0, []])
    expect(await found('/Users', 'groups pr')).toEqual([1, [first]])
    expect((await found('/Users', 'not (groups pr)'))[0]).toBe(MANY - 1)
    expect((await found('/Users', 'groups.type eq "direct"'))[0]).toBe(1)
  })

  it('is in no count, and its name and its place in the limit of groups are free', async () => {
    expect((await admin('GET', `/tenants/${client.tenantId}`)).body.groupCount).toBe(3)
    expect(await membershipCount(client)).toBe(2)
    const again = await client.createGroup({ displayName: 'everybody' })
    expect(again.members ?? []).toEqual([])
    const beyond = await client.request('POST', '/Groups', { displayName: 'One more' })
    expect([beyond.status, beyond.body.detail]).toEqual([400, expect.stringContaining('4 groups')])
  })

  it('does not count as nested', async () => {
    const { tenantId } = client
    await env.DB.prepare('UPDATE tenants SET group_limit = 100 WHERE id = ?1').bind(tenantId).run()
    // Nothing but these memberships of groups may be left.
    await nestGroups(tenantId, await addGroups(tenantId, 40), MAX_NESTED_MEMBERSHIPS)
    expect((await add(client, small.id, inner.id)).status).toBe(400)
  })

  it('is not changed by the deletion of a member, and the other groups of the member are', async () => {
    expect((await client.request('DELETE', `/Users/${first}`)).status).toBe(204)
    expect((await client.get(`/Groups/${small.id}`)).body.meta.version).toBe('W/"2"')
    expect(await membershipsOf(client.tenantId, everybody)).toBe(MANY - 1)
    expect(await membershipCount(client)).toBe(0)
  })

  it('is on no page of the dashboard', async () => {
    const browser = await new Browser().signIn()
    const page = await browser.get(`/admin/tenants/${client.tenantId}/users/${first}`)
    expect(page.status).toBe(200)
    expect(textOf(page.html)).toContain('Small')
    expect(textOf(page.html)).not.toContain('Everybody')
    expect((await browser.get(`/admin/tenants/${client.tenantId}/groups/${everybody}`)).status).toBe(404)
  })

  it('is not in an export, and neither are its memberships', async () => {
    const text = await exported(client.tenantId)
    expect(text).not.toContain(everybody)
    const end = JSON.parse(text.trim().split('\n').at(-1) ?? '')
    expect(end).toMatchObject({ kind: 'end', users: MANY, groups: 3, memberships: 2 })
  })

  it('comes back whole in a restore, and the pending work deletes nothing of it', async () => {
    const { tenantId } = client
    for (const table of ['users', 'groups'])
      await env.DB.prepare(`DELETE FROM ${table} WHERE tenant_id = ?1`).bind(tenantId).run()
    const group = { ...groupLine(0), id: everybody }
    const membership = { ...memberLine(0, 1), groupId: everybody }
    const answer = await imported(tenantId, await fileOf([userLine(1), group, membership]))
    expect(answer.body).toEqual({ imported: { user: 1, group: 1, membership: 1 } })
    for (const isDone of [false, true]) {
      if (isDone) await deleteLeft(tenantId)
      expect((await client.get(`/Groups/${everybody}`)).body.members).toMatchObject([{ value: idOf(1) }])
      expect(await found('/Users', 'groups pr')).toEqual([1, [idOf(1)]])
    }
  })

  it('counts as before for a filter that reads all memberships, until the pending work is done', async () => {
    const costly = Array.from({ length: 100 }, (_, i) => `members.value co "${'a'.repeat(500)}${i}"`)
    const search = async () => {
      const body = { schemas: [SEARCH_REQUEST], filter: costly.join(' or ') }
      return await client.request('POST', '/Groups/.search', body)
    }
    const refused = await search()
    expect([refused.status, refused.body.scimType]).toEqual([400, 'tooMany'])
    await deleteLeft(client.tenantId)
    expect([(await search()).status, await membershipsOf(client.tenantId, everybody)]).toEqual([200, 0])
  })

  it('leaves nothing when the pending work is done, however often that is interrupted', async () => {
    // One chunk for each call, beside the statements that find the job and the database.
    expect(await deleteLeft(client.tenantId, 2 + CHUNK_STATEMENTS)).toBeGreaterThan(1)
    expect(await membershipsOf(client.tenantId, everybody)).toBe(0)
    const left = await env.DB.prepare('SELECT id FROM deleted_groups WHERE tenant_id = ?1')
      .bind(client.tenantId)
      .all()
    expect(left.results).toEqual([])
    expect(groupsOf((await client.get(`/Users/${first}`)).body)).toEqual(['direct Inner', 'direct Small'])
  })

  it('leaves nothing when its tenant is deleted', async () => {
    const { tenantId } = client
    await vi.waitFor(
      async () => expect((await admin('DELETE', `/tenants/${tenantId}`)).status).toBeOneOf([204, 404]),
      { timeout: 20_000 },
    )
    expect(await membershipsOf(tenantId, everybody)).toBe(0)
    const left = env.DB.prepare('SELECT id FROM deleted_groups WHERE tenant_id = ?1').bind(tenantId)
    expect((await left.all()).results).toEqual([])
  })
})

describe('the deletion of a group', () => {
  it('writes as few rows for many members as for none', async () => {
    const { client, id } = await crowded()
    const empty = await client.createGroup()
    const costs = [await deleteAndHold(client, id), await client.request('DELETE', `/Groups/${empty.id}`)]
    const [large, none] = costs.map(costOf)
    expect(large?.roundTrips).toBe(none?.roundTrips)
    expect((large?.rowsWritten ?? 0) - (none?.rowsWritten ?? 0)).toBeLessThanOrEqual(5)
  })

  it('deletes the memberships in the same transaction up to the limit', async () => {
    const { client, id } = await crowded(MAX_DELETED_MEMBERSHIPS)
    const answer = await deleteAndHold(client, id)
    expect([answer.status, await membershipsOf(client.tenantId, id)]).toEqual([204, 0])
    expect(costOf(answer).rowsWritten).toBeGreaterThan(MAX_DELETED_MEMBERSHIPS)
  })

  it('is refused while the memberships of too many large groups are left', async () => {
    const client = await newClient()
    await addCrowd(client.tenantId, 1)
    const large: string[] = []
    for (let i = 0; i <= MAX_DELETED_GROUPS; i++) {
      const { id } = await client.createGroup()
      await addMembers(client.tenantId, id, 1, MANY)
      large.push(id)
    }
    const last = large.pop() ?? ''
    for (const id of large) expect((await deleteAndHold(client, id)).status).toBe(204)
    const refused = await deleteAndHold(client, last)
    expect([refused.status, refused.headers.get('Retry-After')]).toEqual([429, '5'])
    expect(refused.body.detail).toContain(`the memberships of ${MAX_DELETED_GROUPS} deleted groups`)
    expect((await client.get(`/Groups/${last}`)).status).toBe(200)
    const small = await client.createGroup()
    expect((await deleteAndHold(client, small.id)).status).toBe(204)
    await deleteLeft(client.tenantId)
    expect((await deleteAndHold(client, last)).status).toBe(204)
  })

  it('deletes the memberships of a large group soon afterwards', async () => {
    const { client, id } = await crowded()
    expect((await client.request('DELETE', `/Groups/${id}`)).status).toBe(204)
    await vi.waitFor(async () => expect(await membershipsOf(client.tenantId, id)).toBe(0), {
      timeout: 10_000,
    })
  })
})
