/**
 * Starts the compared servers, each as a process with its own port and folder: the Worker in bare workerd and under
 * `wrangler dev`, the built server on Deno and on Node.js, the floor of each host, and the servers of other projects. All
 * of them end with this process.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { DENO, DENO_MISSING } from '../../deno/support/find-deno.ts'
import { besidePackages } from './packages.ts'
import { d1File, workerdPath, writeWorkerdConfig } from './workerd.ts'

export type PeerName =
  | 'workerd'
  | 'workerd floor'
  | 'Deno'
  | 'Deno floor'
  | 'Node.js'
  | 'Node.js floor'
  | 'wrangler dev'
  | 'better-auth'
  | 'SCIMMY'

export interface Peer {
  readonly name: PeerName
  readonly port: number
  readonly child: ChildProcess
  readonly folder: string
}

export interface StartOptions {
  /** The initial database file: see ../directory.ts. */
  readonly database?: string
  /** The folder of an earlier peer; a new folder by default. */
  readonly folder?: string
  /** Adds the database figures to each response. Off by default because of its cost. */
  readonly serverTiming?: boolean
  /** Modules for workerd instead of its own. */
  readonly modules?: readonly string[]
}

export const ROOT = resolve(import.meta.dirname, '..', '..', '..')
/** The client's token at the servers of other projects. */
export const PEER_TOKEN = 'a-token-for-benchmarks'
export const ADMIN_TOKEN = 'an-admin-token-for-benchmarks'
/** The unit of processor time on Linux: USER_HZ is 100. */
const CLOCK_TICK_MS = 10
const START_TIMEOUT_MS = 90_000
const POLL_MS = 5

const folders: string[] = []
const children: ChildProcess[] = []
let built: string | undefined

/**
 * Builds the measured modules like `npm run build`, into a separate folder.
 * @returns the folder
 */
export function build(): string {
  if (built !== undefined) return built
  const folder = newFolder()
  execFileSync(process.execPath, [join(ROOT, 'src', 'local', 'build.mjs'), folder], { stdio: 'inherit' })
  built = folder
  return folder
}

/** The files of the built Worker, with the main module first. */
export function workerModules(): readonly string[] {
  const folder = join(build(), 'worker')
  const names = readdirSync(folder).filter((name) => name.endsWith('.mjs'))
  return names
    .toSorted((a, b) => Number(b === 'worker.mjs') - Number(a === 'worker.mjs'))
    .map((name) => join(folder, name))
}

/** A temporary folder that is deleted at the end of the benchmark. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'scim-bench-'))
  folders.push(folder)
  return folder
}

/**
 * Starts a peer and waits until it responds.
 * @throws {Error} with the reason if it does not start
 */
export async function start(name: PeerName, options: StartOptions = {}): Promise<Peer> {
  const { peer, output } = await launch(name, options)
  if (await isUp(peer)) return peer
  await stop(peer)
  throw new Error(`${name} did not start: ${output().trim() || 'no output'}`)
}

/**
 * Starts a peer without waiting.
 *
 * @returns the peer, and its error output
 * @throws {Error} if it is not available on this machine
 */
export async function launch(
  name: PeerName,
  options: StartOptions = {},
): Promise<{ peer: Peer; output: () => string }> {
  if (name.startsWith('Deno') && DENO === undefined) throw new Error(DENO_MISSING)
  const { folder = newFolder(), database } = options
  const port = await freePort()
  const file = databaseFile(name, folder)
  mkdirSync(dirname(file), { recursive: true })
  if (database !== undefined) copyFileSync(database, file)
  const [command, args, env] = commandLine(name, folder, port, options)
  const child = spawn(command, args, {
    cwd: name === 'wrangler dev' ? ROOT : folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let output = ''
  child.stderr?.on('data', (chunk) => (output = `${output}${chunk}`.slice(-1_000)))
  await once(child, 'spawn').catch((cause) => {
    throw new Error(`${name} did not start: ${cause.message}`, { cause })
  })
  children.push(child)
  return { peer: { name, port, child, folder }, output: () => output }
}

/** The database file of a peer. */
export function databaseFile(name: PeerName, folder: string): string {
  if (name === 'wrangler dev') return d1File(join(folder, 'state', 'v3', 'd1'))
  if (name.startsWith('workerd')) return d1File(join(folder, 'd1'))
  return join(folder, 'data', 'directory.sqlite')
}

/** The processor time of a peer with all its processes; NaN if the system does not provide it. */
export function processorMs({ child }: Peer): number {
  const all = processes()
  const own = (pid: number): number => {
    const ticks = all.get(pid)?.ticks ?? 0
    const below = [...all].filter(([, { parent }]) => parent === pid)
    return below.reduce((sum, [childPid]) => sum + own(childPid), ticks)
  }
  return all.size === 0 ? Number.NaN : own(child.pid ?? 0) * CLOCK_TICK_MS
}

/** The processor time of a peer's current threads in nanoseconds, for short spans. */
export function exactProcessorMs({ child }: Peer): number {
  try {
    const folder = `/proc/${child.pid}/task`
    const spent = readdirSync(folder).map((thread) => threadMs(join(folder, thread)))
    return spent.reduce((sum, one) => sum + one, 0)
  } catch {
    return Number.NaN
  }
}

/** The same for the thread that serves requests: what it spends, everybody waits for. */
export function servingMs({ child }: Peer): number {
  try {
    return threadMs(`/proc/${child.pid}/task/${child.pid}`)
  } catch {
    return Number.NaN
  }
}

/** @param folder of the thread in /proc */
function threadMs(folder: string): number {
  return Number(readFileSync(join(folder, 'schedstat'), 'utf8').split(' ')[0]) / 1_000_000
}

/** Available on Linux only: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
function processes(): Map<number, { parent: number; ticks: number }> {
  const found = new Map<number, { parent: number; ticks: number }>()
  try {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      const fields = statFields(pid)
      found.set(Number(pid), { parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) })
    }
  } catch {
    found.clear()
  }
  return found
}

/** The fields after the name; none if the process has ended. */
function statFields(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
  } catch {
    return []
  }
}

/** `npm start` must end its own processes, and the servers close their database. */
export async function stop({ child }: Peer): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const ended = new Promise((done) => child.once('exit', done))
  child.kill('SIGTERM')
  await ended
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void cleanUp().finally(() => process.exit(1))
  })
}

