/**
 * Hostile requests, generated from the grammars that the worker parses: valid enough to pass the first check, and
 * invalid enough to cause harm behind it.
 */
import fc from 'fast-check'
import { BULK_REQUEST, ENTERPRISE, GROUP, PATCH_OP, SEARCH_REQUEST, USER } from '../../support/urns.ts'

/** A request relative to the Tenant URL. A text body is sent unchanged. */
export interface Hostile {
  readonly method: string
  readonly path: string
  readonly body?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
}

export const names = fc.constantFrom(
  ...[
    'userName',
    'USERNAME',
    'emails',
    'emails.value',
    'name.familyName',
    'members',
    'members.value',
    'groups',
  ],
  ...[
    'meta.lastModified',
    'active',
    'id',
    'schemas',
    'manager',
    `${ENTERPRISE}:department`,
    ENTERPRISE,
    'urn:x:y',
  ],
  ...[
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    'password',
    '$ref',
    '',
    '.',
    ':',
    'a.b.c.d',
  ],
)
const text = fc.oneof(
  fc.constantFrom(
    ...[
      '',
      ' ',
      '\u0000',
      '\ud800',
      '\ufeff',
      '\u202e',
      'İı',
      'ß'.repeat(50),
      '%00',
      "' OR 1=1 --",
      '"',
      '\\',
      '\\u0000',
    ],
    ...[
      '𐐀',
      '👩‍👩‍👧‍👦',
      `e${'\u0301'.repeat(200)}`,
      '../../x',
      '{{x}}',
      '<script>',
      'null',
      'True',
      '1e999',
      '-0',
    ],
  ),
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 10 }),
)
const literal = fc.oneof(
  text.map((value) => JSON.stringify(value)),
  fc.constantFrom(
    'true',
    'false',
    'null',
    '0',
    '-0',
    '1e400',
    '-1e-400',
    '9007199254740993',
    '"2020-02-30T00:00:00Z"',
    "'x'",
    '"',
  ),
)
const operator = fc.constantFrom(
  'eq',
  'ne',
  'co',
  'sw',
  'ew',
  'gt',
  'ge',
  'lt',
  'le',
  'pr',
  'EQ',
  'in',
  '=',
  '',
)

/** Filters, most of them almost valid. */
export const filter: fc.Arbitrary<string> = fc.letrec<{ filter: string }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 4 },
    fc.tuple(names, operator, literal).map((parts) => parts.join(' ')),
    names.map((name) => `${name} pr`),
    fc
      .tuple(tie('filter'), fc.constantFrom('and', 'or', 'AND', 'xor', ''), tie('filter'))
      .map((parts) => parts.join(' ')),
    tie('filter').map((inner) => `not (${inner})`),
    tie('filter').map((inner) => `(${inner})`),
    fc.tuple(names, tie('filter')).map(([name, inner]) => `${name}[${inner}]`),
    text,
  ),
})).filter

export const path = fc.oneof(
  names,
  fc.tuple(names, filter).map(([name, inner]) => `${name}[${inner}]`),
  fc.tuple(names, filter, names).map(([name, inner, sub]) => `${name}[${inner}].${sub}`),
  text,
)

/** Any JSON, with keys that have a meaning in JavaScript, in SCIM, or none. */
export const json: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    text,
    fc.constantFrom(null, true, false, 0, -0, 1e308, 2 ** 53 + 1, 0.1),
    fc.array(tie('value'), { maxLength: 3 }),
    fc
      .array(fc.tuple(names, tie('value')), { maxLength: 4 })
      // Own properties with any name; JSON.stringify includes them.
      .map((entries) => Object.fromEntries(entries)),
  ),
})).value

const patchBody = fc
  .array(
    fc.record(
      { op: fc.constantFrom('add', 'remove', 'replace', 'Add', 'move', '', 7), path, value: json },
      { requiredKeys: ['op'] },
    ),
    { maxLength: 4 },
  )
  .map((Operations) => ({ schemas: [PATCH_OP], Operations }))

const userBody = json.map((value) => ({
  schemas: [USER],
  userName: `u-${crypto.randomUUID()}`,
  ...own(value),
}))
const groupBody = json.map((value) => ({
  schemas: [GROUP],
  displayName: `g-${crypto.randomUUID()}`,
  ...own(value),
}))
const own = (value: unknown) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}

const searchBody = fc
  .record(
    {
      filter,
      sortBy: path,
      sortOrder: text,
      startIndex: json,
      count: json,
      cursor: text,
      attributes: fc.array(path),
      excludedAttributes: json,
    },
    { requiredKeys: [] },
  )
  .map((fields) => ({ schemas: [SEARCH_REQUEST], ...fields }))

