/**
 * Several SQLite files: a tenant moves between them while its client writes and the process is killed repeatedly. The
 * server is the built module on Node.js.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import {
  ADMIN_TOKEN,
  buildModules,
  type Server,
  startServer,
  temporaryFolder,
} from '../deno/support/server.ts'

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
const KILLS = 4
const ROWS = 60_000

interface Reply {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: -- tests assert on what they read
  readonly body: any
}

async function call(
  server: Server,
  method: string,
  path: string,
  token: string,
  body?: unknown,
): Promise<Reply> {
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
}

const modules = buildModules()

it('survives kill -9 during a move, and keeps every answered write of a client', {
  timeout: 240_000,
}, async () => {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'data'))
  const start = () => startServer(modules, { runtime: 'Node.js', folder, env: { DATABASES: '2' } })
  let server = await start()
  const admin = (method: string, path: string, body?: unknown) =>
    call(server, method, `/admin/api${path}`, ADMIN_TOKEN, body)
  expect((await admin('POST', '/tenants', { id: 'acme', name: 'Acme', database: 'DB' })).status).toBe(201)
  const { token } = (await admin('POST', '/tenants/acme/tokens', { name: 'Test' })).body
  fill(server.databaseFile)

  const written: string[] = []
  let isOver = false
  /** Sends a request until it is answered: like clients, it retries after a 503 and a broken connection. */
  const write = async () => {
    while (!isOver) {
      const userName = crypto.randomUUID()
      for (let isDone = false; !isDone; ) {
        const reply = await call(server, 'POST', '/scim/v2/Users', token, {
          schemas: [USER],
          userName,
        }).catch(() => undefined)
        // 409: the previous answer was lost with the process.
        isDone = reply?.status === 201 || reply?.status === 409
        if (!isDone) expect([undefined, 503]).toContain(reply?.status)
        if (!isDone) await new Promise((wait) => setTimeout(wait, 20))
      }
      written.push(userName)
      await new Promise((wait) => setTimeout(wait, 10))
    }
  }
  const writing = write()
  const started = await admin('POST', '/tenants/acme/move', { database: 'DB2' })
  expect(started.status).toBe(202)
  const job = async () => (await admin('GET', `/tenants/acme/jobs/${started.body.id}`)).body
  const steps = new Set<string>()
  // The threads of the databases begin with the job.
  while ((await job()).step === 'preparing') await new Promise((wait) => setTimeout(wait, 10))
  for (let kill = 0; kill < KILLS; kill++) {
    await new Promise((wait) => setTimeout(wait, 150 + kill * 170))
    const before = await job()
    steps.add(before.step)
    server.child.kill('SIGKILL')
    await server.ended
    server = await start()
  }
  for (let found = await job(); found.state === 'running'; found = await job()) {
    await new Promise((wait) => setTimeout(wait, 100))
  }
  expect(await job()).toMatchObject({ state: 'done', error: null })
  await new Promise((wait) => setTimeout(wait, 300))
  isOver = true
  await writing
  const { body } = await call(server, 'GET', '/scim/v2/Users?count=0', token)
  expect(body.totalResults).toBe(ROWS + written.length)
  expect((await admin('GET', '/tenants/acme')).body).toMatchObject({ database: 'DB2', state: 'ready' })
  server.child.kill('SIGTERM')
  expect(await server.ended).toBe(0)
  const [old, home] = ['directory.sqlite', 'directory-2.sqlite'].map(
    (name) => new DatabaseSync(join(folder, 'data', name)),
  )
  const count = (database: DatabaseSync | undefined, table: string) =>
    database?.prepare(`SELECT count(*) AS n FROM ${table} WHERE tenant_id = 'acme'`).get()?.n
  expect([count(old, 'users'), count(old, 'tokens')]).toEqual([0, 0])
  expect(count(home, 'users')).toBe(ROWS + written.length)
  const names = home
    ?.prepare("SELECT data ->> '$.userName' AS name FROM users WHERE tenant_id = 'acme'")
    .all()
  const found = new Set(names?.map(({ name }) => name))
  expect(written.filter((name) => !found.has(name))).toEqual([])
  // The kills hit the move, not the time after it.
  expect([...steps].filter((step) => step !== 'preparing')).not.toEqual([])
})

function fill(file: string): void {
  const database = new DatabaseSync(file, { timeout: 5_000 })
  const data = `json_object('schemas', json_array('${USER}'), 'userName', 'user-' || value)`
  database.exec(`WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < ${ROWS})
    INSERT INTO users (tenant_id, id, data, keys, version, created_at, last_modified)
    SELECT 'acme', printf('00000000-0000-7000-8000-%012d', value), ${data}, ${data}, 1, 0, 0 FROM n`)
  database.close()
}
