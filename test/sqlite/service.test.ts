/**
 * The service without a port: its timer and its shutdown.
 */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { startService } from '../../src/self-hosted/service.ts'
import { serverSettings } from '../support/server-settings.ts'
import { MIGRATIONS, temporaryFolder } from './support/files.ts'

const HOUR_MS = 60 * 60 * 1000
const DAY_MS = 24 * HOUR_MS
/** For machines with much other work. */
const PATIENCE = { timeout: 20_000 }

const settings = () =>
  serverSettings(temporaryFolder(), {
    rateLimits: { client: 100, tenant: 100, signIn: 100, failedAuthentication: 100 },
  })

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

describe('startService', () => {
  it('prunes the provisioning log soon after the start and then every hour', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
    vi.spyOn(console, 'log').mockImplementation(() => undefined)
    const timers = vi.spyOn(globalThis, 'setTimeout')
    /** A run has ended when it has set the timer of the next one. */
    const endOfRun = (count: number) =>
      vi.waitFor(
        () => expect(timers.mock.calls.filter(([, ms]) => ms === HOUR_MS)).toHaveLength(count),
        PATIENCE,
      )
    const its = settings()
    const service = startService(its, MIGRATIONS)
    const database = new DatabaseSync(its.databaseFile, { timeout: 1_000 })
    const log = (daysAgo: number) => {
      const time = Date.now() - daysAgo * DAY_MS
      const hex = time.toString(16).padStart(12, '0')
      database
        .prepare(
          `INSERT INTO provisioning_log (tenant_id, id, time, token_id, action, outcome, resource_type, status,
            changes, ignored, request_id) VALUES ('default', ?, ?, 't', 'create', 'accepted', 'User', 201, '[]', '[]', 'r')`,
        )
        .run(`${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`, time)
    }
    const left = () => database.prepare('SELECT count(*) AS count FROM provisioning_log').get()?.count
    log(31)
    log(29)
    await vi.advanceTimersByTimeAsync(60_000)
    await endOfRun(1)
    expect(left()).toBe(1)
    log(32)
    await vi.advanceTimersByTimeAsync(59 * 60_000)
    expect(left()).toBe(2)
    await vi.advanceTimersByTimeAsync(60_000)
    await endOfRun(2)
    expect(left()).toBe(1)
    database.close()
    await service.stop()
  })

  it('ends the pruning at its next batch when it is stopped, and leaves the file alone afterwards', async () => {
    const { setTimeout: wait } = globalThis
    const soon = (task: () => void, ms?: number) => wait(task, ms === 60_000 ? 0 : ms)
    vi.spyOn(globalThis, 'setTimeout').mockImplementation(soon as typeof setTimeout)
    vi.spyOn(console, 'log').mockImplementation(() => undefined)
    const errors = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const its = settings()
    await startService(its, MIGRATIONS).stop()
    const database = new DatabaseSync(its.databaseFile, { timeout: 5_000 })
    const left = () => Number(database.prepare('SELECT count(*) AS count FROM provisioning_log').get()?.count)
    database.exec(`WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 50000)
      INSERT INTO provisioning_log (tenant_id, id, time, token_id, action, outcome, resource_type, status, changes,
        ignored, request_id)
      SELECT 'default', printf('00000000-0000-7000-8000-%012d', value), value, 't', 'create', 'accepted', 'User', 201,
        '[]', '[]', 'r' FROM n`)
    const service = startService(its, MIGRATIONS)
    while (left() === 50_000) await new Promise((next) => setImmediate(next))
    await service.stop()
    const after = left()
    expect(after).toBeGreaterThan(0)
    await new Promise((done) => wait(done, 3_000))
    expect(left()).toBe(after)
    expect(errors).not.toHaveBeenCalled()
    database.close()
  })

  it('names the migrations that it has applied to each file', async () => {
    const its = settings()
    const names = MIGRATIONS.map(({ name }) => name)
    const first = startService(its, MIGRATIONS)
    expect(first.migrated).toEqual([{ file: its.databaseFile, names }])
    await first.stop()
    const second = startService({ ...its, databaseCount: 2 }, MIGRATIONS)
    expect(second.migrated).toEqual([{ file: join(its.dataFolder, 'directory-2.sqlite'), names }])
    await second.stop()
  })

  it('deletes what a process that was killed has left of a large group', async () => {
    const its = settings()
    await startService(its, MIGRATIONS).stop()
    const database = new DatabaseSync(its.databaseFile, { timeout: 1_000 })
    const left = () => database.prepare('SELECT count(*) AS count FROM memberships').get()?.count
    database.exec(`WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 12000)
      INSERT INTO users (tenant_id, id, data, keys, version, created_at, last_modified)
      SELECT 'default', value, json_object('userName', value), json_object('userName', value), 1, 0, 0 FROM n;
      INSERT INTO groups (tenant_id, id, data, keys, version, created_at, last_modified, member_count)
      VALUES ('default', 'large', '{}', '{"displayName":"large"}', 1, 0, 0, 12000),
        ('default', 'small', '{}', '{"displayName":"small"}', 1, 0, 0, 1);
      INSERT INTO memberships SELECT tenant_id, 'large', id, 'User', NULL FROM users;
      INSERT INTO memberships SELECT tenant_id, 'small', id, 'User', NULL FROM users LIMIT 1;
      DELETE FROM groups WHERE id = 'large'`)
    expect(left()).toBe(12_001)
    const service = startService(its, MIGRATIONS)
    await vi.waitFor(() => expect(left()).toBe(1), PATIENCE)
    expect(database.prepare('SELECT count(*) AS count FROM deleted_groups').get()?.count).toBe(0)
    database.close()
    await service.stop()
  })

  it('accepts a client again after its period, although the clock was set back', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] })
    const its = settings()
    const service = startService({ ...its, rateLimits: { ...its.rateLimits, signIn: 1 } }, MIGRATIONS)
    const signIn = async () => {
      const body = new URLSearchParams({ token: 'wrong' })
      const headers = { Origin: 'http://a' }
      const request = new Request('http://a/admin/sign-in', { method: 'POST', headers, body })
      return (await service.fetch({ request, address: '192.0.2.1' })).status
    }
    await signIn()
    expect(await signIn()).toBe(429)
    vi.setSystemTime(Date.now() - DAY_MS)
    expect(await signIn()).toBe(429)
    vi.advanceTimersByTime(60_000)
    expect(await signIn()).not.toBe(429)
    await service.stop()
  })

  it('continues with greater ids after a restart, although the clock was set back', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const its = settings()
    const names = ['first', 'second', 'third']
    const ids: string[] = []
    const start = Date.now()
    for (const [i, name] of names.entries()) {
      vi.setSystemTime(start + (i === 0 ? 40 * DAY_MS : 0))
      const service = startService(its, MIGRATIONS)
      const send = async (path: string, token: string, body: object) => {
        const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }
        const request = new Request(`http://a${path}`, {
          method: 'POST',
          headers,
          body: JSON.stringify(body),
        })
        return (await (await service.fetch({ request, address: '' })).json()) as { id: string; token: string }
      }
      const { token } = await send('/admin/api/tenants/default/tokens', 'test-admin-token', { name })
      ids.push((await send('/scim/v2/Users', token, { userName: name })).id)
      await service.stop()
    }
    expect(ids).toEqual(ids.toSorted())
    expect(new Set(ids).size).toBe(3)
  })

  it('refuses requests during its shutdown, and tells the client to retry', async () => {
    const service = startService(settings(), MIGRATIONS)
    const request = () => service.fetch({ request: new Request('http://a/healthz'), address: '' })
    expect((await request()).status).toBe(200)
    const stopped = service.stop()
    const refused = await request()
    expect([refused.status, refused.headers.get('Retry-After')]).toEqual([503, '5'])
    await stopped
    await service.stop()
  })
})
