/**
 * The projects of the tests. `npm test` runs "workerd", "node" and "sqlite", `npm run test:all` also the projects that end
 * in "-long", and `npm run test:browser` the project "browser". test/local/commands.test.ts checks that every file has a
 * project, and every project a command.
 */
import { resolve } from 'node:path'
import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin'
import { defineConfig, type Plugin } from 'vitest/config'

/** Tests of the HTTP API. They run in workerd on D1, and in Node.js on SQLite. */
const HTTP_TESTS = [
  'test/admin/**/*.test.ts',
  'test/conformance/**/*.test.ts',
  // openapi-document.test.ts compares two documents and does not need a server.
  'test/http/**/!(openapi-document).test.ts',
]

/** HTTP tests that run only in workerd, with their reasons. */
const NOT_ON_SQLITE = [
  // Uses the cron trigger of workerd. test/sqlite/service.test.ts tests the timer.
  'test/http/provisioning-log.test.ts',
]

/**
 * HTTP tests with very many requests, and tests of what does not depend on the database: pages, API keys, sign-in, OAuth, the
 * OpenAPI document, followers, the work limit, profiles. `npm test` runs them only on SQLite, where they take a fifth of the time.
 */
const MANY_REQUESTS = [
  'test/admin/{access,admin-tokens,api,api-keys,audit,connect,explain-pages,federation,history-pages}.test.ts',
  'test/admin/{log,oidc,overview,pages,roles,rotation,schemas,transfer,transfer-jobs}.test.ts',
  'test/conformance/**/*.test.ts',
  'test/http/{access,bad-input,bulk,check,deleted-groups,disabling,drift,emulator,entra}.test.ts',
  'test/http/{explain,extensions,follow,history,remembered-reads,tombstones,undo,user-groups}.test.ts',
  'test/http/{group-names,invalid-values,kept-requests,list,log-bounds,log-retention,nested-groups,openapi}.test.ts',
  'test/http/{profile-traffic,profiles,provider-lives,real-clients,value-limits}.test.ts',
  'test/http/oauth/{access-tokens,emulator,federation,gallery}.test.ts',
  'test/http/{cassettes,concurrency-check,mutate}.test.ts',
]

/** HTTP tests with megabytes of documents. */
const LARGE_DOCUMENTS = ['test/http/{index-scans,long-sort-keys,page-size,scan-budget}.test.ts']

/** Tests that need workerd, D1 or the Durable Object. All others run in Node.js. */
const WORKERD_TESTS = [
  ...HTTP_TESTS,
  'test/provider/**/*.test.ts',
  'test/reliability/**/*.test.ts',
  'test/scim/filter/{compile,differential,extensions}.test.ts',
  'test/storage/{database/contract,extensions/extensions,lists/query-plans,tables/third-resource-type}.test.ts',
  'test/worker-{console,settings}.test.ts',
]

/** Long tests, and tests that compare durations, for which other work on the machine is noise. */
const LONG_WORKERD_TESTS = [
  ...MANY_REQUESTS,
  ...LARGE_DOCUMENTS,
  // Commits many group writes together, with every fault.
  'test/provider/{group-commit,group-commit-speed}.test.ts',
  // Sends random requests, and undoes them.
  'test/http/undo-model.test.ts',
  // Stores a hundred thousand events.
  'test/provider/event-cost.test.ts',
  // Moves tenants, with an error before and after every batch.
  'test/provider/move.test.ts',
  // Exports and imports, likewise.
  'test/provider/transfer-jobs.test.ts',
  // Have several databases, and move or restore them.
  'test/reliability/{databases,ends-of-moves,event-move,restored-databases}.test.ts',
  // Compares SQL with filters in memory, for random filters.
  'test/scim/filter/differential.test.ts',
  // Wait for the pauses after which failed access is stored.
  'test/reliability/failed-access.test.ts',
  // Send thousands of random requests, race, or inject every fault or foreign id at every step.
  'test/reliability/{concurrency,event-model,faults,hostile-input,isolation,model,pressure,transfer,undo-faults,user-values}.test.ts',
]

/** Long tests in Node.js. */
const LONG_NODE_TESTS = [
  // Run the built servers as processes of Deno and Node.js, and kill many of them.
  'test/deno/**/*.test.ts',
  // Build the site of the documents, and run their commands as a reader would.
  'test/docs/{commands,site}.test.ts',
  // Run Wrangler as a process, up to a deployed Worker.
  'test/deploy/**/*.test.ts',
  // Kill processes, and let processes race for a file.
  'test/entra/cli/{check-interrupted,lock-file,provision}.test.ts',
  // Run commands as processes, each with a server.
  'test/local/{ad-connector,bench,follow,killed,start,worker-modules}.test.ts',
  // Build the package and the binary, and run them as a user would.
  'test/release/**/*.test.ts',
  // Start and stop whole servers on files.
  'test/sqlite/{replaced-files,service}.test.ts',
  // Compare durations.
  'test/scim/linear-time.test.ts',
  'test/sqlite/event-feed-time.test.ts',
  'test/sqlite/job-steps.test.ts',
  'test/sqlite/processor-time.test.ts',
  // Sends random requests.
  'test/sqlite/hostile.test.ts',
  // Waits for pauses and time-outs.
  'test/sqlite/webhook-pauses.test.ts',
  // Kills a server during moves.
  'test/sqlite/move.test.ts',
]

