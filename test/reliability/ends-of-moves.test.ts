/**
 * What an administrator does while a tenant is being moved: deletions, revocations, and reconciling. In workerd, on three D1
 * databases, with the runner of jobs stopped at a given step.
 */
import { env } from 'cloudflare:workers'
import { uuidv7 } from 'uuidv7'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { runJob } from '../../src/provider/jobs/runner.ts'
import { startMove } from '../../src/provider/jobs/start.ts'
import { reconcile } from '../../src/provider/reconcile.ts'
import { RESOURCE_TYPES } from '../../src/storage/tables/resource-tables.ts'
import { COPY_START, endAccessOf, readTenantPage } from '../../src/storage/tenants/copy.ts'
import { getJob } from '../../src/storage/tenants/jobs.ts'
import { catalogueOf, type Databases } from '../../src/storage/tenants/locations.ts'
import {
  adminOfSeveral,
  BINDINGS,
  ClientOfSeveral,
  clearLocations,
  newClientIn,
  rowsOf,
  statesOf,
  threeDatabases,
} from '../support/databases.ts'

beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(() => undefined))
afterEach(() => void vi.restoreAllMocks())
afterAll(clearLocations)

/** Statements in one invocation on the free plan. */
const MAX_STATEMENTS = 50

async function moveFrom(databases: Databases, tenantId: string, home: string, target: string) {
  const resourceTypes = RESOURCE_TYPES
  return await startMove({ databases, resourceTypes, tenantId, home, newId: uuidv7, now: Date.now() }, target)
}

async function runOnce(databases: Databases, tenantId: string) {
  const run = { databases, resourceTypes: RESOURCE_TYPES, maxStatements: MAX_STATEMENTS, now: Date.now }
  return await runJob(run, tenantId)
}

async function runToEnd(databases: Databases, tenantId: string) {
  for (let calls = 0; calls < 100; calls++) if ((await runOnce(databases, tenantId)) === undefined) return
  throw new Error('the job does not end')
}

/** Users enough for a deletion and a purge to take several invocations. */
async function addUsers(name: string, tenantId: string): Promise<void> {
  await BINDINGS[name]
    ?.prepare(
      `WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 40000)
        INSERT INTO users (tenant_id, id, data, keys, version, created_at, last_modified)
        SELECT ?1, ?1 || value, user, user, 1, 0, 0
        FROM (SELECT value, json_object('userName', 'u' || value) AS user FROM n)`,
    )
    .bind(tenantId)
    .run()
}

describe('a deletion that takes a job', () => {
  it.for(['preparing', 'purging'])(
    'has one of its own while a move is %s, and the rows of the move are deleted after it',
    { timeout: 60_000 },
    async (step) => {
      const databases = threeDatabases()
      const { tenantId } = await newClientIn('DB2')
      await addUsers('DB2', tenantId)
      const move = await moveFrom(databases, tenantId, 'DB2', 'DB3')
      const moveJob = () => getJob(catalogueOf(databases), tenantId, move.id)
      while ((await moveJob())?.step !== step) await runOnce(databases, tenantId)
      const { status, body } = await adminOfSeveral('DELETE', `/tenants/${tenantId}`)
      expect([status, body.state]).toEqual([202, 'deleting'])
      await runToEnd(databases, tenantId)
      expect((await adminOfSeveral('GET', `/tenants/${tenantId}/jobs/${body.jobId}`)).body).toMatchObject({
        kind: 'delete',
        state: 'done',
      })
      expect((await moveJob())?.state).toBe(step === 'purging' ? 'done' : 'failed')
      expect(await statesOf(tenantId)).toEqual({ DB: undefined, DB2: undefined, DB3: undefined })
      for (const name of databases.names) expect((await rowsOf(name, tenantId)).users).toEqual([])
    },
  )
})

describe('a tenant that was deleted before all rows of its former database', () => {
  it.for(['DB', 'DB2'] as const)(
    'is unknown, and its id is refused in %s until they are deleted',
    { timeout: 60_000 },
    async (former) => {
      const databases = threeDatabases()
      const { tenantId, token } = await newClientIn(former)
      await addUsers(former, tenantId)
      const move = await moveFrom(databases, tenantId, former, 'DB3')
      const moveJob = () => getJob(catalogueOf(databases), tenantId, move.id)
      while ((await moveJob())?.step !== 'purging') await runOnce(databases, tenantId)
      // The deletion needs no job: the rows are deleted here.
      await BINDINGS.DB3?.prepare('DELETE FROM users WHERE tenant_id = ?').bind(tenantId).run()
      expect((await adminOfSeveral('DELETE', `/tenants/${tenantId}`)).status).toBe(204)
      expect((await statesOf(tenantId))[former]).toBe('moved')
      const { body } = await adminOfSeveral('GET', '/tenants')
      expect(body.tenants.map(({ id }: { id: string }) => id)).not.toContain(tenantId)
      for (const method of ['GET', 'DELETE']) {
        expect([method, (await adminOfSeveral(method, `/tenants/${tenantId}`)).status]).toEqual([method, 404])
      }
      // 401, or 503 until the tokens are deleted.
      expect([401, 503]).toContain((await new ClientOfSeveral(tenantId, token).get('/Users')).status)
      const again = { id: tenantId, name: 'Again', database: former }
      const refused = await adminOfSeveral('POST', '/tenants', again)
      expect([refused.status, refused.body.error?.message]).toEqual([
        409,
        `rows of an earlier tenant "${tenantId}" are still being deleted; try again later`,
      ])
      expect((await adminOfSeveral('GET', `/tenants/${tenantId}`)).status).toBe(404)
      await runToEnd(databases, tenantId)
      expect((await adminOfSeveral('POST', '/tenants', again)).status).toBe(201)
    },
  )
})

