import { describe, expect, it } from 'vitest'
import { guidOf, spellingsOf } from '../../src/scim/guid.ts'

/** The bytes of this GUID in Active Directory are 04 03 02 01 06 05 08 07 09 0a … 10. */
const GUID = '01020304-0506-0708-090a-0b0c0d0e0f10'
const BASE64 = 'BAMCAQYFCAcJCgsMDQ4PEA=='

describe('guidOf', () => {
  it.for([
    ['text', GUID],
    ['text in capitals', '8F14E45F-CEEA-467A-9A6B-2F8AD6A1F4E7'],
    ['text in braces', `{${GUID}}`],
  ])('reads %s', ([, text = '']) => {
    expect(guidOf(text)).toBe(text.replace(/[{}]/g, '').toLowerCase())
  })

  it('reads base64, whose first three fields are little-endian', () => {
    expect(guidOf(BASE64)).toBe(GUID)
  })

  it.for([
    ['a name', 'mirela.osterholt'],
    ['a GUID that is cut off', GUID.slice(0, -1)],
    ['base64 of 15 bytes', 'BAMCAQYFCAcJCgsMDQ4P'],
    ['base64 with bits beyond the 16 bytes', 'BAMCAQYFCAcJCgsMDQ4PEB=='],
    ['nothing', ''],
  ])('refuses %s', ([, text = '']) => {
    expect(guidOf(text)).toBeUndefined()
  })
})

describe('spellingsOf', () => {
  it('returns only spellings of the GUID, and each once', () => {
    for (let i = 0; i < 50; i++) {
      const guid = crypto.randomUUID()
      const spellings = spellingsOf(guid)
      expect(spellings.map(guidOf)).toEqual(spellings.map(() => guid))
      expect(new Set(spellings).size).toBe(spellings.length)
      expect(spellings).toContain(Buffer.from(bytesIn(guid)).toString('base64'))
    }
  })
})

/** The bytes as Active Directory stores them. */
function bytesIn(guid: string): readonly number[] {
  const [a = '', b = '', c = '', ...rest] = guid.split('-').map((field) => Buffer.from(field, 'hex'))
  return [Buffer.from(a).reverse(), Buffer.from(b).reverse(), Buffer.from(c).reverse(), ...rest].flatMap(
    (bytes) => [...Buffer.from(bytes)],
  )
}
