/**
 * The gain of group commit: 50 clients add members to a group concurrently, with writes alone and batched, in turn. The
 * database responds immediately or 20 ms later. Everything runs in one process: the SCIM app on a SQLite file, without
 * sockets.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Hono } from 'hono'
import { requestId } from 'hono/request-id'
import { uuidv7 } from 'uuidv7'
import { scim } from '../../src/http/scim.ts'
import type { HttpEnv, Runtime } from '../../src/runtime.ts'
import { groupWriters } from '../../src/self-hosted/group-writers.ts'
import { SqliteD1 } from '../../src/sqlite/d1.ts'
import { migrate } from '../../src/sqlite/migrations.ts'
import { openFile } from '../../src/sqlite/open.ts'
import { generateToken, insertToken } from '../../src/storage/access/token-administration.ts'
import {
  type Database,
  type DatabaseFigures,
  noFigures,
  openDatabase,
} from '../../src/storage/database/database.ts'
import { RESOURCE_TYPES } from '../../src/storage/tables/resource-tables.ts'
import { ONE_DATABASE } from '../support/one-database.ts'
import { TEST_SETTINGS } from '../support/settings.ts'
import { ratiosOf, spreadOf } from './load/statistics.ts'
import { wholeFrom } from './options.ts'
import { readOptions, runSection } from './section.ts'
import { figure, markdownTable } from './table.ts'

const CLIENTS = 50
const TENANT_URL = 'http://127.0.0.1/scim/v2'
const MIGRATIONS = resolve(import.meta.dirname, '..', '..', 'migrations')
/** The added latency of the database, the writes of each client in a round, and the goal. */
const CASES = [
  { delayMs: 0, each: 20, goal: 1.5 },
  { delayMs: 20, each: 2, goal: 5 },
] as const

const values = readOptions('group-commit')
const folder = mkdtempSync(join(tmpdir(), 'bench-group-commit-'))
await runSection(main)
rmSync(folder, { recursive: true })

async function main(): Promise<number> {
  const rounds = wholeFrom(1, 'rounds', values.rounds)
  const results = []
  for (const { delayMs, each, goal } of CASES) {
    const alone: number[] = []
    const together: number[] = []
    for (let round = 0; round < rounds; round++) {
      alone.push(await writesPerSecond(delayMs, each, 1))
      together.push(await writesPerSecond(delayMs, each, undefined))
    }
    results.push({ delayMs, goal, alone, together, ratio: spreadOf(ratiosOf(together, alone)) })
  }
  const rows = results.map(({ delayMs, goal, alone, together, ratio: { median, min, max } }) => [
    `${delayMs} ms`,
    figure(spreadOf(alone).median),
    figure(spreadOf(together).median),
    `${figure(median)} (${figure(min)} to ${figure(max)})`,
    `${goal} ${median >= goal ? 'reached' : 'NOT REACHED'}`,
  ])
  console.log(`Members added by ${CLIENTS} clients to one group, writes a second\n`)
  console.log(markdownTable(['more for each round trip', 'alone', 'together', 'ratio', 'goal'], rows))
  if (values.out !== undefined) writeFileSync(values.out, JSON.stringify(results, null, 2))
  return 0
}

/** @param maxWrites the maximum number of writes in a batch */
async function writesPerSecond(
  delayMs: number,
  each: number,
  maxWrites: number | undefined,
): Promise<number> {
  const server = await openServer(delayMs, maxWrites)
  try {
    const users = await Promise.all(
      Array.from({ length: CLIENTS * each }, (_, i) => server.create('/Users', { userName: `user ${i}` })),
    )
    const group = await server.create('/Groups', { displayName: 'Group' })
    const started = performance.now()
    await Promise.all(
      Array.from({ length: CLIENTS }, async (_, client) => {
        for (const value of users.slice(client * each, (client + 1) * each)) {
          const Operations = [{ op: 'add', path: 'members', value: [{ value }] }]
          await server.send('PATCH', `/Groups/${group}`, { Operations }, 204)
        }
      }),
    )
    return (users.length * 1_000) / (performance.now() - started)
  } finally {
    server.close()
  }
}

async function openServer(delayMs: number, maxWrites: number | undefined) {
  const file = openMigrated()
  const binding = new SqliteD1(file.database).binding
  const open = (figures: DatabaseFigures) => delayed(openDatabase(binding, figures, Infinity), delayMs)
  const { token, hash } = await generateToken('default')
  const info = {
    id: uuidv7(),
    name: 'bench',
    scope: 'provision',
    createdAt: 0,
    expiresAt: null,
    hash,
  } as const
  await insertToken(open(noFigures()), 'default', info)
  const runtime = runtimeOf((_name, figures) => open(figures), maxWrites)
  const app = new Hono<HttpEnv>().use(requestId(), (c, next) => {
    c.set('resourceTypes', RESOURCE_TYPES)
    return next()
  })
  app.route(
    '/scim/v2',
    scim(RESOURCE_TYPES, (request, env) => app.fetch(request, env)),
  )
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/scim+json' }
  const send = async (method: string, path: string, body: object, expected: number): Promise<string> => {
    const request = new Request(`${TENANT_URL}${path}`, { method, headers, body: JSON.stringify(body) })
    const response = await app.fetch(request, runtime)
    const text = await response.text()
    if (response.status !== expected) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return text
  }
  const create = async (path: string, body: object): Promise<string> =>
    JSON.parse(await send('POST', path, body, 201)).id
  return { send, create, close: file.close }
}

function openMigrated() {
  const file = openFile(join(folder, `${uuidv7()}.sqlite`), { synchronous: 'FULL', busyTimeoutMs: 1_000 })
  const names = readdirSync(MIGRATIONS).filter((name) => name.endsWith('.sql'))
  migrate(
    file.database,
    names.sort().map((name) => ({ name, sql: readFileSync(join(MIGRATIONS, name), 'utf8') })),
  )
  return file
}

function delayed(database: Database, delayMs: number): Database {
  if (delayMs === 0) return database
  return {
    batch: async (statements) => {
      await new Promise((wait) => setTimeout(wait, delayMs))
      return await database.batch(statements)
    },
  }
}

function runtimeOf(open: Runtime['openDatabase'], maxWrites: number | undefined): Runtime {
  const shared = { openDatabase: open, resourceTypes: RESOURCE_TYPES, newId: uuidv7, now: Date.now }
  return {
    ...shared,
    ...ONE_DATABASE,
    isHealthy: async () => true,
    groupWriter: groupWriters({
      ...shared,
      wakeJobs: ONE_DATABASE.wakeJobs,
      ...(maxWrites && { maxWrites }),
    }),
    isAllowed: async () => true,
    later: () => undefined,
    fetch: () => Promise.reject(new Error('the bench has no network')),
    settings: { ...TEST_SETTINGS, adminToken: undefined, serverTiming: false },
  }
}
