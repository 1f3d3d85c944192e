import { describe, expect, it } from 'vitest'
import { RunningSha256 } from '../../../src/storage/transfer/running-sha256.ts'

const hexOf = (buffer: ArrayBuffer) =>
  Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('')

describe('RunningSha256', () => {
  it('gives the digest of Web Cryptography for every length around its blocks', async () => {
    for (let length = 0; length <= 200; length++) {
      const bytes = crypto.getRandomValues(new Uint8Array(length))
      const sha256 = new RunningSha256()
      sha256.update(bytes)
      expect(sha256.digest, String(length)).toBe(hexOf(await crypto.subtle.digest('SHA-256', bytes)))
    }
  })

  it('continues from its state, however the bytes are split, and after each digest', async () => {
    const bytes = crypto.getRandomValues(new Uint8Array(5_000))
    const whole = new RunningSha256()
    whole.update(bytes)
    for (const size of [1, 3, 63, 64, 65, 1_000]) {
      let sha256 = new RunningSha256()
      for (let at = 0; at < bytes.length; at += size) {
        sha256.update(bytes.subarray(at, at + size))
        expect(sha256.digest).toHaveLength(64)
        sha256 = RunningSha256.resume(sha256.state)
      }
      expect(sha256.state).toBe(whole.state)
    }
    expect(whole.digest).toBe(hexOf(await crypto.subtle.digest('SHA-256', bytes)))
  })

  it('counts more bytes than 32 bits can', () => {
    const zeros = `${'0'.repeat(64)}:`
    const sha256 = RunningSha256.resume(`${2 ** 33}:${zeros}`)
    expect(sha256.digest).not.toBe(RunningSha256.resume(`0:${zeros}`).digest)
    expect(sha256.digest).not.toBe(RunningSha256.resume(`${2 ** 32}:${zeros}`).digest)
  })

  it.for(['', '1', `1:${'0'.repeat(64)}:`, `64:${'0'.repeat(63)}:`, `0:${'g'.repeat(64)}:`])(
    'refuses "%s" as a state',
    (state) => expect(() => RunningSha256.resume(state)).toThrow('the text is not the state of a SHA-256'),
  )
})
