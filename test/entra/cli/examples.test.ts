/**
 * The examples of the command line in the documentation, in the help and in the messages of `npm start`: their options exist, no token is
 * on a command line, and none works on a file under version control.
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { serveStore, type TestServer } from '../support/http-server.ts'
import { runCli } from '../support/run-cli.ts'
import { ScimStore } from '../support/scim-store.ts'

const ROOT = resolve(import.meta.dirname, '../../..')
const QUILLFERN = 'test/fixtures/directory/quillfern.json'

const files = execFileSync(
  'git',
  ['ls-files', '--cached', '*.md', 'src/local/*.mjs', 'src/consumer/cli.ts'],
  {
    cwd: ROOT,
    encoding: 'utf8',
  },
)
  .trim()
  .split('\n')

interface Example {
  readonly where: string
  readonly line: string
}

/** The lines that start a command of ours; a line that ends in a backslash continues. */
function examplesIn(where: string, text: string): Example[] {
  const lines = text.replace(/ *\\+\n\s*/g, ' ').split('\n')
  return lines
    .filter((line) => /npm run (?:entra|follow|bench)\b|npx scim-worker\b/.test(line))
    .map((line) => ({ where, line }))
}

async function helpTexts(): Promise<Example[]> {
  const { stdout } = await runCli(['--help'])
  const commands = [...stdout.matchAll(/^ {2}([a-z-]+) {2}/gm)].map(([, name = '']) => name)
  const texts = await Promise.all(commands.map((name) => runCli([name, '--help'])))
  return texts.flatMap(({ stdout: text }, index) => examplesIn(`${commands[index]} --help`, text))
}

const documented = files.flatMap((file) => examplesIn(file, readFileSync(join(ROOT, file), 'utf8')))
const examples = [...documented, ...(await helpTexts())]

describe('the examples', () => {
  it('are found', () => {
    const places = new Set(examples.map(({ where }) => where))
    expect([...places]).toEqual(
      expect.arrayContaining([
        'README.md',
        'src/entra/README.md',
        'docs/connect/oauth.md',
        'src/local/start.mjs',
        'src/consumer/cli.ts',
        'check --help',
      ]),
    )
  })

  it.for(examples)('have no token on the command line: $where: $line', ({ line }) => {
    expect(line).not.toMatch(/--token[ =]|SCIM_TOKEN=|ENTRA_SECRET_TOKEN=|--client-secret[ =]/)
  })

  it.for(examples)('name no file under version control: $where: $line', ({ line }) => {
    expect(line).not.toContain('test/fixtures')
  })

  const ofEntra = documented.filter(({ line }) => /npm run entra -- [a-z-]+ .*--/.test(line))
  it.for(ofEntra)('have options that exist: $where: $line', async ({ line }) => {
    const [, command = '', rest = ''] = /npm run entra -- ([a-z-]+)( .*)/.exec(line) ?? []
    const { stdout } = await runCli([command, '--help'])
    for (const [, option] of rest.matchAll(/(?<=\s)(--(?!help)[a-z-]+)/g))
      expect(stdout).toContain(`  ${option}`)
  })
})

describe('the help', () => {
  it('names the file with the token before the token, for every command that has a target', async () => {
    const { stdout } = await runCli(['--help'])
    for (const [, name = ''] of stdout.matchAll(/^ {2}([a-z-]+) {2}/gm)) {
      const { stdout: help } = await runCli([name, '--help'])
      // The recorded client has the token.
      if (!help.includes('--tenant-url') || name === 'record') continue
      expect(help.indexOf('--token-file FILE'), name).toBeGreaterThan(0)
      expect(help.indexOf('--token-file FILE'), name).toBeLessThan(help.indexOf('--token T'))
    }
  })
})

const TRIAL = 'docs/emulator/index.md'

describe('the example with the sample directory', () => {
  let folder: string
  let server: TestServer
  const store = new ScimStore()

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'entra-example-'))
    server = await serveStore(store)
  })
  afterEach(async () => {
    await server.close()
    rmSync(folder, { recursive: true })
  })

  it('provisions the copy and leaves the sample directory as it is', async () => {
    const example = documented.find(({ where, line }) => where === TRIAL && /--token-file trial/.test(line))
    expect(readFileSync(join(ROOT, TRIAL), 'utf8')).toContain(`cp ${QUILLFERN} trial/people.json`)
    copyFileSync(join(ROOT, QUILLFERN), join(folder, 'people.json'))
    writeFileSync(join(folder, 'token.txt'), 'a-token\n')
    const before = readdirSync(join(ROOT, 'test/fixtures/directory'))
    const args = example?.line
      .replace(/^.*npm run entra -- /, '')
      .replaceAll('trial/', `${folder}/`)
      .replace(/http:\S+/, server.tenantUrl)
    const { code, stdout } = await runCli(args?.split(' ') ?? [])
    expect([code, stdout]).toEqual([0, expect.stringContaining('Cycle 1 (initial) finished')])
    expect(store.received[0]?.headers.get('authorization')).toBe('Bearer a-token')
    expect(readdirSync(join(ROOT, 'test/fixtures/directory'))).toEqual(before)
    expect(readdirSync(folder).some((name) => name.endsWith('.state.json'))).toBe(true)
  })
})
