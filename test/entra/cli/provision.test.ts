/** `provision` on the command line: first run, second run, edited directory, invalid input, killed run. */
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { changeAFewThings, type DirectoryDocument } from '../support/directory-edits.ts'
import { serveStore, type TestServer } from '../support/http-server.ts'
import { runCli, startCli } from '../support/run-cli.ts'
import { error, ScimStore } from '../support/scim-store.ts'

const QUILLFERN = join(import.meta.dirname, '../../fixtures/directory/quillfern.json')

let folder: string
let directoryFile: string
let store: ScimStore
let server: TestServer

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'entra-'))
  directoryFile = join(folder, 'quillfern.json')
  copyFileSync(QUILLFERN, directoryFile)
  store = new ScimStore()
  server = await serveStore(store)
})

afterEach(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

function provision(...more: string[]) {
  return runCli([
    'provision',
    '--directory',
    directoryFile,
    '--tenant-url',
    server.tenantUrl,
    '--token',
    'secret',
    ...more,
  ])
}

function edit(change: (file: DirectoryDocument) => void): void {
  const file: DirectoryDocument = JSON.parse(readFileSync(directoryFile, 'utf8'))
  change(file)
  writeFileSync(directoryFile, JSON.stringify(file, null, 2))
}

/** The cells of a row of the summary table. */
function row(stdout: string, name: string): number[] {
  const line = stdout.split('\n').find((text) => text.startsWith(name)) ?? ''
  return line.trim().split(/\s+/).slice(1).map(Number)
}

describe.each(['old', 'flag'])('provision with --dialect %s', (dialect) => {
  it('creates every user and group once, then sends nothing, then only the changes', async () => {
    const first = await provision('--dialect', dialect, '--concurrency', '8')
    expect(first.stderr).toBe('')
    expect(first.code).toBe(0)
    //                                        created updated disabled enabled deleted skipped failed
    expect(row(first.stdout, 'users')).toEqual([291, 0, 0, 0, 0, 9, 0])
    expect(row(first.stdout, 'groups')).toEqual([24, 0, 0, 0, 0, 1, 0])
    expect([store.users.size, store.groups.size]).toEqual([291, 24])
    const memberships = row(first.stdout, 'memberships')[0] ?? 0
    expect([...store.groups.keys()].flatMap((id) => store.membersOf(id))).toHaveLength(memberships)

    store.received.length = 0
    const second = await provision('--dialect', dialect)
    expect(second.code).toBe(0)
    expect(store.received).toHaveLength(2)

    edit(changeAFewThings)
    const third = await provision('--dialect', dialect)
    expect(third.code).toBe(0)
    expect(row(third.stdout, 'users')).toEqual([0, 2, 1, 0, 1, 0, 0])
    expect(row(third.stdout, 'groups')).toEqual([0, 1, 0, 0, 1, 0, 0])
    expect(row(third.stdout, 'memberships')).toEqual([3, 0, 0, 0, 3, 0, 0])
  })
})

describe('provision', () => {
  it('keeps a state file for each target beside the directory file, without the token', async () => {
    edit((file) => file.users.splice(3) && file.groups.splice(0))
    await provision()
    const acme = `scim_acme_${'a'.repeat(43)}`
    await provision('--token', acme)
    const states = readdirSync(folder).filter((name) => name.endsWith('.state.json'))
    expect(states).toHaveLength(2)
    for (const name of states) expect(readFileSync(join(folder, name), 'utf8')).not.toContain(acme)
  })

  it('takes the token from the environment', async () => {
    edit((file) => file.users.splice(1) && file.groups.splice(0))
    const args = ['provision', '--directory', directoryFile, '--tenant-url', server.tenantUrl]
    const { code } = await startCli(args, { ENTRA_SECRET_TOKEN: 'from-env' }).result
    expect(code).toBe(0)
    expect(store.received[0]?.headers.get('authorization')).toBe('Bearer from-env')
  })

  it('exits with 1, names the failures, and retries them in the next run', async () => {
    edit((file) => file.users.splice(3) && file.groups.splice(0))
    store.misbehave = ({ method }) => (method === 'POST' ? error(400, 'no room') : undefined)
    const first = await provision()
    expect(first.code).toBe(1)
    expect(first.stdout).toContain('failed: Create User "mirela.osterholt@quillfern.example"')
    expect(first.stdout).toContain('no room')
    store.misbehave = () => undefined
    const second = await provision()
    expect(second.code).toBe(0)
    expect(row(second.stdout, 'users')).toEqual([3, 0, 0, 0, 0, 0, 0])
  })

  it('exits with 1 when the token is rejected, and stops sending', async () => {
    store.misbehave = () => error(401, 'unknown token')
    const { code, stderr } = await provision()
    expect(code).toBe(1)
    expect(stderr).toContain('CredentialValidationFailure')
    expect(store.received).toHaveLength(1)
  })

  it('resumes a stopped run without duplicates', async () => {
    const { child, result } = startCli([
      ...['provision', '--directory', directoryFile, '--tenant-url', server.tenantUrl, '--token', 'secret'],
    ])
    store.misbehave = () => {
      if (store.users.size === 40) child.kill('SIGINT')
      return undefined
    }
    const stopped = await result
    expect(stopped.code).toBe(130)
    expect(stopped.stdout).toContain('Run the same command again to resume it')
    store.misbehave = () => undefined
    store.received.length = 0
    const resumed = await provision()
    expect(resumed.stdout).toContain('Resuming initial cycle 1')
    expect(resumed.code).toBe(0)
    expect(store.users.size).toBe(291)
    expect(store.received.filter(({ method }) => method === 'POST').length).toBeLessThan(291 + 24 - 35)
  })

  it('resumes a killed run without duplicates', async () => {
    const { child, result } = startCli([
      ...['provision', '--directory', directoryFile, '--tenant-url', server.tenantUrl, '--token', 'secret'],
    ])
    store.misbehave = () => {
      if (store.users.size === 40) child.kill('SIGKILL')
      return undefined
    }
    await result
    store.misbehave = () => undefined
    const resumed = await provision()
    expect(resumed.code).toBe(0)
    expect([store.users.size, store.groups.size]).toEqual([291, 24])
  })
})

describe('provision with invalid input', () => {
  it.each([
    ['no file', () => rmSync(directoryFile), /no such file/],
    [
      'broken JSON',
      () => writeFileSync(directoryFile, '{\n "users": [\n'),
      /quillfern\.json:3: the directory file is not valid JSON/,
    ],
    [
      'a list of lists',
      () => writeFileSync(directoryFile, '[]'),
      /must be an object with "users" and "groups"/,
    ],
    [
      'a missing userPrincipalName',
      () => edit((file) => delete file.users[1]?.userPrincipalName),
      /:\d+: users\[1\]\.userPrincipalName is required/,
    ],
    [
      'a wrong type',
      () => edit((file) => Object.assign(file.users[2] ?? {}, { accountEnabled: 'yes' })),
      /users\[2\]\.accountEnabled must be true or false, found the string "yes"/,
    ],
    [
      'a duplicate name',
      () =>
        edit((file) =>
          Object.assign(file.users[2] ?? {}, { userPrincipalName: 'MIRELA.osterholt@quillfern.example' }),
        ),
      /users\[2\]\.userPrincipalName "MIRELA.osterholt@quillfern.example" is used twice/,
    ],
    [
      'an unknown member',
      () => edit((file) => file.groups[0]?.members.push('nobody')),
      /groups\[0\]\.members\[240\] contains "nobody"/,
    ],
  ])('rejects %s with exit code 2 and sends nothing', async (_case, spoil, message) => {
    spoil()
    const { code, stderr } = await provision()
    expect(stderr).toMatch(message)
    expect(code).toBe(2)
    expect(store.received).toHaveLength(0)
    expect(readdirSync(folder).filter((name) => name.includes('.state.json'))).toEqual([])
  })

  it('accepts a member that was deleted from the directory', async () => {
    edit((file) => {
      file.users.splice(40)
      file.groups = [{ id: 'g', displayName: 'G', members: file.users.map(({ id }) => id) }]
    })
    await provision()
    edit((file) => file.users.splice(2, 1))
    const { code, stdout } = await provision()
    expect(code).toBe(0)
    expect(row(stdout, 'users')).toEqual([0, 0, 0, 0, 1, 0, 0])
  })

  it('rejects the state file of another target', async () => {
    const state = join(folder, 'x.state.json')
    edit((file) => file.users.splice(1) && file.groups.splice(0))
    await provision('--state', state)
    const { code, stderr } = await provision('--state', state, '--token', `scim_acme_${'a'.repeat(43)}`)
    expect(code).toBe(2)
    expect(stderr).toContain('another tenant of the same Tenant URL')
  })

  it('rejects a state file that another run holds', async () => {
    const state = join(folder, 'x.state.json')
    writeFileSync(`${state}.lock`, String(process.pid))
    const { code, stderr } = await provision('--state', state)
    expect(code).toBe(2)
    expect(stderr).toContain(`in use by process ${process.pid}`)
    expect(existsSync(`${state}.lock`)).toBe(true)
  })

  it.each([
    [['--dialect', 'new'], '--dialect must be "old" or "flag", got "new"'],
    [['--concurrency', '0'], '--concurrency must be an integer from 1 to 100, got "0"'],
    [['--colour'], "Unknown option '--colour'"],
  ])('rejects the options %j', async (options, message) => {
    const { code, stderr } = await provision(...options)
    expect(code).toBe(2)
    expect(stderr).toContain(message)
  })
})
