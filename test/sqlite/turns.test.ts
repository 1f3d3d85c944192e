/**
 * Fair scheduling in a process that does one thing at a time: the turns alone, and the service without a port.
 */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { administrationDatabase } from '../../src/admin/database.ts'
import { startService } from '../../src/self-hosted/service.ts'
import { Turns } from '../../src/self-hosted/turns.ts'
import { noFigures } from '../../src/storage/database/database.ts'
import { ONE_DATABASE } from '../support/one-database.ts'
import { TEST_SETTINGS } from '../support/settings.ts'
import { MIGRATIONS, OPTIONS, temporaryFolder } from './support/files.ts'

/** Turns with a simulated clock, and a list of what was done in them. */
function newTurns() {
  const done: string[] = []
  const clock = { ms: 0 }
  const turns = new Turns(() => clock.ms)
  const work = async (owner: string, tookMs: number) => {
    await turns.take(owner)
    clock.ms += tookMs
    done.push(owner)
  }
  return { turns, clock, done, work }
}

describe('turns', () => {
  it('alternate between owners, in order for each, whatever number one sends', async () => {
    const { done, work } = newTurns()
    const sent: Promise<void>[] = []
    for (const owner of 'aaaaabc') {
      sent.push(work(owner, 1))
      await Promise.resolve()
    }
    await Promise.all(sent)
    expect(done.join('')).toBe('abcaaaa')
  })

  it('accept new owners after a long turn, in one round for each millisecond', async () => {
    const { turns, clock, done, work } = newTurns()
    await turns.take('a')
    clock.ms += 50
    const others = Array.from({ length: 3 }, () => work('a', 50))
    for (let round = 0; round < 40; round++) await setImmediate()
    expect(done).toEqual([])
    others.push(work('b', 1))
    await Promise.all(others)
    expect(done.join('')).toBe('abaa')
  })

  it('number the rounds in which there are some', async () => {
    const { turns } = newTurns()
    expect(turns.round).toBe(undefined)
    await turns.take('a')
    const first = turns.round
    expect(first).toBeTypeOf('number')
    await turns.take('b')
    expect(turns.round).toBe(first)
    await setImmediate()
    expect(turns.round).toBe(undefined)
    await turns.take('a')
    expect(turns.round).not.toBe(first)
  })

  it.for([
    ['four at most', 0, [4, 8, 9]],
    ['one short round', 0.5, [2, 4, 6, 8, 9]],
    ['one request that takes longer', 5, [1, 2, 3, 4, 5, 6, 7, 8, 9]],
  ] as const)('of one owner in a round are %s', async ([, tookMs, expected]) => {
    const { done, work } = newTurns()
    for (let request = 0; request < 9; request++) {
      void work('a', tookMs)
      await Promise.resolve()
    }
    const counts = [done.length]
    for (; done.length < 9; counts.push(done.length)) await setImmediate()
    expect(counts).toEqual(expected)
  })

  it('are given after a long turn although something else takes long in each round', async () => {
    const { turns, clock, done, work } = newTurns()
    await turns.take('a')
    clock.ms += 50
    const waiting = [work('a', 1), work('b', 1)]
    const rounds: string[] = []
    for (let round = 0; round < 10; round++) {
      await setImmediate()
      clock.ms += 20
      rounds.push(done.join(''))
    }
    // Three rounds take as long as the turn did.
    expect(rounds[5]).toMatch(/^b/)
    await Promise.all(waiting)
    expect(done.join('')).toBe('ba')
  })

  it('are given after new connections are accepted, also after a long commit that follows a turn', async () => {
    const { turns, clock, done, work } = newTurns()
    await turns.take('a')
    await setImmediate()
    const since = clock.ms
    clock.ms += 50
    turns.count(since)
    const sent = [work('a', 1)]
    for (let round = 0; round < 40; round++) await setImmediate()
    expect(done).toEqual([])
    await Promise.all(sent)
    turns.count(clock.ms)
    expect(turns.take('b')).toBeUndefined()
  })

  it('are taken by each batch of the administration, such as a page of an export', async () => {
    const { turns, done, work } = newTurns()
    const batch = async () => {
      done.push('batch')
      return []
    }
    const turn = (owner: string) => turns.take(owner)
    const db = administrationDatabase(
      { env: { ...ONE_DATABASE, openDatabase: () => ({ batch }), turn } },
      noFigures(),
    )
    const exported = async () => {
      for (let page = 0; page < 3; page++) await db.batch([])
    }
    await Promise.all([exported(), work('a', 50), work('b', 1)])
    expect(done).toEqual(['batch', 'a', 'b', 'batch', 'batch'])
  })

  it('are immediate for a single owner', async () => {
    const { turns } = newTurns()
    expect(turns.take('a')).toBeUndefined()
    expect(turns.take('b')).toBeUndefined()
    await setImmediate()
    expect(turns.take('a')).toBeUndefined()
  })
})

