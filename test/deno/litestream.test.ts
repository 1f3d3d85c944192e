/**
 * Litestream replicates the files of a server that is being written to. The machine is lost (kill -9 of both); from the
 * replica, a new server has every write that was confirmed some seconds before.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, it } from 'vitest'
import { LITESTREAM, LITESTREAM_MISSING } from './support/find-litestream.ts'
import {
  ADMIN_TOKEN,
  buildModules,
  type Server,
  scim,
  startServer,
  temporaryFolder,
} from './support/server.ts'

/** The lag that is allowed: Litestream copies once a second, on a machine that may be busy with other tests. */
const LAG_MS = 5_000
const WRITING_MS = 12_000
/** SQLite checkpoints by itself after 1,000 pages of 4 KiB. */
const CHECKPOINTED_BYTES = 4_000_000
const BYTES_WITHOUT_LITESTREAM = 6_000_000
const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'

const modules = buildModules()
const replicators: ChildProcess[] = []
afterAll(() => {
  for (const child of replicators) child.kill('SIGKILL')
})

// Without this line, only a number in the summary would tell that the replication was not tested.
if (LITESTREAM === undefined) console.warn(`\nThe tests of Litestream are skipped: ${LITESTREAM_MISSING}.\n`)

/** A tenant with a client, and the names of its users by the time of their confirmation. */
interface Client {
  readonly tenant: string
  readonly token: string
  readonly confirmed: Map<string, number>
}

describe.skipIf(LITESTREAM === undefined)(
  LITESTREAM === undefined ? `Litestream (skipped: ${LITESTREAM_MISSING})` : 'Litestream',
  () => {
    it('restores every write that was confirmed before the lag, of two databases, after kill -9', {
      timeout: 180_000,
    }, async () => {
      const world = await begin(2)
      const clients = [
        await newClient(world.server, 'acme', 'DB'),
        await newClient(world.server, 'beta', 'DB2'),
      ]
      await write(world.server, clients, WRITING_MS)
      const killedAt = await lose(world)
      await expectRestored(world, clients, killedAt)
    })

    it('shows in /healthz?verbose whether Litestream has copied everything', {
      timeout: 60_000,
    }, async () => {
      const world = await begin(1)
      const clients = [await newClient(world.server, 'acme', 'DB')]
      await write(world.server, clients, 1_000)
      await expect.poll(() => litestreamBehindMs(world.server), { timeout: 20_000 }).toBe(0)
      await ended(world.replicator, 'SIGTERM')
      await new Promise((wait) => setTimeout(wait, 500))
      await write(world.server, clients, 500)
      expect(await litestreamBehindMs(world.server)).toBeGreaterThan(500)
    })

    it('continues after a pause in which SQLite checkpointed without it, and the server restarted', {
      timeout: 180_000,
    }, async () => {
      const world = await begin(1)
      const clients = [await newClient(world.server, 'acme', 'DB')]
      await write(world.server, clients, 2_000)
      await ended(world.replicator, 'SIGTERM')
      await fill(world.server, clients[0] as Client)
      // In WAL mode, only a checkpoint writes to the file.
      expect(statSync(world.server.databaseFile).size).toBeGreaterThan(CHECKPOINTED_BYTES)
      world.server.child.kill('SIGTERM')
      expect(await world.server.ended).toBe(0)
      world.server = await startServer(modules, options(world.folder, 1))
      world.replicator = replicate(world.config)
      await write(world.server, clients, WRITING_MS)
      const killedAt = await lose(world)
      await expectRestored(world, clients, killedAt)
    })
  },
)

interface World {
  readonly folder: string
  readonly config: string
  readonly databases: number
  server: Server
  replicator: ChildProcess
}

/** Starts Litestream first, as a machine may do, and then the server on an empty folder. */
async function begin(databases: number): Promise<World> {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'data'))
  const config = join(folder, 'litestream.yml')
  const entries = namesOf(databases).map(
    (name) =>
      `  - path: ${join(folder, 'data', name)}\n    replica:\n      path: ${join(folder, 'replica', name)}\n`,
  )
  writeFileSync(config, `dbs:\n${entries.join('')}`)
  const replicator = replicate(config)
  return {
    folder,
    config,
    databases,
    replicator,
    server: await startServer(modules, options(folder, databases)),
  }
}

function namesOf(databases: number): readonly string[] {
  return ['directory.sqlite', 'directory-2.sqlite'].slice(0, databases)
}

function options(folder: string, databases: number) {
  // Without limits of requests: a fast machine sends more in ten seconds than a client may.
  const env = { DATABASES: String(databases), TOKEN_LIMIT: '0', TENANT_LIMIT: '0' }
  return { runtime: 'Node.js', folder, env } as const
}

