/**
 * The runner of `npm run test:soak -- --hostile` (src/local/soak.mjs): in Node.js, where processor time can be measured.
 */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/reliability/hostile/soak.ts'],
    environment: 'node',
    // A process of its own: what it costs is what is measured.
    pool: 'forks',
    testTimeout: 2_147_483_647,
    hookTimeout: 600_000,
  },
})
