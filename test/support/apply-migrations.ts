/**
 * Makes the database of the tests: the same migrations that wrangler applies.
 */
import { applyD1Migrations, type D1Migration } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import type { WorkerEnv } from '../../src/worker.ts'

declare global {
  namespace Cloudflare {
    interface Env extends WorkerEnv {
      readonly TEST_MIGRATIONS: D1Migration[]
    }
    interface GlobalProps {
      mainModule: typeof import('../../src/worker.ts')
    }
  }
}

await applyD1Migrations(env.DB, env.TEST_MIGRATIONS)
