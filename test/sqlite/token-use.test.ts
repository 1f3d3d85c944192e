/** When a token was last used, if it is used for a list that takes long. */
import { afterEach, expect, it, vi } from 'vitest'
import { startService } from '../../src/self-hosted/service.ts'
import { DatabaseThreads } from '../../src/sqlite/database-threads.ts'
import { serverSettings } from '../support/server-settings.ts'
import { MIGRATIONS, temporaryFolder } from './support/files.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

it('is stored without holding up writes during the list', async () => {
  const service = startService(serverSettings(temporaryFolder()), MIGRATIONS)
  const send = async (method: string, path: string, token: string, body?: object) => {
    const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }
    const request = new Request(`http://a${path}`, {
      method,
      headers,
      body: body ? JSON.stringify(body) : null,
    })
    const answer = await service.fetch({ request, address: '192.0.2.1' })
    return { status: answer.status, body: (await answer.json()) as Readonly<Record<string, unknown>> }
  }
  // The process may remember the configuration of "default" in the database of another test, and read twice.
  await send('POST', '/admin/api/tenants', 'test-admin-token', { id: 'token-use', name: 'Test' })
  const tokens = '/admin/api/tenants/token-use/tokens'
  const { body } = await send('POST', tokens, 'test-admin-token', { name: 'Test' })
  const [read, write] = [
    vi.spyOn(DatabaseThreads.prototype, 'read'),
    vi.spyOn(DatabaseThreads.prototype, 'write'),
  ]
  const { status } = await send(
    'GET',
    '/scim/v2/Users?filter=title%20co%20%22arboretum%22',
    String(body.token),
  )
  // Timers have long batches, too, and so have services of other tests.
  const scansOf = ({ mock }: typeof read | typeof write) =>
    mock.calls.filter(([batch]) => JSON.stringify(batch).includes('arboretum')).length
  expect([status, scansOf(read), scansOf(write)]).toEqual([200, 1, 0])
  const listed = await send('GET', tokens, 'test-admin-token')
  expect(JSON.stringify(listed.body)).toMatch(/"lastUsedAt":"2/)
  await service.stop()
})
