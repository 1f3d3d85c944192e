/**
 * Requests designed to cost as much as possible, against stored data that is hostile too (stored.ts). Each was the most
 * expensive known request of its kind when it was added. The bench measures them, and the soak test searches for worse
 * ones.
 */
import { BULK_REQUEST, PATCH_OP, SEARCH_REQUEST } from '../../support/urns.ts'
import { LARGE_BODIES } from './bodies.ts'
import { groupId, type StoredKind, userId } from './stored.ts'

/** The means of an attack. */
export type AttackKind = 'body' | 'members' | 'query' | 'stored data' | 'unauthenticated' | 'log'

export interface HostileRequest {
  readonly kind: AttackKind
  readonly name: string
  readonly tenant: StoredKind
  /** The token that is sent. A forged one has the right form. */
  readonly token: 'provision' | 'read' | 'forged' | 'administrator'
  readonly method: string
  /** Relative to the origin. */
  readonly path: string
  readonly body?: string
  /** Sent before each repetition, and not measured: it restores the state that the request changes. */
  readonly reset?: Pick<HostileRequest, 'method' | 'path' | 'body'>
  /** For a request that can be sent once to each path: the paths after the first one. */
  readonly morePaths?: readonly string[]
  /** The limit for the processor time in milliseconds, if it differs from that of other requests. */
  readonly goalMs?: number
}

const MIB = 1024 * 1024
// Half as much again as the times in SECURITY.md, which were measured on a quiet machine.
/** Each of 20,000 named members takes about 12 µs: a look-up, a membership and its index, and a fiftieth of an event. */
const MEMBERS_GOAL_MS = 350
/** The same, and the name of each member, which is read from its document. */
const MEMBERS_WITH_NAMES_GOAL_MS = 410
/** Each of 20,000 members is read in one thread, and passed to the other: about 7 µs. Leaves room for a busy machine. */
const MEMBERS_IN_TWO_THREADS_GOAL_MS = 250
/** Each of 20,000 entries is on another page of the index by member, and all of these pages are written. */
const SCATTERED_MEMBERS_GOAL_MS = 970
/** An event for each of 10,000 groups. */
const USER_IN_MANY_GROUPS_GOAL_MS = 720
/** Leaves room for the message around the attacking value. */
const BODY_BYTES = MIB - 4096

const patchOf = (operations: readonly object[]) =>
  JSON.stringify({ schemas: [PATCH_OP], Operations: operations })
const times = <T>(count: number, of: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => of(i))
const get = (
  kind: AttackKind,
  tenant: StoredKind,
  name: string,
  parameters: Readonly<Record<string, string>>,
  endpoint = '/Users',
): HostileRequest => ({
  kind,
  name,
  tenant,
  token: 'read',
  method: 'GET',
  path: `/scim/v2${endpoint}?${new URLSearchParams(parameters)}`,
})
const patch = (
  kind: AttackKind,
  tenant: StoredKind,
  name: string,
  operations: readonly object[],
  resource = `/Users/${userId(1)}`,
): HostileRequest => ({
  kind,
  name,
  tenant,
  token: 'provision',
  method: 'PATCH',
  path: `/scim/v2${resource}`,
  body: patchOf(operations),
})
const search = (
  tenant: StoredKind,
  name: string,
  parameters: object,
  endpoint = '/Users',
): HostileRequest => ({
  kind: 'query',
  name,
  tenant,
  token: 'read',
  method: 'POST',
  path: `/scim/v2${endpoint}/.search`,
  body: JSON.stringify({ schemas: [SEARCH_REQUEST], ...parameters }),
})

const anyOf = (count: number, test: (i: number) => string) => times(count, test).join(' or ')

/** The largest body of a shape that is accepted. Shapes reach the requested size only approximately. */
function largest(shape: (typeof LARGE_BODIES)[string]) {
  const made = shape(BODY_BYTES)
  const bytes = Buffer.byteLength(made[2])
  return bytes <= MIB ? made : shape(Math.floor((BODY_BYTES * 0.98 * MIB) / bytes))
}

/** Every body of bodies.ts at the largest size that is accepted. */
const bodies: readonly HostileRequest[] = Object.entries(LARGE_BODIES).map(([name, shape]) => {
  const [method, path, body] = largest(shape)
  const target = `/scim/v2${path.replace('/x', `/${userId(1)}`)}`
  return { kind: 'body', name, tenant: 'an ordinary tenant', token: 'provision', method, path: target, body }
})

