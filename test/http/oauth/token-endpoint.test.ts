/**
 * The token endpoint with client secrets (RFC 6749 §2.3.1, §4.4, §5.1, §5.2).
 */
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { admin, Client, costOf, ORIGIN, send } from '../../support/harness.ts'
import { basic, formOf, newOauthClient, newSecret, requestToken, signedIn } from '../../support/oauth.ts'

const GRANT = { grant_type: 'client_credentials' }

describe('the token endpoint', () => {
  it('issues an access token for a secret in the body or in the header, in one round trip', async () => {
    const client = await newOauthClient()
    const header = basic(client.clientId, client.clientSecret)
    for (const answer of [
      await requestToken(formOf(client)),
      await requestToken(GRANT, header),
      await requestToken({ ...GRANT, client_id: client.clientId }, header),
    ]) {
      expect(answer.status).toBe(200)
      expect(answer.headers.get('Content-Type')).toBe('application/json')
      expect(answer.headers.get('Cache-Control')).toBe('no-store')
      expect(answer.headers.get('Pragma')).toBe('no-cache')
      expect(answer.body).toEqual({
        access_token: expect.stringMatching(new RegExp(`^scim_${client.tenantId}_[\\w-]{43}$`)),
        token_type: 'Bearer',
        expires_in: 3600,
        scope: 'scim',
      })
      expect(costOf(answer).roundTrips).toBe(1)
      const scim = new Client(client.tenantId, answer.body.access_token)
      expect((await scim.get('/Users?startIndex=1&count=1')).status).toBe(200)
    }
  })

  it('decodes each half of the header as a form does', async () => {
    const client = await newOauthClient()
    const encoded = (text: string) =>
      [...text].map((character) => `%${character.charCodeAt(0).toString(16)}`).join('')
    const credential = btoa(`${encoded(client.clientId)}:${encoded(client.clientSecret)}`)
    expect((await requestToken(GRANT, { Authorization: `basic ${credential}` })).status).toBe(200)
  })

  it('issues the lifetime and the scope of the client, and less on request', async () => {
    const client = await newOauthClient({ tokenLifetime: 21_600 })
    expect((await requestToken(formOf(client))).body).toMatchObject({ expires_in: 21_600, scope: 'scim' })
    const scopes = [
      ['scim', 'scim'],
      ['scim:read', 'scim:read'],
      ['scim:read scim', 'scim'],
      ['', 'scim'],
    ] as const
    for (const [asked, scope] of scopes)
      expect((await requestToken(formOf(client, { scope: asked }))).body.scope).toBe(scope)
    const reader = await newOauthClient({ scope: 'read' })
    expect((await requestToken(formOf(reader, { scope: 'scim' }))).body.scope).toBe('scim:read')
    for (const scim of [await signedIn(reader), await signedIn(client, { scope: 'scim:read' })]) {
      expect((await scim.get('/Users')).status).toBe(200)
      expect((await scim.request('POST', '/Users', { userName: 'a' })).status).toBe(403)
    }
  })

  it('ignores unknown parameters, also repeated ones', async () => {
    const client = await newOauthClient()
    const form = `${new URLSearchParams(formOf(client))}&baseAddress=https%3A%2F%2Fx.example&resource=a&resource=b`
    expect((await requestToken(form)).status).toBe(200)
  })

  it.for([
    ['no body', '', {}, 400, 'invalid_request'],
    ['no grant type', { client_id: 'a', client_secret: 'b' }, {}, 400, 'invalid_request'],
    ['an empty grant type', { grant_type: '' }, {}, 400, 'invalid_request'],
    ['another grant type', { grant_type: 'password' }, {}, 400, 'unsupported_grant_type'],
    ['a grant type in quotes', { grant_type: '"é\\' }, {}, 400, 'unsupported_grant_type'],
    [
      'a repeated parameter',
      'grant_type=client_credentials&grant_type=client_credentials',
      {},
      400,
      'invalid_request',
    ],
    ['invalid encoding', 'grant_type=%zz', {}, 400, 'invalid_request'],
    [
      'a JSON body',
      '{"grant_type":"client_credentials"}',
      { 'Content-Type': 'application/json' },
      400,
      'invalid_request',
    ],
    [
      'a form of 1 MiB',
      `grant_type=client_credentials&x=${'x'.repeat(1024 * 1024)}`,
      {},
      400,
      'invalid_request',
    ],
    ['an unknown scope', { ...GRANT, scope: 'scim admin' }, {}, 400, 'invalid_scope'],
    ['no credential', GRANT, {}, 401, 'invalid_client'],
    ['half a credential', { ...GRANT, client_secret: 'x' }, {}, 400, 'invalid_request'],
    ['no secret', { ...GRANT, client_id: 'default_x' }, {}, 401, 'invalid_client'],
    [
      'an id that names no tenant',
      { ...GRANT, client_id: 'x', client_secret: 'y' },
      {},
      401,
      'invalid_client',
    ],
    [
      'two credentials',
      { ...GRANT, client_id: 'a', client_secret: 'b' },
      basic('a', 'b'),
      400,
      'invalid_request',
    ],
    ['two client ids', { ...GRANT, client_id: 'a' }, basic('b', 'c'), 400, 'invalid_request'],
    ['a bearer token', GRANT, { Authorization: 'Bearer x' }, 401, 'invalid_client'],
    ['a header without a colon', GRANT, { Authorization: `Basic ${btoa('x')}` }, 401, 'invalid_client'],
    ['a header that is not base64', GRANT, { Authorization: 'Basic ***' }, 401, 'invalid_client'],
  ] as const)('refuses %s', async ([, form, headers, status, error]) => {
    const answer = await requestToken(form, headers)
    expect([answer.status, answer.body.error]).toEqual([status, error])
    // RFC 6749 §5.2: the characters of a description.
    expect(answer.body.error_description).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/)
    expect(answer.headers.get('Content-Type')).toBe('application/json')
    expect(answer.headers.get('Cache-Control')).toBe('no-store')
    expect(answer.headers.get('WWW-Authenticate')?.startsWith('Basic realm=') ?? false).toBe(status === 401)
  })

  it.for(['GET', 'PUT', 'DELETE', 'OPTIONS'])('answers 405 to %s', async (method) => {
    const answer = await requestToken('', {}, method)
    expect([answer.status, answer.headers.get('Allow'), answer.body.error]).toEqual([
      405,
      'POST',
      'invalid_request',
    ])
  })

  it('names each request, as the log does', async () => {
    const client = await newOauthClient()
    for (const form of [formOf(client), formOf({ ...client, clientSecret: 'x' }), '']) {
      const { headers } = await requestToken(form, { 'X-Request-Id': 'one' })
      expect(headers.get('X-Request-Id')).toBe('one')
    }
  })

  it('answers an ambiguous address in its own form', async () => {
    const answer = await send(new Request(`${ORIGIN}/oauth/token?a=%zz`, { method: 'POST' }))
    expect([answer.status, answer.body.error]).toEqual([400, 'invalid_request'])
  })
})

