/**
 * Statements of lists that are remembered by shape are exactly those that would be made for the request.
 */
import { describe, expect, it } from 'vitest'
import { PROFILES } from '../../../src/scim/profile.ts'
import { type ListParameters, parseListRequest } from '../../../src/scim/search-request.ts'
import { searchOf } from '../../../src/storage/lists/list.ts'
import type { Slice } from '../../../src/storage/lists/list-request.ts'
import { byShape, type OneList } from '../../../src/storage/lists/list-shapes.ts'
import { RESOURCE_TYPES, type StoredResourceType } from '../../../src/storage/tables/resource-tables.ts'
import { chance as chanceOf } from '../../support/chance.ts'

/** A memory of shapes that counts what is made for it. */
function memory(hasThread = true) {
  let made = 0
  const make = ({ part, tenantId, slice }: OneList) =>
    searchOf([part], { tenantId, database: { hasThread } }, slice, hasThread)
  const remembered = byShape((list: OneList, _: 'tried') => {
    made++
    return make(list)
  })
  return {
    get made() {
      return made
    },
    /** Whether the same is remembered as is made. */
    expectSame(list: OneList) {
      const { statements, most, isTried, budgets } = remembered(list, 'tried')
      const expected = make(list)
      expect(statements).toEqual(expected.statements)
      expect([most, isTried, budgets.length]).toEqual([
        expected.most,
        expected.isTried,
        expected.budgets.length,
      ])
    },
  }
}

function listOf(
  parameters: ListParameters,
  { tenantId = 'acme', slice, type = RESOURCE_TYPES[0] }: ListOptions = {},
): OneList {
  if (type === undefined) throw new Error('there are no types')
  const { sources } = parseListRequest(parameters, [type], PROFILES.tolerant)
  const [source] = sources
  if (source === undefined) throw new Error('the list has no source')
  const { filter, sort } = source
  return {
    part: { type, filter, sort, withReferences: true },
    tenantId,
    slice: slice ?? { offset: 0, limit: 100 },
  }
}

interface ListOptions {
  readonly tenantId?: string
  readonly slice?: Slice
  readonly type?: StoredResourceType | undefined
}

/** Requests of a shape until its statements are remembered: one that makes it known, and two examples for the second. */
const UNTIL_REMEMBERED = 3

describe('lists that differ in values alone', () => {
  it.for([
    'emails[type eq "work"].value eq "$"',
    'emails[type eq "work" and value eq "$"]',
    'emails[type eq "$" and primary eq true].value eq "$ b"',
    'phoneNumbers[type eq "mobile"].value eq "$"',
    'userName eq "$" and active eq true',
    'externalId eq "$" and active eq false',
    'userName eq "$" or emails.value eq "$"',
    'userName eq "$" or externalId eq "$ 2" or displayName eq "$"',
    'name.familyName eq "$" and name.givenName eq "$ 2"',
    'emails.value sw "$"',
    'userName sw "$"',
    'displayName sw "$" and externalId sw "$ 2"',
    'id eq "$" and urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq "$ 2"',
    'not (active eq true) and userName ge "$"',
  ])('are rendered once: %s', (filter) => {
    const shapes = memory()
    for (let i = 0; i < 10; i++)
      shapes.expectSame(listOf({ filter: filter.replaceAll('$', `v${i}`) }, { tenantId: `tenant-${i}` }))
    expect(shapes.made).toBe(UNTIL_REMEMBERED)
  })

  it('are rendered once: changes since a time', () => {
    const shapes = memory()
    for (let i = 0; i < 10; i++)
      shapes.expectSame(listOf({ filter: `meta.lastModified gt "2026-11-2${i}T00:00:00Z"` }))
    expect(shapes.made).toBe(UNTIL_REMEMBERED)
  })

  it('are rendered once: pages in an order, by number and by position, in both directions', () => {
    const sort = { sortBy: 'meta.lastModified' }
    for (const sliceAt of [
      (i: number): Slice => ({ offset: 100 * i, limit: 100 }),
      (i: number): Slice => ({ offset: 100_000 + i, limit: 100 }),
      (i: number): Slice => ({ from: { key: i, id: `u${i}` }, isBackwards: false, limit: 100 }),
      (i: number): Slice => ({ from: { key: i, id: `u${i}` }, isBackwards: true, limit: 100, total: 50 + i }),
    ]) {
      const shapes = memory()
      for (let i = 0; i < 10; i++) shapes.expectSame(listOf(sort, { slice: sliceAt(i) }))
      expect(shapes.made).toBe(UNTIL_REMEMBERED)
    }
  })
})

