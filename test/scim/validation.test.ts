import { describe, expect, it } from 'vitest'
import type { Complex } from '../../src/scim/comparison.ts'
import { attribute, type ResourceType } from '../../src/scim/schema/definition.ts'
import { GROUP_RESOURCE_TYPE, USER_RESOURCE_TYPE } from '../../src/scim/schema/resource-type.ts'
import { canonicalValue, validateResource } from '../../src/scim/validation.ts'
import { reading } from '../support/reading.ts'

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const UMBRELLA = 'urn:ietf:params:scim:schemas:extension:ciscoumbrella:2.0:User'

const validate = (body: unknown, type: ResourceType = USER_RESOURCE_TYPE) =>
  validateResource(body, reading(type))
const resourceOf = (attributes: object): Complex => {
  const { userName, schemas, ...rest } = validate({
    schemas: [USER],
    userName: 'bjensen',
    ...attributes,
  }).resource
  return rest
}
const refusal = (detail: RegExp, scimType = 'invalidValue') =>
  expect.objectContaining({ status: 400, scimType, detail: expect.stringMatching(detail) })

describe('validateResource', () => {
  it('keeps values as sent, with names spelled as in the schema', () => {
    const body = {
      SCHEMAS: [USER.toUpperCase()],
      USERNAME: ' BJensen ',
      Name: { GIVENNAME: 'Babs\u0301', familyname: '' },
      Emails: [{ VALUE: 'B@Example.COM', Type: 'Work', primary: true }],
      [ENTERPRISE.toUpperCase()]: { EmployeeNumber: '007' },
    }
    expect(validate(body)).toEqual({
      resource: {
        schemas: [USER, ENTERPRISE],
        userName: ' BJensen ',
        name: { givenName: 'Babs\u0301', familyName: '' },
        emails: [{ value: 'B@Example.COM', type: 'Work', primary: true }],
        [ENTERPRISE]: { employeeNumber: '007' },
      },
      ignored: [],
    })
  })

  // RFC 7643 §2.2: "required … specifies whether the attribute is required"
  it.for<[what: string, body: object, type: ResourceType, detail: RegExp]>([
    ['no userName', { schemas: [USER] }, USER_RESOURCE_TYPE, /"userName" is required/],
    ['an empty userName', { userName: '' }, USER_RESOURCE_TYPE, /"userName" is required/],
    ['null as userName', { userName: null }, USER_RESOURCE_TYPE, /"userName" is required/],
    ['no displayName of a group', {}, GROUP_RESOURCE_TYPE, /"displayName" is required/],
  ])('rejects %s', ([, body, type, detail]) => {
    expect(() => validate(body, type)).toThrow(refusal(detail))
  })

  it.for<[body: unknown, found: RegExp]>([
    [null, /found null/],
    [[], /found an array/],
    ['x', /found a string/],
    [1, /found a number/],
    [undefined, /found nothing/],
  ])('rejects %j as a body', ([body, found]) => {
    expect(() => validate(body)).toThrow(refusal(found, 'invalidSyntax'))
  })

  // RFC 7643 §2.3: each attribute has one of the data types.
  it.for<[attributes: object, detail: RegExp]>([
    [{ title: 1 }, /"title" must be a string.*found a number/],
    [{ title: true }, /"title" must be a string.*found a boolean/],
    [{ title: {} }, /"title" must be a string.*found an object/],
    [{ title: ['x'] }, /"title" must be a string.*found an array/],
    [{ title: 'a\u0000b' }, /without U\+0000/],
    [{ title: '\ud800' }, /well-formed/],
    [{ active: 1 }, /"active" must be a boolean, found a number/],
    [{ active: 'yes' }, /"active" must be a boolean, found a string/],
    [{ active: '' }, /"active" must be a boolean/],
    [{ name: 'Babs' }, /"name" must be an object, found a string/],
    [{ name: ['Babs'] }, /"name" must be an object, found an array/],
    [{ name: { givenName: 5 } }, /"name.givenName" must be a string/],
    [{ emails: 'x' }, /"emails" must be an array, found a string/],
    [{ emails: { value: 'x' } }, /"emails" must be an array, found an object/],
    [{ emails: [{ value: 'x' }, 5] }, /"emails\[1\]" must be an object, found a number/],
    [{ emails: [{ value: 'x', primary: 'maybe' }] }, /"emails\[0\].primary" must be a boolean/],
    [{ emails: [[]] }, /"emails\[0\]" must be an object, found an array/],
    [
      { x509Certificates: [{ value: 'no base64!' }] },
      /"x509Certificates\[0\].value" must be a base64 string/,
    ],
    [{ [ENTERPRISE]: 'x' }, /must be an object/],
    [{ [ENTERPRISE]: { employeeNumber: 5 } }, /enterprise:2.0:User:employeeNumber" must be a string/],
    [{ 'name.givenName': 5 }, /"name.givenName" must be a string/],
    // RFC 7643 §2.4: "The primary attribute value "true" MUST appear no more than once."
    [
      {
        emails: [
          { value: 'a', primary: true },
          { value: 'b', primary: 'True' },
        ],
      },
      /more than one primary/,
    ],
  ])('rejects %j', ([attributes, detail]) => {
    expect(() => resourceOf(attributes)).toThrow(refusal(detail))
  })

  it.for<[schemas: unknown, detail: RegExp]>([
    [[], /must contain "urn:ietf:params:scim:schemas:core:2.0:User"/],
    [[ENTERPRISE], /must contain/],
    ['x', /"schemas" must be an array of strings/],
    [[USER, 1], /"schemas" must be an array of strings/],
    [null, /found null/],
  ])('rejects %j as schemas', ([schemas, detail]) => {
    expect(() => resourceOf({ schemas })).toThrow(refusal(detail))
  })

  // RFC 7643 §2.5: "Unassigned … null … and an empty array … are considered to be equivalent".
  it.for<[attributes: object, resource: object]>([
    [{ title: null }, {}],
    [{ title: '' }, { title: '' }],
    [{ emails: [] }, {}],
    [{ emails: null }, {}],
    [{ emails: [{ type: 'work', value: null }] }, { emails: [{ type: 'work' }] }],
    [{ addresses: [{ type: 'work' }] }, { addresses: [{ type: 'work' }] }],
    [{ name: {} }, {}],
    [{ name: { givenName: null, familyName: 'J' } }, { name: { familyName: 'J' } }],
    [{ [ENTERPRISE]: { manager: { value: null } } }, {}],
    [{ [ENTERPRISE]: {} }, {}],
    [{ roles: [] }, {}],
  ])('treats %j as %j', ([attributes, resource]) => {
    expect(resourceOf(attributes)).toEqual(resource)
  })

  // Ignoring the element would silently clear the attribute.
  it.for<[attributes: object, detail: RegExp]>([
    [{ emails: [null] }, /"emails\[0\].value" must have a value, found null/],
    [{ emails: [{ value: 'a' }, {}] }, /"emails\[1\].value" must have a value, found nothing/],
    [{ emails: [{ value: null }] }, /"emails\[0\].value" must have a value, found null/],
    [{ emails: [''] }, /"emails\[0\].value" must have a value, found an empty string/],
    [{ emails: [{ address: 'a' }] }, /"emails\[0\].value" must have a value, found nothing/],
    [{ addresses: [{}] }, /"addresses\[0\]" must have a value, found nothing/],
  ])('rejects %j, which has an element without a value', ([attributes, detail]) => {
    expect(() => resourceOf(attributes)).toThrow(refusal(detail))
  })

  // RFC 7643 §2.2: "readOnly: The attribute SHALL NOT be modified." §3.1: the service provider assigns id and meta.
  it('ignores read-only attributes without reporting them', () => {
    const body = {
      id: 'x',
      meta: { resourceType: 'User' },
      groups: [{ value: 'g' }],
      [ENTERPRISE]: { manager: { value: 'm', displayName: 'Boss' } },
    }
    expect(resourceOf(body)).toEqual({ [ENTERPRISE]: { manager: { value: 'm' } } })
    expect(validate({ userName: 'x', ...body }).ignored).toEqual([])
  })

  it('reports each unknown attribute once, without the index of an element', () => {
    const body = JSON.parse(`{ "userName": "x", "shoeSize": 44, "__proto__": {}, "constructor": 1,
      "name": { "shadow": 1, "__proto__": 2 }, "emails": [{ "x": 1, "value": "a" }, { "x": 2, "value": "b" }],
      "title.value": "flat", "${ENTERPRISE}": { "x": 1 },
      "schemas": ["${USER}", "urn:example:unknown", "urn:example:unknown"] }`)
    expect(validate(body)).toEqual({
      resource: { schemas: [USER], userName: 'x', emails: [{ value: 'a' }, { value: 'b' }] },
      ignored: [
        'shoeSize',
        '__proto__',
        'constructor',
        'name.shadow',
        'name.__proto__',
        'emails.x',
        'title.value',
        `${ENTERPRISE}:x`,
        'urn:example:unknown',
      ],
    })
    expect(({} as Complex).polluted).toBeUndefined()
  })

  it('reports at most 100 unknown attributes, and at most 100 characters of each', () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`${'x'.repeat(200)}${i}`, 1]))
    const { ignored } = validate({
      userName: 'x',
      ...many,
      ...Object.fromEntries([...'abc'].map((a) => [a, 1])),
    })
    expect(ignored.length).toBeLessThanOrEqual(100)
    expect(Math.max(...ignored.map((name) => name.length))).toBeLessThanOrEqual(101)
  })

  // RFC 7643 §3: "schemas" is a "multi-valued array of … URIs … of the schemas". Entra omits some.
  it.for<[what: string, attributes: object, schemas: readonly string[]]>([
    [
      'an extension without its URN',
      { schemas: [USER], [UMBRELLA]: { nativeObjectId: 'x' } },
      [USER, UMBRELLA],
    ],
    ['the URN without the extension', { schemas: [USER, ENTERPRISE] }, [USER]],
    ['no schemas', { schemas: undefined, [ENTERPRISE]: { division: 'x' } }, [USER, ENTERPRISE]],
    [
      'a URN in another case and one of another type',
      {
        schemas: [
          USER.toUpperCase(),
          'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group',
        ],
      },
      [USER],
    ],
  ])('derives schemas from the attributes: %s', ([, attributes, schemas]) => {
    const body = JSON.parse(JSON.stringify({ userName: 'x', ...attributes }))
    expect(validate(body).resource.schemas).toEqual(schemas)
  })

  it('merges flat keys with objects and with each other', () => {
    expect(
      resourceOf({
        'name.givenName': 'Babs',
        name: { familyName: 'Jensen' },
        'NAME.formatted': 'Babs Jensen',
        [`${UMBRELLA}:nativeObjectId`]: 'x',
        [`${ENTERPRISE}:manager.value`]: 'm',
        [`${ENTERPRISE}:manager.$ref`]: '../Users/m',
        [`${ENTERPRISE}:division`]: 'd',
        [`${USER}:title`]: 't',
      }),
    ).toEqual({
      name: { givenName: 'Babs', familyName: 'Jensen', formatted: 'Babs Jensen' },
      [UMBRELLA]: { nativeObjectId: 'x' },
      [ENTERPRISE]: { manager: { value: 'm', $ref: '../Users/m' }, division: 'd' },
      title: 't',
    })
  })

  // RFC 7643 §2.4: service providers "SHOULD NOT return the same (type, value) combination more than once".
  it.for<[sent: readonly unknown[], kept: readonly unknown[]]>([
    [[{ value: 'a' }, { value: 'a' }], [{ value: 'a' }]],
    [
      [
        { value: 'a', type: 'work' },
        { value: 'A', type: 'Work', display: 'd' },
      ],
      [{ value: 'A', type: 'Work', display: 'd' }],
    ],
    [
      [{ value: 'a', type: 'work' }, { value: 'a', type: 'home' }, { value: 'a' }],
      [{ value: 'a', type: 'work' }, { value: 'a', type: 'home' }, { value: 'a' }],
    ],
    [
      [{ type: 'work' }, { type: 'work' }, { display: 'x' }],
      [{ type: 'work' }, { display: 'x' }],
    ],
  ])('keeps one element for each type and value: %j', ([sent, kept]) => {
    expect(resourceOf({ emails: sent })).toEqual({ emails: kept })
  })
})

