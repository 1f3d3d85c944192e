/**
 * Deviations in filters and list parameters: the result with each deviation, and the error with `strict`. The functions in
 * src/scim/compatibility name the clients.
 */
import { describe, expect, it } from 'vitest'
import { namesFromText, trimmedPath } from '../../../src/scim/compatibility/lists.ts'
import { evaluateFilter } from '../../../src/scim/filter/evaluate.ts'
import { parseFilter } from '../../../src/scim/filter/parser.ts'
import { resolveFilter } from '../../../src/scim/filter/resolve.ts'
import type { Profile } from '../../../src/scim/profile.ts'
import { USER_RESOURCE_TYPE } from '../../../src/scim/schema/resource-type.ts'
import { parseListRequest, parseSearchRequest } from '../../../src/scim/search-request.ts'
import { STRICT, TOLERANT } from '../../support/reading.ts'
import { ENTERPRISE, SEARCH_REQUEST } from '../../support/urns.ts'

const refusal = (scimType: string, detail: RegExp) =>
  expect.objectContaining({ status: 400, scimType, detail: expect.stringMatching(detail) })

const USER = {
  userName: 'ada',
  externalId: '4711',
  active: true,
  emails: [{ value: 'a@x.example', type: 'work', primary: true }],
  [ENTERPRISE]: { manager: { value: 'm' } },
}

function finds(text: string, profile: Profile): boolean {
  return evaluateFilter(resolveFilter(parseFilter(text, profile), USER_RESOURCE_TYPE, profile), USER)
}

describe('a filter', () => {
  it.for<[deviation: string, filter: string, detail: RegExp]>([
    [
      'comparesSelectedValues',
      'emails[type eq "work"].value eq "a@x.example"',
      /position 23: expected "and"/,
    ],
    ['comparesReferencesByValue', `${ENTERPRISE}:manager eq "m"`, /"eq" cannot be used on .*manager/],
    ['readsUnquotedText', 'userName eq ada', /double quotes, found "ada"/],
    ['readsUnquotedText', 'active eq True', /double quotes, found "True"/],
    // The example of RFC 7644 §3.4.2.1, with another attribute.
    ['readsUnquotedText', '(userName eq bob) or (userName eq ada)', /double quotes, found "bob"/],
    ['convertsFilterValues', 'active eq "true"', /compared with a value of type boolean, found "true"/],
    ['convertsFilterValues', 'emails[primary eq "True"]', /compared with a value of type boolean/],
    ['convertsFilterValues', 'externalId eq 4711', /compared with a value of type string, found "4711"/],
  ])('is accepted only with %s: %s', ([, filter, detail]) => {
    expect(finds(filter, TOLERANT)).toBe(true)
    expect(() => finds(filter, STRICT)).toThrow(refusal('invalidFilter', detail))
  })

  it.for([
    'USERNAME EQ "ADA"',
    'active eq true',
    'title eq null',
    'emails co "x.example"',
    'emails[type eq "work" and primary eq true]',
    `${ENTERPRISE}:manager.value eq "m"`,
    `not (${ENTERPRISE}:manager eq null)`,
    'name[givenName pr] or userName sw "a"',
  ])('that follows RFC 7644 is accepted by the strict profile: %s', (filter) => {
    expect(finds(filter, STRICT)).toBe(true)
  })
})

describe('the parameters of a list', () => {
  it.for<[deviation: string, parameters: object, scimType: string]>([
    ['ignoresEmptyParameters', { filter: '' }, 'invalidFilter'],
    ['ignoresEmptyParameters', { sortBy: '' }, 'invalidValue'],
    ['ignoresEmptyParameters', { sortOrder: '' }, 'invalidValue'],
    ['ignoresEmptyParameters', { startIndex: '' }, 'invalidValue'],
    ['ignoresEmptyParameters', { count: ' ' }, 'invalidValue'],
    ['readsLooseNumbers', { count: '+5' }, 'invalidValue'],
    ['readsLooseNumbers', { count: ' 5' }, 'invalidValue'],
    ['readsLooseNumbers', { startIndex: '05' }, 'invalidValue'],
    ['readsLooseNumbers', { count: '+5', cursor: '' }, 'invalidCount'],
    ['readsSortOrderInAnyCase', { sortBy: 'userName', sortOrder: 'DESCENDING' }, 'invalidValue'],
    ['trimsPaths', { sortBy: ' userName' }, 'invalidValue'],
    ['allowsBothProjections', { attributes: ['title'], excludedAttributes: ['emails'] }, 'invalidValue'],
  ])('are accepted only with %s: %j', ([, parameters, scimType]) => {
    expect(() => parseListRequest(parameters, [USER_RESOURCE_TYPE], TOLERANT)).not.toThrow()
    expect(() => parseListRequest(parameters, [USER_RESOURCE_TYPE], STRICT)).toThrow(refusal(scimType, /./))
  })

  it.for(['0', '-1', '7', '9007199254740993'])('may be the integer %s in every profile', (count) => {
    for (const profile of [TOLERANT, STRICT])
      expect(() => parseListRequest({ count }, [USER_RESOURCE_TYPE], profile)).not.toThrow()
  })

  it('may be text in a query', () => {
    const parameters = { startIndex: '2', count: '5', sortBy: 'userName', sortOrder: 'descending' }
    const { page, sources } = parseListRequest(parameters, [USER_RESOURCE_TYPE], STRICT)
    expect(page).toEqual({ kind: 'index', startIndex: 2, count: 5 })
    expect(sources[0]?.sort?.isDescending).toBe(true)
  })
})

describe('a SearchRequest', () => {
  const message = (more: object) => ({ schemas: [SEARCH_REQUEST], ...more })

  it.for<[deviation: string, body: object, scimType: string]>([
    ['readsNumbersFromText', message({ count: '5' }), 'invalidValue'],
    ['readsNumbersFromText', message({ startIndex: '' }), 'invalidValue'],
    ['splitsNamesFromText', message({ attributes: 'userName,title' }), 'invalidValue'],
    ['ignoresEmptyParameters', message({ attributes: ['userName', ''] }), 'invalidValue'],
    ['allowsMissingSchemas', {}, 'invalidSyntax'],
  ])('is accepted only with %s: %j', ([, body, scimType]) => {
    expect(() => parseSearchRequest(body, TOLERANT)).not.toThrow()
    expect(() => parseSearchRequest(body, STRICT)).toThrow(refusal(scimType, /./))
  })

  it('that follows RFC 7644 is accepted by the strict profile', () => {
    const body = message({ attributes: ['userName'], startIndex: 1, count: 10, filter: null })
    expect(parseSearchRequest(body, STRICT)).toMatchObject({
      attributes: ['userName'],
      startIndex: 1,
      count: 10,
    })
  })
})

it('splits names at commas and trims paths only in the tolerant profile', () => {
  expect(namesFromText(' userName, title,', TOLERANT)).toEqual(['userName', 'title'])
  expect(namesFromText('userName', STRICT)).toBe('userName')
  expect(namesFromText(['a,b'], TOLERANT)).toEqual(['a,b'])
  expect(trimmedPath(' title ', TOLERANT)).toBe('title')
  expect(trimmedPath(' title ', STRICT)).toBe(' title ')
})
