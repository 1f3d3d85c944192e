import { describe, expect, it } from 'vitest'
import { MAX_ENTITY_TAGS_CHARACTERS } from '../../src/scim/limits.ts'
import { etag, isNotModified, matchedVersions, requirePreconditions } from '../../src/scim/version.ts'

describe('etag', () => {
  // RFC 7644 §3.14: "Weak entity-tags are RECOMMENDED".
  it('is weak', () => {
    expect(etag(3)).toBe('W/"3"')
  })
})

describe('matchedVersions', () => {
  it.for<[header: string | undefined, versions: readonly number[] | undefined]>([
    [undefined, undefined],
    ['*', undefined],
    [' * ', undefined],
    ['W/"3"', [3]],
    ['"3"', [3]],
    ['W/"3", "4" ,W/"x", W/"5"', [3, 4, 5]],
    ['W/"0"', [0]],
    // Entity tags of other servers do not match any version.
    ['W/"03"', []],
    ['w/"3"', []],
    ['3', []],
    ['""', []],
    ['', []],
    ['W/"3" W/"4"', []],
    ['W/"-1"', []],
    [`W/"${'9'.repeat(400)}"`, []],
    ['W/"3', []],
  ])('reads %j', ([header, versions]) => {
    expect(matchedVersions(header)).toEqual(versions)
  })

  it('reads as many characters as the limit', () => {
    const header = '"3",'.repeat(MAX_ENTITY_TAGS_CHARACTERS / 4)
    expect(matchedVersions(header)).toContain(3)
    expect(() => matchedVersions(`${header} `)).toThrow(
      expect.objectContaining({
        status: 400,
        scimType: 'invalidValue',
        detail: 'the entity tags have 2049 characters, the limit is 2048',
      }),
    )
  })
})

describe('requirePreconditions', () => {
  it.for(['W/"3"', '"3"', '*', undefined, '"1", W/"3"'])('accepts %j at version 3', (header) => {
    expect(() => requirePreconditions({ ifMatch: header }, 3)).not.toThrow()
  })

  it.for(['W/"2"', '"30"', '', 'nonsense'])('rejects %j at version 3 with 412', (header) => {
    expect(() => requirePreconditions({ ifMatch: header }, 3)).toThrow(
      expect.objectContaining({ status: 412, scimType: undefined }),
    )
  })
})

describe('isNotModified', () => {
  it.for<[header: string | undefined, isNotModified: boolean]>([
    ['W/"3"', true],
    ['"3"', true],
    ['*', true],
    ['"1", "3"', true],
    ['W/"2"', false],
    ['', false],
    [undefined, false],
  ])('for %j at version 3 is %s', ([header, expected]) => {
    expect(isNotModified(header, 3)).toBe(expected)
  })
})
