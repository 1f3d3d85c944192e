/**
 * Sends requests to the SCIM endpoint with a bearer token through an injected fetch. A 429 response pauses all requests
 * for the time in `Retry-After`. After a 401, the request is repeated once with a new access token, if there is one.
 */

import type { Clock } from '../clock.ts'
import {
  type Answered,
  DEFAULT_RETRY,
  exchange,
  type Fetch,
  type RetryPolicy,
  waitBeforeRetry,
} from './fetch.ts'
import type { ScimRequest } from './requests.ts'
import type { Purpose, WireResponse } from './response.ts'
import { interpretResponse, type Outcome } from './response.ts'
import { requestUrl, type TenantUrl } from './tenant-url.ts'
import { redact, type TokenSource } from './token-source.ts'

/** A request and its response, for logs and for `check`. Does not contain the token. */
export interface Exchange {
  readonly request: ScimRequest
  readonly answer: WireResponse
  readonly durationMs: number
}

/** What a provider does the same way in all its requests. */
export interface WireProfile {
  /** Headers of every request, besides Authorization. */
  readonly headers: Readonly<Record<string, string>>
  /** Headers of a request with a body. */
  readonly bodyHeaders: Readonly<Record<string, string>>
  readonly retry: RetryPolicy
}

/** Entra's requests; the sources are in README.md. */
export const ENTRA_WIRE: WireProfile = {
  headers: {},
  bodyHeaders: { 'Content-Type': 'application/scim+json; charset=utf-8' },
  retry: DEFAULT_RETRY,
}

export interface ScimClientOptions {
  readonly tenantUrl: TenantUrl
  readonly tokens: TokenSource
  readonly fetch: Fetch
  readonly clock: Clock
  /** Default: that of Entra. */
  readonly wire?: WireProfile
  /** Time limit for a response. */
  readonly timeoutMs?: number
  /** When aborted, the client stops waiting after a 429. */
  readonly signal?: AbortSignal
  readonly onExchange?: (exchange: Exchange) => void
  readonly onThrottled?: (waitMs: number) => void
}

export class ScimClient {
  readonly #options: ScimClientOptions
  /** No request starts before this time. */
  #pausedUntil = 0
  requestCount = 0

  constructor(options: ScimClientOptions) {
    this.#options = options
  }

  /**
   * Sends a request, repeats it after 429 and once after 401, and interprets the response. Without an access token
   * nothing is sent, and the outcome is the failure of the token endpoint.
   */
  async send(purpose: Purpose, request: ScimRequest): Promise<Outcome> {
    const { clock, signal, tokens, wire = ENTRA_WIRE } = this.#options
    let renewed = false
    for (let attempt = 1; ; ) {
      const wait = this.#pausedUntil - clock.now()
      if (wait > 0) await clock.sleep(wait, signal)
      const access = await tokens.token(signal)
      if (!access.ok) return access
      const { answer, retryAfter } = await this.#exchange(request, access.token)
      const status = answer.kind === 'answer' ? answer.status : undefined
      if (status === 401 && !renewed && tokens.reject(access.token)) {
        renewed = true
        continue
      }
      const waitMs =
        status === 429 ? waitBeforeRetry(retryAfter, attempt++, clock.now(), wire.retry) : undefined
      if (waitMs === undefined || signal?.aborted) return interpretResponse(purpose, answer)
      this.#options.onThrottled?.(waitMs)
      this.#pausedUntil = Math.max(this.#pausedUntil, clock.now() + waitMs)
    }
  }

  async #exchange(request: ScimRequest, token: string): Promise<Answered> {
    const { clock, fetch, onExchange, tenantUrl, timeoutMs, wire = ENTRA_WIRE } = this.#options
    const started = clock.now()
    this.requestCount++
    const { answer, retryAfter } = await exchange(
      fetch,
      requestUrl(tenantUrl, request.path),
      {
        method: request.method,
        headers: headersOf(request, token, wire),
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      },
      timeoutMs,
    )
    const shown = withoutToken(answer, token)
    onExchange?.({ request, answer: shown, durationMs: clock.now() - started })
    return { answer: shown, retryAfter }
  }
}

function headersOf(request: ScimRequest, token: string, wire: WireProfile): Record<string, string> {
  return {
    Authorization: `Bearer ${token}`,
    ...wire.headers,
    ...(request.body === undefined ? {} : wire.bodyHeaders),
  }
}

/** Error messages are shown and logged, and some endpoints repeat the rejected token in them. */
function withoutToken(answer: WireResponse, token: string): WireResponse {
  if (answer.kind === 'none' || answer.status < 400) return answer
  return { ...answer, text: redact(answer.text, [token]) }
}
