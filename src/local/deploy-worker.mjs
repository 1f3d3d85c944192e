/**
 * Deploys the Worker: creates the D1 database if it does not exist, applies the migrations, and then deploys. If nobody
 * could sign in otherwise, it sets a random ADMIN_TOKEN. Finally it checks that the Worker is healthy. Each step is a
 * wrangler command. The first failure ends the deployment, so nothing is deployed after a failed migration.
 */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, stripVTControlCharacters } from 'node:util'
import { fail, ROOT, toolCommand, toolEnvironment } from './toolchain.mjs'
import { buildWorkerModules, deployArguments } from './worker-modules.mjs'

const USAGE = `npm run deploy -- [--env NAME] [--location weur] [--url https://scim.example] [--wait 120] [--replace]

  --env       an environment of wrangler.toml, such as staging
  --location  the location of a new database: weur, eeur, apac, oc, wnam or enam; near you by default
  --url       the URL that clients use, if the Worker has a custom domain
  --wait      seconds to wait for a healthy Worker; 120 by default, because a new address first needs a certificate
  --replace   replaces a Worker of the same name that has no database of scim-worker yet`

/** https://developers.cloudflare.com/d1/configuration/data-location/#available-location-hints */
const LOCATIONS = ['weur', 'eeur', 'apac', 'oc', 'wnam', 'enam']

/** Without those of SQLite, D1 and wrangler. */
const FOREIGN_TABLES = `SELECT name FROM sqlite_schema WHERE type = 'table'
  AND name NOT GLOB 'sqlite_*' AND name NOT GLOB '_cf_*' AND name <> 'd1_migrations'`

const HEALTH_POLL_MS = 2_000

/** Wrangler's reports of a request without an answer, and the codes of Node.js behind them. */
const UNREACHABLE =
  /fetch failed|fetch request failed|could not be reached|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONN\w+|EHOSTUNREACH|ENETUNREACH/

/**
 * Workers Builds stores the output, so no token is created there: the Deploy to Cloudflare button asks for one.
 * https://developers.cloudflare.com/workers/ci-cd/builds/configuration/#default-variables
 */
const isOutputStored = process.env.WORKERS_CI === '1'

const { env, location, url, wait, replace } = readArguments()
const environment = env === undefined ? [] : ['--env', env]
const config = await readConfig()
const folder = mkdtempSync(join(tmpdir(), 'scim-worker-deploy-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
/** @type {import('node:child_process').ChildProcess | undefined} the wrangler command that runs */
let running
// The folder has the new ADMIN_TOKEN for a while, so it is removed then, too.
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, () => {
    running?.kill(signal)
    fail(`the deployment was ended by ${signal}; run it again to complete it`)
  })
}

await requireAccount()
const secrets = await secretsOfWorker()
const isAccessSet = Boolean(config.vars.ACCESS_TEAM_DOMAIN && config.vars.ACCESS_AUD)
const hadSignIn = isAccessSet || (secrets ?? []).includes('ADMIN_TOKEN')
await prepareDatabases()
const newAdminToken = hadSignIn || isOutputStored ? undefined : randomBytes(32).toString('base64url')
// Before the deployment stores it: whatever fails afterwards, nobody could read it again.
if (newAdminToken !== undefined) {
  console.log(`The new admin token, which the deployment stores as a secret: ${newAdminToken}`)
}
const origin = await deploy(newAdminToken)
await requireHealth(origin)
announce()

function readArguments() {
  try {
    const options = /** @type {const} */ ({
      env: { type: 'string' },
      location: { type: 'string' },
      url: { type: 'string' },
      wait: { type: 'string', default: '120' },
      replace: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    })
    const { values } = parseArgs({ options })
    if (values.help) {
      console.log(USAGE)
      process.exit(0)
    }
    if (values.location !== undefined && !LOCATIONS.includes(values.location))
      fail(`--location must be one of ${LOCATIONS.join(', ')}, found "${values.location}"`)
    if (values.url !== undefined && !/^https?:$/.test(URL.parse(values.url)?.protocol ?? ''))
      fail(`--url must be a URL such as https://scim.example, found "${values.url}"`)
    if (!(Number(values.wait) >= 0)) fail(`--wait must be a number of seconds, found "${values.wait}"`)
    return values
  } catch (error) {
    return fail(`${error instanceof Error ? error.message : error}\n\n${USAGE}`)
  }
}

/** The configuration of the environment in wrangler.toml. */
async function readConfig() {
  // Imported on demand, because it takes seconds and "--help" does not need it.
  const { unstable_readConfig } = await import('wrangler')
  try {
    const found = unstable_readConfig({ config: join(ROOT, 'wrangler.toml'), env }, { hideWarnings: true })
    // Without this check, wrangler would deploy a second Worker that uses the production database.
    if (env !== undefined && !found.definedEnvironments?.includes(env)) {
      const names = found.definedEnvironments?.join(', ') || 'none'
      fail(
        `wrangler.toml has no environment "${env}" (known: ${names}); add [env.${env}] with a database of its own`,
      )
    }
    return found
  } catch (error) {
    return fail(`wrangler.toml: ${error instanceof Error ? error.message : error}`)
  }
}

