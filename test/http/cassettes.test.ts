/** The shipped cassettes against this server: every answer means the same as when it was recorded. */
/// <reference types="vite/types/importMeta.d.ts" />
import { exports } from 'cloudflare:workers'
import { expect, it } from 'vitest'
import { parseTenantUrl } from '../../src/entra/protocol/tenant-url.ts'
import { secretToken } from '../../src/entra/protocol/token-source.ts'
import { parseHar } from '../../src/entra/recording/har.ts'
import { replay } from '../../src/entra/recording/replay.ts'
import { byTenantUrl } from '../../src/entra/recording/scim-path.ts'
import { newClient, TENANT_URL } from '../support/harness.ts'

const CASSETTES: Readonly<Record<string, string>> = import.meta.glob('../../src/entra/cassettes/*.har', {
  query: '?raw',
  import: 'default',
  eager: true,
})

it.each(Object.entries(CASSETTES))('answers as recorded in %s', async (_, text) => {
  const client = await newClient()
  const { exchanges, problems } = parseHar(JSON.parse(text))
  expect(problems.list).toEqual([])
  const [recorded = []] = byTenantUrl(exchanges).values()
  const steps = await replay({
    exchanges: recorded,
    tenantUrl: parseTenantUrl(TENANT_URL),
    tokens: secretToken(client.token),
    fetch: (url, init) => exports.default.fetch(new Request(url, init)),
    clock: { now: Date.now, sleep: async () => undefined },
  })
  expect(steps).toHaveLength(67)
  const odd = steps.filter(({ differences, skipped }) => differences.length > 0 || skipped !== undefined)
  expect(odd).toEqual([])
})

it('has both dialects', () => {
  expect(Object.keys(CASSETTES)).toHaveLength(2)
})
