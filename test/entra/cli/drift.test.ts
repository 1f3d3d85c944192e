/** The command `drift` on an endpoint, over HTTP on 127.0.0.1. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { serveStore, type TestServer } from '../support/http-server.ts'
import { runCli } from '../support/run-cli.ts'
import { error, ScimStore } from '../support/scim-store.ts'

let folder: string
let store: ScimStore
let server: TestServer

const USERS = ['ada', 'ben', 'cleo'].map((id) => ({
  id,
  userPrincipalName: `${id}@quillfern.example`,
  displayName: id,
  mailNickname: id,
}))
const DIRECTORY = { users: USERS, groups: [{ id: 'crew', displayName: 'Crew', members: ['ada', 'ben'] }] }

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'drift-'))
  store = new ScimStore()
  server = await serveStore(store)
  write('directory.json', DIRECTORY)
  const job = { tenantUrl: server.tenantUrl, token: 'secret', directory: 'directory.json', state: 's.json' }
  write('job.json', job)
  expect((await runCli(['provision', '--job', join(folder, 'job.json')])).code).toBe(0)
  store.received.length = 0
})

afterEach(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

function write(name: string, content: object | string): string {
  const file = join(folder, name)
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

function drift(file: string, ...more: string[]) {
  return runCli(['drift', file, '--tenant-url', server.tenantUrl, '--token', 'secret', ...more])
}

describe('drift', () => {
  it('finds nothing after provisioning, and changes nothing', async () => {
    const { code, stdout } = await drift(join(folder, 'directory.json'))
    expect(stdout).toContain('The directory has what the export has.')
    expect(stdout).toContain('users are matched by userName')
    expect(code).toBe(0)
    expect(new Set(store.received.map(({ method }) => method))).toEqual(new Set(['GET']))
  })

  it('lists what is missing, extra and different, and the members, as CSV and JSON', async () => {
    const [ada, ben] = [...store.users.values()]
    const [crew] = [...store.groups.values()]
    Object.assign(ada ?? {}, { displayName: '=Ada' })
    Object.assign(crew ?? {}, { members: [{ value: ben?.id }, { value: 'other' }] })
    const file = write('export.json', {
      ...DIRECTORY,
      users: [...USERS.slice(0, 2), { id: 'dora', userPrincipalName: 'dora@quillfern.example' }],
    })
    const csv = await drift(file, '--csv')
    expect([csv.code, csv.stdout.split('\r\n')]).toEqual([
      1,
      [
        'kind,resourceType,name,id,attribute,exported,stored',
        `attribute,User,ada@quillfern.example,${ada?.id},displayName,ada,'=Ada`,
        'missing,User,dora@quillfern.example,,,,',
        `extra member,Group,Crew,${crew?.id},members,,other`,
        `missing member,Group,Crew,${crew?.id},members,ada,`,
        expect.stringMatching(/^extra,User,cleo@quillfern.example,/),
        '',
      ],
    ])
    const json = JSON.parse((await drift(file, '--json')).stdout)
    expect(json).toMatchObject({
      verdict: 'different',
      match: 'userName',
      users: { exported: 3, matched: 2, missing: 1, extra: 1, different: 1 },
      groups: { exported: 1, matched: 1, different: 1 },
      members: { missing: 1, extra: 1 },
      differenceCount: 5,
    })
    expect((await drift(file)).stdout).toContain('displayName =Ada -> ada')
  })

  it('matches by what most users have, or by the chosen key', async () => {
    const renamed = USERS.map((user) => ({ ...user, userPrincipalName: `new-${user.userPrincipalName}` }))
    const file = write('export.json', { users: renamed })
    const found = JSON.parse((await drift(file, '--json')).stdout)
    expect([found.match, found.users.matched, found.users.different]).toEqual(['externalId', 3, 3])
    const chosen = JSON.parse((await drift(file, '--json', '--match', 'userName')).stdout)
    expect(chosen.verdict).toBe('unrelated')
  })

  it('says that an export is of another tenant, instead of listing everything', async () => {
    const file = write('users.csv', 'id,userPrincipalName\n1,x@other.example\n2,y@other.example\n')
    const { code, stdout } = await drift(file)
    expect(stdout).toContain('this seems to be the export of another tenant')
    expect(stdout).not.toContain('x@other.example')
    expect(code).toBe(1)
  })

  it('compares one group with a CSV file of its members', async () => {
    const file = write(
      'members.csv',
      'id,userPrincipalName\nben,BEN@quillfern.example\ncleo,cleo@quillfern.example\n',
    )
    const { stdout } = await drift(file, '--group', 'crew', '--json')
    expect(JSON.parse(stdout)).toMatchObject({
      groups: { exported: 1, matched: 1, missing: 0, extra: 0 },
      members: { missing: 1, extra: 1 },
    })
  })

  it('names the file and the mistake, and the failure of the endpoint', async () => {
    const cut = await drift(write('cut.csv', 'userPrincipalName\n"a'))
    expect([cut.code, cut.stderr]).toEqual([2, expect.stringContaining('cut.csv: the file is cut short')])
    expect((await drift(join(folder, 'none.csv'))).stderr).toContain('no such file')
    expect((await drift(join(folder, 'directory.json'), '--match', 'mail')).stderr).toContain(
      '--match must be',
    )
    store.misbehave = () => error(401, 'unknown token')
    const refused = await drift(join(folder, 'directory.json'))
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('unknown token')])
  })
})
