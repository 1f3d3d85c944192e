/**
 * `kill -9` while an undo runs: the job goes on by itself after each restart, and in the end each change is taken back once,
 * and what somebody else has changed since is left.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
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

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'
const KILLS = 5
const USERS = 60
const RUNTIMES: readonly RuntimeName[] = ['Deno', 'Node.js']

const modules = buildModules()

interface Resource {
  readonly id: string
  readonly userName?: string
  readonly displayName?: string
  readonly active?: boolean
  readonly title?: string
  readonly members?: readonly { readonly value: string }[]
}

async function admin(server: Server, method: string, path: string, body?: unknown) {
  const response = await fetch(`http://127.0.0.1:${server.port}/admin/api/tenants/default${path}`, {
    method,
    headers: { Authorization: `Bearer ${ADMIN_TOKEN}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  // biome-ignore lint/suspicious/noExplicitAny: -- tests assert on what they read
  return { status: response.status, body: (await response.json()) as any }
}

async function send(server: Server, token: string, method: string, path: string, body?: unknown) {
  const answer = await scim(server.port, token, method, path, body)
  expect(answer.status, `${method} ${path}`).toBeLessThan(300)
  return (answer.status === 204 ? {} : await answer.json()) as Resource & { Resources?: readonly Resource[] }
}

const patch = (server: Server, token: string, path: string, op: string, attribute: string, value?: unknown) =>
  send(server, token, 'PATCH', path, {
    schemas: [PATCH_OP],
    Operations: [{ op, path: attribute, ...(value === undefined ? {} : { value }) }],
  })

async function directory(server: Server, token: string) {
  const list = async (path: string) => (await send(server, token, 'GET', `${path}?count=200`)).Resources ?? []
  const users = await list('/Users')
  const groups = await list('/Groups')
  return {
    users: users.map(({ id, userName, active, title }) => `${id} ${userName} ${active} ${title}`).sort(),
    groups: groups
      .map(
        ({ id, displayName, members = [] }) =>
          `${id} ${displayName} ${members.map(({ value }) => value).sort()}`,
      )
      .sort(),
  }
}

/** A directory of one client, and what another one does to it. */
async function prepare(server: Server) {
  const token = await newToken(server.port)
  const users: Resource[] = []
  for (let i = 0; i < USERS; i++)
    users.push(
      await send(server, token, 'POST', '/Users', {
        schemas: [USER],
        userName: `user-${i}`,
        title: 'Ranger',
      }),
    )
  const members = users.map(({ id }) => ({ value: id }))
  const group = await send(server, token, 'POST', '/Groups', {
    schemas: [GROUP],
    displayName: 'Rangers',
    members,
  })
  const gone = await send(server, token, 'POST', '/Groups', {
    schemas: [GROUP],
    displayName: 'Wardens',
    members,
  })
  const before = await directory(server, token)
  const other = (await admin(server, 'POST', '/tokens', { name: 'Old connector' })).body
  for (const [i, { id }] of users.entries()) {
    if (i % 10 === 0) await send(server, other.token, 'DELETE', `/Users/${id}`)
    else await patch(server, other.token, `/Users/${id}`, 'replace', 'active', false)
  }
  await patch(server, other.token, `/Groups/${group.id}`, 'remove', 'members')
  await patch(server, other.token, `/Groups/${group.id}`, 'replace', 'displayName', 'Changed')
  await send(server, other.token, 'DELETE', `/Groups/${gone.id}`)
  for (let i = 0; i < 5; i++)
    await send(server, other.token, 'POST', '/Users', { schemas: [USER], userName: `made-${i}` })
  return { token, clientId: other.clientId as string, before }
}

describe('kill -9 during an undo', () => {
  for (const runtime of RUNTIMES) {
    const isMissing = runtime === 'Deno' && DENO === undefined
    const name = isMissing ? `on Deno (skipped: ${DENO_MISSING})` : `on ${runtime}`
    it.skipIf(isMissing)(
      `${name}: the undo goes on by itself, and takes each change back once`,
      { timeout: 180_000 },
      async () => {
        const folder = temporaryFolder()
        mkdirSync(join(folder, 'data'))
        let server = await startServer(modules, { runtime, folder })
        const { token, clientId, before } = await prepare(server)
        const window = { clientId, from: '2000-01-01T00:00:00Z', to: new Date().toISOString() }
        const started = await admin(server, 'POST', '/undo', window)
        expect(started.status).toBe(202)
        const jobOf = async () => (await admin(server, 'GET', `/jobs/${started.body.id}`)).body
        let interrupted = 0
        for (let kill = 0; kill < KILLS; kill++) {
          const { done } = (await jobOf()).progress
          // Until it has made some progress, or has ended.
          await expect
            .poll(async () => (await jobOf()).state !== 'running' || (await jobOf()).progress.done > done, {
              timeout: 20_000,
              interval: 1 + kill,
            })
            .toBe(true)
          if ((await jobOf()).state === 'running') interrupted++
          server.child.kill('SIGKILL')
          await server.ended
          server = await startServer(modules, { runtime, folder })
        }
        await expect.poll(async () => (await jobOf()).state, { timeout: 60_000 }).toBe('done')
        expect(interrupted).toBeGreaterThan(1)
        expect(await directory(server, token)).toEqual(before)
        const { body } = await admin(server, 'GET', `/undo/${started.body.id}`)
        expect(body.resources.flatMap(({ left }: { left: unknown }) => left)).toEqual([])
        const { entries } = (await admin(server, 'GET', `/history/${before.users[1]?.slice(0, 36)}`)).body
        expect(entries.filter(({ kind }: { kind: string }) => kind === 'enabled')).toHaveLength(1)
        server.child.kill('SIGTERM')
        expect(await server.ended).toBe(0)
      },
    )
  }
})
