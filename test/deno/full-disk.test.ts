/**
 * A full disk, simulated by files that may not grow. On Node.js only: a limit on the size of files ends Deno by a
 * signal.
 */
import { createHash } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { beforeAll, expect, it } from 'vitest'
import {
  ADMIN_TOKEN,
  buildModules,
  newToken,
  type Server,
  scim,
  startServer,
  temporaryFolder,
} from './support/server.ts'

const NODE = { runtime: 'Node.js' } as const

let modules: string
beforeAll(() => {
  modules = buildModules()
})

it('reports at /healthz that writes fail while reads work, and exits with one line and its remedy', async () => {
  const folder = temporaryFolder()
  const first = await startServer(modules, { ...NODE, folder })
  const token = await newToken(first.port)
  const stored = [await fill(first, token, 'a', 60)]
  await end(first)
  // The WAL may grow to the present size of the database, and the database hardly grows.
  const maxFileKiB = Math.ceil(statSync(first.databaseFile).size / 1024) + 8
  const server = await startServer(modules, { ...NODE, folder, maxFileKiB })
  const health = async () => {
    const answer = await fetch(`http://127.0.0.1:${server.port}/healthz`)
    return [answer.status, await answer.json()]
  }
  stored.push(await fill(server, token, 'b', 200))
  expect((await create(server, token, 'one more')).status).toBe(503)
  expect(await health()).toEqual([503, { status: 'unavailable' }])
  expect((await scim(server.port, token, 'GET', '/Users?count=1')).status).toBe(200)

  const { code, last } = await end(server)
  expect(code).toBe(1)
  expect(last).toMatch(
    /^error: "data\/directory\.sqlite" could not be read or written by the disk; .*nothing is lost/,
  )
  expect(server.output()).not.toMatch(/^ {4}at /m)
  expect(existsSync(`${server.databaseFile}-wal`)).toBe(true)

  const again = await startServer(modules, { ...NODE, folder })
  const { totalResults } = (await (await scim(again.port, token, 'GET', '/Users?count=0')).json()) as Listed
  expect(totalResults).toBe(stored.reduce((sum, count) => sum + count))
  expect((await end(again)).code).toBe(0)
  expect(existsSync(`${server.databaseFile}-wal`)).toBe(false)
})

it('lets the job of an import continue when there is room again', async () => {
  const folder = temporaryFolder()
  await end(await startServer(modules, { ...NODE, folder }))
  // Room for the compressed file, but not for its users.
  const maxFileKiB = 4_096
  let server = await startServer(modules, { ...NODE, folder, maxFileKiB })
  const admin = (method: string, path: string, body?: string) =>
    fetch(`http://127.0.0.1:${server.port}/admin/api/tenants/default${path}`, {
      method,
      headers: { Authorization: `Bearer ${ADMIN_TOKEN}` },
      ...(body === undefined ? {} : { body }),
    })
  const read = async (path: string) => (await (await admin('GET', path)).json()) as Record<string, unknown>
  const answer = await admin('POST', '/imports', importFile(5_000))
  const { id } = (await answer.json()) as { id: string }
  while (!server.output().includes('"job":"run jobs"')) await new Promise((wait) => setTimeout(wait, 20))
  expect([(await read('')).state, (await read(`/jobs/${id}`)).state]).toEqual(['importing', 'running'])
  await end(server)
  server = await startServer(modules, { ...NODE, folder })
  while ((await read(`/jobs/${id}`)).state === 'running') await new Promise((wait) => setTimeout(wait, 20))
  expect(await read(`/jobs/${id}`)).toMatchObject({ state: 'done', error: null })
  expect(await read('')).toMatchObject({ state: 'ready', userCount: 5_000 })
  expect((await end(server)).code).toBe(0)
})

/** A file of users that takes several megabytes in the database. */
function importFile(count: number): string {
  const lines = Array.from({ length: count }, (_, i) => {
    const id = `01a2097c-0000-7000-8000-${i.toString(16).padStart(12, '0')}`
    const resource = { userName: `user-${i}@quillfern.example`, title: 'x'.repeat(1_000), active: true }
    return `${JSON.stringify({ kind: 'user', id, version: 1, createdAt: 1, lastModified: 2, resource })}\n`
  }).join('')
  const sha256 = createHash('sha256').update(lines).digest('hex')
  return `${lines}${JSON.stringify({ kind: 'end', users: count, groups: 0, memberships: 0, sha256 })}\n`
}

it('does not grow by health checks', async () => {
  const server = await startServer(modules, { ...NODE, folder: temporaryFolder() })
  const size = () => statSync(`${server.databaseFile}-wal`).size + statSync(server.databaseFile).size
  const before = size()
  for (let i = 0; i < 500; i++) await (await fetch(`http://127.0.0.1:${server.port}/healthz`)).text()
  // One probe in ten seconds, which deletes its row.
  expect(size() - before).toBeLessThan(250_000)
  await end(server)
})

interface Listed {
  readonly totalResults: number
}

/** Creates users until one is refused. @returns the number of users */
async function fill(server: Server, token: string, name: string, max: number): Promise<number> {
  for (let i = 0; i < max; i++) if (!(await create(server, token, `${name}${i}`)).ok) return i
  return max
}

function create({ port }: Server, token: string, userName: string): Promise<Response> {
  return scim(port, token, 'POST', '/Users', { userName, title: 'x'.repeat(1_000) })
}

async function end(server: Server): Promise<{ code: number | null; last: string | undefined }> {
  server.child.kill('SIGTERM')
  return { code: await server.ended, last: server.output().trim().split('\n').at(-1) }
}
