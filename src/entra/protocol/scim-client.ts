/**
 * Sends requests to the SCIM endpoint by an injected fetch: bearer token, content type, 60 seconds for an answer, no
 * redirects. 429 is waited out for everybody at once, as long as `Retry-After` says. Decides nothing about objects.
 */

import type { Clock } from '../clock.ts'
import type { Purpose, WireAnswer } from './answer.ts'
import { judgeAnswer, type Outcome } from './answer.ts'
import type { ScimRequest } from './requests.ts'
import { requestUrl, type TenantUrl } from './tenant-url.ts'

/** The part of fetch that is used; the global one fits. */
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

/** A request with its answer, for logs and the verdict. The token is not in it. */
export interface Exchange {
  readonly request: ScimRequest
  readonly answer: WireAnswer
  readonly durationMs: number
}

export interface ScimClientOptions {
  readonly tenantUrl: TenantUrl
  readonly token: string
  readonly fetch: Fetch
  readonly clock: Clock
  /** How long to wait for an answer, in milliseconds. */
  readonly timeoutMs?: number
  /** Ends waiting after a 429 when the run is being stopped. */
  readonly signal?: AbortSignal
  readonly onExchange?: (exchange: Exchange) => void
  readonly onThrottled?: (waitMs: number) => void
}

/** An endpoint that has not answered by then is reported as a timeout. */
export const ANSWER_TIMEOUT_MS = 60_000

/** How often one request is repeated after 429 before its object fails with TooManyRequests. */
const MAX_THROTTLED_ATTEMPTS = 5

/** Without `Retry-After`, waiting starts here and doubles. */
const DEFAULT_RETRY_AFTER_MS = 1000

/** A server that asks for more is not waited for: the object fails and is retried by a later cycle. */
const MAX_RETRY_AFTER_MS = 5 * 60_000

export class ScimClient {
  readonly #options: ScimClientOptions
  /** No request starts before this instant. */
  #pausedUntil = 0
  requestCount = 0

  constructor(options: ScimClientOptions) {
    this.#options = options
  }

  /** Sends a request, repeats it while the server throttles, and judges the answer. */
  async send(purpose: Purpose, request: ScimRequest): Promise<Outcome> {
    const { clock, signal } = this.#options
    for (let attempt = 1; ; attempt++) {
      const wait = this.#pausedUntil - clock.now()
      if (wait > 0) await clock.sleep(wait, signal)
      const { answer, retryAfter } = await this.#exchange(request)
      const throttled = answer.kind === 'answer' && answer.status === 429
      if (!throttled || attempt === MAX_THROTTLED_ATTEMPTS || signal?.aborted)
        return judgeAnswer(purpose, answer)
      const waitMs = retryAfterMs(retryAfter, clock.now()) ?? DEFAULT_RETRY_AFTER_MS * 2 ** (attempt - 1)
      if (waitMs > MAX_RETRY_AFTER_MS) return judgeAnswer(purpose, answer)
      this.#options.onThrottled?.(waitMs)
      this.#pausedUntil = Math.max(this.#pausedUntil, clock.now() + waitMs)
    }
  }

  async #exchange(request: ScimRequest): Promise<{ answer: WireAnswer; retryAfter: string | null }> {
    const started = this.#options.clock.now()
    this.requestCount++
    const { answer, retryAfter } = await this.#fetch(request)
    this.#options.onExchange?.({ request, answer, durationMs: this.#options.clock.now() - started })
    return { answer, retryAfter }
  }

  async #fetch(request: ScimRequest): Promise<{ answer: WireAnswer; retryAfter: string | null }> {
    const { tenantUrl, fetch, timeoutMs = ANSWER_TIMEOUT_MS } = this.#options
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
      const answer: WireAnswer = {
        kind: 'answer',
        status: response.status,
        contentType,
        text: await response.text(),
      }
      return { answer, retryAfter: response.headers.get('retry-after') }
    } catch (error) {
      const reason = timeout.aborted ? 'timeout' : 'network'
      const message = timeout.aborted
        ? `No answer within ${timeoutMs / 1000} seconds`
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

/** `Retry-After` in milliseconds: seconds or an HTTP date. Undefined when absent or unreadable. */
function retryAfterMs(header: string | null, now: number): number | undefined {
  if (header === null) return undefined
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000
  const date = Date.parse(header)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

/** Node hides the reason of a failed fetch in `cause`, and in `errors` below it when several addresses were tried. */
function describeNetworkError(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  if (cause instanceof AggregateError && cause.errors[0] instanceof Error) return cause.errors[0].message
  return cause instanceof Error ? cause.message : String(cause)
}
