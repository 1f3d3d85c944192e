/**
 * Imports and deletions of tenants that fail, are interrupted, or run concurrently with other requests. Clients never
 * see a partial directory, and a token never outlives its tenant.
 */
import { createScheduledController } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { importDirectory } from '../../src/provider/transfer/import-lines.ts'
import { type D1Binding, noFigures, openDatabase } from '../../src/storage/database/database.ts'
import { RESOURCE_TYPES } from '../../src/storage/tables/resource-tables.ts'
import { deleteTenant } from '../../src/storage/tenants/deletion.ts'
import worker from '../../src/worker.ts'
import { addCrowd } from '../support/crowd.ts'
import {
  exported,
  exportOf,
  fileOf,
  groupLine,
  imported,
  importRequest,
  memberLine,
  userLine,
  users,
} from '../support/directory-file.ts'
import { FAULTS, failing, faultyBinding } from '../support/faults.ts'
import { admin, type Client, GROUP, newClient, newToken, ORIGIN, USER } from '../support/harness.ts'
import { labRuntime, sendTo, wrapCoordinator } from '../support/lab.ts'
import { soundState } from '../support/tenant-state.ts'

const TIMEOUT_MS = 60

beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(() => undefined))
afterEach(() => void vi.restoreAllMocks())

const stateOf = async ({ tenantId }: Client) => (await admin('GET', `/tenants/${tenantId}`)).body.state
const usersOf = async (client: Client) => {
  const { status, body } = await client.get('/Users?count=0')
  return status === 200 ? body.totalResults : status
}

/** A binding that runs a function before the batch with a given number. */
function interrupted(number: number, what: () => unknown): D1Binding {
  let next = 0
  return {
    prepare: (text) => env.DB.prepare(text),
    async batch<T>(statements: D1PreparedStatement[]) {
      if (next++ === number) await what()
      return await env.DB.batch<T>(statements)
    },
  }
}

const through = (binding: D1Binding) =>
  labRuntime({ openDatabase: (_name, figures) => openDatabase(binding, figures, TIMEOUT_MS) })

