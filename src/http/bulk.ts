/**
 * /Bulk (RFC 7644 §3.7). Each operation is dispatched as a request to the same routes, with the same authentication, log,
 * preconditions and errors. Operations run sequentially, because later ones may depend on earlier ones. An operation that
 * refers to a bulkId runs after the operation that creates the resource.
 */
import { Hono } from 'hono'
import { type Dispatch, type HttpEnv, runtimeWith } from '../runtime.ts'
import {
  type BulkOperation,
  type BulkRequest,
  bulkReferences,
  creatorsIn,
  creatorsOf,
  deferReferences,
  isLongPath,
  parseBulkRequest,
  resolvePath,
  resolveReferences,
} from '../scim/bulk-request.ts'
import { type Complex, isComplex } from '../scim/comparison.ts'
import { endpointOfOperation } from '../scim/compatibility/http.ts'
import { badRequest, errorMessage, quote, ScimError } from '../scim/error.ts'
import type { Profile } from '../scim/profile.ts'
import { servedTypes } from '../scim/schema/group-membership.ts'
import { BULK_RESPONSE, PATCH_OP } from '../scim/urn.ts'
import { BULK_VALUE_UNITS, type Work } from '../scim/work.ts'
import { readAs } from '../storage/access/tokens.ts'
import { bearerAuth } from './bearer-auth.ts'
import { readBody, scimJson } from './content-type.ts'
import { scimErrorOf } from './errors.ts'
import { profileOf } from './profile.ts'
import { tenantUrl } from './request.ts'
import { tenantHandler } from './tenant.ts'
import { workOf } from './work.ts'

/** Sends one operation. The path is relative to the Tenant URL, and the version is sent as If-Match. */
type Send = (method: string, path: string, data: unknown, version: string | undefined) => Promise<Response>

/**
 * The allowed ids: characters that a URL path contains unencoded (RFC 3986 §3.3), without a dot at the beginning. Text such
 * as `\`, a tab, `..`, `%2e%2e`, `?` or `#` could change the path, and with it the route.
 */
const ID = /^(?!\.)[\w.~!$&'()*+,;=:@-]+$/
/** The allowed header values (RFC 9110 §5.5), without surrounding spaces, which runtimes trim, and non-ASCII characters. */
const HEADER_VALUE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/

/** Converts any exception to a ScimError. */
type ToScimError = (error: unknown) => ScimError

/** @param dispatch handles each operation */
export function bulk(dispatch: Dispatch) {
  const handler = tenantHandler()(async (c) => {
    const request = parseBulkRequest(await readBody(c), profileOf(c))
    // A token that was not in the cache has already been verified.
    if (c.get('figures').roundTrips === 0) await readAs(c.get('tenant'), [])
    // The operations have the client address of this request. Their bodies are already counted as part of this body, and
    // their responses are read immediately.
    const clientAddress = c.env.clientAddress ?? c.req.header('CF-Connecting-IP')
    const parts = { heldBodies: undefined, answers: undefined, observe: undefined, clientAddress }
    const poked = new Set<string>()
    const pokeWebhooks = (_tenantId: string, ids: readonly string[]) => {
      for (const id of ids) poked.add(id)
    }
    const env = runtimeWith(c.env, { pokeWebhooks, figures: c.get('figures'), work: workOf(c), ...parts })
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
      endpoints: servedTypes(c.get('resourceTypes')).map(({ endpoint }) => endpoint),
      profile: profileOf(c),
      tenantUrl: tenantUrl(c),
      work: workOf(c),
      toScimError: (error) => scimErrorOf(c, error),
    })
    const results = await run.run()
    c.env.pokeWebhooks(c.get('tenant').tenantId, [...poked])
    return scimJson(c, JSON.stringify(results), 200)
  })
  return new Hono<HttpEnv>().post('/', bearerAuth, handler)
}

/** The dependencies of a BulkRun. */
interface BulkContext {
  readonly send: Send
  /** The endpoints of the resource types. */
  readonly endpoints: readonly string[]
  readonly profile: Profile
  readonly tenantUrl: string
  readonly work: Work
  readonly toScimError: ToScimError
}

/** The execution of one bulk request: the results, the pending operations, and the ids of created resources. */
class BulkRun {
  readonly #operations: readonly BulkOperation[]
  readonly #failOnErrors: number
  readonly #send: Send
  readonly #endpoints: readonly string[]
  readonly #tenantUrl: string
  readonly #profile: Profile
  readonly #work: Work
  readonly #toScimError: ToScimError
  /** The bulkIds that each operation refers to. Computed once, because it traverses all data. */
  readonly #references: readonly ReadonlySet<string>[]
  /** The number of values of each operation. */
  readonly #values: readonly number[]
  /** The operations that create them, which are compared again and again. */
  readonly #creatorsOf: readonly (readonly number[])[]
  /** The index of the operation that creates the resource of a bulkId. */
  readonly #creators: ReadonlyMap<string, number>
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
    const references = operations.map(bulkReferences)
    this.#references = references.map(({ bulkIds }) => bulkIds)
    this.#values = references.map(({ values }) => values)
    this.#creators = creatorsIn(operations)
    this.#creatorsOf = this.#references.map((bulkIds) => creatorsOf(bulkIds, this.#creators))
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
    // Runs even if failOnErrors stopped the others, because these operations were already started.
    for (const { index, id, attributes } of later) {
      await this.#guard(index, () => this.#addDeferred(index, id, attributes))
    }
    const results = [...this.#results.entries()].sort(([a], [b]) => a - b).map(([, result]) => result)
    return { schemas: [BULK_RESPONSE], Operations: results }
  }

