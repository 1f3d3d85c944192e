/**
 * A small SCIM server in memory that does all that `check` asks for, as a value: its behaviour is a record of functions,
 * and a fault replaces one of them.
 */
import type { Fetch, FetchAnswer } from '../../../src/entra/protocol/fetch.ts'
import { get, type Json, set } from './paths.ts'

export const ZOO = 'https://zoo.example/scim'
export const TOKEN = 'the-right-token-of-the-zoo-K'

export type Kind = 'Users' | 'Groups'
export type Resource = Json & { id: unknown }

export interface Request {
  readonly method: string
  /** Users, Groups, Schemas, … */
  readonly kind: string
  readonly id: string | undefined
  readonly query: URLSearchParams
  readonly body: Json
  readonly token: string | undefined
}

export interface Answer {
  readonly status: number
  readonly body?: unknown
  /** Sent in place of the body. */
  readonly text?: string
  readonly type?: string
}

interface Operation {
  readonly op: string
  readonly path?: string
  readonly value?: unknown
}

export interface Zoo {
  readonly Users: Map<string, Resource>
  readonly Groups: Map<string, Resource>
}

export interface Behaviour {
  readonly authorizes: (token: string | undefined, request: Request) => boolean
  /** An answer before anything is done; undefined to go on. */
  readonly before: (request: Request, zoo: Zoo) => Answer | undefined
  /** The answer as it is sent. */
  readonly answers: (answer: Answer, request: Request, zoo: Zoo) => Answer
  /** The resource as it is stored. */
  readonly stores: (resource: Resource, previous: Resource | undefined, zoo: Zoo) => Resource
  readonly newId: (number: number) => unknown
  readonly isTaken: (name: string, existing: string) => boolean
  readonly matches: (shown: unknown, wanted: string, path: string, resource: Resource) => boolean
  readonly operations: (operations: readonly Operation[], request: Request) => readonly Operation[]
  readonly adds: (members: readonly string[], added: readonly string[]) => readonly string[]
  readonly removes: (members: readonly string[], removed: readonly string[]) => readonly string[]
  readonly deletes: (zoo: Zoo, kind: Kind, id: string) => void
  /** Whether others wait until the request is done; otherwise it writes back what it read before them. */
  readonly isLocked: (request: Request) => boolean
  readonly pages: (list: readonly Resource[], startIndex: number, count: number) => readonly Resource[]
}

const fold = (value: unknown) => String(value).toLowerCase()

export const RIGHT: Behaviour = {
  authorizes: (token) => token === TOKEN,
  before: () => undefined,
  answers: (answer) => answer,
  stores: (resource) => resource,
  newId: (number) => `z${number}`,
  isTaken: (name, existing) => fold(name) === fold(existing),
  matches: (shown, wanted, path) =>
    path === 'externalId' ? shown === wanted : fold(shown) === fold(wanted) && shown !== undefined,
  operations: (operations) => operations,
  adds: (members, added) => [...new Set([...members, ...added])],
  removes: (members, removed) => members.filter((id) => !removed.includes(id)),
  deletes: (zoo, kind, id) => {
    zoo[kind].delete(id)
    for (const group of zoo.Groups.values())
      group.members = membersOf(group).filter((member) => member !== id)
  },
  isLocked: () => true,
  pages: (list, startIndex, count) => list.slice(startIndex - 1, startIndex - 1 + count),
}

export function membersOf(group: Resource): string[] {
  return (group.members ?? []) as string[]
}

/** A server with one user and one group that are not of the check. */
export function newZoo(fault: Partial<Behaviour> = {}): { readonly zoo: Zoo; readonly fetch: Fetch } {
  const server = new ZooServer({ ...RIGHT, ...fault })
  return { zoo: server.zoo, fetch: (url, init) => server.fetch(url, init) }
}

