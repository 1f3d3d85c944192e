/**
 * The values by which filters find users agree with the documents, in whatever way users come, change and go: requests,
 * undo, restore, import, move, deletion, and while those of earlier users are filled in.
 */
import { env } from 'cloudflare:workers'
import { uuidv7 } from 'uuidv7'
import { afterAll, describe, expect, it } from 'vitest'
import { runJob } from '../../src/provider/jobs/runner.ts'
import { startMove } from '../../src/provider/jobs/start.ts'
import { noFigures, openDatabase } from '../../src/storage/database/database.ts'
import { RESOURCE_TYPES } from '../../src/storage/tables/resource-tables.ts'
import { fillMissingValues } from '../../src/storage/values/missing-values.ts'
import { clearLocations, threeDatabases } from '../support/databases.ts'
import { exported, fileOf, imported, type Line, userLine } from '../support/directory-file.ts'
import { admin, type Client, newClient } from '../support/harness.ts'
import { differingWords } from '../support/search-words.ts'
import { clientIdOf, EVER, undone } from '../support/undo.ts'
import { ENTERPRISE, USER } from '../support/urns.ts'
import { differingValues, NO_DIFFERENCE } from '../support/user-values.ts'

afterAll(clearLocations)

const BULK_REQUEST = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest'

/** A user with each kind of value. Those with the same number are equal. */
const attributesOf = (number: number) => ({
  emails: [{ value: `A${number}@x.example` }, { value: 'ß' }, { value: '' }],
  phoneNumbers: [{ value: `+${number}` }],
  name: { familyName: 'é'.repeat(130 + number), givenName: '"', formatted: `a-${number} (b) "c\\` },
  displayName: number % 3 === 0 ? 'One, two@three four' : `Person ${number}`,
  [ENTERPRISE]: { employeeNumber: String(number) },
  active: number % 2 === 0,
})

const schemas = [USER, ENTERPRISE]

async function countOf({ tenantId }: Client, database: D1Database = env.DB): Promise<number> {
  const count = database.prepare('SELECT count(*) AS n FROM user_values WHERE tenant_id = ?1').bind(tenantId)
  return Number(await count.first('n'))
}

/** @returns the number of values */
async function soundValues(client: Client, database?: D1Database): Promise<number> {
  expect(await differingValues(client.tenantId, database)).toEqual(NO_DIFFERENCE)
  expect(await differingWords(client.tenantId, database)).toEqual([])
  return await countOf(client, database)
}

