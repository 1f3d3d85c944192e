import { describe, expect, it } from 'vitest'
import type { Complex } from '../../../src/scim/comparison.ts'
import { applyPatch } from '../../../src/scim/patch/apply.ts'
import { parsePatch } from '../../../src/scim/patch/parse.ts'
import { attribute, multiValued, type ResourceType } from '../../../src/scim/schema/definition.ts'
import { USER_RESOURCE_TYPE } from '../../../src/scim/schema/resource-type.ts'
import { reading } from '../../support/reading.ts'

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

const WORK = { value: 'bjensen@example.com', type: 'work', primary: true }
const HOME = { value: 'babs@jensen.org', type: 'home' }

type Operation = { op: string; path?: string; value?: unknown }

/** Applies operations to a user with these attributes. @returns the user without the attributes that are always present */
function patch(attributes: Complex, ...Operations: readonly Operation[]): Complex {
  const resource = { schemas: [USER], userName: 'bjensen', ...attributes }
  const before = structuredClone(resource)
  const { operations } = parsePatch({ Operations }, reading(USER_RESOURCE_TYPE))
  try {
    const { schemas, userName, ...rest } = applyPatch(
      resource,
      operations,
      reading(USER_RESOURCE_TYPE),
    ).resource
    return userName === 'bjensen' ? rest : { userName, ...rest }
  } finally {
    // RFC 7644 §3.5.2: "the original SCIM resource MUST be restored". It is never changed.
    expect(resource).toEqual(before)
  }
}

const refusal = (scimType: string, detail = /./) =>
  expect.objectContaining({ status: 400, scimType, detail: expect.stringMatching(detail) })

describe('add', () => {
  it.for<[what: string, before: Complex, operation: Omit<Operation, 'op'>, after: Complex]>([
    // §3.5.2.1: "If the target location does not exist, the attribute and value are added."
    ['a missing value', {}, { path: 'title', value: 'x' }, { title: 'x' }],
    ['a missing sub-attribute', {}, { path: 'name.givenName', value: 'B' }, { name: { givenName: 'B' } }],
    [
      'a missing complex attribute',
      {},
      { path: 'name', value: { GivenName: 'B' } },
      { name: { givenName: 'B' } },
    ],
    [
      'an attribute of a missing extension',
      {},
      { path: `${ENTERPRISE}:division`, value: 'd' },
      { [ENTERPRISE]: { division: 'd' } },
    ],
    [
      'a sub-attribute in a missing extension',
      {},
      { path: `${ENTERPRISE}:manager.value`, value: 'm' },
      { [ENTERPRISE]: { manager: { value: 'm' } } },
    ],
    // "If the target location specifies a single-valued attribute, the existing value is replaced."
    ['a value that is there', { title: 'x' }, { path: 'title', value: 'y' }, { title: 'y' }],
    [
      'a value in a complex attribute',
      { name: { givenName: 'B', familyName: 'J' } },
      { path: 'name', value: { givenName: 'C' } },
      { name: { givenName: 'C', familyName: 'J' } },
    ],
    // "If the target location specifies a multi-valued attribute, a new value is added to the attribute."
    ['an element', { emails: [WORK] }, { path: 'emails', value: [HOME] }, { emails: [WORK, HOME] }],
    ['an element to none', {}, { path: 'emails', value: [HOME] }, { emails: [HOME] }],
    [
      'one element without a list',
      { emails: [WORK] },
      { path: 'emails', value: HOME },
      { emails: [WORK, HOME] },
    ],
    // "If the target location already contains the value specified, no changes SHOULD be made"
    [
      'an element that is there',
      { emails: [WORK, HOME] },
      { path: 'emails', value: [HOME] },
      { emails: [WORK, HOME] },
    ],
    [
      'a known value and type with more',
      { emails: [HOME] },
      { path: 'emails', value: [{ ...HOME, display: 'd' }] },
      { emails: [{ ...HOME, display: 'd' }] },
    ],
    [
      'a known value with another type',
      { emails: [HOME] },
      { path: 'emails', value: [{ ...HOME, type: 'other' }] },
      { emails: [HOME, { ...HOME, type: 'other' }] },
    ],
    [
      'an address that is there',
      { addresses: [{ locality: 'A', type: 'work' }] },
      { path: 'addresses', value: [{ type: 'work', locality: 'A', primary: true }] },
      { addresses: [{ locality: 'A', type: 'work', primary: true }] },
    ],
    // §3.5.2: setting "primary" to true SHALL set it to false for the others.
    [
      'a new primary element',
      { emails: [WORK] },
      { path: 'emails', value: [{ ...HOME, primary: true }] },
      {
        emails: [
          { ...WORK, primary: false },
          { ...HOME, primary: true },
        ],
      },
    ],
    // "The "value" parameter contains a set of attributes to be added to the resource."
    [
      'attributes without a path',
      { emails: [WORK], nickName: 'b' },
      { value: { emails: [HOME], nickname: 'Babs', name: { givenName: 'B' } } },
      { emails: [WORK, HOME], nickName: 'Babs', name: { givenName: 'B' } },
    ],
    [
      'a sub-attribute of each element',
      { emails: [WORK, HOME] },
      { path: 'emails.display', value: 'd' },
      {
        emails: [
          { ...WORK, display: 'd' },
          { ...HOME, display: 'd' },
        ],
      },
    ],
    [
      'to selected elements',
      { emails: [WORK, HOME] },
      { path: 'emails[type eq "home"]', value: { display: 'd' } },
      { emails: [WORK, { ...HOME, display: 'd' }] },
    ],
    [
      'nothing',
      { title: 'x', emails: [WORK] },
      { path: 'title', value: null },
      { title: 'x', emails: [WORK] },
    ],
    ['an empty list', { emails: [WORK] }, { path: 'emails', value: [] }, { emails: [WORK] }],
    ['schemas, which are derived', { title: 'x' }, { path: 'schemas', value: [ENTERPRISE] }, { title: 'x' }],
  ])('adds %s', ([, before, operation, after]) => {
    expect(patch(before, { op: 'add', ...operation })).toEqual(after)
  })
})