export const scimError = (status: number, detail: string): Answer => ({
  status,
  body: { schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'], status: String(status), detail },
})

class ZooServer {
  readonly zoo: Zoo = { Users: new Map(), Groups: new Map() }
  readonly #behaviour: Behaviour
  #lastNumber = 0

  constructor(behaviour: Behaviour) {
    this.#behaviour = behaviour
    this.zoo.Users.set('resident', { id: 'resident', userName: 'resident@zoo.example', active: true })
    this.zoo.Groups.set('residents', { id: 'residents', displayName: 'Residents', members: ['resident'] })
  }

  readonly fetch: Fetch = async (url, init) => {
    init.signal.throwIfAborted()
    const { pathname, searchParams: query } = new URL(url)
    const [kind = '', id] = pathname.slice(new URL(ZOO).pathname.length + 1).split('/')
    const token = /^Bearer (.+)$/.exec(init.headers.Authorization ?? '')?.[1]
    const body = init.body === undefined ? {} : (JSON.parse(init.body) as Json)
    const request = { method: init.method, kind, query, body, token, id: id && decodeURIComponent(id) }
    return responseOf(this.#behaviour.answers(await this.#answer(request), request, this.zoo))
  }

  async #answer(request: Request): Promise<Answer> {
    const { authorizes, before } = this.#behaviour
    if (!authorizes(request.token, request)) return scimError(401, 'the token is not valid')
    return before(request, this.zoo) ?? this.#serve(request)
  }

  async #serve(request: Request): Promise<Answer> {
    const { kind, id, method } = request
    if (kind !== 'Users' && kind !== 'Groups') return discovery(kind)
    if (method === 'POST') return this.#create(request, kind)
    if (id === undefined) return { status: 200, body: this.#list(request, kind) }
    const resource = this.zoo[kind].get(id)
    if (resource === undefined) return scimError(404, `${kind} ${id} does not exist`)
    if (method === 'GET') return { status: 200, body: shown(resource, kind, request.query) }
    if (method === 'PATCH') return this.#patch(request, kind, resource)
    this.#behaviour.deletes(this.zoo, kind, id)
    return { status: 204 }
  }

  async #create(request: Request, kind: Kind): Promise<Answer> {
    const { body } = request
    const name = nameOf(body, kind)
    const isTaken = [...this.zoo[kind].values()].some((other) =>
      this.#behaviour.isTaken(name, nameOf(other, kind)),
    )
    if (!this.#behaviour.isLocked(request)) await otherRequests()
    if (isTaken && kind === 'Users') return scimError(409, `${name} exists`)
    const id = this.#behaviour.newId(++this.#lastNumber)
    const stored = this.#behaviour.stores({ ...body, id }, undefined, this.zoo)
    this.zoo[kind].set(String(id ?? `hidden${this.#lastNumber}`), stored)
    return { status: 201, body: shown(stored, kind) }
  }

  #list({ query }: Request, kind: Kind): Json {
    const filter = /^(.+) eq (".*")$/.exec(query.get('filter') ?? '')
    const all = [...this.zoo[kind].values()]
    const found = all.filter(
      (resource) =>
        filter === null || this.#isMatch(resource, filter[1] ?? '', JSON.parse(filter[2] ?? '""')),
    )
    const startIndex = Number(query.get('startIndex') ?? 1)
    const count = query.get('count')
    const page = count === null ? found : this.#behaviour.pages(found, startIndex, Number(count))
    return listOf(
      page.map((resource) => shown(resource, kind, query)),
      found.length,
      startIndex,
    )
  }

  #isMatch(resource: Resource, path: string, wanted: string): boolean {
    return this.#behaviour.matches(get(resource, path), wanted, path, resource)
  }

  async #patch(request: Request, kind: Kind, resource: Resource): Promise<Answer> {
    const changed = structuredClone(resource)
    if (!this.#behaviour.isLocked(request)) await otherRequests()
    const { operations } = this.#behaviour
    for (const operation of operations(request.body.Operations as Operation[], request))
      this.#apply(changed, operation)
    const stored = this.#behaviour.stores(changed, resource, this.zoo)
    this.zoo[kind].set(String(request.id), stored)
    return { status: 200, body: shown(stored, kind) }
  }

  #apply(resource: Resource, { op, path, value }: Operation): void {
    const selected = /^members\[value eq "(.+)"\]$/.exec(path ?? '')?.[1]
    if (path === 'members' || selected !== undefined) {
      const ids =
        selected === undefined ? (value as { value: string }[]).map((member) => member.value) : [selected]
      const { adds, removes } = this.#behaviour
      const change = op.toLowerCase() === 'add' ? adds : removes
      resource.members = change(membersOf(resource), ids)
    } else if (path === undefined) {
      for (const [key, part] of Object.entries(value as Json)) set(resource, key, part)
    } else {
      set(resource, path, value)
    }
  }
}

/** Lets the requests run that were sent at the same time. */
function otherRequests(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function nameOf(resource: Json, kind: Kind): string {
  return String(kind === 'Users' ? resource.userName : resource.displayName)
}

/** The resource in a response; members are stored as ids. */
function shown(resource: Resource, kind: Kind, query?: URLSearchParams): Json {
  const { members, ...others } = resource
  const isExcluded = query?.get('excludedAttributes') === 'members'
  if (kind === 'Users' || isExcluded) return others
  return { ...others, members: ((members ?? []) as string[]).map((value) => ({ value })) }
}

export function listOf(resources: readonly Json[], totalResults = resources.length, startIndex = 1): Json {
  return {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
    ...{ totalResults, startIndex, itemsPerPage: resources.length, Resources: resources },
  }
}

function discovery(kind: string): Answer {
  if (kind === 'ServiceProviderConfig') return { status: 200, body: { patch: { supported: true } } }
  if (kind === 'ResourceTypes') return { status: 200, body: listOf([{ name: 'User' }, { name: 'Group' }]) }
  return kind === 'Schemas' ? { status: 200, body: listOf([]) } : scimError(404, 'no such endpoint')
}

/** Like a fetch that does not decode: a byte order mark stays. */
function responseOf({ status, body, text, type = 'application/scim+json' }: Answer): FetchAnswer {
  const content = text ?? (body === undefined ? '' : JSON.stringify(body))
  return {
    status,
    headers: { get: (name) => (name === 'content-type' ? type : null) },
    text: async () => content,
  }
}
