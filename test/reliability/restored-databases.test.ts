/**
 * Databases that are not what the catalogue says: swapped bindings, a database of another installation, and databases that
 * were restored to an earlier time. Over HTTP, in workerd, on three D1 databases.
 */
import { createScheduledController } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { runJob } from '../../src/provider/jobs/runner.ts'
import { startMove } from '../../src/provider/jobs/start.ts'
import { forgetTenant } from '../../src/provider/tenants.ts'
import { noFigures, openDatabase } from '../../src/storage/database/database.ts'
import { RESOURCE_TYPES } from '../../src/storage/tables/resource-tables.ts'
import { finishDeletions } from '../../src/storage/tenants/deletion.ts'
import { tenantTables } from '../../src/storage/tenants/tenant-tables.ts'
import worker from '../../src/worker.ts'
import {
  adminOfSeveral,
  BINDINGS,
  type ClientOfSeveral,
  clearLocations,
  newClientIn,
  SEVERAL,
  sendSeveral,
  statesOf,
  threeDatabases,
} from '../support/databases.ts'
import { type Answer, ORIGIN, USER } from '../support/harness.ts'

let logged: string[]
beforeEach(() => {
  logged = []
  const log = (line: string) => void logged.push(line)
  vi.spyOn(console, 'error').mockImplementation(log)
  vi.spyOn(console, 'log').mockImplementation(log)
})
afterEach(() => void vi.restoreAllMocks())
afterAll(clearLocations)

const newUser = () => ({ schemas: [USER], userName: crypto.randomUUID() })
const of = (name: string) => BINDINGS[name] as D1Database

/** A Worker in a new isolate: it has checked no database, because its bindings are other objects. */
function newIsolate(databases: Readonly<Record<string, string>> = {}): typeof SEVERAL {
  const bindings = Object.fromEntries(
    ['DB', 'DB2', 'DB3'].map((name) => {
      const binding = of(databases[name] ?? name)
      return [name, { prepare: (text: string) => binding.prepare(text), batch: binding.batch.bind(binding) }]
    }),
  )
  return { ...SEVERAL, ...bindings }
}

async function databasesOf(bindings: typeof SEVERAL): Promise<Record<string, Record<string, unknown>>> {
  const { body } = await adminOfSeveral('GET', '/databases', undefined, bindings)
  return Object.fromEntries(body.databases.map((one: { name: string }) => [one.name, one]))
}

