/**
 * What identity providers send that the RFCs do not have. Each group of rows names who sends it and where
 * that is documented or was reported.
 */
import { describe, expect, it } from 'vitest'
import { pathText } from '../../../src/scim/attribute-path.ts'
import type { Complex } from '../../../src/scim/comparison.ts'
import { MAX_JSON_DEPTH, MAX_JSON_MEMBERS } from '../../../src/scim/limits.ts'
import { applyPatch } from '../../../src/scim/patch/apply.ts'
import {
  arrayFromSingle,
  booleanFromText,
  complexFromShorthand,
  elementFromFilter,
  isUnassigned,
  lowerCaseOp,
  qualifiedKey,
  removedElements,
  roleFromText,
} from '../../../src/scim/patch/compatibility.ts'
import { parsePatch } from '../../../src/scim/patch/parse.ts'
import { parsePath } from '../../../src/scim/path.ts'
import { findAttribute } from '../../../src/scim/schema/lookup.ts'
import { GROUP_RESOURCE_TYPE, USER_RESOURCE_TYPE } from '../../../src/scim/schema/resource-type.ts'

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const UMBRELLA = 'urn:ietf:params:scim:schemas:extension:ciscoumbrella:2.0:User'

function patch(resource: Complex, ...Operations: readonly object[]): Complex {
  const { operations } = parsePatch({ Operations }, USER_RESOURCE_TYPE)
  const { schemas, userName, ...rest } = applyPatch(
    { userName: 'x', ...resource },
    operations,
    USER_RESOURCE_TYPE,
  ).resource
  return rest
}

function attributeOf(name: string) {
  const [first = '', ...rest] = name.split('/')
  const top = findAttribute([...USER_RESOURCE_TYPE.attributes, ...GROUP_RESOURCE_TYPE.attributes], first)
  const found = rest.length === 0 ? top : findAttribute(top?.subAttributes ?? [], rest.join('/'))
  if (found === undefined) throw new Error(`no attribute ${name}`)
  return found
}

// Entra's old dialect: learn.microsoft.com, application-provisioning-config-problem-scim-compatibility.
describe('lowerCaseOp', () => {
  it.for(['Add', 'ADD', 'add'])('reads %s', (op) => {
    expect(lowerCaseOp(op)).toBe('add')
    expect(patch({}, { op, path: 'title', value: 'x' })).toEqual({ title: 'x' })
  })
})

// Same page; the SCIM reference code of Microsoft documents it as a fault of the client (issue 21).
describe('booleanFromText', () => {
  it.for<[value: unknown, result: unknown]>([
    ['True', true],
    ['true', true],
    ['FALSE', false],
    [true, true],
    ['yes', 'yes'],
    ['', ''],
    [1, 1],
    [null, null],
  ])('reads %j as %j', ([value, result]) => {
    expect(booleanFromText(value)).toBe(result)
  })

  it('disables a user by "False"', () => {
    expect(patch({ active: true }, { op: 'Replace', path: 'active', value: 'False' })).toEqual({
      active: false,
    })
    expect(patch({ active: true }, { op: 'replace', value: { active: 'False' } })).toEqual({ active: false })
    expect(patch({}, { op: 'add', path: 'emails', value: [{ value: 'a', primary: 'True' }] })).toEqual({
      emails: [{ value: 'a', primary: true }],
    })
  })
})

