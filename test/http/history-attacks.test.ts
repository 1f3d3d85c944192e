/** Restore, undo, histories and owners against races, foreign ids and the mode "owner". */
import { describe, expect, it } from 'vitest'
import { admin, type Client, newClient } from '../support/harness.ts'
import { clientIdOf, secondSource } from '../support/sources.ts'
import { EVER, resultOf, undo, undone } from '../support/undo.ts'

const restore = ({ tenantId }: Client, id: string) =>
  admin('POST', `/tenants/${tenantId}/tombstones/${id}/restore`)
const replace = (client: Client, path: string, attribute: string, value: unknown) =>
  client.patch(path, { op: 'replace', path: attribute, value })
const memberIds = async (client: Client, id: string) =>
  ((await client.get(`/Groups/${id}`)).body.members ?? []).map(({ value }: { value: string }) => value).sort()
const statusesOf = (answers: readonly { readonly status: number }[]) => answers.map(({ status }) => status)

describe('ids of another tenant', () => {
  it('are unknown to restore, erase, histories, undo, conflicts and owners', async () => {
    const [mine, theirs] = [await newClient(), await newClient()]
    const [gone, user] = [await theirs.createUser(), await theirs.createUser()]
    await theirs.request('DELETE', `/Users/${gone.id}`)
    await mine.createUser()
    const theirClient = await clientIdOf(theirs)
    const job = await undo(theirs, { clientId: theirClient, ...EVER })
    await resultOf(theirs, job.body.id)
    const at = `/tenants/${mine.tenantId}`
    const answers = [
      await restore(mine, gone.id),
      await admin('DELETE', `${at}/tombstones/${gone.id}`),
      await admin('GET', `${at}/history/${user.id}`),
      await undo(mine, { clientId: theirClient, ...EVER }),
      await admin('GET', `${at}/undo/${job.body.id}`),
      await admin('POST', `${at}/conflicts/bm9ib2R5/dismiss`),
      await admin('POST', `${at}/resources/${user.id}/owner`, { clientId: await clientIdOf(mine) }),
      await admin('POST', `${at}/resources/owner`, { from: theirClient, to: theirClient }),
    ]
    expect(statusesOf(answers)).toEqual([404, 404, 404, 400, 404, 404, 404, 400])
  })
})

describe('a restore', () => {
  it('against a creation of the same name: one of them wins', async () => {
    for (let round = 0; round < 5; round++) {
      const client = await newClient()
      const user = await client.createUser()
      const group = await client.createGroup()
      await client.request('DELETE', `/Users/${user.id}`)
      await client.request('DELETE', `/Groups/${group.id}`)
      const { userName } = user
      const { displayName } = group
      const users = await Promise.all([
        restore(client, user.id),
        client.request('POST', '/Users', { userName }),
      ])
      const groups = await Promise.all([
        restore(client, group.id),
        client.request('POST', '/Groups', { displayName }),
      ])
      expect([statusesOf(users).sort(), statusesOf(groups).sort()]).toEqual([
        expect.toBeOneOf([
          [200, 409],
          [201, 409],
        ]),
        expect.toBeOneOf([
          [200, 409],
          [201, 409],
        ]),
      ])
      expect((await client.get('/Users')).body.totalResults).toBe(1)
      expect((await client.get('/Groups')).body.totalResults).toBe(1)
    }
  })

  it('that is asked for twice at a time restores once', async () => {
    for (let round = 0; round < 5; round++) {
      const client = await newClient()
      const user = await client.createUser()
      const group = await client.createGroup({ members: [{ value: user.id }] })
      await client.request('DELETE', `/Users/${user.id}`)
      const answers = await Promise.all([restore(client, user.id), restore(client, user.id)])
      // The second one finds it restored, or no tombstone any more.
      expect(statusesOf(answers).toSorted()).toEqual([200, expect.toBeOneOf([200, 404])])
      expect((await client.get(`/Users/${user.id}`)).body.meta.version).toBe('W/"2"')
      expect(await memberIds(client, group.id)).toEqual([user.id])
      expect((await restore(client, user.id)).status).toBe(404)
    }
  })
})