describe('the values of users', () => {
  it('follow requests, bulk requests, explained requests, an undo and a restore', async () => {
    const client = await newClient()
    const { tenantId } = client
    const [first, second] = [await client.createUser(attributesOf(0)), await client.createUser()]
    const before = await soundValues(client)
    expect(before).toBe(7)
    for (const [method, body] of [
      ['PUT', { schemas, userName: 'x', ...attributesOf(1) }],
      ['DELETE', undefined],
    ] as const) {
      const explained = { method, path: `/Users/${first.id}`, body }
      expect((await admin('POST', `/tenants/${tenantId}/explain`, explained)).status).toBe(200)
      expect(await soundValues(client)).toBe(before)
    }
    const data = { schemas, userName: 'y', ...attributesOf(2) }
    const bulk = await client.request('POST', '/Bulk', {
      schemas: [BULK_REQUEST],
      Operations: [
        { method: 'POST', path: '/Users', bulkId: 'a', data },
        { method: 'PUT', path: `/Users/${second.id}`, data: { schemas, userName: 'z', ...attributesOf(3) } },
        { method: 'DELETE', path: `/Users/${first.id}` },
      ],
    })
    expect(bulk.body.Operations.map(({ status }: { status: string }) => status)).toEqual([
      '201',
      '200',
      '204',
    ])
    expect(await soundValues(client)).toBe(15)
    expect((await admin('POST', `/tenants/${tenantId}/tombstones/${first.id}/restore`)).status).toBe(200)
    expect(await soundValues(client)).toBe(22)
    await undone(client, { clientId: await clientIdOf(client), ...EVER })
    expect(await soundValues(client)).toBeLessThan(22)
  })

  it('follow an import, one that is interrupted, and one that is undone', async () => {
    const [from, to, other] = [await newClient(), await newClient(), await newClient()]
    await from.createUser(attributesOf(1))
    await imported(to.tenantId, await exported(from.tenantId))
    expect(await soundValues(to)).toBe(8)
    const lines = Array.from({ length: 2_500 }, (_, i): Line => userLine(i, { ...attributesOf(i % 20) }))
    const wrong = [...lines, userLine(2_501, { userName: 1 })]
    expect((await imported(other.tenantId, await fileOf(wrong))).status).toBe(400)
    expect(await soundValues(other)).toBeGreaterThan(10_000)
    expect((await admin('DELETE', `/tenants/${other.tenantId}/import`)).status).toBe(204)
    expect(await soundValues(other)).toBe(0)
  })

  it('move with their tenant, and go with it', async () => {
    const client = await newClient()
    const { tenantId } = client
    await client.createUser(attributesOf(1))
    await client.createUser(attributesOf(2))
    // As a version without words stores a user: the copy still lacks them, and says so.
    const forget = `UPDATE users SET keys = json_remove(keys, '$.words') WHERE tenant_id = ?1 AND display_name_key = 'person 2'`
    expect((await env.DB.prepare(forget).bind(tenantId).run()).meta.changes).toBeGreaterThan(0)
    const databases = threeDatabases()
    for (const [home, target] of [
      ['DB', 'DB2'],
      ['DB2', 'DB'],
    ] as const) {
      const start = {
        databases,
        resourceTypes: RESOURCE_TYPES,
        tenantId,
        home,
        newId: uuidv7,
        now: Date.now(),
      }
      await startMove(start, target)
      const run = { databases, resourceTypes: RESOURCE_TYPES, maxStatements: 50, now: Date.now }
      while ((await runJob(run, tenantId)) !== undefined);
      const [at, left] = target === 'DB2' ? [env.TEST_DB2, env.DB] : [env.DB, env.TEST_DB2]
      expect(await soundValues(client, at)).toBe(15)
      expect(await countOf(client, left)).toBe(0)
    }
    expect((await admin('DELETE', `/tenants/${tenantId}`)).status).toBe(204)
    expect(await countOf(client)).toBe(0)
  })

  it('are complete after filling in, although users change, come and go between the chunks', async () => {
    // Tenants of other tests would take their turn.
    await fillMissingValues(openDatabase(env.DB, noFigures()), 1_000)
    const client = await newClient()
    const { tenantId } = client
    const lines = Array.from({ length: 3_500 }, (_, i): Line => userLine(i + 1, attributesOf(i % 20)))
    await imported(tenantId, await fileOf(lines))
    await env.DB.batch(
      [
        'DELETE FROM user_values WHERE tenant_id = ?1',
        `UPDATE tenants SET configuration = json_object('valuesMissing', json('true')) WHERE id = ?1`,
      ].map((sql) => env.DB.prepare(sql).bind(tenantId)),
    )
    const ids = lines.map(({ id }) => String(id))
    const filled: string[] = []
    for (let chunk = 0; filled.length === 0; chunk++) {
      expect(chunk).toBeLessThan(6)
      filled.push(...(await fillMissingValues(openDatabase(env.DB, noFigures()), 3)))
      // Some before the position, some after it.
      for (const at of [chunk * 700, 3_000 - chunk * 200]) {
        const body = { schemas, userName: `new-${chunk}-${at}`, ...attributesOf(at % 7) }
        expect((await client.request('PUT', `/Users/${ids[at]}`, body)).status).toBe(200)
        expect((await client.request('DELETE', `/Users/${ids[at + 1]}`)).status).toBe(204)
        const name = { op: 'replace', path: 'name.familyName', value: 'short' }
        expect((await client.patch(`/Users/${ids[at + 2]}`, name)).status).toBe(200)
      }
      await client.createUser(attributesOf(chunk))
      // As an administrator does meanwhile.
      await admin('PATCH', `/tenants/${tenantId}`, { profile: chunk % 2 === 0 ? 'strict' : 'tolerant' })
    }
    expect(filled).toEqual([tenantId])
    expect(await soundValues(client)).toBeGreaterThan(20_000)
  })
})
