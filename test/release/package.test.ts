/**
 * The package as a user gets it: packed, and installed offline in an empty folder with the machine's Node.js, of which only
 * version 20 is required. Serving needs the newer one of the project.
 */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { beforeAll, describe, expect, it } from 'vitest'
import metadata from '../../package.json' with { type: 'json' }
import { announced, finished, freePort, newToken, ROOT, start, temporaryFolder } from './support/command.ts'

const MAX_TARBALL_BYTES = 3_000_000
const MAX_INSTALLED_BYTES = 15_000_000
/** A user without rights of its own. */
const NOBODY = 65_534

/** Where the package is installed. */
let folder: string
let tarball: string
let command: string

beforeAll(async () => {
  folder = temporaryFolder()
  const built = join(folder, 'built')
  execFileSync(process.execPath, [join(ROOT, 'src/local/release/package.mjs'), built], { stdio: 'pipe' })
  const npm = (...args: string[]) => finished(['npm', ...args], { cwd: folder })
  const { text } = await npm('pack', '--silent', built)
  tarball = join(folder, text)
  writeFileSync(join(folder, 'package.json'), '{}')
  expect(await npm('install', '--offline', '--no-audit', '--no-fund', tarball)).toMatchObject({ code: 0 })
  command = join(folder, 'node_modules', '.bin', 'scim-worker')
  // Its owner alone can read a temporary folder.
  chmodSync(folder, 0o755)
}, 120_000)

/** Runs a command line on the machine's own Node.js. */
const onMachine = (...args: string[]) => finished(['npx', 'scim-worker', ...args], { cwd: folder })
/** A command line on the Node.js of the project. */
const served = (...args: string[]) => [process.execPath, command, ...args]

describe('the tarball', () => {
  it('is small, and needs no other package', () => {
    expect(statSync(tarball).size).toBeLessThan(MAX_TARBALL_BYTES)
    const packages = readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.'))
    expect(packages).toEqual(['scim-worker'])
    expect(bytesBelow(join(folder, 'node_modules'))).toBeLessThan(MAX_INSTALLED_BYTES)
  })

  it.for(['README.md', 'CHANGELOG.md'])('has no link in %s that leads nowhere', (name) => {
    const text = readFileSync(join(folder, 'node_modules/scim-worker', name), 'utf8')
    const targets = [...text.matchAll(/\]\(\s*([^)\s]+)\s*\)/g)].map(([, target = '']) => target)
    const relative = targets.filter((target) => !/^https:/.test(target))
    expect(
      relative.filter((target) => !existsSync(join(folder, 'node_modules/scim-worker', target))),
    ).toEqual([])
    expect(text).not.toContain('OWNER/REPOSITORY')
  })

  it('contains built files only, and the licence of every bundled package', () => {
    const files = filesBelow(join(folder, 'node_modules', 'scim-worker'))
    expect(
      files.filter((file) => !/\.(?:mjs|d\.ts|md|txt)$|\/(?:LICENSE|package\.json)$/.test(file)),
    ).toEqual([])
    const licenses = readFileSync(join(folder, 'node_modules/scim-worker/third-party-licenses.txt'), 'utf8')
    for (const name of ['hono', 'drizzle-orm', 'jose', 'valibot', 'yaml', 'nodemailer']) {
      expect(licenses).toMatch(new RegExp(`^${name} \\d`, 'm'))
    }
  })
})

