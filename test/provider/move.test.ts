/**
 * The job that moves a tenant from one D1 database to another, interrupted at every point.
 */
import { env } from 'cloudflare:workers'
import { uuidv7 } from 'uuidv7'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { GIVE_UP_MS, runJob, tidyJobs } from '../../src/provider/jobs/runner.ts'
import { cancelMove, type JobStart, startMove } from '../../src/provider/jobs/start.ts'
import { RESOURCE_TYPES } from '../../src/storage/tables/resource-tables.ts'
import { getJob, tenantsWithJobs } from '../../src/storage/tenants/jobs.ts'
import { catalogueOf, type Databases, locateTenant } from '../../src/storage/tenants/locations.ts'
import { addCrowd, addLogEntries, addToGroup } from '../support/crowd.ts'
import { BINDINGS, clearLocations, rowsOf, statesOf, threeDatabases } from '../support/databases.ts'
import { deleteAndHold, membershipsOf } from '../support/deleted-groups.ts'
import { faultyBinding } from '../support/faults.ts'
import { admin, type Client, newClient, newToken } from '../support/harness.ts'
import { addMembers } from '../support/large.ts'
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
  await env.DB.prepare(
    `INSERT INTO transfer_chunks (tenant_id, job_id, number, first_line, created_at, progress, data)
     SELECT ?1, 'an export', value, value, 0, '{"lines":"1"}', 'H4sI' FROM json_each('[1, 2, 3]')`,
  )
    .bind(client.tenantId)
    .run()
  await addRowsOfSources(client.tenantId)
  await addTombstone(client.tenantId)
  // It begins after the last event, so nothing is sent.
  await admin('POST', `/tenants/${client.tenantId}/webhooks`, { url: 'https://receiver.example.com/' })
  return client
}

/** A conflict between two sources, and what the sweep that finds them has stored. */
async function addRowsOfSources(tenantId: string): Promise<void> {
  await env.DB.batch(
    [
      `INSERT INTO source_conflicts (tenant_id, kind, key, resource_type, attribute, resource_id, time, first_seen_at,
         last_seen_at, state, closed_at) VALUES (?1, 'email', 'a', 'User', 'emails', 'x', 1, 1, 1, 'dismissed', 1)`,
      `INSERT INTO source_emails (tenant_id, email, user_id) VALUES (?1, 'a@x.example', 'x')`,
      `INSERT INTO source_sweeps (tenant_id, counts, counted_at) VALUES (?1, '{}', 1)
       ON CONFLICT (tenant_id) DO UPDATE SET counts = excluded.counts`,
      `INSERT INTO deprovisioning (tenant_id, client_id, bucket, users, groups, memberships, held)
       VALUES (?1, 'a client', 1, 1, 2, 3, 0)`,
      `INSERT INTO emergency_disables (tenant_id, user_id, time, detail)
       VALUES (?1, 'x', 1, 'disabled by an administrator')`,
    ].map((sql) => env.DB.prepare(sql).bind(tenantId)),
  )
}

