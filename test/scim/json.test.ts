import { describe, expect, it } from 'vitest'
import { parseJson } from '../../src/scim/json.ts'
import {
  MAX_JSON_DEPTH,
  MAX_JSON_MEMBERS,
  MAX_JSON_MEMBERS_IN_ALL,
  MAX_WORK_UNITS,
} from '../../src/scim/limits.ts'
import { CONTAINER_UNITS, MEMBER_NAME_UNITS, SCALAR_UNITS, Work } from '../../src/scim/work.ts'

describe('parseJson', () => {
  it.for(['{"a":[1,"]}\\"[",{"b":null}]}', '"\\\\"', '[]', ' 1 ', '{"a:b":"c:d"}'])('reads %s', (text) => {
    expect(parseJson(text)).toEqual(JSON.parse(text))
  })

  const nested = (levels: number) => `${'[{"a":'.repeat(levels / 2)}1${'}]'.repeat(levels / 2)}`
  const members = (count: number) => `{${Array.from({ length: count }, (_, i) => `"a${i}":":"`).join()}}`

  const inAll = (count: number) => `[${Array.from({ length: count }, (_, i) => `{"a${i}":0}`).join()}]`

  const list = (count: number, one: string) => `[${Array(count).fill(one).join()}]`

  it('accepts JSON at the limits of depth and members', () => {
    expect(() => parseJson(nested(MAX_JSON_DEPTH))).not.toThrow()
    expect(() => parseJson(`[${members(MAX_JSON_MEMBERS)},${members(MAX_JSON_MEMBERS)}]`)).not.toThrow()
    expect(() => parseJson(inAll(MAX_JSON_MEMBERS_IN_ALL))).not.toThrow()
  })

  it.for<[what: string, text: string, detail: RegExp]>([
    ['nothing', '', /^the request body is empty$/],
    ['a mistake', '{"a" 1}', /^the request body is not valid JSON at position 5$/],
    ['a string without an end', '"\\', /^the request body is not valid JSON/],
    ['an end without a beginning', ']]', /^the request body is not valid JSON/],
    ['one level too many', nested(MAX_JSON_DEPTH + 2), /deeper than the limit of 32 levels$/],
    ['200,000 levels', '['.repeat(200_000), /deeper than the limit of 32 levels$/],
    [
      'one member too many',
      `{"a":${members(MAX_JSON_MEMBERS + 1)}}`,
      /object with more than the limit of 1000 members$/,
    ],
    [
      'one member too many in all',
      inAll(MAX_JSON_MEMBERS_IN_ALL + 1),
      /^the request body has more than the limit of 40000 members of objects in all$/,
    ],
  ])('rejects %s with invalidSyntax', ([, text, detail]) => {
    expect(() => parseJson(text)).toThrow(
      expect.objectContaining({ scimType: 'invalidSyntax', detail: expect.stringMatching(detail) }),
    )
  })

  it.for<[text: string, names: number, containers: number, others: number]>([
    ['[1,"a","a:b"]', 0, 1, 2],
    ['{"a":{"a":1,"b" :"c"},"b":[{"a":"d"}]}', 2, 4, 2],
    ['{"a\\"b":1,"a":2}', 2, 1, 1],
    ['["[[","{,}",",,"]', 0, 1, 2],
    [
      inAll(MAX_JSON_MEMBERS_IN_ALL),
      MAX_JSON_MEMBERS_IN_ALL,
      1 + MAX_JSON_MEMBERS_IN_ALL,
      MAX_JSON_MEMBERS_IN_ALL - 1,
    ],
    // Nothing else counts them, because no attribute has such values.
    [list(345_000, '[]'), 0, 345_001, 344_999],
    [list(345_000, '{}'), 0, 345_001, 344_999],
    [list(140_000, '[[[]]]'), 0, 420_001, 139_999],
    [list(200_000, 'null'), 0, 1, 199_999],
    [list(345_000, '""'), 0, 1, 344_999],
  ])('counts each name of a member once as work, and each value: %#', ([text, names, containers, others]) => {
    const work = new Work()
    parseJson(text, undefined, work)
    expect(work.spent).toBe(names * MEMBER_NAME_UNITS + containers * CONTAINER_UNITS + others * SCALAR_UNITS)
  })

  it('counts them before it parses', () => {
    const work = new Work('invalidValue', MAX_WORK_UNITS, MAX_WORK_UNITS)
    expect(() => parseJson('{"a":', undefined, work)).toThrow(
      expect.objectContaining({ scimType: 'invalidValue' }),
    )
  })
})
