/**
 * Imports that are killed, and exports that are interrupted, on the real server with sockets and files.
 */
import { createHash } from 'node:crypto'
import { get, type IncomingMessage } from 'node:http'
import { DatabaseSync } from 'node:sqlite'
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
function sendSlowly(server: Server, text: string, path = '/import'): Promise<Response> {
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode(text)),
  })
  const init = { method: 'POST', headers: { Authorization: `Bearer ${ADMIN_TOKEN}` }, body, duplex: 'half' }
  return fetch(`http://127.0.0.1:${server.port}/admin/api/tenants/default${path}`, init as RequestInit)
}

/** Whether a part of an upload is stored. */
function hasChunks({ databaseFile }: Server): boolean {
  const database = new DatabaseSync(databaseFile, { readOnly: true, timeout: 5_000 })
  try {
    return database.prepare('SELECT 1 FROM transfer_chunks LIMIT 1').get() !== undefined
  } finally {
    database.close()
  }
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

    it('jobs that are killed continue by themselves, and end complete', {
      timeout: 120_000,
    }, async () => {
      const folder = temporaryFolder()
      // Its upload is stored in several parts.
      const file = fileOf(USERS, 'Surveyor '.repeat(100))
      let server = await startServer(modules, { runtime, folder })
      const token = await newToken(server.port)
      const restart = async () => {
        server.child.kill('SIGKILL')
        expect(await server.ended).toBe(null)
        server = await startServer(modules, { runtime, folder })
      }
      // An upload that is killed leaves a job that waits for the rest, until it is cancelled.
      const sent = sendSlowly(server, file.slice(0, file.length / 2), '/imports').catch(() => 'broken')
      while (!hasChunks(server)) await new Promise((wait) => setTimeout(wait, 20))
      await restart()
      expect(await sent).toBe('broken')
      expect((await admin(server, 'POST', '/imports', file)).status).toBe(409)
      expect((await admin(server, 'DELETE', '/import')).status).toBe(202)

      const started = async (path: string, body?: string): Promise<string> => {
        for (;;) {
          const answer = await admin(server, 'POST', path, body)
          if (answer.status === 202) return ((await answer.json()) as { id: string }).id
          expect(answer.status).toBe(409)
        }
      }
      const job = async (id: string) =>
        (await (await admin(server, 'GET', `/jobs/${id}`)).json()) as {
          state: string
          progress: { done: number }
        }
      /** Kills the server whenever the job has advanced. */
      const doneAfterKills = async (id: string) => {
        for (let kill = 0, before = 0; kill < KILLS; kill++) {
          let found = await job(id)
          while (found.state === 'running' && found.progress.done <= before) found = await job(id)
          if (found.state !== 'running') break
          before = found.progress.done
          await restart()
        }
        let found = await job(id)
        while (found.state === 'running') found = await job(id)
        expect(found).toMatchObject({ state: 'done', error: null })
      }
      await doneAfterKills(await started('/imports', file))
      const list = await scim(server.port, token, 'GET', '/Users?count=0')
      expect(await list.json()).toMatchObject({ totalResults: USERS })
      const id = await started('/exports')
      await doneAfterKills(id)
      expect(await (await admin(server, 'GET', `/jobs/${id}/file`)).text()).toBe(file)
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
