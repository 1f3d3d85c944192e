/** How many clients, tokens and client secrets a tenant may have. */
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { MAX_CLIENTS, MAX_SECRETS, MAX_TOKENS } from '../../src/scim/limits.ts'
import { Browser, fieldValue, textOf } from '../support/dashboard.ts'
import { admin, newClient } from '../support/harness.ts'

/** A tenant with a client, and as many rows as it may have of one kind. */
async function fullTenant(kind: 'clients' | 'tokens' | 'secrets') {
  const { tenantId } = await newClient()
  const { body } = await admin('GET', `/tenants/${tenantId}/clients`)
  const clientId = String(body.clients[0].id)
  const rows = (most: number) =>
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${most - 1})`
  const fill = {
    clients: `INSERT INTO clients (id, tenant_id, name, scope, created_at) ${rows(MAX_CLIENTS)}
      SELECT ?1 || '_' || i, ?1, 'c', 'read', 1 FROM n WHERE ?2 <> ''`,
    tokens: `INSERT INTO tokens (id, tenant_id, client_id, name, scope, hash, created_at) ${rows(MAX_TOKENS)}
      SELECT ?1 || '_' || i, ?1, ?2, 't', 'read', ?1 || i, 1 FROM n`,
    secrets: `INSERT INTO client_secrets (id, tenant_id, client_id, name, hash, last_characters, created_at, expires_at) ${rows(MAX_SECRETS)}
      SELECT ?1 || '_' || i, ?1, ?2, 's', ?1 || i, 'abcd', 1, 9e12 FROM n`,
  }
  await env.DB.prepare(fill[kind]).bind(tenantId, clientId).run()
  const create = (path: string, more: object = {}) =>
    admin('POST', `/tenants/${tenantId}${path}`, { name: 'new', ...more })
  return { tenantId, clientId, create }
}

const conflict = (message: string) => ({
  status: 409,
  body: { error: { code: 'conflict', message: expect.stringContaining(message) } },
})

describe('the limits of a tenant', () => {
  it('on clients hold for those that are created alone or with a token, until one is deleted', async () => {
    const { tenantId, clientId, create } = await fullTenant('clients')
    const refused = conflict(`tenant "${tenantId}" has 500 clients, the limit; delete one first`)
    expect(await create('/clients', { scope: 'read' })).toMatchObject(refused)
    expect(await create('/tokens')).toMatchObject(refused)
    expect((await create('/tokens', { clientId })).status).toBe(201)
    const browser = await new Browser().signIn()
    const path = `/admin/tenants/${tenantId}/api-keys`
    const id = fieldValue((await browser.get(path)).html, 'id')
    const form = { id, name: 'new', scope: 'read', expires: '' }
    const page = await browser.post(path, form)
    expect([page.status, textOf(page.html)]).toEqual([409, expect.stringContaining('500 clients, the limit')])
    await admin('DELETE', `/tenants/${tenantId}/clients/${tenantId}_1`)
    expect((await create('/clients', { scope: 'read' })).status).toBe(201)
    expect(await create('/clients', { scope: 'read' })).toMatchObject(refused)
  })

  it('on tokens hold for rotations too, until one is revoked', async () => {
    const { tenantId, clientId, create } = await fullTenant('tokens')
    const full = await create('/tokens', { clientId })
    expect(full).toMatchObject(conflict(`tenant "${tenantId}" has 500 tokens, the limit; revoke one first`))
    const { body } = await admin('GET', `/tenants/${tenantId}/tokens`)
    const old = String(body.tokens.find(({ name }: { name: string }) => name !== 't').id)
    const browser = await new Browser().signIn()
    const path = `/admin/tenants/${tenantId}/api-keys/${old}/rotate`
    const rotate = async () =>
      await browser.post(path, { id: fieldValue((await browser.get(path)).html, 'id') })
    expect((await rotate()).status).toBe(409)
    await admin('DELETE', `/tenants/${tenantId}/tokens/${tenantId}_1`)
    expect((await rotate()).status).toBe(201)
  })

  it('on secrets hold for each client', async () => {
    const { tenantId, clientId, create } = await fullTenant('secrets')
    expect((await create(`/clients/${clientId}/secrets`)).status).toBe(201)
    const refused = conflict(`tenant "${tenantId}" has 500 client secrets, the limit; revoke one first`)
    expect(await create(`/clients/${clientId}/secrets`)).toMatchObject(refused)
  })

  it('do not count what was revoked, of which lists show the newest hundred', async () => {
    const { tenantId, clientId, create } = await fullTenant('tokens')
    await env.DB.prepare(`UPDATE tokens SET revoked_at = 2 WHERE tenant_id = ? AND name = 't'`)
      .bind(tenantId)
      .run()
    const { id } = (await create('/tokens', { clientId })).body
    const { body } = await admin('GET', `/tenants/${tenantId}/tokens`)
    expect(body.tokens).toHaveLength(102)
    expect(body.tokens.map((token: { id: string }) => token.id)).toContain(id)
  })
})