describe('a database that is not the one of its binding', () => {
  it('serves no tenant, and is named with what was found and expected', async () => {
    const [second, third, home] = [
      await newClientIn('DB2'),
      await newClientIn('DB3'),
      await newClientIn('DB'),
    ]
    const swapped = newIsolate({ DB2: 'DB3', DB3: 'DB2' })
    for (const client of [second, third]) {
      for (const [method, body] of [['GET'], ['POST', newUser()]] as const) {
        const { status, headers } = await client.send(method, '/Users', body, swapped)
        expect([status, headers.get('Retry-After')]).toEqual([503, '5'])
      }
      const tokens = await adminOfSeveral(
        'POST',
        `/tenants/${client.tenantId}/tokens`,
        { name: 'New' },
        swapped,
      )
      expect(tokens.status).toBe(503)
    }
    expect((await home.send('GET', '/Users', undefined, swapped)).status).toBe(200)
    const found = await databasesOf(swapped)
    const { installation } = (await databasesOf(SEVERAL)).DB as { installation: string }
    expect(found).toMatchObject({
      DB: { state: 'ok', error: null, installation },
      DB2: { state: 'wrong', installation, tenants: null },
      DB3: { state: 'wrong' },
    })
    const text = `the binding "DB2" has the database "DB3" of the installation ${installation}, expected the database "DB2"`
    expect(found.DB2?.error).toContain(text)
    expect(logged.join('\n')).toContain(JSON.stringify(text).slice(1, -1))
    expect((await sendSeveral(new Request(`${ORIGIN}/healthz`), swapped)).status).toBe(503)
    expect((await second.send('GET', '/Users', undefined, newIsolate())).status).toBe(200)
  })

  it('is noticed if it belongs to another installation', async () => {
    const client = await newClientIn('DB2')
    const set = (installation: string) =>
      of('DB2').prepare('UPDATE database_identity SET installation = ?').bind(installation).run()
    const { DB2 } = await databasesOf(SEVERAL)
    await set('another')
    expect((await client.send('GET', '/Users', undefined, newIsolate())).status).toBe(503)
    expect((await databasesOf(newIsolate())).DB2?.error).toContain(
      'has the database "DB2" of the installation another, expected',
    )
    await set(String(DB2?.installation))
    expect((await client.send('GET', '/Users', undefined, newIsolate())).status).toBe(200)
  })

  it('is noticed if it is the first one', async () => {
    const client = await newClientIn('DB')
    const swapped = newIsolate({ DB: 'DB2', DB2: 'DB' })
    expect((await client.send('GET', '/Users', undefined, swapped)).status).toBe(503)
    expect((await databasesOf(swapped)).DB?.error).toContain('the binding "DB" has the database "DB2"')
  })

  it('is noticed if it is new, and has none of the tenants that the catalogue places there', async () => {
    const client = await newClientIn('DB2')
    await of('DB2').prepare('DELETE FROM database_identity').run()
    const claimed = newIsolate()
    // A database of an earlier version has the tenants, and gets its identity at the first use.
    expect((await client.send('GET', '/Users', undefined, claimed)).status).toBe(200)
    expect((await databasesOf(claimed)).DB2?.state).toBe('ok')
    await of('DB2').prepare('DELETE FROM database_identity').run()
    const empty = {
      ...newIsolate(),
      DB2: {
        prepare: (text: string) =>
          of('DB2').prepare(text.replaceAll(/\btenants\b/g, '(SELECT * FROM tenants WHERE 0)')),
        batch: of('DB2').batch.bind(of('DB2')),
      },
    } as unknown as typeof SEVERAL
    expect((await client.send('GET', '/Users', undefined, empty)).status).toBe(503)
    expect(logged.join('\n')).toContain('a database without an identity and without the tenants')
    expect((await client.send('GET', '/Users', undefined, newIsolate())).status).toBe(200)
  })

  it('costs the first request of an isolate no round trip', async () => {
    const client = await newClientIn('DB')
    const { headers } = await client.send('GET', '/Users', undefined, newIsolate())
    expect(headers.get('Server-Timing')).toContain('1 round trips')
    const away = await newClientIn('DB2')
    const first = await away.send('GET', '/Users', undefined, newIsolate())
    expect(first.headers.get('Server-Timing')).toContain('2 round trips')
  })
})

