import { describe, expect, it } from 'vitest'
import { evaluateFilter } from '../../../src/scim/filter/evaluate.ts'
import { parseFilter } from '../../../src/scim/filter/parser.ts'
import { resolveFilter, resolveValueFilter } from '../../../src/scim/filter/resolve.ts'
import { attribute, complex, multiValued, type ResourceType } from '../../../src/scim/schema/definition.ts'
import { GROUP_RESOURCE_TYPE, USER_RESOURCE_TYPE } from '../../../src/scim/schema/resource-type.ts'
import { reading, TOLERANT } from '../../support/reading.ts'

const CORE = 'urn:ietf:params:scim:schemas:core:2.0:User'
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

const resolve = (text: string, type: ResourceType = EVERY_TYPE) =>
  resolveFilter(parseFilter(text, TOLERANT), type, TOLERANT)
const refusal = (detail: RegExp) =>
  expect.objectContaining({ status: 400, scimType: 'invalidFilter', detail: expect.stringMatching(detail) })

/** A resource type with an attribute of each type. */
const EVERY_TYPE: ResourceType = {
  ...USER_RESOURCE_TYPE,
  attributes: [
    attribute('string', 'string', ''),
    attribute('exact', 'string', '', { caseExact: true }),
    attribute('boolean', 'boolean', ''),
    attribute('decimal', 'decimal', ''),
    attribute('integer', 'integer', ''),
    attribute('dateTime', 'dateTime', ''),
    attribute('binary', 'binary', ''),
    attribute('reference', 'reference', ''),
    attribute('secret', 'string', '', { returned: 'never' }),
    complex('complex', '', [
      attribute('inner', 'string', ''),
      attribute('secret', 'string', '', { returned: 'never' }),
    ]),
    complex('manager', '', [attribute('value', 'string', '')]),
    multiValued('many', '', attribute('value', 'string', '')),
    attribute('plain', 'string', '', { multiValued: true }),
  ],
}

