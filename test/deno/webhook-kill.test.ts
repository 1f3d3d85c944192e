/**
 * `kill -9` while events are delivered: no event is lost, none comes before an earlier one, and a repetition has the same
 * id and the same body.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { startReceiver } from '../support/webhook-receiver.ts'
import { DENO, DENO_MISSING } from './support/find-deno.ts'
import {
  ADMIN_TOKEN,
  buildModules,
  type RuntimeName,
  type Server,
  startServer,
  temporaryFolder,
} from './support/server.ts'

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
const KILLS = 4
const RUNTIMES: readonly RuntimeName[] = ['Deno', 'Node.js']

const modules = buildModules()

async function call(server: Server, method: string, path: string, token: string, body?: unknown) {
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  // biome-ignore lint/suspicious/noExplicitAny: -- tests assert on what they read
  return { status: response.status, body: (text === '' ? undefined : JSON.parse(text)) as any }
}

const pause = (ms: number) => new Promise((wait) => setTimeout(wait, ms))

describe('kill -9 during deliveries', () => {
  for (const runtime of RUNTIMES) {
    const isMissing = runtime === 'Deno' && DENO === undefined
    const name = isMissing ? `on Deno (skipped: ${DENO_MISSING})` : `on ${runtime}`
    it.skipIf(isMissing)(
      `${name}: loses nothing, keeps the order, and repeats with the same id`,
      {
        timeout: 120_000,
      },
      async () => {
        const folder = temporaryFolder()
        mkdirSync(join(folder, 'data'))
        const start = () => startServer(modules, { runtime, folder, env: { ALLOW_LOOPBACK_WEBHOOKS: '1' } })
        let server = await start()
        const receiver = await startReceiver((response) => {
          setTimeout(() => response.writeHead(204).end(), 20)
        })
        const admin = (method: string, path: string, body?: unknown) =>
          call(server, method, `/admin/api/tenants/default${path}`, ADMIN_TOKEN, body)
        const { token } = (await admin('POST', '/tokens', { name: 'Test' })).body
        const webhook = (await admin('POST', '/webhooks', { url: receiver.url })).body
        // After the events of the token and of the webhook.
        const created = (await call(server, 'GET', '/events?after=now', token)).body.cursor
        let isOver = false
        const writing = (async () => {
          for (let i = 0; !isOver; i++) {
            const user = { schemas: [USER], userName: `user-${i}` }
            await call(server, 'POST', '/scim/v2/Users', token, user).catch(() => undefined)
            await pause(5)
          }
        })()
        let repeated = 0
        for (let kill = 0; kill < KILLS; kill++) {
          const before = receiver.received.length
          await expect.poll(() => receiver.received.length, { timeout: 20_000 }).toBeGreaterThan(before + 10)
          await pause(kill * 7)
          server.child.kill('SIGKILL')
          await server.ended
          server = await start()
        }
        isOver = true
        await writing
        const healthy = { eventsBehind: 0, lastError: null }
        await expect
          .poll(async () => (await admin('GET', `/webhooks/${webhook.id}`)).body, { timeout: 30_000 })
          .toMatchObject(healthy)
        const events: string[] = []
        for (let cursor = `&after=${created}`, isMore = true; isMore; ) {
          const { body } = await call(server, 'GET', `/events?limit=500${cursor}`, token)
          events.push(...body.events.map(({ id }: { id: string }) => id))
          cursor = `&after=${body.cursor}`
          isMore = body.hasMore
        }
        const bodies = new Map<string, string>()
        const inOrder: string[] = []
        for (const { id, body } of receiver.received) {
          if (bodies.has(id)) repeated++
          else inOrder.push(id)
          expect(bodies.get(id) ?? body).toBe(body)
          bodies.set(id, body)
        }
        expect(inOrder).toEqual(events)
        // The kills hit deliveries, not the time between them.
        expect(repeated).toBeGreaterThan(0)
        server.child.kill('SIGTERM')
        expect(await server.ended).toBe(0)
        await receiver.close()
      },
    )
  }
})
