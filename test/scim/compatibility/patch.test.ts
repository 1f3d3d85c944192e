/**
 * Deviations in a PATCH: the result with each deviation, and without it. The comment above a group of rows names the
 * client and the source.
 */
import { describe, expect, it } from 'vitest'
import type { Complex } from '../../../src/scim/comparison.ts'
import {
  arrayFromSingle,
  elementFromFilter,
  lowerCaseOp,
  removedElements,
} from '../../../src/scim/compatibility/patch.ts'
import { applyMemberChanges, splitMembers } from '../../../src/scim/patch/members.ts'
import { parsePatch } from '../../../src/scim/patch/parse.ts'
import { parsePath } from '../../../src/scim/path.ts'
import { GROUP_RESOURCE_TYPE, USER_RESOURCE_TYPE } from '../../../src/scim/schema/resource-type.ts'
import { attributeOf, patchedBy } from '../../support/patched.ts'
import { reading, STRICT, TOLERANT } from '../../support/reading.ts'
import { PATCH_OP } from '../../support/urns.ts'

const patch = (resource: Complex, ...operations: readonly object[]) =>
  patchedBy(TOLERANT, resource, ...operations)

// Entra's old dialect: learn.microsoft.com, application-provisioning-config-problem-scim-compatibility.
describe('lowerCaseOp', () => {
  it.for(['Add', 'ADD', 'add'])('reads %s', (op) => {
    expect(lowerCaseOp(op, TOLERANT)).toBe('add')
    expect(patch({}, { op, path: 'title', value: 'x' })).toEqual({ title: 'x' })
  })
})

// Entra: Captain-P-Goldfish/SCIM-SDK#416, thomaspoignant/scim-patch#42; Microsoft's validator.
describe('elementFromFilter', () => {
  const described = (path: string) => {
    const { filter } = parsePath(path, reading(USER_RESOURCE_TYPE))
    return filter && elementFromFilter(filter, TOLERANT)
  }

  it.for<[path: string, element: Complex | undefined]>([
    ['emails[type eq "work"]', { type: 'work' }],
    ['emails[type eq "WORK"]', { type: 'work' }],
    ['emails[primary eq true]', { primary: true }],
    ['roles[primary eq "True"]', { primary: true }],
    ['emails[type eq "work" and primary eq true]', { type: 'work', primary: true }],
    // Without canonical values, the type is kept as written.
    ['roles[type eq "AppRole"]', { type: 'AppRole' }],
    ['emails[type eq "alias"]', undefined],
    ['emails[primary eq false]', undefined],
    ['emails[value eq "x"]', undefined],
    ['emails[type ne "work"]', undefined],
    ['emails[type eq "work" or type eq "home"]', undefined],
    ['emails[not (type eq "work")]', undefined],
    ['emails[type eq "work" and value eq "x"]', undefined],
    ['emails[type pr]', undefined],
  ])('for %s is %j', ([path, element]) => {
    expect(described(path)).toEqual(element)
  })

  it('creates one element for all operations of a request', () => {
    const operation = (sub: string, value: string) => ({
      op: 'Add',
      path: `addresses[type eq "work"].${sub}`,
      value,
    })
    expect(patch({}, operation('locality', 'Hollywood'), operation('country', 'US'))).toEqual({
      addresses: [{ type: 'work', locality: 'Hollywood', country: 'US' }],
    })
  })

  it('creates an element with the type for a complex value too', () => {
    for (const op of ['add', 'replace']) {
      expect(patch({}, { op, path: 'emails[type eq "work"]', value: { value: 'a' } })).toEqual({
        emails: [{ type: 'work', value: 'a' }],
      })
    }
  })

  it.for([null, '', [], {}])('creates no element for the value %j', (value) => {
    expect(patch({}, { op: 'replace', path: 'emails[type eq "work"]', value })).toEqual({})
    if (value === null || value === '') {
      expect(patch({}, { op: 'replace', path: 'emails[type eq "work"].value', value })).toEqual({})
    }
  })

  it('makes a new primary element the only one', () => {
    const emails = [{ value: 'a', type: 'home', primary: true }]
    expect(
      patch(
        { emails },
        { op: 'add', path: 'emails[primary eq "True" and type eq "work"].value', value: 'b' },
      ),
    ).toEqual({
      emails: [
        { value: 'a', type: 'home', primary: false },
        { type: 'work', primary: true, value: 'b' },
      ],
    })
  })
})

