import { describe, expect, it } from 'vitest'
import { isReturned, parseProjection, project } from '../../src/scim/projection.ts'
import { attribute, type ResourceType } from '../../src/scim/schema/definition.ts'
import { GROUP_RESOURCE_TYPE, USER_RESOURCE_TYPE } from '../../src/scim/schema/resource-type.ts'

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

const BARBARA = {
  schemas: [USER, ENTERPRISE],
  id: '2819c223',
  userName: 'bjensen',
  name: { givenName: 'Barbara', familyName: 'Jensen' },
  emails: [{ value: 'a', type: 'work' }, { value: 'b' }],
  [ENTERPRISE]: { employeeNumber: '1', manager: { value: 'm', displayName: 'Boss' } },
  meta: { resourceType: 'User', version: 'W/"1"' },
}
const { schemas, id } = BARBARA

const projected = (attributes?: readonly string[], excluded?: readonly string[]) =>
  project(BARBARA, parseProjection(attributes, excluded, USER_RESOURCE_TYPE), USER_RESOURCE_TYPE)

describe('project', () => {
  // RFC 7644 §3.9: "attributes … a multi-valued list of strings indicating the names of resource attributes
  // to return". RFC 7643 §7: "always" attributes are returned in any case.
  it.for<[attributes: readonly string[], rest: object]>([
    [['userName'], { userName: 'bjensen' }],
    [['USERNAME'], { userName: 'bjensen' }],
    [[`${USER}:userName`], { userName: 'bjensen' }],
    [['name'], { name: { givenName: 'Barbara', familyName: 'Jensen' } }],
    [['name.givenName'], { name: { givenName: 'Barbara' } }],
    [['name.middleName'], {}],
    [['emails'], { emails: BARBARA.emails }],
    [['emails.type'], { emails: [{ type: 'work' }] }],
    [['emails.display'], {}],
    [['emails.value', 'emails.type'], { emails: BARBARA.emails }],
    [[ENTERPRISE], { [ENTERPRISE]: BARBARA[ENTERPRISE] }],
    [[`${ENTERPRISE}:employeeNumber`], { [ENTERPRISE]: { employeeNumber: '1' } }],
    [[`${ENTERPRISE}:manager`], { [ENTERPRISE]: { manager: { value: 'm', displayName: 'Boss' } } }],
    [
      [`${ENTERPRISE.toUpperCase()}:MANAGER.displayname`],
      { [ENTERPRISE]: { manager: { displayName: 'Boss' } } },
    ],
    [['meta.version'], { meta: { version: 'W/"1"' } }],
    [['id', 'schemas'], {}],
    [['shoeSize', '__proto__', ''], {}],
    [[], {}],
  ])('returns for attributes=%j the minimum set and %j', ([attributes, rest]) => {
    expect(projected(attributes)).toEqual({ schemas, id, ...rest })
  })

  // "excludedAttributes … names of resource attributes to be removed from the default set"; it "SHALL have no
  // effect on attributes whose schema "returned" setting is "always"".
  it.for<[excluded: readonly string[], removed: (whole: typeof BARBARA) => object]>([
    [[], (whole) => whole],
    [['shoeSize'], (whole) => whole],
    [['id', 'schemas'], (whole) => whole],
    [['userName'], ({ userName, ...rest }) => rest],
    [[`${USER}:NAME`], ({ name, ...rest }) => rest],
    [['name.givenName'], (whole) => ({ ...whole, name: { familyName: 'Jensen' } })],
    [['name.givenName', 'name.familyName'], ({ name, ...rest }) => rest],
    [['emails.value'], (whole) => ({ ...whole, emails: [{ type: 'work' }] })],
    [[ENTERPRISE], ({ [ENTERPRISE]: _, ...rest }) => rest],
    [[`${ENTERPRISE}:manager`], (whole) => ({ ...whole, [ENTERPRISE]: { employeeNumber: '1' } })],
    [['meta'], ({ meta, ...rest }) => rest],
  ])('returns for excludedAttributes=%j the other attributes', ([excluded, removed]) => {
    expect(projected(undefined, excluded)).toEqual(removed(BARBARA))
  })

  it('removes excluded attributes from requested ones', () => {
    expect(projected(['name', 'userName'], ['name.givenName'])).toEqual({
      schemas,
      id,
      userName: 'bjensen',
      name: { familyName: 'Jensen' },
    })
    expect(projected(['name.givenName'], ['name'])).toEqual({ schemas, id })
  })

  it('does not change the resource', () => {
    const before = structuredClone(BARBARA)
    projected(['emails.type'], ['name.givenName'])
    expect(BARBARA).toEqual(before)
  })

  // RFC 7643 §7: "never", "request".
  it('returns "request" attributes only if requested, and "never" attributes never', () => {
    const type: ResourceType = {
      ...USER_RESOURCE_TYPE,
      attributes: [
        attribute('rare', 'string', '', { returned: 'request' }),
        attribute('secret', 'string', '', { returned: 'never' }),
      ],
    }
    const resource = { rare: 'r', secret: 's' }
    expect(project(resource, {}, type)).toEqual({})
    expect(project(resource, parseProjection(['rare', 'secret'], undefined, type), type)).toEqual({
      rare: 'r',
    })
  })
})

describe('isReturned', () => {
  it.for<[attributes: string[] | undefined, excluded: string[] | undefined, isReturned: boolean]>([
    [undefined, undefined, true],
    [undefined, ['members'], false],
    [undefined, ['MEMBERS.display'], true],
    [['displayName'], undefined, false],
    [['members'], undefined, true],
    [['members.value'], undefined, true],
    [['members'], ['members'], false],
    [[], undefined, false],
  ])('of members, for attributes %j and excludedAttributes %j, is %s', ([attributes, excluded, expected]) => {
    const projection = parseProjection(attributes, excluded, GROUP_RESOURCE_TYPE)
    expect(isReturned(projection, 'members', GROUP_RESOURCE_TYPE)).toBe(expected)
  })

  it('is false for an attribute of another type', () => {
    expect(isReturned({}, 'members', USER_RESOURCE_TYPE)).toBe(false)
  })
})