  /** Converts an exception to the result of the operation. The client must still get the results of earlier operations. */
  async #guard<Result>(index: number, run: () => Promise<Result>): Promise<Result | undefined> {
    try {
      return await run()
    } catch (error) {
      this.#fail(index, this.#toScimError(error))
      return undefined
    }
  }

  /** RFC 7644 §3.7: the remaining operations are not run after failOnErrors errors. */
  #isStopped(): boolean {
    return this.#errors >= this.#failOnErrors
  }

  /** The first operation that does not depend on a waiting one. For circular references, the first POST. */
  #next(waiting: ReadonlySet<number>): number {
    const indexes = [...waiting]
    const isReady = (index: number) =>
      this.#creatorsOf[index]?.every((creator) => creator === index || !waiting.has(creator)) ?? true
    const isPost = (index: number) => this.#operations[index]?.method === 'POST'
    return indexes.find(isReady) ?? indexes.find(isPost) ?? indexes[0] ?? 0
  }

  /** The bulkIds that the operation refers to and that a waiting operation, or the operation itself, will create. */
  #unresolved(index: number, waiting: ReadonlySet<number>): ReadonlySet<string> {
    const isPending = (bulkId: string) => {
      const creator = this.#creators.get(bulkId)
      return creator !== undefined && (creator === index || waiting.has(creator))
    }
    return new Set([...(this.#references[index] ?? [])].filter(isPending))
  }

  /**
   * @returns the attributes of a POST that must be added later, because they refer to resources that do not exist yet
   * @throws {ScimError} if the operation cannot be sent; invalidValue if the request exceeds the work limit
   */
  async #runOperation(
    index: number,
    waiting: ReadonlySet<number>,
  ): Promise<{ id: string; attributes: Complex } | undefined> {
    const operation = this.#operations[index]
    if (operation === undefined) return undefined
    // Throws before any query if the request has already exceeded the work limit.
    this.#work.spend((this.#values[index] ?? 0) * BULK_VALUE_UNITS)
    const missing = [...(this.#references[index] ?? [])].filter((bulkId) => !this.#ids.has(bulkId))
    const unresolved = this.#unresolved(index, waiting)
    const impossible = missing.find((bulkId) => !unresolved.has(bulkId) || operation.method !== 'POST')
    if (impossible !== undefined) throw notCreated(impossible)
    const { now, later } = deferReferences(operation.data, unresolved)
    const { method, version, data } = resolveReferences({ ...operation, data: now }, this.#ids)
    const path = this.#pathOf(operation)
    if (!this.#isPathOf(method, path)) {
      throw new ScimError(404, undefined, `bulk operations do not support the path ${quote(path)}`)
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
   * Adds the attributes with circular references, once all ids are known. If one of the referenced resources was not
   * created, the resource is deleted again, and the result is 409 (RFC 7644 §3.7.1).
   *
   * @throws {ScimError} if the references cannot be resolved
   */
  async #addDeferred(index: number, id: string, attributes: Complex): Promise<void> {
    const operation = this.#operations[index]
    if (operation === undefined) return
    const path = `${this.#pathOf(operation)}/${id}`
    try {
      this.#work.visit()
      const message = { schemas: [PATCH_OP], Operations: [{ op: 'add', value: attributes }] }
      const patch = { ...operation, data: message }
      const missing = [...bulkReferences(patch).bulkIds].find((bulkId) => !this.#ids.has(bulkId))
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

  /** Deletes the resource that a POST created, and forgets its bulkId. */
  async #undo({ bulkId }: BulkOperation, path: string): Promise<void> {
    if (bulkId !== undefined) this.#ids.delete(bulkId)
    const response = await this.#send('DELETE', path, undefined, undefined)
    await response.body?.cancel()
  }

  /** Records the result of an operation. @returns the id of the resource, if there is one */
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
      // RFC 7644 §3.7: "response" is required for an error.
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

  /** RFC 7644 §3.7.3: every result has a location, except that of a failed POST. */
  #locationOf(index: number): string | undefined {
    const operation = this.#operations[index]
    if (operation === undefined || operation.method === 'POST') return undefined
    const path = this.#pathOf(operation)
    return this.#isPathOf(operation.method, path) ? `${this.#tenantUrl}${path}` : undefined
  }

  #pathOf({ path }: BulkOperation): string {
    return endpointOfOperation(resolvePath(path, this.#ids), this.#endpoints, this.#profile)
  }

  /** RFC 7644 §3.7: the path of a POST is the endpoint of a resource type. All other paths name a resource. */
  #isPathOf(method: BulkOperation['method'], path: string): boolean {
    const endpoint = this.#endpoints.find((one) => path === one || path.startsWith(`${one}/`))
    if (endpoint === undefined || isLongPath(path)) return false
    return method === 'POST' ? path === endpoint : ID.test(path.slice(endpoint.length + 1))
  }
}

function notCreated(bulkId: string): ScimError {
  return new ScimError(
    409,
    'invalidValue',
    `bulkId ${quote(bulkId)} does not refer to an operation that created a resource`,
  )
}

async function versionOf(response: Response): Promise<Complex> {
  await response.body?.cancel()
  const version = response.headers.get('ETag')
  return version === null ? {} : { version }
}
