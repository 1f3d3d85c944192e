/**
 * The Vitest configuration of `npm run test:soak` (src/local/soak.mjs): runs a model test for the given time.
 */
import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'

export default defineConfig(async () => ({
  plugins: [
    cloudflareTest({
      wrangler: { configPath: './wrangler.toml' },
      miniflare: {
        // test/support/apply-migrations.ts expects those of vitest.config.ts.
        d1Databases: ['TEST_DB2', 'TEST_DB3', 'TEST_DEVICES', 'TEST_DEVICES2'],
        bindings: {
          TEST_MIGRATIONS: await readD1Migrations('./migrations'),
          ADMIN_TOKEN: 'test-admin-token',
          REQUEST_LOG: '0',
          SOAK_MINUTES: process.env.SOAK_MINUTES ?? '1',
          SOAK_SEED: process.env.SOAK_SEED ?? '1',
        },
      },
    }),
  ],
  test: {
    include: [process.env.SOAK_FILE ?? 'test/reliability/soak.ts'],
    setupFiles: ['./test/support/apply-migrations.ts'],
    // For the reason in vitest.config.ts.
    disableConsoleIntercept: true,
    testTimeout: 2_147_483_647,
  },
}))
