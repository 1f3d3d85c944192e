/**
 * Runs the commands of the documents: page by page, in their order, in a copy of the clone, against a server of its own. A block that
 * cannot run has a reason in blocks.ts.
 */
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import process from 'node:process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  ADMIN_TOKEN,
  buildModules,
  newToken,
  type Server,
  startServer,
  temporaryFolder,
} from '../deno/support/server.ts'
import { copyClone } from '../support/clone.ts'
import { type Block, blocks, ROOT, reasonNotToRun } from './blocks.ts'

const TIMEOUT_MS = 300_000
const DOCUMENTED_ORIGINS = /http:\/\/127\.0\.0\.1:8787|https:\/\/scim\.example\.com/g

/** What pages say about the output of their commands. Each text is in the page, and in the output. */
const OUTPUT: Readonly<Record<string, readonly string[]>> = {
  'docs/connect/entra.md': [
    '248 to process, 2 to skip. Nothing was sent.',
    'its limit is 200',
    'some groups were refused: see step 7',
    '38 users, 210 groups',
  ],
}
/** What a page's commands print further. */
const FURTHER_OUTPUT: Readonly<Record<string, readonly RegExp[]>> = {
  'docs/connect/entra.md': [
    /^users +37 .*\ngroups +200 .* 10\nmemberships +113 /m,
    /^groups +10 +0 +0 +0 +0 +0 +0\nmemberships +5 /m,
    /^users +0 +0 +1 /m,
    /Provisioned +38 users, 200 groups, 113 memberships\nIn escrow +10/,
  ],
  'docs/operate/sources.md': [/"kind":"nativeObjectId"/],
  'docs/emulator/index.md': [/^users +291 .*\ngroups +24 .*\nmemberships +847 /m],
}

const all = blocks()
const pages = [...new Set(all.filter((block) => reasonNotToRun(block) === undefined).map(({ page }) => page))]

let modules: string
/** A copy of the clone, in which the commands run. */
let clone: string

beforeAll(() => {
  modules = buildModules()
  clone = mkdtempSync(join(tmpdir(), 'scim-docs-'))
  copyClone(clone)
  cpSync(join(ROOT, 'test/fixtures/directory'), join(clone, 'test/fixtures/directory'), { recursive: true })
  writeFileSync(join(clone, '.dev.vars'), `ADMIN_TOKEN="${ADMIN_TOKEN}"\n`)
  writeFileSync(join(clone, '.curlrc'), 'fail\nsilent\nshow-error\n')
}, TIMEOUT_MS)
afterAll(() => rmSync(clone, { recursive: true, force: true }))

describe('the commands of', () => {
  it.for(pages)('%s do what the page says', { timeout: TIMEOUT_MS }, async (page) => {
    const server = await startServer(modules, { runtime: 'Node.js', folder: temporaryFolder() })
    const token = await newToken(server.port)
    rmSync(join(clone, 'trial'), { recursive: true, force: true })
    mkdirSync(join(clone, 'trial'))
    for (const file of ['token.txt', 'trial/token.txt']) writeFileSync(join(clone, file), `${token}\n`)
    let output = ''
    for (const block of all.filter((one) => one.page === page && reasonNotToRun(one) === undefined)) {
      const { code, text } = await run(block, server, token)
      expect(code, `${block.text}\n${text}`).toBe(0)
      output += text
    }
    const words = readFileSync(join(ROOT, page), 'utf8').replace(/\s+/g, ' ')
    for (const part of OUTPUT[page] ?? []) {
      expect(words).toContain(part)
      expect(output).toContain(part)
    }
    for (const pattern of FURTHER_OUTPUT[page] ?? []) expect(output).toMatch(pattern)
    server.child.kill('SIGTERM')
    await server.ended
  })
})

/** `npx scim-worker` runs the command line of the clone: test/release/package.test.ts runs that of the package. */
const PACKAGE = 'npx() { test "$1" = scim-worker && shift && node src/cli/bin.mjs "$@"; }'

function run(
  { text }: Block,
  { port }: Server,
  token: string,
): Promise<{ code: number | null; text: string }> {
  const script = text
    .replaceAll(DOCUMENTED_ORIGINS, `http://127.0.0.1:${port}`)
    .replaceAll(/<token(?: of the tenant)?>/g, token)
    .replaceAll('<ADMIN_TOKEN>', ADMIN_TOKEN)
  const env: Record<string, string | undefined> = {
    HOME: clone,
    ADMIN_TOKEN,
    PATH: [join(ROOT, 'node_modules/node/bin'), process.env.PATH].join(delimiter),
  }
  const child = spawn('bash', ['-euo', 'pipefail', '-c', `${PACKAGE}\n${script}`], {
    cwd: clone,
    // worker-configuration.d.ts declares the variables of the Worker for every process.
    env: env as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (printed += chunk))
  return new Promise((done, failed) => {
    child.on('error', failed)
    child.on('close', (code) => done({ code, text: printed }))
  })
}
