/** `npm run bench`: invalid options, and wrong responses, which are counted and fail the run. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SECTIONS } from '../bench/sections.ts'
import { serveStore, type TestServer } from '../entra/support/http-server.ts'
import { ScimStore } from '../entra/support/scim-store.ts'

const BENCH = join(import.meta.dirname, '../bench')
/** Processes start slowly while other tests run. */
const TIMEOUT_MS = 60_000

interface Ended {
  readonly code: number | null
  readonly text: string
}

function run(script: string, ...args: readonly string[]): Promise<Ended> {
  return runWith({}, script, ...args)
}

function runWith(env: Record<string, string>, script: string, ...args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [join(BENCH, script), ...args], { env: { ...process.env, ...env } })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk))
  return new Promise((done) => child.on('close', (code) => done({ code, text })))
}

describe('npm run bench', { timeout: TIMEOUT_MS }, () => {
  it.each([
    [['nothing'], 'There is no section "nothing"'],
    [['emulator', '--speed', '9'], 'Unknown option "--speed"'],
    [['scale', '--rounds', '9'], 'Unknown option "--rounds" of scale'],
  ])('rejects %j and shows the sections', async (args, message) => {
    const { code, text } = await run('main.ts', ...args)
    expect(code).toBe(2)
    expect(text).toContain(message)
    expect(text).toContain('npm run bench -- [section …]')
  })

  it.each(Object.entries(SECTIONS))(
    'describes section %s and its options',
    async (name, { script, options }) => {
      const answers = [await run('main.ts', name, '--help'), await run(script, '--help')]
      for (const { code, text } of answers) {
        expect(code).toBe(0)
        for (const option of Object.keys(options)) expect(text).toContain(`--${option} `)
      }
    },
  )

  it.each(Object.values(SECTIONS))('names a wrong option of $script', async ({ script }) => {
    const { code, text } = await run(script, '--speed')
    expect(code).toBe(2)
    expect(text).toContain("Unknown option '--speed'")
    expect(text).not.toContain('    at ')
  })
})

describe('its section throughput', { timeout: TIMEOUT_MS }, () => {
  it('measures the Worker in workerd against its floor, with correct responses only', async () => {
    const result = await measureShortly({}, 'workerd')
    expect(result).toMatchObject({ code: 0, wrong: 0, missing: [] })
    for (const row of result.rows) expect(row.ofFloor.median, row.operation).toBeGreaterThan(0)
  })

  it('names the server that did not start, and fails', async () => {
    const result = await measureShortly({ DENO: '/nonexistent/deno' }, 'Deno')
    expect(result).toMatchObject({ code: 1, missing: [{ peer: 'Deno' }] })
    expect(result.text).toMatch(/Deno did not start: spawn \/nonexistent\/deno ENOENT/)
  })

  it.each([
    [['--rounds', '0'], '--rounds must be a whole number from 1, got "0"'],
    [['--hosts', 'bun'], 'a host must be one of workerd, Deno, Node.js, wrangler dev, got "bun"'],
  ])('rejects %j', async (options, message) => {
    const { code, text } = await run('throughput.ts', ...options)
    expect(code).toBe(2)
    expect(text).toContain(message)
  })

  async function measureShortly(env: Record<string, string>, hosts: string) {
    const folder = mkdtempSync(join(tmpdir(), 'bench-test-'))
    const out = join(folder, 'result.json')
    try {
      const size = ['--rounds', '1', '--seconds', '0.03']
      const ended = await runWith(env, 'throughput.ts', '--hosts', hosts, ...size, '--out', out)
      return { ...ended, ...JSON.parse(readFileSync(out, 'utf8')) }
    } finally {
      rmSync(folder, { recursive: true })
    }
  }
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

  it('measures a correct server and reports no errors', async () => {
    const { code, result } = await measure()
    expect(code).toBe(0)
    expect(result).toMatchObject({ wrong: 0, second: { requests: 2 } })
    expect(result.first.processorMs).toBeGreaterThan(0)
  })

  it('fails when the server confirmed a change that it did not make', async () => {
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
