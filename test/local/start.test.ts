/**
 * `npm start` as a process: it serves, and ends with all processes that it started.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { addSecondDatabase, copyClone } from '../support/clone.ts'

const ROOT = resolve(import.meta.dirname, '..', '..')
const SCRIPT = join(ROOT, 'src', 'local', 'start.mjs')
const parent = mkdtempSync(join(tmpdir(), 'scim-worker-'))
/** Created by the first start. */
const folder = join(parent, 'state')
/** What a failed test left running: it would slow down the next ones, and outlive them. */
const running = new Set<ChildProcess>()
afterEach(async () => {
  const left = [...running].map((child) => new Promise((done) => child.on('exit', done).kill('SIGTERM')))
  await Promise.all(left)
}, 30_000)
afterAll(() => rmSync(parent, { recursive: true, force: true }))

interface Started {
  child: ChildProcess
  output: () => string
  ended: Promise<number | null>
}

function start(...args: readonly string[]): Started {
  return spawned(SCRIPT, args)
}

function spawned(script: string, args: readonly string[]): Started {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  child.stdout.on('data', (chunk) => (text += chunk))
  child.stderr.on('data', (chunk) => (text += chunk))
  running.add(child)
  child.on('exit', () => running.delete(child))
  const ended = new Promise<number | null>((done) => child.on('exit', done))
  return { child, output: () => text, ended }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  await new Promise((done) => server.close(done))
  return typeof address === 'object' && address !== null ? address.port : 0
}

/**
 * Generous: the local migrations of wrangler take 16 s of processor time, which were 68 s on two processors with thirteen
 * processes.
 */
const STEP_TIMEOUT_MS = 240_000
const TEST_TIMEOUT_MS = 400_000

async function waitFor(condition: () => boolean | Promise<boolean>, what: () => string): Promise<void> {
  const deadline = Date.now() + STEP_TIMEOUT_MS
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`timed out: ${what()}`)
    await new Promise((wait) => setTimeout(wait, 100))
  }
}

const isAnswering = (port: number) =>
  fetch(`http://127.0.0.1:${port}/healthz`).then(
    (response) => response.ok,
    () => false,
  )

