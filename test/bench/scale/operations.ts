/**
 * Every operation as a request at a given size of the directory or of a group. Operations that must grow state the
 * reason, for example that they read or delete every membership.
 */
import {
  addMembersRequest,
  createRequest,
  deleteRequest,
  matchRequest,
  pageRequest,
  probeRequest,
  readRequest,
  removeMembersRequest,
  updateRequest,
} from '../../../src/entra/protocol/requests.ts'
import { MAX_LOADED_MEMBERS } from '../../../src/scim/limits.ts'
import { GROUP, groupId, USER, userId, userName } from '../directory.ts'
import type { Exchange } from '../load/client.ts'
import { type Request, type ScimExchange, scimExchange } from '../load/scim.ts'

export interface Operation<Size> {
  readonly name: string
  readonly next: (at: Size, repetition: number, previous: string) => Exchange
  /** The reason why rows grow in proportion to the size. */
  readonly grows?: string
  /** The operation can be done only once; others are repeated. */
  readonly isOnce?: boolean
  /** The time is compared as well. */
  readonly isTimed?: boolean
}

/** A directory of a given size. */
export interface Users {
  readonly size: number
  readonly send: ScimExchange
}

/** A group of a given size; the next two groups can be replaced and deleted. */
export interface Group {
  readonly size: number
  readonly send: ScimExchange
  /** The number of users that can be members. */
  readonly among: number
  /** The number of the group. The next two groups are replaced and deleted. */
  readonly number: number
}

const PAGE = 100
const HUNDRED = 100
/** A token with a valid length that does not exist. */
const BAD_TOKEN = `scim_default_${'x'.repeat(43)}`
const SEARCH = 'urn:ietf:params:scim:api:messages:2.0:SearchRequest'
const BULK = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest'

/** A user of the last third, a different one each time. */
function someone(size: number, repetition: number): number {
  return Math.ceil(size * 0.7) + (repetition % Math.floor(size * 0.2))
}

function filtered(path: string, filter: string, more = ''): Request {
  return { method: 'GET', path: `${path}?filter=${encodeURIComponent(filter)}${more}` }
}

function one(number: number): readonly string[] {
  return ['"totalResults":1', `"id":"${userId(number)}"`]
}

function newUser(name: string): object {
  return { schemas: [USER], userName: userName(name), externalId: name, displayName: name, active: true }
}

function rename(send: ScimExchange, number: number, displayName: string): Exchange {
  const changes = [{ op: 'replace', path: 'displayName', value: displayName }] as const
  return send(updateRequest('User', userId(number), changes, 'old'), 200, `"displayName":"${displayName}"`)
}

function filterUser(name: string, filter: (number: number) => string): Operation<Users> {
  return {
    name: `filter users: ${name}`,
    next: ({ size, send }, i) => {
      const number = someone(size, i)
      return send(filtered('/Users', filter(number)), 200, ...one(number))
    },
  }
}

function page(name: string, startIndex: (size: number) => number, grows?: string): Operation<Users> {
  return {
    name: `list 100 users: ${name}`,
    next: ({ size, send }) => {
      const start = startIndex(size)
      return send(pageRequest('User', start, PAGE), 200, `"userName":"${userName(start)}"`)
    },
    ...(grows === undefined ? {} : { grows }),
  }
}

/** The maximum number of users examined for a filter or an order without an index; a longer list is rejected. */
const MOST_LOOKED_AT = 38_000

function looksAtAll(
  size: number,
  ...found: readonly string[]
): readonly [status: number, ...found: string[]] {
  return size > MOST_LOOKED_AT ? [400, '"scimType":"tooMany"'] : [200, ...found]
}

