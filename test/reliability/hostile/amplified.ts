/**
 * Hostile requests of any size: the requests of grammar.ts, repeated, lengthened and nested until they are expensive.
 * They shrink to the smallest size that still is.
 */
import fc from 'fast-check'
import { BULK_REQUEST, GROUP, PATCH_OP, SEARCH_REQUEST, USER } from '../../support/urns.ts'
import { filter, json, names, path } from './grammar.ts'
import type { AttackKind } from './requests.ts'
import { groupId, userId } from './stored.ts'
import { SURFACE } from './surface.ts'

/** A request relative to the origin, without its token. */
export interface AmplifiedRequest {
  readonly kind: AttackKind
  readonly method: string
  readonly path: string
  readonly body?: string
  /** In addition to the token and the media type, or in place of them. */
  readonly headers?: Readonly<Record<string, string>>
}

const MAX_BODY_CHARACTERS = 1024 * 1024
const MAX_QUERY_CHARACTERS = 14_000

/** The number of repetitions, limited by the maximum size of a body. */
function times<T>(count: number, characters: number, make: (i: number) => T): T[] {
  const length = Math.min(count, Math.ceil(MAX_BODY_CHARACTERS / Math.max(1, characters)))
  return Array.from({ length }, (_, i) => make(i))
}

/** Numbers of every order of magnitude, which shrink quickly. */
const magnitude = (max: number) =>
  fc
    .tuple(fc.integer({ min: 0, max: Math.ceil(Math.log10(max)) }), fc.integer({ min: 1, max: 10 }))
    .map(([power, factor]) => Math.min(max, Math.ceil(factor * 10 ** (power - 1))))

/** Expensive characters: of two and four bytes, with long case foldings, combining, and requiring escapes. */
const character = fc.constantFrom(
  'a',
  'é',
  'ΐ',
  'ﷺ',
  'İ',
  'ı',
  '😀',
  '\u0301\u0316',
  '가',
  '"',
  '\\',
  '\u0001',
  'ς',
)
const longText = fc
  .tuple(character, magnitude(300_000), fc.boolean())
  .map(([one, count, isDifferentAtEnd]) => `${one.repeat(count)}${isDifferentAtEnd ? 'b' : ''}`)
const literal = longText.map((text) => JSON.stringify(text))
const operator = fc.constantFrom('eq', 'ne', 'co', 'sw', 'ew', 'gt', 'le')
const term = fc.oneof(
  filter,
  fc.tuple(names, operator, literal).map((parts) => parts.join(' ')),
)

/** The same comparison many times, with different values. */
const manyTests = fc
  .tuple(term, magnitude(150), fc.constantFrom(' or ', ' and '))
  .map(([one, count, joint]) => times(count, one.length, (i) => one.replace(/"$/, `${i}"`)).join(joint))
const anyFilter = fc.oneof(
  manyTests,
  fc
    .tuple(fc.constantFrom('emails', 'addresses', 'groups', 'members', 'name', 'roles'), manyTests)
    .map(([name, inner]) => `${name}[${inner}]`),
  fc.tuple(term, magnitude(60)).map(([one, depth]) => `${'not ('.repeat(depth)}${one}${')'.repeat(depth)}`),
)
const anyPath = fc.oneof(
  path,
  fc
    .tuple(
      fc.constantFrom('emails', 'addresses', 'members', 'roles'),
      manyTests,
      fc.constantFrom('', '.value', '.type'),
    )
    .map(([name, inner, sub]) => `${name}[${inner}]${sub}`),
)

/** Slightly different elements. */
const elements = fc
  .tuple(magnitude(40_000), fc.constantFrom('value', 'type', 'display', 'streetAddress'), longText)
  .map(([count, name, text]) => {
    const start = text.slice(0, 2_000)
    return times(count, start.length, (i) => ({ [name]: `${start}${i}`, primary: i % 7 === 0 }))
  })
const nested = fc.tuple(magnitude(200_000), fc.constantFrom('[', '{"a":')).map(([depth, open]) => {
  return `${open.repeat(depth)}1${(open === '[' ? ']' : '}').repeat(depth)}`
})
const value = fc.oneof(json, longText, elements)

const operation = fc
  .record({ op: fc.constantFrom('add', 'remove', 'replace'), path: anyPath, value }, { requiredKeys: ['op'] })
  .map((one) => JSON.stringify(one))
const patchBody = fc
  .array(fc.tuple(operation, magnitude(10_000)), { minLength: 1, maxLength: 3 })
  .map((parts) => {
    const operations = parts.flatMap(([one, count]) =>
      times(count, one.length, (i) => one.replace(/"value":"/, `"value":"${i}`)),
    )
    return `{"schemas":["${PATCH_OP}"],"Operations":[${operations.join()}]}`
  })

