import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Complex,
  compareScalars,
  comparisonDocument,
  comparisonKey,
  instant,
  sameValue,
} from '../../src/scim/comparison.ts'
import { fold } from '../../src/scim/fold.ts'
import { attribute } from '../../src/scim/schema/definition.ts'
import { USER_RESOURCE_TYPE } from '../../src/scim/schema/resource-type.ts'

/** Folds character by character, so that no rule of a language or context can apply. */
function foldedOneByOne(text: string): string {
  const marks = /[\p{M}--\u034f]{30}(?=[\p{M}--\u034f])/gv
  const folded = [...text.replace(marks, '$&\u034f').normalize('NFC')].map((character) =>
    character === 'ı' ? character : character.toLowerCase().toUpperCase().toLowerCase(),
  )
  return folded.join('').replaceAll('ς', 'σ').normalize('NFC')
}

describe('folding a text as a whole', () => {
  const isCharacter = (code: number) => code < 0xd800 || code > 0xdfff
  const isPlain = (character: string) =>
    character.toLowerCase() === character &&
    character.toUpperCase() === character &&
    character.normalize('NFD') === character &&
    !/\p{M}/u.test(character)

  it('gives the same as folding each character, for every character next to others', () => {
    const expectSame = (text: string, what: string) => {
      if (fold(text) !== foldedOneByOne(text)) expect(fold(text), what).toBe(foldedOneByOne(text))
    }
    // Most characters have no case, no decomposition and are not marks. They are tested together.
    let plain = ''
    for (let code = 0; code <= 0x10ffff; code++) {
      if (!isCharacter(code)) continue
      const character = String.fromCodePoint(code)
      if (isPlain(character)) plain += character
      else
        expectSame(
          `${character} aΣ${character}ı${character}Σ ${character}\u0345\u0301`,
          `U+${code.toString(16)}`,
        )
      if (plain.length < 200) continue
      expectSame(`aΣ${plain}Σ\u0345\u0301`, `up to U+${code.toString(16)}`)
      plain = ''
    }
    expectSame(plain, 'the last ones')
  })

  it('gives the same for random texts with long runs of marks', () => {
    const unit = fc.oneof(
      fc.constantFrom(
        'ı',
        'İ',
        'Σ',
        'ς',
        'ß',
        'ﬃ',
        '\u0301',
        '\u0345',
        '\u034f',
        '\u1100',
        '\u1161',
        ' ',
        'a',
      ),
      fc.constantFrom('\u0301\u0316'.repeat(16), '\u0316'.repeat(29), `a${'\u0345'.repeat(62)}`),
      fc
        .integer({ min: 0, max: 0x10ffff })
        .filter(isCharacter)
        .map((code) => String.fromCodePoint(code)),
    )
    const property = fc.property(fc.array(unit, { maxLength: 40 }), (units) => {
      expect(fold(units.join(''))).toBe(foldedOneByOne(units.join('')))
    })
    fc.assert(property, { numRuns: 3_000, seed: 12 })
  })
})

describe('fold', () => {
  // Unicode chapter 3, D145: canonical caseless matching.
  it.for<[what: string, ...texts: string[]]>([
    ['ASCII', 'Alice', 'ALICE', 'alice'],
    ['composed and decomposed', 'É', 'é', 'E\u0301', 'e\u0301'],
    ['sharp s and its capital', 'straße', 'STRASSE', 'Straẞe', 'strasse'],
    ['the three sigmas', 'ΣΊΣΥΦΟΣ', 'Σίσυφος', 'σίσυφοσ'],
    ['ligatures', 'ﬁn', 'FIN', 'fin'],
    ['full width', 'ＡＢＣ', 'ａｂｃ'],
    ['the Kelvin sign', '\u212a', 'K', 'k'],
    ['the Ångström sign', '\u212b', 'Å', 'å', 'A\u030a'],
    ['iota subscript', 'ᾳ', 'ΑΙ', 'αι', 'α\u0345'],
    ['characters above the BMP', '𐐀', '𐐨'],
    ['marks in another order', 'q\u0307\u0323', 'Q\u0323\u0307'],
    ['I with a dot', 'İ', 'i\u0307'],
  ])('folds %s to the same text', ([, ...texts]) => {
    expect(new Set(texts.map(fold)).size).toBe(1)
  })

  it.for<[a: string, b: string, why: string]>([
    ['İ', 'i', 'Turkish casing is not the default'],
    ['ı', 'i', 'a dotless i folds to itself'],
    ['é', 'e', 'accents are not removed'],
    ['Ａ', 'A', 'width is compatibility, not case'],
    ['ﾊ', 'ハ', 'likewise'],
    ['😀', '😁', 'no case at all'],
    ['a ', 'a', 'nothing is trimmed'],
  ])('keeps %j and %j apart: %s', ([a, b]) => {
    expect(fold(a)).not.toBe(fold(b))
  })

  it('folds long runs of marks independently of the preceding text', () => {
    const marks = '\u0301\u0323'.repeat(100)
    const folded = fold(`Q${marks}`)
    expect(fold(`q${marks}`)).toBe(folded)
    expect(fold(folded)).toBe(folded)
  })

  it('is idempotent and ignores case and composition, over the whole BMP', () => {
    const wrong: string[] = []
    for (let code = 0; code <= 0xffff; code++) {
      if (code >= 0xd800 && code <= 0xdfff) continue
      const text = String.fromCharCode(code)
      const folded = fold(text)
      const isStable = fold(folded) === folded && fold(text.normalize('NFD')) === folded
      // U+0131 and U+0130 correspond to I and i only in Turkish.
      const isBlind = code === 0x131 || fold(text.toUpperCase()) === folded
      if (!isStable || !isBlind) wrong.push(code.toString(16))
    }
    expect(wrong).toEqual([])
  })
})