function adminRequest(method: string, path: string, body?: unknown): Request {
  return new Request(`${ORIGIN}/admin/api${path}`, {
    method,
    headers: { Authorization: 'Bearer test-admin-token' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
}

/** Three batches of users with long values, followed by groups and memberships. */
const PEOPLE = 700
const [title, nickName] = ['t'.repeat(700), 'n'.repeat(700)]
const file = await fileOf([
  ...Array.from({ length: PEOPLE }, (_, i) => userLine(i + 1, { title, nickName })),
  groupLine(9_001),
  groupLine(9_002),
  memberLine(9_001, 1),
  memberLine(9_002, 9_001, 'Group'),
])
const WHOLE = { imported: { user: PEOPLE, group: 2, membership: 2 } }

describe('an import through a database that fails', () => {
  // Two batches read the existing state, and the following ones write.
  const cases = FAULTS.flatMap((fault) => [2, 3, 4].map((batch) => [fault, batch] as const))

  it.for(cases)('survives "%s" in its batch %i: clients see all or nothing', async ([fault, batch]) => {
    const client = await newClient()
    const runtime = through(faultyBinding(env.DB, failing(fault, batch)))
    const { status } = await sendTo(runtime, importRequest(client.tenantId, file))
    expect([200, 503]).toContain(status)
    const state = await stateOf(client)
    const seen = await usersOf(client)
    expect(status === 200 ? [PEOPLE] : state === 'importing' ? [503] : [0, PEOPLE]).toContain(seen)
    const again = await imported(client.tenantId, file)
    expect([again.status, again.body]).toEqual(seen === PEOPLE ? [409, expect.anything()] : [200, WHOLE])
    expect(await usersOf(client)).toBe(PEOPLE)
    await soundState(client.tenantId)
  })

  it('reports success when the response to its last batch is lost, and is not applied twice', async () => {
    const client = await newClient()
    const runtime = through(faultyBinding(env.DB, failing('error after', 2)))
    const small = await fileOf(users(3))
    expect((await sendTo(runtime, importRequest(client.tenantId, small))).status).toBe(503)
    expect([await stateOf(client), await usersOf(client)]).toEqual(['ready', 3])
    const again = await imported(client.tenantId, small)
    expect([again.status, again.body.error.message]).toEqual([
      409,
      `an import requires an empty tenant; "${client.tenantId}" has 3 users`,
    ])
  })

  it('can be continued after the sender was interrupted', async () => {
    const client = await newClient()
    let sent = 0
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (sent > file.length / 2) return controller.error(new Error('gone'))
        controller.enqueue(new TextEncoder().encode(file.slice(sent, sent + 50_000)))
        sent += 50_000
      },
    })
    const db = openDatabase(env.DB, noFigures())
    const attempt = importDirectory({ db, types: RESOURCE_TYPES, tenantId: client.tenantId }, body, {
      from: 1,
      end: 'required',
    })
    await expect(attempt).rejects.toThrow(/^the body was interrupted; lines 1 to \d+ are stored/)
    expect(await usersOf(client)).toBe(503)
    expect((await imported(client.tenantId, file)).body).toEqual(WHOLE)
  })

  it('stops before the query limit of D1 and continues with the next request', async () => {
    const client = await newClient()
    const db = openDatabase(env.DB, noFigures())
    const options = { from: 1, end: 'required', maxStatements: 3 } as const
    const run = () =>
      importDirectory(
        { db, types: RESOURCE_TYPES, tenantId: client.tenantId },
        new Response(file).body,
        options,
      )
    const { isDone, imported: soFar, nextLine } = await run()
    expect([isDone, Number(soFar.user) + 1]).toEqual([false, nextLine])
    expect(await usersOf(client)).toBe(503)
    let requests = 1
    while (!(await run()).isDone) requests++
    expect(requests).toBe(2)
    expect(await usersOf(client)).toBe(PEOPLE)
  })
})

describe('an import with concurrent requests', () => {
  it('is rejected when a client creates a user before its first batch', async () => {
    const client = await newClient()
    const runtime = through(interrupted(2, () => client.createUser()))
    const response = await sendTo(runtime, importRequest(client.tenantId, file))
    expect([response.status, await response.json()]).toEqual([
      409,
      {
        error: {
          code: 'conflict',
          message: `an import requires an empty tenant; "${client.tenantId}" has 1 user`,
        },
      },
    ])
    expect([await stateOf(client), await usersOf(client)]).toEqual(['ready', 1])
  })

  it.for([
    ['undone', 'import', 200, 0],
    ['deleted with its tenant', '', 404, 401],
  ] as const)('stops writing when it is %s', async ([, path, state, seen]) => {
    const client = await newClient()
    const undo = () => admin('DELETE', `/tenants/${client.tenantId}/${path}`)
    const response = await sendTo(through(interrupted(3, undo)), importRequest(client.tenantId, file))
    expect([404, 409]).toContain(response.status)
    expect((await admin('GET', `/tenants/${client.tenantId}`)).status).toBe(state)
    expect(await usersOf(client)).toBe(seen)
    const { results } = await env.DB.prepare('SELECT id FROM users WHERE tenant_id = ?1')
      .bind(client.tenantId)
      .all()
    expect(results).toEqual([])
  })

  it('yields to a faster import of the same file', async () => {
    const client = await newClient()
    const other = () => imported(client.tenantId, file)
    const response = await sendTo(through(interrupted(3, other)), importRequest(client.tenantId, file))
    expect(response.status).toBe(409)
    expect([await stateOf(client), await usersOf(client)]).toEqual(['ready', PEOPLE])
  })

  it('prevents a write of a group that was read before it', async () => {
    const client = await newClient()
    let isBegun = false
    await wrapCoordinator(client.tenantId, () =>
      interrupted(1, async () => {
        isBegun = (await imported(client.tenantId, `${file.split('\n')[0]}\n`, '?end=later')).status === 202
      }),
    )
    const answer = await client.request('POST', '/Groups', { schemas: [GROUP], displayName: 'Late' })
    expect([isBegun, answer.status, answer.headers.get('Retry-After')]).toEqual([true, 503, '5'])
    expect((await soundState(client.tenantId)).groups).toEqual([])
  })

  it('prevents the log entry of a rejected write', async () => {
    const client = await newClient()
    await imported(client.tenantId, `${file.split('\n')[0]}\n`, '?end=later')
    expect((await client.request('POST', '/Users', { schemas: [USER] })).status).toBe(503)
    expect(await client.log()).toEqual([])
  })
})

