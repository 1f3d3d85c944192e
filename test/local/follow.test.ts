/**
 * `npm run follow` as a process beside `npm run entra -- provision`, with the built server on Node.js: the copy equals the
 * directory.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  buildModules,
  newToken,
  ROOT,
  type Server,
  scim,
  startServer,
  temporaryFolder,
} from '../deno/support/server.ts'

const TIMEOUT_MS = 120_000

interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

function start(script: string, args: readonly string[], token: string) {
  const env: Record<string, string | undefined> = { PATH: process.env.PATH, SCIM_TOKEN: token }
  const child = spawn(process.execPath, [join(ROOT, 'src', script), ...args], {
    // worker-configuration.d.ts declares the variables of the Worker for every process.
    env: env as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return { child, finished: finished(child) }
}

async function finished(child: ChildProcess): Promise<Finished> {
  let [stdout, stderr] = ['', '']
  child.stdout?.on('data', (chunk) => (stdout += chunk))
  child.stderr?.on('data', (chunk) => (stderr += chunk))
  const [code] = await once(child, 'close')
  return { code, stdout, stderr }
}

const follow = (server: Server, token: string, ...more: readonly string[]) =>
  start('consumer/cli.ts', ['--tenant-url', `http://127.0.0.1:${server.port}/scim/v2`, ...more], token)

/** The directory over SCIM: names of users, and names of groups with their members. */
async function directoryOf({ port }: Server, token: string) {
  const list = async (path: string) => {
    const answer = await scim(port, token, 'GET', `${path}?count=1000`)
    return ((await answer.json()) as { Resources: Record<string, unknown>[] }).Resources
  }
  const groups = await Promise.all(
    (await list('/Groups')).map(async ({ id }) => {
      const answer = await scim(port, token, 'GET', `/Groups/${id}`)
      return (await answer.json()) as Record<string, unknown> & { members?: { value: string }[] }
    }),
  )
  return {
    users: (await list('/Users')).map(({ meta: _, groups: __, id, ...attributes }) => ({ id, attributes })),
    groups: groups.map(({ meta: _, id, members = [], ...attributes }) => ({
      id,
      attributes,
      members: members.map(({ value }) => value).sort(),
    })),
  }
}

type Stored = { readonly id: string; readonly attributes: object; readonly members?: readonly string[] }[]

function copyIn(file: string): { users: Stored; groups: Stored } {
  const { users, groups } = JSON.parse(readFileSync(file, 'utf8')) as { users: Stored; groups: Stored }
  return {
    users: users.map(({ id, attributes }) => ({ id, attributes })),
    groups: groups.map(({ id, attributes, members = [] }) => ({
      id,
      attributes,
      members: members.toSorted(),
    })),
  }
}

const byId = (list: readonly { id?: unknown }[]) =>
  list.toSorted((a, b) => (String(a.id) < String(b.id) ? -1 : 1))

describe('npm run follow', () => {
  it('keeps the copy of a directory that is provisioned meanwhile', { timeout: TIMEOUT_MS }, async () => {
    const folder = temporaryFolder()
    const server = await startServer(buildModules(), {
      runtime: 'Node.js',
      folder,
      env: { TOKEN_LIMIT: '100000', TENANT_LIMIT: '100000' },
    })
    const token = await newToken(server.port)
    const state = join(folder, 'copy.json')
    const following = follow(server, token, '--json', '--state', state)
    let printed = ''
    following.child.stdout?.on('data', (chunk) => (printed += chunk))
    const directoryFile = join(folder, 'quillfern.json')
    copyFileSync(join(ROOT, 'test/fixtures/directory/quillfern.json'), directoryFile)
    const tenant = ['--tenant-url', `http://127.0.0.1:${server.port}/scim/v2`]
    const provisioned = await start(
      'entra/cli.ts',
      ['provision', '--directory', directoryFile, ...tenant, '--token', token],
      token,
    ).finished
    expect(provisioned).toMatchObject({ code: 0, stderr: '' })
    const last = await scim(server.port, token, 'POST', '/Users', {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
      userName: 'last@quillfern.example',
    })
    expect(last.status).toBe(201)
    const deadline = Date.now() + 30_000
    while (!printed.includes('last@quillfern.example') && Date.now() < deadline)
      await new Promise((wait) => setTimeout(wait, 50))
    // One Ctrl-C arrives twice: from the terminal, and forwarded by npm.
    following.child.kill('SIGINT')
    await new Promise((wait) => setTimeout(wait, 2))
    following.child.kill('SIGINT')
    const { code, stdout, stderr } = await following.finished
    expect(code).toBe(0)
    expect(stderr).toMatch(/^read the directory: \d+ users, \d+ groups \(first\)\n$/)
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; id: string })
    const numbers = events.map(({ id }) => Number(id.slice(id.lastIndexOf('_') + 1)))
    expect(numbers).toEqual(numbers.map((_, i) => (numbers[0] ?? 0) + i))
    const directory = await directoryOf(server, token)
    const copy = copyIn(state)
    expect(byId(copy.users)).toEqual(byId(directory.users))
    expect(byId(copy.groups)).toEqual(byId(directory.groups))
    expect(directory.users.length).toBeGreaterThan(250)
    // Other users of the machine cannot read the copy.
    if (process.platform !== 'win32') expect(statSync(state).mode & 0o077).toBe(0)
    const { users } = directory
    const gone = await scim(server.port, token, 'DELETE', `/Users/${users[0]?.id}`)
    expect(gone.status).toBe(204)
    await newToken(server.port)
    const again = await follow(server, token, '--once', '--state', state).finished
    expect(again).toMatchObject({ code: 0, stderr: expect.stringMatching(/^up to date: \d+ users/) })
    expect(again.stdout.trim().split('\n').slice(-2)).toEqual([
      expect.stringMatching(/ {2}user\.deleted {2}\S+ {2}by Test$/),
      expect.stringMatching(/ {2}administrator\.acted {2}createToken \S+ {2}by an administrator$/),
    ])
    expect(byId(copyIn(state).users)).toEqual(byId((await directoryOf(server, token)).users))
    server.child.kill('SIGTERM')
    expect(await server.ended).toBe(0)
  })

  it.for([
    [[], 2, '--tenant-url is missing'],
    [['--tenant-url', 'odd'], 2, '--tenant-url must be a URL such as'],
    [['--tenant-url', 'http://127.0.0.1:1/scim/v2', '--odd'], 2, '--odd'],
    [['--tenant-url', 'http://127.0.0.1:1/scim/v2'], 2, 'no token'],
    [['--tenant-url', 'http://127.0.0.1:1/scim/v2', '--token-file', '/nothing/here'], 2, '/nothing/here'],
  ] as const)('explains a wrong command line: %j', async ([args, expected, text]) => {
    const { code, stderr } = await start('consumer/cli.ts', args, '').finished
    expect([code, stderr]).toEqual([expected, expect.stringContaining(text)])
  })
})
