/**
 * Who has access: "active" of a user through every kind of write. Access is given by an explicit true alone, and
 * taken by an explicit false alone.
 */
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { type Client, newClient, ORIGIN, PATCH_OP, send, USER } from '../support/harness.ts'

const BULK = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest'

/** Operations that say nothing of "active". */
const SILENT: readonly (readonly [what: string, operation: object])[] = [
  ['remove active', { op: 'remove', path: 'active' }],
  ['Remove with a value', { op: 'Remove', path: 'active', value: 'True' }],
  ['remove by the full name', { op: 'remove', path: `${USER}:Active` }],
  ['replace by null', { op: 'replace', path: 'active', value: null }],
  ['replace by ""', { op: 'Replace', path: 'active', value: '' }],
  ['add null', { op: 'add', path: 'active', value: null }],
  ['add ""', { op: 'Add', path: 'active', value: '' }],
  ['replace by null without a path', { op: 'replace', value: { active: null } }],
  ['replace by "" without a path', { op: 'replace', value: { Active: '' } }],
  ['replace by null under the full name', { op: 'replace', value: { [`${USER}:active`]: null } }],
]

describe('active', () => {
  it.for(SILENT)('stays what it is with: %s', async ([, operation]) => {
    const client = await newClient()
    for (const active of [false, true]) {
      const user = await client.createUser({ active })
      const answer = await client.patch(`/Users/${user.id}`, operation)
      expect([answer.status, answer.body]).toEqual([200, user])
      expect((await client.get(`/Users/${user.id}`)).body).toEqual(user)
      expect((await client.log())[0]).toMatchObject({ action: 'update', outcome: 'accepted', changes: [] })
    }
  })

  it.for(SILENT)('stays what it is in a bulk request with: %s', async ([, operation]) => {
    const client = await newClient()
    const user = await client.createUser({ active: false })
    const data = { schemas: [PATCH_OP], Operations: [operation] }
    const Operations = [{ method: 'PATCH', path: `/Users/${user.id}`, data }]
    const { body } = await client.request('POST', '/Bulk', { schemas: [BULK], Operations })
    expect(body.Operations[0].status).toBe('200')
    expect((await client.get(`/Users/${user.id}`)).body.active).toBe(false)
  })

  it('stays what it is when a PUT leaves it out, or says null or ""', async () => {
    const client = await newClient()
    for (const active of [false, true]) {
      const { id, userName } = await client.createUser({ active })
      for (const more of [{}, { active: null }, { active: '' }, { ACTIVE: '' }, { [`${USER}:active`]: '' }]) {
        const answer = await client.request('PUT', `/Users/${id}`, { schemas: [USER], userName, ...more })
        expect([answer.status, answer.body.active]).toEqual([200, active])
      }
    }
  })

  it('follows what an operation says before it is removed', async () => {
    const client = await newClient()
    const remove = { op: 'remove', path: 'active' }
    for (const value of [false, true]) {
      const { id } = await client.createUser({ active: !value })
      const answer = await client.patch(`/Users/${id}`, { op: 'replace', path: 'active', value }, remove)
      expect(answer.body.active).toBe(value)
      expect((await client.log())[0]).toMatchObject({ action: value ? 'enable' : 'disable' })
    }
  })

  it('is refused as "" in a new user, where there is nothing to keep, and true when it is left out', async () => {
    const client = await newClient()
    const refused = await client.request('POST', '/Users', { schemas: [USER], userName: 'a', active: '' })
    expect(refused.body).toMatchObject({ status: '400', scimType: 'invalidValue' })
    expect((await client.createUser()).active).toBe(true)
    expect((await client.createUser({ active: null })).active).toBe(true)
  })

  it('is true of somebody who comes back by a create after a delete, with an id of its own', async () => {
    const client = await newClient()
    const gone = await client.createUser({ userName: 'ada', active: false })
    await client.request('DELETE', `/Users/${gone.id}`)
    const { id, active } = await client.createUser({ userName: 'ada' })
    expect([id === gone.id, active]).toEqual([false, true])
  })
})

describe('a stored user of which nothing was ever said', () => {
  /** As a version that did not set a default, or SQL by hand, leaves one. */
  async function silentUser(client: Client): Promise<string> {
    const { id } = await client.createUser()
    const strip =
      "UPDATE users SET data = json_remove(data, '$.active'), keys = json_remove(keys, '$.active')"
    await env.DB.prepare(`${strip}, version = version + 1 WHERE id = ?1`).bind(id).run()
    return id
  }

  it('counts as active, and a change that shows it so is not an "enable"', async () => {
    const client = await newClient()
    const id = await silentUser(client)
    const answer = await client.patch(`/Users/${id}`, { op: 'remove', path: 'active' })
    expect([answer.status, answer.body.active]).toEqual([200, true])
    expect((await client.log())[0]).toMatchObject({ action: 'update' })
    const other = await silentUser(client)
    await client.patch(`/Users/${other}`, { op: 'replace', path: 'active', value: false })
    expect((await client.log())[0]).toMatchObject({ action: 'disable' })
  })

  it('is refused by an import: a file says whether each user has access', async () => {
    const client = await newClient()
    const resource = { schemas: [USER], userName: 'silent' }
    const id = crypto.randomUUID()
    const record = { kind: 'user', id, version: 1, createdAt: 1, lastModified: 1, resource }
    const url = `${ORIGIN}/admin/api/tenants/${client.tenantId}/import`
    const headers = { Authorization: 'Bearer test-admin-token' }
    const answer = await send(new Request(url, { method: 'POST', headers, body: JSON.stringify(record) }))
    expect([answer.status, answer.body.error.message]).toEqual([400, expect.stringContaining('"active"')])
    expect((await client.get('/Users')).body.totalResults).toBe(0)
  })
})
