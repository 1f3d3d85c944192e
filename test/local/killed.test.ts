/**
 * Kills the worker (`kill -9` of workerd) during a provisioning cycle and restarts it on the same files. The next cycle
 * brings the directory to the content of the directory file, without duplicates.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'

const ROOT = resolve(import.meta.dirname, '..', '..')
const START = join(ROOT, 'src', 'local', 'start.mjs')
const EMULATOR = join(ROOT, 'src', 'entra', 'cli.ts')
const USERS = 150
const folder = mkdtempSync(join(tmpdir(), 'scim-worker-killed-'))
const started: ChildProcess[] = []

afterAll(async () => {
  for (const child of started) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    const ended = new Promise((done) => child.on('exit', done))
    child.kill('SIGTERM')
    await ended
  }
  rmSync(folder, { recursive: true, force: true })
})

interface Server {
  readonly child: ChildProcess
  readonly ended: Promise<unknown>
}

async function startServer(port: number): Promise<Server> {
  const args = [START, '--port', String(port), '--persist-to', join(folder, 'state')]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  started.push(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  const ended = new Promise((done) => child.on('exit', done))
  await until(() => output.includes('Press Ctrl-C to stop.') || child.exitCode !== null).catch(() => {
    throw new Error(`the server did not start\n${output}`)
  })
  if (child.exitCode !== null) throw new Error(output)
  return { child, ended }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 90_000
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('the condition was not met in time')
    await new Promise((wait) => setTimeout(wait, 50))
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  await new Promise((done) => server.close(done))
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** The workerd processes among the descendants of a process. */
function workerdBelow(root: number): readonly number[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n')
  const rows = lines.flatMap((line) => {
    const [, pid, parent, args = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []
    return pid === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), args }]
  })
  const below = new Set([root])
  for (const at of below) for (const { pid, parent } of rows) if (parent === at) below.add(pid)
  return rows.filter(({ pid, args }) => below.has(pid) && /workerd\S* serve/.test(args)).map(({ pid }) => pid)
}

interface Cycle {
  readonly code: number | null
  readonly output: string
}

function emulator(...args: readonly string[]): Promise<Cycle> {
  const child = spawn(process.execPath, [EMULATOR, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  started.push(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  return new Promise((done) => child.on('exit', (code) => done({ code, output })))
}

interface Resource {
  readonly id: string
  readonly userName?: string
  readonly displayName?: string
  readonly active?: boolean
  readonly members?: readonly { readonly value: string }[]
}

/** All resources of a type. */
async function list(tenantUrl: string, token: string, path: string): Promise<readonly Resource[]> {
  const found: Resource[] = []
  for (let page = 0; page < 100; page++) {
    const url = `${tenantUrl}${path}?startIndex=${found.length + 1}&count=100`
    const response = await fetch(url, { headers: { Authorization: `Bearer ${token}` } })
    const { totalResults, Resources } = (await response.json()) as {
      totalResults: number
      Resources: readonly Resource[]
    }
    found.push(...Resources)
    if (found.length >= totalResults) return found
  }
  throw new Error('the list did not end after 100 pages')
}

async function newToken(origin: string): Promise<string> {
  const adminToken = /^ADMIN_TOKEN="?([^"\n]*)/m.exec(readFileSync(join(ROOT, '.dev.vars'), 'utf8'))?.[1]
  const response = await fetch(`${origin}/admin/api/tenants/default/tokens`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${adminToken}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: 'Killed' }),
  })
  return ((await response.json()) as { token: string }).token
}

interface Directory {
  readonly users: readonly {
    readonly id: string
    readonly userPrincipalName: string
    readonly accountEnabled: boolean
    readonly assigned?: boolean
  }[]
  readonly groups: readonly { readonly displayName: string; readonly members: readonly string[] }[]
}

describe('a worker that is killed during a cycle', () => {
  it('has exactly the content of the directory file after the next cycle', { timeout: 300_000 }, async () => {
    const port = await freePort()
    const origin = `http://127.0.0.1:${port}`
    const tenantUrl = `${origin}/scim/v2`
    const file = join(folder, 'directory.json')
    await emulator('generate', '--users', String(USERS), '--groups', '8', '--output', file)
    let server = await startServer(port)
    const token = await newToken(origin)
    const provision = () =>
      emulator(
        'provision',
        '--directory',
        file,
        '--tenant-url',
        tenantUrl,
        '--token',
        token,
        '--state',
        `${file}.state`,
      )

    const broken = provision()
    await until(async () => (await list(tenantUrl, token, '/Users')).length > USERS / 5)
    const before = await list(tenantUrl, token, '/Users')
    const victims = workerdBelow(server.child.pid ?? 0)
    expect(victims.length).toBeGreaterThan(0)
    for (const pid of victims) process.kill(pid, 'SIGKILL')
    const { code } = await broken
    expect(code).not.toBe(0)
    server.child.kill('SIGTERM')
    await server.ended

    server = await startServer(port)
    const survivors = new Set((await list(tenantUrl, token, '/Users')).map(({ id }) => id))
    // Each of them was answered with 201 and read back before the crash, so it must still exist.
    expect(before.filter(({ id }) => !survivors.has(id))).toEqual([])
    expect(survivors.size).toBeLessThan(USERS)
    const cycle = await provision()
    expect(cycle.code, cycle.output).toBe(0)

    const { users: all, groups: wanted } = JSON.parse(readFileSync(file, 'utf8')) as Directory
    // Entra does not create users that were never enabled.
    const people = all.filter(({ assigned, accountEnabled }) => assigned !== false && accountEnabled)
    const principalNames = new Map(people.map(({ id, userPrincipalName }) => [id, userPrincipalName]))
    const users = await list(tenantUrl, token, '/Users')
    const names = new Map(users.map(({ id, userName }) => [id, userName]))
    expect(users.map(({ userName, active }) => `${userName} ${active}`).sort()).toEqual(
      people.map(({ userPrincipalName }) => `${userPrincipalName} true`).sort(),
    )
    const groups = await list(tenantUrl, token, '/Groups')
    const described = (name: string | undefined, members: readonly (string | undefined)[]) =>
      `${name}: ${members.filter((member) => member !== undefined).sort()}`
    expect(
      groups
        .map(({ displayName, members = [] }) =>
          described(
            displayName,
            members.map(({ value }) => names.get(value) ?? `? ${value}`),
          ),
        )
        .sort(),
    ).toEqual(
      wanted
        .map(({ displayName, members }) =>
          described(
            displayName,
            members.map((id) => principalNames.get(id)),
          ),
        )
        .sort(),
    )
    server.child.kill('SIGTERM')
    await server.ended
  })
})
