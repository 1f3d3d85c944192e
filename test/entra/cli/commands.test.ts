/** The commands of the command line on one job, over HTTP on 127.0.0.1. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { serveStore, type TestServer } from '../support/http-server.ts'
import { runCli } from '../support/run-cli.ts'
import { error, ScimStore } from '../support/scim-store.ts'

let folder: string
let store: ScimStore
let server: TestServer

const PEOPLE = ['ada', 'ben', 'cleo'].map((id) => ({
  id,
  userPrincipalName: `${id}@quillfern.example`,
  displayName: `${id} Ångström`,
  mailNickname: id,
}))
const GROUP = { id: 'crew', displayName: 'Crew, "North"', members: ['ada', 'ben'] }

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'entra-'))
  store = new ScimStore()
  server = await serveStore(store)
  writeDirectory({ users: PEOPLE, groups: [GROUP] })
  writeJob({})
})

afterEach(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

function writeDirectory(directory: object): void {
  writeFileSync(join(folder, 'directory.json'), JSON.stringify(directory))
}

function writeJob(more: object): void {
  const job = {
    tenantUrl: server.tenantUrl,
    token: 'secret',
    directory: 'directory.json',
    state: 'job.state.json',
    ...more,
  }
  writeFileSync(join(folder, 'job.json'), JSON.stringify(job))
}

function entra(command: string, ...more: string[]) {
  return runCli([command, '--job', join(folder, 'job.json'), ...more])
}

describe('test-connection', () => {
  it('sends two queries and reads the schemas, without User-Agent and Accept', async () => {
    const { code, stdout } = await runCli([
      'test-connection',
      '--tenant-url',
      server.tenantUrl,
      '--token',
      't',
    ])
    expect(code).toBe(0)
    expect(stdout).toContain('authorized to enable provisioning')
    expect(store.received.map(({ path }) => path.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, 'GUID'))).toEqual([
      '/Users?filter=userName+eq+%22GUID%22',
      '/Groups?excludedAttributes=members&filter=displayName+eq+%22GUID%22',
      '/Schemas',
    ])
    for (const { headers } of store.received) {
      expect([headers.get('user-agent'), headers.get('accept')]).toEqual([null, null])
    }
  })

  it('exits with 1 and shows the message of the endpoint', async () => {
    store.misbehave = () => error(401, 'unknown token')
    const { code, stdout } = await runCli([
      'test-connection',
      '--tenant-url',
      server.tenantUrl,
      '--token',
      't',
    ])
    expect(code).toBe(1)
    expect(stdout).toContain('CredentialValidationFailure: HTTP 401: unknown token')
  })

  it('exits with 1 when the endpoint is not listening', async () => {
    const { code, stdout } = await runCli([
      'test-connection',
      '--tenant-url',
      'http://127.0.0.1:1/scim',
      '--token',
      't',
    ])
    expect([code, stdout]).toEqual([1, expect.stringContaining('ECONNREFUSED')])
  })
})

describe('the commands of a job', () => {
  it('starts, shows its status, connections and logs', async () => {
    expect((await entra('start')).code).toBe(0)
    const status = await entra('status')
    expect(status.stdout).toMatch(/Status +Active/)
    expect(status.stdout).toMatch(/Provisioned +3 users, 1 groups, 2 memberships/)
    expect(JSON.parse((await entra('status', '--json')).stdout)).toMatchObject({
      status: 'Active',
      cycle: 1,
      escrow: [],
    })

    const connections = await entra('connections', '--identity', 'BEN')
    expect(connections.stdout).toMatch(
      /^User {3}ben {2}-> {2}u2 {2}ben@quillfern.example\n1 of 4 connections\n$/,
    )

    const logs = await entra('logs', '--action', 'create', '--status', 'success')
    expect(logs.stdout.trim().split('\n')).toHaveLength(4)
    const id = logs.stdout.slice(0, 8)
    const detail = await entra('logs', '--id', id)
    expect(detail.stdout).toContain('Create User "ada@quillfern.example"')
    expect(detail.stdout).toContain('  userName: – -> ada@quillfern.example')
    const csv = await entra('logs', '--csv', '--identity', 'crew')
    expect(csv.stdout).toContain('Group,crew,"Crew, ""North""",g4')
    const json = await entra('logs', '--json', '--limit', '2')
    expect(
      json.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).action),
    ).toEqual(['Create', 'Update'])
    expect((await entra('logs', '--identity', 'nobody')).code).toBe(1)
  })

  it('pauses and resumes', async () => {
    await entra('start')
    await entra('pause')
    const refused = await entra('start')
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('the job is paused')])
    const restarted = await entra('restart', '--reset', 'none')
    expect(restarted.stdout).toContain('an incremental one')
    expect((await entra('start')).code).toBe(0)
    expect((await entra('restart')).stdout).toContain('an initial one')
    expect((await entra('restart', '--reset', 'everything')).code).toBe(2)
  })

  it('previews the next cycle and sends nothing', async () => {
    const before = await entra('diff')
    expect(before.stdout).toContain('create   User   ada@quillfern.example')
    expect(before.stdout).toContain('+ member ada@quillfern.example')
    expect(before.stdout).toContain('4 to process, 0 to skip. Nothing was sent.')
    await entra('start')
    writeDirectory({
      users: [{ ...PEOPLE[0], displayName: 'Ada Lovelace' }, ...PEOPLE.slice(1)],
      groups: [GROUP],
    })
    store.received.length = 0
    const after = await entra('diff')
    expect(after.stdout).toContain('displayName: ada Ångström -> Ada Lovelace')
    expect(store.received).toEqual([])
  })

  it('provisions on demand by name, in five steps', async () => {
    const { code, stdout } = await entra('provision-on-demand', 'BEN@quillfern.example')
    expect(code).toBe(0)
    expect(stdout.match(/^\d\. .*$/gm)).toEqual([
      '1. Test connection: success',
      '2. Import: success',
      '3. Determine scope: success',
      '4. Match: success',
      '5. Perform action: success',
    ])
    expect(stdout).toMatch(/^ {2}Create: User .* was created at the target\n {2}externalId = /m)
    expect((await entra('provision-on-demand', 'ben@quillfern.example')).stdout).toContain('Already linked')
    expect((await entra('provision-on-demand', 'nobody')).code).toBe(2)
    expect((await entra('provision-on-demand', 'crew', '--members', 'a,b,c,d,e,f')).stderr).toContain(
      'at most 5',
    )
  })

  it('does not call a user linked that never was', async () => {
    writeDirectory({ users: [{ ...PEOPLE[0], assigned: false }], groups: [] })
    const outside = await entra('provision-on-demand', 'ada')
    expect(outside.stdout).toContain('4. Match: skipped\n  Not linked, and no query was sent')
    const mappings = [
      { target: 'userName', type: 'direct', source: 'userPrincipalName', matching: 1 },
      { target: 'title', type: 'expression', source: 'DefaultDomain()' },
    ]
    writeJob({ users: { attributeMappings: mappings } })
    writeDirectory({ users: PEOPLE, groups: [] })
    const failed = await entra('provision-on-demand', 'ben')
    expect([failed.code, failed.stdout]).toEqual([1, expect.not.stringContaining('Already linked')])
  })

  it('holds deletions back until they are allowed', async () => {
    writeJob({ accidentalDeletionThreshold: 1 })
    await entra('start')
    writeDirectory({ users: PEOPLE.slice(0, 1), groups: [] })
    const held = await entra('start')
    expect([held.code, held.stderr]).toEqual([1, expect.stringContaining('TooManyDeletes')])
    expect(store.users.size).toBe(3)
    await entra('allow-deletes')
    expect((await entra('start')).code).toBe(0)
    expect([store.users.size, store.groups.size]).toEqual([1, 0])
  })

  it('runs several cycles and prints events as JSON', async () => {
    const { code, stdout } = await entra('start', '--cycles', '3', '--interval', '1ms', '--json')
    expect(code).toBe(0)
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(events.filter(({ type }) => type === 'cycleFinished').map(({ summary }) => summary.kind)).toEqual([
      'initial',
      'incremental',
      'incremental',
    ])
  })

  it('advances its clock to the retry', async () => {
    store.misbehave = ({ method, path }) =>
      method === 'POST' && path === '/Users' ? error(400, 'not yet') : undefined
    expect((await entra('start')).code).toBe(1)
    store.misbehave = () => undefined
    await entra('start')
    expect(store.users.size).toBe(0)
    expect((await entra('start', '--advance', '6h')).code).toBe(0)
    expect(store.users.size).toBe(3)
  })
})

describe('logs', () => {
  it('shows the newest entries with --limit, oldest first', async () => {
    await entra('start')
    const all = (await entra('logs')).stdout.trim().split('\n')
    expect(all).toHaveLength(5)
    for (const limit of [1, 2, 5, 6]) {
      const { stdout } = await entra('logs', '--limit', String(limit))
      expect(stdout.trim().split('\n')).toEqual(all.slice(-limit))
    }
    const newest = await entra('logs', '--action', 'create', '--limit', '1')
    expect(newest.stdout).toContain('Create    Group')
  })
})

describe('the progress of a cycle', () => {
  it('does not report memberships when a restart sends none', async () => {
    const groups = ['bow', 'deck', 'helm'].map((id) => ({ id, displayName: id, members: [] }))
    writeDirectory({ users: PEOPLE, groups: [...groups, GROUP] })
    expect((await entra('provision')).stdout).toContain('Memberships: 2 of 2')
    // The memberships of a member that left the scope are pending in every initial cycle.
    const outside = { ...PEOPLE[0], assigned: false }
    writeDirectory({
      users: [outside, ...PEOPLE.slice(1)],
      groups: groups.map((group) => ({ ...group, members: ['ada'] })),
    })
    await entra('restart')
    const { stdout } = await entra('provision')
    expect(stdout).toContain('Starting initial cycle')
    expect(stdout).not.toContain('Memberships')
  })
})

describe('the command line', () => {
  it('prints its version', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
    for (const option of ['--version', '-V'])
      expect(await runCli([option])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
  })

  it.each([
    [['provison'], 'Unknown command "provison"', 'Did you mean "provision"?'],
    [['Check'], 'Unknown command "Check"', 'Did you mean "check"?'],
    [['log'], 'Unknown command "log"', 'Did you mean "logs"?'],
    [['provision-on'], 'Unknown command "provision-on"', 'Did you mean "provision-on-demand"?'],
    [['check', '--tenat-url', 'x'], "Unknown option '--tenat-url'", 'Did you mean "--tenant-url"?'],
    [['logs', '--limits', '6'], "Unknown option '--limits'", 'Did you mean "--limit"?'],
  ])('suggests what was meant by %j', async (args, message, question) => {
    const { code, stderr } = await runCli(args)
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)])
    expect(stderr).toContain(question)
  })

  it.each([[['toaster']], [['constructor']], [['check', '--toaster']]])(
    'suggests nothing where no name is close: %j',
    async (args) => {
      const { code, stderr } = await runCli(args)
      expect([code, stderr]).toEqual([2, expect.not.stringContaining('Did you mean')])
    },
  )

  const target = ['--tenant-url', 'http://127.0.0.1:1/scim/v2', '--token-file', 'FOLDER/token.txt']
  const directory = ['--directory', 'FOLDER/directory.json']
  it.each([
    [['provision', '--directory', 'FOLDER/none/people.json', ...target], 'no such file or folder'],
    [['provision', '--directory', 'FOLDER', ...target], 'it is a folder'],
    [['provision', '--directory', 'FOLDER/directory.json/people.json', ...target], /folder/],
    [['provision', ...directory, ...target, '--state', 'FOLDER/none/s.json'], 'no such file or folder'],
    [['provision', ...directory, ...target, '--state', 'FOLDER/folder.json'], 'it is a folder'],
    [['provision', '--job', 'FOLDER'], 'it is a folder'],
    [['diff', '--directory', 'FOLDER/none.json', ...target], 'no such file or folder'],
    [['logs', '--state', 'FOLDER/logged.json'], 'it is a folder'],
    [['pause', '--state', 'FOLDER/none.json'], 'There is no state file'],
    [['restart', '--state', 'FOLDER/folder.json'], 'it is a folder'],
    [['generate', '--output', 'FOLDER/none/people.json'], 'no such file or folder'],
    [['import', '--users-csv', 'FOLDER'], 'it is a folder'],
    [['issuer', '--issuer-port', '0', '--issuer-keys', 'FOLDER/none/key.json'], 'no such file or folder'],
    [
      ['test-connection', '--tenant-url', 'http://127.0.0.1:1/', '--token-file', 'FOLDER/none.txt'],
      'no such file',
    ],
    [['test-connection', '--tenant-url', 'http://127.0.0.1:1/', '--token-file', 'FOLDER'], 'it is a folder'],
  ])('explains a wrong path without a stack trace: %j', async (args, message) => {
    writeFileSync(join(folder, 'token.txt'), 'a-token')
    writeFileSync(join(folder, 'logged.json'), '{}')
    for (const name of ['folder.json', 'logged.json.log']) mkdirSync(join(folder, name))
    const { code, stderr } = await runCli(args.map((arg) => arg.replace('FOLDER', folder)))
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)])
    expect(stderr).not.toMatch(/\n\s+at |errno/)
  })

  it('reads the Secret Token from a file, and refuses two tokens', async () => {
    writeFileSync(join(folder, 'token.txt'), 'from-a-file\r\n')
    const target = ['--tenant-url', server.tenantUrl, '--token-file', join(folder, 'token.txt')]
    expect((await runCli(['test-connection', ...target])).code).toBe(0)
    expect(store.received[0]?.headers.get('authorization')).toBe('Bearer from-a-file')
    const both = await runCli(['test-connection', ...target, '--token', 't'])
    expect([both.code, both.stderr]).toEqual([2, '--token-file and --token cannot be used together\n'])
  })
})

describe('notifications of a quarantine', () => {
  it('are posted to a webhook', async () => {
    const bodies: string[] = []
    const webhook = createServer(async (request, response) => {
      for await (const chunk of request) bodies.push(String(chunk))
      response.end()
    })
    await new Promise<void>((resolve) => webhook.listen(0, '127.0.0.1', resolve))
    writeJob({ notification: { webhook: `http://127.0.0.1:${(webhook.address() as AddressInfo).port}/` } })
    store.misbehave = () => error(401, 'unknown token')
    const { code, stdout } = await entra('start')
    webhook.closeAllConnections()
    webhook.close()
    expect([code, stdout]).toEqual([1, expect.stringContaining('Notification sent to http://127.0.0.1')])
    expect(JSON.parse(bodies.join(''))).toMatchObject({
      quarantine: { reason: 'EncounteredQuarantineException' },
    })
  })

  it('are mailed through an SMTP server', async () => {
    const mail = await smtpServer()
    writeJob({ notification: { email: 'admin@quillfern.example', smtp: `smtp://127.0.0.1:${mail.port}` } })
    store.misbehave = () => error(401, 'unknown token')
    const { stdout } = await entra('start')
    mail.close()
    expect(stdout).toContain('Notification sent to admin@quillfern.example')
    expect(mail.received()).toMatch(
      /^To: admin@quillfern\.example\r\nSubject: =\?UTF-8\?Q\?Provisioning_job_/m,
    )
    expect(mail.received()).toContain('HTTP 401: unknown token')
  })

  it('are reported and do not stop the job when they cannot be delivered', async () => {
    writeJob({ notification: { webhook: 'http://127.0.0.1:1/' } })
    store.misbehave = () => error(401, 'unknown token')
    const { code, stdout } = await entra('start')
    expect([code, stdout]).toEqual([1, expect.stringContaining('Notification to http://127.0.0.1:1/ failed')])
  })
})

/** A minimal SMTP server that accepts one message. */
async function smtpServer(): Promise<{ port: number; received: () => string; close: () => void }> {
  let text = ''
  const smtp = createTcpServer((socket) => {
    let inData = false
    socket.write('220 test\r\n')
    socket.on('data', (chunk) => {
      text += chunk
      if (inData && text.endsWith('\r\n.\r\n')) {
        inData = false
        socket.write('250 taken\r\n')
      } else if (!inData) {
        inData = /^DATA/im.test(String(chunk))
        socket.write(inData ? '354 go on\r\n' : '250 ok\r\n')
      }
    })
    socket.on('error', () => socket.destroy())
  })
  await new Promise<void>((resolve) => smtp.listen(0, '127.0.0.1', resolve))
  return { port: (smtp.address() as AddressInfo).port, received: () => text, close: () => smtp.close() }
}