/** A deleted user with a membership. */
async function addTombstone(tenantId: string): Promise<void> {
  await env.DB.batch(
    [
      `INSERT INTO tombstones (tenant_id, id, seq, resource_type, name, data, version, created_at, last_modified, deleted_at,
         request_id, member_count, total_bytes) VALUES (?1, 'gone', 1, 'User', 'gone', '{"userName":"gone"}', 1, 1, 1, 1, 'r', 0, 19)`,
      `INSERT INTO tombstone_memberships (tenant_id, id, kind, first, ids) VALUES (?1, 'gone', 'groups', 'g', '["g"]')`,
    ].map((sql) => env.DB.prepare(sql).bind(tenantId)),
  )
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

  it('leaves out the memberships of a group that was just deleted', async () => {
    const client = await newClient()
    const { tenantId } = client
    await addCrowd(tenantId, 12_000, (number) => `user-${String(number).padStart(5, '0')}`)
    const [{ id }, kept] = [await client.createGroup(), await client.createGroup()]
    await addMembers(tenantId, id, 12_000)
    await addMembers(tenantId, kept.id, 3)
    expect((await deleteAndHold(client, id)).status).toBe(204)
    expect(await membershipsOf(tenantId, id)).toBe(12_000)
    const databases = threeDatabases()
    const job = await startMove(startOf(databases, tenantId, 'DB'), 'DB2')
    await runToEnd(databases, tenantId)
    expect(await getJob(catalogueOf(databases), tenantId, job.id)).toMatchObject({
      state: 'done',
      error: null,
    })
    expect((await rowsOf('DB2', tenantId)).memberships).toHaveLength(3)
    for (const rows of Object.values(await rowsOf('DB', tenantId))) expect(rows).toEqual([])
    for (const binding of [env.DB, env.TEST_DB2]) {
      const left = binding.prepare('SELECT * FROM deleted_groups WHERE tenant_id = ?1').bind(tenantId)
      expect((await left.all()).results).toEqual([])
    }
  })

  it.for(['error before', 'error after'] as const)(
    'leaves one whole copy and goes on, whichever batch is interrupted (%s)',
    { timeout: 300_000 },
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
    await runJob({ databases, resourceTypes: RESOURCE_TYPES, maxStatements: 27, now: Date.now }, tenantId)
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
    const run = { databases, resourceTypes: RESOURCE_TYPES, maxStatements: 27, now: Date.now }
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

/** Databases of which one does not respond. */
const without = (gone: string) =>
  threeDatabases((binding, name) => faultyBinding(binding, () => (name === gone ? 'overloaded' : undefined)))

/** Runs the job at the times that it asks for, until it waits for something to be deleted or has ended. */
async function runByClock(databases: Databases, tenantId: string, isDone: () => Promise<boolean>) {
  let clock = Date.now()
  const start = clock
  for (let calls = 0; calls < 200; calls++) {
    const run = { databases, resourceTypes: RESOURCE_TYPES, maxStatements: 27, now: () => clock }
    const pauseMs = await runJob(run, tenantId)
    if ((await isDone()) || pauseMs === undefined) return clock - start
    clock += pauseMs
  }
  throw new Error('the job does not give up')
}

describe('a move to a database that stops responding', () => {
  it.for(['copying', 'verifying'])(
    'while it is %s gives up after ten minutes, and the tenant can be written',
    async (step) => {
      const client = await filledTenant()
      const { tenantId } = client
      const databases = threeDatabases()
      const { id } = await startMove(startOf(databases, tenantId, 'DB'), 'DB2')
      const run = { databases, resourceTypes: RESOURCE_TYPES, maxStatements: 27, now: Date.now }
      do await runJob(run, tenantId)
      while ((await getJob(catalogueOf(databases), tenantId, id))?.step !== step)
      expect((await client.request('POST', '/Users', { userName: 'refused' })).status).toBe(503)
      const isOpen = async () => (await statesOf(tenantId)).DB === 'ready'
      const took = await runByClock(without('DB2'), tenantId, isOpen)
      expect(took).toBeGreaterThanOrEqual(GIVE_UP_MS)
      expect(took).toBeLessThan(GIVE_UP_MS + 5_000)
      expect((await client.createUser()).id).toBeDefined()
      expect(await getJob(catalogueOf(databases), tenantId, id)).toMatchObject({
        state: 'running',
        step: 'clearing',
        error: 'the database does not answer',
      })
      await runToEnd(databases, tenantId)
      expect(await statesOf(tenantId)).toEqual({ DB: 'ready', DB2: undefined, DB3: undefined })
    },
  )

  it('goes on if it responds again in time, however often it fails', async () => {
    const { tenantId } = await filledTenant()
    const databases = threeDatabases()
    const { id } = await startMove(startOf(databases, tenantId, 'DB'), 'DB2')
    let clock = Date.now()
    let isEnd = false
    for (let calls = 0; !isEnd && calls < 100; calls++) {
      const run = { resourceTypes: RESOURCE_TYPES, maxStatements: 27, now: () => clock }
      await runJob({ ...run, databases: without('DB2') }, tenantId)
      clock += GIVE_UP_MS / 2
      isEnd = (await runJob({ ...run, databases }, tenantId)) === undefined
    }
    expect(await getJob(catalogueOf(databases), tenantId, id)).toMatchObject({ state: 'done', error: null })
    expect(await statesOf(tenantId)).toEqual({ DB: undefined, DB2: 'ready', DB3: undefined })
  })
})

describe('rows that a move cannot delete, because their database does not respond', () => {
  it('do not keep the tenant from another move, and are deleted when the database is back', async () => {
    const { tenantId } = await filledTenant()
    const databases = threeDatabases()
    const before = await rowsOf('DB', tenantId)
    const first = await startMove(startOf(databases, tenantId, 'DB'), 'DB2')
    const run = { databases, resourceTypes: RESOURCE_TYPES, maxStatements: 27, now: Date.now }
    await runJob(run, tenantId)
    const down = without('DB2')
    expect(await cancelMove(startOf(databases, tenantId, 'DB'))).toBe(true)
    await runJob({ ...run, databases: down }, tenantId)
    expect(await statesOf(tenantId)).toMatchObject({ DB: 'ready', DB2: 'arriving' })
    // The database is asked for its size, so a move to it is refused.
    await expect(startMove(startOf(down, tenantId, 'DB'), 'DB2')).rejects.toThrow('does not answer')
    const second = await startMove(startOf(down, tenantId, 'DB'), 'DB3')
    expect(await getJob(catalogueOf(databases), tenantId, first.id)).toMatchObject({
      state: 'failed',
      error: 'cancelled by an administrator',
    })
    await runToEnd(down, tenantId)
    expect(await getJob(catalogueOf(databases), tenantId, second.id)).toMatchObject({ state: 'done' })
    expect(await rowsOf('DB3', tenantId)).toEqual(before)
    await tidyJobs(databases, ['DB2'], Date.now())
    await runToEnd(databases, tenantId)
    expect(await statesOf(tenantId)).toEqual({ DB: undefined, DB2: undefined, DB3: 'ready' })
    for (const rows of Object.values(await rowsOf('DB2', tenantId))) expect(rows).toEqual([])
    expect(await rowsOf('DB3', tenantId)).toEqual(before)
    expect(await getJob(catalogueOf(databases), tenantId, first.id)).toMatchObject({ state: 'failed' })
  })

  it('at the source do not keep the tenant from the next move', async () => {
    const { tenantId } = await filledTenant()
    const databases = threeDatabases()
    const before = await rowsOf('DB', tenantId)
    await startMove(startOf(databases, tenantId, 'DB'), 'DB2')
    await runToEnd(databases, tenantId)
    await startMove(startOf(databases, tenantId, 'DB2'), 'DB3')
    const run = { databases, resourceTypes: RESOURCE_TYPES, maxStatements: 27, now: Date.now }
    while ((await statesOf(tenantId)).DB3 !== 'ready') await runJob({ ...run, maxStatements: 22 }, tenantId)
    const down = without('DB2')
    await runJob({ ...run, databases: down }, tenantId)
    const back = await startMove(startOf(down, tenantId, 'DB3'), 'DB')
    await runToEnd(down, tenantId)
    expect(await getJob(catalogueOf(databases), tenantId, back.id)).toMatchObject({ state: 'done' })
    await tidyJobs(databases, databases.names, Date.now())
    await runToEnd(databases, tenantId)
    expect(await statesOf(tenantId)).toEqual({ DB: 'ready', DB2: undefined, DB3: undefined })
    expect(await rowsOf('DB', tenantId)).toEqual(before)
  })

  it('do not keep the jobs of other tenants waiting', async () => {
    const insert = (tenantId: string, attempts: number) =>
      env.DB.prepare(
        `INSERT INTO jobs (id, tenant_id, kind, state, step, source, target, attempts, created_at)
         VALUES (?, ?, 'move', 'running', 'clearing', 'DB', 'DB2', ?, 0)`,
      )
        .bind(`0-${tenantId}`, tenantId, attempts)
        .run()
    const stuck = Array.from({ length: 25 }, () => `stuck-${crypto.randomUUID()}`)
    for (const tenantId of stuck) await insert(tenantId, 9)
    const fresh = `fresh-${crypto.randomUUID()}`
    await insert(fresh, 0)
    expect(await tenantsWithJobs(catalogueOf(threeDatabases()))).toContain(fresh)
    await env.DB.prepare("DELETE FROM jobs WHERE id LIKE '0-%'").run()
  })
})

describe('access that ends during a move', () => {
  it('at the moment at which it is verified ends on both sides, and the move succeeds', async () => {
    const { tenantId } = await filledTenant()
    const databases = threeDatabases()
    const { id } = await startMove(startOf(databases, tenantId, 'DB'), 'DB2')
    const job = () => getJob(catalogueOf(databases), tenantId, id)
    const revoke = (name: string) =>
      (BINDINGS[name] as D1Database)
        .prepare("UPDATE tokens SET revoked_at = 7 WHERE tenant_id = ? AND name = 'Reader'")
        .bind(tenantId)
        .run()
    let revoked: Promise<unknown> | undefined
    // The source is read before the revocation, the target after it.
    const racing = threeDatabases((binding, name) => {
      const pages = new WeakSet<object>()
      return {
        prepare(text) {
          const statement = binding.prepare(text)
          const bind = statement.bind.bind(statement)
          statement.bind = (...values) => {
            const bound = bind(...values)
            if (/^WITH sizes.* FROM tokens /.test(text)) pages.add(bound)
            return bound
          }
          return statement
        },
        async batch<T>(statements: D1PreparedStatement[]) {
          const isPage = statements.some((one) => pages.has(one)) && (await job())?.step === 'verifying'
          if (!isPage) return await binding.batch<T>(statements)
          if (name !== 'DB') {
            while (revoked === undefined) await new Promise((wait) => setTimeout(wait, 1))
            await revoked
            return await binding.batch<T>(statements)
          }
          const results = await binding.batch<T>(statements)
          revoked ??= revoke('DB').then(() => revoke('DB2'))
          await revoked
          return results
        },
      }
    })
    await runToEnd(racing, tenantId)
    expect(revoked).toBeDefined()
    expect(await job()).toMatchObject({ state: 'done', error: null })
    const tokens = (await rowsOf('DB2', tenantId)).tokens as { name: string; revoked_at: number | null }[]
    expect(tokens.find(({ name }) => name === 'Reader')?.revoked_at).toBe(7)
    expect(tokens.filter(({ revoked_at }) => revoked_at !== null)).toHaveLength(1)
  })
})