/** Rows of a tenant in a database, as a restore to the present time would bring them back. */
async function savedRows(name: string, tenantId: string): Promise<() => Promise<void>> {
  const tables = [
    'tenants',
    'tenant_locations',
    'jobs',
    ...tenantTables(RESOURCE_TYPES).map((one) => one.name),
  ]
  const key = (table: string) => (table === 'tenants' ? 'id' : 'tenant_id')
  const saved = new Map<string, Record<string, unknown>[]>()
  for (const table of tables) {
    const { results } = await of(name)
      .prepare(`SELECT * FROM ${table} WHERE ${key(table)} = ?`)
      .bind(tenantId)
      .all<Record<string, unknown>>()
    saved.set(table, results)
  }
  return async () => {
    for (const table of tables.toReversed()) {
      await of(name)
        .prepare(`DELETE FROM ${table} WHERE ${key(table)} = ?`)
        .bind(tenantId)
        .run()
    }
    for (const table of tables) {
      const { results: columns } = await of(name)
        .prepare('SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0')
        .bind(table)
        .all<{ name: string }>()
      const names = columns.map((column) => column.name)
      for (const row of saved.get(table) ?? []) {
        await of(name)
          .prepare(
            `INSERT OR REPLACE INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
          )
          .bind(
            ...names.map((column) =>
              column === 'state' && table === 'tenants' ? 'ready' : (row[column] ?? null),
            ),
          )
          .run()
      }
    }
    // Triggers have counted the rows again, and would refuse tokens in another state.
    for (const tenant of saved.get('tenants') ?? []) {
      const { state, user_count, active_user_count, user_blocks, user_pieces, user_objects, log_bytes } =
        tenant
      await of(name)
        .prepare(
          `UPDATE tenants SET state = ?, user_count = ?, active_user_count = ?, user_blocks = ?, user_pieces = ?,
            user_objects = ?, log_bytes = ? WHERE id = ?`,
        )
        .bind(
          state,
          user_count,
          active_user_count,
          user_blocks,
          user_pieces,
          user_objects,
          log_bytes,
          tenantId,
        )
        .run()
    }
  }
}

async function move(tenantId: string, from: string, to: string, calls = Number.POSITIVE_INFINITY) {
  const databases = threeDatabases()
  const common = { databases, resourceTypes: RESOURCE_TYPES }
  await startMove({ ...common, tenantId, home: from, newId: () => crypto.randomUUID(), now: Date.now() }, to)
  for (let call = 0; call < calls; call++) {
    if ((await runJob({ ...common, maxStatements: 27, now: Date.now }, tenantId)) === undefined) return
  }
}

const reconcile = async (): Promise<Answer['body']> => {
  const { status, body } = await adminOfSeveral('POST', '/databases/reconcile')
  expect([status, body.errors]).toEqual([200, []])
  return body.findings
}

const namesOf = async (client: ClientOfSeveral, bindings = SEVERAL): Promise<string[]> => {
  const { status, body } = await client.send('GET', '/Users', undefined, bindings)
  expect(status).toBe(200)
  return body.Resources.map(({ userName }: { userName: string }) => userName).sort()
}

const isClear = async (answer: Answer) =>
  expect([503, '5']).toEqual([answer.status, answer.headers.get('Retry-After')])

describe('after a restore', () => {
  it.for([
    ['DB', 'DB2'],
    ['DB2', 'DB3'],
  ] as const)(
    'of the catalogue to a time before a move from %s to %s, the new copy stays the current one',
    async ([from, to]) => {
      const client = await newClientIn(from)
      const { tenantId } = client
      const old = await client.createUser()
      const restore = await savedRows('DB', tenantId)
      await move(tenantId, from, to)
      const added = await client.createUser()
      await restore()
      const findings = await reconcile()
      expect(findings).toContainEqual({ tenantId, database: to, what: 'relocated', other: from })
      for (const bindings of [SEVERAL, newIsolate()]) {
        expect(await namesOf(client, bindings)).toEqual([old.userName, added.userName].sort())
      }
      expect((await client.request('POST', '/Users', newUser())).status).toBe(201)
      expect((await adminOfSeveral('GET', `/tenants/${tenantId}`)).body).toMatchObject({
        database: to,
        userCount: 3,
      })
      expect(await statesOf(tenantId)).toMatchObject({
        [to]: 'ready',
        [from]: from === 'DB' ? 'moved' : undefined,
      })
      expect(await reconcile()).not.toContainEqual(expect.objectContaining({ tenantId }))
    },
  )

  it.for([1, 2, 3, 4, 5, 6] as const)(
    'of the catalogue to the middle of a move (after %i calls of its job), nothing is lost',
    async (calls) => {
      const client = await newClientIn('DB')
      const { tenantId } = client
      const old = await client.createUser()
      await move(tenantId, 'DB', 'DB2', calls)
      const restore = await savedRows('DB', tenantId)
      const run = {
        databases: threeDatabases(),
        resourceTypes: RESOURCE_TYPES,
        maxStatements: 27,
        now: Date.now,
      }
      while ((await runJob(run, tenantId)) !== undefined);
      const added = await client.createUser()
      await restore()
      // The restored job goes on before anybody has reconciled the databases.
      while ((await runJob(run, tenantId)) !== undefined);
      await reconcile()
      expect(await namesOf(client)).toEqual([old.userName, added.userName].sort())
      expect((await statesOf(tenantId)).DB2).toBe('ready')
      expect((await client.request('POST', '/Users', newUser())).status).toBe(201)
    },
  )

  it('of the first database to a time before a tenant moved into it, the tenant is named as missing and gets 503', async () => {
    const client = await newClientIn('DB2')
    const { tenantId } = client
    await client.createUser()
    const [restoreFirst, restoreSecond] = [await savedRows('DB', tenantId), await savedRows('DB2', tenantId)]
    await move(tenantId, 'DB2', 'DB')
    await restoreFirst()
    expect(await reconcile()).toContainEqual({ tenantId, database: 'DB2', what: 'missing', other: null })
    await isClear(await client.get('/Users'))
    await isClear(await client.request('POST', '/Users', newUser()))
    // Its rows were deleted in the other database after the move, so that one must be restored too.
    await restoreSecond()
    expect(await namesOf(client)).toHaveLength(1)
  })

  it('of the catalogue to a time before a tenant was created elsewhere, the tenant is found again', async () => {
    const client = await newClientIn('DB2')
    const { tenantId } = client
    const { userName } = await client.createUser()
    await env.DB.prepare('DELETE FROM tenant_locations WHERE tenant_id = ?').bind(tenantId).run()
    expect(await reconcile()).toContainEqual({ tenantId, database: 'DB2', what: 'relocated', other: 'DB' })
    expect(await namesOf(client, newIsolate())).toEqual([userName])
  })

  it('of the source to a time before the move, its old copy is closed also for isolates that remember it', async () => {
    const client = await newClientIn('DB2')
    const { tenantId } = client
    const { userName } = await client.createUser()
    const restore = await savedRows('DB2', tenantId)
    await move(tenantId, 'DB2', 'DB3')
    await restore()
    // This isolate has not noticed the move.
    expect(await reconcile()).toContainEqual({ tenantId, database: 'DB3', what: 'old copy', other: 'DB2' })
    const added = (await client.request('POST', '/Users', newUser())).body
    expect(await namesOf(client)).toEqual([userName, added.userName].sort())
    expect(await statesOf(tenantId)).toEqual({ DB: undefined, DB2: 'moved', DB3: 'ready' })
    // A move back replaces the old copy.
    await move(tenantId, 'DB3', 'DB2')
    expect(await namesOf(client)).toEqual([userName, added.userName].sort())
    expect(await statesOf(tenantId)).toEqual({ DB: undefined, DB2: 'ready', DB3: undefined })
  })

  it('of the target to a time before the arrival, its tenant gets 503 and not 401, and nobody is told that it does not exist', async () => {
    const client = await newClientIn('DB')
    const { tenantId } = client
    await client.createUser()
    const restore = await savedRows('DB2', tenantId)
    await move(tenantId, 'DB', 'DB2')
    expect((await client.request('POST', '/Users', newUser())).status).toBe(201)
    await restore()
    for (const bindings of [SEVERAL, newIsolate()]) {
      await isClear(await client.send('POST', '/Users', newUser(), bindings))
      await isClear(await client.send('GET', '/Users', undefined, bindings))
      await isClear(await client.send('DELETE', '/Users/1', undefined, bindings))
    }
    const read = await adminOfSeveral('GET', `/tenants/${tenantId}`)
    expect([read.status, read.body.error.message]).toEqual([
      503,
      expect.stringContaining(`the catalogue places the tenant "${tenantId}" in the database "DB2"`),
    ])
    expect(logged.join('\n')).toContain(
      `the catalogue places the tenant \\"${tenantId}\\" in the database \\"DB2\\"`,
    )
    expect(await reconcile()).toContainEqual({ tenantId, database: 'DB2', what: 'missing', other: null })
    expect((await adminOfSeveral('GET', '/tenants/no-such-tenant')).status).toBe(404)
  })

  it('the second cron trigger does the same', async () => {
    const client = await newClientIn('DB')
    const { tenantId } = client
    const restore = await savedRows('DB', tenantId)
    await move(tenantId, 'DB', 'DB3')
    const { userName } = await client.createUser()
    await restore()
    await worker.scheduled(createScheduledController({ cron: '47 * * * *' }), SEVERAL)
    expect(await namesOf(client)).toEqual([userName])
    expect(logged.some((line) => line.includes('"reconcile"') && line.includes(tenantId))).toBe(true)
  })

  it('a deletion in an old copy leaves the tenant where it lives', async () => {
    const client = await newClientIn('DB2')
    const { tenantId } = client
    const restore = await savedRows('DB2', tenantId)
    await move(tenantId, 'DB2', 'DB3')
    await restore()
    await of('DB2').prepare("UPDATE tenants SET state = 'deleting' WHERE id = ?").bind(tenantId).run()
    const databases = threeDatabases()
    const db2 = openDatabase(of('DB2'), noFigures())
    const forget = (id: string) => forgetTenant(databases, id, 'DB2')
    await finishDeletions(db2, RESOURCE_TYPES, Number.POSITIVE_INFINITY, forget)
    expect(await statesOf(tenantId)).toEqual({ DB: undefined, DB2: undefined, DB3: 'ready' })
    expect((await client.send('GET', '/Users', undefined, newIsolate())).status).toBe(200)
  })
})