describe('an invalid job file', () => {
  it.each<[object, string]>([
    [{ scope: 'some' }, 'scope must be "assigned" or "all", found the string "some"'],
    [{ colour: 'teal' }, 'colour is unknown'],
    [{ concurrency: 0 }, 'concurrency must be a whole number from 1 to 100, found the number 0'],
    [
      { users: { attributeMappings: [{ target: 'userName', type: 'direct', source: 'mail' }] } },
      'users.attributeMappings has no matching attribute',
    ],
    [
      {
        users: {
          attributeMappings: [{ target: 'userName', type: 'expression', source: 'Jion("a")', matching: 1 }],
        },
      },
      'users.attributeMappings[0].source Unknown function "Jion"',
    ],
    [
      { users: { attributeMappings: [{ target: 'na me', type: 'direct', source: 'mail', matching: 1 }] } },
      '"na me" is not a target attribute',
    ],
    [
      { groups: { scopingFilters: [{ name: 'f', clauses: [{ attribute: 'a', operator: 'LIKE' }] }] } },
      'groups.scopingFilters[0].clauses[0].operator must be one of EQUALS',
    ],
    [
      {
        groups: { scopingFilters: [{ name: 'f', clauses: [{ attribute: 'members', operator: 'IS NULL' }] }] },
      },
      '"members" cannot be used in a scoping filter',
    ],
    [
      {
        users: {
          scopingFilters: [{ name: 'f', clauses: [{ attribute: 'a', operator: 'REGEX MATCH', value: '(' }] }],
        },
      },
      '"(" cannot be used as a regular expression: "(" is not closed',
    ],
    [{ notification: { email: 'a@b.example' } }, 'notification.smtp is required with "email"'],
    [{ tenantUrl: 'nowhere' }, 'Tenant URL must be an absolute http or https URL, got "nowhere"'],
  ])('refuses %j and sends nothing', async (more, message) => {
    writeJob(more)
    const { code, stderr } = await entra('start')
    expect(stderr).toContain(message)
    expect(code).toBe(2)
    expect(store.received).toEqual([])
  })

  it('names file, line and field of a YAML file', async () => {
    writeFileSync(
      join(folder, 'job.yaml'),
      `tenantUrl: ${server.tenantUrl}\ntoken: secret\nusers:\n  scopingFilters:\n    - name: f\n      clauses:\n        - attribute: a\n          operator: LIKE\n`,
    )
    const { code, stderr } = await runCli([
      'start',
      '--job',
      join(folder, 'job.yaml'),
      '--directory',
      join(folder, 'directory.json'),
    ])
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('job.yaml:8: users.scopingFilters[0].clauses[0].operator'),
    ])
  })

  it('reads directories in YAML and names the line of an error', async () => {
    const file = join(folder, 'directory.yaml')
    const yaml =
      'users:\n  - id: ada\n    userPrincipalName: ada@quillfern.example\ngroups:\n  - id: crew\n    displayName: Crew\n    members: [ada]\n'
    writeFileSync(file, yaml)
    expect((await entra('start', '--directory', file)).code).toBe(0)
    expect(store.membersOf('g2')).toEqual(['u1'])
    writeFileSync(file, yaml.replace('[ada]', 'ada'))
    const { stderr } = await entra('start', '--directory', file)
    expect(stderr).toContain('directory.yaml:7: groups[0].members must be a list of ids')
  })
})