describe('resolveFilter', () => {
  // RFC 7644 §3.4.2.2 table 3: "Boolean and Binary attributes SHALL cause a failed response (HTTP status
  // code 400) with "scimType" of "invalidFilter"". The same applies to other invalid combinations.
  it.for<[name: string, literal: string, allowed: string]>([
    ['string', '"x"', 'eq ne co sw ew gt ge lt le'],
    ['reference', '"x"', 'eq ne co sw ew gt ge lt le'],
    ['binary', '"eA=="', 'eq ne co sw ew'],
    ['boolean', 'true', 'eq ne'],
    ['integer', '1', 'eq ne gt ge lt le'],
    ['decimal', '1.5', 'eq ne gt ge lt le'],
    ['dateTime', '"2011-05-13T04:42:34Z"', 'eq ne gt ge lt le'],
    ['complex', '"x"', ''],
    ['manager', '"x"', 'eq ne co sw ew gt ge lt le'],
    ['many', '"x"', 'eq ne co sw ew gt ge lt le'],
    ['plain', '"x"', 'eq ne co sw ew gt ge lt le'],
  ])('allows on %s compared with %s: %s', ([name, literal, allowed]) => {
    for (const operator of 'eq ne co sw ew gt ge lt le'.split(' ')) {
      const compare = () => resolve(`${name} ${operator} ${literal}`)
      if (allowed.split(' ').includes(operator)) expect(compare, operator).not.toThrow()
      else expect(compare, operator).toThrow(refusal(/cannot be used on .* use one of .*pr/))
    }
    expect(() => resolve(`${name} pr`)).not.toThrow()
  })

  it.for<[filter: string, key: unknown]>([
    ['string eq "ÄB"', 'äb'],
    ['exact eq "ÄB"', 'ÄB'],
    ['string eq 007', '007'],
    ['string eq 7.0', '7.0'],
    ['string eq true', 'true'],
    ['boolean eq true', true],
    ['boolean eq "False"', false],
    ['boolean ne TRUE', true],
    ['integer gt 5', 5],
    ['integer gt "5"', 5],
    ['decimal le -1.5e1', -15],
    ['dateTime gt "2011-05-13T06:42:34+02:00"', 1305261754000],
    ['dateTime gt 2011-05-13T04:42:34Z', 1305261754000],
    ['many eq "X"', 'x'],
    ['many[value eq "X"].type eq "Y"', undefined],
  ])('reads the value of %s', ([text, key]) => {
    const filter = resolve(text)
    expect(filter.kind === 'comparison' ? filter.key : undefined).toEqual(key)
  })

  it.for<[filter: string, detail: RegExp]>([
    ['boolean eq "perhaps"', /"boolean" must be compared with a value of type boolean, found "perhaps"/],
    ['boolean eq 1', /compared with a value of type boolean/],
    ['integer eq "x"', /compared with a value of type integer, found "x"/],
    ['integer eq ""', /compared with a value of type integer/],
    ['decimal gt true', /compared with a value of type decimal/],
    ['dateTime gt "yesterday"', /compared with a value of type dateTime/],
    ['dateTime gt "foo 2011"', /compared with a value of type dateTime/],
    ['dateTime gt "2011-05-13"', /compared with a value of type dateTime/],
    ['dateTime gt 1', /compared with a value of type dateTime/],
    ['string co null', /compared with a value of type string, found "null"/],
    ['string gt null', /compared with a value of type string/],
    ['string eq "\\ud800"', /compared with a value of type string/],
    ['string eq "\\u0000"', /compared with a value of type string/],
    ['secret eq "x"', /never returned/],
    ['secret pr', /never returned/],
    ['complex.secret eq "x"', /never returned/],
    ['complex[secret eq "x"]', /never returned/],
    ['string[value eq "x"]', /requires a complex attribute, found "string"/],
    ['plain[value eq "x"]', /requires a complex attribute, found "plain"/],
    ['many[shadow eq "x"]', /many has no attribute "shadow"/],
    ['many[many.value eq "x"]', /many has no attribute/],
    ['shoeSize eq 44', /filter, position 1: User has no attribute "shoeSize"/],
    ['string pr or (shoeSize eq 44)', /position 15: User has no attribute/],
    ['__proto__ pr', /"__proto__" is not an attribute path/],
    ['constructor.name eq "x"', /has no attribute/],
  ])('rejects %s', ([filter, detail]) => {
    expect(() => resolve(filter)).toThrow(refusal(detail))
  })

  // RFC 7643 §2.5: null means no value.
  it.for<[filter: string, kind: string]>([
    ['string eq null', 'not'],
    ['string ne null', 'present'],
    ['complex eq null', 'not'],
    ['many ne null', 'present'],
    ['boolean eq null', 'not'],
  ])('converts %s to a test of presence', ([filter, kind]) => {
    expect(resolve(filter).kind).toBe(kind)
  })

  it.for([
    `${CORE}:userName eq "x"`,
    `${CORE.toUpperCase()}:USERNAME eq "x"`,
    'userName eq "x"',
    'USERNAME EQ "x"',
  ])('resolves %s to userName', (text) => {
    expect(resolve(text, USER_RESOURCE_TYPE)).toMatchObject({ path: { steps: [{ name: 'userName' }] } })
  })

  it('resolves extensions only by URN', () => {
    expect(resolve(`${ENTERPRISE}:employeeNumber eq "1"`, USER_RESOURCE_TYPE).kind).toBe('comparison')
    expect(() => resolve('employeeNumber eq "1"', USER_RESOURCE_TYPE)).toThrow(refusal(/no attribute/))
    expect(() => resolve(`${ENTERPRISE}:employeeNumber eq "1"`, GROUP_RESOURCE_TYPE)).toThrow(
      refusal(/no attribute/),
    )
  })

  // RFC 7644 §3.4.2.1: "For filtered attributes that are not part of a particular resource type, the service
  // provider SHALL treat the attribute as if there is no attribute value."
  it.for<[filter: string, matches: boolean]>([
    ['userName eq "x"', false],
    ['userName ne "x"', true],
    ['userName pr', false],
    ['userName eq null', true],
    ['userName ne null', false],
    ['not (userName pr)', true],
    ['userName gt "a"', false],
    ['emails[type eq "work"]', false],
    ['not (emails[type eq "work"])', true],
    ['userName eq "x" or displayName eq "tour guides"', true],
    ['members[shadow eq "x"]', false],
    ['constructor eq "x"', false],
  ])('across resource types, evaluates %s for a Group to %s', ([text, matches]) => {
    const filter = resolveFilter(parseFilter(text, TOLERANT), GROUP_RESOURCE_TYPE, TOLERANT, 'no-value')
    expect(evaluateFilter(filter, { displayName: 'Tour Guides', members: [{ value: 'a' }] })).toBe(matches)
  })
})

describe('resolveValueFilter', () => {
  it('resolves only sub-attributes of the attribute', () => {
    const emails = USER_RESOURCE_TYPE.attributes.find(({ name }) => name === 'emails')
    if (emails === undefined) throw new Error('no emails')
    expect(resolveValueFilter(parseFilter('TYPE eq "Work"', TOLERANT), emails, reading())).toMatchObject({
      key: 'work',
      value: 'Work',
    })
    expect(() => resolveValueFilter(parseFilter('userName pr', TOLERANT), emails, reading())).toThrow(
      refusal(/emails has no attribute/),
    )
  })
})
