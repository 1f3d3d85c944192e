/** GET /healthz?verbose, for the administrator alone. */
import { describe, expect, it } from 'vitest'
import { admin, newClient, ORIGIN, send } from '../support/harness.ts'

const ADMIN_TOKEN = 'test-admin-token'
/** Refused tokens of one address, more than the limit of 100 (vitest.config.ts, test/sqlite/support/worker.ts). */
const MANY = 110

const health = (token?: string, headers: Record<string, string> = {}) =>
  send(
    new Request(`${ORIGIN}/healthz?verbose`, {
      headers: { ...headers, ...(token && { Authorization: `Bearer ${token}` }) },
    }),
  )

describe('/healthz?verbose', () => {
  it('shows the version, each database, its jobs, webhooks and newest event', async () => {
    const client = await newClient()
    const url = 'https://receiver.example/events'
    expect((await admin('POST', `/tenants/${client.tenantId}/webhooks`, { url })).status).toBe(201)
    await client.createUser()
    const { status, body, headers } = await health(ADMIN_TOKEN)
    expect([status, headers.get('Cache-Control')]).toEqual([200, 'no-store'])
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT/)
    expect(body).toMatchObject({ status: 'ok', version: expect.any(String), checkedAt: time })
    expect(body.databases[0]).toMatchObject({ name: 'DB', jobs: [], newestEventAt: time })
    expect(body.databases[0].tenantCount).toBeGreaterThan(0)
    expect(body.databases[0].webhooks.active).toBeGreaterThan(0)
  })

  it('is the answer without detail for anybody else', async () => {
    const { token } = await newClient()
    for (const other of [undefined, 'wrong', token]) {
      const { status, body } = await health(other)
      expect([status, body]).toEqual([200, { status: 'ok' }])
    }
  })

  it('shows no detail to an address that guesses tokens, even with the right one', async () => {
    const from = { 'CF-Connecting-IP': '192.0.2.200' }
    for (let i = 0; i < MANY; i++) await health('wrong', from)
    expect((await health(ADMIN_TOKEN, from)).body).toEqual({ status: 'ok' })
    expect((await health(ADMIN_TOKEN)).body.databases).toBeDefined()
  })
})
