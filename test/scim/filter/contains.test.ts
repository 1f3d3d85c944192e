import fc from 'fast-check'
import { expect, it } from 'vitest'
import { contains } from '../../../src/scim/filter/contains.ts'

it('gives the same result as String.prototype.includes', () => {
  const few = fc.string({ unit: fc.constantFrom('a', 'b', 'é', '😀'), maxLength: 12 })
  const property = fc.property(few, few, fc.nat(12), (text, pattern, at) => {
    expect(contains(text, pattern)).toBe(text.includes(pattern))
    expect(contains(text, text.slice(at))).toBe(true)
  })
  fc.assert(property, { numRuns: 20_000, seed: 12 })
})