/** Ends the deployment if the user is not signed in or the account is ambiguous. */
async function requireAccount() {
  const { code, stdout, problem } = await wrangler(['whoami', '--json'])
  /** @type {{ loggedIn?: boolean, accounts?: { id: string, name: string }[] }} */
  const { loggedIn = false, accounts = [] } = jsonIn(stdout) ?? {}
  if (code !== 0 && UNREACHABLE.test(problem)) {
    fail(
      `Cloudflare cannot be reached (${problem}): check the network and the proxy, and run the command again`,
    )
  }
  if (!loggedIn) {
    // "whoami" reports a missing sign-in as JSON, which is not a useful reason.
    const why = code === 0 || problem === '' || problem.startsWith('{') ? '' : ` (${problem})`
    fail(`not signed in to Cloudflare${why}: run "npx wrangler login", or set CLOUDFLARE_API_TOKEN`)
  }
  const wanted = process.env.CLOUDFLARE_ACCOUNT_ID ?? config.account_id
  const names = accounts.map(({ id, name }) => `${name} (${id})`).join(', ') || 'none'
  if (wanted !== undefined && !accounts.some(({ id }) => id === wanted)) {
    fail(`the account ${wanted} is not one of your accounts: ${names}`)
  }
  if (wanted === undefined && accounts.length !== 1) {
    fail(`set CLOUDFLARE_ACCOUNT_ID to the account of the Worker; your accounts are: ${names}`)
  }
}

/**
 * The names of the secrets of the Worker.
 *
 * @returns {Promise<string[] | undefined>} undefined if there is no Worker of this name
 */
async function secretsOfWorker() {
  const { code, stdout, problem } = await wrangler(['secret', 'list', '--format', 'json', ...environment])
  if (code !== 0 && /not found/.test(problem)) return undefined
  if (code !== 0) fail(`The secrets of the Worker cannot be listed: ${problem}`)
  return (jsonIn(stdout) ?? []).map((/** @type {{ name: string }} */ secret) => secret.name)
}

/** @typedef {{ binding: string, database_name?: string | undefined }} NamedDatabase an entry of wrangler.toml */

/** Creates the databases that are missing, and applies the migrations. All names are checked before. */
async function prepareDatabases() {
  const listed = jsonIn(await succeed(['d1', 'list', '--json'], 'The databases cannot be listed')) ?? []
  const existing = new Set(listed.map((/** @type {{ name: string }} */ database) => database.name))
  const databases = config.d1_databases.map(
    (/** @type {NamedDatabase} */ { binding, database_name: name }) => {
      if (name === undefined) return fail(`wrangler.toml: the database ${binding} has no "database_name"`)
      return { binding, name, isNew: !existing.has(name) }
    },
  )
  const [first] = databases
  if (first?.isNew && secrets !== undefined && !replace) {
    fail(
      `the Worker "${config.name}" exists already, but its database "${first.name}" does not: choose another "name" in wrangler.toml, or run again with --replace to replace that Worker`,
    )
  }
  for (const database of databases) if (!database.isNew) await requireUsable(database)
  for (const database of databases) await prepareDatabase(database)
}

/** @param {{ binding: string, name: string, isNew: boolean }} database */
async function prepareDatabase({ binding, name, isNew }) {
  if (isNew) {
    const place = location === undefined ? [] : ['--location', location]
    await succeed(
      ['d1', 'create', name, '--update-config=false', ...place],
      `The database "${name}" cannot be created`,
    )
    console.log(`Created the database "${name}".`)
  }
  await succeed(
    ['d1', 'migrations', 'apply', binding, '--remote', ...environment],
    `A migration of "${name}" failed, so nothing was deployed`,
  )
  console.log(`Applied the migrations of "${name}".`)
}

/**
 * Ends the deployment if a database belongs to another program, or if a newer version has migrated it, which this version
 * may not support.
 *
 * @param {{ binding: string, name: string }} database
 */
async function requireUsable({ binding, name }) {
  const known = new Set(readdirSync(join(ROOT, 'migrations')))
  const applied = await namesIn(name, binding, 'SELECT name FROM d1_migrations')
  const unknown = applied?.find((file) => !known.has(file))
  if (applied !== undefined && unknown === undefined) return
  if (applied?.some((file) => known.has(file))) {
    fail(
      `the database "${name}" is newer than this version: it has the migration ${unknown}; deploy the newer version`,
    )
  }
  const [table] = (await namesIn(name, binding, FOREIGN_TABLES)) ?? []
  if (table === undefined) return
  fail(
    `the database "${name}" holds tables of another program ("${table}"): choose another "database_name" in wrangler.toml`,
  )
}

/**
 * The column "name" of the rows of a query.
 *
 * @param {string} name of the database
 * @param {string} binding
 * @param {string} select
 * @returns {Promise<string[] | undefined>} undefined if there is no such table
 */