/** A bulk request that applies the same change to each of the first users. */
const patchEach = (count: number, operation: object) =>
  JSON.stringify({
    schemas: [BULK_REQUEST],
    Operations: times(count, (i) => ({
      method: 'PATCH',
      path: `/Users/${userId(i + 1)}`,
      data: { schemas: [PATCH_OP], Operations: [operation] },
    })),
  })

function groupPath(number: number): string {
  return `/scim/v2/Groups/${groupId(number)}`
}

const MEMBERS = times(20_000, (i) => ({ value: userId(i + 1) }))
const GROUP_PATH = groupPath(1)
const membersPatch = (op: 'add' | 'remove', value?: unknown, path = GROUP_PATH) => ({
  method: 'PATCH',
  path,
  body: patchOf([{ op, path: 'members', value }]),
})
const membersPut = (value: unknown, query = '?excludedAttributes=members') => ({
  method: 'PUT',
  path: `${GROUP_PATH}${query}`,
  body: JSON.stringify({ displayName: 'all', members: value }),
})
const addAll = membersPatch('add', MEMBERS)
const removeAll = membersPatch('remove')

/** Requests that add or remove as many members as a body can name. */
const members: readonly HostileRequest[] = [
  { name: 'PATCH adds 20,000 members', ...addAll, reset: removeAll },
  { name: 'PATCH removes 20,000 members by id', ...membersPatch('remove', MEMBERS), reset: addAll },
  { name: 'PATCH removes all of 20,000 members', ...removeAll, reset: addAll },
  { name: 'PUT of 20,000 members', ...membersPut(MEMBERS), reset: removeAll },
  { name: 'PUT of no members, of 20,000', ...membersPut([]), reset: addAll },
  {
    name: 'PUT of 20,000 members, returned in the response',
    ...membersPut(MEMBERS, ''),
    reset: removeAll,
    goalMs: MEMBERS_WITH_NAMES_GOAL_MS,
  },
].map((request) => ({
  kind: 'members',
  tenant: 'many users',
  token: 'provision',
  goalMs: MEMBERS_GOAL_MS,
  ...request,
}))

/** Requests that remove memberships of users who are in many groups: the entries of an index are far apart. */
const deletions: readonly HostileRequest[] = [
  {
    name: 'PATCH adds 20,000 members, each in forty groups',
    ...membersPatch('add', MEMBERS, groupPath(13)),
    reset: membersPatch('remove', undefined, groupPath(13)),
    goalMs: SCATTERED_MEMBERS_GOAL_MS,
  },
  {
    name: 'PATCH removes all of 20,000 members, each in forty groups',
    ...membersPatch('remove', undefined, groupPath(13)),
    reset: membersPatch('add', MEMBERS, groupPath(13)),
    goalMs: SCATTERED_MEMBERS_GOAL_MS,
  },
  {
    name: 'DELETE of a user in 10,000 groups',
    method: 'DELETE',
    path: `/scim/v2/Users/${userId(1)}`,
    morePaths: [2, 3].map((number) => `/scim/v2/Users/${userId(number)}`),
    goalMs: USER_IN_MANY_GROUPS_GOAL_MS,
  },
  {
    name: 'DELETE of a group of 100,000 members, each in a dozen groups',
    method: 'DELETE',
    path: groupPath(1),
    morePaths: times(10, (i) => groupPath(i + 2)),
  },
].map((request) => ({ kind: 'members', tenant: 'large groups', token: 'provision', ...request }))