describe('replace', () => {
  it.for<[what: string, before: Complex, operation: Omit<Operation, 'op'>, after: Complex]>([
    // §3.5.2.3: "If the target location is a single-value attribute, the attributes value is replaced."
    ['a value', { title: 'x' }, { path: 'title', value: 'y' }, { title: 'y' }],
    ['userName', {}, { path: 'userName', value: 'babs' }, { userName: 'babs' }],
    // "… an attribute that does not exist, the service provider SHALL treat the operation as an "add"."
    ['a missing value', {}, { path: 'title', value: 'y' }, { title: 'y' }],
    ['a missing sub-attribute', {}, { path: 'name.givenName', value: 'B' }, { name: { givenName: 'B' } }],
    // "If … multi-valued … and no filter is specified, the attribute and all values are replaced."
    [
      'all elements',
      { emails: [WORK, HOME] },
      { path: 'emails', value: [{ value: 'x' }] },
      { emails: [{ value: 'x' }] },
    ],
    [
      'all elements by one without a list',
      { emails: [WORK, HOME] },
      { path: 'emails', value: HOME },
      { emails: [HOME] },
    ],
    // "Sub-attributes that are not specified SHALL be left unchanged."
    [
      'some sub-attributes',
      { name: { givenName: 'B', familyName: 'J' } },
      { path: 'name', value: { givenName: 'C' } },
      { name: { givenName: 'C', familyName: 'J' } },
    ],
    [
      'some attributes of an extension',
      { [ENTERPRISE]: { division: 'd', manager: { value: 'm' } } },
      { path: ENTERPRISE, value: { division: 'e' } },
      { [ENTERPRISE]: { division: 'e', manager: { value: 'm' } } },
    ],
    [
      'nothing, by an empty object',
      { name: { givenName: 'B' } },
      { path: 'name', value: {} },
      { name: { givenName: 'B' } },
    ],
    // "… all matching record values SHALL be replaced." Sub-attributes that are not specified are kept.
    [
      'a selected element',
      { emails: [WORK, HOME] },
      { path: 'emails[type eq "work"]', value: { value: 'x', type: 'other', primary: null } },
      { emails: [{ value: 'x', type: 'other' }, HOME] },
    ],
    [
      'some sub-attributes of a selected element',
      { emails: [WORK, HOME] },
      { path: 'emails[type eq "work"]', value: { value: 'x' } },
      { emails: [{ ...WORK, value: 'x' }, HOME] },
    ],
    [
      'nothing of a selected element, by an empty object',
      { emails: [WORK, HOME] },
      { path: 'emails[type eq "work"]', value: {} },
      { emails: [WORK, HOME] },
    ],
    [
      'a selected element by one in a list',
      { emails: [WORK, HOME] },
      { path: 'emails[type eq "work"]', value: [{ value: 'x' }] },
      { emails: [{ ...WORK, value: 'x' }, HOME] },
    ],
    [
      'several elements by the same value, which leaves one',
      { emails: [WORK, HOME] },
      { path: 'emails[value pr]', value: { value: 'x', type: 'work', primary: null } },
      { emails: [{ value: 'x', type: 'work' }] },
    ],
    // "… the matching sub-attribute of all matching records is replaced."
    [
      'a sub-attribute of selected elements',
      { emails: [WORK, HOME] },
      { path: 'emails[value pr].display', value: 'd' },
      {
        emails: [
          { ...WORK, display: 'd' },
          { ...HOME, display: 'd' },
        ],
      },
    ],
    [
      'a sub-attribute, regardless of the case of path and filter',
      { emails: [WORK, HOME] },
      { path: 'EMAILS[TYPE EQ "HOME"].VALUE', value: 'x' },
      { emails: [WORK, { ...HOME, value: 'x' }] },
    ],
    [
      'the primary element',
      { emails: [WORK, HOME] },
      { path: 'emails[type eq "home"].primary', value: true },
      {
        emails: [
          { ...WORK, primary: false },
          { ...HOME, primary: true },
        ],
      },
    ],
    [
      'attributes without a path',
      { title: 'x', emails: [WORK] },
      { value: { title: 'y', emails: [HOME], 'name.givenName': 'B' } },
      { title: 'y', emails: [HOME], name: { givenName: 'B' } },
    ],
    // RFC 7643 §2.5: null and an empty array are "unassigned".
    ['by null', { title: 'x' }, { path: 'title', value: null }, {}],
    ['by an empty list', { emails: [WORK] }, { path: 'emails', value: [] }, {}],
    ['a complex attribute by null', { name: { givenName: 'B' } }, { path: 'name', value: null }, {}],
    [
      'the last sub-attribute by null',
      { name: { givenName: 'B' } },
      { path: 'name.givenName', value: null },
      {},
    ],
    ['an extension by null', { [ENTERPRISE]: { division: 'd' } }, { path: ENTERPRISE, value: null }, {}],
    [
      'the last attribute of an extension by null',
      { [ENTERPRISE]: { manager: { value: 'm' } } },
      { path: `${ENTERPRISE}:manager.value`, value: null },
      {},
    ],
    [
      'a selected element by null',
      { emails: [WORK, HOME] },
      { path: 'emails[type eq "work"]', value: null },
      { emails: [HOME] },
    ],
    [
      'a sub-attribute of a missing element by null',
      { emails: [HOME] },
      { path: 'emails[type eq "work"].value', value: null },
      { emails: [HOME] },
    ],
  ])('replaces %s', ([, before, operation, after]) => {
    expect(patch(before, { op: 'replace', ...operation })).toEqual(after)
  })
})

