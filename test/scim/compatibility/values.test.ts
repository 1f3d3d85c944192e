/**
 * Deviations in the values of a resource: the result with each deviation, and without it. The comment above a group of
 * rows names the client and the source.
 */
import { describe, expect, it } from 'vitest'
import { pathText } from '../../../src/scim/attribute-path.ts'
import type { Complex } from '../../../src/scim/comparison.ts'
import {
  booleanFromText,
  complexFromShorthand,
  isUnassigned,
  qualifiedKey,
  roleFromText,
  withoutEmptyActive,
} from '../../../src/scim/compatibility/values.ts'
import { MAX_JSON_DEPTH, MAX_JSON_MEMBERS } from '../../../src/scim/limits.ts'
import { GROUP_RESOURCE_TYPE, USER_RESOURCE_TYPE } from '../../../src/scim/schema/resource-type.ts'
import { validateResource } from '../../../src/scim/validation.ts'
import { attributeOf, patchedBy } from '../../support/patched.ts'
import { reading, STRICT, TOLERANT } from '../../support/reading.ts'
import { GROUP, USER } from '../../support/urns.ts'

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const UMBRELLA = 'urn:ietf:params:scim:schemas:extension:ciscoumbrella:2.0:User'

const patch = (resource: Complex, ...operations: readonly object[]) =>
  patchedBy(TOLERANT, resource, ...operations)

// Same page. Microsoft's SCIM reference code documents it as a client error (issue 21).
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
    expect(booleanFromText(value, TOLERANT)).toBe(result)
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
  ])('converts for %s: %j to %j', ([name, value, result]) => {
    expect(complexFromShorthand(attributeOf(name), value, reading())).toEqual(result)
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
    const named = qualifiedKey(key, USER_RESOURCE_TYPE, TOLERANT)
    expect(named && pathText({ steps: [named.attribute] })).toBe(attribute)
    expect(named?.wrap('v')).toEqual(wrapped)
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
    // An empty string must not remove all members of a group.
    ['emails', '', false],
    ['emails', [null], false],
    ['active', '', true],
    ['active', false, false],
    [ENTERPRISE, '', false],
    [ENTERPRISE, null, true],
    [ENTERPRISE, {}, false],
  ])('for %s and the value %j is %s', ([name, value, result]) => {
    expect(isUnassigned(attributeOf(name), value, TOLERANT)).toBe(result)
  })

  it('clears by an empty string', () => {
    expect(patch({ title: 'x', nickName: 'n' }, { op: 'replace', path: 'title', value: '' })).toEqual({
      nickName: 'n',
    })
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
  ])('does not change the value of %s: %s', ([path, value]) => {
    expect(patch({}, { op: 'add', path, value: [{ value }] })).toEqual({ [path as string]: [{ value }] })
  })

  it('does not parse text beyond the limits of a request body', () => {
    const keys = Array.from({ length: MAX_JSON_MEMBERS + 1 }, (_, i) => `"k${i}":1`).join()
    const deep = `${'['.repeat(MAX_JSON_DEPTH)}${']'.repeat(MAX_JSON_DEPTH)}`
    for (const rest of [keys, `"k":${deep}`]) {
      const value = `{"value":"Admin",${rest}}`
      expect(roleFromText({ value }, reading())).toEqual({ value })
      expect(complexFromShorthand(attributeOf(`${ENTERPRISE}/manager`), value, reading())).toEqual({ value })
    }
  })
})

