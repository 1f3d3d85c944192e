/** The words of resources that are stored for the dashboard's search. */
import { describe, expect, it } from 'vitest'
import { MAX_ROW_BYTES } from '../../../src/storage/database/database.ts'
import { RESOURCE_TYPES, typeNamed } from '../../../src/storage/tables/resource-tables.ts'
import { encodeResource } from '../../../src/storage/tables/stored-resources.ts'
import { cutWord, MAX_RESOURCE_WORDS, storedWords } from '../../../src/storage/tables/words.ts'

const USER_TYPE = typeNamed(RESOURCE_TYPES, 'User')

describe('storedWords', () => {
  const words = Array.from({ length: 20 }, (_, i) => `w${i + 10}`)
  it.for<[what: string, indexed: readonly unknown[], others: readonly unknown[], stored: readonly string[]]>([
    ['no first words of indexed texts', ['maria smith', 'smith'], ['maria anne'], ['anne']],
    ['a domain as one word', ['a.b@mail.example'], [], ['mail.example', 'b']],
    ['different words', ['a x', 'b x'], ['x-x'], ['x']],
    ['twelve words of a text', [], [words.join('-')], words.slice(0, 11)],
    ['the domain first', [], [`${words.join('-')}@d.example`], ['d.example', ...words.slice(0, 11)]],
    ['nothing of what is not a text', [undefined, 1, true, ['a b'], { a: 'b' }], [null], []],
    ['nothing of separators', [' . ', '""'], ['@', ' @ '], []],
  ])('has %s', ([_, indexed, others, stored]) => {
    expect(storedWords(indexed, others)).toEqual(stored)
  })

  it('has a bounded number of words of a resource', () => {
    const texts = Array.from({ length: 10 }, (_, i) => words.map((word) => `${word}x${i}`).join(' '))
    expect(storedWords(texts.slice(0, 8), texts.slice(8))).toHaveLength(MAX_RESOURCE_WORDS)
  })

  it('cuts long words between code points', () => {
    expect(cutWord(`a${'💥'.repeat(99)}`)).toBe(`a${'💥'.repeat(63)}`)
    expect(cutWord('💥'.repeat(64))).toBe('💥'.repeat(64))
    expect(cutWord('x'.repeat(65))).toBe('x'.repeat(64))
  })
})

describe('encodeResource', () => {
  it('does not count the words of a resource that is as large as it may be', () => {
    const userOf = (characters: number) => ({
      userName: 'a one two three',
      addresses: [{ formatted: 'x'.repeat(characters) }],
    })
    const { data, keys } = encodeResource(userOf(0), USER_TYPE)
    const { words, ...withoutWords } = JSON.parse(keys)
    expect(words).toEqual(['one', 'two', 'three'])
    const rest = MAX_ROW_BYTES * 0.9 - data.length - JSON.stringify(withoutWords).length
    const largest = encodeResource(userOf(Math.floor(rest / 2)), USER_TYPE)
    expect(JSON.parse(largest.keys).words).toEqual(words)
    expect(() => encodeResource(userOf(Math.floor(rest / 2) + 1), USER_TYPE)).toThrow(
      'bytes, 1800000 are allowed',
    )
  })
})
