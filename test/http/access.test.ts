/**
 * The value of "active" after every kind of write. Only an explicit true enables a user, and only an explicit false
 * disables it.
 */
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { type Client, newClient, ORIGIN, PATCH_OP, send, USER } from '../support/harness.ts'

const BULK = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest'

/** Operations that do not set "active". */
const NOT_SETTING_ACTIVE: readonly (readonly [what: string, operation: object])[] = [
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
  it.for(NOT_SETTING_ACTIVE)('is not changed by: %s', async ([, operation]) => {
    const client = await newClient()
    for (const active of [false, true]) {
      const user = await client.createUser({ active })
      const answer = await client.patch(`/Users/${user.id}`, operation)
      expect([answer.status, answer.body]).toEqual([200, user])
      expect((await client.get(`/Users/${user.id}`)).body).toEqual(user)
      expect((await client.log())[0]).toMatchObject({ action: 'update', outcome: 'accepted', changes: [] })
    }
  })

  it.for(NOT_SETTING_ACTIVE)('is not changed in a bulk request by: %s', async ([, operation]) => {
    const client = await newClient()
    const user = await client.createUser({ active: false })
    const data = { schemas: [PATCH_OP], Operations: [operation] }
    const Operations = [{ method: 'PATCH', path: `/Users/${user.id}`, data }]
    const { body } = await client.request('POST', '/Bulk', { schemas: [BULK], Operations })
    expect(body.Operations[0].status).toBe('200')
    expect((await client.get(`/Users/${user.id}`)).body.active).toBe(false)
  })

  it('is not changed by a PUT that omits it or sends null or ""', async () => {
    const client = await newClient()
    for (const active of [false, true]) {
      const { id, userName } = await client.createUser({ active })
      for (const more of [{}, { active: null }, { active: '' }, { ACTIVE: '' }, { [`${USER}:active`]: '' }]) {
        const answer = await client.request('PUT', `/Users/${id}`, { schemas: [USER], userName, ...more })
        expect([answer.status, answer.body.active]).toEqual([200, active])
      }
    }
  })

  it('keeps the value that an earlier operation set when it is removed', async () => {
    const client = await newClient()
    const remove = { op: 'remove', path: 'active' }
    for (const value of [false, true]) {
      const { id } = await client.createUser({ active: !value })
      const answer = await client.patch(`/Users/${id}`, { op: 'replace', path: 'active', value }, remove)
      expect(answer.body.active).toBe(value)
      expect((await client.log())[0]).toMatchObject({ action: value ? 'enable' : 'disable' })
    }
  })

  it('is true in a new user that omits it, and rejected as ""', async () => {
    const client = await newClient()
    const refused = await client.request('POST', '/Users', { schemas: [USER], userName: 'a', active: '' })
    expect(refused.body).toMatchObject({ status: '400', scimType: 'invalidValue' })
    expect((await client.createUser()).active).toBe(true)
    expect((await client.createUser({ active: null })).active).toBe(true)
  })

  it('is true for a user who is created again after a delete, with a new id', async () => {
    const client = await newClient()
    const gone = await client.createUser({ userName: 'ada', active: false })
    await client.request('DELETE', `/Users/${gone.id}`)
    const { id, active } = await client.createUser({ userName: 'ada' })
    expect([id === gone.id, active]).toEqual([false, true])
  })
})

describe('a stored user without a value of "active"', () => {
  /** Stored by an older version without a default, or by SQL. */
  async function silentUser(client: Client): Promise<string> {
    const { id } = await client.createUser()
    const strip =
      "UPDATE users SET data = json_remove(data, '$.active'), keys = json_remove(keys, '$.active')"
    await env.DB.prepare(`${strip}, version = version + 1 WHERE id = ?1`).bind(id).run()
    return id
  }

  it('is active, and a change that adds the value is not logged as "enable"', async () => {
    const client = await newClient()
    const id = await silentUser(client)
    const answer = await client.patch(`/Users/${id}`, { op: 'remove', path: 'active' })
    expect([answer.status, answer.body.active]).toEqual([200, true])
    expect((await client.log())[0]).toMatchObject({ action: 'update' })
    const other = await silentUser(client)
    await client.patch(`/Users/${other}`, { op: 'replace', path: 'active', value: false })
    expect((await client.log())[0]).toMatchObject({ action: 'disable' })
  })

  it('is rejected by an import, which requires a value', async () => {
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
