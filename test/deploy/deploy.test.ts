/**
 * `npm run deploy` with the real wrangler against a fake of Cloudflare's API.
 */
import { type ChildProcess, execFile } from 'node:child_process'
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { addSecondDatabase, copyClone } from '../support/clone.ts'
import { ACCOUNT_ID, API_TOKEN, type Cloudflare, type DeployedWorker, startCloudflare } from './cloudflare.ts'

const ROOT = resolve(import.meta.dirname, '..', '..')
const MIGRATIONS = readdirSync(join(ROOT, 'migrations')).filter((name) => name.endsWith('.sql'))

/** A folder of settings with the sign-in of last year. */
const SIGNED_IN_BEFORE = join(tmpdir(), `scim-worker-sign-in-${process.pid}`)
beforeAll(() => {
  const folder = join(SIGNED_IN_BEFORE, '.wrangler', 'config')
  mkdirSync(folder, { recursive: true })
  const login = { oauth_token: 'a', refresh_token: 'r', expiration_time: '2025-01-01T00:00:00.000Z' }
  const lines = Object.entries(login).map(([name, value]) => `${name} = "${value}"`)
  writeFileSync(
    join(folder, 'default.toml'),
    `${lines.join('\n')}\nscopes = ["account:read", "offline_access"]\n`,
  )
})
afterAll(() => rmSync(SIGNED_IN_BEFORE, { recursive: true, force: true }))

let cloudflare: Cloudflare
beforeEach(async () => {
  cloudflare = await startCloudflare()
})
afterEach(() => cloudflare.close())

/** @returns the output of both streams, and the exit code */
async function deploy(
  args: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
  scripts = join(ROOT, 'src', 'local'),
  during?: (child: ChildProcess) => Promise<void>,
): Promise<{ code: number; output: string }> {
  const script = join(scripts, 'deploy.mjs')
  const env = {
    ...process.env,
    CLOUDFLARE_API_BASE_URL: cloudflare.apiUrl,
    CLOUDFLARE_API_TOKEN: API_TOKEN,
    ...environment,
  }
  const words = [script, '--url', cloudflare.origin, '--wait', '0', ...args]
  try {
    const running = promisify(execFile)(process.execPath, words, { env })
    await Promise.race([running, during?.(running.child) ?? running])
    const { stdout, stderr } = await running
    return { code: 0, output: `${stdout}${stderr}` }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, output: `${stdout}${stderr}` }
  }
}

/** Runs a test in a copy of the clone, whose wrangler.toml it may change. */
async function inClone(run: (clone: string, scripts: string) => Promise<void>): Promise<void> {
  const parent = mkdtempSync(join(tmpdir(), 'scim-worker-'))
  try {
    const clone = join(parent, 'clone')
    await run(clone, copyClone(clone))
  } finally {
    rmSync(parent, { recursive: true, force: true })
  }
}

/** The environment that docs/operate/deploy.md shows. */
function stagingOfTheDocuments(): string {
  const text = readFileSync(join(ROOT, 'docs', 'operate', 'deploy.md'), 'utf8')
  const block = /```toml\n(\[env\.staging\][\s\S]*?)```/.exec(text)?.[1]
  if (block === undefined) throw new Error('docs/operate/deploy.md has no [env.staging]')
  return `\n${block}`
}

function migrationsOf(name: string): readonly unknown[] {
  const rows = cloudflare.databases.get(name)?.database.prepare('SELECT name FROM d1_migrations').all()
  return (rows ?? []).map((row) => row.name)
}

