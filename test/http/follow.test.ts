/** The consumer in src/consumer: it gives an application an exact copy of a directory. */
import { describe, expect, it } from 'vitest'
import type { ClientOptions } from '../../src/consumer/directory-client.ts'
import { DirectoryCopy } from '../../src/consumer/directory-copy.ts'
import { fileOf, imported, userLine } from '../support/directory-file.ts'
import { changesOf, contentOf, freshCopy, reader } from '../support/follower.ts'
import { admin, newClient, USER } from '../support/harness.ts'

async function expectExact(copy: DirectoryCopy, options: ClientOptions): Promise<void> {
  expect(contentOf(copy)).toEqual(contentOf(await freshCopy(options)))
}

describe('followDirectory', () => {
  it('reads the directory, then tells each change and applies it', async () => {
    const client = await newClient()
    const user = await client.createUser({ title: 'Ranger' })
    const group = await client.createGroup({ members: [{ value: user.id }] })
    const options = await reader(client)
    const copy = new DirectoryCopy()
    expect(await changesOf(copy, options)).toEqual([{ kind: 'read', reason: 'first' }])
    expect(copy.users.get(user.id)?.attributes).toMatchObject({ title: 'Ranger', active: true })
    expect([...(copy.groups.get(group.id)?.members ?? [])]).toEqual([user.id])
    const other = await client.createUser()
    await client.patch(`/Groups/${group.id}`, { op: 'add', path: 'members', value: [{ value: other.id }] })
    await client.patch(`/Users/${user.id}`, { op: 'remove', path: 'title' })
    await client.patch(`/Users/${user.id}`, { op: 'replace', path: 'active', value: false })
    await client.request('DELETE', `/Users/${other.id}`)
    const changes = await changesOf(copy, options)
    expect(changes.map((change) => (change.kind === 'event' ? change.event.type : change.reason))).toEqual([
      'user.created',
      'group.members_added',
      'user.updated',
      'user.deactivated',
      'group.members_removed',
      'user.deleted',
    ])
    expect(copy.users.get(user.id)?.attributes).not.toHaveProperty('title')
    await expectExact(copy, options)
    expect(await changesOf(copy, options)).toEqual([])
  })

  it('goes on from a stored copy', async () => {
    const client = await newClient()
    const options = await reader(client)
    const copy = new DirectoryCopy()
    const user = await client.createUser()
    const group = await client.createGroup({ members: [{ value: user.id }] })
    await changesOf(copy, options)
    const restored = DirectoryCopy.from(JSON.parse(JSON.stringify(copy)))
    await client.request('DELETE', `/Groups/${group.id}`)
    expect(await changesOf(restored, options)).toMatchObject([
      { kind: 'event', event: { type: 'group.deleted' } },
    ])
    await expectExact(restored, options)
  })

  it('reads a resource whose values are too large for an event', async () => {
    const client = await newClient()
    const options = await reader(client)
    const copy = new DirectoryCopy()
    await changesOf(copy, options)
    const user = await client.createUser({ addresses: [{ formatted: 'x'.repeat(20_000) }] })
    await changesOf(copy, options)
    expect(copy.users.get(user.id)?.attributes.addresses).toMatchObject([{ formatted: 'x'.repeat(20_000) }])
    await expectExact(copy, options)
  })

  it('becomes exact although the directory changes while it is read', async () => {
    const client = await newClient()
    const users = await Promise.all(Array.from({ length: 20 }, () => client.createUser({ title: 'before' })))
    const group = await client.createGroup({ members: users.slice(0, 10).map(({ id }) => ({ value: id })) })
    const options = await reader(client)
    let requests = 0
    const disturbed: ClientOptions = {
      ...options,
      fetch: async (input, init) => {
        const response = await (options.fetch ?? fetch)(input, init)
        const user = users[requests++]
        if (user !== undefined) {
          await client.patch(`/Users/${user.id}`, {
            op: 'replace',
            path: 'title',
            value: `after ${requests}`,
          })
          const [op, path] = requests % 2 ? ['add', 'members'] : ['remove', `members[value eq "${user.id}"]`]
          await client.patch(`/Groups/${group.id}`, {
            op,
            path,
            ...(op === 'add' && { value: [{ value: user.id }] }),
          })
          if (requests === 5) await client.request('DELETE', `/Users/${users[12]?.id}`)
        }
        return response
      },
    }
    const copy = new DirectoryCopy()
    await changesOf(copy, disturbed)
    await changesOf(copy, options)
    await expectExact(copy, options)
  })

  it('reads the directory again when a schema is removed or put again, and not when one is added', async () => {
    const client = await newClient()
    const urn = 'urn:example:followed:User'
    const path = `/tenants/${client.tenantId}/schemas/${urn}`
    const options = await reader(client)
    const copy = new DirectoryCopy()
    await changesOf(copy, options)
    const attributes = [
      { name: 'site' },
      { name: 'badge', type: 'complex', subAttributes: [{ name: 'code' }] },
    ]
    await admin('PUT', path, { attributes })
    await client.createUser({ schemas: [USER, urn], [urn]: { site: 'a', badge: { code: 'b' } } })
    expect(await changesOf(copy, options)).toMatchObject([{ event: { type: 'user.created' } }])
    const again = [{ kind: 'read', reason: 'schemas' }]
    const hidden = [
      { name: 'site' },
      { name: 'badge', type: 'complex', subAttributes: [{ name: 'code', returned: 'request' }] },
    ]
    for (const change of [
      () => admin('PUT', path, { attributes: hidden }),
      () => admin('DELETE', path),
      () => admin('PUT', path, { attributes }),
      () => admin('DELETE', `${path}?purge=true`),
    ]) {
      expect((await change()).status).toBeLessThan(300)
      expect(await changesOf(copy, options)).toEqual(again)
      await expectExact(copy, options)
    }
    expect(JSON.stringify(copy)).not.toContain('followed')
  })

  it('reads the directory again after an import, and when its cursor is not valid any more', async () => {
    const client = await newClient()
    const options = await reader(client)
    const copy = new DirectoryCopy()
    await changesOf(copy, options)
    await imported(client.tenantId, await fileOf([userLine(1)]))
    expect(await changesOf(copy, options)).toContainEqual({ kind: 'read', reason: 'imported' })
    await expectExact(copy, options)
    copy.cursor = 'broken'
    expect(await changesOf(copy, options)).toEqual([{ kind: 'read', reason: 'expired' }])
  })
})
