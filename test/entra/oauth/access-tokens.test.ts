/**
 * A job whose access tokens come from a token endpoint: the requests for them, their renewal, and the quarantine after a
 * refusal. With a manual clock.
 */
import { describe, expect, it } from 'vitest'
import { MINUTE_MS } from '../../../src/entra/clock.ts'
import { type JobRun, runJob } from '../../../src/entra/engine/provisioning-job.ts'
import { DEFAULT_IDENTITY } from '../../../src/entra/issuer/identity.ts'
import { Issuer } from '../../../src/entra/issuer/issuer.ts'
import { newSigningKey } from '../../../src/entra/issuer/signing-keys.ts'
import { accessTokens } from '../../../src/entra/oauth/access-tokens.ts'
import type { ClientCredentialsGrant, FederatedGrant } from '../../../src/entra/oauth/grant.ts'
import { countingIds, JobHarness, ManualClock } from '../support/job-harness.ts'
import { BASE } from '../support/scim-store.ts'
import {
  CLIENT_ID,
  CLIENT_SECRET,
  OAuthStore,
  oauthError,
  TOKEN_ENDPOINT,
} from '../support/token-endpoint.ts'

const GRANT: ClientCredentialsGrant = {
  kind: 'client-credentials',
  tokenEndpoint: TOKEN_ENDPOINT,
  clientId: CLIENT_ID,
  clientSecret: CLIENT_SECRET,
  clientAuthentication: 'body',
}

const PEOPLE = Array.from({ length: 20 }, (_, index) => ({
  id: `p${index}`,
  userPrincipalName: `p${index}@quillfern.example`,
  displayName: `p${index}`,
  mailNickname: `p${index}`,
}))

function harness(target: OAuthStore, grant = GRANT, concurrency = 1): JobHarness {
  const { fetch } = target
  return new JobHarness({ users: structuredClone(PEOPLE), groups: [] }, { concurrency }, (clock) => ({
    ...{ tenantUrl: BASE, fetch, timeoutMs: 200 },
    tokens: accessTokens(grant, { fetch, clock, timeoutMs: 200 }),
  }))
}

function run(job: JobHarness): Promise<JobRun> {
  job.log.length = 0
  return runJob(job.context(), { notify: async () => undefined, ignoreWait: true })
}

const bearers = ({ store }: OAuthStore) =>
  store.received.map(({ headers }) => headers.get('authorization')?.replace('Bearer ', ''))

describe('the request for an access token', () => {
  it('carries the client secret in the body, as Microsoft’s validator does', async () => {
    const target = new OAuthStore()
    expect(await run(harness(target))).toMatchObject({ kind: 'ran' })
    expect(target.requests).toEqual([
      {
        authorization: null,
        contentType: 'application/x-www-form-urlencoded',
        form: { grant_type: 'client_credentials', client_id: CLIENT_ID, client_secret: CLIENT_SECRET },
      },
    ])
  })

  it('carries form-encoded credentials in the Authorization header, and the scope', async () => {
    const target = new OAuthStore()
    const job = harness(target, { ...GRANT, clientAuthentication: 'basic', scope: 'scim' })
    expect(await run(job)).toMatchObject({ kind: 'ran' })
    expect(target.requests).toEqual([
      {
        authorization: `Basic ${btoa('acme_T7x+k%2B2:correct+horse%3Abattery%2Fstaple%2B50%25%22%5C')}`,
        contentType: 'application/x-www-form-urlencoded',
        form: { grant_type: 'client_credentials', scope: 'scim' },
      },
    ])
  })

  it('is sent once for a cycle, also if all requests of the cycle are concurrent', async () => {
    const target = new OAuthStore()
    await run(harness(target, GRANT, 20))
    expect(target.requests).toHaveLength(1)
    expect(target.store.users.size).toBe(PEOPLE.length)
    expect(new Set(bearers(target))).toEqual(new Set(['access-token-1']))
  })
})

