/**
 * Clients: the actors of a tenant. A client may have several tokens; the log, the limits and cursors refer to the client.
 */
import { describe, expect, it } from 'vitest'
import { Browser, fieldValue, textOf } from '../support/dashboard.ts'
import { admin, Client, newClient, newToken, USER } from '../support/harness.ts'

async function newTenant() {
  const { tenantId } = await newClient()
  return { tenantId, path: `/tenants/${tenantId}/clients` }
}

const newUser = () => ({ schemas: [USER], userName: crypto.randomUUID() })

describe('the admin API of clients', () => {
  it('creates, lists, reads, changes and deletes clients', async () => {
    const { tenantId, path } = await newTenant()
    const made = await admin('POST', path, { name: ' Entra ', scope: 'read' })
    expect(made.status).toBe(201)
    expect(made.body).toEqual({
      id: expect.stringMatching(new RegExp(`^${tenantId}_[\\w-]{22}$`)),
      name: 'Entra',
      scope: 'read',
      tokenLifetime: 3600,
      createdAt: expect.any(String),
      lastUsedAt: null,
      health: null,
      deprovisioning: { held: 0, alarmedAt: null, releasedUntil: null },
    })
    const at = `${path}/${made.body.id}`
    expect(made.headers.get('Location')).toBe(`/admin/api${at}`)
    expect((await admin('GET', at)).body).toEqual({ ...made.body, secrets: [], federation: null })
    expect((await admin('GET', path)).body.clients.at(-1)).toEqual(made.body)
    const changed = await admin('PATCH', at, { name: 'Okta', tokenLifetime: 7200 })
    expect(changed.body).toEqual({ ...made.body, name: 'Okta', tokenLifetime: 7200 })
    expect((await admin('DELETE', at)).status).toBe(204)
    for (const method of ['GET', 'PATCH', 'DELETE']) {
      const body = method === 'PATCH' ? {} : undefined
      expect((await admin(method, at, body)).status).toBe(404)
    }
    expect((await admin('GET', path)).body.clients.map(({ name }: { name: string }) => name)).toEqual([
      'Test',
    ])
  })

  it('names the invalid field, the value found and the values allowed', async () => {
    const [{ path }, other] = [await newTenant(), await newTenant()]
    const problem = async (body: unknown) => (await admin('POST', path, body)).body.error
    expect(await problem({})).toMatchObject({ field: 'name' })
    expect(await problem({ name: 'x', scope: 'all' })).toMatchObject({ field: 'scope' })
    for (const name of ['a\0b', 'a\nb', 'a\u001bb', 'a\u0085b', '\ud800'])
      expect(await problem({ name })).toMatchObject({ field: 'name' })
    expect((await admin('GET', '/tenants/nobody/clients')).status).toBe(404)
    expect((await admin('POST', '/tenants/nobody/clients', { name: 'x' })).status).toBe(404)
    const { id } = (await admin('POST', other.path, { name: 'theirs' })).body
    expect((await admin('GET', `${path}/${id}`)).status).toBe(404)
    expect((await admin('DELETE', `${path}/${id}`)).status).toBe(404)
    expect((await admin('GET', `${other.path}/${id}`)).status).toBe(200)
  })

  it('creates a client for a token without a client id, and adds a token to a given client', async () => {
    const { tenantId, path } = await newTenant()
    const first = await newToken(tenantId, { name: 'Entra', scope: 'read' })
    expect((await admin('GET', `${path}/${first.clientId}`)).body).toMatchObject({
      name: 'Entra',
      scope: 'read',
    })
    const second = await newToken(tenantId, { name: 'another', clientId: first.clientId })
    expect(second).toMatchObject({ clientId: first.clientId, scope: 'read' })
    expect((await admin('GET', path)).body.clients).toHaveLength(2)
    const { tokens } = (await admin('GET', `/tenants/${tenantId}/tokens`)).body
    expect(tokens.slice(1).map(({ clientId }: { clientId: string }) => clientId)).toEqual([
      first.clientId,
      first.clientId,
    ])
  })

  it('refuses a token for an unknown client or with another scope, and creates none', async () => {
    const [{ tenantId }, other] = [await newTenant(), await newTenant()]
    const { clientId } = await newToken(tenantId, { scope: 'read' })
    const theirs = await newToken(other.tenantId)
    for (const id of ['nobody', theirs.clientId]) {
      const answer = await admin('POST', `/tenants/${tenantId}/tokens`, { name: 'x', clientId: id })
      expect([answer.status, answer.body.error.field]).toEqual([400, 'clientId'])
    }
    const wider = { name: 'x', clientId, scope: 'provision' }
    const answer = await admin('POST', `/tenants/${tenantId}/tokens`, wider)
    expect([answer.status, answer.body.error.field]).toEqual([400, 'scope'])
    expect((await admin('GET', `/tenants/${tenantId}/tokens`)).body.tokens).toHaveLength(2)
  })
})

