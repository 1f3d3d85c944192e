/**
 * Commands that authenticate with OAuth 2.0, over HTTP on 127.0.0.1: where the credentials come from, what each command
 * sends, and that secrets do not appear in output and files.
 */
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FAULTS } from '../../../src/entra/issuer/faults.ts'
import { DEFAULT_IDENTITY } from '../../../src/entra/issuer/identity.ts'
import { serveStore, type TestServer } from '../support/http-server.ts'
import { type CliResult, runCli, startCli } from '../support/run-cli.ts'
import { error } from '../support/scim-store.ts'
import { CLIENT_ID, CLIENT_SECRET, OAuthStore, oauthError } from '../support/token-endpoint.ts'

let folder: string
let target: OAuthStore
let server: TestServer

const PEOPLE = ['ada', 'ben', 'cleo'].map((id) => ({
  id,
  userPrincipalName: `${id}@quillfern.example`,
  displayName: id,
  mailNickname: id,
}))

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'entra-auth-'))
  target = new OAuthStore()
  server = await serveStore(target)
  write('directory.json', JSON.stringify({ users: PEOPLE, groups: [] }))
  write('secret.txt', `${CLIENT_SECRET}\n`)
})

afterEach(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

const path = (name: string) => join(folder, name)
const write = (name: string, text: string) => writeFileSync(path(name), text)

const tenant = () => ['--tenant-url', server.tenantUrl]
const client = () => ['--token-endpoint', `${server.origin}/oauth/token`, '--client-id', CLIENT_ID]
const directory = () => ['--directory', path('directory.json')]
const withSecret = () => [
  ...tenant(),
  ...['--auth', 'client-credentials', ...client(), '--client-secret-file', path('secret.txt')],
]

/** All that a command printed or wrote. */
function everything({ stdout, stderr }: CliResult): string {
  const files = readdirSync(folder).filter((name) => name !== 'secret.txt' && !name.startsWith('keys'))
  return [stdout, stderr, ...files.map((name) => readFileSync(path(name), 'utf8'))].join('\n')
}

describe('--auth client-credentials', () => {
  it('provisions with the secret of a file, in the body', async () => {
    const result = await runCli(['provision', ...directory(), ...withSecret()])
    expect([result.code, result.stderr]).toEqual([0, ''])
    expect(target.store.users.size).toBe(3)
    expect(target.requests).toHaveLength(1)
    expect(target.requests[0]).toMatchObject({ authorization: null, form: { client_secret: CLIENT_SECRET } })
    expect(everything(result)).not.toMatch(/staple|access-token-/)
  })

  it('provisions with the secret of the environment, in the Authorization header', async () => {
    const args = ['provision', ...directory(), ...tenant(), '--auth', 'client-credentials', ...client()]
    const env = { ENTRA_CLIENT_SECRET: CLIENT_SECRET }
    const { code, stderr } = await startCli([...args, '--client-auth', 'basic'], env).result
    expect([code, stderr]).toEqual([0, ''])
    expect(target.requests[0]).toMatchObject({
      authorization: expect.stringMatching(/^Basic /),
      form: { grant_type: 'client_credentials' },
    })
    expect(target.store.users.size).toBe(3)
  })

  it('takes everything from a job file', async () => {
    const authentication = {
      ...{ method: 'client-credentials', tokenEndpoint: `${server.origin}/oauth/token`, clientId: CLIENT_ID },
      ...{ clientSecretFile: 'secret.txt', clientAuthentication: 'basic', scope: 'scim' },
    }
    const job = { tenantUrl: server.tenantUrl, directory: 'directory.json', authentication }
    write('job.json', JSON.stringify(job))
    expect((await runCli(['start', '--job', path('job.json')])).code).toBe(0)
    expect(target.requests[0]?.form).toEqual({ grant_type: 'client_credentials', scope: 'scim' })
    const overridden = ['--client-auth', 'body', '--oauth-scope', 'scim:read']
    await runCli(['start', '--job', path('job.json'), ...overridden])
    expect(target.requests[1]?.form).toMatchObject({ client_secret: CLIENT_SECRET, scope: 'scim:read' })
  })

  it('goes into quarantine with a wrong secret and shows it nowhere', async () => {
    write('secret.txt', 'not the right secret')
    target.respond = ({ form }) => oauthError(401, 'invalid_client', `"${form.client_secret}" is unknown`)
    const result = await runCli(['provision', ...directory(), ...withSecret(), '--json'])
    expect(result.code).toBe(1)
    expect(result.stderr).toContain(
      `in quarantine (EncounteredQuarantineException): SystemForCrossDomainIdentityManagementCredentialValidationFailure: Token endpoint ${server.origin}/oauth/token: HTTP 401 invalid_client: "***" is unknown`,
    )
    expect(target.store.received).toEqual([])
    expect(everything(result)).not.toContain('not the right secret')
  })

  it('tests the connection and provisions on demand', async () => {
    const tested = await runCli(['test-connection', ...withSecret()])
    expect([tested.code, tested.stdout]).toEqual([0, expect.stringContaining('authorized to enable')])
    expect((await runCli(['provision-on-demand', ...directory(), ...withSecret(), 'ada'])).code).toBe(0)
    expect(target.store.users.size).toBe(1)
    target.secret = 'rotated'
    const refused = await runCli(['test-connection', ...withSecret()])
    expect([refused.code, refused.stdout]).toEqual([1, expect.stringContaining('HTTP 401 invalid_client')])
  })

  it('keeps the state of a job when it replaces a Secret Token of the same tenant', async () => {
    const token = `scim_acme_${'a'.repeat(43)}`
    target.valid.add(token)
    await runCli(['provision', ...directory(), ...tenant(), '--token', token])
    target.store.received.length = 0
    target.respond = () => Response.json({ access_token: token })
    const args = ['provision', ...directory(), ...withSecret(), '--client-id', 'acme_Zk81hTw2QmX0vLr5_c-9Bd']
    expect((await runCli(args)).code).toBe(0)
    expect(target.store.received).toHaveLength(2)
    expect(readdirSync(folder).filter((name) => name.endsWith('.state.json'))).toHaveLength(1)
  })

  it.each<[string, () => string[], string]>([
    ['an unknown method', () => ['--auth', 'oauth'], '--auth must be "bearer" or "client-credentials" or'],
    ['no token endpoint', () => ['--auth', 'client-credentials'], '--token-endpoint is missing'],
    [
      'no client identifier',
      () => ['--auth', 'client-credentials', '--token-endpoint', 'https://a.example'],
      '--client-id is missing',
    ],
    [
      'no secret',
      () => ['--auth', 'client-credentials', ...client()],
      '--client-secret-file is missing: a file with the client secret (or the environment variable ENTRA_CLIENT_SECRET)',
    ],
    [
      'a secret on the command line',
      () => ['--auth', 'client-credentials', ...client(), '--client-secret', 'x'],
      "Unknown option '--client-secret'",
    ],
    [
      'a missing file',
      () => ['--auth', 'client-credentials', ...client(), '--client-secret-file', path('none.txt')],
      'none.txt": no such file',
    ],
    [
      'a file with more than the secret',
      () => ['--auth', 'client-credentials', ...client(), '--client-secret-file', path('directory.json')],
      'must contain the secret in one line',
    ],
    [
      'a relative token endpoint',
      () => ['--auth', 'client-credentials', '--token-endpoint', '/token', '--client-id', 'x'],
      '--token-endpoint must be an absolute http or https URL, got "/token"',
    ],
    [
      'options of OAuth with a Secret Token',
      () => ['--token', 'x', ...client()],
      '--token-endpoint cannot be used with --auth bearer',
    ],
    [
      'a Secret Token with OAuth',
      () => [...withSecret(), '--token', 'x'],
      '--token cannot be used with --auth client-credentials',
    ],
    [
      'a client secret with an assertion',
      () => ['--auth', 'federated', ...client(), '--client-secret-file', path('secret.txt')],
      '--client-secret-file cannot be used with --auth federated',
    ],
    [
      'an issuer with a client secret',
      () => [...withSecret(), '--issuer', 'https://login.example/t/v2.0'],
      '--issuer cannot be used with --auth client-credentials',
    ],
  ])('rejects %s and sends nothing', async (_what, options, message) => {
    write('directory.json', '{\n "users": [],\n "groups": []\n}\n')
    const { code, stderr } = await runCli(['provision', ...directory(), ...tenant(), ...options()])
    expect(stderr).toContain(message)
    expect(code).toBe(2)
    expect([target.requests, target.store.received]).toEqual([[], []])
  })
})

const federated = () => [...tenant(), '--auth', 'federated', ...client()]
const embedded = () => [...federated(), '--issuer-port', '0', '--issuer-keys', path('keys.json')]

/** Lets the target verify assertions as a federation trust does: with the keys that the issuer serves. */
function trustIssuer(): { readonly kids: (string | undefined)[] } {
  const kids: (string | undefined)[] = []
  target.verifyAssertion = async (assertion) => {
    const { iss = '' } = decodeJwt(assertion)
    const jwks = createRemoteJWKSet(new URL(iss.replace('/v2.0', '/discovery/v2.0/keys')))
    const { applicationId: audience, objectId: subject } = DEFAULT_IDENTITY
    try {
      const verified = await jwtVerify(assertion, jwks, { audience, subject, algorithms: ['RS256'] })
      kids.push(verified.protectedHeader.kid)
      return true
    } catch {
      return false
    }
  }
  return { kids }
}

const issuers: ChildProcess[] = []
afterEach(() => {
  for (const child of issuers.splice(0)) child.kill()
})

/** Starts the command `issuer` and waits for what it prints at the start. */
async function startIssuer(...options: string[]) {
  const args = ['issuer', '--issuer-port', '0', '--issuer-keys', path('keys.json'), ...options]
  const { child, result } = startCli(args)
  issuers.push(child)
  const started = await new Promise<string>((resolve) => {
    let text = ''
    child.stdout?.on('data', (chunk) => {
      text += chunk
      if (text.includes('Press Ctrl-C')) resolve(text)
    })
  })
  return { child, result, started, issuer: /--issuer (\S+)/.exec(started)?.[1] ?? '' }
}

describe('--auth federated', () => {
  it('provisions with the assertion of an embedded issuer, whose key it keeps', async () => {
    const { kids } = trustIssuer()
    const first = await runCli(['provision', ...directory(), ...embedded()])
    expect([first.code, first.stderr]).toEqual([0, ''])
    expect(target.store.users.size).toBe(3)
    expect(target.requests[0]?.form).toMatchObject({ client_id: CLIENT_ID, baseAddress: server.tenantUrl })
    expect((await runCli(['provision', ...directory(), ...embedded()])).code).toBe(0)
    expect(kids).toHaveLength(2)
    expect(kids[1]).toBe(kids[0])
    expect(statSync(path('keys.json')).mode & 0o777).toBe(0o600)
  })

  it('shows the trust that the target needs when the assertion is refused', async () => {
    const result = await runCli(['provision', ...directory(), ...embedded()])
    expect(result.code).toBe(1)
    expect(result.stderr).toContain('HTTP 401 invalid_client')
    expect(result.stderr).toMatch(/Subject +8d2e6f47-b3c1-4a95-a7d0-1e4f5b6c9a38/)
    expect(result.stderr).toMatch(/FEDERATION_HOSTS=127\.0\.0\.1:\d+/)
    expect(everything(result)).not.toMatch(/ey[\w-]{20}/)
  })

  it('does not show the trust when the failure has another reason', async () => {
    trustIssuer()
    target.store.misbehave = ({ method }) => (method === 'POST' ? error(400, 'no room') : undefined)
    const result = await runCli(['provision', ...directory(), ...embedded()])
    expect([result.code, result.stderr]).toEqual([1, ''])
  })

  it('provisions with the assertion of the command issuer, which ends with Ctrl-C', async () => {
    trustIssuer()
    const { child, result, started, issuer } = await startIssuer()
    const trust = JSON.parse(/^ {2}(\{.*\})$/m.exec(started)?.[1] ?? '{}')
    expect(trust).toEqual({
      issuer,
      jwksUri: issuer.replace('/v2.0', '/discovery/v2.0/keys'),
      subject: DEFAULT_IDENTITY.objectId,
      audiences: [DEFAULT_IDENTITY.applicationId],
      tid: DEFAULT_IDENTITY.tenantId,
    })
    expect(started).toContain(`FEDERATION_HOSTS=${new URL(issuer).host}`)
    expect((await runCli(['provision', ...directory(), ...federated(), '--issuer', issuer])).code).toBe(0)
    child.kill('SIGINT')
    const { code, stdout, stderr } = await result
    expect([code, stderr]).toEqual([0, ''])
    const tenantId = DEFAULT_IDENTITY.tenantId
    expect(stdout.match(/^(?:GET|POST) .*$/gm)).toEqual([
      `GET /${tenantId}/v2.0/.well-known/openid-configuration: 200`,
      `POST /${tenantId}/oauth2/v2.0/token: 200`,
      `GET /${tenantId}/discovery/v2.0/keys: 200`,
    ])
  })

  it('goes into quarantine when the issuer does not answer', async () => {
    const args = ['provision', ...directory(), ...federated(), '--issuer', 'http://127.0.0.1:1/t/v2.0']
    const { code, stderr } = await runCli(args)
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/WebExceptionProtocolError: Issuer .*ECONNREFUSED/),
    ])
    expect([target.requests, target.store.received]).toEqual([[], []])
  })
})

