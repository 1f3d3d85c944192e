/**
 * /Bulk (RFC 7644 §3.7). Every operation runs as the request that it describes, through the same routes:
 * with the same authentication, log, preconditions and errors. One after another, because later ones may
 * depend on earlier ones; one that names a bulkId waits for it.
 */
import { Hono } from 'hono'
import type { HttpEnv, Runtime } from '../runtime.ts'
import {
  type BulkOperation,
  type BulkRequest,
  bulkReferences,
  deferReferences,
  parseBulkRequest,
  resolvePath,
  resolveReferences,
} from '../scim/bulk-request.ts'
import { type Complex, isComplex } from '../scim/comparison.ts'
import { endpointOfOperation } from '../scim/compatibility/http.ts'
import { badRequest, errorMessage, quote, ScimError } from '../scim/error.ts'
import type { Profile } from '../scim/profile.ts'
import { BULK_RESPONSE, PATCH_OP } from '../scim/urn.ts'
import type { Work } from '../scim/work.ts'
import { readAs } from '../storage/access/tokens.ts'
import { bearerAuth } from './bearer-auth.ts'
import { readBody, scimJson } from './content-type.ts'
import { scimErrorOf } from './errors.ts'
import { profileOf } from './profile.ts'
import { limitRate } from './rate-limit.ts'
import { tenantUrl, workOf } from './request.ts'
import { tenantHandler } from './tenant.ts'

/** Answers a request as if it had come from outside. */
export type Dispatch = (request: Request, runtime: Runtime) => Response | Promise<Response>

/** Sends one operation: its path is relative to the Tenant URL, its version goes as If-Match. */
type Send = (method: string, path: string, data: unknown, version: string | undefined) => Promise<Response>

/**
 * An id is made of what a URL carries as it is (RFC 3986 §3.3) and begins with no dot: then no runtime reads another path,
 * and another route, out of it, as it would of `\`, a tab, `..`, `%2e%2e`, `?` or `#`.
 */