/** Ends all remaining processes, also busy servers, and removes their files. */
export async function cleanUp(): Promise<void> {
  const left = children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)
  const ended = left.map((child) => new Promise((done) => child.once('exit', done)))
  for (const child of left)
    child.kill(child.spawnargs.some((arg) => arg.endsWith('start.mjs')) ? 'SIGTERM' : 'SIGKILL')
  await Promise.all(ended)
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
}

type CommandLine = [command: string, args: string[], env: Record<string, string>]

function commandLine(
  name: PeerName,
  folder: string,
  port: number,
  { serverTiming = false, modules }: StartOptions,
): CommandLine {
  const timing = { SERVER_TIMING: serverTiming ? '1' : '0' }
  const settings = { ADMIN_TOKEN, REQUEST_LOG: '0', ...timing }
  const selfHosted = { ...settings, TOKEN_LIMIT: '0', TENANT_LIMIT: '0', PORT: String(port) }
  const flags = ['--no-prompt', '--v8-flags=--max-semi-space-size=4', '-A']
  const deno = ['serve', ...flags, '--host', '127.0.0.1', '--port', String(port)]
  const floor = join(import.meta.dirname, 'self-hosted-floor.mjs')
  const floorFile = { FLOOR_FILE: databaseFile(name, folder), PORT: String(port) }
  const otherProject = (server: string): CommandLine => [
    process.execPath,
    [besidePackages(server)],
    { FILE: databaseFile(name, folder), PORT: String(port), TOKEN: PEER_TOKEN, NODE_ENV: 'production' },
  ]
  switch (name) {
    case 'workerd':
      return workerd(folder, port, modules ?? workerModules(), settings)
    case 'workerd floor':
      return workerd(folder, port, [join(import.meta.dirname, 'workerd-floor.mjs')], settings)
    case 'Deno':
      return [DENO ?? '', [...deno, join(build(), 'deno.mjs')], selfHosted]
    case 'Node.js':
      return [process.execPath, [join(build(), 'node.mjs'), 'serve'], selfHosted]
    case 'Deno floor':
      return [DENO ?? '', [...deno, floor], floorFile]
    case 'Node.js floor':
      return [process.execPath, [floor], floorFile]
    case 'better-auth':
      return otherProject('better-auth.mjs')
    case 'SCIMMY':
      return otherProject('scimmy.mjs')
    case 'wrangler dev': {
      const script = join(ROOT, 'src', 'local', 'start.mjs')
      return [process.execPath, [script, '--port', String(port), '--persist-to', join(folder, 'state')], {}]
    }
  }
}

function workerd(
  folder: string,
  port: number,
  modules: readonly string[],
  vars: Record<string, string>,
): CommandLine {
  const compatibilityDate =
    /^compatibility_date = "(.+)"$/m.exec(readFileSync(join(ROOT, 'wrangler.toml'), 'utf8'))?.[1] ?? ''
  const config = writeWorkerdConfig({ folder, port, modules, compatibilityDate, vars })
  // --experimental: the wrapped D1 binding is not generally available.
  return [workerdPath(), ['serve', '--experimental', config], {}]
}

/** @returns false if the process ended or takes too long */
async function isUp({ port, child }: Peer): Promise<boolean> {
  const deadline = Date.now() + START_TIMEOUT_MS
  while (Date.now() < deadline && child.exitCode === null && child.pid !== undefined) {
    const isAnswering = await fetch(`http://127.0.0.1:${port}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (isAnswering) return true
    await new Promise((wait) => setTimeout(wait, POLL_MS))
  }
  return false
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  await new Promise((done) => server.close(done))
  return typeof address === 'object' && address !== null ? address.port : 0
}