describe('issuer', () => {
  it('lists its faults in its help', async () => {
    const { stdout } = await runCli(['issuer', '--help'])
    for (const [fault, effect] of Object.entries(FAULTS))
      expect(stdout).toMatch(new RegExp(`^ +(--fault FAULTS +)?${fault} +${effect}$`, 'm'))
  })

  it.each([
    [['--fault', 'expired,gone'], 'Unknown fault "gone": expected one of key-rotation, '],
    [['--tenant-id', 'acme'], '--tenant-id must be a GUID, got "acme"'],
    [['--audience', 'url'], '--audience must be "guid" or "uri", got "url"'],
    [['--clock-skew', 'late'], '--clock-skew must be a duration such as 30s, 40m, 6h or 28d, got "late"'],
    [['--issuer-port', '70000'], '--issuer-port must be an integer from 0 to 65535'],
  ])('rejects %j', async (options, message) => {
    const { code, stderr } = await runCli(['issuer', '--issuer-keys', path('keys.json'), ...options])
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)])
  })

  it('rejects a port in use, and a key file without a key', async () => {
    const port = new URL(server.origin).port
    const inUse = await runCli(['issuer', '--issuer-port', port, '--issuer-keys', path('keys.json')])
    expect([inUse.code, inUse.stderr]).toEqual([2, expect.stringContaining('the port is in use')])
    const noKey = await runCli(['issuer', '--issuer-port', '0', '--issuer-keys', path('directory.json')])
    expect([noKey.code, noKey.stderr]).toEqual([2, expect.stringContaining('does not contain a key')])
  })

  it('has the clock skew of its option', async () => {
    const { child, result, issuer } = await startIssuer('--clock-skew=-10m', '--audience', 'uri')
    const { applicationId } = DEFAULT_IDENTITY
    const form = {
      grant_type: 'client_credentials',
      client_id: applicationId,
      scope: `api://${applicationId}/.default`,
    }
    const url = issuer.replace('/v2.0', '/oauth2/v2.0/token')
    const response = await fetch(url, { method: 'POST', body: new URLSearchParams(form) })
    const { access_token: assertion } = (await response.json()) as { access_token: string }
    const { aud, exp = 0 } = decodeJwt(assertion)
    expect(aud).toBe(`api://${applicationId}`)
    expect(Math.abs(exp - Date.now() / 1000 - 3000)).toBeLessThan(60)
    child.kill('SIGINT')
    expect((await result).code).toBe(0)
  })
})