describe('lists that differ in more than values are not confused', () => {
  it.for([
    ['equal values', ['userName eq "a" or emails.value eq "b"', 'userName eq "a" or emails.value eq "a"']],
    ['booleans', ['userName eq "a" and active eq true', 'userName eq "a" and active eq false']],
    ['operators', ['emails.value eq "a"', 'emails.value sw "a"', 'emails.value co "a"']],
    [
      'long values',
      ['emails[type eq "work"].value eq "a"', `emails[type eq "work"].value eq "${'a'.repeat(300)}"`],
    ],
    [
      'bytes',
      ['emails[type eq "work"].value eq "a"', `emails[type eq "work"].value eq "${'ł'.repeat(129)}"`],
    ],
    [
      'searched texts',
      ['title co "aaa"', 'title co "bbbbbbbbbbbbbbbbbb"', 'title eq "abc"', 'title eq "\\\\"'],
    ],
    ['groups', ['groups[value eq "a" and type eq "direct"]', 'groups[value eq "a" and type eq "indirect"]']],
    ['ends', ['userName sw "a"', 'userName sw "\u{10ffff}"', 'userName ew "abc"', 'userName ew "a"']],
    ['numbers', ['meta.created gt "2026-11-28T00:00:00Z"', 'meta.created gt "1970-01-01T00:00:00Z"']],
    ['empty values', ['emails.value eq ""', 'emails.value eq "a"', 'emails.value sw ""']],
  ] as const)('%s', ([, filters]) => {
    const shapes = memory()
    for (let i = 0; i < 4; i++) for (const filter of filters) shapes.expectSame(listOf({ filter }))
  })

  it('pages that skip many entries, or are sorted', () => {
    const shapes = memory()
    const filter = 'meta.lastModified gt "2026-11-28T00:00:00Z"'
    for (let i = 0; i < 4; i++)
      for (const sortOrder of ['ascending', 'descending'])
        for (const offset of [0, 10_000, 10_001, 5_000_000])
          for (const limit of [0, 1, 100]) {
            const slice = { offset, limit }
            shapes.expectSame(listOf({ filter, sortBy: 'userName', sortOrder }, { slice }))
            shapes.expectSame(listOf({ filter, sortBy: 'title', sortOrder }, { slice }))
          }
  })

  it.for(['displayName', 'name.familyName', 'externalId'])('all in the order of values: %s', (sortBy) => {
    const shapes = [memory(true), memory(false)]
    for (let i = 0; i < 4; i++)
      for (const sortOrder of ['ascending', 'descending'])
        for (const isBackwards of [true, false])
          for (const slice of [
            { offset: i, limit: 10 },
            { offset: 20_000 + i, limit: 10 },
            { from: undefined, isBackwards, limit: 10 },
            ...[null, '', `k${i}`, 'k'.repeat(85), 'k'.repeat(86)].map((key) => {
              return { from: { key, id: `u${i}` }, isBackwards, limit: 10 }
            }),
          ])
            for (const one of shapes) one.expectSame(listOf({ sortBy, sortOrder }, { slice }))
  })

  it('positions with and without a key, or with the beginning of one', () => {
    const shapes = memory()
    const long = 'a'.repeat(1_000)
    for (let i = 0; i < 4; i++)
      for (const from of [
        { key: null, id: 'a' },
        { key: '', id: 'a' },
        { key: 'b', id: 'a' },
        { key: 'a', id: 'a' },
        { key: long, id: 'a', version: 1 },
        { key: long, id: 'a' },
      ])
        for (const total of [undefined, 5, 20_000])
          for (const isBackwards of [true, false])
            shapes.expectSame(
              listOf(
                { sortBy: 'displayName', filter: 'active eq false' },
                { slice: { from, isBackwards, limit: 10, ...(total !== undefined && { total }) } },
              ),
            )
  })

  it('filters at random', () => {
    const chance = chanceOf(17)
    const pick = <One>(all: readonly One[]): One => all[Math.floor(chance() * all.length)] as One
    const shapes = [memory(true), memory(false)]
    const texts = [
      'a',
      'b',
      'Ann',
      'ann',
      '',
      'x'.repeat(64),
      'x'.repeat(65),
      '\u{1f600}',
      'work',
      'direct',
      '%_*?[',
      '"',
    ]
    const paths = [
      'userName',
      'displayName',
      'externalId',
      'title',
      'emails.value',
      'emails.type',
      'phoneNumbers.value',
    ]
    paths.push('name.familyName', 'groups.value', 'groups.type', 'id', 'groups.display')
    const operators = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'le']
    const test = (): string => `${pick(paths)} ${pick(operators)} ${JSON.stringify(pick(texts))}`
    const filterOf = (depth: number): string => {
      const kind = depth === 0 ? 'test' : pick(['test', 'and', 'or', 'not', 'value'])
      if (kind === 'not') return `not (${filterOf(depth - 1)})`
      if (kind === 'value')
        return `emails[type eq ${JSON.stringify(pick(texts))} and value ${pick(operators)} ${JSON.stringify(pick(texts))}]`
      return kind === 'test' ? test() : `(${filterOf(depth - 1)} ${kind} ${filterOf(depth - 1)})`
    }
    for (let i = 0; i < 200; i++) {
      const filter = filterOf(2)
      for (let again = 0; again < 3; again++) {
        const other = filter.replaceAll(/"(?:[^"\\]|\\.)*"/g, (text) =>
          again === 0 ? text : JSON.stringify(pick(texts)),
        )
        for (const one of shapes) one.expectSame(listOf({ filter: other }))
      }
    }
  })
})
