/** The races of `concurrency`: what a racy endpoint loses is counted, and an endpoint with a lock loses nothing. */
import { describe, expect, it } from 'vitest'
import { checkConcurrency } from '../../../src/entra/concurrency/check-concurrency.ts'
import type { RaceResult } from '../../../src/entra/concurrency/race.ts'
import type { Fetch } from '../../../src/entra/protocol/fetch.ts'
import type { Dialect } from '../../../src/entra/protocol/requests.ts'
import { parseTenantUrl } from '../../../src/entra/protocol/tenant-url.ts'
import { secretToken } from '../../../src/entra/protocol/token-source.ts'
import { serveStore } from '../support/http-server.ts'
import { ManualClock } from '../support/job-harness.ts'
import { racyFetch } from '../support/racy-endpoint.ts'
import { runCli } from '../support/run-cli.ts'
import { BASE, error, ScimStore } from '../support/scim-store.ts'

function race(fetch: Fetch, dialect: Dialect = 'old', signal?: AbortSignal): Promise<RaceResult[]> {
  return checkConcurrency({
    tenantUrl: parseTenantUrl(BASE),
    tokens: secretToken('t'),
    fetch,
    clock: new ManualClock(),
    newId: () => crypto.randomUUID(),
    dialect,
    ...(signal === undefined ? {} : { signal }),
  })
}

const graded = (results: readonly RaceResult[]) => results.map(({ title, grade }) => [grade, title])
const TITLES = [
  '40 clients add a member each to one group',
  '40 clients remove a member each from one group',
  '40 clients change an attribute each of one user',
  '40 clients create a user of the same name',
  '40 clients create a group of the same name',
]

describe('an endpoint that protects its changes', () => {
  it.each<Dialect>(['old', 'flag'])('loses nothing in the %s dialect, and keeps nothing', async (dialect) => {
    const store = new ScimStore()
    const results = await race(store.fetch, dialect)
    expect(graded(results)).toEqual(TITLES.map((title) => ['success', title]))
    expect(results.map(({ sent, acknowledged, lost }) => [sent, acknowledged, lost])).toEqual([
      [40, 40, 0],
      [40, 40, 0],
      [40, 40, 0],
      [40, 1, 0],
      [40, 1, 0],
    ])
    expect([store.users.size, store.groups.size]).toEqual([0, 0])
  })
})

describe('an endpoint that reads, computes and writes', () => {
  it('loses members and removals, which are counted', async () => {
    const store = new ScimStore()
    const [added, removed, ...others] = await race(racyFetch(store, { groups: true }))
    expect(added).toMatchObject({ grade: 'error', acknowledged: 40, lost: 39 })
    expect(added?.message).toBe('40 of 40 acknowledged, 39 members lost')
    expect(added?.consequence).toContain('Entra does not send memberships again')
    // Of the one member that was added, the last of 40 removals may be that of another.
    expect(removed?.acknowledged).toBe(40)
    expect(others.map(({ grade }) => grade)).toEqual(['success', 'success', 'success'])
  })

  it('loses values of a user', async () => {
    const results = await race(racyFetch(new ScimStore(), { users: true }))
    expect(results[2]).toMatchObject({ grade: 'error', acknowledged: 40, lost: 39 })
  })

  it('creates objects of the same name', async () => {
    const store = new ScimStore()
    const results = await race(racyFetch(store, { creates: true }))
    const [users, groups] = results.slice(3)
    for (const created of [users, groups])
      expect(created).toMatchObject({
        grade: 'error',
        message: '40 of 40 created, 40 found by the name',
        lost: 39,
      })
    expect([store.users.size, store.groups.size]).toEqual([0, 0])
  })
})

describe('an endpoint that refuses some of the concurrent requests', () => {
  it('is acceptable, because refused requests are repeated', async () => {
    const store = new ScimStore()
    let patches = 0
    store.misbehave = ({ method, path }) =>
      method === 'PATCH' && path.startsWith('/Groups') && ++patches > 3 && patches % 4 === 0
        ? error(409, 'the group was changed meanwhile')
        : undefined
    const [added] = await race(store.fetch)
    expect(added).toMatchObject({ grade: 'acceptable', acknowledged: 30, refused: 10, lost: 0 })
    expect(added?.message).toContain('10 refused (EntryConflict: HTTP 409: the group was changed meanwhile)')
  })

  it('is an error if it refuses all of them', async () => {
    const store = new ScimStore()
    let patches = 0
    store.misbehave = ({ method, path }) =>
      method === 'PATCH' && path.startsWith('/Groups') && ++patches > 3 ? error(503, 'busy') : undefined
    const [added] = await race(store.fetch)
    expect(added).toMatchObject({ grade: 'error', acknowledged: 0, refused: 40, lost: 0 })
  })
})