describe('an export', () => {
  it('is refused if it takes more queries than a request may send, and names the way out', async () => {
    const client = await newClient()
    await imported(client.tenantId, file)
    const path = `/tenants/${client.tenantId}`
    const refused = await sendTo(labRuntime({ maxQueries: 23 }), adminRequest('GET', `${path}/export`))
    expect([refused.status, await refused.json()]).toEqual([
      409,
      {
        error: {
          code: 'conflict',
          message: `the export takes about 24 queries, and a request may send 23; use POST /admin/api${path}/exports`,
        },
      },
    ])
    const allowed = await sendTo(labRuntime({ maxQueries: 24 }), adminRequest('GET', `${path}/export`))
    expect([allowed.status, (await allowed.text()).includes('"kind":"end"')]).toEqual([200, true])
  })

  it('ends without its last line when its tenant is deleted during the export', async () => {
    const client = await newClient()
    await imported(client.tenantId, file)
    const gone = () => admin('DELETE', `/tenants/${client.tenantId}`)
    const request = adminRequest('GET', `/tenants/${client.tenantId}/export`)
    const response = await sendTo(through(interrupted(2, gone)), request)
    expect(response.status).toBe(200)
    await expect(response.text()).rejects.toThrow('was interrupted')
    expect((await exportOf(client.tenantId)).status).toBe(404)
  })

  it('ends when another tenant with the same id was created during the export', async () => {
    const client = await newClient()
    await imported(client.tenantId, file)
    const replace = async () => {
      await admin('DELETE', `/tenants/${client.tenantId}`)
      await admin('POST', '/tenants', { id: client.tenantId, name: 'Another' })
      await imported(client.tenantId, await fileOf([userLine(1)]))
    }
    const request = adminRequest('GET', `/tenants/${client.tenantId}/export`)
    const response = await sendTo(through(interrupted(2, replace)), request)
    await expect(response.text()).rejects.toThrow('was interrupted')
  })

  it('is consistent while clients write, and can be imported', async () => {
    const [client, to] = [await newClient(), await newClient()]
    await imported(client.tenantId, file)
    const write = async () => {
      await client.createUser()
      await client.request('DELETE', `/Users/${userLine(PEOPLE).id}`)
      await client.request('DELETE', `/Groups/${groupLine(9_001).id}`)
    }
    const request = adminRequest('GET', `/tenants/${client.tenantId}/export`)
    const response = await sendTo(through(interrupted(2, write)), request)
    const { status, body } = await imported(to.tenantId, await response.text())
    expect(status).toBe(200)
    expect(body.imported.user).toBe(PEOPLE)
    await soundState(to.tenantId)
    expect(await exported(to.tenantId)).toContain('"kind":"end"')
  })
})

