/**
 * Services that a Worker gets from the platform, and that a self-hosted server implements itself.
 */
import { describe, expect, it } from 'vitest'
import { forwarded } from '../../src/self-hosted/forwarded.ts'
import { InFlight } from '../../src/self-hosted/in-flight.ts'
import { RateLimits } from '../../src/self-hosted/rate-limits.ts'

describe('forwarded', () => {
  const seen = (headers: Record<string, string>, url = 'http://10.0.0.5:8787/scim/v2/Users?count=1') => {
    const { origin, address } = forwarded({ request: new Request(url, { headers }), address: '10.0.0.1' })
    return [origin, address]
  }

  it.for([
    [{}, undefined, '10.0.0.1'],
    [{ 'X-Forwarded-Proto': 'https' }, 'https://10.0.0.5:8787', '10.0.0.1'],
    [
      { 'X-Forwarded-Proto': 'https', Host: 'scim.quillfern.example' },
      'https://scim.quillfern.example',
      '10.0.0.1',
    ],
    [
      { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'scim.quillfern.example' },
      'https://scim.quillfern.example',
      '10.0.0.1',
    ],
    [
      { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'scim.quillfern.example:8443' },
      'https://scim.quillfern.example:8443',
      '10.0.0.1',
    ],
    // The values of the client come first; the proxy appends its own.
    [
      { 'X-Forwarded-For': '6.6.6.6, 192.0.2.7', 'X-Forwarded-Host': 'evil.example, scim.quillfern.example' },
      'http://scim.quillfern.example',
      '192.0.2.7',
    ],
  ] as const)('%j', ([headers, origin, address]) => {
    expect(seen(headers)).toEqual([origin, address])
  })

  it.for([
    ['X-Forwarded-Proto', 'javascript'],
    ['X-Forwarded-Host', 'a/b@c'],
    ['X-Forwarded-Host', 'a/admin/api/tenants?'],
    ['X-Forwarded-Host', 'a:99999'],
  ] as const)('refuses %s: %s', ([name, value]) => {
    expect(() => seen({ [name]: value })).toThrow(`"${name}" must be`)
  })
})

describe('RateLimits', () => {
  const limits = { client: 2, tenant: Number.POSITIVE_INFINITY, signIn: 1, failedAuthentication: 1 }

  it('counts each key separately, and starts again after the period', () => {
    let now = 0
    const rates = new RateLimits(limits, () => now)
    expect([1, 2, 3].map(() => rates.isAllowed('client', 'a'))).toEqual([true, true, false])
    expect(rates.isAllowed('client', 'b')).toBe(true)
    now = 9_999
    expect(rates.isAllowed('client', 'a')).toBe(false)
    now = 10_000
    expect(rates.isAllowed('client', 'a')).toBe(true)
  })

  it('has no limit by default', () => {
    const rates = new RateLimits(limits, () => 0)
    expect(Array.from({ length: 50_000 }, () => rates.isAllowed('tenant', 'a')).every(Boolean)).toBe(true)
  })

  it('continues when its memory is full of strangers', () => {
    const rates = new RateLimits(limits, () => 0)
    for (let i = 0; i < 150_000; i++) rates.isAllowed('failedAuthentication', `address ${i}`)
    expect(rates.isAllowed('signIn', 'me')).toBe(true)
    expect(rates.isAllowed('signIn', 'me')).toBe(false)
  })
})

describe('InFlight', () => {
  it('ends when the last answer was sent, not when it was computed', async () => {
    const inFlight = new InFlight()
    let send: (() => void) | undefined
    await inFlight.track(async () => 'ready', new Promise<void>((resolve) => (send = resolve)))
    expect(await inFlight.none(1)).toBe(false)
    const ended = inFlight.none(1_000)
    send?.()
    expect(await ended).toBe(true)
  })

  it('counts a failed answer as ended', async () => {
    const inFlight = new InFlight()
    await expect(inFlight.track(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(inFlight.count).toBe(0)
    await inFlight.track(async () => 1, Promise.reject(new Error('client gone')))
    expect(await inFlight.none(1_000)).toBe(true)
  })
})
