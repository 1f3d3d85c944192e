/**
 * Regular expressions as .NET reads them. Microsoft: "Regular expression language - quick reference", "Grouping
 * constructs", "Character classes", "Substitutions in regular expressions".
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RegexLimitError } from '../../../src/entra/mappings/regex/matcher.ts'
import { RegularExpression } from '../../../src/entra/mappings/regex/regular-expression.ts'

describe('a .NET pattern', () => {
  it.each<[pattern: string, text: string, matches: boolean]>([
    // Escapes: \ before a character that is not a word character means this character.
    ['.*\\@domain\\.com', 'a@domain.com', true],
    ['\\-\\/\\"\\ ', '-/" ', true],
    ['\\x41\\u0042\\103\\t\\cA\\e\\a', 'ABC\t\u0001\u001b\u0007', true],
    // Inline options, from where they stand to the end of the group.
    ['(?i)field', 'FIELD', true],
    ['a(?i)b|c', 'aB', true],
    ['a(?i)b|c', 'C', true],
    ['a(?i)b|c', 'AB', false],
    ['a(?i:b)c', 'aBc', true],
    ['a(?i:b)c', 'aBC', false],
    ['((?i)a)a', 'AA', false],
    ['(?i)a(?-i)b', 'Ab', true],
    ['(?i)a(?-i)b', 'AB', false],
    ['(?i)[a-c]é', 'BÉ', true],
    ['(?i)[^a]', 'A', false],
    ['(?s).', '\n', true],
    ['.', '\n', false],
    ['.', '\r', true],
    ['(?x) a b # both\n c', 'abc', true],
    ['(?ix-s: A B )', 'ab', true],
    ['(?n)(a)(?<x>b)\\k<x>', 'abb', true],
    ['a(?#a comment)b', 'ab', true],
    // Anchors.
    ['\\Aab\\z', 'ab', true],
    ['ab\\z', 'ab\n', false],
    ['(?m)^a$\\n^b$', 'a\nb', true],
    ['^a$\\n^b$', 'a\nb', false],
    ['ab$\\n', 'ab\n', true],
    ['ab\\Z\\n', 'ab\n', true],
    ['\\bÉ\\b', 'É', true],
    ['a\\Bb', 'ab', true],
    // Classes are those of Unicode.
    ['\\w+', 'Zoë_٣', true],
    ['\\w', '-', false],
    ['\\d', '٣', true],
    ['\\D\\W\\S', 'x-x', true],
    ['\\s', '\u0085', true],
    ['\\s', '\ufeff', false],
    ['\\p{Lu}\\P{Lu}', 'Aa', true],
    ['[\\p{Nd}\\-x]+', '1-x', true],
    ['[a-z-[aeiou]]+', 'xyz', true],
    ['[a-z-[aeiou]]+', 'xaz', false],
    ['[a-z-[a-m-[c]]]+', 'cz', true],
    ['[]a]+', ']a', true],
    ['[^]a]', ']', false],
    ['[\\b]', '\b', true],
    ['[a-]+', 'a-', true],
    ['[\\]\\\\]+', ']\\', true],
    // Quantifiers.
    ['a{2}b{1,}c{0,2}', 'aabc', true],
    ['a{,2}', 'a{,2}', true],
    ['a{', 'a{', true],
    ['a+?a', 'aaa', true],
    ['(?:ab)*?c', 'ababc', true],
    ['(a*)*b', 'aab', true],
    ['(?>a+)ab', 'aaab', false],
    ['(?>a+?)ab', 'aab', true],
    // Groups and backreferences.
    ['(a)(?<x>b)(c)\\2\\k<x>\\3', 'abccbb', true],
    ["(?'q'a)\\k'q'", 'aa', true],
    ['(?<1>a)\\1', 'aa', true],
    ['(a)?\\1b', 'b', false],
    ['(?:(a)|b)*\\1', 'aba', true],
    ['(?i)(a)\\1', 'aA', true],
    ['(?<n>x)|(?<n>y)', 'y', true],
    ['(?=.*\\d)\\w+', 'ab1', true],
    ['(?!a).', 'b', true],
    ['(?!a).', 'a', false],
    ['.*(?<=ab)c', 'abc', true],
    ['.*(?<!ab)c', 'abc', false],
    ['.*(?<=(a)(b))c', 'abc', true],
    ['', '', true],
  ])('%s for %j: %s', (pattern, text, matches) => {
    expect(new RegularExpression(pattern).matchesWhole(text)).toBe(matches)
  })

  it.each([
    ['(?(a)b|c)', 'conditions, (?(…)yes|no), are not supported'],
    ['(?<a-b>x)', "balancing groups, (?<a-b>…) or (?'a-b'…), are not supported"],
    ['\\p{IsGreek}', '"\\p{IsGreek}": only general categories such as \\p{Lu} are supported'],
    ['(?P<a>x)', '"(?P<" does not open a group that .NET knows'],
    ['\\y', '"\\y" is not an escape'],
    ['a\\', 'the pattern ends with a single "\\"'],
    ['\\1', 'there is no group "1" to refer to'],
    ['\\k<a>', 'there is no group "a" to refer to'],
    ['(', '"(" is not closed'],
    ['a)', '")" has no "("'],
    ['[a', '"[" is not closed'],
    ['[b-a]', 'the range "b-a" is in reverse order'],
    ['[a-\\d]', 'a range cannot end with a class'],
    ['[a-[b]c]', 'a subtracted class must be the last part of its class'],
    ['*a', 'the quantifier "*" follows nothing'],
    ['a**', 'the quantifier "*" follows a quantifier'],
    ['a{2,1}', 'the quantifier "{2,1}" has a range in reverse order'],
    [`${'('.repeat(101)}${')'.repeat(101)}`, 'more than 100 levels of groups'],
  ])('is refused: %s', (pattern, message) => {
    expect(() => new RegularExpression(pattern)).toThrow(message)
  })

  it.each([
    ['takes more than 5,000,000 steps', '(a+)+$', `${'a'.repeat(40)}b`],
    ['is nested more than 800 levels deep', '(?:ab)*', 'ab'.repeat(4096)],
  ])('stops a match that %s', (message, pattern, text) => {
    expect(() => new RegularExpression(pattern).replace(text, '')).toThrow(message)
  })
})

/** Patterns that mean the same in JavaScript: no option, no class with Unicode, nothing that repeats an empty match. */
const { pattern: PATTERN } = fc.letrec<{ pattern: string; sequence: string; part: string }>((tie) => ({
  pattern: fc.array(tie('sequence'), { minLength: 1, maxLength: 2 }).map((options) => options.join('|')),
  sequence: fc.array(tie('part'), { minLength: 1, maxLength: 3 }).map((parts) => parts.join('')),
  part: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc
      .tuple(
        fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '[a\\-c]', '\\x61', '1'),
        fc.constantFrom('', '*', '+', '?', '*?', '+?', '??', '{2}', '{1,2}', '{0,2}?', '{2,}'),
      )
      .map((atom) => atom.join('')),
    fc.constantFrom('^', '\\b', '\\B'),
    fc
      .tuple(fc.constantFrom('(', '(?:', '(?=', '(?!', '(?<=', '(?<!'), tie('pattern'))
      .map(([opening, pattern]) => `${opening}${pattern})`),
    tie('pattern').map((pattern) => `(?:x${pattern}|b)+?`),
  ),
}))

