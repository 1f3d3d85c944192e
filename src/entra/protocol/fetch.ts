/**
 * One HTTP exchange through an injected fetch, with a time limit, and the waiting times before a request is repeated.
 * Does not follow redirects.
 */
import type { Instant } from '../clock.ts'
import type { WireResponse } from './response.ts'

/** The part of fetch that the emulator uses; compatible with the global function. */
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

/** A response with its `Retry-After` header. */
export interface Answered {
  readonly answer: WireResponse
  readonly retryAfter: string | null
}

/** The default time limit for a response. */
export const RESPONSE_TIMEOUT_MS = 60_000

/** When a request that is answered with 429 is repeated. */
export interface RetryPolicy {
  /** Attempts for one request, with the first one. */
  readonly maxAttempts: number
  /** The wait without a usable `Retry-After`. */
  readonly defaultMs: number
  /** Whether that wait doubles with each attempt. */
  readonly doubles: boolean
  /** A longer wait is not made: the request fails, and a later cycle repeats it. */
  readonly maxWaitMs: number
  /** Whether `Retry-After` may be an HTTP date. */
  readonly readsDates: boolean
}

/** The emulator's own choice, because Microsoft does not document the waiting times. */
export const DEFAULT_RETRY: RetryPolicy = {
  maxAttempts: 5,
  defaultMs: 1000,
  doubles: true,
  maxWaitMs: 5 * 60_000,
  readsDates: true,
}

/** Sends a request. A missing response is a value, not an error. */
export async function exchange(
  fetch: Fetch,
  url: string,
  request: Pick<FetchInit, 'method' | 'headers' | 'body'>,
  timeoutMs = RESPONSE_TIMEOUT_MS,
): Promise<Answered> {
  const timeout = AbortSignal.timeout(timeoutMs)
  try {
    const response = await fetch(url, { ...request, redirect: 'manual', signal: timeout })
    const contentType = response.headers.get('content-type') ?? ''
    const text = await response.text()
    return {
      answer: { kind: 'answer', status: response.status, contentType, text },
      retryAfter: response.headers.get('retry-after'),
    }
  } catch (error) {
    const reason = timeout.aborted ? 'timeout' : 'network'
    const message = timeout.aborted
      ? `No response within ${timeoutMs / 1000} seconds`
      : describeNetworkError(error)
    return { answer: { kind: 'none', reason, message }, retryAfter: null }
  }
}

/**
 * The wait before the next attempt, in milliseconds; undefined if the request must not be repeated.
 * @param attempt the number of attempts so far, from 1
 */
export function waitBeforeRetry(
  retryAfter: string | null,
  attempt: number,
  now: Instant,
  policy: RetryPolicy = DEFAULT_RETRY,
): number | undefined {
  if (attempt >= policy.maxAttempts) return undefined
  const defaultMs = policy.defaultMs * (policy.doubles ? 2 ** (attempt - 1) : 1)
  const waitMs = retryAfterMs(retryAfter, now, policy.readsDates) ?? defaultMs
  return waitMs > policy.maxWaitMs ? undefined : waitMs
}

/** The value of `Retry-After`, in seconds or as an HTTP date, as milliseconds; undefined if absent or not read. */
function retryAfterMs(header: string | null, now: Instant, readsDates: boolean): number | undefined {
  if (header === null) return undefined
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000
  if (!readsDates) return undefined
  const date = Date.parse(header)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

/** Node.js stores the reason of a failed fetch in `cause`, or in its `errors` if several addresses were tried. */
function describeNetworkError(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  if (cause instanceof AggregateError && cause.errors[0] instanceof Error) return cause.errors[0].message
  return cause instanceof Error ? cause.message : String(cause)
}