describe('an access token', () => {
  it('is renewed five minutes before it expires', async () => {
    const target = new OAuthStore()
    const job = harness(target)
    await run(job)
    job.clock.advance(54 * MINUTE_MS)
    await run(job)
    expect(target.requests).toHaveLength(1)
    job.clock.advance(MINUTE_MS)
    await run(job)
    expect(target.requests).toHaveLength(2)
    expect(bearers(target).at(-1)).toBe('access-token-2')
  })

  it.each([
    ['no expires_in', undefined, 55],
    ['a string of digits', '7200', 115],
    ['a lifetime of four minutes', 240, 2],
  ])('is renewed in time with %s', async (_what, expiresIn, minutes) => {
    const target = new OAuthStore()
    target.expiresIn = expiresIn
    const job = harness(target)
    await run(job)
    job.clock.advance(minutes * MINUTE_MS - 1)
    await run(job)
    expect(target.requests).toHaveLength(1)
    job.clock.advance(1)
    await run(job)
    expect(target.requests).toHaveLength(2)
  })

  it('is renewed once after a 401, by concurrent requests together, and every request is repeated', async () => {
    const target = new OAuthStore()
    const job = harness(target, GRANT, 10)
    target.store.misbehave = ({ method }) => {
      if (method === 'POST' && target.store.users.size === 5) target.valid.delete('access-token-1')
      return undefined
    }
    expect(await run(job)).toMatchObject({ kind: 'ran' })
    expect(target.requests).toHaveLength(2)
    expect(target.store.users.size).toBe(PEOPLE.length)
    expect(job.log.filter(({ statusInfo }) => statusInfo.status === 'failure')).toEqual([])
  })

  it('is kept when an earlier token is refused late', async () => {
    const target = new OAuthStore()
    const tokens = accessTokens(GRANT, { fetch: target.fetch, clock: new ManualClock() })
    await tokens.token()
    tokens.reject('access-token-1')
    await tokens.token()
    tokens.reject('access-token-1')
    expect(await tokens.token()).toEqual({ ok: true, token: 'access-token-2' })
    expect(target.requests).toHaveLength(2)
  })

  it('that is refused although it is new puts the job into quarantine', async () => {
    const target = new OAuthStore()
    target.respond = () => Response.json({ access_token: 'useless-token', expires_in: 3600 })
    const job = harness(target)
    expect(await run(job)).toMatchObject({
      kind: 'quarantined',
      quarantine: { reason: 'EncounteredQuarantineException' },
    })
    expect(target.requests).toHaveLength(2)
    expect(target.store.received).toHaveLength(2)
    // The endpoint repeats the token in its message.
    expect(job.state.quarantine?.error).toBe(
      'SystemForCrossDomainIdentityManagementCredentialValidationFailure: HTTP 401: the access token *** is not valid',
    )
  })
})

describe('a refusal of the token endpoint', () => {
  it('puts the job into quarantine, sends nothing to the SCIM endpoint, and does not name the secret', async () => {
    const target = new OAuthStore()
    target.respond = ({ form }) =>
      oauthError(401, 'invalid_client', `the secret ${form.client_secret} is wrong`)
    const job = harness(target)
    expect(await run(job)).toMatchObject({
      kind: 'quarantined',
      quarantine: {
        reason: 'EncounteredQuarantineException',
        error: `SystemForCrossDomainIdentityManagementCredentialValidationFailure: Token endpoint ${TOKEN_ENDPOINT}: HTTP 401 invalid_client: the secret *** is wrong`,
      },
    })
    expect(target.requests).toHaveLength(1)
    expect(target.store.received).toEqual([])
    expect(JSON.stringify([job.state, job.log])).not.toContain(CLIENT_SECRET)
  })

  it('in the middle of a cycle ends the cycle; after a new secret the rest is provisioned', async () => {
    const target = new OAuthStore()
    const job = harness(target)
    target.store.misbehave = ({ method }) => {
      if (method !== 'POST' || target.store.users.size !== 5) return undefined
      target.revokeAll()
      target.secret = 'a new secret'
      return undefined
    }
    expect(await run(job)).toMatchObject({
      kind: 'quarantined',
      quarantine: { error: expect.stringContaining('HTTP 401 invalid_client') },
    })
    expect(target.store.users.size).toBe(6)
    target.secret = CLIENT_SECRET
    target.store.misbehave = () => undefined
    expect(await run(job)).toMatchObject({ kind: 'ran' })
    expect(target.store.users.size).toBe(PEOPLE.length)
    expect(job.state.quarantine).toBeUndefined()
  })

  it.each<[string, () => Response | Promise<Response>, RegExp]>([
    [
      '400',
      () => oauthError(400, 'invalid_scope', 'no'),
      /CredentialValidationFailure: .*HTTP 400 invalid_scope: no/,
    ],
    [
      '404',
      () => new Response('', { status: 404 }),
      /CredentialValidationFailure: .*404 without an OAuth error/,
    ],
    [
      'a redirect',
      () => new Response(null, { status: 302 }),
      /WebExceptionProtocolError: .*redirects are not followed/,
    ],
    ['HTML', () => new Response('<html>'), /CredentialValidationFailure: .*a body that is not a JSON object/],
    ['no access_token', () => Response.json({}), /CredentialValidationFailure: .*no "access_token"/],
    ['an empty access_token', () => Response.json({ access_token: '' }), /no "access_token"/],
    [
      'a token with a line end',
      () => Response.json({ access_token: 'a\r\nb' }),
      /cannot be sent in a header/,
    ],
    [
      'no response',
      () => new Promise<Response>(() => undefined),
      /Timeout: .*No response within 0.2 seconds/,
    ],
  ])('is %s', async (_what, respond, message) => {
    const target = new OAuthStore()
    target.respond = respond
    const job = harness(target)
    expect((await run(job)).kind).toBe('quarantined')
    expect(job.state.quarantine?.error).toMatch(message)
    expect(target.store.received).toEqual([])
  })
})