describe('a hostile directory file', () => {
  it.each([
    ['deep.json', `{"users":[{"id":"a","x":${'['.repeat(1e5)}${']'.repeat(1e5)}}]}`, 'nested more than 200'],
    [
      'aliases.yaml',
      `a: &a [x,x,x,x,x,x,x,x,x,x]\n${[...'abcdefgh'].map((name, index) => `${'bcdefghi'[index]}: &${'bcdefghi'[index]} [${`*${name},`.repeat(9)}]\n`).join('')}users: *i\n`,
      'Excessive alias count',
    ],
  ])('%s is refused in one line', async (name, text, reason) => {
    const file = join(folder, name)
    writeFileSync(file, text)
    const { code, stderr } = await runCli([
      'diff',
      '--directory',
      file,
      '--tenant-url',
      server.tenantUrl,
      '--token',
      't',
    ])
    expect([code, stderr.trim().split('\n').length]).toEqual([2, 1])
    expect(stderr).toContain(reason)
  })

  it('may have ids that are names of JavaScript', async () => {
    const users = ['__proto__', 'constructor'].map((id) => ({
      ...{ id, userPrincipalName: `${id}@quillfern.example`, displayName: id, mailNickname: id },
    }))
    const groups = [{ id: 'toString', displayName: 'Crew', members: ['__proto__', 'constructor'] }]
    // An object literal would take "__proto__" for its prototype, JSON does not.
    writeDirectory({ users, groups })
    await entra('provision')
    expect([store.users.size, store.groups.size]).toEqual([2, 1])
    store.received.length = 0
    writeDirectory({ users: users.map((user) => ({ ...user, displayName: 'Other' })), groups })
    const { code, stdout } = await entra('provision')
    expect([code, store.users.size]).toEqual([0, 2])
    expect(stdout).toMatch(/^users +0 /m)
    expect((await entra('connections')).stdout).toContain('__proto__@quillfern.example')
  })
})

