/** The requests of each provider, exactly and in order, against a recording double. */
import { describe, expect, it } from 'vitest'
import type { ProviderName } from '../../../src/entra/providers/providers.ts'
import authentik from '../../fixtures/providers/authentik.json' with { type: 'json' }
import google from '../../fixtures/providers/google.json' with { type: 'json' }
import jumpcloud from '../../fixtures/providers/jumpcloud.json' with { type: 'json' }
import okta from '../../fixtures/providers/okta.json' with { type: 'json' }
import oktaCatalogue from '../../fixtures/providers/okta-catalogue.json' with { type: 'json' }
import onelogin from '../../fixtures/providers/onelogin.json' with { type: 'json' }
import { error } from '../support/scim-store.ts'
import { EVENTS, jobOf, live, MIRELA, sentBy, TAVISH } from './life.ts'

describe('one life', () => {
  it.for([okta, oktaCatalogue, onelogin, jumpcloud, google, authentik])('of $name', async (fixture) => {
    const life = await live(jobOf(fixture.provider as ProviderName))
    expect(life.map(([event]) => event)).toEqual(fixture.events.map(({ event }) => event))
    for (const [index, [event, requests]] of life.entries())
      expect(requests, event).toEqual(fixture.events[index]?.requests)
  })

  it('has the same events for every provider', () => {
    for (const { events } of [okta, oktaCatalogue, onelogin, jumpcloud, google, authentik])
      expect(events.map(({ event }) => event)).toEqual(EVENTS.map(([event]) => event))
  })
})

const OKTA_HEADERS = {
  accept: 'application/scim+json',
  'accept-charset': 'utf-8',
  'user-agent': 'Okta SCIM Client 1.0.0',
}
const SCIM_JSON = { 'content-type': 'application/scim+json' }
const CHARSET = { 'content-type': 'application/scim+json; charset=utf-8' }

/** The headers of a request without a body, and those that a body adds. */
const HEADERS: Readonly<Record<ProviderName, readonly [object, object]>> = {
  entra: [{}, CHARSET],
  okta: [OKTA_HEADERS, CHARSET],
  'okta-catalogue': [OKTA_HEADERS, CHARSET],
  onelogin: [{ accept: 'application/json' }, { 'content-type': 'application/json' }],
  jumpcloud: [{ accept: 'application/scim+json' }, SCIM_JSON],
  google: [{}, SCIM_JSON],
  authentik: [{ accept: 'application/scim+json', ...SCIM_JSON }, {}],
}

describe('the headers', () => {
  it.for(Object.entries(HEADERS))('of %s', async ([provider, [always, withBody]]) => {
    const job = jobOf(provider as ProviderName)
    await job.cycle()
    for (const { body, headers } of job.store.received) {
      const { authorization, ...others } = Object.fromEntries(headers)
      expect(authorization).toBe('Bearer secret')
      expect(others).toEqual(body === undefined ? always : { ...always, ...withBody })
    }
  })
})

/** The waits after one 429 with a `Retry-After` of 7 seconds, of an HTTP date in 7 seconds, and without one. */
const WAITS: Readonly<Record<ProviderName, readonly [number[], number[], number[]]>> = {
  entra: [[7000], [7000], [1000]],
  okta: [[7000], [60_000], [60_000]],
  'okta-catalogue': [[7000], [60_000], [60_000]],
  onelogin: [[7000], [7000], [1000]],
  jumpcloud: [[7000], [7000], [1000]],
  google: [[7000], [7000], [1000]],
  authentik: [[], [], []],
}

