/** `npm run release -- --dry-run` in a copy of the repository, without a network: the whole release except its tag. */
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import metadata from '../../package.json' with { type: 'json' }
import { finished, ROOT, temporaryFolder } from './support/command.ts'

const VERSION = `v${metadata.version}`
const CAN_BUILD = process.platform === 'linux'
/** An address of another network, at which nobody listens: whatever needs the network fails. */
const OFFLINE = { npm_config_registry: 'http://127.0.0.1:9', npm_config_offline: 'true' }

let clone: string

const git = (...args: string[]) => execFileSync('git', args, { cwd: clone, encoding: 'utf8' })
const release = (...args: string[]) =>
  finished([process.execPath, 'src/local/release/release.mjs', ...args], { cwd: clone, env: OFFLINE })

beforeAll(() => {
  clone = join(temporaryFolder(), 'clone')
  mkdirSync(clone)
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  for (const name of listed.split('\0').filter(Boolean)) {
    mkdirSync(dirname(join(clone, name)), { recursive: true })
    cpSync(join(ROOT, name), join(clone, name), { force: true })
  }
  git('init', '--quiet')
  git('remote', 'add', 'origin', 'git@github.com:quillfern/scim-worker.git')
  // ".gitignore" names the folder; here it is a link.
  appendFileSync(join(clone, '.git', 'info', 'exclude'), 'node_modules\n')
  git('add', '--all')
  git('-c', 'user.name=Test', '-c', 'user.email=test@quillfern.example', 'commit', '--quiet', '-m', 'all')
  symlinkSync(join(ROOT, 'node_modules'), join(clone, 'node_modules'))
})

it('refuses a file that is not committed, and a tag of another version', async () => {
  writeFileSync(join(clone, 'left-over.txt'), '')
  const dirty = await release('--dry-run')
  expect(dirty.code).toBe(1)
  expect(dirty.text).toContain('error: not committed: ?? left-over.txt')
  git('clean', '--quiet', '--force')
  expect(await release('--dry-run', '--tag', 'v9.9.9')).toMatchObject({
    code: 1,
    text: expect.stringContaining('the tag has "9.9.9"'),
  })
})

it.for([
  ['its tag', ['--dry-run', '--tag', VERSION]],
  ['the creation of the tag', []],
] as const)('refuses %s while a link waits for the address of the repository', async ([, args]) => {
  const { code, text } = await release(...args)
  expect(code).toBe(1)
  expect(text).toMatch(/error: README\.md has the link \S+OWNER\/REPOSITORY; put the address/)
  expect(git('tag')).toBe('')
})

it('refuses a version whose tag exists, before anything is built, and an unknown architecture, in one line', async () => {
  git('tag', VERSION)
  const { code, text } = await release()
  git('tag', '--delete', VERSION)
  expect(code).toBe(1)
  expect(text).toMatch(/^error: the tag v\S+ exists already; raise the version, or use --dry-run$/m)
  expect(text).not.toContain('The package')
  const unknown = await release('--dry-run', '--arch', 'mips')
  expect(unknown.code).toBe(1)
  expect(unknown.text).toContain('error: --arch must be x64 or arm64, found "mips"')
  expect(unknown.text).not.toMatch(/^ +at /m)
})

it.for([
  [
    'a folder with files of somebody else',
    ['kept'],
    /^error: "\S+kept" exists and is not an empty folder; choose/,
  ],
  [
    'an option',
    ['--help'],
    /^error: npm run build:package -- \[DIR\]: expected one folder at most, found "--help"$/,
  ],
] as const)('builds no package in place of %s', async ([, args, expected]) => {
  const kept = join(clone, 'kept')
  mkdirSync(kept, { recursive: true })
  writeFileSync(join(kept, 'precious.txt'), '')
  const { code, text } = await finished([process.execPath, 'src/local/release/package.mjs', ...args], {
    cwd: clone,
    env: OFFLINE,
  })
  expect([code, readdirSync(kept)]).toEqual([1, ['precious.txt']])
  expect(text).toMatch(expected)
  rmSync(kept, { recursive: true })
})

it.skipIf(!CAN_BUILD)(
  'builds package, binary, checksums and notes without a network, and makes no tag (needs Linux)',
  { timeout: 300_000 },
  async () => {
    const { code, text } = await release('--dry-run')
    expect(text).toMatch(/^note {2}README\.md has the link /m)
    expect(text).toContain(`The files of version ${metadata.version} are in `)
    expect(text).not.toContain('FAIL')
    expect(code).toBe(0)
    const folder = join(clone, 'dist', 'release')
    const files = [
      'SHA256SUMS',
      `scim-worker-${metadata.version}.tgz`,
      `scim-worker-linux-${process.arch}`,
      'third-party-licenses.txt',
    ]
    expect(readdirSync(folder).sort()).toEqual(files)
    execFileSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: folder, stdio: 'pipe' })
    expect(readFileSync(join(clone, 'dist', 'release-notes.md'), 'utf8')).toMatch(/^### Added\n/)
    // The remote has an address, so the package names it.
    const packed = join(clone, 'dist', 'package')
    expect(JSON.parse(readFileSync(join(packed, 'package.json'), 'utf8'))).toMatchObject({
      homepage: 'https://github.com/quillfern/scim-worker',
      repository: { type: 'git', url: 'git+https://github.com/quillfern/scim-worker.git' },
    })
    expect(readFileSync(join(packed, 'CHANGELOG.md'), 'utf8')).toContain(
      `](https://github.com/quillfern/scim-worker/blob/${VERSION}/docs/operate/package.md)`,
    )
    expect(git('tag')).toBe('')
    expect(git('status', '--porcelain')).toBe('')
  },
)
