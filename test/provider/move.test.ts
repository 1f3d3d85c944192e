/**
 * The job that moves a tenant from one D1 database to another, interrupted at every point.
 */
import { env } from 'cloudflare:workers'
import { uuidv7 } from 'uuidv7'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { runJob, tidyJobs } from '../../src/provider/jobs/runner.ts'
import { cancelMove, type JobStart, startMove } from '../../src/provider/jobs/start.ts'
import { RESOURCE_TYPES } from '../../src/storage/tables/resource-tables.ts'
import { getJob } from '../../src/storage/tenants/jobs.ts'
import { catalogueOf, type Databases, locateTenant } from '../../src/storage/tenants/locations.ts'
import { addCrowd, addLogEntries, addToGroup } from '../support/crowd.ts'
import { clearLocations, rowsOf, statesOf, threeDatabases } from '../support/databases.ts'
import { faultyBinding } from '../support/faults.ts'
import { type Client, newClient, newToken } from '../support/harness.ts'
import { newOauthClient, signedIn } from '../support/oauth.ts'

beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(() => undefined))
afterEach(() => void vi.restoreAllMocks())
afterAll(clearLocations)

/** Statements in one invocation on the free plan. */
const MAX_STATEMENTS = 50

const startOf = (databases: Databases, tenantId: string, home: string): JobStart => ({
  databases,
  resourceTypes: RESOURCE_TYPES,
  tenantId,
  home,
  newId: uuidv7,
  now: Date.now(),
})

/** Runs the job of a tenant to its end. @returns the number of calls that it took */
async function runToEnd(databases: Databases, tenantId: string, maxStatements = MAX_STATEMENTS) {
  for (let calls = 1; calls < 1_000; calls++) {
    if (
      (await runJob({ databases, resourceTypes: RESOURCE_TYPES, maxStatements, now: Date.now }, tenantId)) ===
      undefined
    )
      return calls
  }
  throw new Error('the job does not end')
}

/** A tenant with rows in every table. */
async function filledTenant(): Promise<Client> {
  const client = await newClient({ groupLimit: 3 })
  await newToken(client.tenantId, { name: 'Reader', scope: 'read' })
  const oauth = await newOauthClient({ tenantId: client.tenantId, tokenLifetime: 7_200 })
  await (await signedIn(oauth)).get('/Users')
  await env.DB.prepare(
    `INSERT INTO client_trusts (client_id, tenant_id, issuer, jwks_uri, subject, audiences, tid, created_at)
     VALUES (?1, ?2, 'https://issuer.example', 'https://issuer.example/keys', 'subject', '["a", "b"]', 'tid', 1)`,
  )
    .bind(oauth.clientId, client.tenantId)
    .run()
  const users = [await client.createUser(), await client.createUser({ active: false })]
  const inner = await client.createGroup({ members: users.map(({ id }) => ({ value: id })) })
  await client.createGroup({ members: [{ value: inner.id }] })
  await client.request('PATCH', `/Users/${users[0].id}`, {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations: [{ op: 'replace', value: { displayName: 'A "quoted" \\ name 李 \u0001' } }],
  })
  await client.request('POST', '/Users', { userName: users[0].userName })
  await env.DB.prepare(
    `INSERT INTO provisioning_days (tenant_id, day, creates, updates, disables, deletes, refused)
     SELECT ?1, value * 86400000, 1, 2, 3, 4, 5 FROM json_each('[100, 101, 102]')`,
  )
    .bind(client.tenantId)
    .run()
  return client
}

