import { describe, expect, it } from 'vitest'
import type { FilterExpression } from '../../../src/scim/filter/ast.ts'
import { lexFilter } from '../../../src/scim/filter/lexer.ts'
import { parseFilter, parseValuePath } from '../../../src/scim/filter/parser.ts'
import { MAX_FILTER_COMPARISONS, MAX_FILTER_DEPTH } from '../../../src/scim/limits.ts'
import { reading, TOLERANT } from '../../support/reading.ts'

const refusal = (detail: RegExp) =>
  expect.objectContaining({ status: 400, scimType: 'invalidFilter', detail: expect.stringMatching(detail) })

describe('lexFilter', () => {
  it('gives each token its 1-based position', () => {
    expect(lexFilter('not(a[b eq "x y"].c)')).toEqual([
      { kind: 'word', text: 'not', position: 1 },
      { kind: '(', text: '(', position: 4 },
      { kind: 'word', text: 'a', position: 5 },
      { kind: '[', text: '[', position: 6 },
      { kind: 'word', text: 'b', position: 7 },
      { kind: 'word', text: 'eq', position: 9 },
      { kind: 'string', text: '"x y"', position: 12 },
      { kind: ']', text: ']', position: 17 },
      { kind: 'word', text: '.c', position: 18 },
      { kind: ')', text: ')', position: 20 },
      { kind: 'end', text: '', position: 21 },
    ])
  })

  it('skips only ASCII white space', () => {
    expect(lexFilter(' \t\r\n').map(({ kind }) => kind)).toEqual(['end'])
    expect(lexFilter('a\u00a0b')).toHaveLength(2)
  })
})

