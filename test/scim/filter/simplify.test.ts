/** The form of simplified filters. Their equivalence is tested in differential.test.ts. */
import { describe, expect, it } from 'vitest'
import { parseFilter } from '../../../src/scim/filter/parser.ts'
import { resolveFilter } from '../../../src/scim/filter/resolve.ts'
import { partialResult, simplifyFilter, valuesOf } from '../../../src/scim/filter/simplify.ts'
import { USER_RESOURCE_TYPE } from '../../../src/scim/schema/resource-type.ts'
import { TOLERANT } from '../../support/reading.ts'

const resolved = (text: string) => resolveFilter(parseFilter(text, TOLERANT), USER_RESOURCE_TYPE, TOLERANT)

describe('simplifyFilter', () => {
  it.for([
    ['emails.value co "a" or emails.value co "b"', 'emails[value co "a" or value co "b"]'],
    [
      'emails eq "a" or emails[type eq "b" and primary pr]',
      'emails[value eq "a" or (type eq "b" and primary pr)]',
    ],
    ['not (emails.type pr or emails.value pr)', 'not (emails[type pr or value pr])'],
    [
      'title eq "x" or groups.value eq "a" or groups.value eq "b"',
      'title eq "x" or groups[value eq "a" or value eq "b"]',
    ],
    ['userName sw "a" or userName sw "A" or userName sw "a"', 'userName sw "a" or userName sw "A"'],
    ['title eq "x" and title eq "x"', 'title eq "x"'],
    [
      '(title eq "x" and active eq true) and (title eq "x" and (userName pr and id pr))',
      'title eq "x" and active eq true and userName pr and id pr',
    ],
    [
      'title eq "x" or (emails.value eq "a" or (emails.value eq "b" or title eq "x"))',
      'title eq "x" or emails[value eq "a" or value eq "b"]',
    ],
    ['title pr and (id pr or title eq "x")', 'title pr and (id pr or title eq "x")'],
    ['emails.value eq "x" or emails.value eq "x"', 'emails.value eq "x"'],
    // Each operand may match another value.
    ['emails.value co "a" and emails.value co "b"', 'emails.value co "a" and emails.value co "b"'],
    ['emails pr or emails.value co "a"', 'emails pr or emails.value co "a"'],
    ['schemas co "a" or schemas co "b"', 'schemas co "a" or schemas co "b"'],
  ])('%s: %s', ([before = '', after = '']) => {
    expect(simplifyFilter(resolved(before))).toEqual(resolved(after))
  })
})

describe('partialResult', () => {
  it.for([
    ['groups[type eq "direct"]', true],
    ['groups[type eq "Indirect"]', false],
    ['groups[type eq "indirect" and display co "x"]', false],
    ['groups[type eq "direct" and display co "x"]', undefined],
    ['groups[type eq "direct" or display co "x"]', true],
    ['groups[not (type ne "direct") or display co "x"]', true],
    ['groups[display co "x"]', undefined],
  ] as const)('evaluates %s for a direct group to %s', ([text, expected]) => {
    const operand = valuesOf(resolved(text))?.operand
    expect(operand && partialResult(operand, { type: 'direct' })).toBe(expected)
  })
})
