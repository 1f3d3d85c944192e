/** The cache of public keys: when it asks the issuer, and what it does without an answer. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { findKey, type KeySource, KeysUnavailable } from '../../src/jwt/key-sets.ts'
import { Issuer } from '../support/issuer.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

afterEach(() => vi.useRealTimers())

/** An issuer, and a source of its keys with a clock that moves by call. */
async function newSource() {
  const issuer = await Issuer.create()
  const clock = { now: Date.UTC(2026, 10, 27) }
  const source: KeySource = { url: issuer.jwksUri, fetch: issuer.fetch, now: () => clock.now }
  const find = (kid: string) => findKey(source, kid, 'RS256')
  return { issuer, clock, source, find }
}

describe('the keys of an issuer', () => {
  it('are fetched once for many tokens', async () => {
    const { issuer, clock, find } = await newSource()
    for (let i = 0; i < 5; i++) {
      clock.now += MINUTE
      expect((await find('one'))?.key.kid).toBe('one')
    }
    expect(issuer.requested).toEqual([issuer.jwksUri])
  })

  it('are fetched once for concurrent tokens', async () => {
    const { issuer, find } = await newSource()
    const found = await Promise.all([find('one'), find('one'), find('none')])
    expect(found.map((one) => one?.key.kid)).toEqual(['one', 'one', undefined])
    expect(issuer.requested).toHaveLength(1)
  })

  it('are fetched again after ten minutes, and a removed key is refused then', async () => {
    const { issuer, clock, find } = await newSource()
    await find('one')
    await issuer.rotate('two')
    clock.now += 9 * MINUTE
    expect(await find('one')).toBeDefined()
    clock.now += MINUTE
    expect(await find('one')).toBeUndefined()
    expect(issuer.requested).toHaveLength(2)
  })

  it('are fetched for an unknown key, at most once a minute', async () => {
    const { issuer, clock, find } = await newSource()
    await find('one')
    for (let i = 0; i < 59; i++) {
      clock.now += 1_000
      expect(await find(`made up ${i}`)).toBeUndefined()
    }
    expect(issuer.requested).toHaveLength(1)
    await issuer.rotate('two')
    clock.now += 1_000
    expect((await find('two'))?.key.kid).toBe('two')
    expect(issuer.requested).toHaveLength(2)
  })

  it('are used for a day while the issuer cannot be reached, and are then unavailable', async () => {
    const { issuer, clock, find } = await newSource()
    await find('one')
    issuer.answer = () => {
      throw new TypeError('no network')
    }
    clock.now += 24 * HOUR - MINUTE
    expect(await find('one')).toBeDefined()
    clock.now += MINUTE
    await expect(find('one')).rejects.toThrow(`${issuer.jwksUri} cannot be reached`)
    issuer.answer = undefined
    clock.now += MINUTE
    expect(await find('one')).toBeDefined()
  })

  it('are unavailable, not missing, if a new key cannot be asked for', async () => {
    const { issuer, clock, find } = await newSource()
    await find('one')
    issuer.answer = () => new Response('busy', { status: 503 })
    clock.now += 2 * MINUTE
    await expect(find('two')).rejects.toThrow(`${issuer.jwksUri} answered with status 503`)
    // The next minute has no request, and no other answer.
    await expect(find('two')).rejects.toThrow(KeysUnavailable)
    expect(issuer.requested).toHaveLength(2)
  })

  it.each<[string, Response, string]>([
    [
      'a redirect',
      new Response(null, { status: 302, headers: { Location: 'https://evil.example/' } }),
      'status 302',
    ],
    [
      'HTML',
      new Response('<html>', { headers: { 'Content-Type': 'text/html' } }),
      'did not answer with a JWK Set',
    ],
    ['JSON without keys', Response.json({ value: [] }), 'did not answer with a JWK Set'],
    ['a list', Response.json([{ kty: 'RSA' }]), 'did not answer with a JWK Set'],
    ['too many keys', Response.json({ keys: Array(101).fill({}) }), 'did not answer with a JWK Set'],
    ['too many bytes', new Response(' '.repeat(100_001)), 'more than 100000 bytes'],
  ])('are not read from %s', async (_, response, message) => {
    const { issuer, find } = await newSource()
    issuer.answer = (_url, init) => {
      expect(init?.redirect).toBe('manual')
      return response
    }
    await expect(find('one')).rejects.toThrow(message)
    expect(issuer.requested).toEqual([issuer.jwksUri])
  })

  it.each<[string, (signal: AbortSignal | null | undefined) => Response | Promise<Response>]>([
    ['does not begin', () => new Promise<Response>(() => undefined)],
    ['does not end', () => new Response(new ReadableStream({ pull: () => new Promise(() => undefined) }))],
  ])('are unavailable after five seconds if the answer %s', async (_, answer) => {
    const { issuer, clock, find } = await newSource()
    vi.useFakeTimers()
    let signal: AbortSignal | null | undefined
    issuer.answer = (_url, init) => {
      signal = init?.signal
      return answer(signal)
    }
    const finds = [find('one'), find('one')].map((found) => found.catch((error: unknown) => error))
    await vi.advanceTimersByTimeAsync(4_999)
    expect(signal?.aborted).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    for (const found of finds) {
      expect(await found).toEqual(new KeysUnavailable(`${issuer.jwksUri} did not answer within 5 seconds`))
    }
    expect(signal?.aborted).toBe(true)
    clock.now += MINUTE
    issuer.answer = undefined
    expect(await find('one')).toBeDefined()
  })

  it('have the type and the purpose that their use needs', async () => {
    const { issuer, find } = await newSource()
    const [key] = issuer.keys
    const rsa = key?.jwk ?? {}
    issuer.answer = () =>
      Response.json({
        keys: [
          { kty: 'oct', kid: 'secret', k: 'AAAA' },
          { ...rsa, kid: 'for encryption', use: 'enc' },
          { ...rsa, kid: 'for signing only', key_ops: ['sign'] },
          { ...rsa, kid: 'for another algorithm', alg: 'PS256' },
          { ...rsa, kid: 'private', d: 'AAAA' },
          { ...rsa, kid: 'short', n: 'AAAA' },
          { ...rsa, kid: 'long', n: 'A'.repeat(2000) },
          { ...rsa, kid: 'slow to verify with', e: `${'A'.repeat(11)}Q` },
          { kty: 'EC', crv: 'P-256', kid: 'of another curve', x: 'A'.repeat(64), y: 'A'.repeat(64) },
          { kty: 'EC', crv: 'P-256', kid: 'elliptic', x: 'AAAA', y: 'AAAA' },
          { ...rsa, kid: undefined },
          { ...rsa, kid: 'one', alg: 'RS256', x5c: ['AAAA'] },
        ],
      })
    expect((await find('one'))?.set.keys.map(({ kid, alg }) => [kid, alg])).toEqual([
      ['elliptic', 'ES256'],
      ['one', 'RS256'],
    ])
    expect(await find('elliptic')).toBeUndefined()
  })
})

