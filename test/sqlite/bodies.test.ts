/**
 * Bodies of requests in progress: the number of bytes in memory, and the time that one may take.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  BODY_TIMEOUT_SECONDS,
  MAX_HELD_BODY_BYTES,
  MAX_HELD_BODY_BYTES_PER_TENANT,
} from '../../src/scim/limits.ts'
import { BodyBudget } from '../../src/self-hosted/held-bodies.ts'
import { type Service, startService } from '../../src/self-hosted/service.ts'
import { serverSettings } from '../support/server-settings.ts'
import { MIGRATIONS, temporaryFolder } from './support/files.ts'

const MIB = 1024 * 1024
const ORIGIN = 'http://scim.test'
let service: Service

beforeEach(() => {
  service = startService(serverSettings(temporaryFolder()), MIGRATIONS)
})
afterEach(async () => {
  vi.useRealTimers()
  await service.stop()
})

/** A body whose bytes the test sends one by one. */
function slowBody() {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  const body = new ReadableStream<Uint8Array>({
    start(its) {
      controller = its
    },
  })
  return {
    body,
    write: (bytes: number) => controller?.enqueue(new Uint8Array(bytes).fill(0x20)),
    end: () => controller?.close(),
    fail: () => controller?.error(new Error('the client has gone')),
  }
}

function send(path: string, token: string, body: BodyInit, headers: Record<string, string> = {}) {
  const init = {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', ...headers },
    body,
    duplex: 'half',
  }
  return service.fetch({ request: new Request(`${ORIGIN}${path}`, init), address: '192.0.2.1' })
}

/** A known token of a new tenant. */
async function newToken(): Promise<string> {
  const id = `t-${crypto.randomUUID().slice(0, 8)}`
  await send('/admin/api/tenants', 'test-admin-token', JSON.stringify({ id, name: 'Test' }))
  const made = await send(`/admin/api/tenants/${id}/tokens`, 'test-admin-token', '{"name":"Test"}')
  const { token } = (await made.json()) as { token: string }
  const headers = { Authorization: `Bearer ${token}` }
  await service.fetch({ request: new Request(`${ORIGIN}/scim/v2/Users`, { headers }), address: '' })
  return token
}

/** Waits until work in progress is idle: reading takes turns of the event loop. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((turn) => setImmediate(turn))
}

/** Waits until this number of bodies is being read: each has a timer. */
async function reading(bodies: number): Promise<void> {
  while (vi.getTimerCount() < bodies) await settle()
}

const invalid = [400, 'invalidSyntax']
const outcome = async (answer: Promise<Response>) => {
  const response = await answer
  return [response.status, ((await response.json()) as { scimType?: string }).scimType]
}

describe('the bytes of bodies in progress', () => {
  it.for(['declared', 'chunked'] as const)(
    'are bounded for each tenant, and released: %s',
    async (manner) => {
      const [token, other] = [await newToken(), await newToken()]
      const whole = MIB - 1
      const most = Math.floor(MAX_HELD_BODY_BYTES_PER_TENANT / whole)
      const headers: Record<string, string> = manner === 'declared' ? { 'Content-Length': String(whole) } : {}
      const bodies = Array.from({ length: most }, slowBody)
      const answers = bodies.map(({ body }) => send('/scim/v2/Users', token, body, headers))
      for (const { write } of bodies) write(whole)
      await settle()
      const more = await send('/scim/v2/Users', token, ' '.repeat(whole), headers)
      expect([more.status, Number(more.headers.get('Retry-After')) > 0]).toEqual([429, true])
      expect(await more.json()).toMatchObject({
        detail: expect.stringContaining(`${MAX_HELD_BODY_BYTES_PER_TENANT} bytes`),
      })
      // Other tenants do not wait for that tenant.
      expect((await send('/scim/v2/Users', other, '{"userName":"a"}')).status).toBe(201)
      for (const { end } of bodies) end()
      for (const answer of answers) expect(await outcome(answer)).toEqual(invalid)
      expect(await outcome(send('/scim/v2/Users', token, ' '.repeat(whole), headers))).toEqual(invalid)
    },
  )

  it('are bounded for all tenants together, with 503', async () => {
    const tenants = Math.ceil(MAX_HELD_BODY_BYTES / MAX_HELD_BODY_BYTES_PER_TENANT)
    const tokens = await Promise.all(Array.from({ length: tenants + 1 }, newToken))
    const last = tokens.pop() ?? ''
    const each = MAX_HELD_BODY_BYTES_PER_TENANT / MIB
    const bodies = tokens.flatMap((token) => Array.from({ length: each }, () => ({ token, ...slowBody() })))
    const headers = { 'Content-Length': String(MIB) }
    const answers = bodies.map(({ token, body }) => send('/scim/v2/Users', token, body, headers))
    await settle()
    const full = await send('/scim/v2/Users', last, '{}', { 'Content-Length': '2' })
    expect([full.status, Number(full.headers.get('Retry-After')) > 0]).toEqual([503, true])
    // A client that is gone holds no bytes.
    for (const { fail } of bodies) fail()
    for (const answer of answers) expect(await outcome(answer)).toEqual(invalid)
    expect((await send('/scim/v2/Users', last, '{"userName":"a"}')).status).toBe(201)
  })

  it('are released for every owner', () => {
    const budget = new BodyBudget({ bytes: 100, bytesPerOwner: 60 })
    const [one, two] = [budget.open(), budget.open()]
    one.take('a', 40)
    one.take('b', 10)
    two.take('a', 20)
    expect(() => two.take('a', 1)).toThrow('60 bytes')
    expect(() => two.take('b', 31)).toThrow('100 bytes')
    one.release()
    one.release()
    expect(budget.bytes).toBe(20)
    two.take('a', 40)
    two.release()
    expect(budget.bytes).toBe(0)
  })
})

describe('a stalled body', () => {
  it.for([
    ['/scim/v2/Users', {}],
    ['/scim/v2/Users', { 'Content-Length': '1000' }],
    ['/scim/v2/Bulk', {}],
    ['/admin/api/tenants', {}],
    ['/admin/api/tenants/default/import?end=missing', {}],
  ] as const)('is given up after a while, with 408: %s %j', async ([path, headers]) => {
    const token = path.startsWith('/scim') ? await newToken() : 'test-admin-token'
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { body, write } = slowBody()
    let status: number | undefined
    const answer = send(path, token, body, headers).then((response) => {
      status = response.status
    })
    await reading(1)
    write(10)
    await settle()
    await vi.advanceTimersByTimeAsync(BODY_TIMEOUT_SECONDS * 1000 - 1)
    expect(status).toBeUndefined()
    await vi.advanceTimersByTimeAsync(1)
    await answer
    expect(status).toBe(408)
  })

  it('is aborted although single bytes arrive, unless it is an import', async () => {
    const token = await newToken()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const [slow, long] = [slowBody(), slowBody()]
    const answer = send('/scim/v2/Users', token, slow.body)
    const imported = send('/admin/api/tenants/default/import', 'test-admin-token', long.body)
    await reading(2)
    for (let second = 0; second < BODY_TIMEOUT_SECONDS + 5; second += 5) {
      slow.write(1)
      long.write(1)
      await settle()
      await vi.advanceTimersByTimeAsync(5_000)
    }
    expect((await answer).status).toBe(408)
    long.end()
    // It is read to its end, and then refused for its contents.
    expect((await imported).status).toBe(400)
  })
})
