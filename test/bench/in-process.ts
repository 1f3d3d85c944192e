/**
 * The SCIM app on a SQLite file in the process of a benchmark, without sockets.
 */
import { readdirSync, readFileSync } from 'node:fs'
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
  type D1Binding,
  type Database,
  type DatabaseFigures,
  noFigures,
} from '../../src/storage/database/database.ts'
import { RESOURCE_TYPES } from '../../src/storage/tables/resource-tables.ts'
import { ONE_DATABASE } from '../support/one-database.ts'
import { TEST_SETTINGS } from '../support/settings.ts'

const TENANT_URL = 'http://127.0.0.1/scim/v2'
const MIGRATIONS = resolve(import.meta.dirname, '..', '..', 'migrations')

export interface InProcessOptions {
  readonly folder: string
  /** Opens the database of each request. */
  readonly open: (binding: D1Binding, figures: DatabaseFigures) => Database
  /** The most group writes in a batch. */
  readonly maxWrites?: number | undefined
}

/** A server with a new file. `send` throws unless the response has the expected status. @returns the text of the response */
export async function openInProcess({ folder, open: openFor, maxWrites }: InProcessOptions) {
  const file = openMigrated(folder)
  const binding = new SqliteD1(file.database).binding
  const open = (figures: DatabaseFigures) => openFor(binding, figures)
  const { token, ...generated } = await generateToken('default')
  const info = {
    id: uuidv7(),
    name: 'bench',
    scope: 'provision',
    createdAt: 0,
    expiresAt: null,
    ...generated,
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

function openMigrated(folder: string) {
  const file = openFile(join(folder, `${uuidv7()}.sqlite`), { synchronous: 'FULL', busyTimeoutMs: 1_000 })
  const names = readdirSync(MIGRATIONS).filter((name) => name.endsWith('.sql'))
  migrate(
    file.database,
    names.sort().map((name) => ({ name, sql: readFileSync(join(MIGRATIONS, name), 'utf8') })),
  )
  return file
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
