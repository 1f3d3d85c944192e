/**
 * Which test runs where, and by which command: `npm test` runs the projects "workerd", "node" and "sqlite",
 * `npm run test:all` these and the ones that end in "-long", `npm run test:browser` the project "browser".
 * test/local/commands.test.ts holds that every file has its project, and every project its command.
 */
import { resolve } from 'node:path'
import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'

/** What is served over HTTP: on D1 in workerd, and a second time in Node.js on a SQLite file. */
const HTTP_TESTS = [
  'test/admin/**/*.test.ts',
  'test/conformance/**/*.test.ts',
  // That one compares two documents and needs no server.
  'test/http/**/!(openapi-document).test.ts',
]

/** HTTP tests that run in workerd alone, each with its reason. */
const NOT_ON_SQLITE = [
  // Fires the cron trigger of workerd; test/sqlite/service.test.ts has the timer.
  'test/http/provisioning-log.test.ts',
]

/** HTTP tests that send very many requests: on SQLite at every change, where they take a fifth of the time. */
const MANY_REQUESTS = ['test/http/{bad-input,emulator,invalid-values,log-bounds}.test.ts']

/** HTTP tests that run on SQLite at every change. The others find little there that they do not find in workerd. */
const SQLITE_TESTS = ['test/conformance/**/*.test.ts', ...MANY_REQUESTS]

/** What needs workerd, D1 or the Durable Object. Everything else runs in Node.js. */
const WORKERD_TESTS = [
  ...HTTP_TESTS,
  'test/provider/**/*.test.ts',
  'test/reliability/**/*.test.ts',
  'test/scim/filter/{compile,differential,extensions}.test.ts',
  'test/storage/{contract,query-plans,extensions,third-resource-type}.test.ts',
  'test/worker-settings.test.ts',
]

/** Of these, what takes long, or compares durations, which other work on the machine changes. */
const LONG_WORKERD_TESTS = [
  ...MANY_REQUESTS,
  // Megabytes of documents.
  'test/http/page-size.test.ts',
  'test/provider/group-commit-speed.test.ts',
  // Thousands of random requests, races, and every fault or foreign name at every place.
  'test/reliability/{concurrency,faults,hostile-input,isolation,model,pressure,transfer}.test.ts',
]

/** The same in Node.js. */
const LONG_NODE_TESTS = [
  // The built servers as processes of Deno and of Node.js, many of them killed.
  'test/deno/**/*.test.ts',
  // Wrangler as a process, from nothing to a deployed Worker.
  'test/deploy/**/*.test.ts',
  // Processes that are killed, and that race for a file.
  'test/entra/cli/{lock-file,provision}.test.ts',
  // Commands as processes, each with a server.
  'test/local/{bench,killed,start}.test.ts',
  // Compare durations.
  'test/scim/linear-time.test.ts',
  'test/sqlite/processor-time.test.ts',
  // Random requests.
  'test/sqlite/hostile.test.ts',
  // A server that is killed in the middle of moves.
  'test/sqlite/move.test.ts',
]

const BROWSER_TESTS = ['test/browser/**/*.test.ts']

/** Machines that run tests are slow now and then; what must be fast is measured in round trips. */
const testTimeout = 30_000

/** After all others and one file after the other: what compares durations needs the machine for itself. */
const ALONE = { maxWorkers: 1, sequence: { groupOrder: 1 } }

/** The conformance tests once more, as clients of tenants with the profile `strict`. */
const STRICT_HARNESS = {
  find: /^\.\.\/support\/harness\.ts$/,
  replacement: resolve(import.meta.dirname, 'test/support/strict-harness.ts'),
}

const NODE_SETUP = ['./test/sqlite/support/remove-folders.ts']

export default defineConfig(async () => {
  const miniflare = {
    // Tests of several databases bind TEST_DB2 and TEST_DB3 as DB2 and DB3; all others run with the one of wrangler.toml.
    // TEST_DEVICES has the table of a resource type that is not shipped.
    d1Databases: { TEST_DB2: 'test-db-2', TEST_DB3: 'test-db-3', TEST_DEVICES: 'test-devices' },
    bindings: {
      TEST_MIGRATIONS: await readD1Migrations('./migrations'),
      ADMIN_TOKEN: 'test-admin-token',
      SERVER_TIMING: '1',
      REQUEST_LOG: '0',
    },
    // A tenth of what wrangler.toml says: tests go beyond it, one request after the other.
    ratelimits: { FAILED_AUTHENTICATION_LIMIT: { namespace_id: '1004', simple: { limit: 100, period: 60 } } },
  } as const
  const workerd = (name: string, include: string[], exclude: string[] = []) => ({
    plugins: [cloudflareTest({ wrangler: { configPath: './wrangler.toml' }, miniflare })],
    test: {
      ...(name.endsWith('-long') ? ALONE : {}),
      name,
      include,
      exclude,
      setupFiles: ['./test/support/apply-migrations.ts'],
      // One worker and one database for many files: each test makes a tenant of its own instead.
      isolate: false,
      testTimeout,
    },
  })
  const sqlite = (name: string, include: string[], exclude: string[] = []) => ({
    resolve: {
      alias: { 'cloudflare:workers': resolve(import.meta.dirname, 'test/sqlite/support/worker.ts') },
    },
    test: { name, include, exclude, isolate: false, testTimeout },
  })
  return {
    test: {
      // Vitest leaves one processor idle, which on two is half of the machine.
      maxWorkers: '100%',
      projects: [
        workerd('workerd', WORKERD_TESTS, LONG_WORKERD_TESTS),
        workerd('workerd-long', LONG_WORKERD_TESTS),
        {
          ...workerd('strict-long', ['test/conformance/**/*.test.ts']),
          resolve: { alias: [STRICT_HARNESS] },
        },
        {
          test: {
            name: 'node',
            include: ['test/**/*.test.ts'],
            exclude: [...WORKERD_TESTS, ...LONG_NODE_TESTS, ...BROWSER_TESTS],
            setupFiles: NODE_SETUP,
            // To start a process for each file takes longer than most of the tests.
            isolate: false,
            testTimeout,
          },
        },
        {
          test: {
            ...ALONE,
            name: 'node-long',
            include: LONG_NODE_TESTS,
            setupFiles: NODE_SETUP,
            testTimeout,
          },
        },
        sqlite('sqlite', SQLITE_TESTS),
        sqlite('sqlite-long', HTTP_TESTS, [...SQLITE_TESTS, ...NOT_ON_SQLITE]),
        {
          test: {
            name: 'browser',
            include: BROWSER_TESTS,
            globalSetup: ['./test/browser/support/global-setup.ts'],
            testTimeout: 60_000,
            // One server and one machine: files one after the other.
            fileParallelism: false,
          },
        },
      ],
    },
  }
})