describe('an invalid state file', () => {
  it.each([
    ['{', /state\.json:1: the state file is not valid JSON/],
    ['{"version":2}', /version must be 1, found the number 2/],
    ['[]', /must be a state file of the Entra emulator, found a list/],
  ])('refuses %s and sends nothing', async (text, message) => {
    writeFileSync(join(folder, 'job.state.json'), text)
    const { code, stderr } = await entra('start')
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)])
    expect(store.received).toEqual([])
  })
})

describe('generate', () => {
  it('generates the same directory for the same seed, and one that can be provisioned', async () => {
    const args = ['generate', '--users', '40', '--groups', '5', '--memberships', '100', '--seed', '7']
    const [first, second, other] = await Promise.all([
      runCli(args),
      runCli(args),
      runCli([...args.slice(0, -1), '8']),
    ])
    expect(first.stdout).toBe(second.stdout)
    expect(first.stdout).not.toBe(other.stdout)
    const directory = JSON.parse(first.stdout)
    expect([directory.users.length, directory.groups.length]).toEqual([40, 5])
    writeFileSync(join(folder, 'directory.json'), first.stdout)
    expect((await entra('start')).code).toBe(0)
  })

  it('overwrites a file only with --force', async () => {
    const file = join(folder, 'directory.json')
    expect((await runCli(['generate', '--users', '1', '--output', file])).code).toBe(2)
    expect((await runCli(['generate', '--users', '1', '--output', file, '--force'])).code).toBe(0)
    // The directory may contain data of real people.
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })
})