// Entra's old dialect, `Remove` with path and value: MicrosoftDocs/azure-docs#30826, ssoready#182.
describe('removedElements', () => {
  it.for<[value: unknown, elements: unknown]>([
    [undefined, undefined],
    [null, undefined],
    [[], []],
    [[{ value: 'a' }], [{ value: 'a' }]],
    [{ value: 'a' }, [{ value: 'a' }]],
    ['a', ['a']],
  ])('for the value %j are %j', ([value, elements]) => {
    expect(removedElements(value, 'x', TOLERANT)).toEqual(elements)
  })

  it.for<[value: unknown, left: readonly string[]]>([
    [[{ value: 'a' }], ['b', 'b']],
    [[{ value: 'A' }], ['b', 'b']],
    [
      [
        { $ref: null, value: 'a' },
        { value: 'b', type: 'home' },
      ],
      ['b'],
    ],
    ['b', ['a']],
    [[], ['a', 'b', 'b']],
    [[{ value: 'x' }], ['a', 'b', 'b']],
    [[{ type: 'home' }], ['a', 'b']],
    [undefined, []],
  ])('removes by the value %j', ([value, left]) => {
    const emails = [
      { value: 'a', type: 'work' },
      { value: 'b', type: 'work' },
      { value: 'b', type: 'home' },
    ]
    const after = patch({ emails }, { op: 'Remove', path: 'emails', value })
    expect(((after.emails ?? []) as Complex[]).map((email) => email.value)).toEqual(left)
  })
})

// Microsoft's test collection (AzureAD/SCIMReferenceCode) sends members as an object or a string.
describe('arrayFromSingle', () => {
  it.for<[name: string, value: unknown, result: unknown]>([
    ['members', { value: 'a' }, [{ value: 'a' }]],
    ['members', 'a', ['a']],
    ['members', ['a'], ['a']],
    ['members', null, null],
    ['title', 'a', 'a'],
  ])('converts for %s: %j to %j', ([name, value, result]) => {
    expect(arrayFromSingle(attributeOf(name), value, TOLERANT)).toEqual(result)
  })
})

// The client of SCIM-SDK wraps each value of a PATCH in a list: Captain-P-Goldfish/SCIM-SDK#968.
describe('fromSingletonList', () => {
  it.for<[path: string | undefined, value: unknown]>([
    ['title', ['Pilot']],
    ['name.givenName', ['Pilot']],
    ['name', [{ givenName: 'Pilot' }]],
    [undefined, [{ title: 'Pilot' }]],
    [undefined, { title: ['Pilot'] }],
  ])('accepts the value for the path %j: %j', ([path, value]) => {
    expect(JSON.stringify(patch({}, { op: 'replace', path, value }))).toContain('"Pilot"')
  })

  it.for([[], ['a', 'b'], [['a']], [null], ['']])('rejects %j for a title', (value) => {
    expect(() => patch({}, { op: 'add', path: 'title', value })).toThrow(
      expect.objectContaining({ status: 400, scimType: 'invalidValue' }),
    )
  })
})

