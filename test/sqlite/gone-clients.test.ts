/** Clients that end their connection while a long read waits for its turn, or runs. */
import { get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DatabaseSync } from 'node:sqlite'
import { type HttpBindings, serve } from '@hono/node-server'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { type Service, startService } from '../../src/self-hosted/service.ts'
import { DatabaseThreads } from '../../src/sqlite/database-threads.ts'
import { serverSettings } from '../support/server-settings.ts'
import { MIGRATIONS, temporaryFolder } from './support/files.ts'

/** A scan of them takes some tens of milliseconds. */
const USERS = 10_000
const PATH = `/scim/v2/Users?count=1&filter=${encodeURIComponent('title co "x"')}`

/** For machines with much other work. */
const PATIENCE = { timeout: 20_000 }

const settings = serverSettings(temporaryFolder())
let service: Service
let server: ReturnType<typeof serve>
let origin: string
let token: string

async function admin(path: string, body: unknown) {
  const headers = { Authorization: 'Bearer test-admin-token', 'Content-Type': 'application/json' }
  const answer = await fetch(`${origin}/admin/api${path}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  })
  return (await answer.json()) as { token: string }
}

beforeAll(async () => {
  service = startService(settings, MIGRATIONS)
  const listening = Promise.withResolvers<AddressInfo>()
  const answer = (request: Request, env: unknown) => {
    const { outgoing } = env as HttpBindings
    const sent = new Promise((resolve) => outgoing.once('close', resolve))
    return service.fetch({ request, address: '192.0.2.1' }, sent)
  }
  server = serve({ hostname: '127.0.0.1', port: 0, fetch: answer }, listening.resolve)
  origin = `http://127.0.0.1:${(await listening.promise).port}`
  // The process may remember other tenants in the databases of other tests.
  await admin('/tenants', { id: 'gone-clients', name: 'Test' })
  token = (await admin('/tenants/gone-clients/tokens', { name: 'Test' })).token
  const database = new DatabaseSync(settings.databaseFile, { timeout: 1_000 })
  database.exec(`WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < ${USERS})
    INSERT INTO users (tenant_id, id, data, keys, version, created_at, last_modified)
    SELECT 'gone-clients', value, user, user, 1, 0, 0
    FROM (SELECT value, json_object('userName', 'user-' || value, 'title', hex(zeroblob(100))) AS user FROM n)`)
  database.close()
  expect(await scan().answered).toBe(200)
})
afterAll(async () => {
  await service.stop()
  server.close()
})
afterEach(() => void vi.restoreAllMocks())

/** Sends a scan on a connection of its own. */
function scan() {
  const answered = Promise.withResolvers<number | undefined>()
  const headers = { Authorization: `Bearer ${token}` }
  const request = get(`${origin}${PATH}`, { headers, agent: false }, (answer) => {
    answered.resolve(answer.statusCode)
    answer.resume()
  })
  request.on('error', () => answered.resolve(undefined))
  return { answered: answered.promise, end: () => request.destroy() }
}

/** Timers read, too. */
const isScan = (batch: unknown) => JSON.stringify(batch).includes('title')

it('have no scan run for them, and are not errors of the database', async () => {
  const errors = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  const fetched = vi.spyOn(service, 'fetch')
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  const read = DatabaseThreads.prototype.read
  const reads = vi.spyOn(DatabaseThreads.prototype, 'read').mockImplementation(async function (
    this: DatabaseThreads,
    batch,
  ) {
    if (isScan(batch)) await released
    return await read.call(this, batch)
  })
  const first = scan()
  const scans = () => reads.mock.calls.filter(([batch]) => isScan(batch)).length
  await vi.waitFor(() => expect(scans()).toBe(1), PATIENCE)
  const gone = Array.from({ length: 3 }, scan)
  await vi.waitFor(() => expect(fetched).toHaveBeenCalledTimes(4), PATIENCE)
  for (const { end } of gone) end()
  const signals = fetched.mock.calls.slice(1).map(([{ request }]) => request.signal)
  await vi.waitFor(() => expect(signals.every(({ aborted }) => aborted)).toBe(true), PATIENCE)
  release()
  expect(await first.answered).toBe(200)
  const answers = await Promise.all(fetched.mock.results.map(({ value }) => value as Promise<Response>))
  expect(answers.map(({ status }) => status)).toEqual([200, 499, 499, 499])
  expect(scans()).toBe(1)
  expect(errors).not.toHaveBeenCalled()
})

it('have the scan ended that runs for them', async () => {
  const fetched = vi.spyOn(service, 'fetch')
  const read = DatabaseThreads.prototype.read
  const started = Promise.withResolvers<void>()
  let scans = 0
  vi.spyOn(DatabaseThreads.prototype, 'read').mockImplementation(async function (
    this: DatabaseThreads,
    batch,
    signal,
  ) {
    if (!isScan(batch) || ++scans > 1) return await read.call(this, batch, signal)
    // The same scan of the same users, ten thousand times.
    const endless = batch.map(({ sql, params }) => ({
      sql: sql.replace(
        ' AS affordable CROSS JOIN users',
        ' AS affordable CROSS JOIN (SELECT 1 FROM users) CROSS JOIN users',
      ),
      params,
    }))
    expect(endless).not.toEqual(batch)
    const results = read.call(this, endless, signal)
    started.resolve()
    return await results
  })
  const gone = scan()
  await started.promise
  const next = scan()
  await vi.waitFor(() => expect(fetched).toHaveBeenCalledTimes(2), PATIENCE)
  gone.end()
  expect(await next.answered).toBe(200)
  const answers = await Promise.all(fetched.mock.results.map(({ value }) => value as Promise<Response>))
  expect(answers.map(({ status }) => status)).toEqual([499, 200])
})
