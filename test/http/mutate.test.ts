/** This server behind a faulty network: whatever is lost, doubled or delayed, it converges to what Entra believes. */
import { exports } from 'cloudflare:workers'
import { expect, it } from 'vitest'
import { parseDirectory } from '../../src/entra/documents/directory.ts'
import { generateDirectory } from '../../src/entra/documents/generate.ts'
import { DEFAULT_JOB } from '../../src/entra/documents/job.ts'
import { MUTATIONS, type Mutation } from '../../src/entra/mutation/faulty-fetch.ts'
import { mutate } from '../../src/entra/mutation/mutate.ts'
import { parseTenantUrl } from '../../src/entra/protocol/tenant-url.ts'
import { secretToken } from '../../src/entra/protocol/token-source.ts'
import { newClient, TENANT_URL } from '../support/harness.ts'

const { directory } = parseDirectory(
  generateDirectory({ users: 12, groups: 3, memberships: 20, seed: 4, domain: 'quillfern.example' }),
)

it.each([
  [1, 'old'],
  [2, 'old'],
  [3, 'flag'],
] as const)('converges with seed %i in the %s dialect', { timeout: 60_000 }, async (seed, dialect) => {
  const client = await newClient()
  const result = await mutate({
    tenantUrl: parseTenantUrl(TENANT_URL),
    stateTarget: { tenantUrl: TENANT_URL, tenant: '' },
    tokens: secretToken(client.token),
    fetch: (url, init) => exports.default.fetch(new Request(url, init)),
    clock: { now: Date.now, sleep: (ms) => new Promise((resolve) => setTimeout(resolve, Math.min(ms, 5))) },
    newId: () => crypto.randomUUID(),
    job: { ...DEFAULT_JOB, dialect },
    directory,
    seed,
    mutations: Object.keys(MUTATIONS) as Mutation[],
    share: 0.3,
    cycles: 5,
    signal: new AbortController().signal,
  })
  expect(result.differences).toEqual([])
  expect(Object.keys(result.mutated).length).toBeGreaterThan(5)
})
