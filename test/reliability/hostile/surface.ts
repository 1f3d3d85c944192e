/**
 * Hostile requests to the whole surface of a client: projections in every combination with lists and writes, orders,
 * memberships, references between bulk operations, values of extensions, lists of schemas, discovery, events and the
 * token endpoint. amplified.ts has those that repeat the grammars of filters, paths and PATCH.
 */
import fc from 'fast-check'
import { GROUP_MEMBERSHIP_SCHEMA } from '../../../src/scim/urn.ts'
import { BULK_REQUEST, ENTERPRISE, GROUP, PATCH_OP, SEARCH_REQUEST, USER } from '../../support/urns.ts'
import type { AmplifiedRequest } from './amplified.ts'
import { EXTENSION_LISTS, EXTENSION_PATHS, EXTENSION_URNS } from './schemas.ts'
import { groupId, userId } from './stored.ts'

const MAX_BODY_CHARACTERS = 1024 * 1024 - 1
/** A URL and its headers may have 16 KiB together. */
const MAX_QUERY_CHARACTERS = 14_000
const MAX_HEADER_CHARACTERS = 14_000

type Kind = fc.Arbitrary<AmplifiedRequest>

const CORE_PATHS = [
  ...['userName', 'USERNAME', 'name', 'name.familyName', 'emails', 'emails.value', 'emails.primary', 'roles'],
  ...['addresses.streetAddress', 'active', 'title', 'password', 'schemas', 'id', 'externalId', 'meta'],
  ...['meta.lastModified', 'meta.created', 'meta.version', 'groups', 'groups.value', 'groups.display'],
  ...['groups.type', 'members', 'members.value', 'members.display', 'members.type', 'displayName'],
  ...[ENTERPRISE, `${ENTERPRISE}:manager`, `${ENTERPRISE}:manager.displayName`, `${ENTERPRISE}:department`],
  ...[USER, `${USER}:userName`, `${GROUP}:displayName`, 'group', 'group.value', 'member.display', 'urn:'],
  ...['emails[type eq "work"].value', 'nothing', '__proto__', ''],
]
const name = fc.constantFrom(...CORE_PATHS, ...EXTENSION_PATHS, ...EXTENSION_URNS)
const extensionPath = fc.constantFrom(...EXTENSION_PATHS)
const text = fc.constantFrom('a', 'é', 'work', 'person-1', '"', '\u0001', 'x'.repeat(1_000), 'ΐ'.repeat(300))
const operator = fc.constantFrom('eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le')

/** Half of all sizes are the largest ones: most limits are reached only there. */
const size = (most: number) =>
  fc.oneof(
    fc.constant(most),
    fc.integer({ min: 0, max: most }),
    fc.integer({ min: 0, max: Math.min(most, 10) }),
  )
/** The same things again and again, until they have about so many characters. */
function filled<T>(
  things: readonly T[],
  most: number,
  characters: number,
  lengthOf: (one: T) => number,
): T[] {
  const result: T[] = []
  for (let i = 0, length = 0; things.length > 0 && result.length < most && length < characters; i++) {
    const next = things[i % things.length] as T
    result.push(next)
    length += lengthOf(next) + 1
  }
  return result
}
const nameList = (characters: number, most = 60_000) =>
  fc
    .tuple(fc.array(name, { minLength: 1, maxLength: 12 }), size(most))
    .map(([some, count]) => filled(some, count, characters, (one) => one.length + 2))
/** As many names as a projection may have. */
const FULL_PROJECTION = 500
const projectionList = (characters: number) =>
  fc.oneof(
    { weight: 3, arbitrary: nameList(characters, FULL_PROJECTION) },
    { weight: 1, arbitrary: nameList(characters) },
  )

const comparison = fc
  .tuple(name, operator, text)
  .map(([path, op, value]) => `${path} ${op} ${JSON.stringify(value)}`)
const filter = fc
  .tuple(
    fc.array(
      fc.oneof(
        comparison,
        name.map((path) => `${path} pr`),
      ),
      { minLength: 1, maxLength: 4 },
    ),
    fc.constantFrom(' or ', ' and '),
    fc.oneof(fc.constant(1), size(100)),
    fc.boolean(),
  )
  .map(([tests, joint, count, isNegated]) => {
    const all = filled(tests, Math.max(1, count), 60_000, (one) => one.length).join(joint)
    return isNegated ? `not (${all})` : all
  })
