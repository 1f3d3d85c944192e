/**
 * Hostile input over HTTP: never a server error, never HTML, no invalid data stored, and a processing time proportional
 * to the size of the body.
 */
import { exports } from 'cloudflare:workers'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Answer, type Client, newClient } from '../support/harness.ts'
import { soundState } from '../support/tenant-state.ts'
import { LARGE_BODIES, operations } from './hostile/bodies.ts'
import { hostile } from './hostile/grammar.ts'

const SEEDS = [11, 12]
const REQUESTS = 1_000
const MIB = 1024 * 1024

function expectDecent({ status, headers, body }: Answer, what: string): void {
  expect(status < 500 || status === 501, `${status} to ${what}`).toBe(true)
  if (body === undefined) return
  expect(headers.get('Content-Type'), what).toMatch(/^application\/scim\+json/)
  if (status >= 400) expect(body, what).toMatchObject({ status: String(status) })
}

describe('requests generated from the grammars', () => {
  it.for(SEEDS)('never cause a server error, seed %i', { timeout: 600_000 }, async (seed) => {
    const client = await newClient({ groupLimit: 1_000_000 })
    const user = await client.createUser()
    const group = await client.createGroup({ members: [{ value: user.id }] })
    const property = fc.asyncProperty(hostile(user.id, group.id), async ({ method, path, body, headers }) => {
      const answer = await client.request(method, path, body, { ...headers })
      expectDecent(answer, `${method} ${path} ${JSON.stringify(headers)} ${body}`)
    })
    await fc.assert(property, { seed, numRuns: REQUESTS / SEEDS.length })
    await soundState(client.tenantId)
    expect(Object.keys(Object.prototype)).toEqual([])
    expect(({} as Record<string, unknown>).active).toBeUndefined()
  })
})

async function milliseconds(
  client: Client,
  shape: readonly [string, string, string],
  rounds: number,
): Promise<number> {
  let best = Number.POSITIVE_INFINITY
  for (let i = 0; i < rounds; i++) {
    const started = performance.now()
    const answer = await client.request(...shape)
    best = Math.min(best, performance.now() - started)
    expectDecent(answer, `${shape[0]} ${shape[1]}`)
  }
  return best
}

describe.for(Object.entries(LARGE_BODIES))('a large body of %s', ([, shape]) => {
  it('takes time proportional to its size', { timeout: 120_000 }, async () => {
    const client = await newClient()
    const [user1, small, large] = [await client.createUser(), 200 * 1024, 800 * 1024]
    const of = (size: number) => {
      const [method, path, body] = shape(size)
      return [method, path.replace('/x', `/${user1.id}`), body] as const
    }
    const little = await milliseconds(client, of(small), 3)
    const much = await milliseconds(client, of(large), 2)
    // Four times the size may take less than 16 times the time, which would be quadratic. The margin allows for a busy
    // machine.
    expect(much).toBeLessThan(10 * little + 500)
    expect(much).toBeLessThan(10_000)
  })
})

describe('the limits of a body', () => {
  it('hold without Content-Length: an endless stream is aborted', async () => {
    const client = await newClient()
    let sent = 0
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 65_536
        if (sent > 64 * MIB) controller.close()
        else controller.enqueue(new Uint8Array(65_536).fill(0x20))
      },
    })
    const response = await exports.default.fetch(
      new Request('https://scim.test/scim/v2/Users', {
        method: 'POST',
        headers: { Authorization: `Bearer ${client.token}`, 'Content-Type': 'application/scim+json' },
        body,
      }),
    )
    expect(response.status).toBe(413)
    await response.text()
    expect(sent).toBeLessThan(8 * MIB)
  })

  it.for(['/Users', '/Groups', '/Bulk', '/.search', '/Users/.search'])('apply to %s', async (path) => {
    const client = await newClient()
    const answer = await client.request('POST', path, `{"a":"${'x'.repeat(MIB)}"}`)
    expect(answer.status).toBe(413)
  })

  it('hold for operations: 10,000 in a bulk request are rejected immediately', async () => {
    const client = await newClient()
    const Operations = Array.from({ length: 10_000 }, () => ({ method: 'DELETE', path: '/Users/x' }))
    const answer = await client.request('POST', '/Bulk', {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
      Operations,
    })
    expect(answer.status).toBe(413)
    expect((await soundState(client.tenantId)).log).toEqual([])
  })

  it('hold for 10,000 operations of a PATCH, which is applied completely or rejected', async () => {
    const client = await newClient()
    const { id } = await client.createUser()
    const body = operations(10_000, (i) => `{"op":"replace","path":"title","value":"${i}"}`)
    const answer = await client.request('PATCH', `/Users/${id}`, body)
    expect([200, 400, 413]).toContain(answer.status)
    if (answer.status === 200) expect(answer.body.title).toBe('9999')
  })

  it.for(['gzip', 'deflate', 'br', 'zstd', 'gzip, gzip'])('cannot be bypassed with %s', async (encoding) => {
    const client = await newClient()
    const answer = await client.request('POST', '/Users', 'x', { 'Content-Encoding': encoding })
    expect(answer.status).toBe(415)
  })
})