export const USER_OPERATIONS: readonly Operation<Users>[] = [
  {
    name: 'refuse a bad token',
    next: ({ size }, i) => scimExchange(BAD_TOKEN)(readRequest('User', userId(someone(size, i))), 401),
  },
  {
    name: 'test the connection',
    next: ({ send }, i) => send(probeRequest('User', 'userName', `probe-${i}`), 200, '"totalResults":0'),
  },
  {
    name: 'get a user',
    isTimed: true,
    next: ({ size, send }, i) => {
      const number = someone(size, i)
      return send(readRequest('User', userId(number)), 200, `"userName":"${userName(number)}"`)
    },
  },
  {
    name: 'get a user without groups',
    next: ({ size, send }, i) => {
      const number = someone(size, i)
      const path = `/Users/${userId(number)}?excludedAttributes=groups`
      return send({ method: 'GET', path }, 200, `"userName":"${userName(number)}"`)
    },
  },
  { ...filterUser('userName eq', (number) => `userName eq "${userName(number)}"`), isTimed: true },
  filterUser('externalId eq', (number) => `externalId eq "person-${number}"`),
  filterUser('displayName eq', (number) => `displayName eq "Given person-${number}"`),
  filterUser('id eq', (number) => `id eq "${userId(number)}"`),
  filterUser('userName eq and active eq', (number) => `userName eq "${userName(number)}" and active eq true`),
  {
    name: 'filter users: meta.lastModified gt, none newer',
    next: ({ send }) =>
      send(filtered('/Users', 'meta.lastModified gt "2100-01-01T00:00:00Z"'), 200, '"totalResults":0'),
  },
  filterUser('emails.value eq', (number) => `emails.value eq "${userName(number)}"`),
  filterUser(
    'emails[type eq and value eq]',
    (number) => `emails[type eq "work" and value eq "${userName(number)}"]`,
  ),
  filterUser('name.familyName eq', (number) => `name.familyName eq "person-${number}"`),
  {
    name: 'filter users: displayName co, 1 found',
    grows: 'no index finds the middle of a text: every user is examined, up to about 38,000',
    next: ({ size, send }) =>
      send(filtered('/Users', `displayName co "on-${size}"`), ...looksAtAll(size, '"totalResults":1')),
  },
  {
    name: 'search users: userName eq',
    next: ({ size, send }, i) => {
      const number = someone(size, i)
      const body = { schemas: [SEARCH], filter: `userName eq "${userName(number)}"` }
      return send({ method: 'POST', path: '/Users/.search', body }, 200, ...one(number))
    },
  },
  {
    name: 'search users and groups: displayName eq',
    next: ({ size, send }, i) => {
      const number = someone(size, i)
      const body = { schemas: [SEARCH], filter: `displayName eq "Given person-${number}"` }
      return send({ method: 'POST', path: '/.search', body }, 200, ...one(number))
    },
  },
  page('first page', () => 1),
  page(
    'middle page',
    (size) => Math.floor(size / 2) + 1,
    'OFFSET reads the previous rows; a cursor does not',
  ),
  page('last page', (size) => size - PAGE + 1, 'OFFSET reads the previous rows; a cursor does not'),
  {
    name: 'list 100 users: by cursor, page after page',
    next: ({ send }, _, previous) => {
      const cursor = /"nextCursor":"([^"]+)"/.exec(previous)?.[1] ?? ''
      return send({ method: 'GET', path: `/Users?cursor=${cursor}&count=${PAGE}` }, 200, '"itemsPerPage":100')
    },
  },
  {
    name: 'list 100 users: sorted by userName',
    next: ({ send }) =>
      send({ method: 'GET', path: `/Users?sortBy=userName&count=${PAGE}` }, 200, '"itemsPerPage":100'),
  },
  {
    name: 'list 100 users: sorted by name.familyName',
    grows: 'no index has this order: every user is examined, up to about 38,000',
    next: ({ size, send }) =>
      send(
        { method: 'GET', path: `/Users?sortBy=name.familyName&count=${PAGE}` },
        ...looksAtAll(size, '"itemsPerPage":100'),
      ),
  },
  {
    name: 'create a user',
    isTimed: true,
    next: ({ send }, i) => {
      const values = new Map<string, string | boolean>([
        ['userName', userName(`new-${i}`)],
        ['externalId', `new-${i}`],
        ['active', true],
        ['displayName', `New ${i}`],
        ['name.givenName', 'New'],
        ['name.familyName', String(i)],
      ])
      return send(createRequest('User', values), 201, `"userName":"${userName(`new-${i}`)}"`)
    },
  },
  {
    name: 'create a user that exists: rejected',
    next: ({ size, send }, i) => {
      const body = newUser(`${someone(size, i)}`)
      return send({ method: 'POST', path: '/Users', body }, 409, '"scimType":"uniqueness"')
    },
  },
  {
    name: 'replace a user',
    next: ({ size, send }, i) => {
      const number = someone(size, i)
      const path = `/Users/${userId(number)}`
      const body = { ...newUser(`${number}`), title: `Title ${i}` }
      return send({ method: 'PUT', path, body }, 200, `"title":"Title ${i}"`)
    },
  },
  {
    name: 'patch a user that was read before',
    isTimed: true,
    next: ({ size, send }, i) => rename(send, someone(size, i), `Name ${i}`),
  },
  {
    name: 'patch a user not seen before',
    isTimed: true,
    next: ({ send }, i) => rename(send, 300 + i, `Name ${i}`),
  },
  {
    name: 'disable a user',
    next: ({ size, send }, i) => {
      const changes = [{ op: 'replace', path: 'active', value: false }] as const
      return send(updateRequest('User', userId(someone(size, i)), changes, 'old'), 200, '"active":false')
    },
  },
  {
    name: 'create 10 users in bulk',
    next: ({ send }, i) => {
      const Operations = Array.from({ length: 10 }, (_, j) => ({
        method: 'POST',
        path: '/Users',
        bulkId: `b${j}`,
        data: newUser(`bulk-${i}-${j}`),
      }))
      return send(
        { method: 'POST', path: '/Bulk', body: { schemas: [BULK], Operations } },
        200,
        '"bulkId":"b9"',
      )
    },
  },
  {
    name: 'delete a user in 1 group',
    next: ({ size, send }, i) => send(deleteRequest('User', userId(size - i)), 204),
  },
  {
    name: 'create a group without members',
    next: ({ send }, i) => {
      const values = new Map([['displayName', `new-group-${i}`]])
      return send(createRequest('Group', values), 201, `"displayName":"new-group-${i}"`)
    },
  },
  {
    name: 'create a group with 100 members',
    next: ({ send }, i) => {
      const members = Array.from({ length: HUNDRED }, (_, j) => ({ value: userId(1 + j) }))
      const body = { schemas: [GROUP], displayName: `full-group-${i}`, members }
      return send({ method: 'POST', path: '/Groups', body }, 201, `"displayName":"full-group-${i}"`)
    },
  },
]

