import { describe, expect, it } from 'vitest'
import { pathText, resolveAttributePath } from '../../src/scim/attribute-path.ts'
import { parsePath } from '../../src/scim/path.ts'
import { complex } from '../../src/scim/schema/definition.ts'
import { ENTERPRISE_USER } from '../../src/scim/schema/enterprise-user.ts'
import { GROUP_RESOURCE_TYPE, USER_RESOURCE_TYPE } from '../../src/scim/schema/resource-type.ts'
import { reading } from '../support/reading.ts'

const CORE = 'urn:ietf:params:scim:schemas:core:2.0:User'
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

describe('resolveAttributePath', () => {
  it('compares no URN with each path: a tenant may have 20 long ones, and a PATCH thousands of paths', () => {
    let reads = 0
    const extensions = USER_RESOURCE_TYPE.extensions.map((schema) => ({
      ...schema,
      get id() {
        reads++
        return schema.id
      },
    }))
    const type = { ...USER_RESOURCE_TYPE, extensions }
    for (let i = 0; i < 1_000; i++) resolveAttributePath(`urn:x:${i}:a`, type)
    for (let i = 0; i < 1_000; i++) resolveAttributePath(`${ENTERPRISE}:department`, type)
    expect(reads).toBeLessThan(10)
  })

  it('finds the longest URN that a path begins with', () => {
    const longer = { ...ENTERPRISE_USER, id: 'urn:x:User:more' }
    const attributes = [
      ...USER_RESOURCE_TYPE.attributes,
      complex('urn:x:User', '', []),
      complex(longer.id, '', longer.attributes),
    ]
    const extensions = [{ ...ENTERPRISE_USER, id: 'urn:x:User' }, longer]
    const type = { ...USER_RESOURCE_TYPE, attributes, extensions }
    const path = resolveAttributePath('URN:X:user:More:department', type)
    expect(path && pathText(path)).toBe('urn:x:User:more:department')
    expect(resolveAttributePath('urn:x:Usermore:department', type)).toBeUndefined()
  })

  // RFC 7644 §3.10: "All facets (URN, attribute, and sub-attribute name) of the fully encoded attribute
  // name are case insensitive."
  it.for<[text: string, canonical: string]>([
    ['userName', 'userName'],
    ['USERNAME', 'userName'],
    ['name.familyName', 'name.familyName'],
    ['Name.FAMILYNAME', 'name.familyName'],
    ['emails.value', 'emails.value'],
    ['meta.lastModified', 'meta.lastModified'],
    [`${CORE}:userName`, 'userName'],
    [`${CORE.toUpperCase()}:NAME.givenname`, 'name.givenName'],
    [`${CORE}:emails.type`, 'emails.type'],
    [ENTERPRISE, ENTERPRISE],
    [`${ENTERPRISE.toUpperCase()}:employeenumber`, `${ENTERPRISE}:employeeNumber`],
    [`${ENTERPRISE}:manager.displayName`, `${ENTERPRISE}:manager.displayName`],
    [`${ENTERPRISE}:manager.$ref`, `${ENTERPRISE}:manager.$ref`],
  ])('resolves %s', ([text, canonical]) => {
    const path = resolveAttributePath(text, USER_RESOURCE_TYPE)
    expect(path && pathText(path)).toBe(canonical)
  })

  it.for([
    '',
    '.',
    'shoeSize',
    'name.',
    '.name',
    'name.shadow',
    'name.familyName.first',
    'userName.x',
    CORE,
    `${CORE}:`,
    `${ENTERPRISE}:`,
    `${ENTERPRISE}.employeeNumber`,
    `${ENTERPRISE}:userName`,
    `${CORE}:employeeNumber`,
    'employeeNumber',
    'urn:example:unknown:userName',
    'urn:',
    '__proto__',
    'constructor',
    'name.__proto__',
    'toString',
  ])('does not resolve %j', (text) => {
    expect(resolveAttributePath(text, USER_RESOURCE_TYPE)).toBeUndefined()
  })

  it('resolves against one resource type', () => {
    expect(resolveAttributePath('members.value', GROUP_RESOURCE_TYPE)).toBeDefined()
    expect(resolveAttributePath('members.value', USER_RESOURCE_TYPE)).toBeUndefined()
  })
})

