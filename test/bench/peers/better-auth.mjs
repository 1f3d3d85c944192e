/**
 * better-auth with its SCIM plugin on Node.js, over a SQLite file. FILE names the file, TOKEN is the client's, PORT the port
 * on 127.0.0.1. The options are those of its documentation: https://better-auth.com/docs/plugins/scim
 */
// @ts-nocheck -- the packages are installed into a folder of their own: packages.ts
import { createServer } from 'node:http'
import process from 'node:process'
import { DatabaseSync } from 'node:sqlite'
import { kyselyAdapter } from '@better-auth/kysely-adapter'
import { NodeSqliteDialect } from '@better-auth/kysely-adapter/node-sqlite-dialect'
import { scim } from '@better-auth/scim'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { toNodeHandler } from 'better-auth/node'
import { Kysely } from 'kysely'

const { FILE, PORT, TOKEN } = process.env
const database = new DatabaseSync(FILE)
// As durable as this project's server.
database.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL')
const db = new Kysely({ dialect: new NodeSqliteDialect({ database }) })
const options = {
  secret: 'a-secret-of-the-benchmark-with-32-characters',
  baseURL: `http://127.0.0.1:${PORT}`,
  basePath: '/',
  logger: { level: 'error' },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  plugins: [scim({ connections: [{ id: 'bench', credentials: [{ id: 'bench', token: TOKEN }] }] })],
}
const { runMigrations } = await getMigrations({
  ...options,
  database: { db, type: 'sqlite', transaction: true },
})
await runMigrations()
const auth = betterAuth({ ...options, database: kyselyAdapter(db, { type: 'sqlite', transaction: true }) })
const handle = toNodeHandler(auth)
// On a busy machine, the default of five seconds can end a connection while its next request is on the way.
createServer({ keepAliveTimeout: 0 }, (request, response) =>
  request.url === '/healthz' ? response.end('ok') : handle(request, response),
).listen(Number(PORT), '127.0.0.1')
