/** The attribute `groups` of users: a read shows every earlier write that changes it, whoever makes it. */
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { fileOf, groupLine, idOf, imported, memberLine, userLine } from '../support/directory-file.ts'
import { admin, Client, newClient, newToken } from '../support/harness.ts'
import { anotherClient, EVER, undone } from '../support/undo.ts'

const SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:GroupMembership'

/** The names of the groups of a user, as a read by id and a match show them. */
async function groupsOf(client: Client, id: string): Promise<string> {
  const { body: user } = await client.get(`/Users/${id}`)
  const { body: list } = await client.filter('/Users', `userName eq "${user.userName}"`)
  const [read, matched] = [user, list.Resources[0]].map(({ groups = [] }) =>
    groups
      .map(({ display, type }: { display: string; type: string }) => `${display} ${type}`)
      .toSorted()
      .join(', '),
  )
  expect(matched).toBe(read)
  return read
}

async function directory() {
  const client = await newClient()
  const [ann, ben] = [await client.createUser(), await client.createUser()]
  const [crew, all] = [
    await client.createGroup({ displayName: 'Crew' }),
    await client.createGroup({ displayName: 'All' }),
  ]
  const read = async () => [await groupsOf(client, ann.id), await groupsOf(client, ben.id)]
  /** The groups of both users after a change. They are read twice before it and after it, so they may be remembered. */
  const changed = async (change: () => Promise<unknown>): Promise<string[]> => {
    expect(await read()).toEqual(await read())
    const answer = await change()
    if (typeof answer === 'object' && answer !== null && 'status' in answer)
      expect(answer.status).toBeLessThan(300)
    const found = await read()
    expect(await read()).toEqual(found)
    return found
  }
  const patch = (op: string, group: string, path: string, value?: unknown) =>
    client.patch(`/Groups/${group}`, { op, path, ...(value === undefined ? {} : { value }) })
  const add = (group: string, ...ids: readonly string[]) =>
    patch(
      'add',
      group,
      'members',
      ids.map((value) => ({ value })),
    )
  const remove = (group: string, id: string) => patch('remove', group, `members[value eq "${id}"]`)
  return { client, ann, ben, crew, all, changed, add, remove, patch }
}

