/**
 * A database that can be read but not written: D1 at its maximum size, or read-only.
 */
import { createExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, it, vi } from 'vitest'
import { rememberedHealth } from '../../src/storage/database/health.ts'
import worker, { type WorkerEnv } from '../../src/worker.ts'
import { newClient, ORIGIN, TENANT_URL } from '../support/harness.ts'

describe('/healthz', () => {
  it('answers 503 without detail when the database can be read but not written', async () => {
    const { binding } = counting(true)
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const answer = await ask(binding, `${ORIGIN}/healthz`)
    vi.restoreAllMocks()
    expect([answer.status, await answer.json()]).toEqual([503, { status: 'unavailable' }])
  })

  it('queries the database once for concurrent requests, and leaves no rows behind', async () => {
    const { binding, batches } = counting(false)
    for (let i = 0; i < 20; i++) {
      const answer = await ask(binding, `${ORIGIN}/healthz`)
      expect([answer.status, await answer.json()]).toEqual([200, { status: 'ok' }])
    }
    expect(batches()).toBe(1)
    const left = await env.DB.prepare(
      "SELECT count(*) AS n FROM ended_sessions WHERE id LIKE 'probe%'",
    ).first()
    expect(left).toEqual({ n: 0 })
  })

  it('names the database that does not respond to the administrator', async () => {
    const batch = () => Promise.reject(new Error('D1_ERROR: Network connection lost.'))
    const binding = { ...counting(false).binding, batch } as unknown as D1Database
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const answer = await ask(binding, `${ORIGIN}/healthz?verbose`, {
      Authorization: 'Bearer test-admin-token',
    })
    vi.restoreAllMocks()
    expect(answer.status).toBe(503)
    expect(await answer.json()).toMatchObject({
      status: 'unavailable',
      databases: [{ name: 'DB', error: 'it does not respond, or is not the right one' }],
    })
  })

  it('detects a recovery within one second and a failure within ten', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    let now = 0
    let isBroken = true
    const probe = async () => {
      if (isBroken) throw new Error('full')
    }
    const isHealthy = rememberedHealth(probe, () => now)
    expect(await isHealthy()).toBe(false)
    isBroken = false
    expect(await isHealthy()).toBe(false)
    now = 1_000
    expect(await isHealthy()).toBe(true)
    isBroken = true
    now = 10_999
    expect(await isHealthy()).toBe(true)
    now = 11_000
    expect(await isHealthy()).toBe(false)
    vi.restoreAllMocks()
  })
})

describe('a read', () => {
  it('succeeds when only the last use of the token cannot be written', async () => {
    const client = await newClient()
    const { id } = await client.createUser()
    const { binding, batches } = counting(true)
    const read = () => ask(binding, `${TENANT_URL}/Users/${id}`, { Authorization: `Bearer ${client.token}` })
    const now = Date.now()
    vi.spyOn(Date, 'now').mockReturnValue(now + 10 * 60_000)
    const answers = [await read(), await read()]
    vi.restoreAllMocks()
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    // The first request was repeated without the update.
    expect(batches()).toBe(3)
  })
})

function ask(binding: D1Database, url: string, headers: Record<string, string> = {}): Promise<Response> {
  const its = { ...env, DB: binding } as unknown as WorkerEnv
  return Promise.resolve(worker.fetch(new Request(url, { headers }), its, createExecutionContext()))
}

/** The real D1 with counted batches. If it is full, it rejects batches that write. */
function counting(isFull: boolean): { binding: D1Database; batches: () => number } {
  const writing = new Set<unknown>()
  let count = 0
  const binding = {
    prepare: (text: string) => {
      const statement = env.DB.prepare(text)
      const bind = (...params: unknown[]) => {
        const bound = statement.bind(...params)
        if (!/^SELECT/i.test(text)) writing.add(bound)
        return bound
      }
      return { bind }
    },
    batch: (statements: D1PreparedStatement[]) => {
      count++
      if (isFull && statements.some((statement) => writing.has(statement))) {
        throw new Error('D1_ERROR: Exceeded maximum DB size.')
      }
      return env.DB.batch(statements)
    },
  }
  return { binding: binding as unknown as D1Database, batches: () => count }
}
