/**
 * A client that knows the name of a tenant but has no valid token never reaches a Durable Object. Otherwise each name
 * would create an object, and the object of a real tenant could be kept busy.
 */
import { createExecutionContext, listDurableObjectIds, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { COLLECTION_MS } from '../../src/http/failed-access.ts'
import worker from '../../src/worker.ts'
import { admin, Client, GROUP, newClient, newToken, PATCH_OP, TENANT_URL } from '../support/harness.ts'

const secret = 'A'.repeat(43)
const WRITES: readonly (readonly [method: string, path: string, body?: unknown])[] = [
  ['POST', '/Groups', { schemas: [GROUP], displayName: 'x' }],
  ['PUT', '/Groups/x', { schemas: [GROUP], displayName: 'x' }],
  ['PATCH', '/Groups/x', { schemas: [PATCH_OP], Operations: [{ op: 'remove', path: 'members' }] }],
  ['DELETE', '/Groups/x'],
  ['DELETE', '/Users/x'],
  ['GET', '/Groups'],
  ['POST', '/.search', {}],
]

const objects = async () => new Set((await listDurableObjectIds(env.GROUP_COORDINATOR)).map(String))

/** Sends a request to the Worker with read replication. */
async function send(token: string, [method, path, body]: (typeof WRITES)[number]): Promise<number> {
  const ctx = createExecutionContext()
  const headers = {
    Authorization: `Bearer ${token}`,
    'Content-Type': 'application/scim+json',
    'CF-Connecting-IP': crypto.randomUUID(),
  }
  const request = new Request<unknown, IncomingRequestCfProperties>(`${TENANT_URL}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const { status } = await worker.fetch(request, { ...env, READ_REPLICATION: '1' }, ctx)
  await waitOnExecutionContext(ctx)
  return status
}

// What the worker does later, it does at once: a test waits for all of it.
beforeEach(() => {
  const real = globalThis.setTimeout
  const hurried = (task: () => void, ms?: number) => real(task, ms === COLLECTION_MS ? 0 : ms)
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(hurried as typeof setTimeout)
})
afterEach(() => vi.restoreAllMocks())

describe('a Durable Object', () => {
  it('is not created for a tenant that does not exist', async () => {
    const before = await objects()
    for (let i = 0; i < 10; i++) {
      const name = `made-${crypto.randomUUID().slice(0, 8)}`
      for (const write of WRITES) expect(await send(`scim_${name}_${secret}`, write)).toBe(401)
    }
    expect(await objects()).toEqual(before)
  })

  it('is reached with a valid token of the tenant, but not with an invented or revoked one', async () => {
    const { tenantId } = await newClient()
    const { id, token } = await newToken(tenantId)
    const client = new Client(tenantId, token)
    await client.get('/Users')
    await admin('DELETE', `/tenants/${tenantId}/tokens/${id}`)
    await client.get('/Users')
    const before = await objects()
    for (const write of WRITES) {
      expect(await send(token, write)).toBe(401)
      expect(await send(`scim_${tenantId}_${secret}`, write)).toBe(401)
    }
    expect(await objects()).toEqual(before)
    const valid = await newToken(tenantId)
    expect(await send(valid.token, WRITES[0] ?? ['GET', '/'])).toBe(201)
    expect((await objects()).size).toBe(before.size + 1)
  })
})
