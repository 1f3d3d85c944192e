/**
 * Installs the project's dependencies if they are missing, and runs their tools with the Node.js that they require,
 * independent of the installed version. Requires only Node.js 20.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..')
const LOCKFILE = join(ROOT, 'package-lock.json')
const MODULES = join(ROOT, 'node_modules')
const BIN = join(MODULES, '.bin')
/** Contains the hash of the lockfile that node_modules was installed from, and the scope. */
const STAMP = join(MODULES, '.installed-from')
/** Held by the process that installs. */
const LOCK = join(ROOT, '.install.lock')
const isWindows = process.platform === 'win32'

/**
 * What is installed: for `use`, only what runs the server and the emulator ("dependencies" in package.json), which is
 * enough for most commands; for `development`, everything.
 *
 * @typedef {'use' | 'development'} Scope
 */

/** @type {Readonly<Record<Scope, { options: readonly string[], size: string }>>} */
const SCOPES = {
  use: { options: ['--omit=dev'], size: '390 MB' },
  development: { options: [], size: '680 MB' },
}

/**
 * Installs the dependencies of the lockfile unless they are installed. If two processes find them missing, the second
 * one waits for the first.
 *
 * @param {Scope} scope
 * @returns {Promise<void>}
 */
export async function ensureInstalled(scope = 'development') {
  while (!isInstalled(scope)) {
    if (takeLock()) {
      const problem = await install(scope).finally(() => rmSync(LOCK, { force: true }))
      if (problem !== undefined) fail(problem)
    } else {
      await waitForLock()
    }
  }
}

/** @param {Scope} scope */
function isInstalled(scope) {
  const stamp = existsSync(STAMP) ? readFileSync(STAMP, 'utf8') : ''
  return stamp === stampOf('development') || stamp === stampOf(scope) || isInstalledByHand(scope)
}

/** @param {Scope} scope */
function stampOf(scope) {
  return `${createHash('sha256').update(readFileSync(LOCKFILE)).digest('hex')} ${scope}`
}

/**
 * True if `npm ci` was run manually; npm keeps a list of the installed packages.
 *
 * @param {Scope} scope
 */
function isInstalledByHand(scope) {
  const list = join(MODULES, '.package-lock.json')
  return existsSync(list) && holdsAll(packagesOf(list), packagesOf(LOCKFILE), scope)
}

/** @typedef {Record<string, { version?: string, dev?: boolean, optional?: boolean, devOptional?: boolean }>} Packages by their path */

/**
 * True if all required packages are installed; packages for other platforms are optional.
 *
 * @param {Packages} installed
 * @param {Packages} wanted
 * @param {Scope} scope
 */
export function holdsAll(installed, wanted, scope) {
  return Object.entries(wanted).every(([path, { version, dev, optional, devOptional }]) => {
    const isRequired = scope === 'development' ? !optional : !dev && !optional && !devOptional
    return path === '' || !isRequired || installed[path]?.version === version
  })
}

/**
 * @param {string} lockfile
 * @returns {Packages}
 */
function packagesOf(lockfile) {
  return JSON.parse(readFileSync(lockfile, 'utf8')).packages
}

/** @returns {boolean} false if another running process is installing */
function takeLock() {
  try {
    writeFileSync(LOCK, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    if (isAlive(Number(readFileSync(LOCK, 'utf8')))) return false
    rmSync(LOCK, { force: true })
    return takeLock()
  }
}

async function waitForLock() {
  console.log('Waiting for another process to install the dependencies …')
  while (existsSync(LOCK) && isAlive(Number(readFileSync(LOCK, 'utf8')))) {
    await new Promise((wait) => setTimeout(wait, 500))
  }
}

/**
 * @param {Scope} scope
 * @returns {Promise<string | undefined>} the error message of a failure
 */
async function install(scope) {
  const stamp = stampOf(scope)
  const { options, size } = SCOPES[scope]
  const command = ['ci', ...options]
  console.log(`Installing dependencies with npm ${command.join(' ')} (once; about ${size} on disk) …`)
  const started = Date.now()
  const progress = setInterval(() => console.log(`  … ${seconds(started)} s`), 10_000)
  try {
    // npm must not run with the Node.js in node_modules, which it is about to replace.
    const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => resolve(folder) !== BIN)
    const quiet = ['--loglevel=error', '--no-fund', '--no-audit', '--no-update-notifier']
    const code = await run('npm', [...command, ...quiet], { PATH: path.join(delimiter) }, isWindows)
    if (code !== 0) return `npm ${command.join(' ')} failed with exit code ${code}; see the output above`
  } finally {
    clearInterval(progress)
  }
  discardHeaders()
  writeFileSync(STAMP, stamp)
  console.log(`Installed in ${seconds(started)} s.`)
  return undefined
}

/** The headers of Node.js take 67 MB, and only compilers of native modules need them. */
function discardHeaders() {
  const folder = join(MODULES, 'node', 'node_modules')
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith('node-')) : []
  for (const name of names) rmSync(join(folder, name, 'include'), { recursive: true, force: true })
}

/**
 * True if a process exists.
 *
 * @param {number} pid
 */
export function isAlive(pid) {
  try {
    return pid > 0 && process.kill(pid, 0)
  } catch (error) {
    // EPERM: the process exists and belongs to another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/**
 * The environment of a tool: node_modules/.bin comes first, so that `node` is the project's own.
 *
 * @param {Record<string, string>} more
 */
export function toolEnvironment(more = {}) {
  return { ...process.env, PATH: `${BIN}${delimiter}${process.env.PATH ?? ''}`, ...more }
}

/**
 * The command line that runs a tool of node_modules on the project's Node.js.
 *
 * @param {string} tool path below node_modules of its JavaScript entry
 * @param {readonly string[]} args
 * @returns {[string, string[]]}
 */
export function toolCommand(tool, args) {
  return [ownNode(), [join(MODULES, tool), ...args]]
}

/** The Node.js in node_modules if it could be installed, otherwise the one that runs this file. */
export function ownNode() {
  const own = join(MODULES, 'node', 'bin', isWindows ? 'node.exe' : 'node')
  return existsSync(own) ? own : process.execPath
}

/**
 * Runs a command with inherited standard streams until it ends.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {Record<string, string>} environment added to the current one
 * @returns {Promise<number>} the exit code; 1 if a signal ended it
 */
export function run(command, args, environment = {}, shell = false) {
  return new Promise((done, failed) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      stdio: 'inherit',
      env: toolEnvironment(environment),
      shell,
    })
    for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
      process.on(signal, () => child.kill(signal))
    }
    child.on('error', failed)
    child.on('exit', (code) => done(code ?? 1))
  })
}

/**
 * Runs a command until it ends, beside others: its output is returned instead of shown.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {Record<string, string>} environment added to the current one
 * @returns {Promise<{ code: number, output: string }>} the exit code, 1 if a signal ended it; standard output and error
 */
export function runQuietly(command, args, environment = {}) {
  return new Promise((done, failed) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: toolEnvironment({ ...(process.stdout.isTTY && { FORCE_COLOR: '1' }), ...environment }),
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text
      })
    }
    for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
      process.on(signal, () => child.kill(signal))
    }
    child.on('error', failed)
    child.on('close', (code) => done({ code: code ?? 1, output }))
  })
}

/**
 * Ends the process with a one-line error message.
 *
 * @param {string} message
 * @returns {never}
 */
export function fail(message) {
  console.error(`error: ${message}`)
  process.exit(1)
}

/** @param {number} since milliseconds */
function seconds(since) {
  return ((Date.now() - since) / 1000).toFixed(1)
}
