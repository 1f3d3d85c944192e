/**
 * Creates the test databases with the same migrations that wrangler applies.
 */
import { applyD1Migrations, type D1Migration } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import type { OptionalVariables } from '../../src/worker.ts'

declare global {
  namespace Cloudflare {
    interface Env extends OptionalVariables {
      readonly TEST_DB2: D1Database
      readonly TEST_DB3: D1Database
      readonly TEST_DEVICES: D1Database
      readonly TEST_DEVICES2: D1Database
      readonly TEST_MIGRATIONS: D1Migration[]
    }
  }
}

for (const binding of [env.DB, env.TEST_DB2, env.TEST_DB3, env.TEST_DEVICES, env.TEST_DEVICES2])
  await applyD1Migrations(binding, env.TEST_MIGRATIONS)