describe('what is not a lost update', () => {
  it('is a read that shows the changes later', async () => {
    const store = new ScimStore()
    const stale = new Map<string, Response>()
    const fetch: Fetch = async (url, init) => {
      const answer = (await store.fetch(url, init)) as Response
      const isRead = init.method === 'GET' && /\/Groups\/[^?]+$/.test(url)
      if (!isRead) return answer
      // Every second read is answered like the one before it.
      const earlier = stale.get(url)
      if (earlier === undefined) stale.set(url, answer.clone())
      else stale.delete(url)
      return earlier ?? answer
    }
    const [added] = await race(fetch)
    expect(added).toMatchObject({ grade: 'success', lost: 0 })
  })

  it('is a group whose members are not returned', async () => {
    const store = new ScimStore()
    store.misbehave = ({ method, path }) =>
      method === 'GET' && path.startsWith('/Groups/') ? Response.json({ id: path.slice(8) }) : undefined
    const [members] = await race(store.fetch)
    expect(members).toMatchObject({
      grade: 'error',
      lost: 0,
      message: 'a member that one client added is not in the group, so nothing can be counted',
    })
  })

  it('is an attribute that the endpoint does not store', async () => {
    const store = new ScimStore()
    store.misbehave = ({ body }) =>
      /addresses|phoneNumbers/.test(JSON.stringify(body ?? ''))
        ? new Response(null, { status: 204 })
        : undefined
    const results = await race(store.fetch)
    expect(results[2]).toMatchObject({ grade: 'success', lost: 0 })
    expect(results[2]?.title).toMatch(/^2\d clients change an attribute each of one user$/)
  })

  it('is a group name that the endpoint lets groups share', async () => {
    const store = new ScimStore()
    let id = 0
    store.misbehave = ({ method, path, body }) => {
      if (method !== 'POST' || path !== '/Groups') return undefined
      const resource = { ...(body as object), id: `shared${++id}` }
      store.groups.set(resource.id, resource)
      return Response.json(resource, { status: 201 })
    }
    expect((await race(store.fetch)).at(-1)).toMatchObject({ grade: 'skipped', lost: 0 })
    expect(store.groups.size).toBe(0)
  })
})

describe('the clean-up', () => {
  it('leaves the objects of others to an endpoint that ignores filters', async () => {
    const store = new ScimStore()
    store.users.set('resident', { id: 'resident', userName: 'resident@quillfern.example' })
    store.misbehave = ({ method, path, body }) => {
      if (method === 'GET' && path.includes('filter='))
        return Response.json({ totalResults: 1, Resources: [...store.users.values()] })
      // Without an id, the user must be searched for.
      return method === 'POST' && path === '/Users' ? Response.json(body, { status: 201 }) : undefined
    }
    await race(store.fetch)
    expect([...store.users.keys()]).toEqual(['resident'])
  })

  it('deletes what a lost response created', async () => {
    const store = new ScimStore()
    store.loseResponse = ({ method, path }) => method === 'POST' && path === '/Users'
    const results = await race(store.fetch)
    expect(results[0]).toMatchObject({
      grade: 'error',
      message: expect.stringContaining('cannot be created'),
    })
    expect([store.users.size, store.groups.size]).toEqual([0, 0])
  })

  it('reports what it could not delete', async () => {
    const store = new ScimStore()
    store.misbehave = ({ method }) => (method === 'DELETE' ? error(403, 'no deletions') : undefined)
    const last = (await race(store.fetch)).at(-1)
    expect(last).toMatchObject({ title: 'clean up', grade: 'error' })
    expect(last?.message).toContain('(HTTP 403)')
  })

  it('follows an interruption', async () => {
    const store = new ScimStore()
    const stop = new AbortController()
    store.misbehave = ({ method }) => {
      if (method === 'PATCH') stop.abort()
      return undefined
    }
    expect(await race(store.fetch, 'old', stop.signal)).toHaveLength(2)
    expect([store.users.size, store.groups.size]).toEqual([0, 0])
  })
})

describe('the command concurrency', () => {
  const run = async (fetch: Fetch, ...more: string[]) => {
    const server = await serveStore({ fetch })
    const result = await runCli(['concurrency', '--tenant-url', server.tenantUrl, '--token', 't', ...more])
    await server.close()
    return result
  }

  it('exits with 0 if nothing was lost', async () => {
    const { code, stdout } = await run(new ScimStore().fetch)
    expect([code, stdout]).toEqual([0, expect.stringContaining('Verdict: success, 0 lost')])
    expect(stdout).toContain(
      'success     40 clients add a member each to one group: 40 of 40 acknowledged, 0 members lost',
    )
  })

  it('exits with 3, and counts what was lost', async () => {
    const racy = racyFetch(new ScimStore(), { creates: true })
    const { code, stdout } = await run(racy, '--clients', '10', '--json')
    const { verdict, lost, results } = JSON.parse(stdout)
    expect([code, verdict]).toEqual([3, 'error'])
    expect(lost).toBe(18)
    expect(results[3]).toMatchObject({ sent: 10, title: '10 clients create a user of the same name' })
  })

  it('ends at once if the endpoint does not answer', async () => {
    const target = ['--tenant-url', 'http://127.0.0.1:1/scim/v2', '--token', 't']
    const { code, stdout } = await runCli(['concurrency', ...target])
    expect([code, stdout]).toEqual([3, expect.stringContaining('ECONNREFUSED')])
  })
})