async function namesIn(name, binding, select) {
  const { code, stdout, problem } = await wrangler([
    ...['d1', 'execute', binding, '--remote', '--json', '--yes', '--command', select],
    ...environment,
  ])
  if (code !== 0 && /no such table/.test(`${stdout}${problem}`)) return undefined
  if (code !== 0) fail(`The database "${name}" cannot be read: ${problem}`)
  /** @type {{ results: { name: string }[] }[]} */
  const results = jsonIn(stdout) ?? []
  return results.flatMap((one) => one.results).map((row) => row.name)
}

/**
 * @param {string | undefined} adminToken is deployed together with the Worker, which therefore never runs without it
 * @returns {Promise<string>} the URL of the Worker
 */
async function deploy(adminToken) {
  const output = join(folder, 'output.ndjson')
  const secrets = join(folder, 'secrets.json')
  if (adminToken !== undefined)
    writeFileSync(secrets, JSON.stringify({ ADMIN_TOKEN: adminToken }), { mode: 0o600 })
  const more = adminToken === undefined ? [] : ['--secrets-file', secrets]
  const modules = join(folder, 'modules')
  await buildWorkerModules(modules)
  const args = ['deploy', ...deployArguments(modules), ...more, ...environment]
  await succeed(args, 'The Worker cannot be deployed', {
    WRANGLER_OUTPUT_FILE_PATH: output,
  })
  const lines = readFileSync(output, 'utf8').trim().split('\n')
  const deployed = lines.map((line) => JSON.parse(line)).find(({ type }) => type === 'deploy')
  console.log(`Deployed version ${deployed?.version_id ?? 'unknown'}.`)
  const target = url ?? deployed?.targets?.find((/** @type {string} */ text) => text.startsWith('https://'))
  if (target === undefined)
    fail('The Worker is deployed, but has no address: check "routes" and "workers_dev" in wrangler.toml')
  return new URL(target).origin
}

/** @param {string} address */
async function requireHealth(address) {
  const end = Date.now() + Number(wait) * 1_000
  for (;;) {
    const found = await healthOf(address)
    if (found === '200') return
    if (Date.now() > end)
      fail(`The Worker is deployed, but ${address}/healthz returns ${found}: see "npx wrangler tail"`)
    await new Promise((done) => setTimeout(done, HEALTH_POLL_MS))
  }
}

/** @param {string} address @returns {Promise<string>} the status, or the reason for its absence */
async function healthOf(address) {
  try {
    return String((await fetch(`${address}/healthz`)).status)
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error
    return `nothing (${cause instanceof Error ? cause.message : cause})`
  }
}

function announce() {
  const kept = hadSignIn ? 'unchanged' : 'not set: run "npx wrangler secret put ADMIN_TOKEN" to sign in'
  const token = newAdminToken === undefined ? kept : 'new, shown above; it is not shown again'
  console.log(`
  Tenant URL   ${origin}/scim/v2
  Dashboard    ${origin}/admin
  Admin token  ${token}

Next: sign in, open Connect, choose your identity provider, and follow its guide.`)
}

/**
 * Runs a wrangler command and ends the deployment if it fails.
 *
 * @param {readonly string[]} args
 * @param {string} what the message for a failure
 * @param {Record<string, string>} more
 * @returns {Promise<string>} the standard output
 */
async function succeed(args, what, more = {}) {
  const { code, stdout, problem } = await wrangler(args, more)
  return code === 0 ? stdout : fail(`${what}: ${problem}`)
}

/**
 * Runs a wrangler command without prompts.
 *
 * @param {readonly string[]} args
 * @param {Record<string, string>} more
 * @returns {Promise<{ code: number, stdout: string, problem: string }>} the error is one line
 */
function wrangler(args, more = {}) {
  const [command, words] = toolCommand('wrangler/bin/wrangler.js', args)
  const variables = toolEnvironment({
    CI: '1',
    WRANGLER_SEND_METRICS: 'false',
    WRANGLER_HIDE_BANNER: 'true',
    ...more,
  })
  return new Promise((done, failed) => {
    const child = spawn(command, words, { cwd: ROOT, env: variables, stdio: ['ignore', 'pipe', 'pipe'] })
    running = child
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (chunk) => (stdout += chunk))
    child.stderr.on('data', (chunk) => (stderr += chunk))
    child.on('error', failed)
    child.on('close', (code) => done({ code: code ?? 1, stdout, problem: problemIn(`${stdout}\n${stderr}`) }))
  })
}

/** @param {string} output @returns {string} wrangler's error message with the first line of its reason */
function problemIn(output) {
  const lines = stripVTControlCharacters(output)
    .split('\n')
    .map((line) => line.trim())
  const at = lines.findIndex((line) => line.includes('[ERROR]'))
  if (at < 0) return lines.findLast((line) => line !== '') ?? ''
  const reason = lines.slice(at + 1).find((line) => line !== '' && !line.startsWith('🪵'))
  return [lines[at]?.replace(/^.*\[ERROR\]\s*/, ''), reason].filter(Boolean).join(' ')
}

/** @param {string} text @returns {any} the JSON in the output of a command, undefined if there is none */
function jsonIn(text) {
  const start = text.search(/[[{]/)
  try {
    return start < 0 ? undefined : JSON.parse(text.slice(start))
  } catch {
    return undefined // A banner or an error message; the caller reports what is missing.
  }
}
