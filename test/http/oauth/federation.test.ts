/**
 * The token endpoint with assertions (RFC 7521 §4.2, RFC 7523 §2.2 and §3): from Microsoft Entra ID, and from clients that
 * sign their own.
 */
import { env } from 'cloudflare:workers'
import { exportSPKI, importJWK, SignJWT, UnsecuredJWT } from 'jose'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type FederatedClient, JWT_BEARER, newFederatedClient, trustOf } from '../../support/federation.ts'
import { admin, costOf, newClient, ORIGIN, TENANT_URL } from '../../support/harness.ts'
import type { Issuer } from '../../support/issuer.ts'
import { basic, newSecret, TOKEN_URL } from '../../support/oauth.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

const realSetTimeout = setTimeout
const nextTurn = () => new Promise((resolve) => realSetTimeout(resolve, 10))

/** The one answer for every refused credential. */
const REFUSED = {
  error: 'invalid_client',
  error_description: 'the client is unknown, or its credential is wrong, expired or revoked',
}

describe('a federated client', () => {
  it('gets an access token for an assertion of its issuer, in two round trips', async () => {
    const client = await newFederatedClient()
    const answer = await client.request(await client.assertion())
    expect(answer.status).toBe(200)
    expect(answer.body).toEqual({
      access_token: expect.stringMatching(new RegExp(`^scim_${client.tenantId}_[\\w-]{43}$`)),
      token_type: 'Bearer',
      expires_in: 3600,
      scope: 'scim',
    })
    expect(answer.headers.get('Cache-Control')).toBe('no-store')
    expect(costOf(answer).roundTrips).toBe(2)
    const scim = client.clientWith(answer.body.access_token)
    expect((await scim.get('/Users?startIndex=1&count=1')).status).toBe(200)
    expect(client.issuer.requested).toEqual([client.issuer.jwksUri])
  })

  // SCIMReferenceCode, SCIMTests_Workflow.json: no scope, and `baseAddress`, which no standard has. The tester accepts a
  // lifetime of 60 to 360 minutes, divided as integers.
  it('passes the federation flow of Microsoft’s validator', async () => {
    const client = await newFederatedClient()
    const aud = client.issuer.claims(0).aud
    for (const claimed of [aud, `api://${aud}`]) {
      const assertion = await client.assertion({ aud: claimed })
      const { status, body } = await client.request(assertion, { baseAddress: TENANT_URL })
      expect(status).toBe(200)
      expect(body.access_token).not.toBe('')
      const minutes = Math.trunc(body.expires_in / 60)
      expect(minutes >= 60 && minutes <= 360).toBe(true)
      const users = await client.clientWith(body.access_token).get('/Users?startIndex=1&count=1')
      expect([users.status, users.body.totalResults]).toEqual([200, 0])
    }
    expect(client.issuer.requested).toHaveLength(1)
  })

  it('may send an assertion several times, as Entra does', async () => {
    const client = await newFederatedClient()
    const assertion = await client.assertion()
    const tokens = await Promise.all(
      [1, 2, 3].map(async () => (await client.request(assertion)).body.access_token),
    )
    expect(new Set(tokens).size).toBe(3)
    client.now += 59 * MINUTE
    expect((await client.request(assertion)).status).toBe(200)
  })

  it('may ask for a scope', async () => {
    const client = await newFederatedClient()
    const assertion = await client.assertion()
    expect((await client.request(assertion, { scope: 'scim' })).body.scope).toBe('scim')
    expect((await client.request(assertion, { scope: 'scim:read' })).body.scope).toBe('scim:read')
    expect(await client.request(assertion, { scope: 'other' })).toMatchObject({
      status: 400,
      body: { error: 'invalid_scope' },
    })
  })

  it('gets tokens that end with the assertion, but not within the hour that Microsoft requires', async () => {
    const client = await newFederatedClient({ tokenLifetime: 21_600 })
    const seconds = Math.floor(client.now / 1000)
    const lifetimes = await Promise.all(
      [10, 3600, 5400, 30_000].map(async (left) => {
        const { body } = await client.request(await client.assertion({ exp: seconds + left }))
        return body.expires_in
      }),
    )
    const rest = seconds + 5400 - client.now / 1000
    expect(lifetimes).toEqual([3600, 3600, Math.floor(rest), 21_600])
  })

  it('may send an assertion that ends within a second', async () => {
    const client = await newFederatedClient({ tokenLifetime: 21_600 })
    const exp = Math.floor(client.now / 1000) + 5400.0001234
    const answer = await client.request(await client.assertion({ exp }))
    expect([answer.status, answer.body.expires_in]).toEqual([200, Math.floor(exp - client.now / 1000)])
  })

  it('may sign with ES256', async () => {
    const client = await newFederatedClient({ alg: 'ES256' })
    expect((await client.request(await client.assertion())).status).toBe(200)
  })

  it('is named by the log, with its federation in the place of a token', async () => {
    const client = await newFederatedClient()
    await (await client.signedIn()).createUser()
    const { body } = await admin('GET', `/tenants/${client.tenantId}/log`)
    const named = {
      clientId: client.clientId,
      clientName: 'Entra',
      tokenId: client.clientId,
      tokenName: 'Federation',
    }
    expect(body.entries).toMatchObject([{ action: 'create', ...named }])
  })

  it('gets 60 access tokens in a minute', async () => {
    const client = await newFederatedClient()
    const assertion = await client.assertion()
    for (let i = 0; i < 60; i++) expect((await client.request(assertion)).status).toBe(200)
    const answer = await client.request(assertion)
    expect([answer.status, answer.headers.get('Retry-After')]).toEqual([429, '5'])
    client.now += MINUTE
    expect((await client.request(assertion)).status).toBe(200)
  })

  it('is served at an address with too many refused credentials if its assertion was accepted before', async () => {
    const [client, other] = [await newFederatedClient(), await newFederatedClient()]
    const [known, fresh] = [await client.assertion(), await client.assertion({ jti: 'fresh' })]
    const from = { 'CF-Connecting-IP': crypto.randomUUID() }
    const statusOf = async (assertion: string, asked = client) =>
      (await asked.request(assertion, {}, from)).status
    expect(await statusOf(known)).toBe(200)
    client.isAllowed = async () => false
    const blocked = await client.request(await client.assertion({ aud: 'other' }), {}, from)
    expect([blocked.status, blocked.headers.get('WWW-Authenticate')]).toEqual([429, null])
    expect([blocked.headers.get('Retry-After'), blocked.headers.has('X-Request-Id')]).toEqual(['5', true])
    expect(await statusOf(known)).toBe(200)
    expect(await statusOf(fresh)).toBe(429)
    expect(await statusOf(await other.assertion(), other)).toBe(429)
    expect(other.issuer.requested).toEqual([])
    client.now += MINUTE
    expect(await statusOf(fresh)).toBe(200)
  })

  it('may have a secret as well', async () => {
    const client = await newFederatedClient()
    const { clientSecret } = await newSecret(client.tenantId, client.clientId)
    const bySecret = {
      client_secret: clientSecret,
      client_assertion: undefined,
      client_assertion_type: undefined,
    }
    expect((await client.request('', bySecret)).status).toBe(200)
    expect((await client.request(await client.assertion())).status).toBe(200)
  })
})

