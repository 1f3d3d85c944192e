/** `mutate`: a right endpoint converges under every fault and seed, and an endpoint that is not idempotent is found out. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseDirectory } from '../../../src/entra/documents/directory.ts'
import { generateDirectory } from '../../../src/entra/documents/generate.ts'
import { DEFAULT_JOB } from '../../../src/entra/documents/job.ts'
import { MUTATIONS, type Mutation } from '../../../src/entra/mutation/faulty-fetch.ts'
import { type MutateOptions, mutate } from '../../../src/entra/mutation/mutate.ts'
import type { Fetch } from '../../../src/entra/protocol/fetch.ts'
import { parseTenantUrl } from '../../../src/entra/protocol/tenant-url.ts'
import { secretToken } from '../../../src/entra/protocol/token-source.ts'
import { serveStore } from '../support/http-server.ts'
import { ManualClock } from '../support/job-harness.ts'
import { racyFetch } from '../support/racy-endpoint.ts'
import { runCli } from '../support/run-cli.ts'
import { BASE, ScimStore } from '../support/scim-store.ts'

const DOCUMENT = generateDirectory({
  users: 12,
  groups: 3,
  memberships: 20,
  seed: 4,
  domain: 'quillfern.example',
})
const { directory } = parseDirectory(DOCUMENT)
const ALL = Object.keys(MUTATIONS) as Mutation[]

function run(fetch: Fetch, options: Partial<MutateOptions> = {}) {
  return mutate({
    tenantUrl: parseTenantUrl(BASE),
    stateTarget: { tenantUrl: BASE, tenant: '' },
    tokens: secretToken('t'),
    fetch,
    clock: new ManualClock(),
    newId: () => crypto.randomUUID(),
    job: DEFAULT_JOB,
    directory,
    seed: 1,
    mutations: ALL,
    share: 0.3,
    cycles: 5,
    signal: new AbortController().signal,
    ...options,
  })
}

describe('a right endpoint', () => {
  it.each(Array.from({ length: 10 }, (_, seed) => seed))('converges with seed %i', async (seed) => {
    const result = await run(new ScimStore().fetch, { seed })
    expect(result.differences).toEqual([])
    expect(result.converged).toBe(true)
  })

  it.each(ALL)('converges although half of the requests meet "%s"', async (mutation) => {
    const { mutated, differences } = await run(new ScimStore().fetch, { mutations: [mutation], share: 0.5 })
    expect(mutated[mutation]).toBeGreaterThan(0)
    expect(differences).toEqual([])
  })

  it('gets the same mutations for the same seed', async () => {
    const job = { ...DEFAULT_JOB, concurrency: 1 }
    const mutatedBy = async (seed: number) => (await run(new ScimStore().fetch, { seed, job })).mutated
    expect(await mutatedBy(7)).toEqual(await mutatedBy(7))
    expect(await mutatedBy(7)).not.toEqual(await mutatedBy(8))
  })

  it('has changes, removals and leavers, also without faults', async () => {
    const store = new ScimStore()
    expect(await run(store.fetch, { share: 0 })).toMatchObject({ converged: true, repairs: 0, mutated: {} })
    const bodies = store.received
      .filter(({ method }) => method === 'PATCH')
      .map(({ body }) => JSON.stringify(body))
    expect(bodies.some((body) => body.includes('"Remove"'))).toBe(true)
    expect(bodies.some((body) => body.includes('"displayName"'))).toBe(true)
    expect(
      store.received.filter(({ method }) => method === 'DELETE').map(({ path }) => path.slice(0, 7)),
    ).toEqual(expect.arrayContaining(['/Users/', '/Groups']))
  })
})

describe('an endpoint that does not converge', () => {
  it('creates an object twice when a request arrives twice', async () => {
    const store = new ScimStore()
    const fetch = racyFetch(store, { creates: true })
    const twice: Fetch = async (url, init) => {
      if (init.method !== 'POST') return fetch(url, init)
      const [answer] = await Promise.all([fetch(url, init), fetch(url, init)])
      return answer
    }
    const { converged, differences } = await run(twice, { share: 0 })
    expect(converged).toBe(false)
    expect(differences).toContainEqual(expect.stringMatching(/^User "\S+" is found 2 times by its userName$/))
  })

  it('keeps what it should delete, and forgets members', async () => {
    const store = new ScimStore()
    store.misbehave = ({ method, body }) =>
      method === 'DELETE' || JSON.stringify(body ?? '').includes('"path":"members"')
        ? new Response(null, { status: 204 })
        : undefined
    const { differences } = await run(store.fetch, { share: 0 })
    expect(differences).toContainEqual(
      expect.stringMatching(/^User "u\d+" still exists, although it was deleted$/),
    )
    expect(differences).toContainEqual(expect.stringMatching(/^Group ".+" lacks the member ".+"$/))
  })

  it('answers a change before it is stored, and loses it', async () => {
    const store = new ScimStore()
    store.misbehave = ({ method, path }) =>
      method === 'PATCH' && path.startsWith('/Users') ? new Response(null, { status: 204 }) : undefined
    const { differences } = await run(store.fetch, { share: 0 })
    expect(differences).toContainEqual(
      expect.stringMatching(/has displayName ".+ \(earlier\)", expected ".+"/),
    )
  })

  it('refuses an object in every cycle', async () => {
    const store = new ScimStore()
    store.misbehave = ({ method, path }) =>
      method === 'POST' && path === '/Groups'
        ? Response.json({ detail: 'no groups' }, { status: 400 })
        : undefined
    const { differences } = await run(store.fetch, { share: 0 })
    expect(differences[0]).toBe('The job still sends requests after 5 cycles without faults')
    expect(differences).toContainEqual(
      expect.stringMatching(/^Group ".+" was not provisioned: HTTP 400: no groups$/),
    )
  })
})

describe('the command mutate', () => {
  const command = async (fetch: Fetch, ...more: string[]) => {
    const folder = mkdtempSync(join(tmpdir(), 'entra-mutate-'))
    const file = join(folder, 'people.json')
    writeFileSync(file, JSON.stringify({ ...DOCUMENT, users: DOCUMENT.users.slice(0, 4), groups: [] }))
    const server = await serveStore({ fetch })
    const target = ['--tenant-url', server.tenantUrl, '--token', 't']
    const result = await runCli(['mutate', '--directory', file, ...target, ...more])
    await server.close()
    rmSync(folder, { recursive: true })
    return result
  }

  it('exits with 0 if the endpoint converged', async () => {
    const { code, stdout } = await command(new ScimStore().fetch, '--seed', '3', '--percent', '30')
    expect(stdout).toMatch(/^Seed 3, \d+ requests\. Mutated: \d+ \w+.*\nVerdict: converged, after \d+ cycles/)
    expect(code).toBe(0)
  })

  it('exits with 3 if it did not', async () => {
    const store = new ScimStore()
    store.misbehave = ({ method }) => (method === 'PATCH' ? new Response(null, { status: 204 }) : undefined)
    const { code, stdout } = await command(store.fetch, '--percent', '0', '--json')
    expect([code, JSON.parse(stdout).converged]).toEqual([3, false])
  })

  it('names the mutations that exist', async () => {
    const { code, stderr } = await command(new ScimStore().fetch, '--mutations', 'drop,melt')
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('Unknown mutation "melt": expected one of 429, 500, drop'),
    ])
  })
})