const count = fc.constantFrom(0, 1, 10, 100, 500, 1_000, 1_000, 100_000)
const sortBy = fc.oneof(name, extensionPath)
const LISTS = ['/Users', '/Users', '/Groups', '', '/GroupMemberships']

/** What a list and a search have alike, but for the projection. */
const listFields = {
  filter,
  sortBy,
  sortOrder: fc.constantFrom('ascending', 'descending'),
  startIndex: fc.constantFrom(1, 2, 900, 1_000_000),
  count,
  cursor: fc.constant(''),
}
const searchFields = fc.record(
  {
    ...listFields,
    attributes: projectionList(200_000),
    excludedAttributes: projectionList(200_000),
  },
  { requiredKeys: [] },
)
/** All of a page, and only what takes work to leave out. */
const projectedPage = fc.record(
  {
    count: fc.constant(1_000),
    attributes: projectionList(200_000),
    excludedAttributes: projectionList(200_000),
  },
  { requiredKeys: ['count'] },
)
const search = fc
  .tuple(fc.constantFrom(...LISTS), fc.oneof(searchFields, projectedPage), fc.boolean())
  .map(([path, fields, isMany]): AmplifiedRequest => {
    const schemas = isMany
      ? filled([SEARCH_REQUEST, ...EXTENSION_URNS], 60_000, 400_000, (one) => one.length)
      : [SEARCH_REQUEST]
    return request('query', 'POST', `${path}/.search`, JSON.stringify({ schemas, ...fields }))
  })

const encode = (value: unknown) => encodeURIComponent(String(value).toWellFormed())
const queryOf = (fields: Readonly<Record<string, unknown>>) =>
  Object.entries(fields)
    .map(([key, value]) => `${key}=${encode(value)}`)
    .join('&')
    .slice(0, MAX_QUERY_CHARACTERS)
