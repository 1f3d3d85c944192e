/**
 * READ_REPLICATION in workerd with the real Worker, its Durable Object, and D1's Sessions API. A local D1 has no
 * replica; test/storage/database/replicas.test.ts simulates one that lags.
 */
import { createExecutionContext, evictDurableObject, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, it } from 'vitest'
import worker, { type WorkerEnv } from '../../src/worker.ts'
import { admin, type Client, newClient, TENANT_URL, USER } from '../support/harness.ts'

/** The constraint of each session: "first-primary" or "bookmark". */
async function sessionsOf(client: Client, path: string, READ_REPLICATION = '1'): Promise<readonly string[]> {
  const sessions: string[] = []
  const DB = {
    prepare: (sql: string) => env.DB.prepare(sql),
    batch: (statements: D1PreparedStatement[]) => env.DB.batch(statements),
    withSession(start: string) {
      sessions.push(start === 'first-primary' ? start : 'bookmark')
      return env.DB.withSession(start)
    },
  }
  const response = await request({ DB: DB as D1Database, READ_REPLICATION }, client, 'GET', path)
  expect(response.status).toBe(200)
  expect(response.headers.get('Server-Timing')).toContain('"1 round trips')
  return sessions
}

async function request(
  changed: Partial<WorkerEnv>,
  client: Client,
  method: string,
  path: string,
  body?: unknown,
): Promise<Response> {
  const ctx = createExecutionContext()
  const response = await send(changed, client, method, path, ctx, body)
  await waitOnExecutionContext(ctx)
  return response
}

async function send(
  changed: Partial<WorkerEnv>,
  client: Client,
  method: string,
  path: string,
  ctx: ExecutionContext,
  body?: unknown,
): Promise<Response> {
  const headers = { Authorization: `Bearer ${client.token}`, 'Content-Type': 'application/scim+json' }
  const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }
  return await worker.fetch(new Request(`${TENANT_URL}${path}`, init), { ...env, ...changed }, ctx)
}

it('reads with the bookmark of the tenant until the next write', async () => {
  const client = await newClient()
  const on = { READ_REPLICATION: '1' }
  // The first request of a token writes its last use.
  expect(await sessionsOf(client, '/Users')).toEqual([])
  expect(await sessionsOf(client, '/Users')).toEqual(['first-primary'])
  expect(await sessionsOf(client, '/Users')).toEqual(['bookmark'])
  const userName = `${crypto.randomUUID()}@quillfern.example`
  const created = await request(on, client, 'POST', '/Users', { schemas: [USER], userName })
  const { id } = await created.json<{ id: string }>()
  expect(await sessionsOf(client, `/Users/${id}`)).toEqual(['first-primary'])
  expect(await sessionsOf(client, `/Users/${id}`)).toEqual(['bookmark'])
  const add = { op: 'add', path: 'members', value: [{ value: id }] }
  const { id: group } = await client.createGroup()
  const PatchOp = { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: [add] }
  expect((await request(on, client, 'PATCH', `/Groups/${group}`, PatchOp)).status).toBe(204)
  expect(await sessionsOf(client, `/Groups/${group}`)).toEqual(['first-primary'])
  expect(await sessionsOf(client, `/Groups/${group}`)).toEqual(['bookmark'])
})

it('reads from the primary after an eviction of the coordinator, and without the variable', async () => {
  const client = await newClient()
  for (let i = 0; i < 2; i++) await sessionsOf(client, '/Users')
  expect(await sessionsOf(client, '/Users')).toEqual(['bookmark'])
  await evictDurableObject(env.GROUP_COORDINATOR.getByName(client.tenantId))
  expect(await sessionsOf(client, '/Users')).toEqual(['first-primary'])
  expect(await sessionsOf(client, '/Users', '0')).toEqual([])
})

it('rejects a revoked token', async () => {
  const client = await newClient()
  for (let i = 0; i < 3; i++) await sessionsOf(client, '/Users')
  const { tokens } = (await admin('GET', `/tenants/${client.tenantId}/tokens`)).body
  const path = `${new URL(TENANT_URL).origin}/admin/api/tenants/${client.tenantId}/tokens/${tokens[0].id}`
  const headers = { Authorization: 'Bearer test-admin-token' }
  const revocation = new Request<unknown, IncomingRequestCfProperties>(path, { method: 'DELETE', headers })
  const ctx = createExecutionContext()
  expect((await worker.fetch(revocation, { ...env, READ_REPLICATION: '1' }, ctx)).status).toBe(204)
  // Without waiting for the log of failed access, which is written seconds after the response.
  const answer = await send({ READ_REPLICATION: '1' }, client, 'GET', '/Users', createExecutionContext())
  expect(answer.status).toBe(401)
})