describe('scim-worker', () => {
  it('names its version and its commands', async () => {
    expect(await onMachine('--version')).toEqual({ code: 0, text: metadata.version })
    const { text } = await onMachine('--help')
    for (const name of ['serve', 'healthcheck', 'backup', 'follow', 'check', 'provision', 'issuer']) {
      expect(text).toMatch(new RegExp(`^ {2}${name}\\b`, 'm'))
    }
    expect(await finished(['npx', 'scim-worker'], { cwd: folder })).toMatchObject({ code: 2, text })
  })

  it.for(['serve', 'healthcheck', 'backup', 'follow', 'check', 'provision'])(
    'explains "%s", as it is called here',
    async (name) => {
      const { code, text } = await finished(served(name, '--help'), { cwd: folder })
      expect(code).toBe(0)
      expect(text).toMatch(new RegExp(`^npx scim-worker ${name} `, 'm'))
      expect(text).not.toContain('npm run')
    },
  )

  it('explains "check" on Node.js 20', async () => {
    expect((await onMachine('check', '--help')).text).toMatch(
      /^npx scim-worker check \[options\] \[TENANT-URL\]$/m,
    )
  })

  it('reports failed tests of the gallery on Node.js 20', async () => {
    const endpoint = ['http://127.0.0.1:9/scim', '--token', 't']
    const { code, text } = await onMachine('check', '--suite', 'gallery', ...endpoint)
    expect(code).toBe(3)
    expect(text).toContain('Overall result: Failed')
    expect(text).not.toMatch(/^ +at /m)
  })

  it.for([
    [
      'an unknown command',
      ['chek'],
      'error: unknown command "chek"; npx scim-worker --help lists the commands. Did you mean "check"?',
    ],
    ['an unknown option', ['serve', '--prot', '1'], /^error: Unknown option '--prot'/],
    ['an unknown option of "follow"', ['follow', '--al'], /\nsee: npx scim-worker follow --help$/],
    ['two files', ['backup', 'a', 'b'], /^error: there must be one FILE, found 2\n/],
  ] as const)('refuses %s', async ([, args, expected]) => {
    const { code, text } = await finished(served(...args), { cwd: folder })
    expect(code).toBe(2)
    expect(text).toMatch(expected)
  })

  it.for([
    ['12.22.0', ['--version'], /^error: scim-worker needs Node\.js 20 or newer, found 12\.22\.0; [^\n]*$/],
    ['22.22.0', ['serve'], /^error: "serve" needs Node\.js 24\.15 or newer, found 22\.22\.0; [^\n]*$/],
    [
      '22.22.0',
      ['healthcheck'],
      /^error: "healthcheck" needs Node\.js 24\.15 or newer, found 22\.22\.0; [^\n]*$/,
    ],
    ['22.22.0', ['backup', 'x'], /^error: "backup" needs Node\.js 24\.15 or newer, found 22\.22\.0; [^\n]*$/],
  ] as const)('on Node.js %s, %s is refused in one line', async ([version, args, expected]) => {
    const pretend = `Object.defineProperty(process,'versions',{value:{...process.versions,node:'${version}'}})`
    const line = [process.execPath, '--import', `data:text/javascript,${pretend}`, command, ...args]
    const { code, text } = await finished(line, { cwd: folder })
    expect(code).toBe(1)
    expect(text).toMatch(expected)
    // npx would download a package of this name from the registry, where it may belong to somebody else.
    expect(text).not.toContain('--package=scim-worker')
  })
})

describe('scim-worker serve', () => {
  it.for([
    ['a link to itself', 'loop', /^error: "loop" cannot be used \(ELOOP: [^\n]*\)$/],
    ['a name that is too long', 'a'.repeat(300), /^error: "a{300}" cannot be used \(ENAMETOOLONG: [^\n]*\)$/],
    [
      'a link that leads nowhere',
      'dangling',
      /^error: the folder "dangling" cannot be created \(ENOENT: [^\n]*\); [^\n]*$/,
    ],
  ] as const)('refuses %s as the folder, in one line', async ([, name, expected]) => {
    const cwd = temporaryFolder()
    symlinkSync('loop', join(cwd, 'loop'))
    symlinkSync('nowhere', join(cwd, 'dangling'))
    const { code, text } = await finished(served('serve', '--port', '0', '--data', name), { cwd })
    expect(code).toBe(1)
    expect(text).toMatch(expected)
    expect(readdirSync(cwd).sort()).toEqual(['dangling', 'loop'])
  })

  it('makes an empty folder a directory, prints the next step, and passes "check"', {
    timeout: 120_000,
  }, async () => {
    const cwd = temporaryFolder()
    const port = await freePort()
    const server = start(served('serve', '--port', String(port)), { cwd })
    await announced(server)
    const base = `http://127.0.0.1:${port}`
    for (const line of [
      `  Tenant URL   ${base}/scim/v2`,
      `  Dashboard    ${base}/admin`,
      '  Admin token  ADMIN_TOKEN in data/settings.env',
      `npx scim-worker check --tenant-url ${base}/scim/v2`,
    ]) {
      expect(server.output()).toContain(line)
    }
    expect(readdirSync(cwd)).toEqual(['data'])
    const mode = (...names: string[]) => statSync(join(cwd, 'data', ...names)).mode & 0o777
    expect([mode(), mode('settings.env'), mode('directory.sqlite')]).toEqual([0o700, 0o600, 0o600])
    const token = await newToken(port, readFileSync(join(cwd, 'data', 'settings.env'), 'utf8'))
    const checked = await finished(['npx', 'scim-worker', 'check', '--tenant-url', `${base}/scim/v2`], {
      cwd: folder,
      env: { ENTRA_SECRET_TOKEN: token },
    })
    expect(checked.text).toContain('Verdict: success')
    expect(checked.code).toBe(0)
    const healthcheck = () => finished(served('healthcheck', '--port', String(port)), { cwd })
    expect(await healthcheck()).toEqual({ code: 0, text: '' })
    expect(await finished(served('backup', 'copy.sqlite'), { cwd })).toMatchObject({ code: 0 })
    server.child.kill('SIGTERM')
    expect(await server.ended).toBe(0)
    expect(await healthcheck()).toMatchObject({
      code: 1,
      text: expect.stringMatching(/^error: the server is not healthy: .*ECONNREFUSED.*$/),
    })
  })

  it('serves the folder and the address of its options, with the token that is there', async () => {
    const cwd = temporaryFolder()
    const port = await freePort()
    const args = ['serve', '--port', String(port), '--host', 'localhost', '--data', 'a/b']
    for (const start_ of ['first', 'second']) {
      const server = start(served(...args), { cwd, env: { PORT: '1', DATA_FOLDER: 'elsewhere' } })
      await announced(server)
      expect(server.output(), start_).toContain('ADMIN_TOKEN in a/b/settings.env')
      server.child.kill('SIGINT')
      expect(await server.ended).toBe(0)
    }
    expect(readdirSync(cwd)).toEqual(['a'])
  })
})