describe('the request with an assertion', () => {
  it.for<[string, Record<string, string | undefined>, number, string]>([
    ['a secret too', { client_secret: 'scims_x' }, 400, 'invalid_request'],
    ['no type', { client_assertion_type: undefined }, 400, 'invalid_request'],
    ['no assertion', { client_assertion: undefined }, 400, 'invalid_request'],
    ['no client_id', { client_id: undefined }, 400, 'invalid_request'],
    ['another type', { client_assertion_type: `${JWT_BEARER}2` }, 401, 'invalid_client'],
    ['a client_id that names no tenant', { client_id: 'x' }, 401, 'invalid_client'],
    [
      'another grant type',
      { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer' },
      400,
      'unsupported_grant_type',
    ],
  ])('is refused with %s', async ([, more, status, error]) => {
    const client = await newFederatedClient()
    const answer = await client.request(await client.assertion(), more)
    expect([answer.status, answer.body.error]).toEqual([status, error])
    expect(client.issuer.requested).toEqual([])
  })

  it('is refused with a secret in the header', async () => {
    const client = await newFederatedClient()
    const answer = await client.request(await client.assertion(), {}, basic(client.clientId, 'scims_x'))
    expect([answer.status, answer.body.error]).toEqual([400, 'invalid_request'])
  })

  it('is refused for a client of another tenant, of no tenant, and without a federation', async () => {
    const [one, other] = [await newFederatedClient(), await newFederatedClient()]
    const assertion = await one.assertion()
    const plain = await admin('POST', `/tenants/${one.tenantId}/clients`, { name: 'Plain' })
    const [, random] = one.clientId.split('_')
    for (const client_id of [
      other.clientId,
      plain.body.id,
      `${other.tenantId}_${random}`,
      `nobody_${random}`,
    ]) {
      const answer = await one.request(assertion, { client_id })
      expect([answer.status, answer.body]).toEqual([401, REFUSED])
    }
    expect(one.issuer.requested).toEqual([])
  })
})

/** Assertions that are refused, with the reason in the logs and whether the keys are needed to tell. */
const WRONG: readonly [string, (client: FederatedClient) => string | Promise<string>, string, boolean][] = [
  ['another audience', (client) => client.assertion({ aud: 'api://other' }), 'audience', false],
  [
    'another issuer',
    (client) => client.assertion({ iss: 'https://sts.windows.net/other/' }),
    'issuer',
    false,
  ],
  [
    'the issuer with a slash more',
    (client) => client.assertion({ iss: `${client.issuer.issuer}/` }),
    'issuer',
    false,
  ],
  ['another subject', (client) => client.assertion({ sub: client.clientId }), 'subject', false],
  ['another tenant of Entra', (client) => client.assertion({ tid: crypto.randomUUID() }), 'tenant', false],
  ['the past', (client) => client.assertion({ exp: client.now / 1000 - 61 }), 'expired', false],
  ['the future', (client) => client.assertion({ nbf: client.now / 1000 + 120 }), 'not yet valid', false],
  ['no end', (client) => client.assertion({ exp: client.now / 1000 + 25 * 3600 }), 'lifetime', false],
  [
    'no signature',
    (client) => new UnsecuredJWT(client.issuer.claims(client.now / 1000)).encode(),
    'algorithm',
    false,
  ],
  ['the public key as a secret', signedWithPublicKey, 'algorithm', false],
  [
    'a key in its header',
    (client) => client.assertion({}, { jku: 'https://evil.example/keys' }),
    'header',
    false,
  ],
  ['an unknown key', (client) => client.assertion({}, { kid: 'two' }), 'unknown key', true],
  ['the signature of another key', signedWithOtherKey, 'signature', true],
  [
    'another text',
    async (client) => (await client.assertion()).replace(/\.[^.]{10}/, '.AAAAAAAAAA'),
    'malformed',
    false,
  ],
  ['no form of a token', () => 'assertion', 'malformed', false],
  ['a character that is not base64url', async (client) => `${await client.assertion()}é`, 'signature', true],
]

async function signedWithPublicKey({ issuer, now }: FederatedClient): Promise<string> {
  const key = (await importJWK(issuer.keys[0]?.jwk ?? {}, 'RS256', { extractable: true })) as CryptoKey
  return await new SignJWT(issuer.claims(now / 1000))
    .setProtectedHeader({ alg: 'HS256', kid: 'one', typ: 'JWT' })
    .sign(new TextEncoder().encode(await exportSPKI(key)))
}

async function signedWithOtherKey(client: FederatedClient): Promise<string> {
  const { keys } = client.issuer
  await client.issuer.rotate('two')
  const assertion = await client.assertion({}, { kid: 'one' })
  client.issuer.keys = keys
  return assertion
}

describe('an assertion', () => {
  it.for(WRONG)('is refused with %s', async ([, make, , needsKeys]) => {
    const client = await newFederatedClient()
    const answer = await client.request(await make(client))
    expect([answer.status, answer.body]).toEqual([401, REFUSED])
    expect(answer.headers.get('WWW-Authenticate')).toContain('Basic')
    expect(costOf(answer).roundTrips).toBe(1)
    expect(client.issuer.requested).toEqual(needsKeys ? [client.issuer.jwksUri] : [])
  })

  it('is refused with the same answer for each reason, which the logs have', async () => {
    const client = await newFederatedClient()
    client.settings = { requestLog: true }
    // The record of an earlier test may wait to be written.
    client.now += HOUR
    const logged = vi.spyOn(console, 'log').mockImplementation(() => undefined)
    for (const [, make] of WRONG) await client.request(await make(client))
    const refusals = logged.mock.calls.map(([line]) => JSON.parse(String(line)).refused)
    expect(refusals).toEqual(WRONG.map(([, , reason]) => `assertion: ${reason}`))
    for (const task of client.later) await task()
    const { body } = await admin('GET', `/tenants/${client.tenantId}/log`)
    expect(body.entries).toHaveLength(new Set(WRONG.map(([, , reason]) => reason)).size)
    expect(body.entries).toContainEqual(
      expect.objectContaining({
        ...{ action: 'authenticate', outcome: 'refused', status: 401, clientId: client.clientId },
        ...{ clientName: 'Entra', tokenName: null, resourceType: 'Client', resourceName: 'Entra' },
        detail: 'the audience ("aud") of the assertion is none of those in the federation',
      }),
    )
  })

  it('must be requested by the application in "azp", if one is configured', async () => {
    const azp = 'b5ba7a93-4452-4522-aeb4-a2b5da870c16'
    const client = await newFederatedClient({ trust: { azp } })
    expect((await client.request(await client.assertion())).status).toBe(200)
    expect((await client.request(await client.assertion({ azp: undefined, appid: azp }))).status).toBe(200)
    expect((await client.request(await client.assertion({ azp: 'other' }))).status).toBe(401)
  })
})

describe('the keys of an issuer', () => {
  it('may be rotated', async () => {
    const client = await newFederatedClient()
    await client.signedIn()
    await client.issuer.rotate('two')
    const assertion = await client.assertion()
    expect((await client.request(assertion)).status).toBe(401)
    client.now += MINUTE
    expect((await client.request(assertion)).status).toBe(200)
    expect(client.issuer.requested).toHaveLength(2)
  })

  it('are used for a day while they cannot be fetched', async () => {
    const client = await newFederatedClient()
    await client.signedIn()
    client.issuer.answer = () => new Response('busy', { status: 503 })
    client.now += 24 * HOUR - MINUTE
    await client.signedIn()
    client.now += 2 * MINUTE
    const error = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const answer = await client.request(await client.assertion())
    expect([answer.status, answer.body.error]).toEqual([503, 'temporarily_unavailable'])
    expect(answer.headers.get('Retry-After')).toBe('5')
    expect(error.mock.calls.join()).toContain(`${client.issuer.jwksUri} answered with status 503`)
    client.issuer.answer = undefined
    client.now += MINUTE
    await client.signedIn()
  })

  // Another isolate has nothing in its memory. Another URL has the same effect.
  it('are stored with the federation, for a server that begins during an outage', async () => {
    const client = await newFederatedClient()
    await client.signedIn()
    const { issuer } = client
    const stored = env.DB
    const jwksUri = `${issuer.jwksUri}?new`
    await stored
      .prepare('UPDATE client_trusts SET jwks_uri = ? WHERE client_id = ?')
      .bind(jwksUri, client.clientId)
      .run()
    issuer.answer = () => {
      throw new TypeError('no network')
    }
    client.now += HOUR
    await client.signedIn()
    expect(issuer.requested).toEqual([issuer.jwksUri, jwksUri])
  })

  it.for<[string, () => Response | Promise<Response>]>([
    ['HTML', () => new Response('<html></html>', { headers: { 'Content-Type': 'text/html' } })],
    ['huge', () => new Response(`{"keys":[${' '.repeat(200_000)}]}`)],
    [
      'a redirect',
      () => new Response(null, { status: 302, headers: { Location: 'https://evil.example/keys' } }),
    ],
    ['missing', () => new Response('not found', { status: 404 })],
    ['unreachable', () => Promise.reject(new TypeError('no network'))],
  ])('are unavailable if the answer is %s, and no other host is asked', async ([, answer]) => {
    const client = await newFederatedClient()
    client.issuer.answer = answer
    client.now += 2 * HOUR
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const refused = await client.request(await client.assertion())
    expect([refused.status, refused.body.error]).toEqual([503, 'temporarily_unavailable'])
    expect(client.issuer.requested).toEqual([client.issuer.jwksUri])
    client.now += MINUTE
    for (const task of client.later) await task()
    client.issuer.answer = undefined
    await client.signedIn()
  })

  it('are unavailable if the answer is slow', async () => {
    const client = await newFederatedClient()
    let isAborted = false
    client.issuer.answer = (_url, init) =>
      new Promise((_, reject) => {
        init?.signal?.addEventListener('abort', () => {
          isAborted = true
          reject(new Error('aborted'))
        })
      })
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const requests = [1, 2].map(async () => (await client.request(await client.assertion())).status)
    while (client.issuer.requested.length === 0) await nextTurn()
    vi.advanceTimersByTime(4_999)
    await nextTurn()
    expect(isAborted).toBe(false)
    vi.advanceTimersByTime(1)
    expect([await Promise.all(requests), isAborted]).toEqual([[503, 503], true])
    expect(client.issuer.requested).toHaveLength(1)
  })

  it('are not fetched from a host that the operator has removed', async () => {
    const client = await newFederatedClient()
    client.settings = { federationHosts: ['idp.example'] }
    const trust = { ...trustOf(client.issuer), jwksUri: 'https://idp.example/keys' }
    expect((await client.admin('PUT', `${client.path}/federation`, trust)).status).toBe(200)
    client.issuer.answer = () => Response.json({ keys: client.issuer.keys.map(({ jwk }) => jwk) })
    await client.signedIn()
    client.settings = {}
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    expect((await client.request(await client.assertion())).status).toBe(503)
    expect(client.issuer.requested).toEqual(['https://idp.example/keys'])
  })

  it('are recorded as unavailable in the log of the tenant', async () => {
    const client = await newFederatedClient()
    client.now += 3 * HOUR
    client.issuer.answer = () => new Response('', { status: 500 })
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    await client.request(await client.assertion())
    for (const task of client.later) await task()
    const { body } = await admin('GET', `/tenants/${client.tenantId}/log`)
    expect(body.entries).toMatchObject([
      {
        ...{ action: 'authenticate', status: 503, clientId: client.clientId },
        detail: 'the keys of the issuer cannot be fetched; the log of the server has the reason',
      },
    ])
  })
})

describe('the federation of a client', () => {
  it('is entered with the values of the issuer, and shows those for the client', async () => {
    const client = await newFederatedClient()
    const trust = trustOf(client.issuer)
    const put = await admin('PUT', `${client.path}/federation`, trust)
    const federation = {
      ...{ clientId: client.clientId, ...trust, azp: null, lastUsedAt: null },
      createdAt: expect.stringMatching(/Z$/),
    }
    expect(put.body).toEqual({ ...federation, tokenUrl: TOKEN_URL, tenantUrl: TENANT_URL })
    const got = await admin('GET', client.path)
    expect([got.status, got.body.federation]).toEqual([200, federation])
    const clients = `/tenants/${client.tenantId}/clients`
    const plain = await admin('POST', clients, { name: 'Plain' })
    const other = await admin('GET', `${clients}/${plain.body.id}`)
    expect(other.body.federation).toBeNull()
  })

  it('is named by the log when a token that it has ended is used', async () => {
    const client = await newFederatedClient()
    const scim = await client.signedIn()
    client.now += HOUR / 2
    await admin('DELETE', `${client.path}/federation`)
    expect((await scim.get('/Users')).status).toBe(401)
    for (const task of client.later) await task()
    expect(await scim.log()).toMatchObject([
      {
        ...{ action: 'authenticate', clientId: client.clientId, clientName: 'Entra' },
        detail: 'the token was revoked',
      },
    ])
  })

  it('has the time of its last use', async () => {
    const client = await newFederatedClient()
    await client.signedIn()
    const { body } = await admin('GET', client.path)
    expect(body.federation.lastUsedAt).toBe(new Date(client.now).toISOString())
  })

  it('ends the access tokens of its assertions when it is replaced, removed, or its client is deleted', async () => {
    const client = await newFederatedClient()
    const secret = await newSecret(client.tenantId, client.clientId)
    const bySecret = {
      client_secret: secret.clientSecret,
      client_assertion: undefined,
      client_assertion_type: undefined,
    }
    const kept = client.clientWith((await client.request('', bySecret)).body.access_token)
    const ends = [
      () => admin('PUT', `${client.path}/federation`, { ...trustOf(client.issuer), azp: null }),
      () => admin('DELETE', `${client.path}/federation`),
    ]
    for (const end of ends) {
      const scim = await client.signedIn()
      expect((await scim.get('/Users')).status).toBe(200)
      expect((await end()).status).toBeLessThan(300)
      expect((await scim.get('/Users')).status).toBe(401)
      expect((await kept.get('/Users')).status).toBe(200)
    }
    expect((await client.request(await client.assertion())).body).toEqual(REFUSED)
    expect((await admin('DELETE', `${client.path}/federation`)).status).toBe(404)
    await admin('PUT', `${client.path}/federation`, trustOf(client.issuer))
    const scim = await client.signedIn()
    await admin('DELETE', client.path)
    expect((await scim.get('/Users')).status).toBe(401)
    expect((await client.request(await client.assertion())).body).toEqual(REFUSED)
    expect((await admin('PUT', `${client.path}/federation`, trustOf(client.issuer))).status).toBe(404)
  })

  it.for(['federation', ''])(
    'leaves no valid token behind if it ends while tokens are issued: %j',
    async (part) => {
      const client = await newFederatedClient()
      const assertion = await client.assertion()
      const answers = [await client.request(assertion)]
      const requests = Array.from({ length: 20 }, async (_, i) => {
        if (i !== 10) answers.push(await client.request(assertion))
        else expect((await admin('DELETE', `${client.path}/${part}`)).status).toBe(204)
      })
      await Promise.all(requests)
      expect(answers[0]?.status).toBe(200)
      for (const { status, body } of answers) {
        if (status !== 200) expect(body).toEqual(REFUSED)
        else expect((await client.clientWith(body.access_token).get('/Users')).status).toBe(401)
      }
    },
  )

  it('is not found for a client of another tenant', async () => {
    const client = await newFederatedClient()
    const { tenantId } = await newClient()
    const path = `/tenants/${tenantId}/clients/${client.clientId}/federation`
    expect((await admin('PUT', path, trustOf(client.issuer))).status).toBe(404)
    expect((await admin('DELETE', path)).status).toBe(404)
    await client.signedIn()
  })

  it.for<[string, Record<string, unknown>, string]>([
    ['another host', { jwksUri: 'https://evil.example/keys' }, 'jwksUri'],
    [
      'a host that only begins like one of Entra',
      { jwksUri: 'https://login.microsoftonline.com.evil.example/' },
      'jwksUri',
    ],
    ['another port', { jwksUri: 'https://login.microsoftonline.com:8443/keys' }, 'jwksUri'],
    ['a user', { jwksUri: 'https://login.microsoftonline.com@evil.example/keys' }, 'jwksUri'],
    ['a user of an allowed host', { jwksUri: 'https://a:b@login.microsoftonline.com/keys' }, 'jwksUri'],
    ['http', { jwksUri: 'http://login.microsoftonline.com/keys' }, 'jwksUri'],
    ['a loopback address', { jwksUri: 'http://127.0.0.1:9876/keys' }, 'jwksUri'],
    ['a file', { jwksUri: 'file:///etc/passwd' }, 'jwksUri'],
    ['no URL', { jwksUri: 'keys' }, 'jwksUri'],
    ['a fragment', { jwksUri: 'https://login.microsoftonline.com/keys#a' }, 'jwksUri'],
    ['no keys', { jwksUri: undefined }, 'jwksUri'],
    ['keys and their URL', { jwks: { keys: [] } }, 'jwksUri'],
    [
      'no usable key',
      { jwksUri: undefined, jwks: { keys: [{ kty: 'oct', kid: 'one', k: 'AAAA' }] } },
      'jwks',
    ],
    ['no JWK Set', { jwksUri: undefined, jwks: [] }, 'jwks'],
    ['no audience', { audiences: [] }, 'audiences'],
    ['an empty audience', { audiences: [''] }, 'audiences.0'],
    ['too many audiences', { audiences: Array(11).fill('a') }, 'audiences'],
    ['an audience that is not a text', { audiences: [1] }, 'audiences.0'],
    ['an empty issuer', { issuer: '' }, 'issuer'],
    ['a long subject', { subject: 'a'.repeat(501) }, 'subject'],
    ['a subject of two lines', { subject: 'a\nb' }, 'subject'],
    ['an unknown field', { jwks_uri: 'x' }, 'jwks_uri'],
  ])('cannot be entered with %s', async ([, more, field]) => {
    const client = await newFederatedClient()
    const answer = await admin('PUT', `${client.path}/federation`, { ...trustOf(client.issuer), ...more })
    expect([answer.status, answer.body.error.field]).toEqual([400, field])
    expect((await admin('GET', client.path)).body.federation).toMatchObject(trustOf(client.issuer))
  })

  it.for(['login.microsoftonline.com', 'login.microsoftonline.us', 'login.partner.microsoftonline.cn'])(
    'may have its keys at %s',
    async (host) => {
      const client = await newFederatedClient()
      const trust = { ...trustOf(client.issuer), jwksUri: `https://${host}/tenant/discovery/v2.0/keys` }
      expect((await admin('PUT', `${client.path}/federation`, trust)).status).toBe(200)
    },
  )

  it('may have its keys at the hosts in FEDERATION_HOSTS, and at a loopback address in it without TLS', async () => {
    const client = await newFederatedClient()
    client.settings = { federationHosts: ['idp.example:8443', '127.0.0.1:9876', 'localhost:9876'] }
    const statusOf = async (jwksUri: string) => {
      const trust = { ...trustOf(client.issuer), jwksUri }
      return (await client.admin('PUT', `${client.path}/federation`, trust)).status
    }
    for (const uri of [
      'https://idp.example:8443/keys',
      'http://127.0.0.1:9876/keys',
      'http://localhost:9876/keys',
    ]) {
      expect(await statusOf(uri)).toBe(200)
    }
    for (const uri of [
      'http://idp.example:8443/keys',
      'http://127.0.0.1/keys',
      'http://127.0.0.2:9876/keys',
    ]) {
      expect(await statusOf(uri)).toBe(400)
    }
  })
})

describe('a client that signs its own assertions (private_key_jwt)', () => {
  const ownKeys = (issuer: Issuer) => ({ keys: issuer.keys.map(({ jwk }) => jwk) })

  it('needs only its keys, and names itself and the token endpoint', async () => {
    const client = await newFederatedClient()
    const { issuer, clientId } = client
    const put = await admin('PUT', `${client.path}/federation`, { jwks: ownKeys(issuer) })
    expect(put.body).toMatchObject({
      ...{ issuer: clientId, subject: clientId, audiences: [TOKEN_URL, ORIGIN], tid: null, jwksUri: null },
      jwks: { keys: [{ kid: 'one', kty: 'RSA' }] },
    })
    for (const aud of [TOKEN_URL, ORIGIN, [ORIGIN]]) {
      const claims = {
        iss: clientId,
        sub: clientId,
        aud,
        tid: undefined,
        azp: undefined,
        jti: crypto.randomUUID(),
      }
      expect((await client.request(await client.assertion(claims))).status).toBe(200)
    }
    expect((await client.request(await client.assertion())).status).toBe(401)
    expect(issuer.requested).toEqual([])
  })

  it('never shows the private part of a key that was entered', async () => {
    const client = await newFederatedClient()
    const [key] = ownKeys(client.issuer).keys
    const jwks = { keys: [key, { ...key, kid: 'private', d: 'AAAA', p: 'AAAA' }] }
    const put = await admin('PUT', `${client.path}/federation`, { jwks })
    expect(put.body.jwks.keys.map(({ kid }: { kid: string }) => kid)).toEqual(['one'])
  })

  it('may have its keys at a URL', async () => {
    const client = await newFederatedClient()
    const { issuer, clientId } = client
    await admin('PUT', `${client.path}/federation`, { jwksUri: issuer.jwksUri })
    const claims = { iss: clientId, sub: clientId, aud: TOKEN_URL }
    expect((await client.request(await client.assertion(claims))).status).toBe(200)
    expect(issuer.requested).toEqual([issuer.jwksUri])
  })
})