describe('the deletion of a tenant', () => {
  async function newTenant(): Promise<Client> {
    const client = await newClient()
    const { id } = await client.createUser()
    await client.createGroup({ members: [{ value: id }] })
    return client
  }

  /** The remaining rows of a tenant. */
  async function rest({ tenantId }: Client): Promise<unknown[]> {
    const tables = ['users', 'groups', 'memberships', 'provisioning_log', 'provisioning_activity', 'tokens']
    const counts = tables.map((table) => `SELECT count(*) AS n FROM ${table} WHERE tenant_id = ?1`)
    const results = await env.DB.batch<{ n: number }>(
      [...counts, 'SELECT count(*) AS n FROM tenants WHERE id = ?1'].map((text) =>
        env.DB.prepare(text).bind(tenantId),
      ),
    )
    return results.map(({ results: [row] }) => row?.n)
  }
  const NOTHING = [0, 0, 0, 0, 0, 0, 0]

  it.for([1, 2, 3, 4, 5])('prevents the creation of a token before its batch %i', async (number) => {
    const client = await newTenant()
    const made: number[] = []
    const makeToken = async () => {
      made.push((await admin('POST', `/tenants/${client.tenantId}/tokens`, { name: 'Late' })).status)
    }
    const request = adminRequest('DELETE', `/tenants/${client.tenantId}`)
    expect((await sendTo(through(interrupted(number, makeToken)), request)).status).toBe(204)
    expect(made).toEqual([409])
    expect(await rest(client)).toEqual(NOTHING)
  })

  it('deletes a token that was created immediately before', async () => {
    const client = await newTenant()
    const tokens: string[] = []
    const makeToken = async () => void tokens.push((await newToken(client.tenantId)).token)
    const request = adminRequest('DELETE', `/tenants/${client.tenantId}`)
    expect((await sendTo(through(interrupted(0, makeToken)), request)).status).toBe(204)
    const headers = { Authorization: `Bearer ${tokens[0]}` }
    expect((await client.request('GET', '/Users', undefined, headers)).status).toBe(401)
    expect(await rest(client)).toEqual(NOTHING)
  })

  it('is enforced by the database, which rejects a token independent of the checks of the server', async () => {
    const client = await newTenant()
    await env.DB.prepare(`UPDATE tenants SET state = 'deleting' WHERE id = ?1`).bind(client.tenantId).run()
    const insert = env.DB.prepare(
      `INSERT INTO tokens (id, tenant_id, name, scope, hash, created_at) VALUES ('x', ?1, 'x', 'read', 'x', 0)`,
    ).bind(client.tenantId)
    await expect(insert.run()).rejects.toThrow('guard: deleting')
  })

  it.for(FAULTS.flatMap((fault) => [0, 1, 2, 3, 4, 5].map((batch) => [fault, batch] as const)))(
    'that fails with "%s" in its batch %i is finished by the next one, and no client is admitted',
    async ([fault, batch]) => {
      const client = await newTenant()
      const runtime = through(faultyBinding(env.DB, failing(fault, batch)))
      const request = adminRequest('DELETE', `/tenants/${client.tenantId}`)
      const { status } = await sendTo(runtime, request)
      expect([204, 503]).toContain(status)
      const found = await admin('GET', `/tenants/${client.tenantId}`)
      if (found.status === 200 && found.body.state === 'deleting') {
        expect((await client.get('/Users')).status).toBe(401)
        expect((await admin('POST', `/tenants/${client.tenantId}/tokens`, { name: 'Late' })).status).toBe(409)
        const taken = await admin('POST', '/tenants', { id: client.tenantId, name: 'Again' })
        expect([taken.status, taken.body.error.message]).toEqual([
          409,
          `tenant "${client.tenantId}" is being deleted; DELETE /admin/api/tenants/${client.tenantId} continues the deletion`,
        ])
        expect((await imported(client.tenantId, file)).status).toBe(409)
        expect((await exportOf(client.tenantId)).status).toBe(409)
      }
      expect([204, 404]).toContain((await admin('DELETE', `/tenants/${client.tenantId}`)).status)
      expect(await rest(client)).toEqual(NOTHING)
      expect((await admin('POST', '/tenants', { id: client.tenantId, name: 'Again' })).status).toBe(201)
    },
  )

  it('prevents writes in progress: of users, of groups, and the log entries of rejected ones', async () => {
    const client = await newTenant()
    const remove = () =>
      deleteTenant(openDatabase(env.DB, noFigures()), RESOURCE_TYPES, { id: client.tenantId })
    await wrapCoordinator(client.tenantId, () => interrupted(1, remove))
    const headers = { Authorization: `Bearer ${client.token}`, 'Content-Type': 'application/scim+json' }
    const post = (body: object) =>
      sendTo(
        through(interrupted(0, remove)),
        new Request(`${ORIGIN}/scim/v2/Users`, { method: 'POST', headers, body: JSON.stringify(body) }),
      )
    const group = await client.request('POST', '/Groups', { schemas: [GROUP], displayName: 'Late' })
    const user = await post({ schemas: [USER], userName: 'late' })
    const refused = await post({ schemas: [USER] })
    expect([group.status, user.status, refused.status]).toEqual([401, 401, 401])
    expect(await rest(client)).toEqual(NOTHING)
  })

  it.for([
    ['', 'deleting'],
    ['/import', 'undoing'],
  ] as const)('answers 202 when one request is not enough (DELETE …%s)', async ([path, state]) => {
    const client = await newClient()
    await imported(client.tenantId, `${file.split('\n')[0]}\n`, '?end=later')
    let batches = 0
    // There is always another chunk to delete.
    const endless: D1Binding = {
      prepare: (text) => env.DB.prepare(text),
      async batch<T>(statements: D1PreparedStatement[]) {
        batches++
        const results = await env.DB.batch<T>(statements)
        return results.map((result) => ({ ...result, meta: { ...result.meta, changes: 5_000 } }))
      },
    }
    const request = adminRequest('DELETE', `/tenants/${client.tenantId}${path}`)
    const response = await sendTo(through(endless), request)
    expect([response.status, await response.json()]).toMatchObject([
      202,
      { state, jobId: expect.any(String) },
    ])
    expect(batches).toBeLessThan(50)
    expect(await stateOf(client)).toBe(state)
    expect((await admin('DELETE', `/tenants/${client.tenantId}${path}`)).status).toBe(204)
  })

  it('continues with the next request or the timer when there are many rows', async () => {
    const client = await newTenant()
    await addCrowd(client.tenantId, 6_000)
    const db = openDatabase(env.DB, noFigures())
    expect(await deleteTenant(db, RESOURCE_TYPES, { id: client.tenantId, maxBatches: 3 })).toBe('deleting')
    expect([await stateOf(client), await usersOf(client)]).toEqual(['deleting', 401])
    vi.spyOn(console, 'log').mockImplementation(() => undefined)
    for (let run = 0; run < 2; run++) await worker.scheduled(createScheduledController(), env)
    expect(await rest(client)).toEqual(NOTHING)
  })

  it('has, together with pruning, at most 50 statements in a run of the timer for any number of tenants', async () => {
    const clients = [await newTenant(), await newTenant()]
    for (const { tenantId } of clients) {
      await addCrowd(tenantId, 30)
      expect(
        await deleteTenant(openDatabase(env.DB, noFigures()), RESOURCE_TYPES, {
          id: tenantId,
          maxBatches: 0,
        }),
      ).toBe('deleting')
    }
    let statements = 0
    // There is always another chunk to delete, of the log and of tenants.
    const endless: D1Binding = {
      prepare: (text) => env.DB.prepare(text),
      async batch<T>(all: D1PreparedStatement[]) {
        statements += all.length
        const results = await env.DB.batch<T>(all)
        return results.map((result) => ({ ...result, meta: { ...result.meta, changes: 5_000 } }))
      },
    }
    vi.spyOn(console, 'log').mockImplementation(() => undefined)
    await worker.scheduled(createScheduledController(), { ...env, DB: endless as D1Database })
    expect(statements).toBeLessThanOrEqual(50)
    for (let run = 0; run < 3; run++) await worker.scheduled(createScheduledController(), env)
    for (const client of clients) expect(await rest(client)).toEqual(NOTHING)
  })
})