const bulkBody = fc
  .array(
    fc.record(
      {
        method: fc.constantFrom('POST', 'PUT', 'PATCH', 'DELETE', 'GET', 'TRACE', ''),
        path: fc.oneof(
          fc.constantFrom(
            '/Users',
            '/Groups',
            '/Users/bulkId:a',
            '/Groups/bulkId:b',
            '/Bulk',
            '/../admin/api/tenants',
            '//x/Users',
          ),
          text,
        ),
        bulkId: fc.constantFrom('a', 'b', '__proto__', ''),
        version: text,
        data: fc.oneof(userBody, groupBody, patchBody, json),
      },
      { requiredKeys: ['method', 'path'] },
    ),
    { maxLength: 4 },
  )
  .map((Operations) => ({ schemas: [BULK_REQUEST], Operations }))

/** Characters that are allowed in a header; the API rejects all others. */
const headerText = fc.stringMatching(/^[\x20-\x7e]{0,40}$/)
const headers = fc.record(
  {
    'If-Match': fc.oneof(
      fc.constantFrom('*', 'W/"1"', 'W/"1", W/"2"', 'W/"99999999999999999999"', '""', ','),
      headerText,
    ),
    'If-None-Match': fc.oneof(fc.constantFrom('*', 'W/"1"'), headerText),
    'Content-Type': fc.constantFrom(
      'application/json',
      'text/plain',
      'application/scim+json; charset=utf-16',
    ),
    'Content-Encoding': fc.constantFrom('gzip', 'identity', 'br', 'x'),
    Accept: headerText,
    'X-Request-Id': headerText,
  },
  { requiredKeys: [] },
)

const encode = (value: string) => encodeURIComponent(value.toWellFormed())
const query = fc
  .record(
    {
      filter,
      sortBy: path,
      sortOrder: text,
      startIndex: text,
      count: text,
      cursor: text,
      attributes: path,
      excludedAttributes: path,
    },
    { requiredKeys: [] },
  )
  .map((fields) =>
    Object.entries(fields)
      .map(([name, value]) => `${name}=${encode(value)}`)
      .join('&'),
  )

/** Damaged bodies: truncated, with duplicate keys, in another syntax. */
const spoil = fc.tuple(fc.constantFrom('as is', 'cut', 'doubled', 'suffix', 'bom'), fc.nat(100))
function spoilt(body: unknown, [how, at]: readonly [string, number]): string {
  const text = JSON.stringify(body)
  if (how === 'cut') return text.slice(0, Math.floor((text.length * at) / 100))
  if (how === 'doubled' && text.startsWith('{'))
    return `{"userName":"first","__proto__":{"active":true},${text.slice(1)}`
  if (how === 'suffix') return `${text}{"a":1}`
  return how === 'bom' ? `\ufeff${text}` : text
}

const body = (of: fc.Arbitrary<unknown>) => fc.tuple(of, spoil).map(([value, how]) => spoilt(value, how))

/** @param ids of existing resources */
export function hostile(userId: string, groupId: string): fc.Arbitrary<Hostile> {
  const user = `/Users/${userId}`
  const group = `/Groups/${groupId}`
  const request = (method: string, target: fc.Arbitrary<string>, of?: fc.Arbitrary<unknown>) =>
    fc.record({
      method: fc.constant(method),
      path: target,
      headers,
      ...(of === undefined ? {} : { body: body(of) }),
    }) as fc.Arbitrary<Hostile>
  const list = fc.tuple(fc.constantFrom('/Users', '/Groups', '/', '/Schemas', '/ResourceTypes'), query)
  return fc.oneof(
    {
      weight: 4,
      arbitrary: request(
        'GET',
        list.map((parts) => parts.join('?')),
      ),
    },
    {
      weight: 1,
      arbitrary: request(
        'GET',
        text.map((id) => `/Users/${encode(id)}`),
      ),
    },
    {
      weight: 1,
      arbitrary: request(
        'GET',
        text.map((name) => `/${encode(name)}`),
      ),
    },
    { weight: 3, arbitrary: request('POST', fc.constant('/Users'), userBody) },
    { weight: 2, arbitrary: request('POST', fc.constant('/Groups'), groupBody) },
    { weight: 2, arbitrary: request('PUT', fc.constant(user), userBody) },
    { weight: 2, arbitrary: request('PUT', fc.constant(group), groupBody) },
    { weight: 5, arbitrary: request('PATCH', fc.constantFrom(user, group), patchBody) },
    {
      weight: 2,
      arbitrary: request(
        'POST',
        fc.constantFrom('/.search', '/Users/.search', '/Groups/.search'),
        searchBody,
      ),
    },
    { weight: 2, arbitrary: request('POST', fc.constant('/Bulk'), bulkBody) },
    {
      weight: 1,
      arbitrary: request('POST', fc.constantFrom('/Users', '/Groups', '/Bulk', '/Me', '/.search'), json),
    },
  )
}
