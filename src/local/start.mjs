/**
 * `npm start`: from a fresh clone to a running server. Installs dependencies, creates an ADMIN_TOKEN, applies the
 * migrations to the local database, serves, and prints the next steps.
 */
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { addPrivateLine } from '../private-file.mjs'
import { ensureInstalled, fail, isAlive, ROOT, toolCommand, toolEnvironment } from './toolchain.mjs'

const HOST = '127.0.0.1'
const START_TIMEOUT_MS = 60_000
/** Time limit for a responding server to become healthy. A wrong setting would not become right by waiting longer. */
const UNHEALTHY_TIMEOUT_MS = 10_000
/** Time limit for the server to end before it is killed. */
const STOP_TIMEOUT_MS = 5_000
/** Those that end `npm start`. */
const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])
const DEV_VARS = join(ROOT, '.dev.vars')
/** CI answers wrangler's prompts. The other variables disable its messages and its work on each request. */
const WRANGLER_ENVIRONMENT = {
  CI: '1',
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_HIDE_BANNER: 'true',
  X_LOCAL_OBSERVABILITY: 'false',
}

const USAGE = `npm start -- [--port 8787] [--persist-to DIR]

  --port        the port to serve on, 127.0.0.1 only; 8787 by default
  --persist-to  the folder of the local database; .wrangler/state by default`

const { port, persistTo } = readArguments()
await ensureInstalled('use')
ensureAdminToken()
await requireFreePort(port)
await migrate(persistTo)
await serve(port, persistTo)

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: 'string', default: '8787' },
        'persist-to': { type: 'string', default: join('.wrangler', 'state') },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    if (values.help) {
      console.log(USAGE)
      process.exit(0)
    }
    const number = Number(values.port)
    if (!Number.isInteger(number) || number < 1 || number > 65_535) {
      fail(`--port must be a number from 1 to 65535, found "${values.port}"`)
    }
    return { port: number, persistTo: resolve(ROOT, values['persist-to']) }
  } catch (error) {
    return fail(`${error instanceof Error ? error.message : error}\n\n${USAGE}`)
  }
}

/** Adds a random ADMIN_TOKEN to .dev.vars unless there is one. */
function ensureAdminToken() {
  const present = existsSync(DEV_VARS) ? readFileSync(DEV_VARS, 'utf8') : ''
  if (/^\s*ADMIN_TOKEN\s*=\s*\S/m.test(present)) return
  addPrivateLine(DEV_VARS, `ADMIN_TOKEN="${randomBytes(32).toString('base64url')}"`)
}

/** @param {number} port */
function requireFreePort(port) {
  return new Promise((done) => {
    const probe = createServer()
    probe.once('error', (error) => {
      const reason =
        'code' in error && error.code === 'EADDRINUSE' ? 'is in use' : `cannot be used (${error.message})`
      fail(`port ${port} of ${HOST} ${reason}; choose another port: npm start -- --port ${port + 1}`)
    })
    probe.listen(port, HOST, () => probe.close(done))
  })
}

/** @param {string} persistTo */
async function migrate(persistTo) {
  // The database contains personal data, and wrangler would create a folder that every user can read.
  mkdirSync(persistTo, { recursive: true, mode: 0o700 })
  for (const binding of databaseBindings()) {
    console.log(`Applying the migrations of ${binding} …`)
    const options = ['--local', '--persist-to', persistTo]
    const [command, args] = wrangler(['d1', 'migrations', 'apply', binding, ...options])
    const { code, output } = await capture(command, args)
    if (code !== 0) fail(`the migrations could not be applied to ${binding} in ${persistTo}\n${output}`)
  }
}

/** The bindings of databases in wrangler.toml: DB, and DB2, DB3, … where there are several. */
function databaseBindings() {
  const config = readFileSync(join(ROOT, 'wrangler.toml'), 'utf8')
  const names = [...config.matchAll(/^\s*binding\s*=\s*"(DB\d*)"/gm)].map(([, name]) => name ?? '')
  return [...new Set(names)]
}

/**
 * @param {readonly string[]} args
 * @returns {[string, string[]]}
 */
function wrangler(args) {
  return toolCommand('wrangler/bin/wrangler.js', args)
}

/**
 * Runs a command in a process group of its own, which a signal to this process ends too.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @returns {Promise<{ code: number | null, output: string }>}
 */
function capture(command, args) {
  return new Promise((done, failed) => {
    const detached = process.platform !== 'win32'
    const child = spawn(command, args, { cwd: ROOT, env: toolEnvironment(WRANGLER_ENVIRONMENT), detached })
    /** @param {NodeJS.Signals} signal */
    const stop = (signal) => {
      signalGroup(child, 'SIGKILL')
      fail(`ended by ${signal}; the next start applies what is missing`)
    }
    for (const signal of SIGNALS) process.on(signal, stop)
    child.on('exit', () => {
      for (const signal of SIGNALS) process.off(signal, stop)
    })
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    child.stderr.on('data', (chunk) => (output += chunk))
    child.on('error', failed)
    child.on('exit', (code) => done({ code, output }))
  })
}

