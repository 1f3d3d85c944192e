/** The emulated issuer: the shape of its assertions, its keys and metadata, its errors, and every fault. */
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { FAULTS, type Fault } from '../../../src/entra/issuer/faults.ts'
import { DEFAULT_IDENTITY } from '../../../src/entra/issuer/identity.ts'
import { Issuer } from '../../../src/entra/issuer/issuer.ts'
import { newSigningKey } from '../../../src/entra/issuer/signing-keys.ts'
import { countingIds, ManualClock } from '../support/job-harness.ts'

const ORIGIN = 'https://login.test.example'
const { tenantId, applicationId, objectId } = DEFAULT_IDENTITY
const KEY = await newSigningKey()
const STRANGER = '00000000-0000-4000-8000-000000000000'

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

class IssuerClient {
  readonly clock = new ManualClock()
  readonly #issuer: Issuer

  constructor(faults: readonly Fault[] = [], audience: 'guid' | 'uri' = 'guid') {
    const identity = { ...DEFAULT_IDENTITY, audience }
    const { clock } = this
    const options = { origin: ORIGIN, identity, clock, newId: countingIds(), faults: new Set(faults) }
    this.#issuer = new Issuer({ ...options, keys: [KEY] })
  }

  async send(path: string, form?: Record<string, string>): Promise<Answer> {
    const body = form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }
    const response = await this.#issuer.fetch(new Request(`${ORIGIN}${path}`, body))
    return { status: response.status, headers: response.headers, text: await response.text() }
  }

  token(form: Record<string, string> = {}): Promise<Answer> {
    const scope = `api://${applicationId}/.default`
    const complete = { grant_type: 'client_credentials', client_id: applicationId, client_secret: 's', scope }
    return this.send(`/${tenantId}/oauth2/v2.0/token`, { ...complete, ...form })
  }

  async assertion(): Promise<string> {
    return JSON.parse((await this.token()).text).access_token
  }

  keys(): Promise<Answer> {
    return this.send(`/${tenantId}/discovery/v2.0/keys`)
  }

  async jwks(): Promise<JSONWebKeySet> {
    return JSON.parse((await this.keys()).text)
  }
}

describe('an assertion', () => {
  it('has the claims of a real one, and a signature that the published keys verify', async () => {
    const issuer = new IssuerClient()
    const now = issuer.clock.now() / 1000
    const { payload, protectedHeader } = await jwtVerify(
      await issuer.assertion(),
      createLocalJWKSet(await issuer.jwks()),
      { currentDate: new Date(issuer.clock.now()) },
    )
    expect(protectedHeader).toEqual({ typ: 'JWT', alg: 'RS256', kid: KEY.kid })
    expect(payload).toEqual({
      aud: applicationId,
      iss: `${ORIGIN}/${tenantId}/v2.0`,
      iat: now - 300,
      nbf: now - 300,
      exp: now + 3600,
      azp: applicationId,
      azpacr: '1',
      oid: objectId,
      sub: objectId,
      tid: tenantId,
      uti: expect.stringMatching(/^[\w-]{22}$/),
      ver: '2.0',
    })
  })

  it('may have the audience as a URI', async () => {
    const issuer = new IssuerClient([], 'uri')
    expect(decodeJwt(await issuer.assertion()).aud).toBe(`api://${applicationId}`)
  })

  it('is answered with its remaining lifetime', async () => {
    expect(JSON.parse((await new IssuerClient().token()).text)).toEqual({
      token_type: 'Bearer',
      expires_in: 3599,
      ext_expires_in: 3599,
      access_token: expect.any(String),
    })
  })
})

describe('the issuer', () => {
  it('publishes its metadata and keys without private parts', async () => {
    const issuer = new IssuerClient()
    const metadata = await issuer.send(`/${tenantId}/v2.0/.well-known/openid-configuration`)
    expect(JSON.parse(metadata.text)).toMatchObject({
      issuer: `${ORIGIN}/${tenantId}/v2.0`,
      token_endpoint: `${ORIGIN}/${tenantId}/oauth2/v2.0/token`,
      jwks_uri: `${ORIGIN}/${tenantId}/discovery/v2.0/keys`,
    })
    const { kid, n, e } = KEY
    expect(await issuer.jwks()).toEqual({
      keys: [{ kty: 'RSA', use: 'sig', kid, n, e, issuer: `${ORIGIN}/${tenantId}/v2.0` }],
    })
  })

  it.each([
    [{ grant_type: '' }, 400, 'invalid_request', 'AADSTS900144'],
    [{ grant_type: 'password' }, 400, 'unsupported_grant_type', 'AADSTS70003'],
    [{ client_id: STRANGER }, 400, 'unauthorized_client', 'AADSTS700016'],
    [{ scope: 'scim' }, 400, 'invalid_scope', 'AADSTS70011'],
  ])('rejects a token request with %j', async (form, status, error, code) => {
    const answer = await new IssuerClient().token(form)
    expect(answer.status).toBe(status)
    expect(JSON.parse(answer.text)).toEqual({ error, error_description: expect.stringContaining(code) })
  })

  it('knows one tenant, and its token endpoint only by POST', async () => {
    const issuer = new IssuerClient()
    expect((await issuer.send(`/${STRANGER}/discovery/v2.0/keys`)).text).toContain('AADSTS90002')
    expect((await issuer.send(`/${tenantId}/oauth2/v2.0/token`)).status).toBe(405)
    expect((await issuer.send(`/${tenantId}/other`)).status).toBe(404)
  })
})