/** Users without a group, counted from 0. */
function newcomer({ among }: Group, number: number): string {
  return userId(among + 1 + number)
}

/** Larger groups are not read completely. */
function loadsAll(size: number, found: string): readonly [status: number, found: string] {
  return size > MAX_LOADED_MEMBERS ? [400, '"scimType":"tooMany"'] : [200, found]
}

const MEMBERS = 'all memberships of the group are read'
const CLEARED = 'all memberships of the group are deleted'

export const GROUP_OPERATIONS: readonly Operation<Group>[] = [
  {
    name: 'match a group',
    next: ({ send, number }) =>
      send(matchRequest('Group', 'displayName', `group-${number}`), 200, `"id":"${groupId(number)}"`),
  },
  {
    name: 'get a group without members',
    isTimed: true,
    next: ({ send, number }) =>
      send(readRequest('Group', groupId(number)), 200, `"displayName":"group-${number}"`),
  },
  {
    name: 'get a group with members',
    grows: MEMBERS,
    isOnce: true,
    next: ({ send, size, number }) =>
      send(
        { method: 'GET', path: `/Groups/${groupId(number)}` },
        ...loadsAll(size, `"displayName":"group-${number}"`),
      ),
  },
  {
    name: 'list groups without members',
    next: ({ send, number }) =>
      send({ method: 'GET', path: '/Groups?excludedAttributes=members' }, 200, `"id":"${groupId(number)}"`),
  },
  {
    name: 'add one member',
    isTimed: true,
    next: (group, i) =>
      group.send(addMembersRequest(groupId(group.number), [newcomer(group, i)], 'old'), 204),
  },
  {
    name: 'add an existing member',
    next: (group, i) =>
      group.send(addMembersRequest(groupId(group.number), [newcomer(group, i)], 'old'), 204),
  },
  {
    name: 'add 100 members',
    next: (group, i) => {
      const members = Array.from({ length: HUNDRED }, (_, j) => newcomer(group, 1_000 + i * HUNDRED + j))
      return group.send(addMembersRequest(groupId(group.number), members, 'old'), 204)
    },
  },
  {
    name: 'remove one member',
    isTimed: true,
    next: (group, i) =>
      group.send(removeMembersRequest(groupId(group.number), [newcomer(group, i)], 'old'), 204),
  },
  {
    name: 'remove 100 members',
    next: (group, i) => {
      const members = Array.from({ length: HUNDRED }, (_, j) => newcomer(group, 1_000 + i * HUNDRED + j))
      return group.send(removeMembersRequest(groupId(group.number), members, 'old'), 204)
    },
  },
  {
    name: 'list 5 memberships of a group: by cursor, page after page',
    next: ({ send, number }, _, previous) => {
      const cursor = /"nextCursor":"([^"]+)"/.exec(previous)?.[1] ?? ''
      const more = `&count=5&cursor=${cursor}`
      return send(
        filtered('/GroupMemberships', `group.value eq "${groupId(number)}"`, more),
        200,
        '"itemsPerPage":5',
      )
    },
  },
  {
    name: 'list the memberships of a user',
    next: ({ send }, i) =>
      send(
        filtered('/GroupMemberships', `member.value eq "${userId(1 + i)}"`, '&count=1'),
        200,
        '"itemsPerPage":1',
      ),
  },
  {
    name: 'add one member as a membership',
    next: (group, i) => {
      const body = { group: { value: groupId(group.number) }, member: { value: newcomer(group, i) } }
      return group.send({ method: 'POST', path: '/GroupMemberships', body }, 201, newcomer(group, i))
    },
  },
  {
    name: 'remove one membership',
    next: (group, i) => {
      const path = `/GroupMemberships/${groupId(group.number)}.${newcomer(group, i)}`
      return group.send({ method: 'DELETE', path }, 204)
    },
  },
  {
    name: 'rename a group',
    isTimed: true,
    next: ({ send, number }, i) => {
      const changes = [{ op: 'replace', path: 'displayName', value: `renamed-${number}-${i}` }] as const
      return send(updateRequest('Group', groupId(number), changes, 'old'), 204)
    },
  },
  {
    name: 'replace a group by one with 10 members',
    grows: CLEARED,
    isOnce: true,
    next: ({ send, size, number }) => {
      const members = Array.from({ length: 10 }, (_, j) => ({ value: userId(1 + j) }))
      const body = { schemas: [GROUP], displayName: `replaced-${number}`, members }
      return send(
        { method: 'PUT', path: `/Groups/${groupId(number + 1)}`, body },
        ...loadsAll(size, '"displayName":"replaced-'),
      )
    },
  },
  {
    name: 'delete a group',
    grows: CLEARED,
    isOnce: true,
    next: ({ send, number }) => send(deleteRequest('Group', groupId(number + 2)), 204),
  },
]