describe('remove', () => {
  it.for<[what: string, before: Complex, path: string, after: Complex]>([
    // §3.5.2.2: "the attribute and its associated value is removed"
    ['a value', { title: 'x', nickName: 'b' }, 'title', { nickName: 'b' }],
    ['a missing value', { nickName: 'b' }, 'title', { nickName: 'b' }],
    [
      'a sub-attribute',
      { name: { givenName: 'B', familyName: 'J' } },
      'name.givenName',
      { name: { familyName: 'J' } },
    ],
    ['the last sub-attribute', { name: { givenName: 'B' } }, 'name.givenName', {}],
    ['a sub-attribute of nothing', {}, 'name.givenName', {}],
    [
      'an attribute of an extension',
      { [ENTERPRISE]: { division: 'd', costCenter: 'c' } },
      `${ENTERPRISE}:division`,
      { [ENTERPRISE]: { costCenter: 'c' } },
    ],
    ['an extension', { [ENTERPRISE]: { division: 'd' } }, ENTERPRISE, {}],
    // "If … no filter is specified, the attribute and all values are removed"
    ['all elements', { emails: [WORK, HOME] }, 'emails', {}],
    // "the values matched by the filter are removed. If no other values remain … unassigned."
    [
      'selected elements',
      { emails: [WORK, HOME] },
      'emails[type eq "work" and value ew "example.com"]',
      { emails: [HOME] },
    ],
    ['the last element', { emails: [HOME] }, 'emails[type eq "home"]', {}],
    ['no element', { emails: [HOME] }, 'emails[type eq "work"]', { emails: [HOME] }],
    ['an element of nothing', {}, 'emails[type eq "work"]', {}],
    [
      'a sub-attribute of selected elements',
      { emails: [WORK, HOME] },
      'emails[type eq "work"].primary',
      { emails: [{ value: WORK.value, type: 'work' }, HOME] },
    ],
    [
      'the last sub-attribute of an element',
      { emails: [{ value: 'x' }, HOME] },
      'emails[value eq "x"].value',
      { emails: [HOME] },
    ],
    [
      'a sub-attribute of every element',
      { emails: [{ value: 'x' }, HOME] },
      'emails.value',
      { emails: [{ type: 'home' }] },
    ],
    ['the only sub-attribute of every element', { emails: [{ value: 'x' }] }, 'emails.value', {}],
  ])('removes %s', ([, before, path, after]) => {
    expect(patch(before, { op: 'remove', path })).toEqual(after)
  })
})