describe('instant', () => {
  // RFC 7643 §2.3.5: "A DateTime value MUST be encoded as a valid xsd:dateTime … and MUST include both a
  // date and a time."
  it.for<[text: string, milliseconds: number]>([
    ['2011-05-13T04:42:34Z', 1305261754000],
    ['2011-05-13T06:42:34+02:00', 1305261754000],
    ['2011-05-12T20:42:34-08:00', 1305261754000],
    ['2011-05-13T04:42:34.5Z', 1305261754500],
    ['2011-05-13T04:42:34.123456789Z', 1305261754123],
    ['2011-05-13T04:42:34', 1305261754000],
    ['2012-02-29T00:00:00Z', 1330473600000],
    ['2011-05-13T24:00:00Z', 1305331200000],
  ])('reads %s', ([text, milliseconds]) => {
    expect(instant(text)).toBe(milliseconds)
  })

  it.for([
    '2011-05-13',
    '2011-02-30T00:00:00Z',
    '2011-13-01T00:00:00Z',
    '2011-05-13T25:00:00Z',
    '2011-05-13T04:42Z',
    '2011-05-13 04:42:34Z',
    '2011-05-13T04:42:34+25:00',
    'May 13, 2011',
    'foo 2011',
    '1',
    '',
    '1305261754000',
  ])('rejects %j', (text) => {
    expect(instant(text)).toBeUndefined()
  })
})

describe('comparisonKey', () => {
  it('folds text unless the attribute is caseExact, parses dateTimes, and keeps other values', () => {
    expect(comparisonKey(attribute('a', 'string', ''), 'ÄB')).toBe('äb')
    expect(comparisonKey(attribute('a', 'string', '', { caseExact: true }), 'ÄB')).toBe('ÄB')
    expect(comparisonKey(attribute('a', 'reference', ''), 'ÄB')).toBe('ÄB')
    expect(comparisonKey(attribute('a', 'dateTime', ''), '2011-05-13T04:42:34Z')).toBe(1305261754000)
    expect(comparisonKey(attribute('a', 'boolean', ''), true)).toBe(true)
    expect(comparisonKey(attribute('a', 'decimal', ''), 1.5)).toBe(1.5)
  })
})

describe('comparisonDocument', () => {
  it('has the keys of a resource under the same paths', () => {
    const resource = {
      userName: 'BJensen',
      externalId: 'Ext',
      active: true,
      emails: [{ value: 'B@Example.COM', type: 'Work', primary: true }],
      'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': { manager: { value: 'A1' } },
    }
    expect(comparisonDocument(resource, USER_RESOURCE_TYPE.attributes)).toEqual({
      userName: 'bjensen',
      externalId: 'Ext',
      active: true,
      emails: [{ value: 'b@example.com', type: 'work', primary: true }],
      'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': { manager: { value: 'A1' } },
    })
  })

  // RFC 7643 §7: "never" attributes are not returned, so a comparison must not reveal them.
  it('omits attributes that are never returned', () => {
    const secret = attribute('secret', 'string', '', { returned: 'never' })
    expect(comparisonDocument({ secret: 'x' }, [secret])).toEqual({})
  })
})

describe('compareScalars', () => {
  it('orders text by code point, like UTF-8 bytes', () => {
    const texts = ['', 'a', 'aa', 'b', 'é', '\ud7ff', '\ue000', '\uffff', '😀', '\u{10ffff}']
    const shuffled = [...texts].sort((a, b) => (a < b ? 1 : -1))
    expect(shuffled.sort(compareScalars)).toEqual(texts)
  })

  it('orders numbers and booleans', () => {
    expect([10, 9, -1].sort(compareScalars)).toEqual([-1, 9, 10])
    expect(compareScalars(false, true)).toBeLessThan(0)
    expect(compareScalars(true, true)).toBe(0)
  })
})

describe('sameValue', () => {
  const proto: Complex = JSON.parse('{"__proto__": 1}')
  it.for<[a: unknown, b: unknown, same: boolean]>([
    [{ a: 1, b: [1, { c: 'x' }] }, { b: [1, { c: 'x' }], a: 1 }, true],
    [{ a: 1 }, { a: 1, b: undefined }, false],
    [{ a: 1 }, { b: 1 }, false],
    [[1, 2], [2, 1], false],
    [[], {}, false],
    [null, {}, false],
    ['1', 1, false],
    [{ constructor: 1 }, { a: 1 }, false],
    [proto, {}, false],
    [proto, JSON.parse('{"__proto__": 1}'), true],
  ])('compares %j with %j: %s', ([a, b, same]) => {
    expect(sameValue(a, b)).toBe(same)
    expect(sameValue(b, a)).toBe(same)
  })
})
