import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'

/** Tests that need Node itself: files, processes, sockets. All others run inside workerd. */
const NODE_TESTS = [
  'test/architecture.test.ts',
  'test/entra/**/*.test.ts',
  'test/http/openapi-document.test.ts',
  'test/local/**/*.test.ts',
  'test/migrations.test.ts',
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
        },
      },
      { test: { name: 'node', include: NODE_TESTS, environment: 'node' } },
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
