/**
 * Sends requests to the SCIM endpoint with a bearer token through an injected fetch. Does not follow redirects. A 429
 * response pauses all requests for the time in `Retry-After`.
 */

import type { Clock } from '../clock.ts'
import type { ScimRequest } from './requests.ts'
import type { Purpose, WireResponse } from './response.ts'
import { interpretResponse, type Outcome } from './response.ts'
import { requestUrl, type TenantUrl } from './tenant-url.ts'

/** The part of fetch that the client uses; compatible with the global function. */
export type Fetch = (url: string, init: FetchInit) => Promise<FetchAnswer>

export interface FetchInit {
  readonly method: string
  readonly headers: Record<string, string>
  readonly body?: string
  readonly redirect: 'manual'
  readonly signal: AbortSignal
}

export interface FetchAnswer {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  text(): Promise<string>
}

/** A request and its response, for logs and for `check`. Does not contain the token. */
export interface Exchange {
  readonly request: ScimRequest
  readonly answer: WireResponse
  readonly durationMs: number
}

export interface ScimClientOptions {
  readonly tenantUrl: TenantUrl
  readonly token: string
  readonly fetch: Fetch
  readonly clock: Clock
  /** Time limit for a response. */
  readonly timeoutMs?: number
  /** When aborted, the client stops waiting after a 429. */
  readonly signal?: AbortSignal
  readonly onExchange?: (exchange: Exchange) => void
  readonly onThrottled?: (waitMs: number) => void
}

/** The default time limit for a response. */
export const RESPONSE_TIMEOUT_MS = 60_000

/** Attempts for one request that is answered with 429; then its object fails with TooManyRequests. */
const MAX_THROTTLED_ATTEMPTS = 5

/** The first wait without `Retry-After`; it doubles with each attempt. */
const DEFAULT_RETRY_AFTER_MS = 1000

/** The client does not wait longer; the object fails and a later cycle retries it. */
const MAX_RETRY_AFTER_MS = 5 * 60_000

export class ScimClient {
  readonly #options: ScimClientOptions
  /** No request starts before this time. */
  #pausedUntil = 0
  requestCount = 0

  constructor(options: ScimClientOptions) {
    this.#options = options
  }

  /** Sends a request, repeats it after 429, and interprets the response. */
  async send(purpose: Purpose, request: ScimRequest): Promise<Outcome> {
    const { clock, signal } = this.#options
    for (let attempt = 1; ; attempt++) {
      const wait = this.#pausedUntil - clock.now()
      if (wait > 0) await clock.sleep(wait, signal)
      const { answer, retryAfter } = await this.#exchange(request)
      const throttled = answer.kind === 'answer' && answer.status === 429
      if (!throttled || attempt === MAX_THROTTLED_ATTEMPTS || signal?.aborted)
        return interpretResponse(purpose, answer)
      const waitMs = retryAfterMs(retryAfter, clock.now()) ?? DEFAULT_RETRY_AFTER_MS * 2 ** (attempt - 1)
      if (waitMs > MAX_RETRY_AFTER_MS) return interpretResponse(purpose, answer)
      this.#options.onThrottled?.(waitMs)
      this.#pausedUntil = Math.max(this.#pausedUntil, clock.now() + waitMs)
    }
  }

  async #exchange(request: ScimRequest): Promise<{ answer: WireResponse; retryAfter: string | null }> {
    const started = this.#options.clock.now()
    this.requestCount++
    const { answer, retryAfter } = await this.#fetch(request)
    this.#options.onExchange?.({ request, answer, durationMs: this.#options.clock.now() - started })
    return { answer, retryAfter }
  }

  async #fetch(request: ScimRequest): Promise<{ answer: WireResponse; retryAfter: string | null }> {
    const { tenantUrl, fetch, timeoutMs = RESPONSE_TIMEOUT_MS } = this.#options
    const timeout = AbortSignal.timeout(timeoutMs)
    try {
      const response = await fetch(requestUrl(tenantUrl, request.path), {
        method: request.method,
        headers: this.#headers(request),
        redirect: 'manual',
        signal: timeout,
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      })
      const contentType = response.headers.get('content-type') ?? ''
      const answer: WireResponse = {
        kind: 'answer',
        status: response.status,
        contentType,
        text: await response.text(),
      }
      return { answer, retryAfter: response.headers.get('retry-after') }
    } catch (error) {
      const reason = timeout.aborted ? 'timeout' : 'network'
      const message = timeout.aborted
        ? `No response within ${timeoutMs / 1000} seconds`
        : describeNetworkError(error)
      return { answer: { kind: 'none', reason, message }, retryAfter: null }
    }
  }

  #headers(request: ScimRequest): Record<string, string> {
    const authorization = `Bearer ${this.#options.token}`
    if (request.body === undefined) return { Authorization: authorization }
    return { Authorization: authorization, 'Content-Type': 'application/scim+json; charset=utf-8' }
  }
}

/** The value of `Retry-After`, in seconds or as an HTTP date, as milliseconds; undefined if absent or invalid. */
function retryAfterMs(header: string | null, now: number): number | undefined {
  if (header === null) return undefined
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000
  const date = Date.parse(header)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

/** Node.js stores the reason of a failed fetch in `cause`, or in its `errors` if several addresses were tried. */
function describeNetworkError(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  if (cause instanceof AggregateError && cause.errors[0] instanceof Error) return cause.errors[0].message
  return cause instanceof Error ? cause.message : String(cause)
}
