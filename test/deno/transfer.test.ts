/**
 * Imports that are killed, and exports that are interrupted, on the real server with sockets and files.
 */
import { createHash } from 'node:crypto'
import { get, type IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import { DENO, DENO_MISSING } from './support/find-deno.ts'
import {
  ADMIN_TOKEN,
  buildModules,
  newToken,
  type RuntimeName,
  type Server,
  scim,
  startServer,
  temporaryFolder,
} from './support/server.ts'

/** Each after another part of the file, with at least one more batch. */
const KILLS = 3
const USERS = 12_000
const RUNTIMES: readonly RuntimeName[] = ['Deno', 'Node.js']
const modules = buildModules()

/** A file of users whose text exceeds the socket buffers. */
function fileOf(count: number, title: string): string {
  const lines = Array.from({ length: count }, (_, i) => {
    const id = `01a2097c-0000-7000-8000-${i.toString(16).padStart(12, '0')}`
    const resource = {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
      userName: `user-${i}@quillfern.example`,
      title,
      active: true,
    }
    return `${JSON.stringify({ kind: 'user', id, version: 1, createdAt: 1, lastModified: 2, resource })}\n`
  }).join('')
  const sha256 = createHash('sha256').update(lines).digest('hex')
  return `${lines}${JSON.stringify({ kind: 'end', users: count, groups: 0, memberships: 0, sha256 })}\n`
}

function admin(server: Server, method: string, path: string, body?: string): Promise<Response> {
  return fetch(`http://127.0.0.1:${server.port}/admin/api/tenants/default${path}`, {
    method,
    headers: { Authorization: `Bearer ${ADMIN_TOKEN}` },
    ...(body === undefined ? {} : { body }),
  })
}

/** Sends a body that does not end. */
function sendSlowly(server: Server, text: string): Promise<Response> {
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode(text)),
  })
  const init = { method: 'POST', headers: { Authorization: `Bearer ${ADMIN_TOKEN}` }, body, duplex: 'half' }
  return fetch(`http://127.0.0.1:${server.port}/admin/api/tenants/default/import`, init as RequestInit)
}

interface State {
  readonly state: string
  readonly userCount: number
  readonly importedLines?: number
}
const stateOf = async (server: Server) => (await (await admin(server, 'GET', '')).json()) as State

for (const runtime of RUNTIMES) {
  const isMissing = runtime === 'Deno' && DENO === undefined
  describe.skipIf(isMissing)(isMissing ? `on Deno (skipped: ${DENO_MISSING})` : `on ${runtime}`, () => {
    it('an import that is killed shows nothing, continues, and ends complete', {
      timeout: 120_000,
    }, async () => {
      const folder = temporaryFolder()
      const file = fileOf(USERS, 'Surveyor')
      let server = await startServer(modules, { runtime, folder })
      const token = await newToken(server.port)
      let lines = 0
      for (let kill = 1; kill <= KILLS; kill++) {
        // The rest is never sent.
        const part = file.slice(0, (file.length * kill) / (KILLS + 1))
        const sent = sendSlowly(server, part).catch(() => 'broken')
        const before = lines
        while (lines <= before) lines = (await stateOf(server)).importedLines ?? before
        server.child.kill('SIGKILL')
        expect([await server.ended, await sent]).toEqual([null, 'broken'])
        server = await startServer(modules, { runtime, folder })
        const { state, importedLines = 0, userCount } = await stateOf(server)
        expect([state, userCount]).toEqual(['importing', importedLines])
        expect(importedLines).toBeGreaterThanOrEqual(lines)
        lines = importedLines
        const { status, headers } = await scim(server.port, token, 'GET', '/Users')
        expect([status, headers.get('Retry-After')]).toEqual([503, '5'])
      }
      const answer = await admin(server, 'POST', '/import', file)
      expect([answer.status, await answer.json()]).toEqual([
        200,
        { imported: { user: USERS, group: 0, membership: 0 } },
      ])
      expect(await (await admin(server, 'GET', '/export')).text()).toBe(file)
      const list = await scim(server.port, token, 'GET', '/Users?count=0')
      expect(await list.json()).toMatchObject({ totalResults: USERS })
      server.child.kill('SIGTERM')
      expect(await server.ended).toBe(0)
    })

    it('an interrupted export ends with an error, not like a complete one', {
      timeout: 120_000,
    }, async () => {
      const folder = temporaryFolder()
      const server = await startServer(modules, { runtime, folder })
      const file = fileOf(USERS, 't'.repeat(1_000))
      expect((await admin(server, 'POST', '/import', file)).status).toBe(200)
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        const url = `http://127.0.0.1:${server.port}/admin/api/tenants/default/export`
        get(url, { headers: { Authorization: `Bearer ${ADMIN_TOKEN}` } }, resolve).on('error', reject)
      })
      expect(response.statusCode).toBe(200)
      // The client does not read, so the server waits, and the tenant is deleted meanwhile.
      expect((await admin(server, 'DELETE', '')).status).toBe(204)
      let text = ''
      response.setEncoding('utf8').on('data', (chunk) => (text += chunk))
      const failure = await new Promise((resolve) =>
        response.on('error', resolve).on('end', () => resolve('ended')),
      )
      expect(failure).toMatchObject({ code: 'ECONNRESET' })
      expect(response.complete).toBe(false)
      expect(text.length).toBeGreaterThan(0)
      expect(text).not.toContain('"kind":"end"')
      server.child.kill('SIGTERM')
      expect(await server.ended).toBe(0)
    })
  })
}
