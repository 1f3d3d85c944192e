/**
 * The traffic of Entra's provisioning service as single requests, made by the emulator's own functions, each with
 * what its answer must hold. One object for each server, because writes are never repeated: each adds somebody
 * who is not there yet, and deletes somebody who is.
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
} from '../../../src/entra/requests.ts'
import {
  type Directory,
  type DirectorySize,
  groupId,
  memberNumber,
  USER,
  userId,
  userName,
} from '../directory.ts'
import { type Exchange, exchangeOnce, isRight } from '../load/client.ts'
import { type ScimExchange, scimExchange } from '../load/scim.ts'

/** Users that stay; those above leave. */
export const STAYING = 10_000
const LEAVING = 20_000
const PAGE = 100
const HUNDRED = 100
/** Groups by what is done to them, in this order from number 1. */
const FOR_ADDING = 40
const FOR_ADDING_HUNDREDS = 20
const FOR_REMOVING = 10
const FOR_DELETING = 3_000
const GROUPS = FOR_ADDING + FOR_ADDING_HUNDREDS + FOR_REMOVING + FOR_DELETING
/** How many written resources of a kind are read back. */
const READ_BACK = 20

export const TRAFFIC_DIRECTORY: DirectorySize = {
  users: STAYING + LEAVING,
  members: STAYING,
  groups: Array.from({ length: GROUPS }, (_, i) =>
    i >= FOR_ADDING + FOR_ADDING_HUNDREDS && i < GROUPS - FOR_DELETING ? STAYING : 0,
  ),
}

export class Traffic {
  readonly #send: ScimExchange
  readonly #size: DirectorySize
  /** How often each kind of request was made. */
  readonly #made = new Map<string, number>()

  constructor({ token, size }: Directory) {
    this.#send = scimExchange(token)
    this.#size = size
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
    return this.#send(createRequest('User', values, 'old'), 201, `"userName":"${userName(name)}"`, '"id":"')
  }

  patchUser(): Exchange {
    const number = this.#user('patch')
    const value = `Name ${this.#made.get('patch')}`
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
    return this.#send(deleteRequest('User', userId(this.#leaver('delete'))), 204)
  }

  listUsers(): Exchange {
    const page = this.#next('list') % (STAYING / PAGE)
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
    const group = 1 + (this.#next('read group') % (GROUPS - FOR_DELETING))
    return this.#send(readRequest('Group', groupId(group)), 200, `"displayName":"group-${group}"`)
  }

  createGroup(): Exchange {
    const name = `new-group-${this.#next('create group')}`
    const values = new Map([
      ['displayName', name],
      ['externalId', name],
    ])
    return this.#send(createRequest('Group', values, 'flag'), 201, `"displayName":"${name}"`)
  }

  addMember(): Exchange {
    const number = this.#next('add')
    const group = 1 + Math.floor(number / STAYING)
    requireLeft('groups to add a member to', group, FOR_ADDING)
    return this.#send(addMembersRequest(groupId(group), [userId(1 + (number % STAYING))], 'old'), 204)
  }

  addHundred(): Exchange {
    const number = this.#next('add hundred')
    const inOneGroup = STAYING / HUNDRED
    const group = FOR_ADDING + 1 + Math.floor(number / inOneGroup)
    requireLeft('groups to add 100 members to', group, FOR_ADDING + FOR_ADDING_HUNDREDS)
    const first = 1 + (number % inOneGroup) * HUNDRED
    const members = Array.from({ length: HUNDRED }, (_, i) => userId(first + i))
    return this.#send(addMembersRequest(groupId(group), members, 'old'), 204)
  }

  removeMember(): Exchange {
    const number = this.#next('remove')
    const group = FOR_ADDING + FOR_ADDING_HUNDREDS + 1 + Math.floor(number / STAYING)
    requireLeft('groups to remove a member from', group, GROUPS - FOR_DELETING)
    const member = memberNumber(group, number % STAYING, this.#size)
    return this.#send(removeMembersRequest(groupId(group), [userId(member)], 'old'), 204)
  }

  deleteGroup(): Exchange {
    const group = GROUPS - FOR_DELETING + 1 + this.#next('delete group')
    requireLeft('groups to delete', group, GROUPS)
    return this.#send(deleteRequest('Group', groupId(group)), 204)
  }

  /**
   * Reads what was written: the answers may have been right and the writes lost.
   *
   * @returns what is not as it was answered
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
      const id = userId(STAYING + 1 + number)
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

  /** How many members each group must have that was written to. */
  *#memberCounts(): Generator<[group: number, members: number]> {
    const groupsOf = function* (first: number, count: number, inOne: number) {
      for (let left = count, group = first; left > 0; left -= inOne, group++)
        yield [group, Math.min(left, inOne)] as [number, number]
    }
    const made = (kind: string) => this.#made.get(kind) ?? 0
    yield* groupsOf(1, made('add'), STAYING)
    yield* groupsOf(FOR_ADDING + 1, made('add hundred') * HUNDRED, STAYING)
    for (const [group, removed] of groupsOf(FOR_ADDING + FOR_ADDING_HUNDREDS + 1, made('remove'), STAYING))
      yield [group, STAYING - removed]
  }

  /** The numbers of the requests of a kind that were made last. */
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

  /** Another one of those that stay, in an order that follows no index. */
  #user(kind: string): number {
    return 1 + ((this.#next(kind) * 7_919) % STAYING)
  }

  #leaver(kind: string): number {
    const number = STAYING + 1 + this.#next(kind)
    requireLeft('users to delete', number, STAYING + LEAVING)
    return number
  }
}

function oneUser(number: number): readonly string[] {
  return ['"totalResults":1', `"id":"${userId(number)}"`]
}

/** A write that changes nothing is cheaper, and would flatter. */
function requireLeft(what: string, number: number, last: number): void {
  if (number > last) throw new Error(`there are no ${what} left: fewer --rounds or --seconds`)
}
