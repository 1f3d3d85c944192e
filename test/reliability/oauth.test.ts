/**
 * The token endpoint under adverse conditions: refused credentials and their traces in the log, limits by address, and tenants
 * that are being moved or imported.
 */
import { env } from 'cloudflare:workers'
import { uuidv7 } from 'uuidv7'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { runJob } from '../../src/provider/jobs/runner.ts'
import { startMove } from '../../src/provider/jobs/start.ts'
import type { Runtime } from '../../src/runtime.ts'
import {
  type DatabaseFigures,
  DatabaseUnavailable,
  openDatabase,
} from '../../src/storage/database/database.ts'
import { RESOURCE_TYPES } from '../../src/storage/tables/resource-tables.ts'
import { clearLocations, sendSeveral, threeDatabases } from '../support/databases.ts'
import { faultyBinding } from '../support/faults.ts'
import { admin, Client, costOf, ORIGIN, TENANT_URL } from '../support/harness.ts'
import { labRuntime, sendTo } from '../support/lab.ts'
import {
  formOf,
  type NewSecret,
  newOauthClient,
  newSecret,
  requestToken,
  signedIn,
  TOKEN_URL,
} from '../support/oauth.ts'

afterAll(clearLocations)

const WRONG = `scims_${'A'.repeat(43)}`

/** The next minute may begin within seconds, and records of an earlier test may still wait to be written then. */
let minute = Math.floor(Date.now() / 60_000) + 1

function tokenRequest(form: Record<string, string>, address: string = crypto.randomUUID()): Request {
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded', 'CF-Connecting-IP': address }
  return new Request(TOKEN_URL, { method: 'POST', headers, body: new URLSearchParams(form).toString() })
}

/** An isolate with a minute of its own, whose timers the test runs. */
function newIsolate(parts: Partial<Runtime> = {}) {
  const tasks: (() => Promise<void>)[] = []
  const now = ++minute * 60_000
  const settings = { ...labRuntime().settings, requestLog: true }
  const runtime = labRuntime({ now: () => now, later: (_ms, task) => tasks.push(task), settings, ...parts })
  return {
    settle: async () => {
      for (const task of tasks.splice(0)) await task()
    },
    /** @returns the status, and the reason in the request log */
    send: async (request: Request) => {
      const line = vi.spyOn(console, 'log').mockImplementation(() => undefined)
      const { status } = await sendTo(runtime, request)
      const { refused } = JSON.parse(String(line.mock.lastCall?.[0]))
      line.mockRestore()
      return { status, refused }
    },
  }
}

describe('a refused credential', () => {
  it('has its reason in the request log and in the log of the tenant, once a minute', async () => {
    const client = await newOauthClient()
    const { tenantId, clientId } = client
    const [revoked, expired] = [
      await newSecret(tenantId, clientId, { name: 'old' }),
      await newSecret(tenantId, clientId, { name: 'older' }),
    ]
    await admin('DELETE', `/tenants/${tenantId}/secrets/${revoked.id}`)
    await env.DB.prepare('UPDATE client_secrets SET expires_at = 1 WHERE id = ?').bind(expired.id).run()
    const isolate = newIsolate()
    const cases: readonly [reason: string, credential: NewSecret][] = [
      ['wrong secret', { ...client, clientSecret: WRONG }],
      ['unknown client', { ...client, clientId: `${tenantId}_${'A'.repeat(22)}` }],
      ['revoked secret', revoked],
      ['expired secret', expired],
    ]
    for (const [reason, credential] of [...cases, ...cases]) {
      expect(await isolate.send(tokenRequest(formOf(credential)))).toEqual({ status: 401, refused: reason })
    }
    await isolate.settle()
    const entries = await new Client(tenantId, '').log('?resourceType=Client')
    const shown = entries.map((entry) => [entry.detail, entry.clientId, entry.tokenName, entry.repeated])
    expect(shown.sort()).toEqual(
      [
        ['the secret is not one of this client', clientId, null, 1],
        ['the tenant has no such client', null, null, 1],
        ['the secret was revoked', clientId, 'old', 1],
        ['the secret has expired', clientId, 'older', 1],
      ].sort(),
    )
    for (const entry of entries)
      expect(entry).toMatchObject({ action: 'authenticate', outcome: 'refused', status: 401 })
  })

  it('names what is wrong with the request in the request log', async () => {
    const isolate = newIsolate()
    const grant = { grant_type: 'client_credentials' }
    for (const [form, status, refused] of [
      [{}, 400, 'invalid_request'],
      [{ grant_type: 'password' }, 400, 'unsupported_grant_type'],
      [grant, 401, 'no credential'],
      [{ ...grant, client_id: 'x', client_secret: 'y' }, 401, 'unknown client'],
    ] as const)
      expect(await isolate.send(tokenRequest(form))).toEqual({ status, refused })
  })

  it('has one entry a minute for all clients that the tenant does not have', async () => {
    const { tenantId, ...client } = await newOauthClient()
    const isolate = newIsolate()
    for (let i = 0; i < 5; i++)
      await isolate.send(tokenRequest(formOf({ ...client, clientId: `${tenantId}_${crypto.randomUUID()}` })))
    await isolate.settle()
    const entries = await new Client(tenantId, '').log()
    expect(entries).toMatchObject([{ detail: 'the tenant has no such client', clientId: null, repeated: 4 }])
    expect(entries).toHaveLength(1)
  })

  it('of another tenant leaves no trace in that tenant', async () => {
    const [ours, theirs] = [await newOauthClient(), await newOauthClient()]
    const isolate = newIsolate()
    await isolate.send(tokenRequest(formOf({ ...theirs, clientId: ours.clientId })))
    await isolate.settle()
    expect(await new Client(theirs.tenantId, '').log()).toEqual([])
    expect(await new Client(ours.tenantId, '').log()).toMatchObject([
      { clientId: ours.clientId, tokenId: null },
    ])
  })
})

