/**
 * A minimal in-memory SCIM endpoint with the interface of fetch, for the emulator's tests. It supports the emulator's
 * requests in both dialects and those of the other providers. `misbehave` replaces its responses.
 */
import { readTargetPath, writeTargetPath } from '../../../src/entra/protocol/attribute-path.ts'
import type { Fetch } from '../../../src/entra/protocol/fetch.ts'

export type Resource = Record<string, unknown> & { id: string }

export interface Received {
  readonly method: string
  /** Relative to the Tenant URL, including the query. */
  readonly path: string
  readonly headers: Headers
  readonly body: unknown
}

/** Returns a response that replaces the store's, or undefined. */
export type Misbehaviour = (request: Received) => Response | Promise<Response> | undefined

export const BASE = 'https://scim.test.example/scim/v2'

export class ScimStore {
  readonly users = new Map<string, Resource>()
  readonly groups = new Map<string, Resource>()
  readonly received: Received[] = []
  misbehave: Misbehaviour = () => undefined
  /** Selects requests that are carried out but answered with 503, as if the response was lost. */
  loseResponse: (request: Received) => boolean = () => false
  #lastId = 0

  /** Ids are sequential for each type, unless a test sets the next ones. */
  nextIds: string[] = []

  readonly fetch: Fetch = async (url, init) => {
    const path = url.slice(BASE.length)
    const body: unknown = init.body !== undefined ? JSON.parse(init.body) : undefined
    const request: Received = { method: init.method, path, headers: new Headers(init.headers), body }
    this.received.push(request)
    const odd = this.misbehave(request)
    if (odd === undefined) {
      const answer = this.#answer(request)
      return this.loseResponse(request) ? error(503, 'the response was lost') : answer
    }
    return Promise.race([odd, aborted(init.signal)])
  }

  /** Returns and clears the `GET /Users?filter=…` queries so far. */
  takeLines(): string[] {
    return this.received.splice(0).map(({ method, path }) => `${method} ${path}`)
  }

  /** Returns and clears the requests so far, without the connection test. */
  takeRequests(): Received[] {
    return this.received.splice(0).filter(({ path }) => !/00000000-0000-4000-8000-/.test(path))
  }

  membersOf(groupId: string): string[] {
    return memberList(this.groups.get(groupId)).map(({ value }) => value)
  }

  #answer({ method, path, body }: Received): Response {
    const url = new URL(path, 'https://scim.test.example')
    const [, collection, id] = url.pathname.split('/')
    if (collection === 'Schemas') return list([])
    if (collection === 'ServiceProviderConfig') return json(200, { patch: { supported: true } })
    const store = collection === 'Groups' ? this.groups : this.users
    if (method === 'POST') return this.#create(store, body as Record<string, unknown>)
    if (id === undefined) return this.#list(store, url)
    const resource = store.get(decodeURIComponent(id))
    if (resource === undefined) return error(404, `${collection} "${id}" does not exist`)
    if (method === 'GET') return json(200, shown(resource, url))
    if (method === 'DELETE') return this.#delete(store, resource)
    if (method === 'PUT') return replace(store, { ...(body as object), id: resource.id })
    applyOperations(resource, (body as { Operations: Operation[] }).Operations)
    return store === this.users ? json(200, resource) : new Response(null, { status: 204 })
  }

  #create(store: Map<string, Resource>, body: Record<string, unknown>): Response {
    const key = store === this.users ? 'userName' : 'displayName'
    const taken = [...store.values()].some((other) => fold(other[key]) === fold(body[key]))
    if (taken) return error(409, `${key} "${body[key]}" is already in use`, 'uniqueness')
    const id = this.nextIds.shift() ?? `${store === this.users ? 'u' : 'g'}${++this.#lastId}`
    const resource = { ...body, id }
    store.set(id, resource)
    return json(201, resource)
  }

  #list(store: Map<string, Resource>, url: URL): Response {
    const filter = url.searchParams.get('filter')
    const all = [...store.values()].map((resource) => shown(resource, url))
    if (filter === null) {
      const start = Number(url.searchParams.get('startIndex') ?? 1)
      return list(all.slice(start - 1, start - 1 + Number(url.searchParams.get('count') ?? 100)), all.length)
    }
    const [attribute = '', , ...rest] = filter.split(' ')
    const wanted = fold(JSON.parse(rest.join(' ')))
    return list(all.filter((resource) => fold(readTargetPath(resource, attribute)) === wanted))
  }

  #delete(store: Map<string, Resource>, resource: Resource): Response {
    store.delete(resource.id)
    for (const group of this.groups.values())
      group.members = memberList(group).filter(({ value }) => value !== resource.id)
    return new Response(null, { status: 204 })
  }
}

function replace(store: Map<string, Resource>, resource: Resource): Response {
  store.set(resource.id, resource)
  return json(200, resource)
}

/** Rejects when the signal aborts, as fetch does. */
export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
  )
}

interface Operation {
  readonly op: string
  readonly path?: string
  readonly value?: unknown
}

function applyOperations(resource: Resource, operations: readonly Operation[]): void {
  for (const { op, path, value } of operations) {
    const byValue = /^members\[value eq "(.+)"\]$/.exec(path ?? '')?.[1]
    if (path === 'members' || byValue !== undefined) {
      applyMembers(resource, op, byValue === undefined ? (value as Member[]) : [{ value: byValue }])
    } else if (path === 'roles' && op.toLowerCase() === 'add') {
      resource.roles = [...((resource.roles ?? []) as unknown[]), ...(value as unknown[])]
    } else if (path === undefined) {
      for (const [key, part] of Object.entries(value as Record<string, unknown>))
        writeTargetPath(resource, key, part)
    } else {
      writeTargetPath(resource, path, path === 'active' ? String(value).toLowerCase() === 'true' : value)
    }
  }
}

interface Member {
  readonly value: string
}

function applyMembers(resource: Resource, op: string, members: readonly Member[]): void {
  const ids = new Set(members.map(({ value }) => value))
  const kept = op.toLowerCase() === 'replace' ? [] : memberList(resource)
  const others = kept.filter(({ value }) => !ids.has(value))
  resource.members =
    op.toLowerCase() === 'remove' ? others : [...others, ...[...ids].map((value) => ({ value }))]
}

function memberList(resource: Resource | undefined): Member[] {
  return Array.isArray(resource?.members) ? resource.members : []
}

function shown(resource: Resource, url: URL): Resource {
  if (url.searchParams.get('excludedAttributes') !== 'members') return resource
  const { members: _members, ...rest } = resource
  return rest as Resource
}

function fold(value: unknown): string {
  return String(value).toLowerCase()
}

function list(resources: readonly Resource[], totalResults = resources.length): Response {
  const schemas = ['urn:ietf:params:scim:api:messages:2.0:ListResponse']
  return json(200, {
    schemas,
    totalResults,
    startIndex: 1,
    itemsPerPage: resources.length,
    Resources: resources,
  })
}

/** A SCIM error message. */
export function error(
  status: number,
  detail: string,
  scimType?: string,
  headers: Record<string, string> = {},
): Response {
  const schemas = ['urn:ietf:params:scim:api:messages:2.0:Error']
  const body = { schemas, status: String(status), ...(scimType === undefined ? {} : { scimType }), detail }
  return json(status, body, headers)
}

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/scim+json', ...headers },
  })
}
