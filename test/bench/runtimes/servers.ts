/**
 * Starts what is compared: the built server on Deno and on Node.js, the Worker under `wrangler dev`, and the
 * floors. Each on a port and in a folder of its own.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { DENO } from '../../deno/support/find-deno.ts'

const ROOT = resolve(import.meta.dirname, '..', '..', '..')
const ADMIN_TOKEN = 'an-admin-token-for-benchmarks'
/** Linux counts processor time in these: USER_HZ is 100. */
const CLOCK_TICK_MS = 10
const START_TIMEOUT_MS = 90_000

export interface BenchServer {
  readonly name: string
  readonly port: number
  readonly adminToken: string
  readonly child: ChildProcess
  readonly folder: string
}

export type ServerName = 'Deno' | 'Node.js' | 'wrangler dev' | 'floor Deno' | 'floor Node.js'

const folders: string[] = []
const children: ChildProcess[] = []

export function build(): void {
  execFileSync(process.execPath, [join(ROOT, 'src', 'local', 'build.mjs')], { stdio: 'inherit' })
}

export function isAvailable(name: ServerName): boolean {
  return DENO !== undefined || !name.includes('Deno')
}

/** @param folder one that an earlier server had; a new one by default */
export async function start(name: ServerName, folder = newFolder()): Promise<BenchServer> {
  const port = await freePort()
  const [command, args, env] = commandLine(name, folder, port)
  const child = spawn(command, args, {
    cwd: name === 'wrangler dev' ? ROOT : folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  children.push(child)
  await waitFor(port, child)
  const adminToken = name === 'wrangler dev' ? devAdminToken() : ADMIN_TOKEN
  return { name, port, adminToken, child, folder }
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'scim-bench-'))
  folders.push(folder)
  mkdirSync(join(folder, 'data'))
  return folder
}

/** Processor time that the server has used so far, in ms; NaN where the system does not tell. */
export function processorMs({ child }: BenchServer): number {
  try {
    const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) * CLOCK_TICK_MS
  } catch {
    return Number.NaN
  }
}

export async function stop({ child }: BenchServer): Promise<void> {
  const ended = new Promise((done) => child.once('exit', done))
  child.kill('SIGTERM')
  await ended
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    cleanUp()
    process.exit(1)
  })
}

/** Ends everything that is left, also a server that is busy. `npm start` must end what it started itself. */
export function cleanUp(): void {
  for (const child of children) {
    if (child.exitCode === null)
      child.kill(child.spawnargs.some((arg) => arg.endsWith('start.mjs')) ? 'SIGTERM' : 'SIGKILL')
  }
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
}

function commandLine(
  name: ServerName,
  folder: string,
  port: number,
): [string, string[], Record<string, string>] {
  const settings = { ADMIN_TOKEN, REQUEST_LOG: '0', TOKEN_LIMIT: '0', TENANT_LIMIT: '0', PORT: String(port) }
  const deno = ['serve', '-A', '--host', '127.0.0.1', '--port', String(port)]
  const floor = join(import.meta.dirname, 'floor.mjs')
  const floorFile = { FLOOR_FILE: join(folder, 'data', 'floor.sqlite'), PORT: String(port) }
  switch (name) {
    case 'Deno':
      return [DENO ?? '', [...deno, join(ROOT, 'dist', 'deno.mjs')], settings]
    case 'Node.js':
      return [process.execPath, [join(ROOT, 'dist', 'node.mjs'), 'serve'], settings]
    case 'wrangler dev': {
      const script = join(ROOT, 'src', 'local', 'start.mjs')
      return [process.execPath, [script, '--port', String(port), '--persist-to', join(folder, 'data')], {}]
    }
    case 'floor Deno':
      return [DENO ?? '', [...deno, floor], floorFile]
    case 'floor Node.js':
      return [process.execPath, [floor], floorFile]
  }
}

function devAdminToken(): string {
  const text = readFileSync(join(ROOT, '.dev.vars'), 'utf8')
  return /^ADMIN_TOKEN="?([^"\n]+)"?$/m.exec(text)?.[1] ?? ''
}

async function waitFor(port: number, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS
  while (Date.now() < deadline && child.exitCode === null) {
    const isUp = await fetch(`http://127.0.0.1:${port}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (isUp) return
    await new Promise((wait) => setTimeout(wait, 50))
  }
  throw new Error(`the server on port ${port} did not start`)
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  await new Promise((done) => server.close(done))
  return typeof address === 'object' && address !== null ? address.port : 0
}