describe('an access token that has expired', () => {
  it('has no entry in the log, unlike one that was revoked', async () => {
    const client = await newOauthClient()
    const scim = await signedIn(client)
    const isolate = newIsolate()
    const ask = async (method: string) => {
      const headers = { Authorization: `Bearer ${scim.token}`, 'Content-Type': 'application/scim+json' }
      const body = method === 'GET' ? null : JSON.stringify({ userName: 'ada' })
      return await isolate.send(new Request(`${TENANT_URL}/Users`, { method, headers, body }))
    }
    const set = (column: string, value: number | null) =>
      env.DB.prepare(`UPDATE tokens SET ${column} = ?2 WHERE client_id = ?1`)
        .bind(client.clientId, value)
        .run()
    expect((await ask('GET')).status).toBe(200)
    await set('expires_at', 1)
    // The first one is refused by the guard of the write, because the isolate knows the token.
    for (const method of ['POST', 'POST', 'GET']) {
      expect(await ask(method)).toEqual({ status: 401, refused: 'lapsed' })
    }
    await isolate.settle()
    expect(await scim.log()).toEqual([])
    await set('revoked_at', 1)
    expect(await ask('GET')).toEqual({ status: 401, refused: 'revoked' })
    await isolate.settle()
    expect(await scim.log()).toMatchObject([
      { action: 'authenticate', tokenId: client.id, clientId: client.clientId },
    ])
  })
})

describe('an address with too many refused credentials', () => {
  it('gets 429 even with the right secret, unless that was accepted before', async () => {
    const [known, other] = [await newOauthClient(), await newOauthClient()]
    const address = crypto.randomUUID()
    let counted = 0
    const isolate = newIsolate({ isAllowed: async () => ++counted <= 3 })
    const status = async (credential: NewSecret, from = address) =>
      (await isolate.send(tokenRequest(formOf(credential), from))).status
    expect(await status(known)).toBe(200)
    const wrong = { ...known, clientSecret: WRONG }
    for (const expected of [401, 401, 401, 429, 429]) expect(await status(wrong)).toBe(expected)
    expect(await status(known)).toBe(200)
    expect(await status(other)).toBe(429)
    expect(await status(other, crypto.randomUUID())).toBe(200)
    const path = `/tenants/${known.tenantId}/clients/${known.clientId}/secrets/${known.id}`
    expect((await admin('DELETE', path)).status).toBe(204)
    expect(await status(known)).toBe(429)
    // Refused before the database was asked.
    const { refused } = await isolate.send(tokenRequest(formOf(known), address))
    expect(refused).toBe('temporarily_unavailable')
  })
})

describe('an issued token', () => {
  it('is reported for replicas before the answer, and a refused credential is not', async () => {
    const client = await newOauthClient()
    const reported: string[] = []
    const replicas = {
      openDatabase: (_name: unknown, _tenantId: string, figures: DatabaseFigures) =>
        openDatabase(env.DB, figures),
      noteWrite: async (tenantId: string) => void reported.push(tenantId),
    }
    const runtime = labRuntime({ replicas })
    const wrong = await sendTo(runtime, tokenRequest(formOf({ ...client, clientSecret: WRONG })))
    expect([wrong.status, reported]).toEqual([401, []])
    const right = await sendTo(runtime, tokenRequest(formOf(client)))
    expect([right.status, reported]).toEqual([200, [client.tenantId]])
    const error = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const noteWrite = () => Promise.reject(new DatabaseUnavailable('a write was not reported'))
    const unreported = await sendTo(
      labRuntime({ replicas: { ...replicas, noteWrite } }),
      tokenRequest(formOf(client)),
    )
    expect(unreported.status).toBe(503)
    error.mockRestore()
  })
})