describe('parsePath', () => {
  // RFC 7644 §3.5.2, figure 7: PATH = attrPath / valuePath [subAttr]
  it.for<[text: string, path: string, kind: string | undefined, subAttribute: string | undefined]>([
    ['members', 'members', undefined, undefined],
    ['name.familyName', 'name.familyName', undefined, undefined],
    [' title ', 'title', undefined, undefined],
    ['addresses[type eq "work"]', 'addresses', 'comparison', undefined],
    ['addresses[type eq "work"].streetAddress', 'addresses', 'comparison', 'streetAddress'],
    ['ADDRESSES[TYPE EQ "work"].STREETADDRESS', 'addresses', 'comparison', 'streetAddress'],
    [`${CORE}:emails[type eq "work" and value ew "example.com"].display`, 'emails', 'and', 'display'],
    ['emails[not (value pr)]', 'emails', 'not', undefined],
    ['emails[value eq "a]b"].type', 'emails', 'comparison', 'type'],
    ['roles[primary eq "True"].value', 'roles', 'comparison', 'value'],
  ])('reads %s', ([text, path, kind, subAttribute]) => {
    const parsed = parsePath(
      text,
      reading(
        USER_RESOURCE_TYPE.name === 'User' && text === 'members' ? GROUP_RESOURCE_TYPE : USER_RESOURCE_TYPE,
      ),
    )
    expect(pathText(parsed.path)).toBe(path)
    expect(parsed.filter?.kind).toBe(kind)
    expect(parsed.subAttribute?.name).toBe(subAttribute)
  })

  // RFC 7644 §3.12 table 9, invalidPath: 'The "path" attribute was invalid or malformed (see Figure 7).'
  it.for<[text: string, detail: RegExp]>([
    ['shoeSize', /User has no attribute "shoeSize"/],
    ['emails[type eq "work"', /"\[" is not closed/],
    ['emails[', /is not closed/],
    ['[type eq "work"]', /expected "attribute\["/],
    ['emails]type eq "work"[', /expected "attribute\["/],
    ['emails[type eq "work"]value', /expected ".subAttribute" or the end/],
    ['emails[type eq "work"].value.x', /"emails" has no sub-attribute "value.x"/],
    ['emails[type eq "work"].', /has no sub-attribute ""/],
    ['emails[type eq "work"].shadow', /has no sub-attribute "shadow"/],
    ['emails[type eq "work"][value pr]', /or the end/],
    ['shoeSizes[type eq "work"]', /no attribute "shoeSizes"/],
    ['name[givenName eq "x"]', /requires a multi-valued complex attribute/],
    ['userName[value eq "x"]', /requires a multi-valued complex attribute/],
    ['schemas[value eq "x"]', /requires a multi-valued complex attribute/],
    ['emails.value[type eq "work"]', /requires a multi-valued complex attribute/],
    ['__proto__[a eq 1]', /no attribute "__proto__"/],
    [`${'x'.repeat(100_000)}`, /^User has no attribute "x{100}…"$/],
  ])('rejects %.40s as invalidPath', ([text, detail]) => {
    expect(() => parsePath(text, reading(USER_RESOURCE_TYPE))).toThrow(
      expect.objectContaining({
        status: 400,
        scimType: 'invalidPath',
        detail: expect.stringMatching(detail),
      }),
    )
  })

  // Table 9, invalidFilter: "The specified filter syntax was invalid …"; applies to "PATCH (Path Filter)".
  it.for<[text: string, detail: RegExp]>([
    ['emails[]', /position 8: expected an attribute, found "\]"/],
    ['emails[type]', /expected an operator/],
    ['emails[type is "work"]', /expected an operator .*, found "is"/],
    ['emails[type eq "work].value', /no closing quote/],
    ['emails[shadow eq "x"]', /emails has no attribute "shadow"/],
    ['emails[primary gt true]', /"gt" cannot be used/],
    ['emails[type eq "a" b]', /expected "and", "or" or "\]"/],
  ])('rejects %s as invalidFilter, naming the path', ([text, detail]) => {
    expect(() => parsePath(text, reading(USER_RESOURCE_TYPE))).toThrow(
      expect.objectContaining({
        status: 400,
        scimType: 'invalidFilter',
        detail: expect.stringMatching(detail),
      }),
    )
    expect(() => parsePath(text, reading(USER_RESOURCE_TYPE))).toThrow(/^path "emails\[/)
  })
})