describe('scim-worker serve refuses in one line', () => {
  async function refusal(cwd: string, options: object = {}, args: readonly string[] = []) {
    const { code, text } = await finished(served('serve', '--port', '0', ...args), { cwd, ...options })
    expect(code).toBe(1)
    return text
  }

  async function servedOnce(): Promise<string> {
    const cwd = temporaryFolder()
    const server = start(served('serve', '--port', '0'), { cwd })
    await announced(server)
    server.child.kill('SIGTERM')
    await server.ended
    return cwd
  }

  it('a data folder of a newer version', async () => {
    const cwd = await servedOnce()
    const database = new DatabaseSync(join(cwd, 'data', 'directory.sqlite'))
    database.exec("INSERT INTO d1_migrations (name) VALUES ('9999_future.sql')")
    database.close()
    expect(await refusal(cwd)).toMatch(
      /^error: the database is newer than this program, which does not know its migration "9999_future\.sql"; start the newer program, or restore a backup [^\n]*$/,
    )
  })

  it('a port that is taken', async () => {
    const cwd = await servedOnce()
    const taken = createServer()
    await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done))
    const address = taken.address()
    const port = typeof address === 'object' && address !== null ? String(address.port) : ''
    expect(await refusal(cwd, {}, ['--port', port])).toBe(
      `error: port ${port} of 127.0.0.1 is taken by another process; end that one, or choose another port`,
    )
    await new Promise((done) => taken.close(done))
  })

  it('a full disk, and leaves nothing half done', async () => {
    const cwd = temporaryFolder()
    // A limit on the size of files, in KiB, stands in for a full disk.
    const limited = ['bash', '-c', 'ulimit -f 64; exec "$0" "$@"', ...served('serve', '--port', '0')]
    const { code, text } = await finished(limited, { cwd })
    expect(code).toBe(1)
    expect(text).toMatch(
      /^error: migration "[^"]+" could not be applied, and nothing was changed: "data\/directory\.sqlite" [^\n]*; [^\n]*$/,
    )
    const again = start(served('serve', '--port', '0'), { cwd })
    await announced(again)
    again.child.kill('SIGTERM')
    expect(await again.ended).toBe(0)
  })

  it('a file where the folder should be', async () => {
    const cwd = temporaryFolder()
    writeFileSync(join(cwd, 'data'), '')
    expect(await refusal(cwd)).toBe('error: "data" is not a folder')
  })

  it('a folder that it may not write, or may not create', { skip: process.getuid?.() !== 0 }, async () => {
    const cwd = temporaryFolder()
    const user = { uid: NOBODY, gid: NOBODY }
    chmodSync(cwd, 0o755)
    expect(await refusal(cwd, user)).toMatch(
      /^error: "data" cannot be read or written by this user; change its owner or mode, [^\n]*$/,
    )
    mkdirSync(join(cwd, 'data'), { mode: 0o755 })
    expect(await refusal(cwd, user)).toMatch(
      /^error: "data\/[^"]+" cannot be [^\n]* by this user; change its owner or mode, [^\n]*$/,
    )
  })

  it('a database that it may not write, and serves it when its mode is mended', {
    skip: process.getuid?.() !== 0,
  }, async () => {
    const cwd = temporaryFolder()
    const data = join(cwd, 'data')
    const user = { uid: NOBODY, gid: NOBODY }
    mkdirSync(data)
    chownSync(data, NOBODY, NOBODY)
    chmodSync(cwd, 0o755)
    const serveOnce = async () => {
      const server = start(served('serve', '--port', '0'), { cwd, ...user })
      await announced(server)
      server.child.kill('SIGTERM')
      expect(await server.ended).toBe(0)
      return readdirSync(data)
    }
    const files = await serveOnce()
    chmodSync(join(data, 'directory.sqlite'), 0o400)
    expect(await refusal(cwd, user)).toMatch(
      /^error: "data\/directory\.sqlite" cannot be read or written by this user; [^\n]*$/,
    )
    expect(readdirSync(data)).toEqual(files)
    chmodSync(join(data, 'directory.sqlite'), 0o600)
    expect(await serveOnce()).toEqual(files)
  })
})

