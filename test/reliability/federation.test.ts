/**
 * Federated clients of a tenant that is being moved, or deleted.
 */
import { env } from 'cloudflare:workers'
import { uuidv7 } from 'uuidv7'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { runJob } from '../../src/provider/jobs/runner.ts'
import { startMove } from '../../src/provider/jobs/start.ts'
import { RESOURCE_TYPES } from '../../src/storage/tables/resource-tables.ts'
import { adminOfSeveral, clearLocations, sendSeveral, threeDatabases } from '../support/databases.ts'
import { type FederatedClient, newFederatedClient, trustOf } from '../support/federation.ts'
import { admin, TENANT_URL } from '../support/harness.ts'

afterEach(() => vi.restoreAllMocks())
afterAll(clearLocations)

/** A client whose issuer has its keys in the federation, so that nothing is fetched. */
async function newClientWithKeys(): Promise<FederatedClient> {
  const client = await newFederatedClient()
  const { jwksUri: _, ...trust } = trustOf(client.issuer)
  const jwks = { keys: client.issuer.keys.map(({ jwk }) => jwk) }
  await admin('PUT', `${client.path}/federation`, { ...trust, jwks })
  return client
}

describe('a federated client', () => {
  it('follows its tenant to another database, gets 503 during the move, and can be ended at any time', async () => {
    const client = await newClientWithKeys()
    const { tenantId } = client
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const databases = threeDatabases()
    const assertion = await client.assertion()
    const ask = () => sendSeveral(client.tokenRequest(assertion))
    const scim = async (token: string) => {
      const headers = { Authorization: `Bearer ${token}` }
      return (await sendSeveral(new Request(`${TENANT_URL}/Users`, { headers }))).status
    }
    const before = await ask()
    expect(before.status).toBe(200)
    const start = { databases, resourceTypes: RESOURCE_TYPES, tenantId, home: 'DB', newId: uuidv7 }
    await startMove({ ...start, now: Date.now() }, 'DB2')
    const run = { databases, resourceTypes: RESOURCE_TYPES, maxStatements: 27, now: Date.now }
    const statuses = new Set<number>()
    while ((await runJob(run, tenantId)) !== undefined) {
      const { status } = await ask()
      statuses.add(status)
      if (status === 200) continue
      const put = await adminOfSeveral('PUT', `${client.path}/federation`, trustOf(client.issuer))
      expect(put.status).toBe(503)
    }
    expect([...statuses].sort()).toEqual([200, 503])
    const after = await ask()
    expect(after.status).toBe(200)
    for (const { body } of [before, after]) expect(await scim(body.access_token)).toBe(200)
    await startMove({ ...start, home: 'DB2', now: Date.now() }, 'DB3')
    while ((await ask()).status === 200) await runJob(run, tenantId)
    expect((await adminOfSeveral('DELETE', `${client.path}/federation`)).status).toBe(204)
    for (const { body } of [before, after]) expect(await scim(body.access_token)).toBe(401)
    while ((await runJob(run, tenantId)) !== undefined) expect((await ask()).status).not.toBe(200)
    expect((await ask()).status).toBe(401)
  })

  it('gets nothing from a tenant that is deleted, or created again with the same id', async () => {
    const client = await newClientWithKeys()
    const scim = await client.signedIn()
    await admin('DELETE', `/tenants/${client.tenantId}`)
    expect((await client.request(await client.assertion())).status).toBe(401)
    await admin('POST', '/tenants', { id: client.tenantId, name: 'Again' })
    expect((await client.request(await client.assertion())).status).toBe(401)
    expect((await scim.get('/Users')).status).toBe(401)
    const { results } = await env.DB.prepare('SELECT 1 FROM client_trusts WHERE tenant_id = ?')
      .bind(client.tenantId)
      .all()
    expect(results).toEqual([])
  })

  it('gets 503, not 401, if a restore has lost its tenant', async () => {
    const client = await newClientWithKeys()
    const { tenantId } = client
    const databases = threeDatabases()
    const start = { databases, resourceTypes: RESOURCE_TYPES, tenantId, home: 'DB', newId: uuidv7 }
    await startMove({ ...start, now: Date.now() }, 'DB3')
    const run = { databases, resourceTypes: RESOURCE_TYPES, maxStatements: 27, now: Date.now }
    while ((await runJob(run, tenantId)) !== undefined);
    const assertion = await client.assertion()
    const ask = () => sendSeveral(client.tokenRequest(assertion))
    expect((await ask()).status).toBe(200)
    await env.TEST_DB3.batch(
      ['tokens WHERE tenant_id', 'clients WHERE tenant_id', 'tenants WHERE id'].map((rows) =>
        env.TEST_DB3.prepare(`DELETE FROM ${rows} = ?`).bind(tenantId),
      ),
    )
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const lost = await ask()
    expect([lost.status, lost.body.error]).toEqual([503, 'temporarily_unavailable'])
  })

  it('gets 503 while its tenant is imported', async () => {
    const client = await newClientWithKeys()
    const set = (state: string) =>
      env.DB.prepare('UPDATE tenants SET state = ?2 WHERE id = ?1').bind(client.tenantId, state).run()
    await set('importing')
    const answer = await client.request(await client.assertion())
    expect([answer.status, answer.body.error]).toEqual([503, 'temporarily_unavailable'])
    await set('ready')
    await client.signedIn()
  })
})
