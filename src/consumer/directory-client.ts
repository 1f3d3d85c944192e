/**
 * Reads a directory over HTTP: its resources by SCIM, and its events. Works wherever `fetch` does.
 */
import type { CopiedResource, DirectoryEvent, Kind } from './directory-copy.ts'

export interface ClientOptions {
  /** Such as "https://scim.example.com/scim/v2". */
  readonly tenantUrl: string
  /** A token that may read; a function may renew it. */
  readonly token: string | (() => Promise<string>)
  readonly fetch?: typeof fetch
  readonly sleep?: (ms: number) => Promise<void>
  readonly signal?: AbortSignal
}

/** A request was refused, and a repetition would not help. */
export class Refused extends Error {
  readonly status: number
  /** The `scimType` or the `code` of the error. */
  readonly code: string | undefined

  constructor(status: number, body: { scimType?: string; error?: { code: string } }) {
    super(`the directory answered ${status}: ${JSON.stringify(body)}`)
    this.status = status
    this.code = body.scimType ?? body.error?.code
  }
}

interface Resource {
  readonly id: string
  readonly meta?: { readonly version: string }
  readonly members?: readonly { readonly value: string }[]
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
  events(after: string, waitSeconds: number) {
    const query = new URLSearchParams({ after, limit: '500', wait: String(waitSeconds) })
    return this.#get<{ events: readonly DirectoryEvent[]; cursor: string; hasMore: boolean }>(
      `${new URL(this.#options.tenantUrl).origin}/events?${query}`,
    )
  }

  /** All users, or all groups with their members, by id. */
  async all(kind: Kind): Promise<Map<string, CopiedResource>> {
    const found = new Map<string, CopiedResource>()
    const path = kind === 'users' ? '/Users?excludedAttributes=groups' : '/Groups?attributes=id'
    for await (const listed of this.#pages(path)) {
      const resource = kind === 'users' ? copied(listed) : await this.one(kind, listed.id)
      if (resource !== undefined) found.set(resource.id, resource)
    }
    return found
  }

  /** A user, or a group with its members. @returns undefined if there is none with this id */
  async one(kind: Kind, id: string): Promise<CopiedResource | undefined> {
    try {
      const user = `/Users/${id}?excludedAttributes=groups`
      return kind === 'groups' ? await this.#group(id) : copied(await this.#scim(user))
    } catch (error) {
      if (error instanceof Refused && error.status === 404) return undefined
      throw error
    }
  }

  async #group(id: string): Promise<CopiedResource> {
    try {
      const group = await this.#scim(`/Groups/${id}`)
      return { ...copied(group), members: new Set(group.members?.map(({ value }) => value)) }
    } catch (error) {
      if (!(error instanceof Refused && error.code === 'tooMany')) throw error
    }
    // It has too many members for one answer: they are listed by page, after the version was read.
    const group = await this.#scim(`/Groups/${id}?excludedAttributes=members`)
    const members = new Set<string>()
    const direct = encodeURIComponent(`groups[value eq "${id}" and type eq "direct"]`)
    for await (const user of this.#pages(`/Users?attributes=id&filter=${direct}`)) members.add(user.id)
    for await (const other of this.#pages('/Groups?attributes=id')) {
      const isMember = encodeURIComponent(`id eq "${id}" and members.value eq "${other.id}"`)
      for await (const _ of this.#pages(`/Groups?attributes=id&filter=${isMember}`)) members.add(other.id)
    }
    return { ...copied(group), members }
  }

  /** Pages by cursor (RFC 9865): changes meanwhile do not shift them. */
  async *#pages(path: string): AsyncGenerator<Resource> {
    for (let cursor: string | undefined = ''; cursor !== undefined; ) {
      const query = new URLSearchParams({ cursor, count: '500' })
      const page: { Resources?: Resource[]; nextCursor?: string } = await this.#scim(`${path}&${query}`)
      yield* page.Resources ?? []
      cursor = page.nextCursor
    }
  }

  #scim<Body = Resource>(path: string): Promise<Body> {
    return this.#get(`${this.#options.tenantUrl}${path}`)
  }

  /** Repeats a request that gets no answer, 429 or 5xx. @throws {Refused} */
  async #get<Body>(url: string): Promise<Body> {
    const { token, fetch: send = fetch, sleep, signal = null } = this.#options
    for (let attempt = 1; ; attempt++) {
      let pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), LONGEST_PAUSE_MS)
      try {
        const bearer = typeof token === 'string' ? token : await token()
        const response = await send(url, { headers: { Authorization: `Bearer ${bearer}` }, signal })
        const body = await response.json()
        if (response.ok) return body as Body
        const isFinal = response.status < 500 && response.status !== 429
        if (isFinal || attempt === MAX_ATTEMPTS) throw new Refused(response.status, body as object)
        pauseMs = Math.max(Number(response.headers.get('Retry-After')) * 1000, pauseMs)
      } catch (error) {
        if (error instanceof Refused || signal?.aborted || attempt === MAX_ATTEMPTS) throw error
      }
      await (sleep?.(pauseMs) ?? new Promise((resolve) => setTimeout(resolve, pauseMs)))
    }
  }
}

function copied({ id, meta, members: _, ...attributes }: Resource): CopiedResource {
  return { id, readVersion: Number(/\d+/.exec(meta?.version ?? '0')), attributes }
}