describe('a program', () => {
  it('embeds a directory, and follows it', async () => {
    const cwd = join(folder, 'embedding')
    mkdirSync(join(cwd, 'data'), { recursive: true })
    writeFileSync(join(cwd, 'program.mjs'), PROGRAM)
    expect(await finished([process.execPath, 'program.mjs'], { cwd })).toEqual({
      code: 0,
      text: '1 user: ada',
    })
  })

  it('finds the types of what it imports', { timeout: 60_000 }, async () => {
    const cwd = join(folder, 'types')
    mkdirSync(join(cwd, 'node_modules', '@cloudflare'), { recursive: true })
    for (const name of ['hono', 'drizzle-orm', '@cloudflare/workers-types', '@types']) {
      symlinkSync(join(ROOT, 'node_modules', name), join(cwd, 'node_modules', name))
    }
    writeFileSync(join(cwd, 'right.mts'), TYPED)
    writeFileSync(join(cwd, 'wrong.mts'), "import { openDirectory } from 'scim-worker'\nopenDirectory({})\n")
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2024', '--module', 'nodenext']
    const compiler = [process.execPath, join(ROOT, 'node_modules/typescript/bin/tsc'), ...options]
    expect(await finished([...compiler, 'right.mts'], { cwd })).toEqual({ code: 0, text: '' })
    const { text } = await finished([...compiler, 'wrong.mts'], { cwd })
    expect(text).toMatch(/^wrong\.mts\(2,15\): error TS\d+: .*Property 'folder' is missing/)
  })
})

const PROGRAM = `
import { openDirectory } from 'scim-worker'
import { DirectoryCopy, followDirectory } from 'scim-worker/consumer'
const directory = openDirectory({ folder: 'data', settings: { ADMIN_TOKEN: 'a-token-of-the-program', REQUEST_LOG: '0' } })
const send = (path, token, body) => directory.fetch(new Request('http://scim.test' + path, {
  method: 'POST', headers: { Authorization: 'Bearer ' + token, 'Content-Type': 'application/json' }, body: JSON.stringify(body),
}), '127.0.0.1')
const { token } = await (await send('/admin/api/tenants/default/tokens', 'a-token-of-the-program', { name: 'Test' })).json()
await send('/scim/v2/Users', token, { userName: 'ada' })
const copy = new DirectoryCopy()
const fetch = (url, init) => directory.fetch(new Request(url, init), '127.0.0.1')
for await (const _ of followDirectory(copy, { tenantUrl: 'http://scim.test/scim/v2', token, once: true, fetch })) {}
console.log(copy.users.size + ' user: ' + [...copy.users.values()][0].attributes.userName)
await directory.stop()
`

const TYPED = `
import { createApp, openDirectory, type Directory, type Runtime } from 'scim-worker'
import { DirectoryCopy, followDirectory } from 'scim-worker/consumer'
declare const runtime: Runtime
export const directory: Directory = openDirectory({ folder: 'data' })
export const answer: Response = await createApp().fetch(new Request('http://scim.test'), runtime)
export const now: number = runtime.now()
const options = { tenantUrl: 'http://scim.test/scim/v2', token: 'a token' }
for await (const change of followDirectory(new DirectoryCopy(), options)) {
  if (change.kind === 'event') change.event.type satisfies string
}
`

function filesBelow(path: string): readonly string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

function bytesBelow(path: string): number {
  return filesBelow(path).reduce((sum, file) => sum + statSync(file).size, 0)
}