describe('--provider', () => {
  const endpoint = () => ['--tenant-url', server.tenantUrl, '--token', 't']

  it('sends the connection test of that provider', async () => {
    const { code, stdout } = await runCli(['test-connection', ...endpoint(), '--provider', 'google'])
    expect([code, stdout]).toEqual([0, 'ok       GET /Users?count=1\n'])
  })

  it('provisions as that provider, from the option or the job file', async () => {
    expect((await entra('provision', '--provider', 'okta')).code).toBe(0)
    expect(store.received[0]?.headers.get('user-agent')).toBe('Okta SCIM Client 1.0.0')
    expect(store.received.map(({ method }) => method)).toContain('PUT')
    writeJob({ provider: 'authentik', state: 'other.state.json' })
    store.received.length = 0
    await entra('provision')
    expect(store.takeLines()[0]).toBe('GET /ServiceProviderConfig')
  })

  it('pushes all groups now', async () => {
    await entra('provision', '--provider', 'okta-catalogue')
    store.received.length = 0
    expect((await entra('provision', '--provider', 'okta-catalogue', '--push-now')).code).toBe(0)
    expect(store.received.map(({ body }) => body)).toEqual([
      expect.objectContaining({ Operations: [expect.objectContaining({ op: 'replace', path: 'members' })] }),
    ])
  })

  it('is refused if the state belongs to another provider, and nothing is sent', async () => {
    await entra('provision', '--provider', 'okta')
    store.received.length = 0
    for (const command of ['provision', 'diff']) {
      const { code, stderr } = await entra(command)
      expect([code, stderr]).toEqual([
        2,
        expect.stringMatching(
          /belongs to the provider "okta", not to "entra"; nothing was sent\.\n {2}Choose/,
        ),
      ])
    }
    expect(store.received).toEqual([])
    expect((await entra('status')).code).toBe(0)
  })

  it('is refused if it is unknown, and --push-now if the provider has no such command', async () => {
    const { code, stderr } = await entra('provision', '--provider', 'ping')
    expect(code).toBe(2)
    expect(stderr).toContain('--provider must be "entra" or "okta" or')
    const push = await entra('provision', '--provider', 'google', '--push-now')
    expect([push.code, push.stderr]).toEqual([
      2,
      '--push-now is a command of Okta; Google Workspace has none\n',
    ])
  })
})

