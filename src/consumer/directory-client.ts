/**
 * Reads a directory over HTTP: its resources by SCIM, and its events. Works wherever `fetch` does.
 */
import type { CopiedResource, DirectoryEvent } from './directory-copy.ts'

export interface ClientOptions {
  /** Such as "https://scim.example.com/scim/v2". */
  readonly tenantUrl: string
  /** A token that may read; a function may renew it. */
  readonly token: string | (() => Promise<string>)
  readonly fetch?: typeof fetch
  readonly sleep?: (ms: number) => Promise<void>
  readonly signal?: AbortSignal
}

/** A page of the feed. */
export interface EventPage {
  readonly events: readonly DirectoryEvent[]
  readonly cursor: string
  readonly hasMore: boolean
}

interface ErrorBody {
  readonly scimType?: unknown
  readonly error?: { readonly code?: unknown }
}

/** A request was refused, and a repetition would not help. */
export class Refused extends Error {
  readonly status: number
  /** The `scimType` or the `code` of the error. */
  readonly code: unknown

  constructor(status: number, body: ErrorBody) {
    super(`the directory answered ${status}: ${JSON.stringify(body)}`)
    this.status = status
    this.code = body.scimType ?? body.error?.code
  }
}

interface Resource {
  readonly id: string
  readonly meta?: { readonly version: string }
  readonly [name: string]: unknown
}

const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 60_000
/** A failing request is repeated for about ten minutes. */
const MAX_ATTEMPTS = 15

export class DirectoryClient {
  readonly #options: ClientOptions

  constructor(options: ClientOptions) {
    this.#options = options
  }

  /** @throws {Refused} cursor_expired or invalid_cursor */
  async events(after: string, waitSeconds: number): Promise<EventPage> {
    const query = new URLSearchParams({ after, limit: '500', wait: String(waitSeconds) })
    return (await this.#get(`${new URL(this.#options.tenantUrl).origin}/events?${query}`)) as EventPage
  }

  async *users(): AsyncGenerator<CopiedResource> {
    for await (const user of this.#pages('/Users?excludedAttributes=groups')) yield copied(user)
  }

  async *groups(): AsyncGenerator<CopiedResource> {
    for await (const { id } of this.#pages('/Groups?attributes=id')) {
      const group = await this.group(id)
      if (group !== undefined) yield group
    }
  }

  /** @returns undefined if there is no such user */
  async user(id: string): Promise<CopiedResource | undefined> {
    const user = await this.#find(`/Users/${id}?excludedAttributes=groups`)
    return user && copied(user)
  }

  /** The group with its members. @returns undefined if there is no such group */
  async group(id: string): Promise<CopiedResource | undefined> {
    try {
      const group = await this.#find(`/Groups/${id}`)
      const members = Array.isArray(group?.members) ? group.members.map(({ value }) => String(value)) : []
      return group && { ...copied(group), members: new Set(members) }
    } catch (error) {
      if (error instanceof Refused && error.code === 'tooMany') return await this.#largeGroup(id)
      throw error
    }
  }

  /** A group with too many members for one answer: they are listed by page, after the version was read. */
  async #largeGroup(id: string): Promise<CopiedResource | undefined> {
    const group = await this.#find(`/Groups/${id}?excludedAttributes=members`)
    const members = new Set<string>()
    const direct = encodeURIComponent(`groups[value eq "${id}" and type eq "direct"]`)
    for await (const user of this.#pages(`/Users?attributes=id&filter=${direct}`)) members.add(user.id)
    for await (const other of this.#pages('/Groups?attributes=id')) {
      const isMember = encodeURIComponent(`id eq "${id}" and members.value eq "${other.id}"`)
      for await (const _ of this.#pages(`/Groups?attributes=id&filter=${isMember}`)) members.add(other.id)
    }
    return group && { ...copied(group), members }
  }

  /** Pages by cursor (RFC 9865): changes meanwhile do not shift them. */
  async *#pages(path: string): AsyncGenerator<Resource> {
    for (let cursor: string | undefined = ''; cursor !== undefined; ) {
      const query = new URLSearchParams({ cursor, count: '500' })
      const page = (await this.#get(`${this.#options.tenantUrl}${path}&${query}`)) as Page
      yield* page.Resources ?? []
      cursor = page.nextCursor
    }
  }

  async #find(path: string): Promise<Resource | undefined> {
    try {
      return (await this.#get(`${this.#options.tenantUrl}${path}`)) as Resource
    } catch (error) {
      if (error instanceof Refused && error.status === 404) return undefined
      throw error
    }
  }

  /** Repeats a request that gets no answer, 429 or 5xx. @throws {Refused} */
  async #get(url: string): Promise<unknown> {
    const { token, fetch: send = fetch, sleep = pause, signal = null } = this.#options
    for (let attempt = 1; ; attempt++) {
      let pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), LONGEST_PAUSE_MS)
      try {
        const bearer = typeof token === 'string' ? token : await token()
        const response = await send(url, { headers: { Authorization: `Bearer ${bearer}` }, signal })
        // The two forms of errors; anything else is what was asked for.
        const body = (await response.json()) as ErrorBody
        if (response.ok) return body
        const isFinal = response.status < 500 && response.status !== 429
        if (isFinal || attempt === MAX_ATTEMPTS) throw new Refused(response.status, body)
        pauseMs = Math.max(Number(response.headers.get('Retry-After')) * 1000, pauseMs)
      } catch (error) {
        if (error instanceof Refused || signal?.aborted || attempt === MAX_ATTEMPTS) throw error
      }
      await sleep(pauseMs)
    }
  }
}

interface Page {
  readonly Resources?: readonly Resource[]
  readonly nextCursor?: string
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function copied({ id, meta, groups: _, members: __, ...attributes }: Resource): CopiedResource {
  return { id, readVersion: Number(/\d+/.exec(meta?.version ?? '0')), attributes }
}
