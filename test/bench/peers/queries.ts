/**
 * What clients send to every SCIM server, with the correct answer of each. Nothing here depends on a server: forms of
 * requests that only some understand are left out, and a status that servers may choose is left to them.
 */
import { setTimeout } from 'node:timers/promises'
import { userName } from '../directory.ts'
import { type Exchange, exchangeOnce, isRight } from '../load/client.ts'
import { type ScimExchange, scimExchange } from '../load/scim.ts'
import { type Filled, userAttributes } from './filled.ts'
import { addMembers, PATCHED, patchOf, removeMembers } from './requests.ts'

const EMPLOYEE_NUMBER = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber'
const PAGE = 100
/** Users that are read before they are patched, and patched before `meta.lastModified gt`. */
const CHANGED = 20
/** Requests between one and the other that depends on it: more than there are connections. */
const APART = 8

/** Users that can be added to any group. */
export const SPARE = APART * (1 + 100)

export interface Query {
  readonly name: string
  readonly next: (traffic: QueryTraffic) => Exchange
  /** Sent before each slice and not measured. */
  readonly before?: (traffic: QueryTraffic) => Promise<readonly Exchange[]>
}

export const QUERIES: readonly Query[] = [
  { name: 'match `userName eq`', next: (to) => to.match('userName', userName) },
  { name: 'match `externalId eq`', next: (to) => to.match('externalId', (number) => `person-${number}`) },
  { name: 'match `emails.value eq`', next: (to) => to.match('emails.value', userName) },
  {
    name: 'match `emails[type eq "work"].value eq`',
    next: (to) => to.match('emails[type eq "work"].value', userName),
  },
  {
    name: 'match `employeeNumber eq`',
    next: (to) => to.match(EMPLOYEE_NUMBER, (number) => `person-${number}`),
  },
  {
    name: 'match `displayName eq`',
    next: (to) => to.match('displayName', (number) => `Given person-${number}`),
  },
  { name: "match a group's `displayName eq`", next: (to) => to.matchGroup() },
  { name: 'get a user', next: (to) => to.get() },
  { name: 'create a user', next: (to) => to.create() },
  { name: 'read a user, then patch it', next: (to) => to.readAndPatch() },
  { name: 'patch a user not read before', next: (to) => to.patchUnread() },
  { name: 'list 100 users by `startIndex`', next: (to) => to.listByIndex() },
  { name: 'list 100 users by `cursor`', next: (to) => to.listByCursor() },
  {
    name: '`meta.lastModified gt`, 20 found',
    before: (to) => to.changeSome(),
    next: (to) => to.changedSince(),
  },
  { name: 'sort by `displayName`, 100 of all', next: (to) => to.sorted('displayName', 'displayName') },
  { name: 'sort by `name.familyName`, 100 of all', next: (to) => to.sorted('name.familyName', 'familyName') },
  { name: 'sort by `meta.lastModified`, 100 of all', next: (to) => to.sortedByChange() },
]

/** @param groups the numbers of the groups with that many members */
export function memberQueries(members: number, groups: readonly number[]): readonly Query[] {
  return [1, 100].map((count) => ({
    name: `add, remove ${count} of ${members.toLocaleString('en')} members`,
    next: (to) => to.addAndRemove(groups, count),
  }))
}

/** Members that are added to a group and not removed yet. */
interface Block {
  readonly group: number
  readonly members: readonly string[]
}

/** The requests of one server. The first half of its users is only read, the other half is changed. */
export class QueryTraffic {
  readonly #send: ScimExchange
  readonly #filled: Filled
  readonly #half: number
  /** The number of requests of each kind. */
  readonly #made = new Map<string, number>()
  /** Blocks by the group and their size, the oldest first. */
  readonly #added = new Map<string, Block[]>()
  readonly #read: number[] = []
  /** The last value of each patched user. */
  readonly #patched = new Map<number, string>()
  #since = ''
  #cursor = ''
  #cursorPages = 0

  constructor(filled: Filled) {
    this.#filled = filled
    this.#send = scimExchange(filled.token)
    this.#half = Math.floor(filled.size.users / 2)
  }

  match(attribute: string, textOf: (number: number) => string): Exchange {
    const number = this.#unchanged(attribute)
    const query = new URLSearchParams({ filter: `${attribute} eq "${textOf(number)}"` })
    return this.#get(`/Users?${query}`, '"totalResults":1', `"id":"${this.#filled.userId(number)}"`)
  }