describe('the strict profile', () => {
  const strict = reading(USER_RESOURCE_TYPE, STRICT)
  const sent = (more: object) => ({ schemas: [USER], userName: 'ada', ...more })
  const refusal = (scimType: string, detail: RegExp) =>
    expect.objectContaining({ status: 400, scimType, detail: expect.stringMatching(detail) })

  it.for<[what: string, body: object, scimType: string, detail: RegExp]>([
    ['readsBooleansFromText', { active: 'True' }, 'invalidValue', /"active" must be a boolean/],
    ['readsBooleansFromText', { emails: [{ value: 'a', primary: 'true' }] }, 'invalidValue', /primary/],
    ['readsReferencesFromText', { roles: ['Admin'] }, 'invalidValue', /"roles\[0\]" must be an object/],
    ['readsExternalIdFromNumber', { externalId: 5 }, 'invalidValue', /"externalId" must be a string/],
    ['readsQualifiedKeys', { 'name.givenName': 'Ada' }, 'invalidValue', /no attribute "name.givenName"/],
    ['readsQualifiedKeys', { [`${USER}:title`]: 'x' }, 'invalidValue', /no attribute/],
    ['ignoresUnknownAttributes', { shoeSize: 5 }, 'invalidValue', /User has no attribute "shoeSize"/],
    ['ignoresUnknownAttributes', { name: { nick: 'x' } }, 'invalidValue', /no attribute "name.nick"/],
    [
      'ignoresUnknownSchemas',
      { schemas: [USER, 'urn:x'] },
      'invalidValue',
      /only schemas of User, found "urn:x"/,
    ],
    ['allowsMissingSchemas', { schemas: undefined }, 'invalidValue', /"schemas" is required/],
    [
      'allowsUndeclaredExtensions',
      { [ENTERPRISE]: { department: 'x' } },
      'invalidValue',
      /"schemas" must contain "urn:.*enterprise/,
    ],
    [
      'readsReferencesFromText',
      { schemas: [USER, ENTERPRISE], [ENTERPRISE]: { manager: 'm' } },
      'invalidValue',
      /manager" must be an object/,
    ],
    [
      'readsComplexFromList',
      { schemas: [USER, ENTERPRISE], [ENTERPRISE]: { manager: [{ value: 'm' }] } },
      'invalidValue',
      /manager" must be an object/,
    ],
    [
      'allowsLineBreaksInBinary',
      { x509Certificates: [{ value: 'QUJD\nREVG' }] },
      'invalidValue',
      /must be a base64 string/,
    ],
    ...['_-8=', 'QUJDR', 'QQ=', 'QUJ=='].map(
      (value) =>
        [
          'allowsLooseBase64',
          { x509Certificates: [{ value }] },
          'invalidValue',
          /must be a base64 string/,
        ] as [string, object, string, RegExp],
    ),
    ['ignoresRepeatedSchemas', { schemas: [USER, USER] }, 'invalidValue', /found "urn:.*User" twice/],
    [
      'ignoresRepeatedSchemas',
      { schemas: [USER, USER.toUpperCase()] },
      'invalidValue',
      /found "URN:.*USER" twice/,
    ],
  ])('rejects, without %s, %j', ([, body, scimType, detail]) => {
    const { schemas = [USER], ...rest } = { schemas: [USER], ...body } as Complex
    const whole =
      'schemas' in body && body.schemas === undefined ? { userName: 'ada' } : sent({ ...rest, schemas })
    expect(() => validateResource(whole, strict)).toThrow(refusal(scimType, detail))
    expect(() => validateResource(whole, reading())).not.toThrow(refusal(scimType, detail))
  })

  it('keeps values that the deviations would convert', () => {
    const roles = [{ value: '{"value":"Admin"}' }]
    const declared = { schemas: [USER, ENTERPRISE] }
    const manager = { [ENTERPRISE]: { manager: { value: '' } } }
    expect(validateResource(sent({ roles, title: '' }), strict).resource).toMatchObject({ roles, title: '' })
    expect(validateResource(sent({ ...declared, ...manager }), strict).resource).toMatchObject(manager)
    expect(patchedBy(STRICT, { title: 'x' }, { op: 'replace', path: 'title', value: '' })).toEqual({
      title: '',
    })
    const body = sent({ active: '' })
    expect(withoutEmptyActive(body, strict)).toBe(body)
    expect(withoutEmptyActive(body, reading())).not.toHaveProperty('active')
  })

  it.for(['/+8=', '/+8', 'QQ==', 'QQ', 'QUJD', ''])(
    'accepts base64 of RFC 4648 §4, with or without padding: "%s"',
    (value) => {
      const x509Certificates = [{ value, type: 'x' }]
      expect(() => validateResource(sent({ x509Certificates }), strict)).not.toThrow()
    },
  )

  it('ignores the password, because it is an attribute of RFC 7643', () => {
    const { resource, ignored } = validateResource(sent({ password: 't1meMa$heen' }), strict)
    expect(resource).toEqual({ schemas: [USER], userName: 'ada' })
    expect(ignored).toEqual(['password'])
  })

  it('ignores read-only attributes and treats null as unassigned, as in RFC 7643', () => {
    const body = sent({ id: 'x', meta: { resourceType: 'User' }, groups: [], title: null, emails: [] })
    const { resource, ignored } = validateResource(body, strict)
    expect(resource).toEqual({ schemas: [USER], userName: 'ada' })
    expect(ignored).toEqual([])
    expect(patchedBy(STRICT, { title: 'x' }, { op: 'replace', path: 'title', value: null })).toEqual({})
  })

  it('rejects a member that is a string', () => {
    const group = { schemas: [GROUP], displayName: 'Crew', members: ['a'] }
    const how = reading(GROUP_RESOURCE_TYPE, STRICT)
    expect(() => validateResource(group, how)).toThrow(
      refusal('invalidValue', /"members\[0\]" must be an object/),
    )
  })
})