describe('the service', () => {
  /** Two tenants; each sends requests with a known token. */
  async function tenants() {
    const dataFolder = temporaryFolder()
    const service = startService(
      {
        ...OPTIONS,
        dataFolder,
        databaseFile: join(dataFolder, 'directory.sqlite'),
        databaseCount: 1,
        adminTokenIn: undefined,
        isAdminTokenNew: false,
        logRetentionDays: 30,
        eventRetentionDays: 30,
        trustProxy: false,
        metricsToken: undefined,
        rateLimits: { client: 1e6, tenant: 1e6, signIn: 100, failedAuthentication: 100 },
        listen: { host: '127.0.0.1', port: 0, tls: undefined },
        app: { ...TEST_SETTINGS, serverTiming: false },
      },
      MIGRATIONS,
    )
    const fetch = (method: string, path: string, token: string, body?: object) => {
      const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }
      const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }
      return service.fetch({ request: new Request(`http://a${path}`, init), address: '' })
    }
    const raw = (path: string, init: RequestInit) =>
      service.fetch({ request: new Request(`http://a${path}`, init), address: '' })
    const send = async (...request: Parameters<typeof fetch>) =>
      (await (await fetch(...request)).json()) as { id: string; token: string }
    const tenant = async (id: string) => {
      await send('POST', '/admin/api/tenants', 'test-admin-token', { id, name: id })
      const { token } = await send('POST', `/admin/api/tenants/${id}/tokens`, 'test-admin-token', {
        name: 't',
      })
      const scim = (method: string, path: string, body?: object) =>
        send(method, `/scim/v2${path}`, token, body)
      await scim('GET', '/Users')
      return Object.assign(scim, { token })
    }
    return { dataFolder, service, raw, many: await tenant('many'), one: await tenant('one') }
  }

  it.for<[what: string, method: string, path: string, body: object | undefined]>([
    ['reads', 'GET', '/Users?count=1', undefined],
    ['searches', 'POST', '/Users/.search', {}],
    ['writes', 'POST', '/Users', {}],
    ['refused writes', 'PATCH', '/Users/nobody', { Operations: [] }],
  ])('answers one request of a tenant soon after many %s of another', async ([, ...sent]) => {
    const { service, many, one } = await tenants()
    const [method, path, body] = sent
    const answered: string[] = []
    const bodyOf = (i: number) => body && { userName: `u${i}`, displayName: `g${i}`, ...body }
    const requests = Array.from({ length: 40 }, async (_, i) => {
      await many(method, path, bodyOf(i))
      answered.push('many')
    })
    const late = one(method, path, bodyOf(0)).then(() => answered.push('one'))
    await Promise.all([...requests, late])
    expect(answered.indexOf('one')).toBeLessThan(5)
    await service.stop()
  })

  it('answers one write of a tenant after at most two of many large writes of groups of another', async () => {
    const { service, many, one } = await tenants()
    const users = await Promise.all(
      Array.from({ length: 20 }, (_, i) => many('POST', '/Users', { userName: `u${i}` })),
    )
    const groups = await Promise.all(
      Array.from({ length: 12 }, (_, i) => many('POST', '/Groups', { displayName: `g${i}` })),
    )
    const value = users.map(({ id }) => ({ value: id, display: 'x'.repeat(4_000) }))
    const Operations = [{ op: 'add', path: 'members', value }]
    const answered: string[] = []
    const { promise: first, resolve } = Promise.withResolvers<void>()
    const large = groups.map(async ({ id }) => {
      await many('PATCH', `/Groups/${id}?attributes=id`, { Operations })
      answered.push('many')
      resolve()
    })
    await first
    const before = answered.length
    await one('POST', '/Users', { userName: 'u' }).then(() => answered.push('one'))
    expect(answered.indexOf('one') - before).toBeLessThan(3)
    await Promise.all(large)
    await service.stop()
  })

  it('answers one request of a tenant soon after another has begun to send many large bodies', async () => {
    const { service, raw, many, one } = await tenants()
    const [chunkBytes, chunks] = [64 * 1024, 8]
    let read = 0
    const send = async () => {
      let left = chunks
      const body = new ReadableStream<Uint8Array>(
        {
          pull(controller) {
            if (left-- === 0) return controller.close()
            read++
            controller.enqueue(new Uint8Array(chunkBytes).fill(0x20))
          },
        },
        { highWaterMark: 0 },
      )
      const headers = {
        Authorization: `Bearer ${many.token}`,
        'Content-Type': 'application/json',
        'Content-Length': String(chunks * chunkBytes),
      }
      // Node.js requires `duplex`, which the type of Workers lacks.
      const init = { method: 'POST', headers, body, duplex: 'half' }
      return (await raw('/scim/v2/Users', init)).status
    }
    const bodies = Array.from({ length: 20 }, send)
    await one('GET', '/Users/nobody')
    expect(read).toBeLessThan(10)
    expect(await Promise.all(bodies)).toEqual(bodies.map(() => 400))
    expect(read).toBe(chunks * bodies.length)
    await service.stop()
  })

  it.for([
    ['requests without a token', 'GET', '/scim/v2/Users'],
    ['bodies without a token', 'POST', '/scim/v2/Users'],
    ['unknown paths', 'POST', '/nowhere'],
  ] as const)('answers one request of a tenant soon after many %s', async ([, method, path]) => {
    const { service, raw, one } = await tenants()
    const answered: string[] = []
    const refused = Array.from({ length: 40 }, async () => {
      const { status } = await raw(path, { method, ...(method === 'POST' && { body: '{}' }) })
      answered.push('many')
      return status
    })
    await one('GET', '/Users/nobody').then(() => answered.push('one'))
    expect(answered.indexOf('one')).toBeLessThan(5)
    expect(await Promise.all(refused)).toEqual(refused.map(() => (path === '/nowhere' ? 404 : 401)))
    await service.stop()
  })

  it('answers a list without an index soon after many of another tenant have begun to wait', async () => {
    const { dataFolder, service, many, one } = await tenants()
    const file = new DatabaseSync(join(dataFolder, 'directory.sqlite'))
    file.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
      INSERT INTO users (tenant_id, id, data, keys, version, created_at, last_modified)
      SELECT 'many', 'u' || i, json_object('userName', 'u' || i, 'title', 'x'), json_object('userName', 'u' || i, 'title', 'x'), 1, 1, 1 FROM n`)
    file.close()
    const path = '/Users?count=1&filter=title%20co%20%22a%22'
    const answered: string[] = []
    const lists = Array.from({ length: 30 }, () => many('GET', path).then(() => answered.push('many')))
    // By then, all of them wait for the thread that reads, which answers one after the other.
    await expect.poll(() => answered.length, { interval: 1, timeout: 10_000 }).toBeGreaterThan(2)
    const before = answered.length
    await Promise.all([...lists, one('GET', path).then(() => answered.push('one'))])
    expect(answered.indexOf('one') - before).toBeLessThan(3)
    expect(answered.length - before).toBeGreaterThan(6)
    await service.stop()
  })
})
