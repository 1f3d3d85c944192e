/** The limit of a list without an index where it runs in a thread of its own. Sizes are those that the tenant stores. */
import { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, it } from 'vitest'
import { MAX_SCAN_MILLISECONDS, MAX_THREAD_SCAN_MILLISECONDS } from '../../src/scim/limits.ts'
import { startService } from '../../src/self-hosted/service.ts'
import { serverSettings } from '../support/server-settings.ts'
import { MIGRATIONS, temporaryFolder } from './support/files.ts'

const settings = serverSettings(temporaryFolder())
const service = startService(settings, MIGRATIONS)
const file = new DatabaseSync(settings.databaseFile, { timeout: 1_000 })
afterAll(async () => {
  file.close()
  await service.stop()
})

async function send(method: string, path: string, token: string, body?: unknown) {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }
  const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) }
  const answer = await service.fetch({
    request: new Request(`https://scim.test${path}`, init),
    address: '192.0.2.1',
  })
  return { status: answer.status, body: await answer.json() }
}

const admin = (path: string, body: unknown) =>
  send('POST', `/admin/api/tenants/default${path}`, 'test-admin-token', body)

/** Sets the stored number of users, with documents of up to a KiB. */
function setUsers(count: number): void {
  file.prepare("UPDATE tenants SET user_count = ? WHERE id = 'default'").run(count)
}

describe('a list that no index answers, on a file', () => {
  it.for([
    ['title co "zzz"', 100_000, 200],
    ['emails.value co "zzz"', 100_000, 200],
    ['active eq true', 100_000, 200],
    ['title co "zzz"', 300_000, 400],
  ] as const)('is answered up to the limit of a thread: %s, %i users', async ([filter, users, status]) => {
    const { token } = (await admin('/tokens', { name: 'Test' })).body as { token: string }
    setUsers(users)
    const path = `/scim/v2/Users?filter=${encodeURIComponent(filter)}`
    const answer = await send('GET', path, token)
    expect(answer.status).toBe(status)
    const { list } = (await admin('/explain', { method: 'GET', path })).body as {
      list: { allowedMs: number; estimatedMs: number }
    }
    expect(list.allowedMs).toBe(MAX_THREAD_SCAN_MILLISECONDS)
    expect(list.estimatedMs).toBeGreaterThan(MAX_SCAN_MILLISECONDS)
    if (status === 400)
      expect(answer.body).toMatchObject({
        scimType: 'tooMany',
        detail: expect.stringContaining(`where ${MAX_THREAD_SCAN_MILLISECONDS} are allowed`),
      })
  })
})