describe('the token endpoint', () => {
  it('answers 503 in its own form if the database does not respond, or a setting is invalid', async () => {
    const client = await newOauthClient()
    const error = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const away = faultyBinding(env.DB, () => 'error before')
    const openDatabaseAway: Runtime['openDatabase'] = (_name, figures) => openDatabase(away, figures)
    const cases: readonly Partial<Runtime>[] = [{ openDatabase: openDatabaseAway }, { isMisconfigured: true }]
    for (const parts of cases) {
      const answer = await sendTo(labRuntime(parts), tokenRequest(formOf(client)))
      expect([answer.status, answer.headers.get('Content-Type')]).toEqual([503, 'application/json'])
      expect(Number(answer.headers.get('Retry-After'))).toBeGreaterThan(0)
      expect(await answer.json()).toMatchObject({ error: 'temporarily_unavailable' })
    }
    error.mockRestore()
  })

  it('answers 503 while the tenant is imported', async () => {
    const client = await newOauthClient()
    const set = (state: string) =>
      env.DB.prepare('UPDATE tenants SET state = ?2 WHERE id = ?1').bind(client.tenantId, state).run()
    await set('importing')
    const answer = await requestToken(formOf(client))
    expect([answer.status, answer.body.error]).toEqual([503, 'temporarily_unavailable'])
    expect(Number(answer.headers.get('Retry-After'))).toBeGreaterThan(0)
    expect((await requestToken({ ...formOf(client), client_secret: 'x' })).status).toBe(401)
    await set('ready')
    expect((await requestToken(formOf(client))).status).toBe(200)
  })

  it('follows a tenant to another database, and answers 503 during the move', async () => {
    const client = await newOauthClient()
    const { tenantId } = client
    const databases = threeDatabases()
    const start = {
      databases,
      resourceTypes: RESOURCE_TYPES,
      tenantId,
      home: 'DB',
      newId: uuidv7,
      now: Date.now(),
    }
    const ask = () => sendSeveral(tokenRequest(formOf(client)))
    const scim = async (token: string) => {
      const headers = { Authorization: `Bearer ${token}` }
      return (await sendSeveral(new Request(`${TENANT_URL}/Users`, { headers }))).status
    }
    const before = await ask()
    expect(before.status).toBe(200)
    await startMove(start, 'DB2')
    const run = { databases, resourceTypes: RESOURCE_TYPES, maxStatements: 27, now: Date.now }
    const statuses = new Set<number>()
    while ((await runJob(run, tenantId)) !== undefined) statuses.add((await ask()).status)
    expect([...statuses].sort()).toEqual([200, 503])
    const after = await ask()
    expect([after.status, costOf(after).roundTrips]).toEqual([200, 1])
    for (const { body } of [before, after]) expect(await scim(body.access_token)).toBe(200)
    const path = `/tenants/${tenantId}/clients/${client.clientId}/secrets/${client.id}`
    const headers = { Authorization: 'Bearer test-admin-token' }
    const revoked = await sendSeveral(
      new Request(`${ORIGIN}/admin/api${path}`, { method: 'DELETE', headers }),
    )
    expect(revoked.status).toBe(204)
    expect((await ask()).status).toBe(401)
    for (const { body } of [before, after]) expect(await scim(body.access_token)).toBe(401)
  })

  it('answers 503, not 401, if a restore has lost the tenant', async () => {
    const client = await newOauthClient()
    const { tenantId } = client
    const databases = threeDatabases()
    const start = {
      ...{ databases, resourceTypes: RESOURCE_TYPES, tenantId, home: 'DB' },
      ...{ newId: uuidv7, now: Date.now() },
    }
    await startMove(start, 'DB3')
    const run = { databases, resourceTypes: RESOURCE_TYPES, maxStatements: 27, now: Date.now }
    while ((await runJob(run, tenantId)) !== undefined);
    const ask = () => sendSeveral(tokenRequest(formOf(client)))
    expect((await ask()).status).toBe(200)
    await env.TEST_DB3.batch(
      ['tokens WHERE tenant_id', 'clients WHERE tenant_id', 'tenants WHERE id'].map((rows) =>
        env.TEST_DB3.prepare(`DELETE FROM ${rows} = ?`).bind(tenantId),
      ),
    )
    const error = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const lost = await ask()
    expect([lost.status, lost.body.error]).toEqual([503, 'temporarily_unavailable'])
    error.mockRestore()
  })

  it('issues nothing for a tenant that is deleted, or created again with the same id', async () => {
    const client = await newOauthClient()
    const scim = await signedIn(client)
    await admin('DELETE', `/tenants/${client.tenantId}`)
    expect((await requestToken(formOf(client))).status).toBe(401)
    await admin('POST', '/tenants', { id: client.tenantId, name: 'Again' })
    expect((await requestToken(formOf(client))).status).toBe(401)
    expect((await scim.get('/Users')).status).toBe(401)
    for (const table of ['clients', 'client_secrets', 'tokens']) {
      const { results } = await env.DB.prepare(`SELECT 1 FROM ${table} WHERE tenant_id = ?`)
        .bind(client.tenantId)
        .all()
      expect(results, table).toEqual([])
    }
  })
})