describe('stored keys', () => {
  it('are used while the issuer cannot be reached, up to a day after their request', async () => {
    const { issuer, clock, source, find } = await newSource()
    const stored = (await find('one'))?.set
    const other = await newSource()
    other.issuer.answer = () => new Response('busy', { status: 503 })
    other.clock.now = clock.now + 23 * HOUR
    const restarted = { ...other.source, ...(stored && { stored }) }
    expect((await findKey(restarted, 'one', 'RS256'))?.set).toBe(stored)
    expect(other.issuer.requested).toHaveLength(1)
    other.clock.now += HOUR
    await expect(findKey(restarted, 'one', 'RS256')).rejects.toThrow('answered with status 503')
    expect([source.url, issuer.requested]).toEqual([issuer.jwksUri, [issuer.jwksUri]])
  })

  it('limit the requests for unknown keys, also after a restart', async () => {
    const { clock, find } = await newSource()
    const stored = (await find('one'))?.set
    const other = await newSource()
    other.clock.now = clock.now + 30_000
    expect(await findKey({ ...other.source, ...(stored && { stored }) }, 'two', 'RS256')).toBeUndefined()
    expect(other.issuer.requested).toEqual([])
  })

  it('of a server whose clock is ahead do not hide those that are fetched', async () => {
    const { issuer, source } = await newSource()
    const stored = { keys: [], fetchedAt: source.now() + 1 }
    const found = await findKey({ ...source, stored }, 'one', 'RS256')
    expect([found?.key.kid, found?.set.fetchedAt]).toEqual(['one', source.now()])
    expect(issuer.requested).toHaveLength(1)
  })

  it('serve only the call that has them', async () => {
    const { find } = await newSource()
    const stored = (await find('one'))?.set
    const other = await newSource()
    await other.issuer.rotate('two')
    await findKey({ ...other.source, ...(stored && { stored }) }, 'one', 'RS256')
    expect(await other.find('one')).toBeUndefined()
  })
})