const listed = fc
  .tuple(
    fc.constantFrom(...LISTS),
    fc.record(
      {
        ...listFields,
        attributes: projectionList(6_000).map((names) => names.join()),
        excludedAttributes: projectionList(6_000).map((names) => names.join()),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([path, fields]) => request('query', 'GET', `${path}?${queryOf(fields)}`))

const projectedQuery = fc
  .record(
    {
      attributes: projectionList(6_000).map((names) => names.join()),
      excludedAttributes: projectionList(6_000).map((names) => names.join()),
    },
    { requiredKeys: [] },
  )
  .map(queryOf)
const target = fc.constantFrom(
  ...[1, 2, 3, 4, 9].map((number) => `/Users/${userId(number)}`),
  ...[1, 2, 3].map((number) => `/Groups/${groupId(number)}`),
)

/** Answers with a part of a resource, however it is changed. */
const projectedAnswers = fc
  .tuple(
    target,
    projectedQuery,
    fc.constantFrom('GET', 'PATCH', 'POST'),
    fc.array(fc.tuple(name, text), { maxLength: 3 }),
    text,
  )
  .map(([path, query, method, values, value]) => {
    if (method === 'GET') return request('query', 'GET', `${path}?${query}`)
    if (method === 'PATCH') {
      const Operations = [
        {
          op: 'replace',
          path: path.startsWith('/Users') ? 'nickName' : 'externalId',
          value: `${value}${crypto.randomUUID()}`,
        },
        ...values.map(([one, other]) => ({ op: 'add', path: one, value: other })),
      ]
      return request(
        'stored data',
        'PATCH',
        `${path}?${query}`,
        JSON.stringify({ schemas: [PATCH_OP], Operations }),
      )
    }
    const [endpoint, schema, key] = path.startsWith('/Users')
      ? ['/Users', USER, 'userName']
      : ['/Groups', GROUP, 'displayName']
    const body = { schemas: [schema], [key as string]: crypto.randomUUID(), ...Object.fromEntries(values) }
    return request('body', 'POST', `${endpoint}?${query}`, JSON.stringify(body))
  })

/** Elements of a list of the wide extension, or of a core attribute. */
const elements = fc
  .tuple(
    size(22_000),
    fc.array(fc.constantFrom('value', 'type', 'display', 'sub1', 'sub19', 'SUB5', 'no'), { maxLength: 8 }),
    text,
  )
  .map(([most, keys, value]) => {
    const each = Math.max(1, keys.length) * (Math.min(value.length, 100) + 12)
    const length = Math.min(most, Math.floor(900_000 / each))
    return Array.from({ length }, (_, i) =>
      Object.fromEntries(keys.map((key) => [key, `${value.slice(0, 100)}${i}`])),
    )
  })
const extensionObject = fc
  .array(fc.tuple(fc.constantFrom(...EXTENSION_PATHS), fc.oneof(text, elements)), {
    minLength: 1,
    maxLength: 6,
  })
  .map((parts) => {
    const body: Record<string, Record<string, unknown>> = {}
    for (const [path, value] of parts) {
      const at = path.lastIndexOf(':')
      const [urn, attribute] = [path.slice(0, at), path.slice(at + 1)]
      body[urn] = { ...body[urn], [attribute]: value }
    }
    return body
  })
const schemaList = fc
  .tuple(
    fc.array(fc.constantFrom(...EXTENSION_URNS, USER, GROUP, ENTERPRISE, 'urn:x', ''), {
      minLength: 1,
      maxLength: 8,
    }),
    size(60_000),
  )
  .map(([some, most]) => filled(some, most, 800_000, (one) => one.length + 2))

const extended = fc
  .tuple(
    fc.constantFrom('POST', 'PUT', 'PATCH'),
    extensionObject,
    fc.oneof(fc.constant([USER]), schemaList),
    projectedQuery,
  )
  .map(([method, values, schemas, query]) => {
    const body = { schemas, userName: crypto.randomUUID(), ...values }
    if (method === 'POST') return request('body', 'POST', `/Users?${query}`, JSON.stringify(body))
    if (method === 'PUT') return request('body', 'PUT', `/Users/${userId(9)}?${query}`, JSON.stringify(body))
    const patch = {
      schemas: schemas.length > 1 ? schemas : [PATCH_OP],
      Operations: [{ op: 'add', value: values }],
    }
    return request('stored data', 'PATCH', `/Users/${userId(9)}?${query}`, JSON.stringify(patch))
  })

/** Many operations on paths of extensions: with and without a filter, known and unknown. */
const operation = fc
  .tuple(
    fc.constantFrom('add', 'replace', 'remove', 'Add'),
    fc.oneof(
      extensionPath,
      name,
      fc
        .tuple(
          fc.constantFrom(...EXTENSION_LISTS, 'emails', 'roles'),
          fc.constantFrom('value', 'sub1', 'type', 'display'),
          operator,
          text,
          fc.constantFrom('', '.value', '.sub19'),
        )
        .map(([list, sub, op, value, end]) => `${list}[${sub} ${op} ${JSON.stringify(value)}]${end}`),
    ),
    fc.oneof(
      text,
      text.map((value) => [{ value }]),
      text.map((value) => ({ value, sub1: value })),
    ),
  )
  .map(([op, path, value]) => (op === 'remove' ? { op, path } : { op, path, value }))
const extensionPatch = fc
  .tuple(
    fc.oneof(target, fc.constant(`/Users/${userId(1)}`)),
    fc.array(operation, { minLength: 1, maxLength: 4 }),
    size(30_000),
    fc.boolean(),
  )
  .map(([path, some, most, isInValue]) => {
    const operations = filled(some, Math.max(1, most), 950_000, (one) => JSON.stringify(one).length)
    const body = isInValue
      ? {
          schemas: [PATCH_OP],
          Operations: operations.map(({ op, path: key, value }) => ({ op, value: { [key]: value } })),
        }
      : { schemas: [PATCH_OP], Operations: operations }
    return request('stored data', 'PATCH', path, JSON.stringify(body).slice(0, MAX_BODY_CHARACTERS))
  })

/** References between operations: to themselves, in circles and chains, to nothing, and very many of them. */
const bulk = fc
  .tuple(
    fc.integer({ min: 1, max: 100 }),
    fc.constantFrom('itself', 'the next one', 'the one before', 'all', 'nothing', 'the last one'),
    fc.constantFrom('members', 'manager', 'emails', 'path'),
    size(20_000),
    size(2_000),
    fc.constantFrom('/Users', '/Groups'),
    fc.boolean(),
  )
  .map(([length, whom, where, references, idLength, endpoint, isPatched]) => {
    const id = (i: number) => `b${((i % length) + length) % length}${'x'.repeat(idLength)}`
    const each = Math.max(1, Math.min(references, Math.floor(800_000 / length / (idLength + 40)) - 1))
    const other = (i: number, k: number) =>
      whom === 'itself'
        ? i
        : whom === 'the next one'
          ? i + 1
          : whom === 'the one before'
            ? i - 1
            : whom === 'all'
              ? i + k
              : length - 1
    const referred = (i: number) =>
      Array.from({ length: each }, (_, k) => ({
        value: `bulkId:${whom === 'nothing' ? 'none' : id(other(i, k))}`,
      }))
    const Operations = Array.from({ length }, (_, i) => ({
      method: 'POST',
      path: endpoint,
      bulkId: id(i),
      data: {
        [endpoint === '/Users' ? 'userName' : 'displayName']: crypto.randomUUID(),
        ...(where === 'members' ? { members: referred(i) } : {}),
        ...(where === 'emails' ? { emails: referred(i) } : {}),
        ...(where === 'manager' ? { [ENTERPRISE]: { manager: referred(i)[0] } } : {}),
      },
    }))
    const patches = Operations.slice(0, 100 - length).map(({ bulkId }, i) => ({
      method: 'PATCH',
      path: `${endpoint}/bulkId:${bulkId}`,
      data: {
        schemas: [PATCH_OP],
        Operations: [{ op: 'add', path: 'members', value: referred(i).slice(0, 100) }],
      },
    }))
    const body = { schemas: [BULK_REQUEST], Operations: isPatched ? [...Operations, ...patches] : Operations }
    return request('body', 'POST', '/Bulk', JSON.stringify(body).slice(0, MAX_BODY_CHARACTERS))
  })

/** Many operations in one request that each cost as much as one request may. */
const bulkOfOthers = fc
  .tuple(
    fc.array(fc.oneof(extensionPatch, projectedAnswers, extended), { minLength: 1, maxLength: 3 }),
    fc.integer({ min: 1, max: 100 }),
  )
  .map(([some, most]) => {
    const own = some.filter(({ method }) => method !== 'GET' && method !== 'PUT')
    const operations = filled(own, most, 900_000, ({ body = '' }) => body.length).map(
      ({ method, path, body = '{}' }, i) => ({
        method,
        bulkId: `b${i}`,
        path: path.replace('/scim/v2', '').replace(/\?.*$/, ''),
        data: parsed(body),
      }),
    )
    const body = JSON.stringify({ schemas: [BULK_REQUEST], Operations: operations })
    return request('body', 'POST', '/Bulk', body.slice(0, MAX_BODY_CHARACTERS))
  })

/** A truncated body is not JSON. */
function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return body.slice(0, 1_000)
  }
}