describe('parseFilter', () => {
  // RFC 7644 §3.4.2.2: 'Attribute operators … grouping … "not" … "and" … "or"', in this order of precedence.
  it.for<[text: string, shape: string]>([
    ['a pr', 'a pr'],
    ['a pr and b pr', '(a pr and b pr)'],
    ['a pr or b pr and c pr', '(a pr or (b pr and c pr))'],
    ['a pr and b pr or c pr', '((a pr and b pr) or c pr)'],
    ['a pr or b pr or c pr', '(a pr or b pr or c pr)'],
    ['(a pr or b pr) and c pr', '((a pr or b pr) and c pr)'],
    ['not (a pr) and b pr', '(not a pr and b pr)'],
    ['not (a pr and b pr) or c pr', '(not (a pr and b pr) or c pr)'],
    ['not (not (a pr))', 'not not a pr'],
    ['((((a pr))))', 'a pr'],
    ['a pr and (b pr and c pr)', '(a pr and (b pr and c pr))'],
    ['A PR AND B Eq "X" OR NOT (c Pr)', '((A pr and B eq "X") or not c pr)'],
    ['(a pr)and(b pr)', '(a pr and b pr)'],
    ['  a   eq\t"x"  ', 'a eq "x"'],
    ['not pr', 'not pr'],
    ['and eq "x" and or eq "y"', '(and eq "x" and or eq "y")'],
    ['a[b eq "x" and not (c pr)]', 'a[(b eq "x" and not c pr)]'],
    ['a[b pr] and c[d pr]', '(a[b pr] and c[d pr])'],
    ['not (a[b pr])', 'not a[b pr]'],
    ['a[b[c pr]]', 'a[b[c pr]]'],
    ['a.b co "x"', 'a.b co "x"'],
    ['$ref eq "x"', '$ref eq "x"'],
    [
      'urn:ietf:params:scim:schemas:core:2.0:User:name.givenName sw "J"',
      'urn:ietf:params:scim:schemas:core:2.0:User:name.givenName sw "J"',
    ],
    // Entra matches by a sub-attribute after the bracket, which is a test of the same element.
    ['emails[type eq "work"].value eq "x"', 'emails[(type eq "work" and value eq "x")]'],
  ])('reads %s', ([text, shape]) => {
    expect(shapeOf(parseFilter(text, TOLERANT))).toBe(shape)
  })

  // compValue = false / null / true / number / string, "rules from JSON (RFC 7159)"
  it.for<[literal: string, value: unknown]>([
    ['"x"', 'x'],
    ['""', ''],
    ['"a \\"quoted\\" b"', 'a "quoted" b'],
    ['"\\\\ \\/ \\b\\f\\n\\r\\t"', '\\ / \b\f\n\r\t'],
    ['"\\u00e9\\ud83d\\ude00"', 'é😀'],
    ['"ü) ] and or 😀"', 'ü) ] and or 😀'],
    ['true', true],
    ['False', false],
    ['null', null],
    ['NULL', null],
    ['0', 0],
    ['-1.5e3', -1500],
    ['1e20', 1e20],
    // Entra's documentation has `externalId eq jyoung`: a word without quotes is a string.
    ['jyoung', 'jyoung'],
    ['a@b.example', 'a@b.example'],
    ['007', '007'],
    ['1.', '1.'],
    ['+5', '+5'],
    ['2011-05-13T04:42:34Z', '2011-05-13T04:42:34Z'],
    ['and', 'and'],
  ])('reads the value %s', ([literal, value]) => {
    const parsed = parseFilter(`a eq ${literal}`, TOLERANT)
    expect(parsed.kind === 'comparison' && parsed.literal.value).toEqual(value)
  })

  it('keeps the text of a number, for string attributes', () => {
    expect(parseFilter('a eq 7.0', TOLERANT)).toMatchObject({ literal: { value: 7, text: '7.0' } })
  })

  it.for<[text: string, detail: RegExp]>([
    ['', /position 1: expected an attribute, found the end/],
    ['   ', /position 4: expected an attribute/],
    ['a', /position 2: expected an operator, found the end/],
    ['a eq', /position 5: expected a value, found the end/],
    ['a eq )', /position 6: expected a value, found "\)"/],
    ['a is "x"', /position 3: expected an operator \(eq, ne, co, sw, ew, gt, ge, lt, le, pr\), found "is"/],
    ['a eq "x" b', /position 10: expected "and", "or" or the end of the filter, found "b"/],
    ['a eq "x" and', /position 13: expected an attribute/],
    ['a eq "x" and or b pr', /position 17: expected an operator .*, found "b"/],
    ['(a pr', /position 6: expected "and", "or" or "\)", found the end/],
    ['a pr)', /position 5: expected "and", "or" or the end/],
    ['()', /position 2: expected an attribute, found "\)"/],
    ['not a pr', /expected an operator .*, found "a"/],
    ['not (', /position 6: expected an attribute/],
    ['a[b pr', /position 7: expected "and", "or" or "\]"/],
    ['a[]', /position 3: expected an attribute, found "\]"/],
    ['a[b pr)', /expected "and", "or" or "\]", found "\)"/],
    ['[a pr]', /position 1: expected an attribute, found "\["/],
    ['"a" eq "x"', /position 1: expected an attribute, found "\\"a\\""/],
    ['a eq "x', /position 6: the string has no closing quote/],
    ['a eq "x\\"', /position 6: the string has no closing quote/],
    ['a eq "\\x"', /position 6: the string is not a valid JSON string/],
    ['a eq "\\u12"', /position 6: the string is not a valid JSON string/],
    ['a eq "\n"', /position 6: the string is not a valid JSON string/],
    ['1a eq "x"', /position 1: "1a" is not an attribute path/],
    ['a..b eq "x"', /"a..b" is not an attribute path/],
    ['a. eq "x"', /"a." is not an attribute path/],
    ['.a eq "x"', /".a" is not an attribute path/],
    ['a;b eq "x"', /is not an attribute path/],
    ["a' eq 'x'", /is not an attribute path/],
    ['a pr "x"', /position 6: expected "and"/],
    ['a[b pr].c', /position 10: expected an operator/],
    [`${'x'.repeat(10_000)}! pr`, /position 1: "x{100}…" is not an attribute path/],
  ])('rejects %.30j with the position and what was expected', ([text, detail]) => {
    expect(() => parseFilter(text, TOLERANT)).toThrow(refusal(detail))
  })

  it.for<[what: string, nested: (levels: number) => string]>([
    ['parentheses', (n) => `${'('.repeat(n)}a pr${')'.repeat(n)}`],
    ['negations', (n) => `${'not ('.repeat(n)}a pr${')'.repeat(n)}`],
    ['value paths', (n) => `${'a['.repeat(n)}a pr${']'.repeat(n)}`],
    ['all of them', (n) => `${'a['.repeat(n - 2)}not ((a pr))${']'.repeat(n - 2)}`],
  ])('limits the number of levels of %s', ([, nested]) => {
    expect(() => parseFilter(nested(MAX_FILTER_DEPTH), TOLERANT)).not.toThrow()
    expect(() => parseFilter(nested(MAX_FILTER_DEPTH + 1), TOLERANT)).toThrow(
      refusal(/deeper than the limit of 32 levels/),
    )
  })

  it.for(['a pr', 'a eq "x"', 'a[b pr]', 'not (a pr)'])('allows %s at most 100 times', (test) => {
    const many = (count: number) => Array(count).fill(test).join(' or ')
    expect(() => parseFilter(many(MAX_FILTER_COMPARISONS), TOLERANT)).not.toThrow()
    expect(() => parseFilter(many(MAX_FILTER_COMPARISONS + 1), TOLERANT)).toThrow(
      refusal(/more than the limit of 100 comparisons/),
    )
  })
})

describe('parseValuePath', () => {
  it('returns the name, the filter and the sub-attribute', () => {
    const { name, operand, subAttribute } = parseValuePath(
      'emails[type eq "w" or value pr].display',
      reading(),
    )
    expect([name, shapeOf(operand), subAttribute]).toEqual(['emails', '(type eq "w" or value pr)', 'display'])
    expect(parseValuePath('a[b pr]', reading()).subAttribute).toBeUndefined()
  })

  it('counts the bracket as a level', () => {
    const path = (levels: number) => `a[${'('.repeat(levels)}b pr${')'.repeat(levels)}]`
    expect(() => parseValuePath(path(MAX_FILTER_DEPTH - 1), reading())).not.toThrow()
    expect(() => parseValuePath(path(MAX_FILTER_DEPTH), reading())).toThrow(refusal(/deeper/))
  })
})

/** The tree as fully parenthesized text. */
function shapeOf(expression: FilterExpression): string {
  switch (expression.kind) {
    case 'and':
    case 'or':
      return `(${expression.operands.map(shapeOf).join(` ${expression.kind} `)})`
    case 'not':
      return `not ${shapeOf(expression.operand)}`
    case 'present':
      return `${expression.name} pr`
    case 'valuePath':
      return `${expression.name}[${shapeOf(expression.operand)}]`
    case 'comparison':
      return `${expression.name} ${expression.operator} ${JSON.stringify(expression.literal.value)}`
  }
}