// Entra sends manager in four forms: RIPAGlobal/scimitar#48, apache/directory-scimple#1242, SCIM-SDK#652.
describe('complexFromShorthand', () => {
  it.for<[name: string, value: unknown, result: unknown]>([
    [`${ENTERPRISE}/manager`, 'm', { value: 'm' }],
    [`${ENTERPRISE}/manager`, '', null],
    [`${ENTERPRISE}/manager`, { value: '' }, null],
    [`${ENTERPRISE}/manager`, { value: 'm' }, { value: 'm' }],
    [`${ENTERPRISE}/manager`, [{ $ref: '../Users/m', value: 'm' }], { $ref: '../Users/m', value: 'm' }],
    [`${ENTERPRISE}/manager`, [], null],
    [`${ENTERPRISE}/manager`, ['m'], { value: 'm' }],
    [`${ENTERPRISE}/manager`, [{ value: 'm' }, { value: 'n' }], [{ value: 'm' }, { value: 'n' }]],
    ['members', 'id', { value: 'id' }],
    ['members', '{no JSON', { value: '{no JSON' }],
    // AppRoleAssignmentsComplex: learn.microsoft.com, customize-application-attributes.
    ['roles', '{"id":"1","value":"Admin","displayName":"A"}', { id: '1', value: 'Admin', displayName: 'A' }],
    ['roles', { value: '' }, { value: '' }],
    ['roles', 5, 5],
    ['name', 'Babs', 'Babs'],
    ['addresses', 'x', 'x'],
  ])('of %s reads %j as %j', ([name, value, result]) => {
    expect(complexFromShorthand(attributeOf(name), value)).toEqual(result)
  })

  it.for<[value: unknown, manager: unknown]>([
    ['m', { value: 'm' }],
    [[{ value: 'm' }], { value: 'm' }],
    ['', undefined],
    [{ value: '' }, undefined],
    [null, undefined],
  ])('sets or clears the manager by %j', ([value, manager]) => {
    const before = { [ENTERPRISE]: { manager: { value: 'old' }, division: 'd' } }
    const after = patch(before, { op: 'Replace', path: `${ENTERPRISE}:manager`, value })
    expect((after[ENTERPRISE] as Complex).manager).toEqual(manager)
  })
})

// Entra with aadOptscim062020 sends flat keys: same compatibility page; scim-patch#132, SCIM-SDK#267.
describe('qualifiedKey', () => {
  it.for<[key: string, attribute: string | undefined, wrapped: unknown]>([
    ['title', 'title', 'v'],
    ['TITLE', 'title', 'v'],
    ['name.givenName', 'name', { givenName: 'v' }],
    [`${UMBRELLA}:nativeObjectId`, UMBRELLA, { nativeObjectId: 'v' }],
    [`${ENTERPRISE}:manager.value`, ENTERPRISE, { manager: { value: 'v' } }],
    [ENTERPRISE, ENTERPRISE, 'v'],
    ['urn:ietf:params:scim:schemas:core:2.0:User:name.givenName', 'name', { givenName: 'v' }],
    ['emails', 'emails', 'v'],
    ['emails.value', undefined, undefined],
    ['shoeSize', undefined, undefined],
    ['__proto__', undefined, undefined],
  ])('puts %s under %s', ([key, attribute, wrapped]) => {
    const named = qualifiedKey(key, USER_RESOURCE_TYPE)
    expect(named && pathText({ steps: [named.attribute] })).toBe(attribute)
    expect(named?.wrap('v')).toEqual(wrapped)
  })
})

// Entra: Captain-P-Goldfish/SCIM-SDK#416, thomaspoignant/scim-patch#42; Microsoft's validator.
describe('elementFromFilter', () => {
  const described = (path: string) => {
    const { filter } = parsePath(path, USER_RESOURCE_TYPE)
    return filter && elementFromFilter(filter)
  }

  it.for<[path: string, element: Complex | undefined]>([
    ['emails[type eq "work"]', { type: 'work' }],
    ['emails[type eq "WORK"]', { type: 'work' }],
    ['emails[primary eq true]', { primary: true }],
    ['roles[primary eq "True"]', { primary: true }],
    ['emails[type eq "work" and primary eq true]', { type: 'work', primary: true }],
    // No canonical values: the type is kept as it was written.
    ['roles[type eq "AppRole"]', { type: 'AppRole' }],
    ['emails[type eq "alias"]', undefined],
    ['emails[primary eq false]', undefined],
    ['emails[value eq "x"]', undefined],
    ['emails[type ne "work"]', undefined],
    ['emails[type eq "work" or type eq "home"]', undefined],
    ['emails[not (type eq "work")]', undefined],
    ['emails[type eq "work" and value eq "x"]', undefined],
    ['emails[type pr]', undefined],
  ])('of %s is %j', ([path, element]) => {
    expect(described(path)).toEqual(element)
  })

  it('makes one element for all operations of a request', () => {
    const operation = (sub: string, value: string) => ({
      op: 'Add',
      path: `addresses[type eq "work"].${sub}`,
      value,
    })
    expect(patch({}, operation('locality', 'Hollywood'), operation('country', 'US'))).toEqual({
      addresses: [{ type: 'work', locality: 'Hollywood', country: 'US' }],
    })
  })

  it('makes an element with the type also for a whole value', () => {
    for (const op of ['add', 'replace']) {
      expect(patch({}, { op, path: 'emails[type eq "work"]', value: { value: 'a' } })).toEqual({
        emails: [{ type: 'work', value: 'a' }],
      })
    }
  })

  it.for([null, '', [], {}])('makes none for the value %j', (value) => {
    expect(patch({}, { op: 'replace', path: 'emails[type eq "work"]', value })).toEqual({})
    if (value === null || value === '') {
      expect(patch({}, { op: 'replace', path: 'emails[type eq "work"].value', value })).toEqual({})
    }
  })

  it('makes the new element the only primary one', () => {
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
  ])('of %j are %j', ([value, elements]) => {
    expect(removedElements(value)).toEqual(elements)
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
  ])('of %s makes of %j %j', ([name, value, result]) => {
    expect(arrayFromSingle(attributeOf(name), value)).toEqual(result)
  })
})

