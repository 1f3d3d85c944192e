/**
 * Clients that provision: which requests count, what the administrator sees, and the event of each change. The clock moves
 * by call.
 */
import { env } from 'cloudflare:workers'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { noFigures, openDatabase } from '../../src/storage/database/database.ts'
import { logFailedAccess } from '../../src/storage/log/failed-access.ts'
import { noticeHealth } from '../support/client-health.ts'
import { HOUR_MS, releaseClock, resumeIds, setClock } from '../support/clock.ts'
import { admin, Client, costOf, newClient, newToken } from '../support/harness.ts'

const MINUTE_MS = 60_000
const START = Math.floor(Date.now() / HOUR_MS) * HOUR_MS

beforeEach(() => setClock(START))
afterEach(releaseClock)
afterAll(resumeIds)

function pass(ms: number): void {
  setClock(Date.now() + ms)
}

const notice = (maxStatements?: number) => noticeHealth(Date.now(), maxStatements)

/** A client of a tenant of its own, by the name that the administrator gave it. */
async function newNamed(name: string): Promise<Client & { id: string }> {
  const { tenantId } = await newClient()
  const { token, clientId } = await newToken(tenantId, { name })
  return Object.assign(new Client(tenantId, token), { id: clientId })
}

async function healthOf({ tenantId, id }: { tenantId: string; id: string }) {
  return (await admin('GET', `/tenants/${tenantId}/clients/${id}`)).body.health
}

/** The types of the events about clients, oldest first. */
async function clientEvents(client: Client): Promise<readonly string[]> {
  const { token } = await newToken(client.tenantId, { scope: 'read' })
  const { body } = await new Client(client.tenantId, token).feed('?limit=500')
  const types: readonly string[] = body.events.map(({ type }: { type: string }) => type)
  return types.filter((type) => type.startsWith('client.'))
}

const match = (client: Client) => client.filter('/Users', 'userName eq "nobody@quillfern.example"')

/** Cycles: each is a few requests within two minutes. */
async function cycles(client: Client, count: number, intervalMs: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await match(client)
    pass(MINUTE_MS)
    await match(client)
    pass(intervalMs - MINUTE_MS)
    await notice()
  }
}

describe('the health of a client', () => {
  it.for<[name: string, intervalMs: number]>([
    ['Microsoft Entra', 40 * MINUTE_MS],
    ['Hourly', HOUR_MS],
    ['Daily', 24 * HOUR_MS],
  ])('of %s learns its cadence, and one event tells each change', async ([name, intervalMs]) => {
    const client = await newNamed(name)
    expect(await healthOf(client)).toMatchObject({ state: 'new', since: null, lastProvisioningAt: null })
    await match(client)
    const assumed = name === 'Microsoft Entra' ? 2_400 : null
    expect(await healthOf(client)).toMatchObject({
      state: 'healthy',
      usualIntervalSeconds: assumed,
      cadence: 'assumed',
    })
    await cycles(client, 5, intervalMs)
    expect(await healthOf(client)).toMatchObject({
      state: 'healthy',
      usualIntervalSeconds: intervalMs / 1000,
      cadence: 'observed',
    })
    // It dies.
    pass(1.2 * intervalMs)
    expect((await healthOf(client)).state).toBe('late')
    await notice()
    await notice()
    pass(intervalMs)
    expect((await healthOf(client)).state).toBe('silent')
    await notice()
    pass(10 * intervalMs)
    await notice()
    expect(await clientEvents(client)).toEqual(['client.late', 'client.silent'])
    // It comes back.
    await match(client)
    expect((await healthOf(client)).state).toBe('healthy')
    await notice()
    await notice()
    expect(await clientEvents(client)).toEqual(['client.late', 'client.silent', 'client.recovered'])
  })

  it('is not improved by a reader, nor by a reader of events with the same token', async () => {
    const client = await newNamed('Microsoft Entra')
    const reader = new Client(client.tenantId, (await newToken(client.tenantId, { scope: 'read' })).token)
    await cycles(client, 5, 40 * MINUTE_MS)
    for (let i = 0; i < 4; i++) {
      pass(40 * MINUTE_MS)
      await match(reader)
      await reader.request('POST', '/Users', { userName: 'refused' })
      await client.feed()
      await client.get('/Schemas')
    }
    const { clients } = (await admin('GET', `/tenants/${client.tenantId}/clients`)).body
    const states = clients.map(({ scope, health }: Record<string, { state: string } | null | string>) => [
      scope,
      (health as { state: string } | null)?.state ?? null,
    ])
    expect(states).toContainEqual(['provision', 'silent'])
    expect(states.filter(([scope]: [string]) => scope === 'read')).toEqual([['read', null]])
    const last = (await healthOf(client)).lastProvisioningAt
    expect(Date.parse(last)).toBeLessThan(Date.now() - 2 * HOUR_MS)
  })

  it('is "failing" while its writes are refused, and recovers', async () => {
    const client = await newNamed('Okta')
    for (let i = 0; i < 6; i++) await client.createUser()
    for (let i = 0; i < 4; i++) await client.request('POST', '/Users', { userName: '' })
    expect(await healthOf(client)).toMatchObject({ state: 'failing', refusedShare: 0.4 })
    await notice()
    for (let i = 0; i < 2; i++) await client.createUser()
    await notice()
    expect(await healthOf(client)).toMatchObject({ state: 'healthy' })
    expect(await clientEvents(client)).toEqual(['client.failing', 'client.recovered'])
  })

  it('is "failing" while it cannot sign in', async () => {
    const client = await newNamed('Okta')
    await match(client)
    pass(5 * MINUTE_MS)
    const failed = {
      tenantId: client.tenantId,
      clientId: client.id,
      requestId: 'r',
      tokenId: undefined,
      count: 3,
    }
    const id = '00000000-0000-7000-8000-000000000000'.replace(
      /^.{13}/,
      Date.now()
        .toString(16)
        .padStart(12, '0')
        .replace(/^(.{8})/, '$1-'),
    )
    const db = openDatabase(env.DB, noFigures())
    await logFailedAccess(db, [{ ...failed, id, time: Date.now(), reason: 'wrong secret' }])
    expect(await healthOf(client)).toMatchObject({ state: 'failing', failedSignIns: 3 })
    await notice()
    pass(5 * MINUTE_MS)
    await match(client)
    expect(await healthOf(client)).toMatchObject({ state: 'healthy', failedSignIns: 3 })
    await notice()
    expect(await clientEvents(client)).toEqual(['client.failing', 'client.recovered'])
  })
})

