/** `check` of an endpoint with OAuth 2.0: the steps of Microsoft's validator, their grades and what they show. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { serveStore, type TestServer } from '../support/http-server.ts'
import { type CliResult, runCli } from '../support/run-cli.ts'
import { error } from '../support/scim-store.ts'
import { CLIENT_ID, CLIENT_SECRET, OAuthStore, oauthError } from '../support/token-endpoint.ts'

let folder: string
let target: OAuthStore
let server: TestServer

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'entra-check-'))
  target = new OAuthStore()
  server = await serveStore(target)
  writeFileSync(join(folder, 'secret.txt'), CLIENT_SECRET)
})

afterEach(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

function check(...options: string[]): Promise<CliResult> {
  const client = ['--token-endpoint', `${server.origin}/oauth/token`, '--client-id', CLIENT_ID]
  const scope = ['--dialect', 'old', '--only', 'groups', '--skip', 'token,find-group']
  return runCli(['check', '--tenant-url', server.tenantUrl, ...scope, ...client, ...options])
}

function checkWithSecret(...options: string[]): Promise<CliResult> {
  return check('--auth', 'client-credentials', '--client-secret-file', join(folder, 'secret.txt'), ...options)
}

interface Step {
  readonly check?: string
  readonly title: string
  readonly grade: string
  readonly message: string
  readonly consequence?: string
  readonly source?: string
}

/** The steps at the token endpoint, from the output with --json. */
function tokenSteps({ stdout }: CliResult): Step[] {
  const { results } = JSON.parse(stdout) as { results: Step[] }
  return results.filter(({ check }) => check === undefined)
}

const VALIDATOR_FAILS = {
  consequence: expect.stringContaining('Microsoft’s validation for the app gallery fails'),
  source: expect.stringContaining('SCIMTests_Workflow.json'),
}

describe('check --auth client-credentials', () => {
  it('requests a token, reads a page of users with it, and then runs the scenario', async () => {
    const { stdout, code } = await checkWithSecret()
    expect(stdout).toMatch(
      /^\nToken endpoint\n {2}success {9}request an access token with a client secret in the body\n {2}success {9}read a page of users with the access token\n\nConnection\n/,
    )
    expect([code, stdout]).toEqual([0, expect.stringContaining('Verdict: success')])
    expect(target.store.received[0]?.path).toBe('/Users?startIndex=1&count=1')
    expect(target.requests).toHaveLength(2)
  })

  it.each<[unknown, string, string]>([
    [3600, 'success', 'valid for 60 minutes'],
    [3659, 'success', 'valid for 60 minutes'],
    [21_659, 'success', 'valid for 360 minutes'],
    [undefined, 'success', 'valid for 60 minutes, by default'],
    [3599, 'deviation', '"expires_in" is 3599, which is 59 whole minutes; expected 60 to 360 minutes'],
    [21_660, 'deviation', '"expires_in" is 21660, which is 361 whole minutes; expected 60 to 360 minutes'],
    ['3600', 'deviation', '"expires_in" is "3600", expected a whole number of seconds'],
  ])('grades the lifetime %j as %s', async (expiresIn, grade, message) => {
    target.expiresIn = expiresIn
    const [step] = tokenSteps(await checkWithSecret('--json'))
    expect(step).toMatchObject({ grade, message, ...(grade === 'deviation' ? VALIDATOR_FAILS : {}) })
  })

  it('tolerates a response without token_type and names the RFC', async () => {
    target.valid.add('a-token')
    target.respond = () => Response.json({ access_token: 'a-token', expires_in: 3600 })
    const [step] = tokenSteps(await checkWithSecret('--json'))
    expect(step).toMatchObject({
      grade: 'acceptable',
      message: '"token_type" is missing, RFC 6749 requires "Bearer"',
      source: expect.stringContaining('rfc6749'),
    })
  })

  it.each<[string, () => Response, string]>([
    [
      'a refusal',
      () => oauthError(401, 'invalid_client', 'unknown client'),
      'HTTP 401 invalid_client: unknown',
    ],
    ['an empty access_token', () => Response.json({ access_token: '' }), 'no "access_token"'],
    ['HTML', () => new Response('<html>'), 'a body that is not a JSON object'],
  ])('is an error with %s; the steps without a token say why', async (_what, respond, message) => {
    target.respond = respond
    const result = await checkWithSecret('--json')
    const [request, page] = tokenSteps(result)
    expect(request).toMatchObject({
      grade: 'error',
      message: expect.stringContaining(message),
      ...VALIDATOR_FAILS,
    })
    expect(page).toMatchObject({ grade: 'skipped' })
    const { results } = JSON.parse(result.stdout)
    expect(results[2]).toMatchObject({ grade: 'error', message: expect.stringContaining(message) })
    expect(result.code).toBe(3)
    expect(target.store.received).toEqual([])
  })

  it('is an error when the token is not accepted', async () => {
    target.store.misbehave = ({ path }) =>
      path.includes('startIndex=1&count=1') ? error(403, 'no') : undefined
    const [, page] = tokenSteps(await checkWithSecret('--json'))
    expect(page).toMatchObject({ grade: 'error', message: 'HTTP 403', ...VALIDATOR_FAILS })
  })

  it('shows neither secret nor token in text, JSON and JUnit', async () => {
    target.expiresIn = 3599
    const file = join(folder, 'verdict.xml')
    const outputs = [
      (await checkWithSecret('--verbose', '--junit', file)).stdout,
      (await checkWithSecret('--verbose', '--client-auth', 'basic')).stdout,
      (await checkWithSecret('--json')).stdout,
      readFileSync(file, 'utf8'),
    ]
    for (const output of outputs) {
      expect(output).toContain('access_token')
      expect(output).not.toMatch(/staple|access-token-\d/)
    }
    expect(outputs[0]).toContain('"client_secret":"***"')
    target.respond = ({ form }) => oauthError(401, 'invalid_client', `"${form.client_secret}" is unknown`)
    const { stdout: refused } = await checkWithSecret('--verbose')
    expect(refused).toContain('| {"error":"invalid_client","error_description":"\\"***\\" is unknown"}')
    expect(refused).not.toContain('staple')
    expect(outputs[3]).toContain(
      '<testsuite name="Token endpoint" tests="2" failures="1" errors="0" skipped="0" ',
    )
  })
})

describe('check --auth federated', () => {
  const federated = (...options: string[]) =>
    check('--auth', 'federated', '--issuer-keys', join(folder, 'keys.json'), '--json', ...options)

  it('gets an assertion, and does not require a lifetime, as Microsoft’s validator', async () => {
    target.verifyAssertion = async () => true
    target.expiresIn = 600
    const steps = tokenSteps(await federated('--issuer-port', '0'))
    expect(steps.map(({ title, grade }) => [title, grade])).toEqual([
      ['get an assertion from the issuer', 'success'],
      ['request an access token with an assertion of Entra', 'acceptable'],
      ['read a page of users with the access token', 'success'],
    ])
  })

  it('says that the issuer failed, not the endpoint', async () => {
    const [step] = tokenSteps(await federated('--issuer', 'http://127.0.0.1:1/t/v2.0'))
    expect(step).toMatchObject({
      grade: 'error',
      message: expect.stringContaining('ECONNREFUSED'),
      consequence: expect.stringContaining('The issuer is not part of the endpoint'),
    })
  })
})