describe('a deletion during the undoing of an import', () => {
  it('has a job of its own, which deletes the tenant', { timeout: 60_000 }, async () => {
    const databases = threeDatabases()
    const { tenantId } = await newClientIn('DB2')
    await addUsers('DB2', tenantId)
    await BINDINGS.DB2?.prepare("UPDATE tenants SET state = 'importing', imported_lines = 9 WHERE id = ?")
      .bind(tenantId)
      .run()
    const undoing = await adminOfSeveral('DELETE', `/tenants/${tenantId}/import`)
    expect([undoing.status, undoing.body.state]).toEqual([202, 'undoing'])
    const { status, body } = await adminOfSeveral('DELETE', `/tenants/${tenantId}`)
    expect([status, body.state]).toEqual([202, 'deleting'])
    await runToEnd(databases, tenantId)
    expect(await statesOf(tenantId)).toEqual({ DB: undefined, DB2: undefined, DB3: undefined })
    const jobOf = async (id: string) => (await adminOfSeveral('GET', `/tenants/${tenantId}/jobs/${id}`)).body
    expect(await jobOf(undoing.body.jobId)).toMatchObject({ error: 'the tenant was deleted' })
    expect(await jobOf(body.jobId)).toMatchObject({ kind: 'delete', state: 'done' })
  })
})

describe('access that ended on both sides of a move', () => {
  it('is not given back by a runner that is late', async () => {
    const databases = threeDatabases()
    const { tenantId } = await newClientIn('DB')
    const { id: jobId } = await moveFrom(databases, tenantId, 'DB', 'DB2')
    // The steps of a small tenant fit into one call: it is stopped before the verification.
    let isVerifying = false
    const stopped = threeDatabases((binding) => ({
      prepare: (text) => binding.prepare(text),
      async batch<T>(statements: D1PreparedStatement[]) {
        const job = await getJob(catalogueOf(databases), tenantId, jobId)
        isVerifying ||= job?.step === 'verifying'
        if (isVerifying) throw new Error('stopped')
        return await binding.batch<T>(statements)
      },
    }))
    while (!isVerifying) await runOnce(stopped, tenantId).catch(() => undefined)
    const position = { ...COPY_START, table: 'tokens' }
    const before = await readTenantPage(databases.open('DB'), {
      types: RESOURCE_TYPES,
      tenantId,
      position,
      what: 'comparable',
    })
    for (const name of ['DB', 'DB2']) {
      await BINDINGS[name]
        ?.prepare('UPDATE tokens SET revoked_at = 7 WHERE tenant_id = ?')
        .bind(tenantId)
        .run()
    }
    await endAccessOf(databases.open('DB2'), { tenantId, jobId }, before)
    expect((await rowsOf('DB2', tenantId)).tokens).toMatchObject([{ revoked_at: 7 }])
    await runToEnd(databases, tenantId)
    expect((await rowsOf('DB2', tenantId)).tokens).toMatchObject([{ revoked_at: 7 }])
  })
})

describe('reconciling', () => {
  it('does not bring back a tenant that is deleted meanwhile', async () => {
    const { tenantId } = await newClientIn('DB2')
    let isDeleted = false
    const databases = threeDatabases((binding, name) => ({
      prepare: (text) => binding.prepare(text),
      async batch<T>(statements: D1PreparedStatement[]) {
        const results = await binding.batch<T>(statements)
        if (name === 'DB2' && !isDeleted) {
          // The tenants of the database were read, and the catalogue was not.
          isDeleted = true
          expect((await adminOfSeveral('DELETE', `/tenants/${tenantId}`)).status).toBe(204)
        }
        return results
      },
    }))
    const findings = await reconcile(databases, RESOURCE_TYPES, 'DB2')
    expect(findings.filter((finding) => finding.tenantId === tenantId)).toEqual([])
    const { results } = await env.DB.prepare('SELECT * FROM tenant_locations WHERE tenant_id = ?')
      .bind(tenantId)
      .all()
    expect(results).toEqual([])
  })
})
