import { expect, it } from 'vitest'
import { compressText, decompressText } from '../../../src/storage/transfer/compressed-text.ts'

/** Text that gzip cannot make shorter than these bytes. */
function incompressible(bytes: number): string {
  let text = ''
  while (text.length < bytes) text += crypto.randomUUID()
  return text
}

it.for([0, 1, 8_000, 40_000, 400_000])(
  'stores a text of %i characters as the base64 of its gzip',
  async (length) => {
    const text = incompressible(length).slice(0, length)
    const stored = await compressText(text)
    // Padding is at the end alone.
    expect(stored).toMatch(/^[A-Za-z0-9+/]+={0,2}$/)
    expect(stored.length % 4).toBe(0)
    expect(atob(stored).slice(0, 2)).toBe('\x1f\x8b')
    expect(new TextDecoder().decode(await decompressText(stored))).toBe(text)
  },
)