describe('the groups of a user', () => {
  it('follow memberships that are added, removed and replaced', async () => {
    const { client, ann, ben, crew, all, changed, add, remove } = await directory()
    expect(await changed(async () => {})).toEqual(['', ''])
    expect(await changed(() => add(crew.id, ann.id))).toEqual(['Crew direct', ''])
    expect(await changed(() => add(all.id, ann.id, ben.id))).toEqual([
      'All direct, Crew direct',
      'All direct',
    ])
    expect(await changed(() => remove(crew.id, ann.id))).toEqual(['All direct', 'All direct'])
    const group = { displayName: 'All', members: [{ value: ben.id }] }
    expect(await changed(() => client.request('PUT', `/Groups/${all.id}`, group))).toEqual(['', 'All direct'])
    const created = () =>
      client.request('POST', '/Groups', { displayName: 'New', members: [{ value: ann.id }] })
    expect(await changed(created)).toEqual(['New direct', 'All direct'])
    const pair = { schemas: [SCHEMA], group: { value: crew.id }, member: { value: ben.id } }
    expect(await changed(() => client.request('POST', '/GroupMemberships', pair))).toEqual([
      'New direct',
      'All direct, Crew direct',
    ])
    const found = await client.get(
      `/GroupMemberships?filter=${encodeURIComponent(`group.value eq "${crew.id}"`)}`,
    )
    const membership = `/GroupMemberships/${found.body.Resources[0].id}`
    expect(await changed(() => client.request('DELETE', membership))).toEqual(['New direct', 'All direct'])
  })

  it('follow the names of groups, and their deletion and restore', async () => {
    const { client, ann, ben, crew, all, changed, add, patch } = await directory()
    await Promise.all([add(crew.id, ann.id), add(all.id, ann.id, ben.id)])
    expect(await changed(() => patch('replace', crew.id, 'displayName', 'Team'))).toEqual([
      'All direct, Team direct',
      'All direct',
    ])
    expect(await changed(() => client.request('DELETE', `/Groups/${all.id}`))).toEqual(['Team direct', ''])
    const restore = (id: string) => admin('POST', `/tenants/${client.tenantId}/tombstones/${id}/restore`)
    expect(await changed(() => restore(all.id))).toEqual(['All direct, Team direct', 'All direct'])
    const away = async () => {
      await client.request('DELETE', `/Users/${ann.id}`)
      return await restore(ann.id)
    }
    expect(await changed(away)).toEqual(['All direct, Team direct', 'All direct'])
    const other = await anotherClient(client, 'Other')
    const removal = () =>
      new Client(client.tenantId, other.token).patch(`/Groups/${all.id}`, {
        op: 'remove',
        path: `members[value eq "${ben.id}"]`,
      })
    expect(await changed(removal)).toEqual(['All direct, Team direct', ''])
    expect(await changed(() => undone(client, { ...EVER, clientId: other.id }))).toEqual([
      'All direct, Team direct',
      'All direct',
    ])
  })

  it('follow groups in groups', async () => {
    const { ann, crew, all, changed, add, remove, patch } = await directory()
    await add(crew.id, ann.id)
    expect(await changed(() => add(all.id, crew.id))).toEqual(['All indirect, Crew direct', ''])
    expect(await changed(() => patch('replace', all.id, 'displayName', 'Everybody'))).toEqual([
      'Crew direct, Everybody indirect',
      '',
    ])
    expect(await changed(() => remove(all.id, crew.id))).toEqual(['Crew direct', ''])
  })

  it('follow the operations of a bulk request, also if one of them fails', async () => {
    const { client, ann, ben, crew, changed } = await directory()
    const operation = (path: string, value: string) => ({
      method: 'PATCH',
      path: `/Groups/${path}`,
      data: { Operations: [{ op: 'add', path: 'members', value: [{ value }] }] },
    })
    const schemas = ['urn:ietf:params:scim:api:messages:2.0:BulkRequest']
    const Operations = [operation(crew.id, ann.id), operation('nobody', ben.id)]
    const bulk = () => client.request('POST', '/Bulk', { schemas, Operations })
    expect(await changed(bulk)).toEqual(['Crew direct', ''])
  })

  it('are those of the last import, also in a tenant of the same name', async () => {
    const id = `t-${crypto.randomUUID()}`
    const groupsAfter = async (...lines: Parameters<typeof fileOf>[0]) => {
      expect((await admin('POST', '/tenants', { id, name: 'Test' })).status).toBe(201)
      const answer = await imported(id, await fileOf([userLine(1), groupLine(2), ...lines]))
      expect(answer.status, JSON.stringify(answer.body)).toBe(200)
      const client = new Client(id, (await newToken(id)).token)
      const found = await groupsOf(client, idOf(1))
      expect(await groupsOf(client, idOf(1))).toBe(found)
      expect((await admin('DELETE', `/tenants/${id}`)).status).toBe(204)
      return found
    }
    expect(await groupsAfter(memberLine(2, 1))).toBe('Group 2 direct')
    expect(await groupsAfter()).toBe('')
    expect(await groupsAfter(memberLine(2, 1))).toBe('Group 2 direct')
  })

  it('follow what another program writes to the database', async () => {
    const { client, ann, ben, crew, all, changed, add } = await directory()
    await add(crew.id, ann.id)
    const run =
      (sql: string, ...values: readonly string[]) =>
      () =>
        env.DB.prepare(sql)
          .bind(client.tenantId, ...values)
          .run()
    const insert = `INSERT INTO memberships (tenant_id, group_id, member_id, member_type) VALUES (?1, ?2, ?3, 'User')`
    expect(await changed(run(insert, all.id, ben.id))).toEqual(['Crew direct', 'All direct'])
    const removal = 'DELETE FROM memberships WHERE tenant_id = ?1 AND member_id = ?2'
    expect(await changed(run(removal, ann.id))).toEqual(['', 'All direct'])
  })
})
