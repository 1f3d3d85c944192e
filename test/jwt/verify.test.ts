/** The check of a signed token: what it may claim, and in which order it is checked. */
import { exportJWK, exportSPKI, importJWK, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { publicKeysOf } from '../../src/jwt/public-key.ts'
import { type Expected, JwtRefused, verifyJwt } from '../../src/jwt/verify.ts'
import { Issuer } from '../support/issuer.ts'

const NOW = Date.UTC(2026, 10, 27)
const SECONDS = NOW / 1000
const DAY = 86_400

/** An issuer, and the check of its tokens. */
async function newIssuer(alg: 'RS256' | 'ES256' = 'RS256') {
  const issuer = await Issuer.create({ alg })
  const { iss, aud, sub, tid, azp } = issuer.claims(SECONDS)
  const expected: Expected = {
    ...{ issuer: iss, audiences: ['another', aud], subject: sub, tid, azp },
    maxLifetimeSeconds: DAY,
  }
  const asked: string[] = []
  const verify = (token: string, more: Partial<Expected> = {}) =>
    verifyJwt(token, {
      expected: { ...expected, ...more },
      now: NOW,
      findKey: async (kid) => {
        asked.push(kid)
        return publicKeysOf({ keys: issuer.keys.map(({ jwk }) => jwk) })?.find((key) => key.kid === kid)
      },
    })
  const refusal = async (token: string, more?: Partial<Expected>): Promise<string> => {
    const error = await verify(token, more).catch((thrown: unknown) => thrown)
    return error instanceof JwtRefused ? error.reason : `not refused: ${error}`
  }
  const token: Issuer['token'] = (claims, header) => issuer.token(claims, header, NOW)
  return { issuer, verify, refusal, token, asked }
}

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

describe('a token', () => {
  it.each(['RS256', 'ES256'] as const)('is accepted with a signature by %s', async (alg) => {
    const { verify, token } = await newIssuer(alg)
    expect(await verify(await token())).toMatchObject({ exp: SECONDS + 3600, ver: '2.0' })
  })

  it.each<[string, Record<string, unknown>]>([
    ['several audiences', { aud: ['first', 'another'] }],
    ['a clock that is 59 seconds ahead', { nbf: SECONDS + 59, iat: SECONDS + 59 }],
    ['a clock that is 59 seconds behind', { exp: SECONDS - 59 }],
    ['neither nbf nor iat', { nbf: undefined, iat: undefined }],
    [
      'the application in the claim of version 1.0',
      { azp: undefined, appid: 'b5ba7a93-4452-4522-aeb4-a2b5da870c16' },
    ],
    ['a lifetime of a day', { exp: SECONDS + DAY }],
  ])('is accepted with %s', async (_, claims) => {
    const { verify, token } = await newIssuer()
    await verify(await token(claims))
  })

  it.each(['JWT', 'jwt', 'application/jwt', 'client-authentication+jwt', undefined])(
    'is accepted with the type %s',
    async (typ) => {
      const { verify, token } = await newIssuer()
      await verify(await token({}, { typ } as { typ: string }))
    },
  )

  it.each<[string, Record<string, unknown>]>([
    ['issuer', { iss: 'https://login.microsoftonline.com/other/v2.0' }],
    ['issuer', { iss: undefined }],
    ['subject', { sub: 'other' }],
    ['subject', { sub: undefined }],
    ['audience', { aud: 'other' }],
    ['audience', { aud: undefined }],
    ['audience', { aud: [] }],
    ['audience', { aud: [['another']] }],
    ['tenant', { tid: 'other' }],
    ['tenant', { tid: undefined }],
    ['authorized party', { azp: 'other' }],
    ['authorized party', { azp: 'other', appid: 'b5ba7a93-4452-4522-aeb4-a2b5da870c16' }],
    ['expired', { exp: SECONDS - 60 }],
    ['lifetime', { exp: undefined }],
    ['lifetime', { exp: String(SECONDS + 60) }],
    ['lifetime', { exp: SECONDS + DAY + 61 }],
    ['not yet valid', { nbf: SECONDS + 61 }],
    ['not yet valid', { iat: SECONDS + 61 }],
    ['not yet valid', { nbf: 'soon' }],
    ['not yet valid', { iat: null }],
  ])('is refused for its %s, before a key is looked up: %j', async (reason, claims) => {
    const { issuer, refusal, asked } = await newIssuer()
    const claimed = { ...issuer.claims(SECONDS), ...claims }
    const [key] = issuer.keys
    const signed = await new SignJWT(claimed as JWTPayload)
      .setProtectedHeader({ alg: 'RS256', kid: 'one' })
      .sign(key?.privateKey as CryptoKey)
    expect([await refusal(signed), asked]).toEqual([reason, []])
  })

  it.each<[string, Record<string, unknown>]>([
    ['algorithm', { alg: 'none' }],
    ['algorithm', { alg: 'HS256' }],
    ['algorithm', { alg: 'PS256' }],
    ['algorithm', { alg: 'rs256' }],
    ['algorithm', { alg: undefined }],
    ['algorithm', { alg: ['RS256'] }],
    ['header', { kid: undefined }],
    ['header', { kid: '' }],
    ['header', { kid: 1 }],
    ['header', { jku: 'https://evil.example/keys' }],
    ['header', { jwk: {} }],
    ['header', { x5u: 'https://evil.example/certificate' }],
    ['header', { x5c: ['AAAA'] }],
    ['header', { crit: ['exp'] }],
    ['header', { crit: ['b64'], b64: false }],
    ['header', { typ: 'at+jwt' }],
    ['header', { typ: 1 }],
    ['header', { typ: ['JWT'] }],
  ])('is refused for its %s, before a key is looked up: %j', async (reason, header) => {
    const { refusal, token, asked } = await newIssuer()
    const [, payload, signature] = (await token()).split('.')
    const forged = [base64url({ alg: 'RS256', kid: 'one', typ: 'JWT', ...header }), payload, signature].join(
      '.',
    )
    expect([await refusal(forged), asked]).toEqual([reason, []])
  })

  it('is refused, not an error, with a deeply nested header', async () => {
    const { refusal } = await newIssuer()
    const nested = `${'['.repeat(6_000)}${']'.repeat(6_000)}`
    const header = Buffer.from(`{"alg":"RS256","kid":"one","typ":${nested}}`).toString('base64url')
    expect(await refusal(`${header}.e30.AAAA`)).toBe('header')
  })

  it.each([
    '',
    '..',
    'a.b',
    'a.b.c',
    'a.b.c.d',
    'a.b.c.d.e',
    'é.a.b',
    '{}',
    'e30.e30',
    `${'A'.repeat(20_000)}.e30.e30`,
  ])('is refused if it is malformed: %j', async (text) => {
    const { refusal, asked } = await newIssuer()
    expect([await refusal(text), asked]).toEqual(['malformed', []])
  })

  it.each(['"text"', '[]', 'null', '{"exp":1', '\ud800'])(
    'is refused if its claims are %s',
    async (claims) => {
      const { refusal, token } = await newIssuer()
      const [header, , signature] = (await token()).split('.')
      const payload = Buffer.from(claims).toString('base64url')
      expect(await refusal([header, payload, signature].join('.'))).toBe('malformed')
    },
  )

  it('is refused if it is longer than 16,384 characters', async () => {
    const { verify, refusal, token } = await newIssuer()
    await verify(await token({ roles: Array(200).fill(crypto.randomUUID()) }))
    expect(await refusal(await token({ roles: Array(500).fill(crypto.randomUUID()) }))).toBe('malformed')
  })

  it('is refused without a signature, and with one of another key', async () => {
    const { issuer, refusal, token } = await newIssuer()
    const unsecured = new UnsecuredJWT(issuer.claims(SECONDS)).encode()
    expect(await refusal(unsecured)).toBe('algorithm')
    const [header, payload, signature = ''] = (await token()).split('.')
    expect(await refusal([header, payload, ''].join('.'))).toBe('signature')
    expect(await refusal([header, payload, signature.slice(0, -8)].join('.'))).toBe('signature')
    expect(
      await refusal(
        [header, base64url({ ...issuer.claims(SECONDS), exp: SECONDS + 7200 }), signature].join('.'),
      ),
    ).toBe('signature')
    await issuer.rotate('two')
    const forged = await issuer.token({}, { kid: 'one' }, NOW)
    await issuer.rotate('one')
    expect(await refusal(forged)).toBe('signature')
  })

  it('is refused if the public key was used as a shared secret', async () => {
    const { issuer, refusal } = await newIssuer()
    const jwk = issuer.keys[0]?.jwk ?? {}
    const key = (await importJWK({ ...jwk, ext: true }, 'RS256', { extractable: true })) as CryptoKey
    for (const secret of [await exportSPKI(key), JSON.stringify(await exportJWK(key)), jwk.n ?? '']) {
      const forged = await new SignJWT(issuer.claims(SECONDS))
        .setProtectedHeader({ alg: 'HS256', kid: 'one' })
        .sign(new TextEncoder().encode(secret))
      expect(await refusal(forged)).toBe('algorithm')
    }
  })

  it('is refused if its key is unknown, or of a type for another algorithm', async () => {
    const { refusal, token, asked } = await newIssuer()
    expect(await refusal(await token({}, { kid: 'two' }))).toBe('unknown key')
    expect(asked).toEqual(['two'])
    const [, payload, signature] = (await token()).split('.')
    expect(await refusal([base64url({ alg: 'ES256', kid: 'one' }), payload, signature].join('.'))).toBe(
      'unknown key',
    )
  })

  it('may claim anything that is not configured', async () => {
    const { verify, token } = await newIssuer()
    const more = { subject: undefined, tid: undefined, azp: undefined, maxLifetimeSeconds: undefined }
    await verify(await token({ sub: 'other', tid: 'other', azp: 'other', exp: SECONDS + 365 * DAY }), more)
  })
})