describe('after 429', () => {
  const RETRY_AFTER = ['7', 'Mon, 04 May 2026 08:00:07 GMT', undefined]
  const cases = Object.entries(WAITS).flatMap(([provider, waits]) =>
    waits.map((wait, index) => [provider as ProviderName, RETRY_AFTER[index], wait] as const),
  )

  it.for(cases)('%s waits and repeats the request (Retry-After %s)', async ([provider, value, waits]) => {
    const job = jobOf(provider)
    let refused = 0
    job.store.misbehave = ({ method }) => {
      if (method !== 'POST' || refused++ > 0) return undefined
      return error(429, 'too many', undefined, value === undefined ? {} : { 'retry-after': value })
    }
    if (provider === 'jumpcloud') job.state.cycle = 1
    await job.cycle()
    expect(job.clock.slept).toEqual(waits)
    const posts = job.store.received.filter(({ method }) => method === 'POST')
    expect(posts.map(({ path }) => path)).toEqual(waits.length === 0 ? ['/Users'] : ['/Users', '/Users'])
  })

  it('authentik repeats the object in a later synchronization', async () => {
    const job = jobOf('authentik')
    job.store.misbehave = ({ method }) => (method === 'POST' ? error(429, 'too many') : undefined)
    await job.cycle()
    job.store.misbehave = () => undefined
    job.retryAll = true
    await job.cycle()
    expect(job.store.users.size).toBe(1)
  })
})

describe('a group', () => {
  const members = Array.from({ length: 150 }, (_, index) => `m-${index}`)
  const crowd = members.map((id) => ({ ...MIRELA, id, userPrincipalName: `${id}@quillfern.example` }))

  it('is pushed by Okta with at most 100 changes in one PATCH', async () => {
    const job = jobOf('okta-catalogue')
    job.directory.users = crowd
    job.directory.groups = [{ id: 'g', displayName: 'Crowd', members }]
    await job.cycle()
    const patches = sentBy(job).filter(({ method }) => method === 'PATCH')
    const counts = patches.map(({ body }) => {
      const [{ path, value }] = (body as { Operations: [{ path?: string; value: unknown[] }] }).Operations
      return path === 'members' ? value.length : 'name'
    })
    expect(counts).toEqual(['name', 100, 'name', 50])
    expect(job.store.membersOf(job.state.objects.g?.link?.targetId ?? '')).toHaveLength(150)
  })

  it.for([
    ['okta', 'PUT'],
    ['okta-catalogue', 'PATCH'],
  ] as const)('is pushed now by %s: all members, whatever the target has', async ([provider, method]) => {
    const job = jobOf(provider)
    job.directory.groups = [
      { id: 'full', displayName: 'Full', members: [TAVISH.id] },
      { id: 'empty', displayName: 'Empty', members: [] },
    ]
    await job.cycle()
    for (const group of job.store.groups.values()) group.members = [{ value: 'stranger' }]
    sentBy(job)
    job.pushNow = true
    await job.cycle()
    const sent = sentBy(job)
    const membersOf = (name: string) => job.store.membersOf(job.state.objects[name]?.link?.targetId ?? '')
    expect(membersOf('full')).toEqual([job.state.objects[TAVISH.id]?.link?.targetId])
    expect(membersOf('empty')).toEqual([])
    expect(sent.filter((request) => request.method === method)).toHaveLength(2)
  })

  it('keeps its members if reading it fails before the PUT', async () => {
    const job = jobOf('okta')
    job.directory.groups = [{ id: 'g', displayName: 'Crew', members: [TAVISH.id] }]
    job.store.misbehave = ({ method, path }) =>
      method === 'GET' && path.startsWith('/Groups/') ? error(500, 'broken') : undefined
    await job.cycle()
    expect(sentBy(job).filter(({ method }) => method === 'PUT')).toEqual([])
    job.store.misbehave = () => undefined
    job.retryAll = true
    await job.cycle()
    expect(job.store.membersOf(job.state.objects.g?.link?.targetId ?? '')).toHaveLength(1)
  })
})

