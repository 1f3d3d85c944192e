/** `check --report` with both suites: every format is written, and no token or secret is in any. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { galleryServer } from '../support/gallery-server.ts'
import { serveStore, type TestServer } from '../support/http-server.ts'
import { type CliResult, runCli } from '../support/run-cli.ts'
import { CLIENT_ID, CLIENT_SECRET } from '../support/token-endpoint.ts'

const FORMATS = ['junit', 'html', 'json', 'har', 'md'] as const

let folder: string
let server: TestServer

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'entra-reports-'))
  // An endpoint that repeats the credentials of each request, as some do while they are debugged.
  server = await serveStore(
    await galleryServer({
      edit: (body, { line, body: sent }) => {
        if (line === 'POST token') body.received = sent
        if (line.startsWith('POST /Users')) body.displayName = 'access-token-1'
      },
    }),
  )
  writeFileSync(join(folder, 'secret.txt'), CLIENT_SECRET)
})

afterEach(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

function check(...options: string[]): Promise<CliResult> {
  const client = ['--token-endpoint', `${server.origin}/oauth/token`, '--client-id', CLIENT_ID]
  const secret = ['--auth', 'client-credentials', '--client-secret-file', join(folder, 'secret.txt')]
  return runCli(['check', '--tenant-url', server.tenantUrl, ...client, ...secret, ...options])
}

const fileOf = (format: string) => join(folder, `report.${format}`)

describe('check --report', () => {
  it.for([
    ['entra', /Check of a SCIM endpoint/],
    ['gallery', /Microsoft’s validation for the app gallery/],
  ] as const)('writes every format for the suite %s, without secrets', async ([suite, title]) => {
    const list = FORMATS.map((format) => `${format}=${fileOf(format)}`).join(',')
    await check('--suite', suite, '--report', list)
    const texts = FORMATS.map((format) => readFileSync(fileOf(format), 'utf8'))
    for (const text of texts) expect(text).not.toMatch(/staple|access-token-\d/)
    const [junit = '', html = '', json = '', har = '', md = ''] = texts
    expect(junit).toMatch(/^<\?xml .*\n<testsuites name="http:\/\/127\.0\.0\.1:\d+\/scim\/v2" tests="\d+"/)
    expect(html).toMatch(title)
    expect(md).toMatch(title)
    const { parts, verdict } = JSON.parse(json)
    expect(verdict.text).toMatch(/^(Verdict: |Succeeded|Failed)/)
    const { entries } = JSON.parse(har).log
    const exchanges = parts.flatMap(({ steps }: { steps: { exchanges: object[] }[] }) =>
      steps.flatMap((step) => step.exchanges),
    )
    expect(entries).toHaveLength(exchanges.length)
    expect(exchanges[0].startedAt).toBeGreaterThan(Date.now() - 60_000)
  })

  it('refuses a selection of checks for the suite gallery', async () => {
    for (const option of ['--preset=cisco', '--only=users', '--skip=rename']) {
      const { code, stderr } = await check('--suite', 'gallery', option)
      expect([code, stderr]).toEqual([2, expect.stringContaining('cannot be used with --suite gallery')])
    }
  })

  it('refuses an unknown format and a missing file before anything is sent', async () => {
    for (const entry of ['pdf=a.pdf', 'html', 'html=']) {
      const { code, stderr } = await check('--report', `md=${fileOf('md')},${entry}`)
      expect([code, stderr]).toEqual([
        2,
        `--report must be a list of junit=FILE, html=FILE, json=FILE, har=FILE, md=FILE, got "${entry}"\n`,
      ])
    }
  })

  it('refuses a folder that is not there before anything is sent', async () => {
    for (const option of ['--report=json=/not/there.json', '--junit=/not/there.json']) {
      const { code, stdout, stderr } = await check(option)
      const message = 'Cannot write "/not/there.json": no such file or folder\n'
      expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: message })
    }
  })
})