describe('canonicalValue', () => {
  const of = (type: Parameters<typeof attribute>[1], value: unknown) =>
    canonicalValue(attribute('a', type, ''), value, 'a', reading())

  it.for<[type: Parameters<typeof attribute>[1], value: unknown]>([
    ['integer', 5],
    ['integer', -(2 ** 53 - 1)],
    ['decimal', 1.5],
    ['boolean', false],
    ['dateTime', '2008-01-23T04:56:22Z'],
    ['dateTime', '2008-01-23T04:56:22.123+05:30'],
    ['binary', 'TUlJRFF6Q0NBNnk='],
    ['binary', 'a-_b'],
    ['binary', ''],
    ['reference', '../Users/x'],
    ['string', '😀'],
  ])('accepts as %s: %j', ([type, value]) => {
    expect(of(type, value)).toBe(value)
  })

  it.for<[type: Parameters<typeof attribute>[1], value: unknown]>([
    ['integer', 1.5],
    ['integer', '5'],
    ['integer', 2 ** 53],
    ['decimal', '1.5'],
    ['dateTime', '2008-01-23'],
    ['dateTime', '2008-02-30T00:00:00Z'],
    ['dateTime', 'yesterday'],
    ['dateTime', 1201064182],
    ['binary', 'ä'],
    ['binary', 'a=b'],
    ['reference', 5],
  ])('rejects as %s: %j', ([type, value]) => {
    expect(() => of(type, value)).toThrow(refusal(/^attribute "a" must be/))
  })
})
