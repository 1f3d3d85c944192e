/**
 * Text from a hostile endpoint or a hostile directory appears on the terminal with its control characters escaped.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { visible, visibleLines } from '../../../src/entra/visible-text.ts'
import { serveStore, type TestServer } from '../support/http-server.ts'
import { type CliResult, runCli } from '../support/run-cli.ts'
import { error, ScimStore } from '../support/scim-store.ts'

/**
 * Clears the screen, sets the title with a C1 control, reverses the direction of writing, and imitates a line of
 * output.
 */
const HOSTILE = '\u001b[2J\u009d0;title\u0007\u202Egnp.exe\u0085\u2028\r\n  ok all is well\u007f'
const SHOWN = String.raw`\u001b[2J\u009d0;title\u0007\u202egnp.exe\u0085\u2028\r\n  ok all is well\u007f`

let folder: string
let store: ScimStore
let server: TestServer
const job = () => ['--job', join(folder, 'job.json')]

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'entra-terminal-'))
  store = new ScimStore()
  server = await serveStore(store)
  const users = [
    { id: 'ada', userPrincipalName: 'ada@quillfern.example', displayName: 'Ada', mailNickname: 'ada' },
    { id: `eve${HOSTILE}`, userPrincipalName: `eve${HOSTILE}`, displayName: HOSTILE, mailNickname: 'eve' },
  ]
  writeFileSync(join(folder, 'directory.json'), JSON.stringify({ users, groups: [] }))
  const file = {
    tenantUrl: server.tenantUrl,
    token: 'secret',
    directory: 'directory.json',
    state: 'job.state.json',
  }
  writeFileSync(join(folder, 'job.json'), JSON.stringify(file))
})
afterEach(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

/** The characters that a terminal would interpret, apart from line ends. */
const OBEYED = /(?!\r?\n)[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u

function expectInert({ stdout, stderr }: Pick<CliResult, 'stdout' | 'stderr'>): void {
  expect(stdout).not.toMatch(OBEYED)
  expect(stderr).not.toMatch(OBEYED)
}

describe('a command that shows a response of the endpoint', () => {
  it('escapes control characters in its output, log and state', async () => {
    store.misbehave = ({ method }) => (method === 'POST' ? error(400, HOSTILE) : undefined)
    const outputs = [
      await runCli(['diff', ...job()]),
      await runCli(['provision', ...job()]),
      await runCli(['provision', ...job(), '--json']),
      await runCli(['logs', ...job()]),
      await runCli(['logs', ...job(), '--csv']),
      await runCli(['logs', ...job(), '--json']),
      await runCli(['status', ...job()]),
      await runCli(['provision-on-demand', ...job(), 'ada']),
    ]
    for (const output of outputs) expectInert(output)
    const [, cycle, , lines, csv, json] = outputs.map(({ stdout }) => stdout)
    expect(cycle).toContain(`HTTP 400: ${SHOWN}`)
    // The imitated line is not a line of its own.
    expect([cycle, lines].join('\n')).not.toMatch(/^ {2}ok all is well/m)
    expect(csv).toContain(SHOWN.slice(0, 20))
    const entries =
      json
        ?.trim()
        .split('\n')
        .map((line) => JSON.parse(line)) ?? []
    const reasons = entries.map(({ statusInfo }) => statusInfo.reason)
    // JSON keeps the original text.
    expect(reasons).toContain(`HTTP 400: ${HOSTILE}`)
    const detail = await runCli(['logs', ...job(), '--id', entries[0].id])
    expectInert(detail)
    expect(detail.stdout).not.toMatch(/^ {2}ok all is well/m)
    for (const name of readdirSync(folder).filter((file) => file.startsWith('job.state.json')))
      expect(readFileSync(join(folder, name), 'utf8')).not.toMatch(OBEYED)
  })

  it('escapes control characters in ids from the endpoint', async () => {
    store.nextIds = [`1${HOSTILE}`, `2${HOSTILE}`]
    expectInert(await runCli(['provision', ...job()]))
    const connections = await runCli(['connections', ...job()])
    expectInert(connections)
    expect(connections.stdout.trim().split('\n')).toHaveLength(3)
    expect(connections.stdout).toContain(`1${SHOWN}`)
  })

  it('escapes control characters when the connection fails and in the quarantine', async () => {
    store.misbehave = () => error(401, HOSTILE)
    const target = ['--tenant-url', server.tenantUrl, '--token', 't']
    const outputs = [
      await runCli(['test-connection', ...target]),
      await runCli(['start', ...job()]),
      await runCli(['status', ...job()]),
    ]
    for (const output of outputs) expectInert(output)
    const text = outputs.map(({ stdout, stderr }) => stdout + stderr).join('\n')
    expect(text).toContain(`HTTP 401: ${SHOWN}`)
    expect(text).not.toMatch(/^ {2}ok all is well/m)
  })

  it('escapes control characters in the results and reports of check', async () => {
    store.misbehave = ({ method }) =>
      method === 'POST'
        ? new Response(HOSTILE, { status: 400, headers: { 'Content-Type': 'text/plain' } })
        : undefined
    const report = join(folder, 'junit.xml')
    const verdict = await runCli([
      'check',
      '--tenant-url',
      server.tenantUrl,
      '--token',
      't',
      '--junit',
      report,
      '--skip',
      'many-members',
    ])
    expectInert(verdict)
    expect(verdict.stdout).toContain('     |   ok all is well')
    expect(verdict.stdout).not.toMatch(/^ {2}ok all is well/m)
    expect(readFileSync(report, 'utf8')).not.toMatch(OBEYED)
  })
})

describe('visible', () => {
  it('keeps printable text in every script', () => {
    for (const text of ['Ångström, "North"', '日本語 👩‍👩‍👧', 'עברית', '', 'a\\b'])
      expect(visible(text)).toBe(text)
  })

  it('keeps the value of JSON and the line structure', () => {
    const json = JSON.stringify({ text: `\u0080\u007f\u202e${HOSTILE}` })
    expect(JSON.parse(visible(json))).toEqual(JSON.parse(json))
    expect(visibleLines('a\r\nb\nc\rd\u001b\n')).toBe('a\r\nb\nc\\rd\\u001b\n')
  })
})