const membershipPath = fc
  .tuple(fc.constantFrom(1, 2, 3, 4, 99), fc.constantFrom(1, 2, 3, 4, 99))
  .map(([group, user]) => `${groupId(group)}.${userId(user)}`)
const memberships = fc.oneof(
  fc
    .tuple(
      fc.constantFrom(
        `group.value eq "${groupId(1)}"`,
        `member.value eq "${userId(1)}"`,
        'member.display co "a"',
        '',
      ),
      fc.constantFrom('', ' and ', ' or '),
      fc.constantFrom(`member.value eq "${userId(2)}"`, `group.value eq "${groupId(2)}"`, ''),
      count,
      fc.boolean(),
      projectedQuery,
    )
    .map(([first, joint, second, most, isByCursor, query]) => {
      const given = `filter=${encode(`${first}${joint}${second}`)}&count=${most}${isByCursor ? '&cursor=' : ''}`
      return request('query', 'GET', `/GroupMemberships?${given}&${query}`)
    }),
  membershipPath.map((id) => request('query', 'GET', `/GroupMemberships/${id}`)),
  fc
    .tuple(membershipPath, fc.oneof(fc.constant([GROUP_MEMBERSHIP_SCHEMA]), schemaList), text)
    .map(([id, schemas, value]) => {
      const [group, member] = id.split('.')
      const body = {
        schemas,
        group: { value: group, display: value },
        member: { value: member, type: value },
      }
      return request('body', 'POST', '/GroupMemberships', JSON.stringify(body))
    }),
  membershipPath.map((id) => request('body', 'DELETE', `/GroupMemberships/${id}`)),
)

