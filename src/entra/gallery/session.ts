/**
 * Sends the requests of a test, records every exchange, and keeps track of the created resources, so that they can be
 * deleted after the test. The validator's own requests and those of the provisioning service differ in their headers.
 */
import type { Clock, Instant } from '../clock.ts'
import { isObject, type JsonObject, parseJson } from '../problem.ts'
import type { Fetch } from '../protocol/fetch.ts'
import { deleteRequest, type ObjectType, type ScimRequest } from '../protocol/requests.ts'
import type { Outcome, Purpose } from '../protocol/response.ts'
import { ENTRA_WIRE, type Exchange, ScimClient, type WireProfile } from '../protocol/scim-client.ts'
import type { TenantUrl } from '../protocol/tenant-url.ts'
import type { TokenSource } from '../protocol/token-source.ts'

/** An exchange, and when its request was sent. */
export interface TimedExchange extends Exchange {
  readonly startedAt: Instant
}

export interface SessionOptions {
  readonly tenantUrl: TenantUrl
  readonly tokens: TokenSource
  readonly fetch: Fetch
  readonly clock: Clock
  readonly signal?: AbortSignal
}

/** The answer to a request of the validator. An HTTP action with a status of 400 or more has failed. */
export interface Reply {
  /** 0 if there was no response, as in the validator's messages. */
  readonly status: number
  readonly body: JsonObject
  readonly ok: boolean
}

/** "scimContentType" in Orchestrator_Parameters.json. */
const MEDIA_TYPE = 'application/scim+json'

const VALIDATOR_WIRE: WireProfile = {
  ...ENTRA_WIRE,
  headers: { Accept: MEDIA_TYPE },
  bodyHeaders: { 'Content-Type': MEDIA_TYPE },
}

export class GallerySession {
  readonly exchanges: TimedExchange[] = []
  readonly #clock: Clock
  readonly #created = new Map<string, ObjectType>()
  readonly #validator: ScimClient
  /** Sends the requests of the provisioning service. */
  readonly service: ScimClient

  constructor(options: SessionOptions) {
    this.#clock = options.clock
    const onExchange = (exchange: Exchange) => this.record(exchange)
    this.service = new ScimClient({ ...options, onExchange })
    this.#validator = new ScimClient({ ...options, onExchange, wire: VALIDATOR_WIRE })
  }

  /** Sends a request as the validator does. */
  async send(request: ScimRequest): Promise<Reply> {
    const before = this.exchanges.length
    const outcome = await this.#validator.send('probe', request)
    const answer = this.exchanges[before]?.answer
    const last = this.exchanges.at(-1)?.answer ?? answer
    if (this.exchanges.length === before || last === undefined || last.kind === 'none')
      return { status: 0, body: outcome.ok ? {} : { detail: outcome.detail }, ok: false }
    return { status: last.status, body: readJson(last.text), ok: last.status < 400 }
  }

  /** Sends a request as the provisioning service does. */
  sendAsService(purpose: Purpose, request: ScimRequest): Promise<Outcome> {
    return this.service.send(purpose, request)
  }

  /** Exchanges outside of the SCIM endpoint, such as token requests without their secrets, are recorded here too. */
  record(exchange: Exchange): void {
    this.exchanges.push({ ...exchange, startedAt: this.#clock.now() - exchange.durationMs })
    const { request, answer } = exchange
    if (answer.kind === 'none' || answer.status > 299) return
    const type = request.path.startsWith('/Groups') ? 'Group' : 'User'
    const id = readJson(answer.text).id
    if (request.method === 'POST' && typeof id === 'string') this.#created.set(id, type)
    if (request.method === 'DELETE')
      this.#created.delete(decodeURIComponent(request.path.split('/').at(-1) ?? ''))
  }

  /** Deletes what a test created and returns the resources that remain, such as `User 42`. */
  async cleanUp(): Promise<readonly string[]> {
    const remaining: string[] = []
    for (const [id, type] of this.#created) {
      const { status } = await this.send(deleteRequest(type, id))
      if (status > 299 && status !== 404) remaining.push(`${type} ${id}`)
    }
    this.#created.clear()
    return remaining
  }
}

function readJson(text: string): JsonObject {
  try {
    const body: unknown = parseJson(text)
    return isObject(body) ? body : {}
  } catch {
    return {}
  }
}
