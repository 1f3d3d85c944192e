/**
 * Sends requests to token endpoints through an injected fetch. Repeats a request after 429 and 5xx, as often and with
 * the same waiting times as requests to the SCIM endpoint.
 */
import type { Clock } from '../clock.ts'
import { type Answered, exchange, type Fetch, waitBeforeRetry } from '../protocol/fetch.ts'
import type { Failure } from '../protocol/response.ts'
import type { Workload } from './grant.ts'
import { assertionRequest, type TokenRequest } from './token-request.ts'
import { type AccessTokenOutcome, interpretTokenResponse, jsonObject } from './token-response.ts'

export interface TokenClientOptions {
  readonly fetch: Fetch
  readonly clock: Clock
  /** Time limit for a response. */
  readonly timeoutMs?: number
}

/** Sends a token request once. */
export function sendTokenRequest(
  { url, headers, form }: TokenRequest,
  { fetch, timeoutMs }: TokenClientOptions,
): Promise<Answered> {
  return exchange(
    fetch,
    url,
    {
      method: 'POST',
      headers: { ...headers, 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(form).toString(),
    },
    timeoutMs,
  )
}

/** Requests an access token. When `signal` aborts, waiting for the next attempt ends. */
export async function requestToken(
  request: TokenRequest,
  options: TokenClientOptions,
  signal?: AbortSignal,
): Promise<AccessTokenOutcome> {
  const { clock } = options
  for (let attempt = 1; ; attempt++) {
    const { answer, retryAfter } = await sendTokenRequest(request, options)
    const passing = answer.kind === 'answer' && (answer.status === 429 || answer.status >= 500)
    const waitMs = passing ? waitBeforeRetry(retryAfter, attempt, clock.now()) : undefined
    if (waitMs === undefined || signal?.aborted)
      return interpretTokenResponse(request.url, answer, request.secrets)
    await clock.sleep(waitMs, signal)
  }
}

/** Requests an assertion from the issuer of a workload, whose token endpoint is found by OpenID Connect Discovery. */
export async function requestAssertion(
  workload: Workload,
  options: TokenClientOptions,
  signal?: AbortSignal,
): Promise<AccessTokenOutcome> {
  const found = await discoverTokenEndpoint(workload.issuer, options)
  if (typeof found !== 'string') return found
  return requestToken(assertionRequest(workload, found), options, signal)
}

async function discoverTokenEndpoint(
  issuer: string,
  { fetch, timeoutMs }: TokenClientOptions,
): Promise<string | Failure> {
  const url = `${issuer}/.well-known/openid-configuration`
  const { answer } = await exchange(fetch, url, { method: 'GET', headers: {} }, timeoutMs)
  const endpoint = answer.kind === 'answer' ? jsonObject(answer.text)?.token_endpoint : undefined
  if (typeof endpoint === 'string' && URL.canParse(endpoint)) return endpoint
  const reason =
    answer.kind === 'none' ? answer.message : `HTTP ${answer.status} without a URL in "token_endpoint"`
  return {
    ok: false,
    code: 'WebExceptionProtocolError',
    reach: 'job',
    detail: `Issuer ${url}: ${reason}`,
  }
}
