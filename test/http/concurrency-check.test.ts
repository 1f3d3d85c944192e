/** The concurrency check of the emulator against this server: 40 clients at once lose nothing, and leave nothing behind. */
import { exports } from 'cloudflare:workers'
import { expect, it } from 'vitest'
import { checkConcurrency } from '../../src/entra/concurrency/check-concurrency.ts'
import type { Dialect } from '../../src/entra/protocol/requests.ts'
import { parseTenantUrl } from '../../src/entra/protocol/tenant-url.ts'
import { secretToken } from '../../src/entra/protocol/token-source.ts'
import { newClient, TENANT_URL } from '../support/harness.ts'

// 600 requests, of which workerd runs the group writes one after the other.
it.each<Dialect>(['old', 'flag'])(
  'loses nothing in the %s dialect',
  { timeout: 120_000 },
  async (dialect) => {
    const client = await newClient()
    const results = await checkConcurrency({
      tenantUrl: parseTenantUrl(TENANT_URL),
      tokens: secretToken(client.token),
      fetch: (url, init) => exports.default.fetch(new Request(url, init)),
      clock: { now: Date.now, sleep: async () => undefined },
      newId: () => crypto.randomUUID(),
      dialect,
    })
    expect(results.map(({ grade, sent, acknowledged, lost }) => [grade, sent, acknowledged, lost])).toEqual([
      ['success', 40, 40, 0],
      ['success', 40, 40, 0],
      ['success', 40, 40, 0],
      ['success', 40, 1, 0],
      ['success', 40, 1, 0],
    ])
    const { body } = await client.get('/Users')
    expect(body.totalResults).toBe(0)
  },
)
