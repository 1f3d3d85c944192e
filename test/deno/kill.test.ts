/**
 * `kill -9` at any moment of a provisioning cycle: the database is intact, every successfully answered write is
 * stored, and the next cycle brings everything in step.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, it } from 'vitest'
import { DENO, DENO_MISSING } from './support/find-deno.ts'
import { type RecordingProxy, startRecordingProxy } from './support/recording-proxy.ts'
import {
  buildModules,
  newToken,
  ROOT,
  type RuntimeName,
  type Server,
  startServer,
  temporaryFolder,
} from './support/server.ts'

/** On each runtime. CI asks for 25, which are 50 in total and take more than a minute. */
const KILLS = Number(process.env.KILLS ?? 4)
const USERS = 12
const GROUPS = 3
/** Writes of a cycle after the first one: one for each user, one or two for each group. */
const WRITES = USERS + GROUPS

const modules = buildModules()
const proxies: RecordingProxy[] = []
afterAll(() => {
  for (const proxy of proxies) proxy.close()
})

const RUNTIMES: readonly RuntimeName[] = ['Deno', 'Node.js']

describe.concurrent('kill -9', () => {
  for (const runtime of RUNTIMES) {
    const isMissing = runtime === 'Deno' && DENO === undefined
    describe.skipIf(isMissing)(isMissing ? `on Deno (skipped: ${DENO_MISSING})` : `on ${runtime}`, () => {
      it.concurrent(`survives kill -9 in the middle of a cycle, ${KILLS} times`, {
        timeout: 300_000,
      }, async () => {
        const folder = temporaryFolder()
        mkdirSync(join(folder, 'data'))
        const proxy = await startRecordingProxy()
        proxies.push(proxy)
        let server = await start(folder, proxy)
        const token = await newToken(server.port)
        const provision = () => runEmulator(folder, proxy.port, token)
        let interrupted = 0
        for (let round = 1; round <= KILLS; round++) {
          writeDirectory(folder, round)
          const killAt = 1 + ((round * 7) % WRITES)
          killAtWrite(proxy, server, killAt)
          const cycle = provision()
          await server.ended
          if ((await cycle).code !== 0) interrupted++
          expectIntact(server.databaseFile, proxy.accepted)
          server = await start(folder, proxy)
          const next = await provision()
          expect(next.code, next.text).toBe(0)
          expectInStep(server.databaseFile, round)
        }
        // The kills hit cycles, not the time after them.
        expect(interrupted).toBeGreaterThan(KILLS / 2)
        expect(proxy.accepted.size).toBeGreaterThan(KILLS * USERS)
        server.child.kill('SIGTERM')
        expect(await server.ended).toBe(0)
      })
    })

    async function start(folder: string, proxy: RecordingProxy): Promise<Server> {
      const server = await startServer(modules, { runtime, folder })
      proxy.target = server.port
      proxy.atWrite = () => undefined
      return server
    }
  }
})

/** Kills the server some time after the write was forwarded: before, during or after its commit. */
function killAtWrite(proxy: RecordingProxy, server: Server, number: number): void {
  proxy.writes = 0
  proxy.atWrite = (write) => {
    if (write !== number) return
    const kill = () => server.child.kill('SIGKILL')
    if (number % 3 === 0) kill()
    else setTimeout(kill, number % 4)
  }
}

/** Every round changes everything: names, and the members of the groups. */
function writeDirectory(folder: string, round: number): void {
  const users = Array.from({ length: USERS }, (_, i) => ({
    id: uuid('a', i),
    userPrincipalName: `person${i}@quillfern.example`,
    displayName: displayName(i, round),
    mailNickname: `person${i}`,
    accountEnabled: true,
  }))
  const groups = Array.from({ length: GROUPS }, (_, i) => ({
    id: uuid('b', i),
    displayName: `Team ${i}`,
    mailNickname: `team${i}`,
    members: users.filter((_, user) => (user + round + i) % 3 === 0).map(({ id }) => id),
  }))
  writeFileSync(join(folder, 'directory.json'), JSON.stringify({ users, groups }))
}

function displayName(user: number, round: number): string {
  return `Person ${user}, round ${round}`
}

function uuid(kind: string, number: number): string {
  return `00000000-0000-4000-8000-${kind}${String(number).padStart(11, '0')}`
}

function runEmulator(
  folder: string,
  port: number,
  token: string,
): Promise<{ code: number | null; text: string }> {
  const target = ['--tenant-url', `http://127.0.0.1:${port}/scim/v2`, '--token', token]
  const args = ['provision', '--directory', join(folder, 'directory.json'), ...target]
  const child = spawn(process.execPath, [join(ROOT, 'src', 'entra', 'cli.ts'), ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  child.stdout.on('data', (chunk) => (text += chunk))
  child.stderr.on('data', (chunk) => (text += chunk))
  return new Promise((done) => child.on('exit', (code) => done({ code, text })))
}

function expectIntact(file: string, accepted: ReadonlySet<string>): void {
  const database = new DatabaseSync(file)
  try {
    expect(database.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }])
    expect(database.prepare('PRAGMA foreign_key_check').all()).toEqual([])
    const logged = new Set(
      database
        .prepare('SELECT request_id FROM provisioning_log')
        .all()
        .map(({ request_id }) => String(request_id)),
    )
    expect([...accepted].filter((id) => !logged.has(id))).toEqual([])
  } finally {
    database.close()
  }
}

/** Expects that the directory matches the file. */
function expectInStep(file: string, round: number): void {
  const database = new DatabaseSync(file, { readOnly: true })
  try {
    const names = database
      .prepare("SELECT data ->> 'displayName' AS name FROM users ORDER BY user_name_key")
      .all()
    const expected = Array.from({ length: USERS }, (_, i) => displayName(i, round))
    expect(names.map(({ name }) => name).sort()).toEqual(expected.sort())
    const memberships = database.prepare('SELECT count(*) AS count FROM memberships').get()
    expect(memberships).toEqual({ count: GROUPS * (USERS / 3) })
    const counts = database
      .prepare("SELECT user_count, membership_count FROM tenants WHERE id = 'default'")
      .get()
    expect(counts).toEqual({ user_count: USERS, membership_count: GROUPS * (USERS / 3) })
  } finally {
    database.close()
  }
}