/** Headers that are lists. */
const conditional = fc
  .tuple(
    target,
    fc.constantFrom('If-Match', 'If-None-Match', 'Prefer', 'Accept', 'X-Request-Id'),
    fc.constantFrom(
      'W/"1"',
      'W/"',
      '"',
      ',',
      ', ',
      ' ',
      'W/"1" ',
      'handling=strict',
      'handling = ',
      ';',
      'a/b;q=0.1,',
    ),
    fc.constantFrom('', ',', '\t', '"'),
    size(MAX_HEADER_CHARACTERS),
    fc.constantFrom('GET', 'PATCH'),
  )
  .map(([path, header, one, joint, length, method]): AmplifiedRequest => {
    const headers = { [header]: `a${`${one}${joint}`.repeat(length)}`.slice(1, length + 1) }
    const body = {
      schemas: [PATCH_OP],
      Operations: [{ op: 'replace', path: 'externalId', value: crypto.randomUUID() }],
    }
    return method === 'GET'
      ? { ...request('query', 'GET', path), headers }
      : { ...request('stored data', 'PATCH', path, JSON.stringify(body)), headers }
  })

const discovery = fc
  .tuple(
    fc.constantFrom('/Schemas', '/ResourceTypes', '/ServiceProviderConfig'),
    fc.constantFrom(...EXTENSION_URNS, USER, 'User', ''),
  )
  .map(([path, id]) => request('query', 'GET', id === '' ? path : `${path}/${encode(id)}`))
const openapi = fc.constant<AmplifiedRequest>({ kind: 'query', method: 'GET', path: '/openapi.json' })

const EVENT_TYPES = ['user.created', 'user.updated', 'group.updated', 'group.member.added', 'nothing']
const events = fc
  .record(
    {
      after: fc.oneof(
        fc.constantFrom('', 'now', '0', 'W/"1"'),
        fc.base64String({ maxLength: 200 }),
        size(12_000).map((length) => 'A'.repeat(length)),
      ),
      limit: fc.constantFrom(1, 100, 500, 501),
      types: fc
        .tuple(fc.array(fc.constantFrom(...EVENT_TYPES), { minLength: 1, maxLength: 4 }), size(1_000))
        .map(([some, most]) => filled(some, most, 12_000, (one) => one.length).join()),
      wait: fc.constant(0),
    },
    { requiredKeys: [] },
  )
  .map((fields): AmplifiedRequest => ({ kind: 'query', method: 'GET', path: `/events?${queryOf(fields)}` }))

const part = fc.oneof(
  fc.constantFrom('', 'e30', 'eyJhbGciOiJSUzI1NiJ9', '"', '%', '%00', '+'),
  size(15_000).map((length) => 'e'.repeat(length)),
)
const tokenRequest = fc
  .tuple(
    fc.record(
      {
        grant_type: fc.constantFrom('client_credentials', 'password', ''),
        client_id: fc.constantFrom(
          'hostile-1_x',
          'hostile-8_00000000000000000000000000000000',
          '',
          '_',
          'x'.repeat(15_000),
        ),
        client_secret: fc.oneof(part, fc.constant(`scims_${'A'.repeat(43)}`)),
        client_assertion: fc.array(part, { maxLength: 5 }).map((parts) => parts.join('.')),
        client_assertion_type: fc.constant('urn:ietf:params:oauth:client-assertion-type:jwt-bearer'),
        scope: fc.oneof(
          fc.constantFrom('scim', 'read', 'provision'),
          size(15_000).map((length) => 'a '.repeat(length / 2)),
        ),
      },
      { requiredKeys: ['grant_type'] },
    ),
    size(4_000),
  )
  .map(
    ([fields, others]): AmplifiedRequest => ({
      kind: 'unauthenticated',
      method: 'POST',
      path: '/oauth/token',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: `${queryOf(fields)}${'&a=%41'.repeat(others)}`.slice(0, 16_384),
    }),
  )

function request(
  kind: AmplifiedRequest['kind'],
  method: string,
  path: string,
  body?: string,
): AmplifiedRequest {
  return {
    kind,
    method,
    path: `/scim/v2${path}`,
    ...(body === undefined ? {} : { body: body.slice(0, MAX_BODY_CHARACTERS) }),
  }
}

/** By kind, as those of amplified.ts. */
export const SURFACE: Readonly<Record<string, Kind>> = {
  'a projected list': listed,
  'a projected search': search,
  'a projected answer': projectedAnswers,
  'values of extensions': extended,
  'PATCH of extensions': extensionPatch,
  'bulk references': bulk,
  'bulk of costly operations': bulkOfOthers,
  memberships,
  'lists in headers': conditional,
  discovery: fc.oneof({ weight: 8, arbitrary: discovery }, { weight: 1, arbitrary: openapi }),
  events,
  'requests for a token': tokenRequest,
}
