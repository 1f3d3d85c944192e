import { describe, expect, it } from 'vitest'
import { evaluateFilter } from '../../../src/scim/filter/evaluate.ts'
import { parseFilter } from '../../../src/scim/filter/parser.ts'
import { resolveFilter } from '../../../src/scim/filter/resolve.ts'
import { USER_RESOURCE_TYPE } from '../../../src/scim/schema/resource-type.ts'
import { TOLERANT } from '../../support/reading.ts'

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

const BARBARA = {
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:User', ENTERPRISE],
  id: '2819c223-7f76-453a-919d-413861904646',
  externalId: '701984',
  userName: 'bjensen@example.com',
  name: { formatted: 'Ms. Barbara J Jensen, III', familyName: 'Jensen', givenName: 'Barbara' },
  title: '',
  active: true,
  emails: [
    { value: 'bjensen@example.com', type: 'work', primary: true },
    { value: 'babs@jensen.org', type: 'home' },
    { type: 'other' },
  ],
  [ENTERPRISE]: { employeeNumber: '701984', manager: { value: '26118915' } },
  meta: { resourceType: 'User', created: '2010-01-23T04:56:22Z', lastModified: '2011-05-13T04:42:34Z' },
}

describe('evaluateFilter', () => {
  it.for<[filter: string, matches: boolean]>([
    // RFC 7644 §3.4.2.2: "String type attributes are case insensitive by default".
    ['userName eq "BJENSEN@example.com"', true],
    ['externalId eq "701984"', true],
    ['externalId eq 701984', true],
    ['userName co "JENSEN@"', true],
    ['userName sw "bjen"', true],
    ['userName ew ".COM"', true],
    ['userName ew "x.bjensen@example.com"', false],
    ['userName gt "b"', true],
    ['userName lt "B"', false],
    ['userName ge "bjensen@example.com"', true],
    ['userName le "bjensen@example.com"', true],
    // "pr": "If the attribute has a non-empty or non-null value".
    ['userName pr', true],
    ['title pr', false],
    ['nickName pr', false],
    ['name pr', true],
    ['emails pr', true],
    ['emails.display pr', false],
    [`${ENTERPRISE} pr`, true],
    // Without a value, only "ne" is true.
    ['nickName eq ""', false],
    ['nickName ne "x"', true],
    ['nickName co ""', false],
    ['nickName lt "z"', false],
    ['title eq ""', true],
    ['nickName eq null', true],
    ['userName ne null', true],
    // Booleans, as JSON and as Entra quotes them.
    ['active eq true', true],
    ['active eq "True"', true],
    ['active ne true', false],
    // "dateTime": compared as instants.
    ['meta.created eq "2010-01-23T06:56:22+02:00"', true],
    ['meta.lastModified gt "2011-05-13T04:42:33.999Z"', true],
    ['meta.lastModified gt "2011-05-13T06:42:34+02:00"', false],
    ['meta.lastModified ge "2011-05-13T06:42:34+02:00"', true],
    // "If … multi-valued … any of the values matches": each element may satisfy another test.
    ['emails eq "BABS@jensen.org"', true],
    ['emails.value ew "jensen.org"', true],
    ['emails.type eq "work" and emails.value eq "babs@jensen.org"', true],
    ['emails.value ne "bjensen@example.com"', true],
    ['emails.display ne "x"', true],
    ['ims.value ne "x"', false],
    ['emails.primary eq true', true],
    ['emails.primary eq false', false],
    // A value path: one element satisfies the whole filter.
    ['emails[type eq "work" and value eq "babs@jensen.org"]', false],
    ['emails[type eq "home" and value eq "babs@jensen.org"]', true],
    ['emails[type eq "work"].value sw "bjensen"', true],
    ['emails[not (value pr)]', true],
    ['not (emails[type eq "work"])', false],
    ['ims[type eq "xmpp"]', false],
    ['name[givenName eq "barbara" and familyName eq "jensen"]', true],
    ['name[not (middleName pr)]', true],
    [`${ENTERPRISE}[employeeNumber eq "701984"]`, true],
    [`${ENTERPRISE}:manager eq "26118915"`, true],
    ['schemas eq "URN:ietf:params:scim:schemas:extension:enterprise:2.0:user"', true],
    ['schemas co "ciscoumbrella"', false],
    ['(userName eq "x" or active eq true) and not (title pr)', true],
  ])('evaluates %s to %s', ([text, matches]) => {
    const filter = resolveFilter(parseFilter(text, TOLERANT), USER_RESOURCE_TYPE, TOLERANT)
    expect(evaluateFilter(filter, BARBARA)).toBe(matches)
    const negated = resolveFilter(parseFilter(`not (${text})`, TOLERANT), USER_RESOURCE_TYPE, TOLERANT)
    expect(evaluateFilter(negated, BARBARA)).toBe(!matches)
  })

  it('selects from a complex attribute only if it has a value', () => {
    const filter = resolveFilter(
      parseFilter('name[not (middleName pr)]', TOLERANT),
      USER_RESOURCE_TYPE,
      TOLERANT,
    )
    expect(evaluateFilter(filter, { userName: 'x' })).toBe(false)
  })
})
