/**
 * Readers of the event feed that wait, with sockets: they may leave, and the server may end.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { MAX_WAITING_READERS } from '../../src/scim/limits.ts'
import { DENO, DENO_MISSING } from './support/find-deno.ts'
import { buildModules, newToken, type Server, scim, startServer, temporaryFolder } from './support/server.ts'

const TIMEOUT_MS = 60_000

let modules: string
beforeAll(() => {
  modules = buildModules()
})

const feed = ({ port }: Server, token: string, query: string, signal?: AbortSignal) =>
  fetch(`http://127.0.0.1:${port}/events${query}`, {
    headers: { Authorization: `Bearer ${token}` },
    ...(signal && { signal }),
  })

for (const runtime of ['Deno', 'Node.js'] as const) {
  const isMissing = runtime === 'Deno' && DENO === undefined
  const where = isMissing ? `on Deno (skipped: ${DENO_MISSING})` : `on ${runtime}`
  describe.skipIf(isMissing)(`a reader that waits, ${where}`, () => {
    const started = async () => {
      const server = await startServer(modules, { runtime, folder: temporaryFolder() })
      const token = await newToken(server.port)
      const answer = await feed(server, token, '?after=now')
      const { cursor } = (await answer.json()) as { cursor: string }
      return { server, token, cursor }
    }

    it('makes room for another one when it leaves', { timeout: TIMEOUT_MS }, async () => {
      const { server, token, cursor } = await started()
      const leave = new AbortController()
      const wait = () => feed(server, token, `?after=${cursor}&wait=25`, leave.signal)
      // One more than may wait: the first answer is its refusal.
      const waiting = Array.from({ length: MAX_WAITING_READERS + 1 }, wait)
      expect((await Promise.race(waiting)).status).toBe(429)
      leave.abort()
      const ends = await Promise.allSettled(waiting)
      expect(ends.filter(({ status }) => status === 'rejected')).toHaveLength(MAX_WAITING_READERS)
      let status = 429
      for (let i = 0; i < 20 && status !== 200; i++) {
        await new Promise((wait) => setTimeout(wait, 100))
        status = (await feed(server, token, `?after=${cursor}&wait=1`)).status
      }
      expect(status).toBe(200)
      server.child.kill('SIGTERM')
      await server.ended
    })

    it('gets an answer when the server ends, and sees the last write', { timeout: TIMEOUT_MS }, async () => {
      const { server, token, cursor } = await started()
      const waiting = Array.from({ length: 20 }, () => feed(server, token, `?after=${cursor}&wait=25`))
      await new Promise((wait) => setTimeout(wait, 300))
      const began = Date.now()
      const created = await scim(server.port, token, 'POST', '/Users', { userName: 'last' })
      expect(created.status).toBe(201)
      server.child.kill('SIGTERM')
      for (const answer of await Promise.all(waiting)) {
        expect(answer.status).toBe(200)
        const { events } = (await answer.json()) as { events: { data: { userName: string } }[] }
        expect(events.map(({ data }) => data.userName)).toEqual(['last'])
      }
      expect(await server.ended).toBe(0)
      expect(Date.now() - began).toBeLessThan(10_000)
    })
  })
}