describe('an object that the target has already', () => {
  it('is found by authentik after the conflict', async () => {
    const job = jobOf('authentik')
    job.store.users.set('old', { id: 'old', userName: TAVISH.userPrincipalName, active: true })
    job.directory.groups = [{ id: 'g', displayName: 'R&D "x"', members: [] }]
    job.store.groups.set('old-group', { id: 'old-group', displayName: 'R&D "x"' })
    await job.cycle()
    const lines = sentBy(job).map(({ method, path }) => `${method} ${path}`)
    expect(lines).toEqual([
      'GET /ServiceProviderConfig',
      'POST /Users',
      'GET /Users?filter=userName+eq+%22tavish.la%40quillfern.example%22',
      'PUT /Users/old',
      'POST /Groups',
      'GET /Groups?filter=displayName+eq+%22R%26D+%5C%22x%5C%22%22',
      'PATCH /Groups/old-group',
      'GET /Groups/old-group',
    ])
    expect(job.store.users.get('old')?.displayName).toBe(TAVISH.displayName)
  })

  it('fails if authentik finds it after the conflict and cannot update it', async () => {
    const job = jobOf('authentik')
    job.store.users.set('old', { id: 'old', userName: TAVISH.userPrincipalName })
    job.store.misbehave = ({ method }) => (method === 'PUT' ? error(404, 'gone') : undefined)
    await job.cycle()
    expect(job.log.map(({ statusInfo }) => statusInfo.status)).toEqual(['failure'])
    expect(sentBy(job).map(({ method }) => method)).toEqual(['GET', 'POST', 'GET', 'PUT'])
  })

  it('is chosen by OneLogin from all groups', async () => {
    const job = jobOf('onelogin')
    job.store.groups.set('other', { id: 'other', displayName: 'Field Crew South' })
    job.store.groups.set('same', { id: 'same', displayName: 'Field Crew' })
    job.directory.groups = [{ id: 'g', displayName: 'Field Crew', members: [] }]
    await job.cycle()
    expect(job.state.objects.g?.link?.targetId).toBe('same')
  })

  it('is created again by authentik if it is gone, and by no other provider', async () => {
    for (const [provider, users] of [
      ['authentik', 1],
      ['jumpcloud', 0],
    ] as const) {
      const job = jobOf(provider)
      await job.cycle()
      job.store.users.clear()
      Object.assign(job.user(TAVISH.id), { displayName: 'Tavish Lindqvist' })
      await job.cycle()
      expect(job.store.users.size, provider).toBe(users)
    }
  })
})

describe('a search that is answered with 404', () => {
  it.for([
    ['okta', 1],
    ['onelogin', 1],
    ['jumpcloud', 0],
  ] as const)('means for %s that there is no such user', async ([provider, users]) => {
    const job = jobOf(provider)
    job.state.cycle = 1
    job.store.misbehave = ({ path }) => (path.startsWith('/Users?filter') ? error(404, 'none') : undefined)
    await job.cycle()
    expect(job.store.users.size).toBe(users)
  })
})

describe('a user that is disabled before it is provisioned', () => {
  it('is created by authentik alone', async () => {
    for (const [provider, users] of [
      ['authentik', 1],
      ['okta', 0],
      ['google', 0],
    ] as const) {
      const job = jobOf(provider)
      Object.assign(job.user(TAVISH.id), { accountEnabled: false })
      await job.cycle()
      expect([...job.store.users.values()].map(({ active }) => active)).toEqual(users === 1 ? [false] : [])
    }
  })
})

describe('the connection test', () => {
  it('of JumpCloud deletes its user and group if a step fails', async () => {
    const job = jobOf('jumpcloud')
    job.store.misbehave = ({ method }) => (method === 'PUT' ? error(501, 'no PUT') : undefined)
    await expect(job.cycle()).rejects.toThrow('no PUT')
    expect(sentBy(job).map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /Users',
      'GET /Users/u1',
      'PUT /Users/u1',
      'DELETE /Users/u1',
    ])
    expect(job.store.users.size).toBe(0)
  })

  it.for([
    ['okta', 'GET /Users?startIndex=1&count=2'],
    ['google', 'GET /Users?count=1'],
    ['jumpcloud', 'POST /Users'],
    ['authentik', 'GET /ServiceProviderConfig'],
  ] as const)('of %s ends the cycle if it fails', async ([provider, line]) => {
    const job = jobOf(provider)
    job.store.misbehave = () => error(500, 'broken')
    await expect(job.cycle()).rejects.toThrow('broken')
    expect(job.store.takeLines()).toEqual([line])
  })
})
