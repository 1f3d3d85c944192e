/**
 * The id of a request, in its log entries and its response. A client may send one.
 */
import type { Context, MiddlewareHandler } from 'hono'
import type { HttpEnv } from '../runtime.ts'
import { MAX_REQUEST_ID_CHARACTERS } from '../scim/limits.ts'

export const REQUEST_ID = 'X-Request-Id'

/** The id that the client sent, if it is a short word of ASCII letters, digits, "_", "-" and "="; otherwise a random one. */
export function requestId(c: Context<HttpEnv>): string {
  const sent = c.req.header(REQUEST_ID)
  const isUsable = sent !== undefined && sent.length <= MAX_REQUEST_ID_CHARACTERS && /^[\w\-=]+$/.test(sent)
  return isUsable ? sent : crypto.randomUUID()
}

/** Adds the id to responses that are made by Hono's context. */
export const showRequestId: MiddlewareHandler<HttpEnv> = (c, next) => {
  c.header(REQUEST_ID, c.get('requestId'))
  return next()
}
