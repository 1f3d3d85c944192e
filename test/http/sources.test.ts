/** Who wrote what: the clients that the directory remembers for each resource and each membership. */
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { newClient } from '../support/harness.ts'
import { clientIdOf, secondSource } from '../support/sources.ts'

const rowOf = async (table: 'users' | 'groups', id: string) =>
  await env.DB.prepare(`SELECT created_by AS createdBy, modified_by AS modifiedBy FROM ${table} WHERE id = ?`)
    .bind(id)
    .first()

const addedBy = async (groupId: string) => {
  const { results } = await env.DB.prepare(
    'SELECT member_id AS id, added_by AS client FROM memberships WHERE group_id = ?',
  )
    .bind(groupId)
    .all<{ id: string; client: string }>()
  return new Map(results.map(({ id, client }) => [id, client]))
}

describe('a resource', () => {
  it('remembers the client that created it and the one that wrote it last', async () => {
    const first = await newClient()
    const second = await secondSource(first)
    const [one, other] = [await clientIdOf(first), await clientIdOf(second)]
    const user = await first.createUser()
    const group = await first.createGroup()
    expect(await rowOf('users', user.id)).toEqual({ createdBy: one, modifiedBy: one })
    expect(await rowOf('groups', group.id)).toEqual({ createdBy: one, modifiedBy: one })
    await second.patch(`/Users/${user.id}`, { op: 'replace', path: 'title', value: 'Ranger' })
    await second.patch(`/Groups/${group.id}`, { op: 'replace', path: 'displayName', value: 'Rangers' })
    expect(await rowOf('users', user.id)).toEqual({ createdBy: one, modifiedBy: other })
    expect(await rowOf('groups', group.id)).toEqual({ createdBy: one, modifiedBy: other })
  })

  it('keeps its client after a write that changes nothing, and after one that is refused', async () => {
    const first = await newClient()
    const second = await secondSource(first)
    const user = await first.createUser({ title: 'Ranger' })
    await second.patch(`/Users/${user.id}`, { op: 'replace', path: 'title', value: 'Ranger' })
    await second.patch(`/Users/${user.id}`, { op: 'replace', path: 'userName', value: '' })
    const one = await clientIdOf(first)
    expect(await rowOf('users', user.id)).toEqual({ createdBy: one, modifiedBy: one })
  })

  it('that loses a deleted member was written last by the client that deleted the member', async () => {
    const first = await newClient()
    const second = await secondSource(first)
    const user = await first.createUser()
    const group = await first.createGroup({ members: [{ value: user.id }] })
    await second.request('DELETE', `/Users/${user.id}`)
    expect(await rowOf('groups', group.id)).toMatchObject({ modifiedBy: await clientIdOf(second) })
  })
})

describe('a membership', () => {
  it('remembers the client that added it', async () => {
    const first = await newClient()
    const second = await secondSource(first)
    const [ada, ben, cy] = [await first.createUser(), await first.createUser(), await second.createUser()]
    const group = await first.createGroup({ members: [{ value: ada.id }] })
    await second.patch(`/Groups/${group.id}`, {
      op: 'add',
      path: 'members',
      value: [{ value: ben.id }, { value: cy.id }],
    })
    const [one, other] = [await clientIdOf(first), await clientIdOf(second)]
    const expected = { [ada.id]: one, [ben.id]: other, [cy.id]: other }
    expect(Object.fromEntries(await addedBy(group.id))).toEqual(expected)
  })

  it('remembers its own client if writes of several are stored together', async () => {
    const first = await newClient()
    const clients = [first, await secondSource(first), await secondSource(first)]
    const users = await Promise.all(clients.map((client) => client.createUser()))
    const group = await first.createGroup()
    await Promise.all(
      clients.map((client, i) =>
        client.patch(`/Groups/${group.id}`, {
          op: 'add',
          path: 'members',
          value: [{ value: users[i]?.id }],
        }),
      ),
    )
    const ids = await Promise.all(clients.map(clientIdOf))
    const expected = Object.fromEntries(users.map(({ id }, i) => [id, ids[i]]))
    expect(Object.fromEntries(await addedBy(group.id))).toEqual(expected)
  })
})
