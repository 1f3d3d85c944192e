/**
 * Converts all exceptions under /scim/v2 and /events, and of /metrics, to responses.
 */
import type { Context, ErrorHandler, NotFoundHandler } from 'hono'
import { matchedRoutes } from 'hono/route'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { logFault } from '../edge/log-fault.ts'
import { FeedError } from '../provider/events/event-feed.ts'
import type { HttpEnv } from '../runtime.ts'
import { errorMessage, HeldError, ScimError, shorten } from '../scim/error.ts'
import {
  ClientGone,
  DatabaseUnavailable,
  MAX_ROW_BYTES,
  ValueTooLarge,
} from '../storage/database/database.ts'
import { scimJson } from './content-type.ts'
import { EVENTS_PATH, METRICS_PATH } from './url.ts'

/** The value of Retry-After. */
export const RETRY_AFTER_SECONDS = 5
/** The challenge (RFC 6750 §3). It does not depend on the reason for the rejection. */
const CHALLENGE = 'Bearer realm="scim-worker"'

/** Converts an exception to an Error message (RFC 7644 §3.12). */
export const onError: ErrorHandler<HttpEnv> = (error, c) => errorResponse(c, error)

/** For unknown paths. */
export const onNotFound: NotFoundHandler<HttpEnv> = (c) =>
  errorResponse(
    c,
    new ScimError(404, undefined, `endpoint ${shorten(c.req.method)} ${shorten(c.req.path)} not found`),
  )

/** For all requests to a server with an invalid setting. */
export function onMisconfigured(c: Context<HttpEnv>): Response {
  return errorResponse(
    c,
    new ScimError(503, undefined, 'the server is misconfigured; its log names the setting'),
  )
}

/** For a known path with another method. */
export function onMethodNotAllowed(c: Context<HttpEnv>, methods: string[]): Response {
  const allow = methods.join(', ')
  const error = new ScimError(
    405,
    undefined,
    `method ${shorten(c.req.method)} is not supported; use one of ${allow}`,
  )
  const response = errorResponse(c, error)
  response.headers.set('Allow', allow)
  return response
}

/** An error as a response: an Error message (RFC 7644 §3.12), or in the plain form of the event feed. */
export function errorResponse(c: Context<HttpEnv>, error: unknown): Response {
  const scimError = scimErrorOf(c, error)
  const response = isPlain(c)
    ? c.json(plainMessage(scimError), scimError.status as ContentfulStatusCode)
    : scimJson(c, JSON.stringify(errorMessage(scimError)), scimError.status)
  if (scimError.status === 401) response.headers.set('WWW-Authenticate', CHALLENGE)
  if (scimError.status === 503 || scimError.status === 429) {
    const seconds = scimError instanceof HeldError ? scimError.retryAfterSeconds : RETRY_AFTER_SECONDS
    response.headers.set('Retry-After', String(seconds))
  }
  return response
}

/** Errors of the event feed and of /metrics have the form of those of the admin API. */
function isPlain(c: Context<HttpEnv>): boolean {
  return c.req.path === METRICS_PATH || c.req.path === EVENTS_PATH || c.req.path.startsWith(`${EVENTS_PATH}/`)
}

function plainMessage(error: ScimError) {
  const { code = FEED_CODES[error.status] ?? 'internal', field } = error instanceof FeedError ? error : {}
  return { error: { code, message: error.detail, ...(field !== undefined && { field }) } }
}

const FEED_CODES: Readonly<Record<number, string>> = {
  400: 'invalid',
  401: 'unauthorized',
  404: 'notFound',
  405: 'methodNotAllowed',
  429: 'tooMany',
  503: 'unavailable',
}

/** The error that the client gets for an exception. Details of unexpected exceptions are only in the application log. */
export function scimErrorOf(c: Context<HttpEnv>, error: unknown): ScimError {
  if (error instanceof ScimError) return error
  if (error instanceof ValueTooLarge) {
    const detail = `one value is larger than the limit of ${MAX_ROW_BYTES} bytes; use excludedAttributes=groups`
    return new ScimError(400, 'tooMany', detail, { cause: error })
  }
  // Nobody reads the answer. Logs and metrics have the status of nginx, because there is no standard one.
  if (error instanceof ClientGone) return new ScimError(499, undefined, error.message)
  logFault(c, error)
  if (error instanceof DatabaseUnavailable) {
    return new ScimError(503, undefined, 'the directory is temporarily unavailable; try again')
  }
  return new ScimError(500, undefined, 'unexpected error; search the log for the request id')
}

/** The pattern of the matched route, such as `/scim/v2/Users/:id`, which contains no personal data. */
export function routeOf(c: Context<HttpEnv>): string {
  return matchedRoutes(c).findLast(({ path }) => !path.endsWith('*'))?.path ?? 'none'
}