describe('import', () => {
  it('reads users and groups from an endpoint as Okta does', async () => {
    await entra('provision')
    store.received.length = 0
    const output = join(folder, 'imported.json')
    const { code } = await runCli([
      'import',
      '--tenant-url',
      server.tenantUrl,
      '--token',
      't',
      '--output',
      output,
    ])
    expect(code).toBe(0)
    expect(store.takeLines()).toEqual([
      'GET /Users?startIndex=1&count=100',
      'GET /Groups?startIndex=1&count=100',
    ])
    const { users, groups } = JSON.parse(readFileSync(output, 'utf8'))
    expect(users.map(({ userPrincipalName }: { userPrincipalName: string }) => userPrincipalName)).toEqual(
      PEOPLE.map(({ userPrincipalName }) => userPrincipalName),
    )
    expect(users[0]).toMatchObject({ displayName: 'ada Ångström', accountEnabled: true })
    expect(groups).toEqual([
      { id: expect.any(String), displayName: GROUP.displayName, members: [users[0].id, users[1].id] },
    ])
  })

  it('exits with 1 if the endpoint cannot be read', async () => {
    store.misbehave = () => error(401, 'unknown token')
    const { code, stderr } = await runCli(['import', '--tenant-url', server.tenantUrl, '--token', 't'])
    expect(code).toBe(1)
    expect(stderr).toContain('unknown token')
  })

  it('says how many resources a page that is too short hides', async () => {
    const Resources = [{ id: 'u', userName: 'u' }]
    store.misbehave = ({ path }) =>
      Response.json({ totalResults: path.startsWith('/Users') ? 150 : 1, Resources })
    const { stderr } = await runCli(['import', '--tenant-url', server.tenantUrl, '--token', 't'])
    expect(stderr).toBe('The endpoint returned 2 of 150 users: its pages are shorter than 100\n')
  })

  it('reads exports of users and members from the admin center', async () => {
    const users = join(folder, 'users.csv')
    const members = join(folder, 'crew.csv')
    writeFileSync(
      users,
      '\uFEFFuserPrincipalName,displayName,surname,mail,givenName,objectId,userType,accountEnabled\r\nada@quillfern.example,"Lovelace, Ada",Lovelace,,Ada,1,Member,True\r\n"o\'hara@quillfern.example","The ""Boss""\r\nO\'Hara",O\'Hara,,,2,Guest,False\r\n',
    )
    writeFileSync(
      members,
      'id;userPrincipalName;displayName\n1;ada@quillfern.example;x\n99;gone@quillfern.example;y\n',
    )
    const { code, stdout } = await runCli(['import', '--users-csv', users, `Crew = North=${members}`])
    expect(code).toBe(0)
    const { users: people, groups } = JSON.parse(stdout)
    expect(people).toEqual([
      {
        id: '1',
        userPrincipalName: 'ada@quillfern.example',
        displayName: 'Lovelace, Ada',
        surname: 'Lovelace',
        givenName: 'Ada',
        userType: 'Member',
        accountEnabled: true,
      },
      {
        id: '2',
        userPrincipalName: "o'hara@quillfern.example",
        displayName: 'The "Boss"\r\nO\'Hara',
        surname: "O'Hara",
        userType: 'Guest',
        accountEnabled: false,
      },
    ])
    expect(groups).toMatchObject([{ displayName: 'Crew = North', members: ['1'] }])
  })

  it.each([
    ['a row without id', 'displayName,id\nAda,1\n', ':2: a user needs the columns'],
    [
      'a quote that is not closed',
      'id,userPrincipalName\n1,"a\n',
      ':2: column 2 "userPrincipalName": a quote is not closed',
    ],
    [
      'text after a closing quote',
      'id,displayName\r\n1,"a\r\nb"\r\n2,"c"d\r\n',
      ':4: column 2 "displayName": text follows a closing quote',
    ],
    [
      'a quote inside an unquoted cell',
      'id;displayName\n\n1;a"b\n',
      ':3: column 2 "displayName": an unquoted cell contains a quote',
    ],
    ['a quote in the header', '\uFEFFid,"a"b\n', ':1: column 2: text follows a closing quote'],
    [
      'a name that is used twice',
      'id,userPrincipalName,displayName\r\n1,a@x.example,"A\r\nB"\r\n2,A@X.example,C\r\n',
      ':4: userPrincipalName "A@X.example" is used twice',
    ],
  ])('names file, line and column of %s', async (_case, text, message) => {
    const users = join(folder, 'users.csv')
    writeFileSync(users, text)
    const { code, stderr } = await runCli(['import', '--users-csv', users])
    expect(code).toBe(2)
    expect(stderr).toContain(`${users}${message}`)
  })

  it('names the member list, not the user list, when the member list is not valid CSV', async () => {
    const users = join(folder, 'users.csv')
    const members = join(folder, 'crew.csv')
    writeFileSync(users, 'id,userPrincipalName\n1,a@x.example\n')
    writeFileSync(members, 'id\n"1\n')
    const { stderr } = await runCli(['import', '--users-csv', users, `Crew=${members}`])
    expect(stderr).toContain(`${members}:2: column 1 "id": a quote is not closed`)
  })
})

