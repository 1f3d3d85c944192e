/**
 * `npm run deploy` against a stand-in for Cloudflare's API: wrangler is the real one, the account is not.
 */
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ACCOUNT_ID, API_TOKEN, type Cloudflare, startCloudflare } from './cloudflare.ts'

const ROOT = resolve(import.meta.dirname, '..', '..')
const MIGRATIONS = readdirSync(join(ROOT, 'migrations')).filter((name) => name.endsWith('.sql'))

let cloudflare: Cloudflare
beforeEach(async () => {
  cloudflare = await startCloudflare()
})
afterEach(() => cloudflare.close())

/** @returns what it printed on both streams, and its exit code */
async function deploy(
  args: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<{ code: number; output: string }> {
  const script = join(ROOT, 'src', 'local', 'deploy.mjs')
  const env = {
    ...process.env,
    CLOUDFLARE_API_BASE_URL: cloudflare.apiUrl,
    CLOUDFLARE_API_TOKEN: API_TOKEN,
    ...environment,
  }
  const words = [script, '--url', cloudflare.origin, '--wait', '0', ...args]
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, words, { env })
    return { code: 0, output: `${stdout}${stderr}` }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, output: `${stdout}${stderr}` }
  }
}

function migrationsOf(name: string): readonly unknown[] {
  const rows = cloudflare.databases.get(name)?.database.prepare('SELECT name FROM d1_migrations').all()
  return (rows ?? []).map((row) => row.name)
}

describe('npm run deploy', { timeout: 120_000 }, () => {
  it('makes what is missing the first time, keeps it the second time, and stops at a newer database', async () => {
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
    // Nothing serves a database that is not migrated.
    const deployed = cloudflare.requests.findIndex((request) => request.startsWith('PUT /workers/scripts/'))
    expect(cloudflare.requests.findLastIndex((request) => request.endsWith('/query'))).toBeLessThan(deployed)

    // The second time: the same database and the same token.
    const [database] = cloudflare.databases.values()
    const again = await deploy()
    expect(again.output).toContain('Admin token  as before')
    expect([...cloudflare.databases.values()]).toEqual([database])
    expect(cloudflare.workers.get('scim-worker')).toMatchObject({ deployments: 2 })
    expect(cloudflare.workers.get('scim-worker')?.secrets.get('ADMIN_TOKEN')).toBe(token)

    // Over a database that a newer version has migrated: nothing.
    database?.database.exec("INSERT INTO d1_migrations (name) VALUES ('9999_future.sql')")
    const older = await deploy()
    expect(older.code).toBe(1)
    expect(older.output).toContain('is newer than this version: it has the migration 9999_future.sql')
    expect(cloudflare.workers.get('scim-worker')).toMatchObject({ deployments: 2 })
  })

  it('deploys nothing when a migration fails, and says why', async () => {
    cloudflare.troubles = { failingStatement: 'CREATE TABLE `users`' }
    const { code, output } = await deploy()
    expect(code).toBe(1)
    expect(output).toMatch(
      /error: A migration of "scim-worker" failed, so nothing was deployed: .*syntax error/,
    )
    expect(cloudflare.workers.size).toBe(0)
  })

  it('says that no more databases can be made', async () => {
    cloudflare.troubles = { isDatabaseQuotaUsedUp: true }
    const { code, output } = await deploy()
    expect(code).toBe(1)
    expect(output).toMatch(
      /error: The database "scim-worker" cannot be made: .*maximum number of D1 databases/,
    )
  })

  it('fails when the Worker is not healthy', async () => {
    cloudflare.troubles = { health: 503 }
    const { code, output } = await deploy()
    expect(code).toBe(1)
    expect(output).toContain(`error: The Worker is deployed, but ${cloudflare.origin}/healthz answers 503`)
  })

  it.for([
    [
      'a wrong token',
      [],
      { CLOUDFLARE_API_TOKEN: 'wrong' },
      /error: not signed in to Cloudflare .*Invalid access token/,
    ],
    [
      'the account of somebody else',
      [],
      { CLOUDFLARE_ACCOUNT_ID: 'f'.repeat(32) },
      new RegExp(`yours, which are: Quillfern \\(${ACCOUNT_ID}\\)`),
    ],
    [
      'an environment that is not configured',
      ['--env', 'staging'],
      {},
      /wrangler.toml has no environment "staging"/,
    ],
    [
      'a start without an account',
      [],
      { CLOUDFLARE_API_TOKEN: '', XDG_CONFIG_HOME: '/nonexistent' },
      /^error: not signed in to Cloudflare: run "npx wrangler login", or set CLOUDFLARE_API_TOKEN\n$/,
    ],
    [
      'a location that D1 does not have',
      ['--location', 'moon'],
      { CLOUDFLARE_API_TOKEN: '' },
      /^error: --location must be one of weur, eeur, apac, oc, wnam, enam, found "moon"\n$/,
    ],
    ['an unknown option', ['--foo'], {}, /Unknown option '--foo'[\s\S]*npm run deploy -- \[--env NAME\]/],
  ] as const)('refuses %s in words, and deploys nothing', async ([, args, environment, expected]) => {
    const { code, output } = await deploy(args, environment)
    expect(code).toBe(1)
    expect(output).toMatch(expected)
    expect([cloudflare.databases.size, cloudflare.workers.size]).toEqual([0, 0])
  })
})