// Entra clears by an empty string; Microsoft's validator by null (null-update test).
describe('isUnassigned', () => {
  it.for<[name: string, value: unknown, result: boolean]>([
    ['title', null, true],
    ['title', undefined, true],
    ['title', '', true],
    ['title', ' ', false],
    ['title', [], false],
    ['emails', [], true],
    // An empty string must not empty a group.
    ['emails', '', false],
    ['emails', [null], false],
    ['active', '', true],
    ['active', false, false],
    [ENTERPRISE, '', false],
    [ENTERPRISE, null, true],
    [ENTERPRISE, {}, false],
  ])('of %s with %j is %s', ([name, value, result]) => {
    expect(isUnassigned(attributeOf(name), value)).toBe(result)
  })

  it('clears by an empty string', () => {
    expect(patch({ title: 'x', nickName: 'n' }, { op: 'replace', path: 'title', value: '' })).toEqual({
      nickName: 'n',
    })
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
  ])('takes the path %j with %j', ([path, value]) => {
    expect(JSON.stringify(patch({}, { op: 'replace', path, value }))).toContain('"Pilot"')
  })

  it.for([[], ['a', 'b'], [['a']], [null], ['']])('refuses %j for a title', (value) => {
    expect(() => patch({}, { op: 'add', path: 'title', value })).toThrow(
      expect.objectContaining({ status: 400, scimType: 'invalidValue' }),
    )
  })
})

// AppRoleAssignmentsComplex of Entra: learn.microsoft.com, customize-application-attributes.
describe('roleFromText', () => {
  const text = '{"id":"1","value":"Admin","displayName":"Administrator"}'

  it('unpacks the role inside the value of an element', () => {
    for (const value of [[{ value: text }], [text], text, { value: text }]) {
      expect(patch({}, { op: 'Add', path: 'roles', value })).toEqual({ roles: [{ value: 'Admin' }] })
    }
    const value = [{ value: text, primary: 'True', type: 'AppRole' }]
    expect(patch({}, { op: 'Add', path: 'roles', value })).toEqual({
      roles: [{ value: 'Admin', primary: true, type: 'AppRole' }],
    })
  })

  it.for([
    ['roles', '{"id":"1"}'],
    ['roles', '{no JSON'],
    ['roles', '["Admin"]'],
    ['entitlements', text],
    ['emails', text],
  ])('keeps the value of %s as it is: %s', ([path, value]) => {
    expect(patch({}, { op: 'add', path, value: [{ value }] })).toEqual({ [path as string]: [{ value }] })
  })

  it('reads no text that holds more, or is deeper, than the body of a client may be', () => {
    const keys = Array.from({ length: MAX_JSON_MEMBERS + 1 }, (_, i) => `"k${i}":1`).join()
    const deep = `${'['.repeat(MAX_JSON_DEPTH)}${']'.repeat(MAX_JSON_DEPTH)}`
    for (const rest of [keys, `"k":${deep}`]) {
      const value = `{"value":"Admin",${rest}}`
      expect(roleFromText({ value })).toEqual({ value })
      expect(complexFromShorthand(attributeOf(`${ENTERPRISE}/manager`), value)).toEqual({ value })
    }
  })
})
