/**
 * Several SQLite files: two of them are swapped, and the first one is replaced by a copy from before a move. The server is
 * the built module on Node.js.
 */
import { copyFileSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import {
  ADMIN_TOKEN,
  buildModules,
  type Server,
  startServer,
  temporaryFolder,
} from '../deno/support/server.ts'

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
const modules = buildModules()

async function call(server: Server, method: string, path: string, token = ADMIN_TOKEN, body?: unknown) {
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
}

/** A server that can be stopped and started again with the same files. */
async function restartable() {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'data'))
  const start = () => startServer(modules, { runtime: 'Node.js', folder, env: { DATABASES: '3' } })
  let server = await start()
  return {
    fileOf: (number: number) =>
      join(folder, 'data', number === 1 ? 'directory.sqlite' : `directory-${number}.sqlite`),
    async stop() {
      server.child.kill('SIGTERM')
      expect(await server.ended).toBe(0)
    },
    async start() {
      server = await start()
    },
    admin: (method: string, path: string, body?: unknown) =>
      call(server, method, `/admin/api${path}`, ADMIN_TOKEN, body),
    scim: (method: string, path: string, token: string, body?: unknown) =>
      call(server, method, `/scim/v2${path}`, token, body),
    async newTenant(id: string, database: string): Promise<string> {
      expect((await this.admin('POST', '/tenants', { id, name: id, database })).status).toBe(201)
      return (await this.admin('POST', `/tenants/${id}/tokens`, { name: 'Test' })).body.token
    },
  }
}

it('refuses the tenants of swapped files, and serves the others', { timeout: 60_000 }, async () => {
  const server = await restartable()
  const [first, second] = [await server.newTenant('first', 'DB'), await server.newTenant('second', 'DB2')]
  const swap = async () => {
    await server.stop()
    renameSync(server.fileOf(2), server.fileOf(9))
    renameSync(server.fileOf(3), server.fileOf(2))
    renameSync(server.fileOf(9), server.fileOf(3))
    await server.start()
  }
  // The third file has its identity from the start.
  await swap()
  expect((await server.scim('GET', '/Users', second)).status).toBe(503)
  expect((await server.scim('GET', '/Users', first)).status).toBe(200)
  const { databases } = (await server.admin('GET', '/databases')).body
  expect(databases.map(({ state }: { state: string }) => state)).toEqual(['ok', 'wrong', 'wrong'])
  expect(databases[1].error).toContain('the binding "DB2" has the database "DB3"')
  await swap()
  expect((await server.scim('GET', '/Users', second)).status).toBe(200)
  await server.stop()
})

it('serves no old copy of a tenant that had moved before the first file was replaced by a backup', {
  timeout: 60_000,
}, async () => {
  const server = await restartable()
  const token = await server.newTenant('acme', 'DB')
  const create = () =>
    server.scim('POST', '/Users', token, { schemas: [USER], userName: crypto.randomUUID() })
  expect((await create()).status).toBe(201)
  await server.stop()
  copyFileSync(server.fileOf(1), server.fileOf(8))
  await server.start()
  const { body } = await server.admin('POST', '/tenants/acme/move', { database: 'DB2' })
  const job = async () => (await server.admin('GET', `/tenants/acme/jobs/${body.id}`)).body
  while ((await job()).state === 'running') await new Promise((wait) => setTimeout(wait, 50))
  expect((await job()).state).toBe('done')
  expect((await create()).status).toBe(201)
  await server.stop()
  for (const suffix of ['-wal', '-shm']) rmSync(server.fileOf(1) + suffix, { force: true })
  copyFileSync(server.fileOf(8), server.fileOf(1))
  await server.start()
  expect((await server.scim('GET', '/Users?count=0', token)).body.totalResults).toBe(2)
  expect((await create()).status).toBe(201)
  expect((await server.admin('GET', '/tenants/acme')).body).toMatchObject({ database: 'DB2', userCount: 3 })
  await server.stop()
})