const attributes = fc.constantFrom(
  'emails',
  'addresses',
  'roles',
  'title',
  'userName',
  'externalId',
  'name',
  'members',
)
const resourceBody = fc
  .array(fc.tuple(attributes, fc.oneof(value, value, nested.map(raw))), { maxLength: 3 })
  .map((parts) => {
    const more = parts
      .map(([name, one]) => `,"${name}":${one instanceof Raw ? one.text : JSON.stringify(one)}`)
      .join('')
    return (schema: string, name: string) =>
      `{"schemas":["${schema}"],"${name}":"${crypto.randomUUID()}"${more}}`
  })

/** JSON that is too deep to be built from values. */
class Raw {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}
function raw(text: string): Raw {
  return new Raw(text)
}

const attributeNames = fc
  .tuple(names, magnitude(60_000))
  .map(([name, count]) => Array(count).fill(name) as string[])
const searchBody = fc
  .record(
    {
      filter: anyFilter,
      sortBy: path,
      startIndex: magnitude(1_000_000),
      count: magnitude(1_000),
      cursor: fc.constant(''),
      attributes: attributeNames,
      excludedAttributes: attributeNames,
    },
    { requiredKeys: [] },
  )
  .map((fields) => JSON.stringify({ schemas: [SEARCH_REQUEST], ...fields }))

const query = fc
  .record(
    {
      filter: anyFilter,
      sortBy: fc.oneof(names, path),
      sortOrder: fc.constantFrom('ascending', 'descending'),
      startIndex: magnitude(1_000_000),
      count: magnitude(1_000),
      cursor: fc.constant(''),
      attributes: names,
      excludedAttributes: names,
    },
    { requiredKeys: [] },
  )
  .map((fields) => {
    const entries = Object.entries(fields).map(
      ([name, one]) => `${name}=${encodeURIComponent(String(one).toWellFormed())}`,
    )
    return entries.join('&').slice(0, MAX_QUERY_CHARACTERS)
  })

const bulkBody = fc
  .array(
    fc.record({
      method: fc.constantFrom('POST', 'PUT', 'PATCH', 'DELETE'),
      path: fc.constantFrom(
        '/Users',
        '/Groups',
        `/Users/${userId(10)}`,
        `/Groups/${groupId(3)}`,
        '/Users/bulkId:b1',
      ),
      version: fc.oneof(fc.constant('W/"1"'), longText),
      data: fc.oneof(json, value),
    }),
    { minLength: 1, maxLength: 100 },
  )
  .map((operations) =>
    JSON.stringify({
      schemas: [BULK_REQUEST],
      Operations: operations.map((one, i) => ({ bulkId: `b${i}`, ...one })),
    }),
  )

const withBody = (kind: AttackKind, method: string, target: string, body: fc.Arbitrary<string>) =>
  body.map(
    (text): AmplifiedRequest => ({
      kind,
      method,
      path: `/scim/v2${target}`,
      // A truncated body is not valid JSON, which is hostile as well.
      body: text.slice(0, MAX_BODY_CHARACTERS - 1),
    }),
  )

/** By kind, so that an expensive kind does not hide the others. */
export const AMPLIFIED: Readonly<Record<string, fc.Arbitrary<AmplifiedRequest>>> = {
  'GET of a list': fc
    .tuple(fc.constantFrom('/Users', '/Groups', ''), query)
    .map(([target, text]) => ({ kind: 'query', method: 'GET', path: `/scim/v2${target}?${text}` })),
  'POST of a search': fc
    .constantFrom('/.search', '/Users/.search', '/Groups/.search')
    .chain((target) => withBody('query', 'POST', target, searchBody)),
  'PATCH of a user': fc
    .constantFrom(1, 2, 3)
    .chain((number) => withBody('stored data', 'PATCH', `/Users/${userId(number)}`, patchBody)),
  'PATCH of a group': withBody('stored data', 'PATCH', `/Groups/${groupId(1)}`, patchBody),
  'POST of a user': withBody(
    'body',
    'POST',
    '/Users',
    resourceBody.map((of) => of(USER, 'userName')),
  ),
  'POST of a group': withBody(
    'body',
    'POST',
    '/Groups',
    resourceBody.map((of) => of(GROUP, 'displayName')),
  ),
  'PUT of a user': withBody(
    'body',
    'PUT',
    // Another user than those with hostile stored data, which would be replaced.
    `/Users/${userId(9)}`,
    resourceBody.map((of) => of(USER, 'userName')),
  ),
  'POST of bulk operations': withBody('body', 'POST', '/Bulk', bulkBody),
  ...SURFACE,
}