describe('expressions and filters', () => {
  it('fails what Entra cannot process with --exact', async () => {
    const { code } = await entra('provision', '--exact')
    expect(code).toBe(1)
    expect([store.users.size, store.groups.size]).toEqual([3, 0])
    const log = await entra('logs', '--status', 'failure')
    expect(log.stdout).toContain('the matching value contains the character ","')
    expect((await entra('provision')).code).toBe(0)
    expect(store.groups.size).toBe(1)
  })

  it('stops before the first request if a scoping filter cannot be decided', async () => {
    const clauses = [{ attribute: 'displayName', operator: 'REGEX MATCH', value: '(a+)+' }]
    writeJob({ users: { scopingFilters: [{ clauses }] } })
    writeDirectory({ users: [{ ...PEOPLE[0], displayName: `${'a'.repeat(40)}!` }], groups: [] })
    for (const command of ['provision', 'diff']) {
      const { code, stderr } = await entra(command)
      expect(stderr).toMatch(
        /^The scoping filter displayName REGEX MATCH "\(a\+\)\+" cannot be decided for "a+!"/,
      )
      expect(code).toBe(2)
    }
    expect(store.received).toEqual([])
  })

  it('shows in diff why an object would fail', async () => {
    const source = 'DefaultDomain()'
    const mappings = [
      { target: 'userName', type: 'direct', source: 'userPrincipalName', matching: 1 },
      { target: 'title', type: 'expression', source },
    ]
    writeJob({ users: { attributeMappings: mappings } })
    const { stdout } = await entra('diff')
    expect(stdout).toContain('fail     User   ada@quillfern.example')
    expect(stdout).toContain('Mapping to "title": DefaultDomain: the tenant has no default domain')
  })
})

