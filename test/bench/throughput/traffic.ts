/**
 * The requests of Entra's provisioning service, built by the emulator's functions, each with its expected response.
 * Each server has its own object, because writes are not repeated: each of them creates a new resource or deletes an
 * existing one.
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
import { type Directory, type DirectorySize, groupId, USER, userId, userName } from '../directory.ts'
import { type Exchange, exchangeOnce, isRight } from '../load/client.ts'
import { type ScimExchange, scimExchange } from '../load/scim.ts'

/** Users that are read and changed, each in one group. */
export const READERS = 5_000
/** The next users are members of many groups and are added and removed. */
const MEMBERS = 5_000
const FIRST_MEMBER = READERS + 1
/** The next users are deleted. */
const LEAVING = 20_000
const PAGE = 100
const HUNDRED = 100
/** The number of users that are read before they are changed. */
const READ_BEFORE = 100
/** Groups by operation, in this order from number 1. */
const FOR_ADDING = 60
const FOR_ADDING_HUNDREDS = 60
const FOR_REMOVING = 10
const FOR_DELETING = 3_000
const FIRST_FOR_HUNDREDS = FOR_ADDING + 1
const FIRST_FOR_REMOVING = FIRST_FOR_HUNDREDS + FOR_ADDING_HUNDREDS
const OF_READERS = FIRST_FOR_REMOVING + FOR_REMOVING
const FIRST_FOR_DELETING = OF_READERS + 1
/** The number of written resources of a kind that are read back. */
const READ_BACK = 20

export const TRAFFIC_DIRECTORY: DirectorySize = {
  users: READERS + MEMBERS + LEAVING,
  groups: [
    ...Array.from({ length: FOR_ADDING + FOR_ADDING_HUNDREDS }, () => ({ members: 0 })),
    ...Array.from({ length: FOR_REMOVING }, () => ({ members: MEMBERS, from: FIRST_MEMBER })),
    { members: READERS },
    ...Array.from({ length: FOR_DELETING }, () => ({ members: 0 })),
  ],
}

export class Traffic {
  readonly #send: ScimExchange
  /** The number of requests of each kind. */
  readonly #made = new Map<string, number>()

  constructor({ token }: Directory) {
    this.#send = scimExchange(token)
  }

  testConnection(): Exchange {
    const number = this.#next('test')
    return this.#send(probeRequest('User', 'userName', `probe-${number}`), 200, '"totalResults":0')
  }

  matchUser(): Exchange {
    const number = this.#user('match')
    return this.#send(matchRequest('User', 'userName', userName(number)), 200, ...oneUser(number))
  }

  filterByExternalId(): Exchange {
    const number = this.#user('external id')
    return this.#send(matchRequest('User', 'externalId', `person-${number}`), 200, ...oneUser(number))
  }

  readUser(): Exchange {
    const number = this.#user('read')
    return this.#send(readRequest('User', userId(number)), 200, `"userName":"${userName(number)}"`)
  }

  readUserInManyGroups(): Exchange {
    const number = FIRST_MEMBER + (this.#next('read many') % MEMBERS)
    return this.#send(
      readRequest('User', userId(number)),
      200,
      `"userName":"${userName(number)}"`,
      '"groups":',
    )
  }

  createUser(): Exchange {
    const name = `new-${this.#next('create')}`
    const values = new Map<string, string | boolean>([
      ['userName', userName(name)],
      ['externalId', name],
      ['active', true],
      ['displayName', `Given ${name}`],
      ['name.givenName', 'Given'],
      ['name.familyName', name],
      ['name.formatted', `Given ${name}`],
    ])
    return this.#send(createRequest('User', values), 201, `"userName":"${userName(name)}"`, '"id":"')
  }

  /** The reads before patchReadUser. */
  readUsersToPatch(): readonly Exchange[] {
    return Array.from({ length: READ_BEFORE }, (_, i) => this.#send(readRequest('User', userId(1 + i)), 200))
  }

  patchReadUser(): Exchange {
    return this.#patch(1 + (this.#next('patch read') % READ_BEFORE))
  }

  patchUser(): Exchange {
    return this.#patch(1 + READ_BEFORE + (this.#next('patch unread') % (READERS - READ_BEFORE)))
  }

  #patch(number: number): Exchange {
    const value = `Name ${this.#next('patch')}`
    const changes = [{ op: 'replace', path: 'displayName', value }] as const
    return this.#send(updateRequest('User', userId(number), changes, 'old'), 200, `"displayName":"${value}"`)
  }

  replaceUser(): Exchange {
    const number = this.#user('replace')
    const displayName = `Replaced ${this.#made.get('replace')}`
    const body = { schemas: [USER], userName: userName(number), externalId: `person-${number}`, displayName }
    const request = { method: 'PUT', path: `/Users/${userId(number)}`, body }
    return this.#send(request, 200, `"displayName":"${displayName}"`)
  }

  deleteUser(): Exchange {
    const number = this.#next('delete')
    requireLeft('users to delete', number + 1, LEAVING)
    return this.#send(deleteRequest('User', userId(FIRST_MEMBER + MEMBERS + number)), 204)
  }