/**
 * @param {number} port
 * @param {string} persistTo
 */
async function serve(port, persistTo) {
  const flags = ['--ip', HOST, '--port', String(port), '--inspector-port', '0', '--persist-to', persistTo]
  const quiet = ['--log-level', 'error', '--show-interactive-dev-session=false']
  const [command, args] = wrangler([
    'dev',
    ...flags,
    '--var',
    'SERVER_TIMING:1',
    '--var',
    'REQUEST_LOG:0',
    '--var',
    'ALLOW_LOOPBACK_WEBHOOKS:1',
    ...quiet,
  ])
  // The server has its own process group, so that ending the group ends workerd too. Ctrl-C reaches only this process.
  const child = spawn(command, args, {
    cwd: ROOT,
    env: toolEnvironment(WRANGLER_ENVIRONMENT),
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: process.platform !== 'win32',
  })
  const stop = endTogether(child)
  const problem = await waitUntilHealthy(port)
  if (problem === undefined) return printNextSteps(port)
  console.error(`error: ${problem}`)
  stop(1)
}

/**
 * Signals a child and all processes that it started.
 *
 * @param {import('node:child_process').ChildProcess} child
 * @param {NodeJS.Signals} signal
 */
function signalGroup({ pid }, signal) {
  if (pid === undefined) return
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, signal)
  } catch (error) {
    // ESRCH: all processes have already ended.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

/**
 * Links the life of this process and the server: when one ends, so does the other.
 *
 * @param {import('node:child_process').ChildProcess} child
 * @returns {(code: number) => void} ends both with the given exit code
 */
function endTogether(child) {
  /** @type {number | undefined} */
  let stopCode
  /** @param {NodeJS.Signals} signal */
  const signalAll = (signal) => signalGroup(child, signal)
  const stop = (code = 0) => {
    if (stopCode !== undefined) return
    stopCode = code
    signalAll('SIGTERM')
    setTimeout(() => signalAll('SIGKILL'), STOP_TIMEOUT_MS).unref()
  }
  for (const signal of SIGNALS) process.on(signal, () => stop())
  const ancestors = npmProcesses()
  setInterval(() => ancestors.every(isAlive) || stop(), 1_000).unref()
  child.on('exit', (code) => {
    signalAll('SIGKILL')
    process.exit(stopCode ?? code ?? 1)
  })
  return stop
}

/**
 * npm and its shell, if they started this process. A signal to npm is meant for this process, but npm cannot always
 * forward it.
 */
function npmProcesses() {
  if (process.env.npm_lifecycle_event === undefined || process.platform === 'win32') return []
  const { stdout } = spawnSync('ps', ['-o', 'ppid=', '-p', String(process.ppid)], { encoding: 'utf8' })
  return [process.ppid, Number(stdout)].filter((pid) => pid > 1)
}

/**
 * @param {number} port
 * @returns {Promise<string | undefined>} the reason why the server is not healthy
 */
async function waitUntilHealthy(port) {
  const deadline = Date.now() + START_TIMEOUT_MS
  let unhealthyUntil = Number.POSITIVE_INFINITY
  while (Date.now() < Math.min(deadline, unhealthyUntil)) {
    const response = await fetch(`http://${HOST}:${port}/healthz`).catch(() => undefined)
    if (response?.ok) return undefined
    if (response !== undefined) unhealthyUntil = Math.min(unhealthyUntil, Date.now() + UNHEALTHY_TIMEOUT_MS)
    await new Promise((wait) => setTimeout(wait, 100))
  }
  return unhealthyUntil === Number.POSITIVE_INFINITY
    ? `the server did not respond within ${START_TIMEOUT_MS / 1000} s`
    : 'the server is not healthy; see the reason above. Its settings are in .dev.vars and wrangler.toml'
}

/** @param {number} port */
function printNextSteps(port) {
  const base = `http://${HOST}:${port}`
  console.log(`
scim-worker is running.

  Tenant URL   ${base}/scim/v2
  Dashboard    ${base}/admin
  Admin token  ADMIN_TOKEN in ${relative(process.cwd(), DEV_VARS) || DEV_VARS}

Next: sign in to the dashboard, press Generate Token under API Keys, store the token in trial/token.txt, and
provision a copy of the sample directory as Microsoft Entra would:

  mkdir -p -m 700 trial; cp test/fixtures/directory/quillfern.json trial/people.json

  npm run entra -- provision --directory trial/people.json \\
    --tenant-url ${base}/scim/v2 --token-file trial/token.txt

Without a browser, create a token with:

  sed -n 's/^ADMIN_TOKEN="\\{0,1\\}\\([^"]*\\)"\\{0,1\\}$/Authorization: Bearer \\1/p' .dev.vars > trial/administrator.txt
  curl -X POST ${base}/admin/api/tenants/default/tokens -H @trial/administrator.txt \\
    -H 'Content-Type: application/json' -d '{"name":"Microsoft Entra"}'

Press Ctrl-C to stop.`)
}