const ID = /^(?!\.)[\w.~!$&'()*+,;=:@-]+$/
/** What the value of a header can hold (RFC 9110 §5.5), without what runtimes trim or read as bytes. */
const HEADER_VALUE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/

/** What becomes of whatever was thrown. */
type ToScimError = (error: unknown) => ScimError

/** @param dispatch what each operation is handed to */
export function bulk(dispatch: Dispatch) {
  const handler = tenantHandler()(async (c) => {
    const request = parseBulkRequest(await readBody(c), profileOf(c))
    // A token that is new here was checked before its body was read.
    if (c.get('figures').roundTrips === 0) await readAs(c.get('tenant'), [])
    // Operations come from where this request does, their bodies are parts of this one, and their answers are
    // read here at once.
    const clientAddress = c.env.clientAddress ?? c.req.header('CF-Connecting-IP')
    const parts = { heldBodies: undefined, answers: undefined, clientAddress }
    const env = { ...c.env, figures: c.get('figures'), work: workOf(c), ...parts }
    const shared = {
      Authorization: c.req.header('Authorization') ?? '',
      'Content-Type': 'application/scim+json',
      'X-Request-Id': c.get('requestId'),
      Prefer: c.req.header('Prefer') ?? '',
    }
    const send: Send = async (method, path, data, version) => {
      const headers = version === undefined ? shared : { ...shared, 'If-Match': version }
      const body = method === 'DELETE' ? null : JSON.stringify(data ?? {})
      return await dispatch(new Request(`${tenantUrl(c)}${path}`, { method, headers, body }), env)
    }
    const run = new BulkRun(request, {
      send,
      endpoints: c.get('resourceTypes').map(({ endpoint }) => endpoint),
      profile: profileOf(c),
      tenantUrl: tenantUrl(c),
      work: workOf(c),
      toScimError: (error) => scimErrorOf(c, error),
    })
    return scimJson(c, JSON.stringify(await run.run()), 200)
  })
  return new Hono<HttpEnv>().post('/', bearerAuth, limitRate, handler)
}

/** What a run is given. */
interface BulkContext {
  readonly send: Send
  /** Of the resource types. */
  readonly endpoints: readonly string[]
  readonly profile: Profile
  readonly tenantUrl: string
  readonly work: Work
  readonly toScimError: ToScimError
}

/** One run of a bulk request: what is done, what waits, and the ids that came of it. */
class BulkRun {
  readonly #operations: readonly BulkOperation[]
  readonly #failOnErrors: number
  readonly #send: Send
  readonly #endpoints: readonly string[]
  readonly #tenantUrl: string
  readonly #profile: Profile
  readonly #work: Work
  readonly #toScimError: ToScimError
  /** The bulkIds that each operation names. Found once: it takes a walk through all of the data. */
  readonly #references: readonly ReadonlySet<string>[]
  /** Which operation makes a bulkId. */
  readonly #makers: ReadonlyMap<string, number>
  readonly #ids = new Map<string, string>()
  readonly #results = new Map<number, Complex>()
  #errors = 0

  constructor(
    { operations, failOnErrors }: BulkRequest,
    { send, endpoints, profile, tenantUrl, work, toScimError }: BulkContext,
  ) {
    this.#operations = operations
    this.#failOnErrors = failOnErrors ?? Number.POSITIVE_INFINITY
    this.#send = send
    this.#endpoints = endpoints
    this.#tenantUrl = tenantUrl
    this.#profile = profile
    this.#work = work
    this.#toScimError = toScimError
    this.#references = operations.map(bulkReferences)
    this.#makers = new Map(
      operations.flatMap(({ method, bulkId }, index) =>
        method === 'POST' && bulkId !== undefined ? [[bulkId, index]] : [],
      ),
    )
  }

  async run(): Promise<object> {
    const later: { index: number; id: string; attributes: Complex }[] = []
    const waiting = new Set(this.#operations.keys())
    while (waiting.size > 0 && !this.#isStopped()) {
      const index = this.#next(waiting)
      waiting.delete(index)
      const deferred = await this.#guard(index, () => this.#runOperation(index, waiting))
      if (deferred !== undefined) later.push({ index, ...deferred })
    }
    // Also when the rest is left undone: these operations were begun.
    for (const { index, id, attributes } of later) {
      await this.#guard(index, () => this.#addDeferred(index, id, attributes))
    }
    const results = [...this.#results.entries()].sort(([a], [b]) => a - b).map(([, result]) => result)
    return { schemas: [BULK_RESPONSE], Operations: results }
  }

  /** Makes whatever an operation throws its result: those before it are done, and the client has to hear of them. */
  async #guard<Result>(index: number, run: () => Promise<Result>): Promise<Result | undefined> {
    try {
      return await run()
    } catch (error) {
      this.#fail(index, this.#toScimError(error))
      return undefined
    }
  }

  /** RFC 7644 §3.7: after so many errors the rest is left undone. */
  #isStopped(): boolean {
    return this.#errors >= this.#failOnErrors
  }

  /** The first operation that waits for none of the others; in a circle, the first that creates something. */
  #next(waiting: ReadonlySet<number>): number {
    const indexes = [...waiting]
    const isReady = (index: number) => {
      for (const bulkId of this.#references[index] ?? []) {
        const maker = this.#makers.get(bulkId)
        if (maker !== undefined && maker !== index && waiting.has(maker)) return false
      }
      return true
    }
    const isPost = (index: number) => this.#operations[index]?.method === 'POST'
    return indexes.find(isReady) ?? indexes.find(isPost) ?? indexes[0] ?? 0
  }

  /** The bulkIds that the operation names and that another waiting operation will make, or the operation itself. */
  #unresolved(index: number, waiting: ReadonlySet<number>): ReadonlySet<string> {
    const isComing = (bulkId: string) => {
      const maker = this.#makers.get(bulkId)
      return maker !== undefined && (maker === index || waiting.has(maker))
    }
    return new Set([...(this.#references[index] ?? [])].filter(isComing))
  }

  /**
   * @returns what of a POST has to be added later, because it names what is not made yet
   * @throws {ScimError} why it cannot be sent; invalidValue when those before it have spent the work of the request
   */
  async #runOperation(
    index: number,
    waiting: ReadonlySet<number>,
  ): Promise<{ id: string; attributes: Complex } | undefined> {
    const operation = this.#operations[index]
    if (operation === undefined) return undefined
    // Before anything is read for it: when the work of the request is spent, it can only be refused.
    this.#work.visit()
    const missing = [...(this.#references[index] ?? [])].filter((bulkId) => !this.#ids.has(bulkId))
    const unresolved = this.#unresolved(index, waiting)
    const impossible = missing.find((bulkId) => !unresolved.has(bulkId) || operation.method !== 'POST')
    if (impossible !== undefined) throw notCreated(impossible)
    const { now, later } = deferReferences(operation.data, unresolved)
    const { method, version, data } = resolveReferences({ ...operation, data: now }, this.#ids)
    const path = this.#pathOf(operation)
    if (!this.#isPathOf(method, path)) {
      throw new ScimError(404, undefined, `there is no ${quote(path)} for bulk operations`)
    }
    if (version !== undefined && !HEADER_VALUE.test(version)) {
      throw badRequest(
        'invalidValue',
        `"version" must be an entity tag such as W/"3", found ${quote(version)}`,
      )
    }
    const response = await this.#send(method, path, data, version)
    const id = await this.#record(index, response)
    return id !== undefined && Object.keys(later).length > 0 ? { id, attributes: later } : undefined
  }

  /**
   * Closes a circle of references: now every id is known. When one of them came to nothing, the resource
   * cannot be what was asked for, so it goes again: RFC 7644 §3.7.1 lets us answer 409.
   *
   * @throws {ScimError} why it cannot be closed
   */
  async #addDeferred(index: number, id: string, attributes: Complex): Promise<void> {
    const operation = this.#operations[index]
    if (operation === undefined) return
    const path = `${this.#pathOf(operation)}/${id}`
    try {
      this.#work.visit()
      const message = { schemas: [PATCH_OP], Operations: [{ op: 'add', value: attributes }] }
      const patch = { ...operation, data: message }
      const missing = [...bulkReferences(patch)].find((bulkId) => !this.#ids.has(bulkId))
      if (missing !== undefined) throw notCreated(missing)
      const { data } = resolveReferences(patch, this.#ids)
      const response = await this.#send('PATCH', path, data, undefined)
      if (response.status < 400) {
        this.#results.set(index, { ...this.#results.get(index), ...(await versionOf(response)) })
        return
      }
      await this.#record(index, response)
    } catch (error) {
      await this.#undo(operation, path)
      throw error
    }
    await this.#undo(operation, path)
  }

  /** Deletes what a POST made, so that nothing else refers to it either. */
  async #undo({ bulkId }: BulkOperation, path: string): Promise<void> {
    if (bulkId !== undefined) this.#ids.delete(bulkId)
    const response = await this.#send('DELETE', path, undefined, undefined)
    await response.body?.cancel()
  }

  /** Notes the outcome of an operation. @returns the id of the resource, when there is one */
  async #record(index: number, response: Response): Promise<string | undefined> {
    const text = await response.text()
    const body: unknown = text === '' ? undefined : JSON.parse(text)
    const { method, bulkId } = this.#operations[index] ?? {}
    const location = response.headers.get('Location') ?? this.#locationOf(index)
    const failed = response.status >= 400
    if (failed) this.#errors++
    const id = isComplex(body) && typeof body.id === 'string' && !failed ? body.id : undefined
    if (method === 'POST' && bulkId !== undefined && id !== undefined) this.#ids.set(bulkId, id)
    this.#results.set(index, {
      method,
      ...(bulkId === undefined ? {} : { bulkId }),
      ...(location === undefined ? {} : { location }),
      ...(response.headers.has('ETag') ? { version: response.headers.get('ETag') } : {}),
      status: String(response.status),
      // RFC 7644 §3.7: "response" MUST be there for an error.
      ...(failed ? { response: body } : {}),
    })
    return id
  }

  #fail(index: number, error: ScimError): void {
    const { method, bulkId } = this.#operations[index] ?? {}
    const location = this.#locationOf(index)
    this.#errors++
    this.#results.set(index, {
      method,
      ...(bulkId === undefined ? {} : { bulkId }),
      ...(location === undefined ? {} : { location }),
      status: String(error.status),
      response: errorMessage(error),
    })
  }

  /** RFC 7644 §3.7.3: every operation has a location, also one that failed, but for a POST that made nothing. */
  #locationOf(index: number): string | undefined {
    const operation = this.#operations[index]
    if (operation === undefined || operation.method === 'POST') return undefined
    const path = this.#pathOf(operation)
    return this.#isPathOf(operation.method, path) ? `${this.#tenantUrl}${path}` : undefined
  }

  #pathOf({ path }: BulkOperation): string {
    return endpointOfOperation(resolvePath(path, this.#ids), this.#endpoints, this.#profile)
  }

  /** RFC 7644 §3.7: a POST names the endpoint of a resource type, everything else a resource. */
  #isPathOf(method: BulkOperation['method'], path: string): boolean {
    const endpoint = this.#endpoints.find((one) => path === one || path.startsWith(`${one}/`))
    if (endpoint === undefined) return false
    return method === 'POST' ? path === endpoint : ID.test(path.slice(endpoint.length + 1))
  }
}

function notCreated(bulkId: string): ScimError {
  return new ScimError(
    409,
    'invalidValue',
    `bulkId ${quote(bulkId)} names no operation that created a resource`,
  )
}

async function versionOf(response: Response): Promise<Complex> {
  await response.body?.cancel()
  const version = response.headers.get('ETag')
  return version === null ? {} : { version }
}