/** Creates a token as the administrator and reads with it. */
async function useNewToken(port: number): Promise<string> {
  const base = `http://127.0.0.1:${port}`
  const adminToken = /ADMIN_TOKEN="?([^"\n]+)/.exec(readFileSync(join(ROOT, '.dev.vars'), 'utf8'))?.[1]
  const made = await fetch(`${base}/admin/api/tenants/default/tokens`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${adminToken}`, 'Content-Type': 'application/json' },
    body: '{"name":"Test"}',
  })
  const { token } = (await made.json()) as { token: string }
  const read = await fetch(`${base}/scim/v2/Users`, { headers: { Authorization: `Bearer ${token}` } })
  expect([made.status, read.status]).toEqual([201, 200])
  return token
}

describe('npm start', () => {
  it('serves, prints the next steps, and ends with all processes that it started', {
    timeout: TEST_TIMEOUT_MS,
  }, async () => {
    const port = await freePort()
    const { child, output, ended } = start('--port', String(port), '--persist-to', folder)
    await waitFor(() => output().includes('Press Ctrl-C to stop.'), output)
    expect(output()).toContain(`http://127.0.0.1:${port}/scim/v2`)
    expect(output()).toContain(`http://127.0.0.1:${port}/admin`)
    expect(output()).toMatch(/ADMIN_TOKEN in .*\.dev\.vars/)
    const token = await useNewToken(port)
    child.kill('SIGTERM')
    expect(await ended).toBe(0)
    await waitFor(async () => !(await isAnswering(port)), output)
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    )
    const contents = files.map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1')).join()
    // The folder contains the database, which has only a hash of the token.
    expect(contents).toContain(createHash('sha256').update(token).digest('hex'))
    expect(contents).not.toContain(token.slice(-43))
    expect(statSync(folder).mode & 0o777).toBe(0o700)
  })

  it('migrates every database of wrangler.toml, and serves tenants in each', {
    timeout: TEST_TIMEOUT_MS,
  }, async () => {
    const port = await freePort()
    const clone = join(parent, 'clone-of-two')
    const scripts = copyClone(clone)
    addSecondDatabase(clone)
    writeFileSync(join(clone, '.dev.vars'), 'ADMIN_TOKEN="an-administrator-of-two-databases"\n')
    const args = ['--port', String(port), '--persist-to', join(parent, 'two')]
    const { child, output, ended } = spawned(join(scripts, 'start.mjs'), args)
    await waitFor(() => output().includes('Press Ctrl-C to stop.'), output)
    const admin = async (method: string, path: string, body?: object) => {
      const response = await fetch(`http://127.0.0.1:${port}/admin/api${path}`, {
        method,
        headers: { Authorization: 'Bearer an-administrator-of-two-databases' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
      return { status: response.status, body: await response.json() }
    }
    expect((await admin('POST', '/tenants', { id: 'acme', name: 'Acme', database: 'DB2' })).status).toBe(201)
    expect((await admin('POST', '/tenants/acme/move', { database: 'DB' })).status).toBe(202)
    await waitFor(async () => {
      const { database, state } = (await admin('GET', '/tenants/acme')).body as Record<string, unknown>
      return database === 'DB' && state === 'ready'
    }, output)
    child.kill('SIGTERM')
    expect(await ended).toBe(0)
  })

  it('ends when npm is killed without forwarding a signal', { timeout: TEST_TIMEOUT_MS }, async () => {
    const port = await freePort()
    const args = ['start', '--silent', '--', '--port', String(port), '--persist-to', folder]
    const npm = spawn('npm', args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    npm.stdout.on('data', (chunk) => (output += chunk))
    await waitFor(
      () => output.includes('Press Ctrl-C to stop.'),
      () => output,
    )
    npm.kill('SIGKILL')
    await waitFor(
      async () => !(await isAnswering(port)),
      () => 'the server to end',
    )
  })

  it('ends with all its processes when a signal ends it during the migrations', {
    timeout: TEST_TIMEOUT_MS,
  }, async () => {
    const state = join(parent, 'interrupted')
    const processes = () => execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).split(state).length - 1
    const { child, output, ended } = start('--port', String(await freePort()), '--persist-to', state)
    // The script itself, wrangler, and the process of wrangler that migrates.
    await waitFor(() => processes() >= 3, output)
    child.kill('SIGTERM')
    expect(await ended).toBe(1)
    expect(output()).toContain('error: ended by SIGTERM; the next start applies what is missing')
    await waitFor(() => processes() === 0, output)
  })

  it('reports that a port is in use, and how to choose another one', { timeout: 30_000 }, async () => {
    const server = createServer()
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const { output, ended } = start('--port', String(port), '--persist-to', folder)
    expect(await ended).toBe(1)
    expect(output()).toContain(
      `port ${port} of 127.0.0.1 is in use; choose another port: npm start -- --port ${port + 1}`,
    )
    await new Promise((done) => server.close(done))
  })

  it('ends with a message and all its processes when a setting is invalid', {
    timeout: TEST_TIMEOUT_MS,
  }, async () => {
    const port = await freePort()
    const clone = join(parent, 'refused-clone')
    const scripts = copyClone(clone)
    writeFileSync(join(clone, '.dev.vars'), 'LOG_RETENTION_DAYS="0"\n')
    const args = ['--port', String(port), '--persist-to', join(parent, 'refused')]
    const { output, ended } = spawned(join(scripts, 'start.mjs'), args)
    expect(await ended).toBe(1)
    expect(output()).toContain('LOG_RETENTION_DAYS must be a whole number from 1 to 36500')
    expect(output()).toContain('error: the server is not healthy; see the reason above')
    expect(await isAnswering(port)).toBe(false)
  })

  it('rejects an unknown argument and shows the known ones', async () => {
    const { output, ended } = start('--prot', '9000')
    expect(await ended).toBe(1)
    expect(output()).toMatch(/--prot[\s\S]*--persist-to/)
  })
})
