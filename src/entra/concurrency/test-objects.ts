/**
 * Keeps account of the objects that `check` may have created at the endpoint, and deletes them. An object whose creation
 * was not answered with an id is searched for by its name. Only objects with the prefix of this run are deleted.
 */
import { isObject, type JsonObject, parseJson } from '../problem.ts'
import {
  deleteRequest,
  matchRequest,
  type ObjectType,
  readRequest,
  type ScimRequest,
} from '../protocol/requests.ts'
import type { WireResponse } from '../protocol/response.ts'

export type Send = (request: ScimRequest) => Promise<WireResponse>

interface Trace {
  readonly type: ObjectType
  readonly attribute: 'userName' | 'displayName'
  readonly name: string
}

export class TestObjects {
  readonly #prefix: string
  /** Paths of the existing objects, `/Users/<id>`, with their types. */
  readonly #known = new Map<string, { readonly type: ObjectType; readonly id: string }>()
  /** Objects whose creation is not answered, by their names. */
  readonly #pending = new Map<string, Trace>()
  /** Objects that may exist under an unknown id, by their names. */
  readonly #lost = new Map<string, Trace>()

  constructor(prefix: string) {
    this.#prefix = prefix
  }

  /** To be called before a request is sent, because its response may be lost. */
  expect(request: ScimRequest): void {
    const trace = traceOf(request)
    if (trace !== undefined) this.#pending.set(trace.name, trace)
  }

  /** To be called with each request and its response. */
  note(request: ScimRequest, answer: WireResponse): void {
    if (answer.kind === 'none') return
    const { status, text } = answer
    const trace = traceOf(request)
    if (trace !== undefined) this.#noteCreation(trace, status, objectOf(text)?.id)
    // What a DELETE reported is not taken for granted: a second one does no harm.
    if (request.method === 'DELETE' && status === 404) this.#known.delete(request.path)
  }

  #noteCreation(trace: Trace, status: number, id: unknown): void {
    const isUsable = (typeof id === 'string' && id !== '') || typeof id === 'number'
    this.#pending.delete(trace.name)
    if (status <= 299 && isUsable) this.#add(trace.type, String(id))
    else if (status < 400 || status > 499) this.#lost.set(trace.name, trace)
  }

  #add(type: ObjectType, id: string): void {
    this.#known.set(deleteRequest(type, id).path, { type, id })
  }

  /**
   * Deletes all objects, groups first.
   * @returns what could not be deleted, one text for each object
   */
  async deleteAll(send: Send): Promise<readonly string[]> {
    const remaining: string[] = []
    for (const trace of [...this.#pending.values(), ...this.#lost.values()]) {
      const problem = await this.#search(trace, send)
      if (problem !== undefined) remaining.push(problem)
    }
    const groupsFirst = [...this.#known.values()].toSorted((a, b) => a.type.localeCompare(b.type))
    for (const [index, { type, id }] of groupsFirst.entries()) {
      const answer = await send(deleteRequest(type, id))
      if (answer.kind === 'none') {
        const others = groupsFirst.slice(index).map((object) => `${object.type} ${object.id}`)
        return [...remaining, ...others.map((object) => `${object} (${answer.message})`)]
      }
      if (answer.status > 299 && answer.status !== 404 && !(await isGone(type, id, send)))
        remaining.push(`${type} ${id} (HTTP ${answer.status})`)
    }
    return remaining
  }

  /** Finds objects whose id is unknown. An endpoint that ignores the filter returns others, which are left alone. */
  async #search({ type, attribute, name }: Trace, send: Send): Promise<string | undefined> {
    const answer = await send(matchRequest(type, attribute, name))
    if (answer.kind === 'none') return `${type} "${name}" (${answer.message})`
    const { Resources } = objectOf(answer.text) ?? {}
    if (!Array.isArray(Resources)) return `${type} "${name}" (not found by its name: HTTP ${answer.status})`
    for (const resource of Resources.filter(isObject)) {
      const isOurs = String(resource[attribute]).toLowerCase().startsWith(this.#prefix)
      if (isOurs && resource.id !== undefined) this.#add(type, String(resource.id))
    }
    return undefined
  }
}

/** An object that was deleted before may be refused in other ways than with 404. */
async function isGone(type: ObjectType, id: string, send: Send): Promise<boolean> {
  const answer = await send(readRequest(type, id))
  return answer.kind === 'answer' && [404, 410].includes(answer.status)
}

function traceOf({ method, path, body }: ScimRequest): Trace | undefined {
  if (method !== 'POST' || body === undefined) return undefined
  const isUser = path.startsWith('/Users')
  const attribute = isUser ? 'userName' : 'displayName'
  const name = body[attribute]
  return typeof name === 'string' ? { type: isUser ? 'User' : 'Group', attribute, name } : undefined
}

function objectOf(text: string): JsonObject | undefined {
  try {
    const value: unknown = parseJson(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