describe('a refused operation', () => {
  it.for<[what: string, operation: Operation, scimType: string, detail: RegExp]>([
    // §3.5.2: "a client MUST NOT modify an attribute that has mutability "readOnly" or "immutable"."
    [
      'id',
      { op: 'replace', path: 'id', value: 'x' },
      'mutability',
      /"id" is read-only and cannot be changed by "replace"/,
    ],
    ['meta', { op: 'add', path: 'meta.created', value: 'x' }, 'mutability', /"meta.created" is read-only/],
    [
      'groups',
      { op: 'remove', path: 'groups[value eq "x"]' },
      'mutability',
      /is read-only and cannot be changed by "remove"/,
    ],
    [
      'the displayName of a manager',
      { op: 'add', path: `${ENTERPRISE}:manager.displayName`, value: 'x' },
      'mutability',
      /read-only/,
    ],
    // §3.5.2.2: "… is removed or becomes unassigned and is defined as a required attribute … "mutability"."
    ['removing userName', { op: 'remove', path: 'userName' }, 'mutability', /"userName" is required/],
    [
      'replacing userName by null',
      { op: 'replace', path: 'userName', value: null },
      'mutability',
      /"userName" is required/,
    ],
    [
      'replacing userName by ""',
      { op: 'replace', value: { userName: '' } },
      'mutability',
      /"userName" is required/,
    ],
    ['removing schemas', { op: 'remove', path: 'schemas' }, 'mutability', /"schemas" is required/],
    // §3.5.2.3: "… no record match was made … "noTarget"."
    [
      'a selection that selects nothing',
      { op: 'replace', path: 'emails[value eq "x"].type', value: 'work' },
      'noTarget',
      /does not match any value/,
    ],
    [
      'a type that is not canonical',
      { op: 'replace', path: 'emails[type eq "alias"].value', value: 'x' },
      'noTarget',
      /does not match any value/,
    ],
    [
      'a filter that does not describe an element',
      { op: 'add', path: 'emails[type ne "work"]', value: { value: 'x' } },
      'noTarget',
      /./,
    ],
    [
      'a sub-attribute of no element',
      { op: 'add', path: 'emails.value', value: 'x' },
      'noTarget',
      /does not match any value/,
    ],
    ['a number for text', { op: 'add', path: 'title', value: 5 }, 'invalidValue', /"title" must be a string/],
    [
      'a list of two for one value',
      { op: 'replace', path: 'title', value: ['x', 'y'] },
      'invalidValue',
      /found an array/,
    ],
    [
      'text for a complex attribute',
      { op: 'replace', path: 'name', value: 'x' },
      'invalidValue',
      /"name" must be an object/,
    ],
    [
      'a wrong sub-attribute',
      { op: 'add', value: { name: { givenName: 5 } } },
      'invalidValue',
      /"name.givenName"/,
    ],
    ['a wrong element', { op: 'add', path: 'emails', value: [HOME, 5] }, 'invalidValue', /"emails\[1\]"/],
    [
      'two elements for one',
      { op: 'replace', path: 'emails[type eq "work"]', value: [HOME, WORK] },
      'invalidValue',
      /./,
    ],
    [
      'two primary elements',
      {
        op: 'add',
        path: 'emails',
        value: [
          { value: 'a', primary: true },
          { value: 'b', primary: true },
        ],
      },
      'invalidValue',
      /more than one primary/,
    ],
  ])('is rejected: %s', ([, operation, scimType, detail]) => {
    expect(() => patch({ title: 'x', groups: [{ value: 'g' }] }, operation)).toThrow(
      refusal(scimType, detail),
    )
  })

  it('undoes the operations before it', () => {
    const operations = [
      { op: 'replace', path: 'title', value: 'y' },
      { op: 'add', path: 'emails', value: [HOME] },
      { op: 'remove', path: 'userName' },
    ]
    expect(() => patch({ title: 'x', emails: [WORK] }, ...operations)).toThrow(refusal('mutability'))
  })
})

