/**
 * Converts all exceptions under /scim/v2 to responses.
 */
import type { Context, ErrorHandler, NotFoundHandler } from 'hono'
import { matchedRoutes } from 'hono/route'
import type { HttpEnv } from '../runtime.ts'
import { errorMessage, ScimError, shorten } from '../scim/error.ts'
import { DatabaseUnavailable, MAX_ROW_BYTES, ValueTooLarge } from '../storage/database/database.ts'
import { scimJson } from './content-type.ts'

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

export function errorResponse(c: Context<HttpEnv>, error: unknown): Response {
  const scimError = scimErrorOf(c, error)
  const response = scimJson(c, JSON.stringify(errorMessage(scimError)), scimError.status)
  if (scimError.status === 401) response.headers.set('WWW-Authenticate', CHALLENGE)
  if (scimError.status === 503 || scimError.status === 429) {
    response.headers.set('Retry-After', String(RETRY_AFTER_SECONDS))
  }
  return response
}

/** The error that the client gets for an exception. Details of unexpected exceptions are only in the application log. */
export function scimErrorOf(c: Context<HttpEnv>, error: unknown): ScimError {
  if (error instanceof ScimError) return error
  if (error instanceof ValueTooLarge) {
    const detail = `one value is larger than the limit of ${MAX_ROW_BYTES} bytes; use excludedAttributes=groups`
    return new ScimError(400, 'tooMany', detail, { cause: error })
  }
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

/** Logs the message and its causes, but no SQL statements and values, because they contain personal data. */
export function logFault(c: Context<HttpEnv>, error: unknown): void {
  const causes: string[] = []
  for (let at = error; at instanceof Error; at = at.cause) causes.push(at.message)
  const stack = error instanceof Error ? error.stack : String(error)
  console.error(
    JSON.stringify({
      requestId: c.get('requestId'),
      method: c.req.method,
      route: c.req.routePath,
      causes,
      stack,
    }),
  )
}
