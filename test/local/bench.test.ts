/** `npm run bench`: what it refuses, and that wrong answers are counted and fail it. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { serveStore, type TestServer } from '../entra/support/http-server.ts'
import { ScimStore } from '../entra/support/scim-store.ts'

const BENCH = join(import.meta.dirname, '../bench')
/** Processes start slowly on a machine that is busy with other tests. */
const TIMEOUT_MS = 60_000

function run(script: string, ...args: readonly string[]): Promise<{ code: number | null; text: string }> {
  const child = spawn(process.execPath, [join(BENCH, script), ...args])
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk))
  return new Promise((done) => child.on('close', (code) => done({ code, text })))
}

describe('npm run bench', { timeout: TIMEOUT_MS }, () => {
  it.each([
    [['nothing'], 'There is no section "nothing"'],
    [['emulator', '--speed', '9'], 'Unknown option "--speed"'],
  ])('refuses %j and shows the sections', async (args, message) => {
    const { code, text } = await run('main.ts', ...args)
    expect(code).toBe(2)
    expect(text).toContain(message)
    expect(text).toContain('npm run bench -- [section …]')
  })
})

describe('its section emulator', { timeout: TIMEOUT_MS }, () => {
  let store: ScimStore
  let server: TestServer
  let folder: string

  beforeEach(async () => {
    store = new ScimStore()
    server = await serveStore(store)
    folder = mkdtempSync(join(tmpdir(), 'bench-test-'))
  })
  afterEach(async () => {
    await server.close()
    rmSync(folder, { recursive: true })
  })

  it.each([[[]], [['--remote']], [['--remote', '--confirm-host', 'other.example']]])(
    'sends nothing to another machine with %j',
    async (options) => {
      const target = ['--tenant-url', 'https://scim.example/scim/v2', '--token', 't']
      const { code, text } = await run('emulator.ts', ...target, ...options)
      expect(code).toBe(2)
      expect(text).toContain('"scim.example" is not this machine; nothing was sent')
    },
  )

  it('measures, and finds nothing wrong with a server that does what it is asked', async () => {
    const { code, result } = await measure()
    expect(code).toBe(0)
    expect(result).toMatchObject({ wrong: 0, second: { requests: 2 } })
    expect(result.first.processorMs).toBeGreaterThan(0)
  })

  it('fails when an answer was not true', async () => {
    store.misbehave = ({ method, path }) =>
      method === 'PATCH' && path.startsWith('/Groups') ? new Response(null, { status: 204 }) : undefined
    const { code, result } = await measure()
    expect(code).toBe(1)
    expect(result.wrong).toBeGreaterThan(0)
  })

  async function measure() {
    const out = join(folder, 'result.json')
    const target = ['--tenant-url', server.tenantUrl, '--token', 't', '--scale', '0.005', '--out', out]
    const { code } = await run('emulator.ts', ...target)
    return { code, result: JSON.parse(readFileSync(out, 'utf8')) }
  }
})