  matchGroup(): Exchange {
    const stored = this.#filled.size.groups.map((_, i) => i + 1).filter((one) => this.#filled.groupId(one))
    const number = stored[this.#next('match group') % stored.length] ?? 0
    const query = new URLSearchParams({
      filter: `displayName eq "group-${number}"`,
      excludedAttributes: 'members',
    })
    return this.#get(`/Groups?${query}`, '"totalResults":1', `"id":"${this.#group(number)}"`)
  }

  get(): Exchange {
    const number = this.#unchanged('get')
    return this.#get(`/Users/${this.#filled.userId(number)}`, `"userName":"${userName(number)}"`, '"meta":{')
  }

  create(): Exchange {
    const name = `new-${this.#next('create')}`
    const body = userAttributes(name)
    return this.#send({ method: 'POST', path: '/Users', body }, 201, '"id":"', userName(name))
  }

  readAndPatch(): Exchange {
    const first = this.#read[0]
    if (first !== undefined && this.#read.length > APART) {
      this.#read.shift()
      return this.#patch(first)
    }
    const number = this.#half + 1 + (this.#next('read') % CHANGED)
    this.#read.push(number)
    return this.#get(`/Users/${this.#filled.userId(number)}`, `"userName":"${userName(number)}"`)
  }

  patchUnread(): Exchange {
    const unread = this.#filled.size.users - this.#half - 2 * CHANGED
    return this.#patch(this.#half + 2 * CHANGED + 1 + (this.#next('patch unread') % unread))
  }

  listByIndex(): Exchange {
    const startIndex = 1 + PAGE * (this.#next('list') % Math.floor(this.#filled.size.users / PAGE))
    const exchange = this.#get(`/Users?startIndex=${startIndex}&count=${PAGE}`, `"startIndex":${startIndex}`)
    // Each resource has the time of its last change in `meta`, and the number of all is known: users are created meanwhile.
    const check = (answer: string) =>
      ['userName', 'lastModified'].every((attribute) => valuesOf(answer, attribute).length === PAGE) &&
      Number(/"totalResults":(\d+)/.exec(answer)?.[1]) >= this.#filled.size.users
    return { ...exchange, check }
  }

  /** The pages from the first one on, and again before the last one, which may be shorter. */
  listByCursor(): Exchange {
    const pages = Math.floor(this.#filled.size.users / PAGE) - 1
    if (this.#cursorPages++ % pages === 0) this.#cursor = ''
    const exchange = this.#get(`/Users?cursor=${encodeURIComponent(this.#cursor)}&count=${PAGE}`)
    const check = (answer: string) => {
      const [next] = valuesOf(answer, 'nextCursor')
      this.#cursor = next ?? ''
      return next !== undefined && valuesOf(answer, 'userName').length === PAGE
    }
    return { ...exchange, check }
  }

  /** The changes that `changedSince` finds. */
  async changeSome(): Promise<readonly Exchange[]> {
    this.#since = new Date().toISOString()
    // Times have milliseconds: the changes are in a later one.
    await setTimeout(2)
    return Array.from({ length: CHANGED }, (_, i) => this.#patch(this.#half + CHANGED + 1 + i))
  }

  changedSince(): Exchange {
    const query = new URLSearchParams({
      filter: `meta.lastModified gt "${this.#since}"`,
      count: String(PAGE),
    })
    const exchange = this.#get(`/Users?${query}`, `"totalResults":${CHANGED}`)
    const check = (answer: string) =>
      valuesOf(answer, 'lastModified').every((value) => Date.parse(value) > Date.parse(this.#since))
    return { ...exchange, check }
  }

  /** Only if all users are sorted, person-1000 is among the first hundred of the names. */
  sorted(sortBy: string, attribute: string): Exchange {
    const exchange = this.#get(
      `/Users?${new URLSearchParams({ sortBy, count: String(PAGE) })}`,
      userName(1_000),
    )
    return { ...exchange, check: (answer) => isAscending(valuesOf(answer, attribute)) }
  }

  sortedByChange(): Exchange {
    const query = new URLSearchParams({
      sortBy: 'meta.lastModified',
      sortOrder: 'descending',
      count: String(PAGE),
    })
    const check = (answer: string) => {
      const times = valuesOf(answer, 'lastModified').map((value) => Date.parse(value))
      return times.length === PAGE && times.every((time, i) => i === 0 || time <= (times[i - 1] ?? 0))
    }
    return { ...this.#get(`/Users?${query}`), check }
  }

  /**
   * Adds members, and removes those that were added some requests ago. The groups in turn.
   * @throws {Error} if the server refused the group
   */
  addAndRemove(groups: readonly number[], count: number): Exchange {
    const made = this.#next(`members ${groups} ${count}`)
    const group = groups[made % groups.length] ?? 0
    const key = `${group} ${count}`
    const blocks = this.#added.get(key) ?? []
    this.#added.set(key, blocks)
    const id = this.#group(group)
    const oldest = blocks[0]
    if (oldest !== undefined && blocks.length > APART / groups.length) {
      blocks.shift()
      return this.#send(removeMembers(id, oldest.members), PATCHED)
    }
    const members = this.#newMembers(group, count, Math.floor(made / groups.length))
    blocks.push({ group, members })
    return this.#send(addMembers(id, members), PATCHED)
  }

  /** Those of the last users that are not in the group; each size has its own. */
  #newMembers(group: number, count: number, turn: number): readonly string[] {
    const { users, groups } = this.#filled.size
    const last = count === 1 ? users : users - APART
    const first = last - count * ((turn % APART) + 1) + 1
    if (first <= (groups[group - 1] ?? 0)) throw new Error(`${SPARE} users must be in no group`)
    return Array.from({ length: count }, (_, i) => this.#filled.userId(first + i))
  }

  /**
   * Reads what was written, because a successful answer does not prove that it is stored.
   * @returns the differences
   */
  async readBack(port: number): Promise<readonly string[]> {
    const wrong: string[] = []
    for (const exchange of this.#expected()) {
      const answer = await exchangeOnce(port, exchange.request)
      if (!isRight(answer, exchange))
        wrong.push(`${exchange.request.split('\r\n')[0]} -> ${answer.slice(0, 300)}`)
    }
    return wrong
  }

  *#expected(): Generator<Exchange> {
    const created = this.#made.get('create') ?? 0
    for (const number of [0, created - 1].filter((one) => one >= 0 && created > 0)) {
      const query = new URLSearchParams({ filter: `userName eq "${userName(`new-${number}`)}"` })
      yield this.#get(`/Users?${query}`, '"totalResults":1')
    }
    for (const [number, value] of [...this.#patched].slice(-CHANGED))
      yield this.#get(`/Users/${this.#filled.userId(number)}`, `"displayName":"${value}"`)
    const groups = Map.groupBy([...this.#added.values()].flat(), ({ group }) => group)
    for (const [group, blocks] of groups) {
      const members =
        (this.#filled.size.groups[group - 1] ?? 0) + new Set(blocks.flatMap((one) => one.members)).size
      const check = (answer: string) => valuesOf(answer, 'value').length === members
      yield { ...this.#get(`/Groups/${this.#group(group)}`), check }
    }
  }

  #get(path: string, ...holds: readonly string[]): Exchange {
    return this.#send({ method: 'GET', path }, 200, ...holds)
  }

  #patch(number: number): Exchange {
    const value = `Patched ${this.#next('patch')}`
    this.#patched.set(number, value)
    const path = `/Users/${this.#filled.userId(number)}`
    const exchange = this.#send(patchOf(path, [{ op: 'replace', path: 'displayName', value }]), PATCHED)
    const check = (answer: string) => answer.includes(' 204 ') || answer.includes(`"displayName":"${value}"`)
    return { ...exchange, check }
  }

  #group(number: number): string {
    const id = this.#filled.groupId(number)
    if (id === undefined) throw new Error('the group was refused')
    return id
  }

  /** Counts from 0. */
  #next(kind: string): number {
    const number = this.#made.get(kind) ?? 0
    this.#made.set(kind, number + 1)
    return number
  }

  /** Another user that is never changed, in an order that follows no index. */
  #unchanged(kind: string): number {
    return 1 + ((this.#next(kind) * 7_919) % this.#half)
  }
}

function valuesOf(answer: string, attribute: string): readonly string[] {
  return Array.from(
    answer.matchAll(new RegExp(`"${attribute}":\\s*"([^"]*)"`, 'g')),
    ([, value]) => value ?? '',
  )
}

function isAscending(values: readonly string[]): boolean {
  return values.length === PAGE && values.every((value, i) => i === 0 || (values[i - 1] ?? '') <= value)
}