describe('a client', () => {
  it('has one scope for all of its tokens, which changes at once', async () => {
    const { tenantId, path } = await newTenant()
    const { token, clientId } = await newToken(tenantId)
    const client = new Client(tenantId, token)
    expect((await client.request('POST', '/Users', newUser())).status).toBe(201)
    await admin('PATCH', `${path}/${clientId}`, { scope: 'read' })
    expect((await client.request('POST', '/Users', newUser())).status).toBe(403)
    expect((await client.get('/Users')).status).toBe(200)
  })

  it('loses all of its tokens when it is deleted, and is still named in the log', async () => {
    const { tenantId, path } = await newTenant()
    const { token, clientId } = await newToken(tenantId, { name: 'Entra' })
    const other = await newToken(tenantId, { name: 'spare', clientId })
    const clients = [new Client(tenantId, token), new Client(tenantId, other.token)]
    await clients[0]?.createUser()
    expect((await clients[1]?.get('/Users'))?.status).toBe(200)
    await admin('DELETE', `${path}/${clientId}`)
    for (const client of clients) expect((await client.get('/Users')).status).toBe(401)
    expect((await admin('POST', `/tenants/${tenantId}/tokens`, { name: 'x', clientId })).status).toBe(400)
    const { entries } = (await admin('GET', `/tenants/${tenantId}/log`)).body
    expect(entries[0]).toMatchObject({ clientId, clientName: 'Entra', tokenName: 'Entra' })
  })

  it('has the last use of any of its tokens as its own', async () => {
    const { tenantId, path } = await newTenant()
    const { clientId } = await newToken(tenantId)
    const { token } = await newToken(tenantId, { clientId })
    const before = Date.now()
    await new Client(tenantId, token).get('/Users')
    const { lastUsedAt } = (await admin('GET', `${path}/${clientId}`)).body
    expect(Date.parse(lastUsedAt)).toBeGreaterThanOrEqual(before)
  })

  it('continues a list with another of its tokens, and no other client can', async () => {
    const { tenantId } = await newTenant()
    const { token, clientId } = await newToken(tenantId)
    const client = new Client(tenantId, token)
    for (let i = 0; i < 3; i++) await client.createUser()
    const { nextCursor } = (await client.get('/Users?cursor&count=1')).body
    const rotated = new Client(tenantId, (await newToken(tenantId, { clientId })).token)
    const page = `/Users?cursor=${nextCursor}&count=1`
    expect((await rotated.get(page)).body.Resources).toHaveLength(1)
    const other = new Client(tenantId, (await newToken(tenantId)).token)
    expect((await other.get(page)).body.scimType).toBe('invalidCursor')
  })

  it('is shown on the API Keys page and in the log', async () => {
    const { tenantId } = await newTenant()
    const browser = await new Browser().signIn()
    const keys = `/admin/tenants/${tenantId}/api-keys`
    const { token, clientId } = await newToken(tenantId, { name: 'Entra' })
    await new Client(tenantId, token).createUser()
    const page = await browser.get(keys)
    expect(textOf(page.html)).toContain('Entra Provision Healthy 1')
    const form = { id: fieldValue(page.html, 'id'), name: 'spare', expires: '' }
    const unknown = await browser.post(keys, { ...form, client: 'nobody', scope: 'provision' })
    expect([unknown.status, unknown.html.includes('new-client-error')]).toEqual([400, true])
    const generated = await browser.post(keys, { ...form, client: clientId, scope: 'read' })
    expect(generated.status).toBe(201)
    expect(textOf((await browser.get(keys)).html)).toContain('Entra Provision Healthy 2')
    const log = await browser.get(`/admin/tenants/${tenantId}/log?client=${clientId}`)
    expect(textOf(log.html)).toContain('Client Entra')
    const none = await browser.get(`/admin/tenants/${tenantId}/log?client=nobody`)
    expect(textOf(none.html)).toContain('No entry matches.')
  })

  it('is deleted in the dashboard after a confirmation', async () => {
    const { tenantId } = await newTenant()
    const browser = await new Browser().signIn()
    const keys = `/admin/tenants/${tenantId}/api-keys`
    const { token, clientId } = await newToken(tenantId, { name: 'Entra' })
    const question = await browser.get(`${keys}/clients/${clientId}/delete`)
    expect(textOf(question.html)).toContain('Delete the client “Entra”?')
    const done = await browser.post(`${keys}/clients/${clientId}/delete`, {})
    expect([done.status, done.location]).toEqual([303, `${keys}?done=deleted`])
    expect((await new Client(tenantId, token).get('/Users')).status).toBe(401)
    expect((await browser.get(`${keys}/clients/${clientId}/delete`)).status).toBe(404)
    expect((await browser.post(`${keys}/clients/${clientId}/delete`, {})).status).toBe(404)
  })
})
