/**
 * Replaces the module `cloudflare:workers` in the project "sqlite": the tests for workerd then run against the server
 * of src/self-hosted on a SQLite file. `env.DB` is a second connection to the same file.
 */
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { inject } from 'vitest'
import { startService } from '../../../src/self-hosted/service.ts'
import { SqliteD1 } from '../../../src/sqlite/d1.ts'
import { serverSettings } from '../../support/server-settings.ts'
import { MIGRATIONS } from './files.ts'

/** workerd sends a stream as a body by default; Node.js requires an option. */
const WebRequest = globalThis.Request
class StreamingRequest extends WebRequest {
  constructor(input: RequestInfo | URL, init?: RequestInit) {
    super(input, init?.body instanceof ReadableStream ? ({ duplex: 'half', ...init } as RequestInit) : init)
  }
}
globalThis.Request = StreamingRequest as typeof Request

const settings = serverSettings(mkdtempSync(join(inject('sqliteFolder'), 'server-')), {
  serverTiming: true,
  rateLimits: { client: 5_000, tenant: 10_000, signIn: 10, failedAuthentication: 100 },
})
const service = startService(settings, MIGRATIONS)

export const env = { DB: new SqliteD1(new DatabaseSync(settings.databaseFile, { timeout: 5_000 })).binding }

export const exports = {
  default: {
    fetch: (request: Request) =>
      service.fetch({ request, address: request.headers.get('CF-Connecting-IP') ?? '192.0.2.1' }),
  },
}