describe('a move', () => {
  it('keeps ids, versions, times, memberships, credentials, log and activity', async () => {
    const { tenantId } = await filledTenant()
    const databases = threeDatabases()
    const before = await rowsOf('DB', tenantId)
    for (const rows of Object.values(before)) expect(rows).not.toEqual([])
    const { id } = await startMove(startOf(databases, tenantId, 'DB'), 'DB2')
    await runToEnd(databases, tenantId)
    expect(await rowsOf('DB2', tenantId)).toEqual(before)
    expect(await statesOf(tenantId)).toEqual({ DB: undefined, DB2: 'ready', DB3: undefined })
    expect(await locateTenant(databases, tenantId)).toBe('DB2')
    expect(await getJob(catalogueOf(databases), tenantId, id)).toMatchObject({ state: 'done', error: null })
    for (const rows of Object.values(await rowsOf('DB', tenantId))) expect(rows).toEqual([])
  })

  it('can be followed by a move to a third database and one back', async () => {
    const { tenantId } = await filledTenant()
    const databases = threeDatabases()
    const before = await rowsOf('DB', tenantId)
    for (const [from, to] of [
      ['DB', 'DB2'],
      ['DB2', 'DB3'],
      ['DB3', 'DB2'],
      ['DB2', 'DB'],
    ] as const) {
      await startMove(startOf(databases, tenantId, from), to)
      await runToEnd(databases, tenantId)
      expect(await rowsOf(to, tenantId)).toEqual(before)
      expect(await locateTenant(databases, tenantId)).toBe(to)
    }
    const left = await env.DB.prepare('SELECT * FROM tenant_locations WHERE tenant_id = ?')
      .bind(tenantId)
      .all()
    expect(left.results).toEqual([])
  })

  it('works with pages of any size, and with a user as large as a row may be', async () => {
    const client = await newClient()
    const { tenantId } = client
    const crowd = await addCrowd(tenantId, 6_000, (number) => `user-${String(number).padStart(5, '0')}`)
    const { id } = await client.createGroup()
    await addToGroup(tenantId, id, crowd)
    await addLogEntries(tenantId, 5_001, Date.UTC(2026, 0, 1))
    const large = JSON.stringify({ userName: 'large', nickName: '"'.repeat(440_000) })
    await env.DB.prepare(
      `INSERT INTO users (tenant_id, id, data, keys, version, created_at, last_modified) VALUES (?1, 'user-00100x', ?2, ?2, 1, 0, 0)`,
    )
      .bind(tenantId, large)
      .run()
    const databases = threeDatabases()
    const before = await rowsOf('DB', tenantId)
    await startMove(startOf(databases, tenantId, 'DB'), 'DB3')
    expect(await runToEnd(databases, tenantId)).toBeGreaterThan(2)
    expect(await rowsOf('DB3', tenantId)).toEqual(before)
  })

  it.for(['error before', 'error after'] as const)(
    'leaves one whole copy and goes on, whichever batch is interrupted (%s)',
    { timeout: 120_000 },
    async (fault) => {
      const databases = threeDatabases()
      const { tenantId } = await filledTenant()
      const before = await rowsOf('DB', tenantId)
      const states = { DB: undefined, DB2: undefined, DB3: undefined }
      let [from, to] = ['DB', 'DB2']
      for (let at = 0, isEnd = false; !isEnd; at++) {
        await startMove(startOf(databases, tenantId, from), to)
        let next = 0
        const broken = threeDatabases((binding) =>
          faultyBinding(binding, () => (next++ === at ? fault : undefined)),
        )
        await runJob(
          { databases: broken, resourceTypes: RESOURCE_TYPES, maxStatements: 1_000, now: Date.now },
          tenantId,
        ).catch(() => undefined)
        isEnd = next <= at
        const home = await locateTenant(databases, tenantId)
        expect(await rowsOf(home, tenantId), `after batch ${at}`).toEqual(before)
        expect((await statesOf(tenantId))[home]).toMatch(/^(?:ready|moving)$/)
        await runToEnd(databases, tenantId)
        expect(await rowsOf(to, tenantId), `after batch ${at}`).toEqual(before)
        expect(await statesOf(tenantId)).toEqual({ ...states, [to]: 'ready' })
        ;[from, to] = [to, from]
      }
    },
  )

  it('is done once by two runners at the same time', async () => {
    const { tenantId } = await filledTenant()
    const databases = threeDatabases()
    const before = await rowsOf('DB', tenantId)
    await startMove(startOf(databases, tenantId, 'DB'), 'DB2')
    await Promise.all([1, 2, 3].map(() => runToEnd(databases, tenantId)))
    expect(await rowsOf('DB2', tenantId)).toEqual(before)
    expect(await statesOf(tenantId)).toEqual({ DB: undefined, DB2: 'ready', DB3: undefined })
  })

  it('is abandoned if the copy differs, and the tenant stays at the source', async () => {
    const { tenantId } = await filledTenant()
    const databases = threeDatabases()
    const before = await rowsOf('DB', tenantId)
    const { id } = await startMove(startOf(databases, tenantId, 'DB'), 'DB2')
    const tampering = threeDatabases((binding, name) => ({
      prepare: (text) => binding.prepare(text),
      async batch<T>(statements: D1PreparedStatement[]) {
        const results = await binding.batch<T>(statements)
        if (name === 'DB2') {
          await binding
            .prepare("UPDATE tokens SET revoked_at = 1 WHERE tenant_id = ? AND name = 'Reader'")
            .bind(tenantId)
            .run()
        }
        return results
      },
    }))
    await runToEnd(tampering, tenantId)
    const job = await getJob(catalogueOf(databases), tenantId, id)
    expect(job).toMatchObject({ state: 'failed', error: expect.stringContaining('"tokens"') })
    expect(await rowsOf('DB', tenantId)).toEqual(before)
    expect(await statesOf(tenantId)).toEqual({ DB: 'ready', DB2: undefined, DB3: undefined })
  })

  it('can be cancelled until the catalogue names the target', async () => {
    const { tenantId } = await filledTenant()
    const databases = threeDatabases()
    const start = startOf(databases, tenantId, 'DB')
    const before = await rowsOf('DB', tenantId)
    await startMove(start, 'DB2')
    await runJob({ databases, resourceTypes: RESOURCE_TYPES, maxStatements: 25, now: Date.now }, tenantId)
    expect((await statesOf(tenantId)).DB).toBe('moving')
    expect(await cancelMove(start)).toBe(true)
    await runToEnd(databases, tenantId)
    expect(await statesOf(tenantId)).toEqual({ DB: 'ready', DB2: undefined, DB3: undefined })
    expect(await rowsOf('DB', tenantId)).toEqual(before)
    expect(await cancelMove(start)).toBe(false)
  })

  it('allows writes again when it is cancelled while the target does not respond', async () => {
    const { tenantId } = await filledTenant()
    const databases = threeDatabases()
    const start = startOf(databases, tenantId, 'DB')
    const { id } = await startMove(start, 'DB2')
    const run = { databases, resourceTypes: RESOURCE_TYPES, maxStatements: 25, now: Date.now }
    await runJob(run, tenantId)
    expect(await statesOf(tenantId)).toMatchObject({ DB: 'moving', DB2: 'arriving' })
    const down = threeDatabases((binding, name) =>
      faultyBinding(binding, () => (name === 'DB2' ? 'overloaded' : undefined)),
    )
    expect(await cancelMove({ ...start, databases: down })).toBe(true)
    await runJob({ ...run, databases: down, maxStatements: 1_000 }, tenantId)
    expect(await statesOf(tenantId)).toMatchObject({ DB: 'ready', DB2: 'arriving' })
    await runToEnd(databases, tenantId)
    expect(await statesOf(tenantId)).toEqual({ DB: 'ready', DB2: undefined, DB3: undefined })
    expect(await getJob(catalogueOf(databases), tenantId, id)).toMatchObject({
      state: 'failed',
      error: 'cancelled by an administrator',
    })
  })

  it('replaces what an abandoned move left at the target', async () => {
    const { tenantId } = await filledTenant()
    const databases = threeDatabases()
    const before = await rowsOf('DB', tenantId)
    await startMove(startOf(databases, tenantId, 'DB'), 'DB2')
    await runJob({ databases, resourceTypes: RESOURCE_TYPES, maxStatements: 40, now: Date.now }, tenantId)
    expect((await statesOf(tenantId)).DB2).toBe('arriving')
    // The catalogue was restored to a time before the move.
    await env.DB.prepare('DELETE FROM jobs WHERE tenant_id = ?').bind(tenantId).run()
    await tidyJobs(databases, databases.names, Date.now())
    expect((await statesOf(tenantId)).DB).toBe('ready')
    await startMove(startOf(databases, tenantId, 'DB'), 'DB2')
    await runToEnd(databases, tenantId)
    expect(await rowsOf('DB2', tenantId)).toEqual(before)
  })
})