describe('operations', () => {
  it('are applied in order', () => {
    expect(
      patch(
        { title: 'x' },
        { op: 'remove', path: 'title' },
        { op: 'add', path: 'emails', value: [WORK, HOME] },
        { op: 'replace', path: 'emails[type eq "home"].value', value: 'new@jensen.org' },
        { op: 'remove', path: 'emails[type eq "work"]' },
        { op: 'add', path: 'emails', value: [{ value: 'new@jensen.org', type: 'home', display: 'd' }] },
      ),
    ).toEqual({ emails: [{ value: 'new@jensen.org', type: 'home', display: 'd' }] })
  })

  // §3.5.2: adding an attribute with its URN "automatically adds" the URN to "schemas".
  it('set schemas', () => {
    const { operations } = parsePatch(
      { Operations: [{ op: 'add', path: `${ENTERPRISE}:division`, value: 'd' }] },
      reading(USER_RESOURCE_TYPE),
    )
    const user = { schemas: [USER], userName: 'x' }
    const added = applyPatch(user, operations, reading(USER_RESOURCE_TYPE)).resource
    expect(added.schemas).toEqual([USER, ENTERPRISE])
    const removal = parsePatch(
      { Operations: [{ op: 'remove', path: ENTERPRISE }] },
      reading(USER_RESOURCE_TYPE),
    )
    expect(applyPatch(added, removal.operations, reading(USER_RESOURCE_TYPE)).resource).toEqual(user)
  })

  it('report unknown sub-attributes', () => {
    const value = { name: { shadow: 1 }, emails: [{ value: 'a', x: 1 }], [ENTERPRISE]: { manager: { y: 1 } } }
    const { operations } = parsePatch({ Operations: [{ op: 'add', value }] }, reading(USER_RESOURCE_TYPE))
    expect(applyPatch({ userName: 'x' }, operations, reading(USER_RESOURCE_TYPE)).ignored).toEqual([
      'name.shadow',
      'emails.x',
      `${ENTERPRISE}:manager.y`,
    ])
  })

  // RFC 7644 §3.5.2: "a client MAY "add" a value to an "immutable" attribute if the attribute had no
  // previous value."
  it('set an immutable attribute once', () => {
    const type: ResourceType = {
      ...USER_RESOURCE_TYPE,
      attributes: [
        attribute('once', 'string', '', { mutability: 'immutable' }),
        multiValued('many', '', attribute('value', 'string', '')),
      ],
    }
    const apply = (resource: Complex, operation: Operation) =>
      applyPatch(resource, parsePatch({ Operations: [operation] }, reading(type)).operations, reading(type))
        .resource
    expect(apply({}, { op: 'add', path: 'once', value: 'x' })).toMatchObject({ once: 'x' })
    expect(apply({ once: 'x' }, { op: 'replace', path: 'once', value: 'x' })).toMatchObject({ once: 'x' })
    for (const operation of [
      { op: 'replace', path: 'once', value: 'y' },
      { op: 'replace', path: 'once', value: null },
      { op: 'remove', path: 'once' },
    ]) {
      expect(() => apply({ once: 'x' }, operation)).toThrow(refusal('mutability', /immutable/))
    }
    expect(apply({}, { op: 'remove', path: 'once' })).not.toHaveProperty('once')
  })
})