describe('a provisioning request', () => {
  it('is noted once a minute, with one row and no round trip', async () => {
    const client = await newNamed('Okta')
    const [first, second] = [await match(client), await match(client)]
    // "last used", and the contact.
    expect(costOf(first)).toMatchObject({ roundTrips: 1, rowsWritten: 2 })
    expect(costOf(second)).toMatchObject({ roundTrips: 1, rowsWritten: 0 })
    pass(59_000)
    expect(costOf(await match(client)).rowsWritten).toBe(0)
    pass(1_000)
    expect(costOf(await match(client)).rowsWritten).toBe(2)
  })

  it('keeps the last 21 contacts', async () => {
    const client = await newNamed('Okta')
    for (let i = 0; i < 24; i++) {
      await match(client)
      pass(HOUR_MS)
    }
    const row = await env.DB.prepare('SELECT contacts FROM clients WHERE id = ?').bind(client.id).first<{
      contacts: string
    }>()
    const contacts = JSON.parse(row?.contacts ?? '[]')
    expect(contacts).toHaveLength(21)
    expect(contacts.at(-1)).toBe(Date.now() - HOUR_MS)
  })
})

describe('a run', () => {
  it('that may send few statements is continued by the next one, and tells each change once', async () => {
    await notice()
    await env.DB.prepare('DELETE FROM client_sweep').run()
    const client = await newNamed('Microsoft Entra')
    await match(client)
    pass(3 * HOUR_MS)
    await env.DB.prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 450)
       INSERT INTO clients (id, tenant_id, name, scope, created_at)
       SELECT printf('%s_%04d', ?1, i), ?1, 'Another', 'provision', 0 FROM n`,
    )
      .bind(client.tenantId)
      .run()
    const noticed: string[] = []
    for (let run = 0; run < 20; run++) noticed.push(...(await notice(6)).map(({ clientId }) => clientId))
    expect(noticed.filter((id) => id === client.id)).toHaveLength(1)
    expect(await clientEvents(client)).toEqual(['client.silent'])
  })

  it('at the same time as another one tells a change once', async () => {
    const client = await newNamed('Microsoft Entra')
    await match(client)
    pass(3 * HOUR_MS)
    await Promise.all([notice(), notice(), notice()])
    expect(await clientEvents(client)).toEqual(['client.silent'])
  })

  it('leaves a tenant that is being moved', async () => {
    const client = await newNamed('Microsoft Entra')
    await match(client)
    pass(3 * HOUR_MS)
    const setState = async (to: string) =>
      await env.DB.prepare('UPDATE tenants SET state = ?2 WHERE id = ?1').bind(client.tenantId, to).run()
    await setState('moving')
    expect((await notice()).map(({ clientId }) => clientId)).not.toContain(client.id)
    await setState('ready')
    expect((await notice()).map(({ clientId }) => clientId)).toContain(client.id)
  })
})