const BROWSER_TESTS = ['test/browser/**/*.test.ts']

/** Generous, because test machines are slow at times. Tests of speed count round trips instead. */
const testTimeout = 30_000

/** Runs after all other projects, one file after the other: tests that compare durations need the machine for themselves. */
const ALONE = { maxWorkers: 1, sequence: { groupOrder: 1 } }

/** Runs the conformance tests with clients of tenants with the profile `strict`. */
const STRICT_HARNESS = {
  find: /^\.\.\/support\/harness\.ts$/,
  replacement: resolve(import.meta.dirname, 'test/support/strict-harness.ts'),
}

/**
 * Evaluates the parts of the server with the files that import them. Vite's module runner gives concurrent imports of a module
 * the same promise, so that a Durable Object would wait for the promise of another one, which workerd refuses: "Cannot perform
 * I/O on behalf of a different Durable Object". The runtime's own import(), which the built Worker uses, has no such promise:
 * test/local/worker-modules.test.ts.
 */
const STATIC_PARTS: Plugin = {
  name: 'static-parts',
  enforce: 'pre',
  transform(code, id) {
    if (!id.endsWith('/src/parts.ts')) return undefined
    const imports: string[] = []
    const body = code.replaceAll(/\bimport\(('[^']+')\)/g, (_, path: string) => {
      const name = `part${imports.length}`
      imports.push(`import * as ${name} from ${path}`)
      return `Promise.resolve(${name})`
    })
    if (imports.length === 0) throw new Error('src/parts.ts has no import()')
    return { code: `${imports.join('\n')}\n${body}`, map: null }
  },
}

const WHOLE_HOURS = './test/support/whole-hours.ts'

const SQLITE_FOLDER = ['./test/sqlite/support/run-folder.ts']

const NODE_SETUP = ['./test/sqlite/support/remove-folders.ts']

export default defineConfig(async () => {
  const miniflare = {
    // Tests of several databases bind TEST_DB2 and TEST_DB3 as DB2 and DB3. All other tests use the database in wrangler.toml.
    // TEST_DEVICES and TEST_DEVICES2 have the table of a resource type that is not shipped.
    d1Databases: {
      TEST_DB2: 'test-db-2',
      TEST_DB3: 'test-db-3',
      TEST_DEVICES: 'test-devices',
      TEST_DEVICES2: 'test-devices-2',
    },
    bindings: {
      TEST_MIGRATIONS: await readD1Migrations('./migrations'),
      ADMIN_TOKEN: 'test-admin-token',
      SERVER_TIMING: '1',
      REQUEST_LOG: '0',
    },
    // Tests have no network. Receivers of webhooks that a test does not stand in for are unavailable.
    outboundService: () => new Response(null, { status: 503 }),
    // A tenth of the limit in wrangler.toml, because tests exceed it with sequential requests.
    ratelimits: { FAILED_AUTHENTICATION_LIMIT: { namespace_id: '1004', simple: { limit: 100, period: 60 } } },
  } as const
  const workerd = (name: string, include: string[], exclude: string[] = []) => ({
    plugins: [STATIC_PARTS, cloudflareTest({ wrangler: { configPath: './wrangler.toml' }, miniflare })],
    test: {
      ...(name.endsWith('-long') ? ALONE : {}),
      name,
      include,
      exclude,
      setupFiles: ['./test/support/apply-migrations.ts', WHOLE_HOURS],
      // Many files share a worker and a database. Each test creates its own tenant for isolation.
      isolate: false,
      // Otherwise `vitest run` stops now and then: at the end of a file, Vitest waits for logs that the plugin holds until the
      // next message if a Durable Object or a finished request wrote them (cloudflare/workers-sdk issues 15498 and 15719).
      disableConsoleIntercept: true,
      testTimeout,
    },
  })
  const sqlite = (name: string, include: string[], exclude: string[] = []) => ({
    resolve: {
      alias: { 'cloudflare:workers': resolve(import.meta.dirname, 'test/sqlite/support/worker.ts') },
    },
    test: {
      name,
      include,
      exclude,
      globalSetup: SQLITE_FOLDER,
      setupFiles: [WHOLE_HOURS],
      isolate: false,
      testTimeout,
    },
  })
  return {
    test: {
      // By default, Vitest leaves one processor idle, which is half of a machine with two.
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
            // Starting a process for each file would take longer than most tests.
            isolate: false,
            testTimeout,
          },
        },
        {
          test: {
            ...ALONE,
            name: 'node-long',
            globalSetup: SQLITE_FOLDER,
            include: LONG_NODE_TESTS,
            setupFiles: NODE_SETUP,
            testTimeout,
          },
        },
        sqlite('sqlite', MANY_REQUESTS),
        sqlite('sqlite-long', HTTP_TESTS, [...MANY_REQUESTS, ...NOT_ON_SQLITE]),
        {
          test: {
            name: 'browser',
            include: BROWSER_TESTS,
            globalSetup: ['./test/browser/support/global-setup.ts'],
            testTimeout: 60_000,
            // All files use one server.
            fileParallelism: false,
          },
        },
      ],
    },
  }
})