describe('a token endpoint that is busy', () => {
  it('is asked again after the time in Retry-After', async () => {
    const target = new OAuthStore()
    const answers = [oauthError(429, 'slow_down', 'wait', { 'retry-after': '17' })]
    target.respond = () => answers.shift()
    const job = harness(target)
    expect(await run(job)).toMatchObject({ kind: 'ran' })
    expect(job.clock.slept).toEqual([17_000])
    expect(target.requests).toHaveLength(2)
  })

  it('is asked five times when it answers 5xx; then the job goes into quarantine', async () => {
    const target = new OAuthStore()
    target.respond = () => new Response('', { status: 503 })
    const job = harness(target)
    expect((await run(job)).kind).toBe('quarantined')
    expect(job.clock.slept).toEqual([1000, 2000, 4000, 8000])
    expect(job.state.quarantine?.error).toMatch(/^InternalServerError: Token endpoint .*HTTP 503/)
    expect(target.requests).toHaveLength(5)
  })
})

describe('federation', () => {
  const ORIGIN = 'https://login.test.example'
  const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

  async function federated(target: OAuthStore) {
    const clock = new ManualClock()
    const key = await newSigningKey()
    const issuer = new Issuer({
      ...{ origin: ORIGIN, identity: DEFAULT_IDENTITY, keys: [key] as const, clock, newId: countingIds() },
    })
    const toIssuer: string[] = []
    const fetch: typeof target.fetch = async (url, init) => {
      if (!url.startsWith(ORIGIN)) return target.fetch(url, init)
      toIssuer.push(`${init.method} ${url.slice(ORIGIN.length)}`)
      return issuer.fetch(new Request(url, init))
    }
    const grant: FederatedGrant = {
      ...{ kind: 'federated', tokenEndpoint: TOKEN_ENDPOINT, clientId: CLIENT_ID, baseAddress: BASE },
      workload: { issuer: issuer.addresses.issuer, applicationId: DEFAULT_IDENTITY.applicationId },
    }
    const job = new JobHarness({ users: structuredClone(PEOPLE), groups: [] }, {}, (ownClock) => ({
      ...{ tenantUrl: BASE, fetch },
      tokens: accessTokens(grant, { fetch, clock: ownClock }),
    }))
    return { job, toIssuer }
  }

  it('presents an assertion of the issuer without a scope, and with the Tenant URL as baseAddress', async () => {
    const target = new OAuthStore()
    target.verifyAssertion = async () => true
    const { job } = await federated(target)
    expect(await run(job)).toMatchObject({ kind: 'ran' })
    expect(target.requests.map(({ form }) => form)).toEqual([
      {
        grant_type: 'client_credentials',
        client_id: CLIENT_ID,
        client_assertion: expect.stringMatching(/^ey[\w-]+\.ey[\w-]+\.[\w-]{340,}$/),
        client_assertion_type: ASSERTION_TYPE,
        baseAddress: BASE,
      },
    ])
  })

  it('reuses the assertion for a second access token', async () => {
    const target = new OAuthStore()
    target.verifyAssertion = async () => true
    target.expiresIn = 600
    const { job, toIssuer } = await federated(target)
    await run(job)
    job.clock.advance(30 * MINUTE_MS)
    await run(job)
    expect(target.requests).toHaveLength(2)
    expect(target.requests[1]).toEqual(target.requests[0])
    const { tenantId } = DEFAULT_IDENTITY
    expect(toIssuer).toEqual([
      `GET /${tenantId}/v2.0/.well-known/openid-configuration`,
      `POST /${tenantId}/oauth2/v2.0/token`,
    ])
  })

  it('presents a new assertion after a refusal, and does not log the refused one', async () => {
    const target = new OAuthStore()
    target.respond = ({ form }) => oauthError(401, 'invalid_client', `refused: ${form.client_assertion}`)
    const { job, toIssuer } = await federated(target)
    expect((await run(job)).kind).toBe('quarantined')
    expect(job.state.quarantine?.error).toMatch(
      /CredentialValidationFailure: .* invalid_client: refused: \*\*\*$/,
    )
    target.respond = () => undefined
    target.verifyAssertion = async () => true
    expect(await run(job)).toMatchObject({ kind: 'ran' })
    expect(toIssuer.filter((line) => line.startsWith('POST'))).toHaveLength(2)
  })
})