describe('the strict profile', () => {
  const refusal = (scimType: string, detail: RegExp) =>
    expect.objectContaining({ status: 400, scimType, detail: expect.stringMatching(detail) })
  const user = () => ({
    title: 'x',
    active: true,
    emails: [
      { value: 'a', type: 'work', primary: true },
      { value: 'b', type: 'home' },
    ],
  })

  it.for<[deviation: string, operation: object, scimType: string, detail: RegExp]>([
    ['readsOpInAnyCase', { op: 'Add', path: 'title', value: 'y' }, 'invalidSyntax', /must be one of add/],
    ['readsPathsFromKeys', { op: 'replace', value: { 'name.givenName': 'A' } }, 'invalidPath', /is a path/],
    [
      'readsPathsFromKeys',
      { op: 'add', value: { 'emails[type eq "work"].value': 'c' } },
      'invalidPath',
      /is a path/,
    ],
    [
      'readsEmptyPathAsNone',
      { op: 'add', path: '', value: { title: 'y' } },
      'invalidPath',
      /no attribute ""/,
    ],
    ['trimsPaths', { op: 'add', path: ' title', value: 'y' }, 'invalidPath', /no attribute " title"/],
    [
      'ignoresReadOnlyKeys',
      { op: 'replace', value: { id: '1', title: 'y' } },
      'mutability',
      /"id" is read-only/,
    ],
    [
      'ignoresUnknownAttributes',
      { op: 'add', value: { shoeSize: 5 } },
      'invalidValue',
      /no attribute "shoeSize"/,
    ],
    ['unwrapsPatchValues', { op: 'add', path: 'title', value: ['y'] }, 'invalidValue', /must be a string/],
    ['unwrapsPatchValues', { op: 'add', value: [{ title: 'y' }] }, 'invalidValue', /must be an object/],
    ['wrapsSingleValues', { op: 'add', path: 'emails', value: { value: 'c' } }, 'invalidValue', /an array/],
    [
      'removesGivenValues',
      { op: 'remove', path: 'emails', value: [{ value: 'a' }] },
      'invalidValue',
      /must not have a value/,
    ],
    [
      'removesAbsentValues',
      { op: 'remove', path: 'emails[value eq "c"]' },
      'noTarget',
      /does not match any value/,
    ],
    [
      'removesAbsentValues',
      { op: 'remove', path: 'emails[value eq "c"].type' },
      'noTarget',
      /does not match any value/,
    ],
    [
      'createsSelectedValues',
      { op: 'replace', path: 'phoneNumbers[type eq "work"].value', value: '1' },
      'noTarget',
      /does not match any value/,
    ],
    [
      'createsSelectedValues',
      { op: 'add', path: 'phoneNumbers[type eq "work"].value', value: '1' },
      'noTarget',
      /does not match any value/,
    ],
    ['convertsFilterValues', { op: 'remove', path: 'emails[primary eq "True"]' }, 'invalidFilter', /boolean/],
    ['readsBooleansFromText', { op: 'replace', path: 'active', value: 'False' }, 'invalidValue', /a boolean/],
  ])('rejects, without %s, %j', ([, operation, scimType, detail]) => {
    expect(() => patchedBy(STRICT, user(), operation)).toThrow(refusal(scimType, detail))
    expect(() => patchedBy(TOLERANT, user(), operation)).not.toThrow()
  })

  it.for<[operation: object, tolerant: string, strict: string]>([
    [{ op: 'replace', path: 'userName', value: '' }, 'mutability', 'invalidValue'],
    [{ op: 'remove', path: '' }, 'noTarget', 'invalidPath'],
  ])('rejects %j with another scimType than the tolerant profile', ([operation, ...scimTypes]) => {
    for (const [i, profile] of [TOLERANT, STRICT].entries()) {
      expect(() => patchedBy(profile, user(), operation)).toThrow(refusal(scimTypes[i] ?? '', /./))
    }
  })

  it('rejects a message without operations, and a message without schemas', () => {
    const how = reading(USER_RESOURCE_TYPE, STRICT)
    expect(() => parsePatch({ schemas: [PATCH_OP], Operations: [] }, how)).toThrow(
      refusal('invalidSyntax', /at least one operation/),
    )
    const Operations = [{ op: 'add', path: 'title', value: 'x' }]
    expect(() => parsePatch({ Operations }, how)).toThrow(refusal('invalidSyntax', /"schemas" must contain/))
  })

  it('replaces a selected value as a whole', () => {
    const operation = { op: 'replace', path: 'emails[type eq "work"]', value: { value: 'c' } }
    expect(patchedBy(STRICT, user(), operation).emails).toEqual([
      { value: 'c' },
      { value: 'b', type: 'home' },
    ])
    expect(patchedBy(TOLERANT, user(), operation).emails).toEqual([
      { value: 'c', type: 'work', primary: true },
      { value: 'b', type: 'home' },
    ])
  })

  it('applies a PATCH that disables a user atomically', () => {
    const operations = [
      { op: 'replace', path: 'active', value: false },
      { op: 'replace', path: 'shoeSize', value: 5 },
    ]
    expect(() => patchedBy(STRICT, user(), ...operations)).toThrow(refusal('invalidPath', /shoeSize/))
    expect(patchedBy(TOLERANT, user(), ...operations)).toMatchObject({ active: false })
  })

  it('applies the operations of RFC 7644', () => {
    const operations = [
      { op: 'add', value: { title: 'y', emails: [{ value: 'c', type: 'other' }], schemas: [] } },
      { op: 'replace', path: 'emails[type eq "work"].value', value: 'd' },
      { op: 'remove', path: 'emails[type eq "home"]' },
      { op: 'add', path: 'name', value: { givenName: 'Ada' } },
    ]
    expect(patchedBy(STRICT, user(), ...operations)).toEqual({
      title: 'y',
      active: true,
      name: { givenName: 'Ada' },
      emails: [
        { value: 'd', type: 'work', primary: true },
        { value: 'c', type: 'other' },
      ],
    })
  })

  it.for<[path: string, left: readonly string[] | undefined]>([
    ['members[value eq "a"]', ['b']],
    ['members[value eq "z"]', undefined],
    ['members[type eq "User"]', []],
    ['members[type eq "Group"]', undefined],
  ])('removes %s, or fails with noTarget', ([path, left]) => {
    const how = reading(GROUP_RESOURCE_TYPE, STRICT)
    const { operations } = parsePatch({ schemas: [PATCH_OP], Operations: [{ op: 'remove', path }] }, how)
    const { members } = splitMembers(operations, how)
    const before = ['a', 'b'].map((value) => ({ value, type: 'User' }))
    if (left !== undefined) expect([...applyMemberChanges(before, members, STRICT)]).toEqual(left)
    else expect(() => applyMemberChanges(before, members, STRICT)).toThrow(refusal('noTarget', /members/))
    expect(() => applyMemberChanges(before, members, TOLERANT)).not.toThrow()
  })
})
