/**
 * Writes one line of JSON for each request to the application log, without personal data. Off if REQUEST_LOG is "0".
 */
import { createMiddleware } from 'hono/factory'
import type { HttpEnv } from '../runtime.ts'
import { AccessRefused } from '../storage/access/access-refused.ts'
import { tenantNamedBy } from '../storage/access/tokens.ts'
import { routeOf } from './errors.ts'
import { OauthError } from './oauth/errors.ts'
import { bearerToken } from './request.ts'

/** Writes the line once the response is ready. `d1` has the database cost of the request. */
export const requestLog = createMiddleware<HttpEnv>(async function requestLog(c, next) {
  if (!c.env.settings.requestLog) return next()
  const started = c.env.now()
  await next()
  console.log(
    JSON.stringify({
      requestId: c.get('requestId'),
      // As claimed by the token, even if it is cut off: up to 40 characters. A status of 401 means that nothing is proven.
      tenant: c.get('actor')?.tenantId ?? tenantNamedBy(bearerToken(c)) ?? null,
      method: c.req.method,
      route: routeOf(c),
      status: c.res.status,
      // Why the token or the credential was rejected. The client does not get the reason.
      ...(c.error instanceof AccessRefused && { refused: c.error.reason }),
      ...(c.error instanceof OauthError && { refused: c.error.reason ?? c.error.code }),
      durationMs: c.env.now() - started,
      d1: c.get('figures') ?? null,
    }),
  )
})