/** The claims of an assertion with a fault, if the published keys verify it. */
async function verifiedClaims(fault: Fault) {
  const issuer = new IssuerClient([fault])
  const assertion = await issuer.assertion()
  const options = { currentDate: new Date(issuer.clock.now()), algorithms: ['RS256'] }
  return (await jwtVerify(assertion, createLocalJWKSet(await issuer.jwks()), options)).payload
}

/** Each fault, and what a target sees of it. */
const SEEN: Readonly<Record<Fault, () => Promise<void>>> = {
  'key-rotation': async () => {
    const issuer = new IssuerClient(['key-rotation'])
    const assertions = [await issuer.assertion(), await issuer.assertion()]
    const kids = assertions.map((assertion) => decodeProtectedHeader(assertion).kid)
    expect((await issuer.jwks()).keys.map(({ kid }) => kid)).toEqual([KEY.kid, ...kids])
    expect(new Set([KEY.kid, ...kids]).size).toBe(3)
  },
  'unpublished-key': () => expect(verifiedClaims('unpublished-key')).rejects.toThrow(/no applicable key/),
  'wrong-audience': () =>
    expect(verifiedClaims('wrong-audience')).resolves.toMatchObject({ aud: STRANGER, azp: applicationId }),
  'wrong-issuer': () =>
    expect(verifiedClaims('wrong-issuer')).resolves.toMatchObject({ iss: `${ORIGIN}/${STRANGER}/v2.0` }),
  'wrong-subject': () =>
    expect(verifiedClaims('wrong-subject')).resolves.toMatchObject({ sub: STRANGER, oid: STRANGER }),
  'wrong-tenant': () => expect(verifiedClaims('wrong-tenant')).resolves.toMatchObject({ tid: STRANGER }),
  expired: () => expect(verifiedClaims('expired')).rejects.toThrow(/"exp" claim timestamp check failed/),
  'alg-none': async () => {
    const assertion = await new IssuerClient(['alg-none']).assertion()
    expect(decodeProtectedHeader(assertion).alg).toBe('none')
    expect(assertion.split('.')[2]).toBe('')
  },
  hs256: async () => {
    const assertion = await new IssuerClient(['hs256']).assertion()
    expect(decodeProtectedHeader(assertion)).toEqual({ typ: 'JWT', alg: 'HS256', kid: KEY.kid })
  },
  'token-outage': async () => expect((await new IssuerClient(['token-outage']).token()).status).toBe(503),
  'jwks-outage': async () => expect((await new IssuerClient(['jwks-outage']).keys()).status).toBe(503),
  'jwks-html': async () => {
    const { status, text, headers } = await new IssuerClient(['jwks-html']).keys()
    expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    expect(text).toMatch(/^<!DOCTYPE html>/)
  },
  'jwks-huge': async () => {
    const { text } = await new IssuerClient(['jwks-huge']).keys()
    expect(text.length).toBeGreaterThan(1_000_000)
    expect(JSON.parse(text).keys).toHaveLength(1)
  },
  'jwks-slow': async () => {
    const issuer = new IssuerClient(['jwks-slow'])
    expect((await issuer.keys()).status).toBe(200)
    expect(issuer.clock.slept).toEqual([10_000])
  },
  'jwks-redirect': async () => {
    const issuer = new IssuerClient(['jwks-redirect'])
    const { status, headers } = await issuer.keys()
    expect(status).toBe(302)
    const moved = await issuer.send(headers.get('location')?.slice(ORIGIN.length) ?? '')
    expect(JSON.parse(moved.text).keys).toHaveLength(1)
  },
}

describe('a fault of the issuer', () => {
  it.each(Object.keys(FAULTS) as Fault[])('can be %s', (fault) => SEEN[fault]())
})
