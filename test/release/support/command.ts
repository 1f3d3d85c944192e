/** Commands as processes, in a folder of their own. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { afterAll } from 'vitest'

export const ROOT = resolve(import.meta.dirname, '..', '..', '..')
const START_TIMEOUT_MS = 30_000

const folders: string[] = []
const children: ChildProcess[] = []
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** A new folder, which is deleted after the tests of the file. Processes are ended then, too. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'scim-release-'))
  folders.push(folder)
  return folder
}

export interface Running {
  readonly child: ChildProcess
  /** Everything that it printed. */
  readonly output: () => string
  /** Its exit code; null when a signal ended it. */
  readonly ended: Promise<number | null>
}

type Environment = Readonly<Record<string, string | undefined>>

/** Starts a command without the Node.js of the project on its PATH: the machine's own is found. */
export function start(
  [program = '', ...args]: readonly string[],
  { env = {}, ...options }: Omit<SpawnOptions, 'env' | 'stdio'> & { readonly env?: Environment },
): Running {
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'))
  const environment: Environment = { HOME: process.env.HOME, PATH: path.join(delimiter), ...env }
  const child = spawn(program, args, {
    ...options,
    // worker-configuration.d.ts declares the variables of the Worker for every process.
    env: environment as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (text += chunk))
  const ended = new Promise<number | null>((done, failed) => {
    child.on('error', failed)
    child.on('close', done)
  })
  return { child, output: () => text, ended }
}

export interface Finished {
  readonly code: number | null
  readonly text: string
}

/** Runs a command until it ends. */
export async function finished(
  command: readonly string[],
  options: Parameters<typeof start>[1],
): Promise<Finished> {
  const { output, ended } = start(command, options)
  return { code: await ended, text: output().trim() }
}

/** Waits until a server has announced itself. @returns the milliseconds that it took */
export async function announced({ child, output }: Running): Promise<number> {
  const begun = performance.now()
  while (!output().includes('Press Ctrl-C to stop.')) {
    if (child.exitCode !== null || performance.now() - begun > START_TIMEOUT_MS) {
      throw new Error(`no start: ${output()}`)
    }
    await new Promise((wait) => setTimeout(wait, 10))
  }
  return performance.now() - begun
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  await new Promise((done) => server.close(done))
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** A token of the tenant "default", made with the ADMIN_TOKEN of a settings file. */
export async function newToken(port: number, settings: string): Promise<string> {
  const adminToken = /ADMIN_TOKEN="([^"]+)"/.exec(settings)?.[1]
  const answer = await fetch(`http://127.0.0.1:${port}/admin/api/tenants/default/tokens`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${adminToken}` },
    body: '{"name":"Test"}',
  })
  return ((await answer.json()) as { token: string }).token
}
