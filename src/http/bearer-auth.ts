/**
 * The bearer token of a request (RFC 6750). Reads what the token claims; whether that is true is checked
 * by the batch that does the work, so that authentication costs no round trip of its own.
 */
import { createMiddleware } from 'hono/factory'
import type { HttpEnv } from '../runtime.ts'
import { credentialsOf, unauthorized } from '../storage/tokens.ts'

/** Sets `credentials`, or answers 401 when there is no token of our form. */
export const bearerAuth = createMiddleware<HttpEnv>(async function bearerAuth(c, next) {
  const token = /^Bearer +([^\s]+) *$/i.exec(c.req.header('Authorization') ?? '')?.[1]
  const credentials = token && (await credentialsOf(token, c.env.now(), c.env.sha256))
  if (!credentials) throw unauthorized()
  c.set('credentials', credentials)
  return next()
})
