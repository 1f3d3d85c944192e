import { describe, expect, it } from 'vitest'
import {
  applyMemberChanges,
  type Member,
  memberIds,
  namedIds,
  needsAllMembers,
  splitMembers,
} from '../../../src/scim/patch/members.ts'
import { parsePatch } from '../../../src/scim/patch/parse.ts'
import { GROUP_RESOURCE_TYPE } from '../../../src/scim/schema/resource-type.ts'
import { reading, TOLERANT } from '../../support/reading.ts'

const MEMBERS: readonly Member[] = [
  { value: 'a', type: 'User', display: 'Alice' },
  { value: 'b', type: 'User', display: 'Bob' },
  { value: 'g', type: 'Group', display: 'Guides' },
]

const changesOf = (...Operations: readonly unknown[]) =>
  splitMembers(
    parsePatch({ Operations }, reading(GROUP_RESOURCE_TYPE)).operations,
    reading(GROUP_RESOURCE_TYPE),
  )
const left = (...operations: readonly unknown[]) =>
  [...applyMemberChanges(MEMBERS, changesOf(...operations).members, TOLERANT)].sort().join(' ')

describe('member operations', () => {
  it.for<[what: string, operation: object, members: string]>([
    // RFC 7644 §3.5.2.1, first example.
    [
      'add a member',
      { op: 'add', path: 'members', value: [{ display: 'C', $ref: '../Users/c', value: 'c' }] },
      'a b c g',
    ],
    ['add one that is there', { op: 'add', path: 'members', value: [{ value: 'a' }] }, 'a b g'],
    [
      'add one twice',
      { op: 'add', path: 'members', value: [{ value: 'c' }, { value: 'c', type: 'User' }] },
      'a b c g',
    ],
    ['add without a path', { op: 'add', value: { members: [{ value: 'c' }] } }, 'a b c g'],
    ['add an object', { op: 'add', path: 'members', value: { value: 'c' } }, 'a b c g'],
    ['add a text', { op: 'add', path: 'members', value: 'c' }, 'a b c g'],
    [
      "add with Entra's null reference",
      { op: 'Add', path: 'members', value: [{ $ref: null, value: 'c' }] },
      'a b c g',
    ],
    ['add nothing', { op: 'add', path: 'members', value: [] }, 'a b g'],
    // §3.5.2.3, first example.
    [
      'replace all members',
      { op: 'replace', path: 'members', value: [{ value: 'b' }, { value: 'c' }] },
      'b c',
    ],
    ['replace by nothing', { op: 'replace', path: 'members', value: [] }, ''],
    ['replace by null', { op: 'replace', value: { members: null } }, ''],
    // §3.5.2.2, first and second example.
    ['remove a member', { op: 'remove', path: 'members[value eq "a"]' }, 'b g'],
    ['remove all members', { op: 'remove', path: 'members' }, ''],
    ['remove one that is not there', { op: 'remove', path: 'members[value eq "x"]' }, 'a b g'],
    [
      'remove by an id in another case, which does not match',
      { op: 'remove', path: 'members[value eq "A"]' },
      'a b g',
    ],
    ['remove by type', { op: 'remove', path: 'members[type eq "user"]' }, 'g'],
    ['remove by two ids', { op: 'remove', path: 'members[value eq "a" or value eq "b"]' }, 'g'],
    ['remove by display', { op: 'remove', path: 'members[not (display sw "a")]' }, 'a'],
    // Entra's old dialect: azure-docs#30826.
    ["remove Entra's way", { op: 'Remove', path: 'members', value: [{ $ref: null, value: 'a' }] }, 'b g'],
    ['remove a text', { op: 'remove', path: 'members', value: 'a' }, 'b g'],
    ['remove an empty list', { op: 'remove', path: 'members', value: [] }, 'a b g'],
  ])('%s', ([, operation, members]) => {
    expect(left(operation)).toBe(members)
  })

  it('are applied in order', () => {
    expect(
      left(
        { op: 'remove', path: 'members' },
        { op: 'add', path: 'members', value: [{ value: 'x' }, { value: 'y' }] },
        { op: 'remove', path: 'members[value eq "x"]' },
        { op: 'add', path: 'members', value: [{ value: 'a' }] },
      ),
    ).toBe('a y')
  })

  it.for<[what: string, operation: object, scimType: string]>([
    // RFC 7643 §4.2: "members" sub-attributes are immutable.
    ['a sub-attribute', { op: 'replace', path: 'members.value', value: 'x' }, 'mutability'],
    [
      'a sub-attribute of one',
      { op: 'replace', path: 'members[value eq "a"].value', value: 'x' },
      'mutability',
    ],
    [
      'a selected member',
      { op: 'replace', path: 'members[value eq "a"]', value: { value: 'x' } },
      'mutability',
    ],
    ['a member without an id', { op: 'add', path: 'members', value: [{ type: 'User' }] }, 'invalidValue'],
    ['an empty id', { op: 'add', path: 'members', value: [{ value: '' }] }, 'invalidValue'],
    ['a number', { op: 'add', path: 'members', value: [5] }, 'invalidValue'],
    ['a number as id', { op: 'remove', path: 'members', value: [{ value: 5 }] }, 'invalidValue'],
  ])('reject %s', ([, operation, scimType]) => {
    expect(() => changesOf(operation)).toThrow(expect.objectContaining({ status: 400, scimType }))
  })
})

describe('splitMembers', () => {
  it('keeps the order of the other operations', () => {
    const { members, rest } = changesOf(
      { op: 'replace', value: { displayName: 'x', members: [{ value: 'a' }], externalId: 'e' } },
      { op: 'add', path: 'members', value: 'b' },
    )
    expect(members).toEqual([
      { kind: 'replace', ids: ['a'] },
      { kind: 'add', ids: ['b'] },
    ])
    expect(rest.map(({ target }) => target.text)).toEqual(['displayName', 'externalId'])
  })
})

describe('namedIds and needsAllMembers', () => {
  it.for<[operation: object, ids: readonly string[], all: boolean]>([
    [{ op: 'add', path: 'members', value: [{ value: 'a' }] }, ['a'], false],
    [{ op: 'remove', path: 'members[value eq "a"]' }, ['a'], false],
    [{ op: 'remove', path: 'members', value: [{ value: 'a' }] }, ['a'], false],
    [{ op: 'remove', path: 'members' }, [], true],
    [{ op: 'replace', path: 'members', value: [{ value: 'a' }] }, ['a'], true],
    [{ op: 'remove', path: 'members[type eq "User"]' }, [], true],
    [{ op: 'replace', path: 'displayName', value: 'x' }, [], false],
  ])('are for %j: %j and %s', ([operation, ids, all]) => {
    const { members } = changesOf(operation)
    expect(namedIds(members)).toEqual(ids)
    expect(needsAllMembers(members)).toBe(all)
  })
})

describe('memberIds', () => {
  it('returns the ids of a validated body without duplicates', () => {
    expect(memberIds([{ value: 'a' }, { value: 'b', type: 'User' }, { value: 'a' }])).toEqual(['a', 'b'])
    expect(memberIds(undefined)).toEqual([])
  })
})
