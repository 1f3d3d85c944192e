/** RFC 7644 §3.6: deleting resources. */
import { describe, expect, it } from 'vitest'
import { GROUP, newClient, PATCH_OP, USER } from '../support/harness.ts'
import { expectError } from './protocol.ts'

describe('RFC 7644 §3.6, deleting', () => {
  it('answers 204 without a body (§3.6)', async () => {
    const client = await newClient()
    for (const path of [
      `/Users/${(await client.createUser()).id}`,
      `/Groups/${(await client.createGroup()).id}`,
    ]) {
      const answer = await client.request('DELETE', path)
      expect([answer.status, answer.body]).toEqual([204, undefined])
    }
  })

  it('answers 404 to all operations on a deleted resource (§3.6)', async () => {
    const client = await newClient()
    const change = { schemas: [PATCH_OP], Operations: [{ op: 'add', path: 'externalId', value: 'x' }] }
    for (const [path, body] of [
      [`/Users/${(await client.createUser()).id}`, { schemas: [USER], userName: 'ada' }],
      [`/Groups/${(await client.createGroup()).id}`, { schemas: [GROUP], displayName: 'Crew' }],
    ] as const) {
      await client.request('DELETE', path)
      expectError(await client.get(path), 404)
      expectError(await client.request('PUT', path, body), 404)
      expectError(await client.request('PATCH', path, change), 404)
      expectError(await client.request('DELETE', path), 404)
    }
  })

  it('omits a deleted resource from all queries (§3.6)', async () => {
    const client = await newClient()
    const user = await client.createUser({ userName: 'ada' })
    const group = await client.createGroup({ members: [{ value: user.id }] })
    await client.request('DELETE', `/Users/${user.id}`)
    expect((await client.get('/Users')).body.totalResults).toBe(0)
    expect((await client.filter('/Users', `id eq "${user.id}"`)).body.totalResults).toBe(0)
    expect((await client.filter('/Groups', `members.value eq "${user.id}"`)).body.totalResults).toBe(0)
    expect((await client.get(`/Groups/${group.id}`)).body.members ?? []).toEqual([])
    expect((await client.get('')).body.totalResults).toBe(1)
  })

  it('does not report a conflict with a deleted resource (§3.6)', async () => {
    const client = await newClient()
    for (let i = 0; i < 2; i++) {
      const user = await client.createUser({ userName: 'ada' })
      const group = await client.createGroup({ displayName: 'Crew' })
      await client.request('DELETE', `/Users/${user.id}`)
      await client.request('DELETE', `/Groups/${group.id}`)
    }
  })
})