export const HOSTILE_REQUESTS: readonly HostileRequest[] = [
  ...bodies,
  patch(
    'stored data',
    'long values',
    '20 × remove emails[… × 100] from a long value',
    times(20, () => ({ op: 'remove', path: `emails[${anyOf(100, (i) => `value eq "x${i}"`)}]` })),
  ),
  patch(
    'stored data',
    'many elements',
    '1,000 × remove emails by value',
    times(1_000, (i) => ({ op: 'remove', path: 'emails', value: [{ value: `nobody-${i}` }] })),
  ),
  patch(
    'body',
    'an ordinary tenant',
    '10,000 × add a primary e-mail',
    times(10_000, (i) => ({
      op: 'add',
      path: 'emails',
      value: [{ type: `t${i}`, value: `${i}@x.example`, primary: true }],
    })),
  ),
  patch(
    'stored data',
    'many elements',
    '1,000 × replace one of many elements',
    times(1_000, (i) => ({ op: 'replace', path: `emails[type eq "é${i}"].display`, value: `d${i}` })),
  ),
  patch(
    'body',
    'an ordinary tenant',
    '8,000 × add or remove a member',
    times(8_000, (i) => ({
      op: i % 2 ? 'add' : 'remove',
      path: 'members',
      value: [{ value: userId(1 + (i % 200)) }],
    })),
    `/Groups/${groupId(1)}`,
  ),
  ...members,
  patch(
    'body',
    'an ordinary tenant',
    '300 × remove members[… × 100]',
    times(300, (k) => ({ op: 'remove', path: `members[${anyOf(100, (i) => `display co "${k}x${i}"`)}]` })),
    `/Groups/${groupId(1)}`,
  ),
  patch(
    'body',
    'an ordinary tenant',
    'PATCH of a user with 1 MiB of value eq comparisons',
    times(500, (k) => ({ op: 'remove', path: `emails[${anyOf(100, (i) => `value eq "${k}x${i}"`)}]` })),
  ),
  patch('body', 'an ordinary tenant', 'disables a user, with 22,000 refused operations', [
    { op: 'replace', path: 'active', value: false },
    ...times(22_000, () => ({ op: 'remove', path: 'id' })),
  ]),
  patch(
    'body',
    'an ordinary tenant',
    '22,000 × a path that cannot be parsed',
    times(22_000, () => ({ op: 'add', path: 'emails[]', value: '0a' })),
  ),
  patch(
    'body',
    'an ordinary tenant',
    '1,600 × a value that only begins like JSON',
    times(1_600, () => ({ op: 'add', path: 'emails', value: ['{"value":"x",'] })),
  ),
  patch(
    'body',
    'an ordinary tenant',
    'a path with an unknown attribute, and a value of combining marks',
    times(2, () => ({
      op: 'add',
      path: 'toString[urn:x:y pr]',
      value: '\u0301\u0316'.repeat(BODY_BYTES / 8),
    })),
  ),
  patch(
    'stored data',
    'one wide extension',
    '12,000 × a value of an extension with many attributes',
    times(12_000, () => ({ op: 'replace', path: 'urn:quillfern:wide:2.0:User:text10', value: 'a' })),
  ),
  patch(
    'stored data',
    'many extensions',
    '10,000 × a key that begins like the URN of a schema',
    times(10_000, (i) => ({ op: 'replace', value: { [`urn:x:${i}`]: 1 } })),
  ),
  {
    ...patch(
      'stored data',
      'one wide extension',
      'a small change of a user of long values that fold slowly',
      [{ op: 'replace', path: 'nickName', value: 'new' }],
      `/Users/${userId(2)}`,
    ),
    reset: {
      method: 'PATCH',
      path: `/scim/v2/Users/${userId(2)}`,
      body: patchOf([{ op: 'remove', path: 'nickName' }]),
    },
  },
  patch('body', 'an ordinary tenant', 'a role of many members as JSON text', [
    { op: 'add', path: 'roles', value: `{"value":"x",${times(80_000, (i) => `"${i}":1`).join()}}` },
  ]),
  patch('body', 'an ordinary tenant', 'a value of combining marks', [
    { op: 'replace', path: 'title', value: '\u0301\u0316'.repeat(BODY_BYTES / 4) },
  ]),
  patch('body', 'an ordinary tenant', 'a value that folds slowly', [
    { op: 'replace', path: 'title', value: 'ΐ'.repeat(BODY_BYTES / 2) },
  ]),
  {
    kind: 'body',
    name: 'bulk of 100 operations that refer to each other',
    tenant: 'an ordinary tenant',
    token: 'provision',
    method: 'POST',
    path: '/scim/v2/Bulk',
    body: JSON.stringify({
      schemas: [BULK_REQUEST],
      Operations: times(100, (i) => ({
        method: 'POST',
        path: '/Groups',
        bulkId: `b${i}`,
        data: { displayName: 'taken', members: times(180, (k) => ({ value: `bulkId:b${(i + k) % 100}` })) },
      })),
    }),
  },
  {
    kind: 'body',
    name: 'bulk of deep JSON',
    tenant: 'an ordinary tenant',
    token: 'provision',
    method: 'POST',
    path: '/scim/v2/Bulk',
    body: `{"schemas":["${BULK_REQUEST}"],"Operations":[{"method":"POST","path":"/Users","bulkId":"a","data":${'['.repeat(500_000)}${']'.repeat(500_000)}}]}`,
  },
  search('long values', '120,000 attributes and excludedAttributes', {
    attributes: times(60_000, () => 'title'),
    excludedAttributes: times(60_000, () => 'emails'),
  }),
  search('an ordinary tenant', '60,000 attributes and excludedAttributes of 200 users', {
    count: 1_000,
    attributes: times(30_000, (i) => (i % 2 ? 'emails.value' : 'name.givenName')),
    excludedAttributes: times(30_000, (i) => (i % 2 ? 'emails.type' : 'name.formatted')),
  }),
  search('long values', 'co with a pattern of 60,000 characters', {
    filter: `title co "${'a'.repeat(60_000)}b"`,
  }),
  search('long values', 'co × 100 against long values', {
    filter: anyOf(100, (i) => `title co "${'a'.repeat(500)}b${i}"`),
  }),
  get('query', 'nested groups', 'groups.display sw', { count: '1', filter: 'groups.display sw "g"' }),
  get('query', 'nested groups', 'groups.type eq "indirect"', {
    count: '1',
    filter: 'groups.type eq "indirect"',
  }),
  get('query', 'nested groups', '100 × groups[type, display]', {
    count: '1',
    filter: anyOf(50, (i) => `groups[type eq "indirect" and display co "${i}"]`),
  }),
  get('query', 'nested groups', 'a page of users with groups', { count: '1000' }),
  get('query', 'nested groups', 'members.display co', { filter: 'members.display co "zz"' }, '/Groups'),
  get('query', 'many users', '100 × emails.value co', {
    count: '1',
    filter: anyOf(100, (i) => `emails.value co "nobody${i}"`),
  }),
  get('query', 'many users', 'one comparison without an index', { count: '1', filter: 'title eq "nobody"' }),
  get('query', 'many users', 'sortBy without an index', { count: '1', sortBy: 'name.familyName' }),
  get('query', 'many users', 'an index range that matches every user', {
    count: '1',
    filter: 'userName sw "p"',
  }),
  get('query', 'many users', 'the last page', { startIndex: '50000', count: '1000' }),
  {
    ...get('query', 'large groups', 'a group of 20,000 members', {}, groupPath(13).slice('/scim/v2'.length)),
    goalMs: MEMBERS_IN_TWO_THREADS_GOAL_MS,
  },
  get('query', 'large groups', '1,000 memberships', { count: '1000', cursor: '' }, '/GroupMemberships'),
  get(
    'query',
    'large groups',
    'the last page of memberships',
    { startIndex: '1892000', count: '1000' },
    '/GroupMemberships',
  ),
  get('query', 'many users', 'pr', { count: '1000', filter: 'userName pr' }),
  get('query', 'long values', 'sortBy a long value by cursor', { sortBy: 'title', cursor: '', count: '1' }),
  {
    kind: 'stored data',
    name: 'bulk of 100 × PATCH of the largest users',
    tenant: 'large users',
    token: 'provision',
    method: 'POST',
    path: '/scim/v2/Bulk',
    body: patchEach(100, { op: 'replace', path: 'nickName', value: 'new' }),
    reset: {
      method: 'POST',
      path: '/scim/v2/Bulk',
      body: patchEach(100, { op: 'remove', path: 'nickName' }),
    },
  },
  get('query', 'large users', 'a page of large users', { count: '1000' }),
  get('query', 'large users', 'a filter over large users', { count: '1', filter: 'title co "y"' }),
  {
    kind: 'unauthenticated',
    name: 'a forged token with a body of 920 KB',
    tenant: 'an ordinary tenant',
    token: 'forged',
    method: 'POST',
    path: '/scim/v2/Users',
    body: JSON.stringify({ userName: 'x', emails: times(30_000, (i) => ({ value: `${i}@x.example` })) }),
  },
  {
    kind: 'unauthenticated',
    name: 'a forged token with a group of 920 KB',
    tenant: 'an ordinary tenant',
    token: 'forged',
    method: 'POST',
    path: '/scim/v2/Groups',
    body: JSON.stringify({ displayName: 'x', members: times(18_000, () => ({ value: userId(1) })) }),
  },
  {
    kind: 'log',
    name: 'a userName of 1,000,000 characters by a read token',
    tenant: 'a long log',
    token: 'read',
    method: 'POST',
    path: '/scim/v2/Users',
    body: JSON.stringify({ userName: 'x'.repeat(1_000_000) }),
  },
  {
    kind: 'log',
    name: 'the admin API searches a log of 300,000 entries without a match',
    tenant: 'a long log',
    token: 'administrator',
    method: 'GET',
    path: '/admin/api/tenants/hostile-7/log?q=nobody&outcome=accepted',
  },
  // At the end: the server goes on deleting after it has answered.
  ...deletions,
]