/** Expects modules of their own for what is loaded later, each with a source map that names files of the repository. */
function expectModulesOf(worker: DeployedWorker | undefined): void {
  const names = [...(worker?.modules.keys() ?? [])].filter((name) => name.endsWith('.mjs'))
  expect(names.map((name) => name.replace(/-\w+\.mjs$/, ''))).toEqual(
    expect.arrayContaining(['worker.mjs', 'administration', 'authorization-server', 'background-work']),
  )
  for (const name of names) {
    const map = JSON.parse(worker?.modules.get(`${name}.map`) ?? '{}') as { sources?: readonly string[] }
    for (const source of map.sources ?? ['missing']) expect(source).toMatch(/(?:^|\/)(?:src|node_modules)\//)
  }
}

describe('npm run deploy', { timeout: 300_000 }, () => {
  it('creates and shows no token in Workers Builds, whose logs are stored', async () => {
    const { code, output } = await deploy([], { WORKERS_CI: '1' })
    expect(output).toContain('Admin token  not set: run "npx wrangler secret put ADMIN_TOKEN"')
    expect(code).toBe(0)
    expect([...(cloudflare.workers.get('scim-worker')?.secrets.keys() ?? [])]).toEqual([])
  })

  it('creates database and token the first time, keeps them the second time, and stops at a newer database', async () => {
    const { code, output } = await deploy()
    expect(output).toContain(`Tenant URL   ${cloudflare.origin}/scim/v2`)
    expect(output).toContain(`Dashboard    ${cloudflare.origin}/admin`)
    expect(code).toBe(0)
    expect(migrationsOf('scim-worker')).toEqual(MIGRATIONS.sort())
    const worker = cloudflare.workers.get('scim-worker')
    const token = worker?.secrets.get('ADMIN_TOKEN') ?? ''
    expect(token).toMatch(/^[\w-]{43}$/)
    expect(output.split(token)).toHaveLength(2)
    expect(worker?.bindings).toContainEqual(
      expect.objectContaining({ type: 'd1', name: 'DB', id: cloudflare.databases.get('scim-worker')?.id }),
    )
    expectModulesOf(worker)
    // A database is migrated before a Worker uses it.
    const deployed = cloudflare.requests.findIndex((request) => request.startsWith('PUT /workers/scripts/'))
    expect(cloudflare.requests.findLastIndex((request) => request.endsWith('/query'))).toBeLessThan(deployed)

    // The second deployment uses the same database and token.
    const [database] = cloudflare.databases.values()
    const again = await deploy()
    expect(again.output).toContain('Admin token  unchanged')
    expect([...cloudflare.databases.values()]).toEqual([database])
    expect(cloudflare.workers.get('scim-worker')).toMatchObject({ deployments: 2 })
    expect(cloudflare.workers.get('scim-worker')?.secrets.get('ADMIN_TOKEN')).toBe(token)

    // Nothing is deployed for a database that a newer version has migrated.
    database?.database.exec("INSERT INTO d1_migrations (name) VALUES ('9999_future.sql')")
    const older = await deploy()
    expect(older.code).toBe(1)
    expect(older.output).toContain('is newer than this version: it has the migration 9999_future.sql')
    expect(cloudflare.workers.get('scim-worker')).toMatchObject({ deployments: 2 })
  })

  it('creates and migrates a second database, and adds it to a Worker that has one', async () => {
    expect((await deploy()).code).toBe(0)
    await inClone(async (clone, scripts) => {
      addSecondDatabase(clone)
      const [database] = cloudflare.databases.values()
      const { code, output } = await deploy([], {}, scripts)
      expect(output).toContain('Created the database "scim-worker-2".')
      expect(code).toBe(0)
      expect(migrationsOf('scim-worker-2')).toEqual(MIGRATIONS.sort())
      expect(cloudflare.databases.get('scim-worker')).toBe(database)
      // The binding of the first one is inherited.
      const second = { type: 'd1', name: 'DB2', id: cloudflare.databases.get('scim-worker-2')?.id }
      expect(cloudflare.workers.get('scim-worker')?.bindings).toContainEqual(expect.objectContaining(second))
      const deployed = cloudflare.requests.findLastIndex((request) =>
        request.startsWith('PUT /workers/scripts/'),
      )
      expect(cloudflare.requests.findLastIndex((request) => request.endsWith('/query'))).toBeLessThan(
        deployed,
      )
    })
  })

  it('deploys the environment of the documents beside production, with its own database and token', async () => {
    await inClone(async (clone, scripts) => {
      appendFileSync(join(clone, 'wrangler.toml'), stagingOfTheDocuments())
      const { code, output } = await deploy(['--env', 'staging'], {}, scripts)
      expect(output).toContain(`Tenant URL   ${cloudflare.origin}/scim/v2`)
      expect(code).toBe(0)
    })
    expect([...cloudflare.databases.keys()]).toEqual(['scim-worker-staging'])
    expect(migrationsOf('scim-worker-staging')).toEqual(MIGRATIONS.sort())
    expect([...cloudflare.workers.keys()]).toEqual(['scim-worker-staging'])
    const worker = cloudflare.workers.get('scim-worker-staging')
    expect([...(worker?.secrets.keys() ?? [])]).toEqual(['ADMIN_TOKEN'])
    // It has every binding of production.
    expect((await deploy()).code).toBe(0)
    const namesOf = (name: string) =>
      cloudflare.workers.get(name)?.bindings.map((binding) => ('name' in binding ? binding.name : ''))
    expect(namesOf('scim-worker-staging')?.sort()).toEqual(namesOf('scim-worker')?.sort())
  })

  it('leaves a database of another program as it is', async () => {
    const database = cloudflare.addDatabase('scim-worker')
    database.exec('CREATE TABLE albums (id); CREATE TABLE _cf_KV (key)')
    const { code, output } = await deploy()
    const expected =
      'error: the database "scim-worker" holds tables of another program ("albums"): choose another "database_name" in wrangler.toml'
    expect([code, output.trim()]).toEqual([1, expected])
    // Wrangler creates the table of migrations for other programs too.
    database.exec("CREATE TABLE d1_migrations (name); INSERT INTO d1_migrations VALUES ('0000_albums.sql')")
    expect((await deploy()).output.trim()).toBe(expected)
    expect(cloudflare.workers.size).toBe(0)
    expect(database.prepare('SELECT name FROM d1_migrations').all()).toHaveLength(1)
  })

  it('leaves a Worker of the same name as it is, unless it is told to replace it', async () => {
    const other = { secrets: new Map([['KEY', 'x']]), bindings: [], modules: new Map(), deployments: 7 }
    cloudflare.workers.set('scim-worker', other)
    const { code, output } = await deploy()
    expect(code).toBe(1)
    expect(output.trim()).toBe(
      'error: the Worker "scim-worker" exists already, but its database "scim-worker" does not: choose another "name" in wrangler.toml, or run again with --replace to replace that Worker',
    )
    expect([cloudflare.databases.size, cloudflare.workers.get('scim-worker')]).toEqual([0, other])
    expect((await deploy(['--replace'])).code).toBe(0)
    expect(cloudflare.workers.get('scim-worker')).toMatchObject({ deployments: 8 })
  })

  it('deploys nothing when a migration fails, and shows the reason', async () => {
    cloudflare.faults = { failingStatement: 'CREATE TABLE `users`' }
    const { code, output } = await deploy()
    expect(code).toBe(1)
    expect(output).toMatch(
      /error: A migration of "scim-worker" failed, so nothing was deployed: .*syntax error/,
    )
    expect(cloudflare.workers.size).toBe(0)
  })

  it('reports that no more databases can be created', async () => {
    cloudflare.faults = { isDatabaseQuotaUsedUp: true }
    const { code, output } = await deploy()
    expect(code).toBe(1)
    expect(output).toMatch(
      /error: The database "scim-worker" cannot be created: .*maximum number of D1 databases/,
    )
  })

  it('fails when the Worker is not healthy', async () => {
    cloudflare.faults = { health: 503 }
    const { code, output } = await deploy()
    expect(code).toBe(1)
    expect(output).toContain(`error: The Worker is deployed, but ${cloudflare.origin}/healthz returns 503`)
    // The next deployment would say that the token is unchanged.
    expect(output).toContain(cloudflare.workers.get('scim-worker')?.secrets.get('ADMIN_TOKEN'))
  })

  it('leaves no file with the token when a signal ends it', async () => {
    const temporary = mkdtempSync(join(tmpdir(), 'scim-worker-'))
    const entries = () => readdirSync(temporary, { recursive: true }).map(String)
    try {
      const ended = deploy([], { TMPDIR: temporary }, undefined, async (child) => {
        while (!entries().some((name) => name.endsWith('secrets.json'))) await pause(20)
        child.kill('SIGTERM')
      })
      const { code, output } = await ended
      expect(code).toBe(1)
      expect(output).toContain('error: the deployment was ended by SIGTERM; run it again to complete it')
      expect(entries().filter((name) => name.startsWith('scim-worker-deploy-'))).toEqual([])
    } finally {
      rmSync(temporary, { recursive: true, force: true })
    }
  })

  it.for([
    [
      'a wrong token',
      [],
      { CLOUDFLARE_API_TOKEN: 'wrong' },
      /error: not signed in to Cloudflare .*Invalid access token/,
    ],
    [
      'a network that does not reach Cloudflare',
      [],
      { CLOUDFLARE_API_BASE_URL: 'http://127.0.0.1:9/client/v4' },
      /^error: Cloudflare cannot be reached \(fetch failed\): check the network and the proxy, and run the command again\n$/,
    ],
    [
      'an expired sign-in that cannot be renewed without a network',
      [],
      { CLOUDFLARE_API_TOKEN: '', XDG_CONFIG_HOME: SIGNED_IN_BEFORE, WRANGLER_AUTH_DOMAIN: '127.0.0.1:9' },
      /^error: Cloudflare cannot be reached \(Not logged in\. [^\n]*\): check the network [^\n]*\n$/,
    ],
    [
      'an account of another user',
      [],
      { CLOUDFLARE_ACCOUNT_ID: 'f'.repeat(32) },
      new RegExp(`your accounts: Quillfern \\(${ACCOUNT_ID}\\)`),
    ],
    ['an unknown environment', ['--env', 'staging'], {}, /wrangler.toml has no environment "staging"/],
    [
      'a missing sign-in',
      [],
      { CLOUDFLARE_API_TOKEN: '', XDG_CONFIG_HOME: '/nonexistent' },
      /^error: not signed in to Cloudflare: run "npx wrangler login", or set CLOUDFLARE_API_TOKEN\n$/,
    ],
    [
      'an unknown location',
      ['--location', 'moon'],
      { CLOUDFLARE_API_TOKEN: '' },
      /^error: --location must be one of weur, eeur, apac, oc, wnam, enam, found "moon"\n$/,
    ],
    [
      'an address without a scheme',
      ['--url', 'scim.example:8443'],
      {},
      /^error: --url must be a URL such as https:\/\/scim\.example, found "scim\.example:8443"\n$/,
    ],
    ['an unknown option', ['--foo'], {}, /Unknown option '--foo'[\s\S]*npm run deploy -- \[--env NAME\]/],
  ] as const)('rejects %s with a message and deploys nothing', async ([, args, environment, expected]) => {
    const { code, output } = await deploy(args, environment)
    expect(code).toBe(1)
    expect(output).toMatch(expected)
    expect([cloudflare.databases.size, cloudflare.workers.size]).toEqual([0, 0])
  })
})