describe('an undo', () => {
  it('of a window that is being undone is refused, or finds nothing to do', async () => {
    const first = await newClient()
    const second = await secondSource(first)
    const users = []
    for (let i = 0; i < 10; i++) users.push(await first.createUser({ title: 'Ranger' }))
    for (const { id } of users) await replace(second, `/Users/${id}`, 'title', 'Warden')
    const window = { clientId: await clientIdOf(second), ...EVER }
    const [one, two] = await Promise.all([undo(first, window), undo(first, window)])
    expect(statusesOf([one, two]).toSorted()).toEqual([202, expect.toBeOneOf([202, 409])])
    for (const { status, body } of [one, two]) if (status === 202) await resultOf(first, body.id)
    for (const { id } of users) {
      expect((await first.get(`/Users/${id}`)).body).toMatchObject({
        title: 'Ranger',
        meta: { version: 'W/"3"' },
      })
    }
  })

  it('leaves what the client writes while it runs', async () => {
    const first = await newClient()
    const second = await secondSource(first)
    const users = []
    for (let i = 0; i < 20; i++) users.push(await first.createUser({ title: 'Ranger' }))
    for (const { id } of users) await replace(second, `/Users/${id}`, 'title', 'Warden')
    const to = new Date().toISOString()
    await new Promise((wait) => setTimeout(wait, 5))
    const started = await undo(first, { clientId: await clientIdOf(second), from: EVER.from, to })
    for (const { id } of users.slice(0, 10)) await replace(second, `/Users/${id}`, 'title', 'Keeper')
    const { job } = await resultOf(first, started.body.id)
    expect(job).toMatchObject({ state: 'done', error: null })
    for (const [i, { id }] of users.entries())
      expect((await first.get(`/Users/${id}`)).body.title).toBe(i < 10 ? 'Keeper' : 'Ranger')
  })

  it('of a client whose token was revoked, and that was deleted, works', async () => {
    const first = await newClient()
    const second = await secondSource(first)
    const user = await first.createUser()
    await replace(second, `/Users/${user.id}`, 'active', false)
    const clientId = await clientIdOf(second)
    expect((await admin('DELETE', `/tenants/${first.tenantId}/clients/${clientId}`)).status).toBe(204)
    const { left } = await undone(first, { clientId, ...EVER })
    expect([left, (await first.get(`/Users/${user.id}`)).body.active]).toEqual([[], true])
  })
})

describe('in the mode "owner"', () => {
  const owned = async () => {
    const owner = await newClient()
    const other = await secondSource(owner)
    await admin('PATCH', `/tenants/${owner.tenantId}`, { sourceMode: 'owner' })
    return { owner, other }
  }

  it('a bulk request changes only what the client owns', async () => {
    const { owner, other } = await owned()
    const [user, own] = [await owner.createUser(), await other.createUser()]
    const group = await owner.createGroup()
    const patch = (path: string, op: string, value: unknown) => ({
      method: 'PATCH',
      path,
      data: {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
        Operations: [{ op, ...(value as object) }],
      },
    })
    const { body } = await other.request('POST', '/Bulk', {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
      Operations: [
        patch(`/Users/${user.id}`, 'replace', { path: 'title', value: 'x' }),
        patch(`/Groups/${group.id}`, 'add', { path: 'members', value: [{ value: own.id }] }),
        { method: 'DELETE', path: `/Users/${user.id}` },
        { method: 'DELETE', path: `/Groups/${group.id}` },
        patch(`/Users/${own.id}`, 'replace', { path: 'title', value: 'x' }),
      ],
    })
    expect(body.Operations.map(({ status }: { status: string }) => status)).toEqual([
      '409',
      '409',
      '409',
      '409',
      '200',
    ])
  })

  it('a client takes its own user and its own group out of the groups of others, and a restore brings them back', async () => {
    const { owner, other } = await owned()
    const [user, inner] = [await other.createUser(), await other.createGroup()]
    const outer = await owner.createGroup({ members: [{ value: user.id }, { value: inner.id }] })
    expect((await other.request('DELETE', `/Users/${user.id}`)).status).toBe(204)
    expect((await other.request('DELETE', `/Groups/${inner.id}`)).status).toBe(204)
    expect(await memberIds(owner, outer.id)).toEqual([])
    for (const id of [user.id, inner.id]) expect((await restore(owner, id)).status).toBe(200)
    expect(await memberIds(owner, outer.id)).toEqual([user.id, inner.id].sort())
    expect((await replace(other, `/Users/${user.id}`, 'title', 'x')).status).toBe(200)
  })
})
