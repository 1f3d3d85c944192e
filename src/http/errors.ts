/**
 * Errors to responses: the only place. Everything that is thrown under /scim/v2 ends here.
 */
import type { Context, ErrorHandler, NotFoundHandler } from 'hono'
import { matchedRoutes } from 'hono/route'
import type { HttpEnv } from '../runtime.ts'
import { errorMessage, ScimError, shorten } from '../scim/error.ts'
import { DatabaseUnavailable, MAX_ROW_BYTES, ValueTooLarge } from '../storage/database/database.ts'
import { scimJson } from './content-type.ts'

/** How long a client should wait before it tries again, when we could not answer. */
const RETRY_AFTER_SECONDS = 5
/** RFC 6750 §3: the challenge is the same whatever is wrong with a token. */
const CHALLENGE = 'Bearer realm="scim-worker"'

/** Turns whatever was thrown into an Error message (RFC 7644 §3.12). */
export const onError: ErrorHandler<HttpEnv> = (error, c) => errorResponse(c, error)

/** Paths that lead nowhere. */
export const onNotFound: NotFoundHandler<HttpEnv> = (c) =>
  errorResponse(
    c,
    new ScimError(404, undefined, `there is no endpoint ${shorten(c.req.method)} ${shorten(c.req.path)}`),
  )

/** A server that serves nothing, because a setting has a value that is not allowed. */
export function onMisconfigured(c: Context<HttpEnv>): Response {
  return errorResponse(
    c,
    new ScimError(503, undefined, 'the server is not configured: its log names the setting'),
  )
}

/** A path that knows other methods. */
export function onMethodNotAllowed(c: Context<HttpEnv>, methods: string[]): Response {
  const allow = methods.join(', ')
  const error = new ScimError(
    405,
    undefined,
    `${shorten(c.req.method)} is not supported here; supported are ${allow}`,
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

/** What the client is told of whatever was thrown. What it is not told is in the application log. */
export function scimErrorOf(c: Context<HttpEnv>, error: unknown): ScimError {
  if (error instanceof ScimError) return error
  if (error instanceof ValueTooLarge) {
    const detail = `one value is larger than ${MAX_ROW_BYTES} bytes, the limit: ask with excludedAttributes=groups`
    return new ScimError(400, 'tooMany', detail, { cause: error })
  }
  logFault(c, error)
  if (error instanceof DatabaseUnavailable) {
    return new ScimError(503, undefined, 'the directory does not answer at the moment; try again')
  }
  return new ScimError(500, undefined, 'an unexpected error; the request id names it in the log')
}

/** The pattern of the route that answers, such as `/scim/v2/Users/:id`: it names no person. */
export function routeOf(c: Context<HttpEnv>): string {
  return matchedRoutes(c).findLast(({ path }) => !path.endsWith('*'))?.path ?? 'none'
}

/** The message and its causes, never a statement or its values: those hold names of people. */
function logFault(c: Context<HttpEnv>, error: unknown): void {
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