/** Undefined for a pattern with nested repetitions that takes too many steps. */
function replaceWithinLimits(pattern: string, text: string): string | undefined {
  try {
    return new RegularExpression(pattern).replace(text, '<$&>')
  } catch (error) {
    if (error instanceof RegexLimitError) return undefined
    throw error
  }
}

describe('a pattern without differences', () => {
  it('matches as in JavaScript', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '1', 'x', ' '), maxLength: 8 })
    fc.assert(
      fc.property(PATTERN, text, (pattern, subject) => {
        const found = replaceWithinLimits(pattern, subject)
        fc.pre(found !== undefined)
        expect(found).toBe(subject.replace(new RegExp(pattern, 'g'), '<$&>'))
      }),
      { numRuns: 2000, seed: 4711 },
    )
  })
})

describe('a replacement', () => {
  it.each([
    ['[a-zA-Z_]*', 'john_doe72', '', '72'],
    ['b*', 'abc', '-', '-a--c-'],
    ['(?<a>\\d+)-(?<b>\\d+)', '1-2 3-4', `\${b}.\${a}`, '2.1 4.3'],
    ['(\\d)(?<n>x)(\\d)', '1x2', '$1$2$3$n', '12x$n'],
    ['(a)|b', 'ab', '<$1>', '<a><>'],
    ['b', 'abc', "[$&|$`|$'|$_|$$|$9|$[no]]", 'a[b|a|c|abc|$|$9|$[no]]c'],
    ['b', 'abc', `\${no}`, `a\${no}c`],
    ['(a)(b)', 'ab', '$+', 'b'],
    ['\\Ga', 'aaba', 'x', 'xxba'],
  ])('of %s in %s by %s gives %s', (pattern, text, replacement, expected) => {
    expect(new RegularExpression(pattern).replace(text, replacement)).toBe(expected)
  })

  it.each([
    ['(?<b>\\d)-(?<a>\\d)', '1-1', 'a', 'Z', '1-Z'],
    ['(?<b>\\d)-(?<a>\\d)', '1-1', 'b', '$&', '$&-1'],
    ['(?<a>x)|y', 'xyx', 'a', '-', '-y-'],
    ['(\\d)(\\d)', '12', '2', '-', '1-'],
    ['a(?=(?<next>.))', 'ab', 'next', '-', 'ab'],
  ])('of %s in %s, group %s by %s, gives %s', (pattern, text, group, replacement, expected) => {
    expect(new RegularExpression(pattern).replaceGroup(text, group, replacement)).toBe(expected)
  })
})
