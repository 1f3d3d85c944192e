/** `check` of the emulator against this server: it has no finding with any preset. */
import { exports } from 'cloudflare:workers'
import { expect, it } from 'vitest'
import { checkEndpoint } from '../../src/entra/check/check.ts'
import { PRESET_NAMES, PRESETS } from '../../src/entra/check/presets.ts'
import type { Fetch } from '../../src/entra/protocol/fetch.ts'
import { parseTenantUrl } from '../../src/entra/protocol/tenant-url.ts'
import { secretToken } from '../../src/entra/protocol/token-source.ts'
import { ManualClock } from '../entra/support/job-harness.ts'
import { newClient, TENANT_URL } from '../support/harness.ts'

const fetch: Fetch = async (url, init) => exports.default.fetch(new Request(url, init))

/** Without a preset, the mappings are those of `entra-custom`, and every attribute is listed in /Schemas. */
const OTHERS = PRESET_NAMES.filter((name) => name !== 'entra-custom')

it.each([undefined, ...OTHERS])('check has no finding with the preset %s', async (preset) => {
  const client = await newClient()
  const results = await checkEndpoint({
    ...{ tenantUrl: parseTenantUrl(TENANT_URL), tokens: secretToken(client.token), fetch },
    ...{ clock: new ManualClock(), newId: () => crypto.randomUUID(), dialects: ['old', 'flag'] },
    ...(preset === undefined ? { crewSize: 100 } : { mappings: PRESETS[preset], skip: ['many-members'] }),
  })
  const others = results.filter(({ grade }) => grade !== 'success')
  const explained = others.filter(({ grade }) => grade === 'not-applicable').map(({ title }) => title)
  expect(
    others.filter(({ grade }) => grade !== 'not-applicable').map(({ title, message }) => [title, message]),
  ).toEqual([])
  expect(explained.filter((title) => !['many-members', 'manager'].includes(title))).toEqual([])
  const { body } = await client.get('/Users')
  expect(body.totalResults).toBe(0)
})