function replicate(config: string): ChildProcess {
  const child = spawn(LITESTREAM ?? '', ['replicate', '-config', config], { stdio: 'ignore' })
  replicators.push(child)
  return child
}

async function ended(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const exit = new Promise((done) => child.once('exit', done))
  child.kill(signal)
  await exit
}

async function newClient({ port }: Server, tenant: string, database: string): Promise<Client> {
  const post = async (path: string, body: unknown) => {
    const response = await fetch(`http://127.0.0.1:${port}/admin/api${path}`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${ADMIN_TOKEN}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    })
    expect(response.status).toBe(201)
    return (await response.json()) as { readonly token: string }
  }
  await post('/tenants', { id: tenant, name: tenant, database })
  const { token } = await post(`/tenants/${tenant}/tokens`, { name: 'Test' })
  return { tenant, token, confirmed: new Map() }
}

/** Has all clients create users, one after the other, for some time. */
async function write(server: Server, clients: readonly Client[], ms: number): Promise<void> {
  const until = Date.now() + ms
  await Promise.all(
    clients.map(async (client) => {
      while (Date.now() < until) await create(server, client)
    }),
  )
}

/** From the last copy to the last write; null if Litestream is not known to the server. */
async function litestreamBehindMs({ port }: Server): Promise<number | null> {
  const response = await fetch(`http://127.0.0.1:${port}/healthz?verbose`, {
    headers: { Authorization: `Bearer ${ADMIN_TOKEN}` },
  })
  const { databases } = (await response.json()) as {
    readonly databases: readonly { readonly file: { readonly litestream?: { readonly behindMs: number } } }[]
  }
  return databases[0]?.file.litestream?.behindMs ?? null
}

/** Creates large users until SQLite has checkpointed. */
async function fill(server: Server, client: Client): Promise<void> {
  const addresses = Array.from({ length: 50 }, (_, i) => ({ type: `t${i}`, formatted: 'x'.repeat(2_000) }))
  const bytes = JSON.stringify(addresses).length
  for (let sent = 0; sent < BYTES_WITHOUT_LITESTREAM; sent += bytes)
    await create(server, client, { addresses })
}

async function create({ port }: Server, { token, confirmed }: Client, more: object = {}): Promise<void> {
  const userName = crypto.randomUUID()
  const response = await scim(port, token, 'POST', '/Users', { schemas: [USER], userName, ...more })
  await response.arrayBuffer()
  expect(response.status).toBe(201)
  confirmed.set(userName, Date.now())
}

/** Loses the machine. @returns when, in milliseconds since 1970 */
async function lose({ server, replicator }: World): Promise<number> {
  const killedAt = Date.now()
  await Promise.all([ended(server.child, 'SIGKILL'), ended(replicator, 'SIGKILL')])
  return killedAt
}

/** Restores to another folder, and starts a server there. */
async function expectRestored(world: World, clients: readonly Client[], killedAt: number): Promise<void> {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'data'))
  for (const name of namesOf(world.databases)) {
    const [source, target] = [world.folder, folder].map((parent) => join(parent, 'data', name))
    const args = ['restore', '-config', world.config, '-o', target ?? '', source ?? '']
    execFileSync(LITESTREAM ?? '', args, { stdio: 'pipe' })
    expectIntact(target ?? '')
  }
  const server = await startServer(modules, options(folder, world.databases))
  for (const { tenant, token, confirmed } of clients) {
    const answer = await scim(server.port, token, 'GET', '/Users?count=0')
    expect(answer.status, tenant).toBe(200)
    const found = userNames(join(folder, 'data'), namesOf(world.databases), tenant)
    const early = [...confirmed].filter(([, time]) => time < killedAt - LAG_MS).map(([name]) => name)
    expect(early.length, tenant).toBeGreaterThan(10)
    expect(
      early.filter((name) => !found.has(name)),
      tenant,
    ).toEqual([])
    expect(await answer.json(), tenant).toMatchObject({ totalResults: found.size })
  }
  server.child.kill('SIGTERM')
  expect(await server.ended).toBe(0)
}

function expectIntact(file: string): void {
  const database = new DatabaseSync(file, { readOnly: true })
  try {
    expect(database.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }])
    expect(database.prepare('PRAGMA foreign_key_check').all()).toEqual([])
  } finally {
    database.close()
  }
}

function userNames(folder: string, names: readonly string[], tenant: string): ReadonlySet<string> {
  const found = names.flatMap((name) => {
    const database = new DatabaseSync(join(folder, name), { readOnly: true })
    try {
      const select = database.prepare("SELECT data ->> 'userName' AS name FROM users WHERE tenant_id = ?")
      return select.all(tenant).map((row) => String(row.name))
    } finally {
      database.close()
    }
  })
  return new Set(found)
}