  listUsers(): Exchange {
    const page = this.#next('list') % (READERS / PAGE)
    const startIndex = 1 + page * PAGE
    return this.#send(
      pageRequest('User', startIndex, PAGE),
      200,
      `"startIndex":${startIndex}`,
      `"userName":"${userName(startIndex)}"`,
    )
  }

  matchGroup(): Exchange {
    const group = 1 + (this.#next('match group') % FOR_ADDING)
    return this.#send(matchRequest('Group', 'displayName', `group-${group}`), 200, `"id":"${groupId(group)}"`)
  }

  readGroup(): Exchange {
    const group = 1 + (this.#next('read group') % OF_READERS)
    return this.#send(readRequest('Group', groupId(group)), 200, `"displayName":"group-${group}"`)
  }

  createGroup(): Exchange {
    const name = `new-group-${this.#next('create group')}`
    const values = new Map([
      ['displayName', name],
      ['externalId', name],
    ])
    return this.#send(createRequest('Group', values), 201, `"displayName":"${name}"`)
  }

  addMember(): Exchange {
    const number = this.#next('add')
    const group = 1 + Math.floor(number / MEMBERS)
    requireLeft('groups to add a member to', group, FOR_ADDING)
    const member = userId(FIRST_MEMBER + (number % MEMBERS))
    return this.#send(addMembersRequest(groupId(group), [member], 'old'), 204)
  }

  addHundred(): Exchange {
    const number = this.#next('add hundred')
    const inOneGroup = MEMBERS / HUNDRED
    const group = FIRST_FOR_HUNDREDS + Math.floor(number / inOneGroup)
    requireLeft('groups to add 100 members to', group, FIRST_FOR_REMOVING - 1)
    const first = FIRST_MEMBER + (number % inOneGroup) * HUNDRED
    const members = Array.from({ length: HUNDRED }, (_, i) => userId(first + i))
    return this.#send(addMembersRequest(groupId(group), members, 'old'), 204)
  }

  removeMember(): Exchange {
    const number = this.#next('remove')
    const group = FIRST_FOR_REMOVING + Math.floor(number / MEMBERS)
    requireLeft('groups to remove a member from', group, OF_READERS - 1)
    const member = userId(FIRST_MEMBER + (number % MEMBERS))
    return this.#send(removeMembersRequest(groupId(group), [member], 'old'), 204)
  }

  deleteGroup(): Exchange {
    const number = this.#next('delete group')
    requireLeft('groups to delete', number + 1, FOR_DELETING)
    return this.#send(deleteRequest('Group', groupId(FIRST_FOR_DELETING + number)), 204)
  }

  /**
   * Reads the written resources, because a successful response does not prove that the write is stored.
   *
   * @returns the differences
   */
  async readBack(port: number): Promise<readonly string[]> {
    const wrong: string[] = []
    const requireAnswer = async (what: string, exchange: Exchange) => {
      const answer = await exchangeOnce(port, exchange.request)
      if (isRight(answer, exchange)) return
      wrong.push(`${what}: ${exchange.request.split('\r\n')[0]} -> ${answer.slice(0, 300)}`)
    }
    for (const number of this.#last('create')) {
      const match = matchRequest('User', 'userName', userName(`new-${number}`))
      await requireAnswer('a created user', this.#send(match, 200, '"totalResults":1'))
    }
    for (const number of this.#last('delete')) {
      const id = userId(FIRST_MEMBER + MEMBERS + number)
      await requireAnswer('a deleted user', this.#send(readRequest('User', id), 404))
    }
    for (const number of this.#last('create group')) {
      const match = matchRequest('Group', 'displayName', `new-group-${number}`)
      await requireAnswer('a created group', this.#send(match, 200, '"totalResults":1'))
    }
    for (const [group, members] of this.#memberCounts()) {
      const { request } = this.#send({ method: 'GET', path: `/Groups/${groupId(group)}` }, 200)
      const found = (await exchangeOnce(port, request)).split('"$ref":').length - 1
      if (found !== members) wrong.push(`group ${group} has ${found} members, expected ${members}`)
    }
    return wrong
  }

  /** The expected number of members of each changed group. */
  *#memberCounts(): Generator<[group: number, members: number]> {
    const groupsOf = function* (first: number, count: number, inOne: number) {
      for (let left = count, group = first; left > 0; left -= inOne, group++)
        yield [group, Math.min(left, inOne)] as [number, number]
    }
    const made = (kind: string) => this.#made.get(kind) ?? 0
    yield* groupsOf(1, made('add'), MEMBERS)
    yield* groupsOf(FIRST_FOR_HUNDREDS, made('add hundred') * HUNDRED, MEMBERS)
    for (const [group, removed] of groupsOf(FIRST_FOR_REMOVING, made('remove'), MEMBERS))
      yield [group, MEMBERS - removed]
  }

  /** The numbers of the most recent requests of a kind. */
  #last(kind: string): readonly number[] {
    const made = this.#made.get(kind) ?? 0
    return Array.from({ length: Math.min(made, READ_BACK) }, (_, i) => made - 1 - i)
  }

  /** Counts from 0. */
  #next(kind: string): number {
    const number = this.#made.get(kind) ?? 0
    this.#made.set(kind, number + 1)
    return number
  }

  /** Another user that is not deleted, in an order that follows no index. */
  #user(kind: string): number {
    return 1 + ((this.#next(kind) * 7_919) % READERS)
  }
}

function oneUser(number: number): readonly string[] {
  return ['"totalResults":1', `"id":"${userId(number)}"`]
}

/** A write without a change is cheaper and would distort the result. */
function requireLeft(what: string, number: number, last: number): void {
  if (number > last) throw new Error(`there are no ${what} left: fewer --rounds or --seconds`)
}
