/**
 * The built server as a process, on Deno or on Node.js, in a separate folder.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll } from 'vitest'
import { DENO } from './find-deno.ts'

export type RuntimeName = 'Deno' | 'Node.js'

/** How the server listens: by `deno serve`, or by opening its port itself, as always on Node.js. */
export type Manner = 'deno serve' | 'deno serve --parallel' | 'itself'

export const ROOT = resolve(import.meta.dirname, '..', '..', '..')
export const ADMIN_TOKEN = 'an-admin-token-for-tests'
const START_TIMEOUT_MS = 30_000
const STANDSTILL_MS = 1_500

/** Every variable that the server reads. docs/operate/self-hosting.md has the same list. */
const VARIABLES =
  'DATA_FOLDER,DATABASES,ADMIN_TOKEN,SERVER_TIMING,REQUEST_LOG,LOG_BODIES,LOG_RETENTION_DAYS,EVENT_RETENTION_DAYS,TOMBSTONE_DAYS,ACCESS_TEAM_DOMAIN,ACCESS_AUD,ADMIN_ROLES,OIDC_ISSUER,OIDC_CLIENT_ID,OIDC_CLIENT_SECRET,OIDC_SCOPES,OIDC_GROUPS_CLAIM,' +
  'SYNCHRONOUS,BUSY_TIMEOUT_MS,TRUST_PROXY,METRICS_TOKEN,PUBLIC_URL,FEDERATION_HOSTS,ALLOW_LOOPBACK_WEBHOOKS,TOKEN_LIMIT,TENANT_LIMIT,SIGN_IN_LIMIT,' +
  'FAILED_AUTHENTICATION_LIMIT,HOST,PORT,TLS_CERT_FILE,TLS_KEY_FILE'

export interface ServerOptions {
  readonly runtime: RuntimeName
  readonly manner?: Manner
  readonly folder: string
  readonly port?: number
  /** A command other than the one to serve. */
  readonly command?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** The largest size of a file in KiB: beyond it, the disk appears to be full. */
  readonly maxFileKiB?: number
}

export interface Server {
  readonly child: ChildProcess
  readonly port: number
  readonly folder: string
  readonly databaseFile: string
  /** Everything that it printed. */
  readonly output: () => string
  /** Its exit code; null when a signal ended it. */
  readonly ended: Promise<number | null>
}

const folders: string[] = []
const children: ChildProcess[] = []
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** Builds the modules once for a test file. @returns the folder that they are in */
export function buildModules(): string {
  const folder = temporaryFolder()
  execFileSync(process.execPath, [join(ROOT, 'src', 'local', 'build.mjs'), folder], { stdio: 'pipe' })
  return folder
}

/** A new folder, which is deleted after the tests of the file. Servers are ended then, too. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'scim-server-'))
  folders.push(folder)
  return folder
}

/** Starts the server without waiting for it. */
export async function spawnServer(modules: string, options: ServerOptions): Promise<Server> {
  const { folder, runtime, manner = 'deno serve', port = await freePort(), env = {}, command } = options
  const line = commandLine(modules, runtime, manner, port, command)
  const [program, args] = options.maxFileKiB === undefined ? line : limited(line, options.maxFileKiB)
  const environment: Record<string, string | undefined> = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    ADMIN_TOKEN,
    REQUEST_LOG: '0',
    PORT: String(port),
    ...env,
  }
  const child = spawn(program, args, {
    cwd: folder,
    // worker-configuration.d.ts declares the variables of the Worker for every process.
    env: environment as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  child.stdout?.on('data', (chunk) => (text += chunk))
  child.stderr?.on('data', (chunk) => (text += chunk))
  const ended = new Promise<number | null>((done) => child.on('exit', done))
  children.push(child)
  const databaseFile = join(folder, 'data', 'directory.sqlite')
  return { child, port, folder, databaseFile, output: () => text, ended }
}

function limited([program, args]: [string, string[]], maxFileKiB: number): [string, string[]] {
  return ['bash', ['-c', `ulimit -f ${maxFileKiB}; exec "$0" "$@"`, program, ...args]]
}

function commandLine(
  modules: string,
  runtime: RuntimeName,
  manner: Manner,
  port: number,
  command: readonly string[] = ['serve'],
): [string, string[]] {
  if (runtime === 'Node.js') return [process.execPath, [join(modules, 'node.mjs'), ...command]]
  const permissions = ['--no-prompt', '--allow-read=data', '--allow-write=data', `--allow-env=${VARIABLES}`]
  // `deno serve` may listen without a permission; webhooks connect to receivers of the tests.
  const network = '--allow-net=127.0.0.1'
  const module = join(modules, 'deno.mjs')
  if (manner !== 'itself' && command[0] === 'serve') {
    const parallel = manner === 'deno serve' ? [] : ['--parallel']
    return [
      DENO ?? '',
      ['serve', ...parallel, ...permissions, network, '--host', '127.0.0.1', '--port', String(port), module],
    ]
  }
  return [DENO ?? '', ['run', ...permissions, `--allow-net=127.0.0.1:${port}`, module, ...command]]
}

/** Starts the server with a data folder and waits until it answers. */
export async function startServer(modules: string, options: ServerOptions): Promise<Server> {
  mkdirSync(join(options.folder, 'data'), { recursive: true })
  const server = await spawnServer(modules, options)
  const deadline = Date.now() + START_TIMEOUT_MS
  while (!server.output().includes('Tenant URL')) {
    if (server.child.exitCode !== null || Date.now() > deadline)
      throw new Error(`no start: ${server.output()}`)
    await new Promise((wait) => setTimeout(wait, 10))
  }
  return server
}

/** Runs a server that must not start. @returns its exit code and its output */
export async function refusal(
  modules: string,
  options: ServerOptions,
): Promise<{ code: number | null; text: string }> {
  const server = await spawnServer(modules, options)
  const code = await server.ended
  return { code, text: server.output().trim() }
}

/** A token for the tenant "default". */
export async function newToken(port: number, scheme = 'http'): Promise<string> {
  const answer = await fetch(`${scheme}://127.0.0.1:${port}/admin/api/tenants/default/tokens`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${ADMIN_TOKEN}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: 'Test' }),
  })
  const body = (await answer.json()) as { token?: string }
  if (body.token === undefined) throw new Error(`no token: ${JSON.stringify(body)}`)
  return body.token
}

/** A SCIM request. */
export function scim(
  port: number,
  token: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}/scim/v2${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/scim+json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  await new Promise((done) => server.close(done))
  return typeof address === 'object' && address !== null ? address.port : 0
}

export function settingsFile(folder: string): string {
  return readFileSync(join(folder, 'data', 'settings.env'), 'utf8')
}

/** The bytes that arrived on a connection until it ended or was idle. */
export interface Exchange {
  readonly text: string
  /** The code of the error that ended it. */
  readonly error: string | undefined
}

/**
 * Sends raw bytes.
 *
 * @param then sent after the first answer
 */
export function exchange(port: number, bytes: string, then = ''): Promise<Exchange> {
  return new Promise((resolve) => {
    let text = ''
    let error: string | undefined
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    const end = () => {
      socket.destroy()
      resolve({ text, error })
    }
    socket.setTimeout(STANDSTILL_MS, end)
    socket.on('data', (chunk) => {
      if (text === '' && then !== '') socket.write(then)
      text += chunk.toString('latin1')
    })
    socket.on('error', (reason: NodeJS.ErrnoException) => {
      error = reason.code
    })
    socket.on('end', () => (then === '' ? end() : undefined))
    socket.on('close', end)
    socket.write(bytes)
  })
}
