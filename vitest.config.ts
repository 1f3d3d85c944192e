import { resolve } from 'node:path'
import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'

/** Tests that need Node itself: files, processes, sockets. All others run inside workerd. */
const NODE_TESTS = [
  'test/admin-api-table.test.ts',
  'test/architecture.test.ts',
  'test/conformance-table.test.ts',
  'test/deploy/**/*.test.ts',
  'test/entra/**/*.test.ts',
  'test/http/openapi-document.test.ts',
  'test/limits.test.ts',
  'test/local/**/*.test.ts',
  'test/migrations.test.ts',
  'test/sqlite/**/*.test.ts',
  'test/storage/replicas.test.ts',
  'test/deno/**/*.test.ts',
]

/** Tests that run in workerd on D1, and a second time in Node.js on a SQLite file behind the same HTTP. */
const DATABASE_TESTS = ['test/admin/**/*.test.ts', 'test/conformance/**/*.test.ts', 'test/http/**/*.test.ts']

/** Those of them that run once, each with its reason. */
const NOT_ON_SQLITE = [
  // Needs no server, and runs in Node.js already.
  'test/http/openapi-document.test.ts',
  // Fires the cron trigger of workerd; test/sqlite/service.test.ts has the timer.
  'test/http/provisioning-log.test.ts',
]

export default defineConfig(async () => ({
  test: {
    projects: [
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: './wrangler.toml' },
            miniflare: {
              bindings: {
                TEST_MIGRATIONS: await readD1Migrations('./migrations'),
                ADMIN_TOKEN: 'test-admin-token',
                SERVER_TIMING: '1',
                REQUEST_LOG: '0',
              },
            },
          }),
        ],
        test: {
          name: 'workerd',
          include: ['test/**/*.test.ts'],
          exclude: [...NODE_TESTS, 'test/deno/**', 'test/browser/**'],
          setupFiles: ['./test/support/apply-migrations.ts'],
          // One worker and one database for all files: each test makes a tenant of its own instead.
          isolate: false,
          // Machines that run tests are slow now and then; what must be fast is measured in round trips.
          testTimeout: 30_000,
        },
      },
      { test: { name: 'node', include: NODE_TESTS, environment: 'node', testTimeout: 30_000 } },
      {
        resolve: {
          alias: {
            'cloudflare:workers': resolve(import.meta.dirname, 'test', 'sqlite', 'support', 'worker.ts'),
          },
        },
        test: {
          name: 'sqlite',
          include: DATABASE_TESTS,
          exclude: NOT_ON_SQLITE,
          environment: 'node',
          isolate: false,
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          environment: 'node',
          globalSetup: ['./test/browser/support/global-setup.ts'],
          testTimeout: 60_000,
          // One server and one machine: files one after the other.
          fileParallelism: false,
        },
      },
    ],
  },
}))