describe('check', () => {
  const check = (...more: string[]) =>
    runCli([
      'check',
      '--tenant-url',
      server.tenantUrl,
      '--token',
      't',
      '--skip',
      'many-members,token,token-for-changes',
      ...more,
    ])

  it('deletes what it created and writes JUnit XML', async () => {
    const file = join(folder, 'verdict.xml')
    const { stdout } = await check('--junit', file)
    expect([store.users.size, store.groups.size]).toEqual([0, 0])
    expect(stdout).toMatch(/Verdict: \w+ \(\d+ success/)
    const xml = readFileSync(file, 'utf8')
    expect(xml).toMatch(/<testsuite name="Old dialect" tests="\d+"/)
    expect(xml).toContain('name="add two members"')
  })

  it('shows the consequence of an error in Entra with request and response, and exits with 3', async () => {
    store.misbehave = ({ method, path }) =>
      method === 'PATCH' && path.startsWith('/Groups') ? error(501, 'no PATCH') : undefined
    const { code, stdout } = await check('--dialect', 'flag')
    expect(code).toBe(3)
    expect(stdout).toContain('error           add two members: HTTP 501: no PATCH')
    expect(stdout).toContain('Entra:  The memberships are not sent; Entra tries again')
    expect(stdout).toMatch(/\| PATCH \/Groups\/g\d+/)
    expect([store.users.size, store.groups.size]).toEqual([0, 0])
  })

  it('probes the URN of jobs from before 2019 by itself, in the old dialect', async () => {
    const old = 'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group'
    store.misbehave = ({ body }) =>
      JSON.stringify(body ?? {}).includes(old) ? error(400, 'unknown schema', 'invalidValue') : undefined
    const { code, stdout } = await check('--dialect', 'old')
    expect(stdout).toContain(
      'deviation       create a group with the URN of jobs from before 2019: HTTP 400: unknown schema',
    )
    expect(stdout).toContain('success         create a group\n')
    expect(code).toBe(3)
    expect((await check('--dialect', 'flag')).stdout).not.toContain('before 2019')
    expect([store.users.size, store.groups.size]).toEqual([0, 0])
  })

  it('groups the steps that could not run by their cause', async () => {
    store.misbehave = ({ method }) => (method === 'POST' ? error(500, 'oops') : undefined)
    const { code, stdout } = await check('--dialect', 'old', '--only', 'users')
    expect(code).toBe(3)
    expect(stdout).toMatch(
      /error: HTTP 500: oops.*\n.*create a user; create a user with fewer attributes; \d+ steps could not run/,
    )
    expect(stdout).not.toContain('skipped  ')
    const { stdout: all } = await check('--dialect', 'old', '--only', 'users', '--verbose')
    expect(all).toContain(
      'skipped         change one attribute: requires the object "first", which could not be created',
    )
  })

  it('shows causes and what does not apply with --json', async () => {
    store.misbehave = ({ method }) => {
      if (method === 'GET') for (const user of store.users.values()) delete user.externalId
      return undefined
    }
    const { stdout } = await check('--dialect', 'old', '--json', '--only', 'users')
    const { results, causes, verdict } = JSON.parse(stdout)
    expect(verdict).toBe('error')
    expect(causes[0]).toMatchObject({
      grade: 'error',
      messages: [expect.stringContaining('found 0 objects')],
    })
    const omitted = results.filter(({ grade }: { grade: string }) => grade === 'not-applicable')
    expect(omitted).toContainEqual(expect.objectContaining({ title: 'members', message: '--only users' }))
    expect(omitted).toContainEqual(expect.objectContaining({ title: 'token', message: '--skip token' }))
  })

  it.each([
    [['--preset', 'oracle'], '--preset must be "entra-custom" or "enterprise" or "cisco", got "oracle"'],
    [
      ['--skip', 'pages,walls'],
      '--skip has the unknown check "walls": expected any of connection, discovery,',
    ],
    [['--only', 'devices'], '--only must be "users" or "groups", got "devices"'],
  ])('rejects %j', async (options, message) => {
    const { code, stderr } = await check(...options)
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)])
    expect(store.received).toEqual([])
  })
})

describe('the command line', () => {
  it('prints the schema of job files, which the help names', async () => {
    const { code, stdout } = await runCli(['job-schema'])
    expect([code, stdout]).toEqual([0, readFileSync('src/entra/job.schema.json', 'utf8')])
    expect((await runCli(['check', '--help'])).stdout).toMatch(/"\S.* job-schema" prints its JSON Schema/)
  })

  it('shows its help and rejects an unknown command', async () => {
    expect((await runCli(['--help'])).stdout).toContain('provision-on-demand')
    expect((await runCli(['start', '--help'])).stdout).toContain('--interval TIME')
    expect(await runCli([])).toMatchObject({ code: 2 })
    expect((await runCli(['begin'])).stderr).toContain('Unknown command "begin": expected one of provision,')
  })
})

describe('a Tenant URL without an option', () => {
  const token = ['--token', 't']

  it('is taken by every command that has no other argument', async () => {
    const { code, stdout } = await runCli(['test-connection', server.tenantUrl, ...token])
    expect([code, stdout]).toEqual([0, expect.stringContaining('ok       GET /Users?')])
    expect((await runCli(['check', '--help'])).stdout).toContain('check [options] [TENANT-URL]')
  })

  it('is refused beside --tenant-url, and beside another one', async () => {
    const both = await runCli(['check', server.tenantUrl, '--tenant-url', server.tenantUrl, ...token])
    const two = await runCli(['check', server.tenantUrl, 'https://other.example', ...token])
    expect([both.code, two.code, two.stderr]).toEqual([
      2,
      2,
      expect.stringContaining("Unexpected argument 'https://other.example': expected one Tenant URL\nSee: "),
    ])
    expect(store.received).toEqual([])
  })
})
