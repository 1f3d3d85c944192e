/**
 * Creates the test database with the same migrations that wrangler applies.
 */
import { applyD1Migrations, type D1Migration } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import type { OptionalVariables } from '../../src/worker.ts'

declare global {
  namespace Cloudflare {
    interface Env extends OptionalVariables {
      readonly TEST_MIGRATIONS: D1Migration[]
    }
  }
}

await applyD1Migrations(env.DB, env.TEST_MIGRATIONS)
