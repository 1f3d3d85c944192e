/**
 * The Vitest configuration of `npm run test:soak -- --hostile` (src/local/soak.mjs). It runs in Node.js, where
 * processor time can be measured.
 */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/reliability/hostile/soak.ts'],
    environment: 'node',
    // A separate process, so that only the test's own processor time is measured.
    pool: 'forks',
    testTimeout: 2_147_483_647,
    hookTimeout: 600_000,
  },
})