describe('a wrong credential', () => {
  it('gets the same answer at the same cost, whatever is wrong', async () => {
    const [client, other] = [await newOauthClient(), await newOauthClient()]
    const revoked = await newSecret(client.tenantId, client.clientId)
    const expired = await newSecret(client.tenantId, client.clientId)
    const path = `/tenants/${client.tenantId}/clients/${client.clientId}/secrets/${revoked.id}`
    expect((await admin('DELETE', path)).status).toBe(204)
    await env.DB.prepare('UPDATE client_secrets SET expires_at = ?1 WHERE id = ?2')
      .bind(Date.now(), expired.id)
      .run()
    const wrong = { ...client, clientSecret: `scims_${'A'.repeat(43)}` }
    const answers = [
      wrong,
      { ...client, clientId: `${client.tenantId}_${'A'.repeat(22)}` },
      { ...client, clientId: `nobody_${'A'.repeat(22)}` },
      { ...client, clientSecret: other.clientSecret },
      { ...other, clientId: client.clientId },
      revoked,
      expired,
    ].map(async (credential) => await requestToken(formOf(credential)))
    for (const answer of await Promise.all(answers)) {
      expect([answer.status, answer.body.error]).toEqual([401, 'invalid_client'])
      expect(answer.body).toEqual((await requestToken(formOf(wrong))).body)
      expect(costOf(answer)).toMatchObject({ roundTrips: 1, rowsWritten: 0 })
    }
  })
})

describe('revocation', () => {
  it('ends the access tokens of a secret at the next request, and no others', async () => {
    const client = await newOauthClient()
    const second = { ...(await newSecret(client.tenantId, client.clientId)), tenantId: client.tenantId }
    const [scim, other] = [await signedIn(client), await signedIn(second)]
    expect((await scim.get('/Users')).status).toBe(200)
    expect((await admin('DELETE', `/tenants/${client.tenantId}/secrets/${client.id}`)).status).toBe(204)
    expect((await scim.get('/Users')).status).toBe(401)
    expect((await scim.request('POST', '/Users', { userName: 'a' })).status).toBe(401)
    expect((await other.get('/Users')).status).toBe(200)
    expect((await requestToken(formOf(client))).status).toBe(401)
    expect((await requestToken(formOf(second))).status).toBe(200)
  })

  it('ends everything of a client that is deleted', async () => {
    const client = await newOauthClient()
    const scim = await signedIn(client)
    await admin('DELETE', `/tenants/${client.tenantId}/clients/${client.clientId}`)
    expect((await scim.get('/Users')).status).toBe(401)
    expect((await requestToken(formOf(client))).status).toBe(401)
  })
})
