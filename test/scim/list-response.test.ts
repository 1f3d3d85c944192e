import { describe, expect, it } from 'vitest'
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE } from '../../src/scim/limits.ts'
import { listResponse, parsePageRequest } from '../../src/scim/list-response.ts'
import { TOLERANT } from '../support/reading.ts'

describe('parsePageRequest', () => {
  // RFC 7644 §3.4.2.4: "A value less than 1 SHALL be interpreted as 1." "A negative value SHALL be
  // interpreted as "0"." "A value of "0" indicates that no resource results are to be returned".
  it.for<[startIndex: unknown, count: unknown, expected: { startIndex: number; count: number }]>([
    [undefined, undefined, { startIndex: 1, count: DEFAULT_PAGE_SIZE }],
    ['1', '10', { startIndex: 1, count: 10 }],
    ['0', '0', { startIndex: 1, count: 0 }],
    ['-5', '-1', { startIndex: 1, count: 0 }],
    [7, 3, { startIndex: 7, count: 3 }],
    ['+7', ' 3 ', { startIndex: 7, count: 3 }],
    [undefined, null, { startIndex: 1, count: DEFAULT_PAGE_SIZE }],
    ['1', '100000', { startIndex: 1, count: MAX_PAGE_SIZE }],
    ['9'.repeat(400), '9'.repeat(400), { startIndex: Number.MAX_SAFE_INTEGER, count: MAX_PAGE_SIZE }],
    [`-${'9'.repeat(400)}`, `-${'9'.repeat(400)}`, { startIndex: 1, count: 0 }],
    [1e300, 1e300, { startIndex: Number.MAX_SAFE_INTEGER, count: MAX_PAGE_SIZE }],
  ])('reads startIndex %j and count %j', ([startIndex, count, expected]) => {
    expect(parsePageRequest(startIndex, count, TOLERANT)).toMatchObject(expected)
  })

  it.for<[unknown, RegExp]>([
    ['abc', /"startIndex" must be an integer, found "abc"/],
    ['1.5', /found "1.5"/],
    [1.5, /found a number/],
    ['0x10', /found "0x10"/],
    ['1e3', /found "1e3"/],
    [true, /found a boolean/],
    [[1], /found an array/],
    [{}, /found an object/],
    ['x'.repeat(100_000), /found "x{100}…"/],
  ])('rejects %j', ([value, detail]) => {
    expect(() => parsePageRequest(value, 1, TOLERANT)).toThrow(
      expect.objectContaining({
        status: 400,
        scimType: 'invalidValue',
        detail: expect.stringMatching(detail),
      }),
    )
  })
})

describe('listResponse', () => {
  // RFC 7644 §3.4.2: "totalResults … REQUIRED". Entra also reads an empty "Resources".
  it('has all members even without results', () => {
    expect(JSON.parse(listResponse({ totalResults: 0, resources: [], startIndex: 1 }))).toEqual({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
      totalResults: 0,
      startIndex: 1,
      itemsPerPage: 0,
      Resources: [],
    })
  })

  it('counts the resources of the page', () => {
    const resources = ['{"id":"a"}', '{"id":"b"}']
    expect(JSON.parse(listResponse({ totalResults: 9, resources, startIndex: 8 }))).toMatchObject({
      totalResults: 9,
      startIndex: 8,
      itemsPerPage: 2,
      Resources: [{ id: 'a' }, { id: 'b' }],
    })
  })
})
