/**
 * Processor time of hostile bodies: at most 50 ms for each 100 KB, whatever they contain. Measured in Node.js, which
 * distinguishes processor time from waiting; workerd runs the same code on the same engine.
 */
import { describe, expect, it } from 'vitest'
import { LARGE_BODIES } from '../reliability/hostile/bodies.ts'
import { exports } from './support/worker.ts'

const ORIGIN = 'https://scim.test'
const BYTES = 400 * 1024
const LIMIT_MS = (50 * BYTES) / (100 * 1024)
const ROUNDS = 4

async function send(method: string, path: string, token: string, body: string): Promise<Response> {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }
  return await exports.default.fetch(new Request(`${ORIGIN}${path}`, { method, headers, body }))
}

async function newToken(): Promise<string> {
  const answer = await send(
    'POST',
    '/admin/api/tenants/default/tokens',
    'test-admin-token',
    '{"name":"Test"}',
  )
  return ((await answer.json()) as { token: string }).token
}

/** The minimum of several rounds: the first ones also compile the code. */
async function processorMs(run: () => Promise<unknown>): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let i = 0; i < ROUNDS; i++) {
    const before = process.cpuUsage()
    await run()
    const { user, system } = process.cpuUsage(before)
    least = Math.min(least, (user + system) / 1000)
  }
  return least
}

describe('the processor time of a large body', () => {
  it.for(Object.keys(LARGE_BODIES))('of %s is bounded', { timeout: 60_000 }, async (name) => {
    const token = await newToken()
    const userName = JSON.stringify(crypto.randomUUID())
    const created = await send('POST', '/scim/v2/Users', token, `{"userName":${userName}}`)
    const { id } = (await created.json()) as { id: string }
    const [method, path, body] = LARGE_BODIES[name]?.(BYTES) ?? ['GET', '', '']
    const spent = await processorMs(async () => {
      const answer = await send(method, `/scim/v2${path.replace('/x', `/${id}`)}`, token, body)
      expect(answer.status).toBeLessThan(500)
      await answer.text()
    })
    expect(spent).toBeLessThan(LIMIT_MS)
  })
})
