/**
 * Writes one line of JSON for each request to the application log, without personal data. Off if REQUEST_LOG is "0". Tells the
 * runtime the outcome, if it counts requests.
 */
import type { Context, MiddlewareHandler, Next } from 'hono'
import type { HttpEnv } from '../runtime.ts'
import { AccessRefused } from '../storage/access/access-refused.ts'
import { tenantNamedBy } from '../storage/access/tokens.ts'
import { routeOf } from './errors.ts'
import { OauthError } from './oauth/errors.ts'
import { bearerToken } from './request.ts'

/** Writes the line once the response is ready. `d1` has the database cost of the request. */
export const requestLog: MiddlewareHandler<HttpEnv> = function requestLog(c, next) {
  const { settings, observe } = c.env
  return settings.requestLog || observe !== undefined ? logged(c, next) : next()
}

async function logged(c: Context<HttpEnv>, next: Next): Promise<void> {
  const { settings, observe, now } = c.env
  const started = now()
  await next()
  const [{ method }, route, { status }, refused] = [c.req, routeOf(c), c.res, refusalOf(c.error)]
  observe?.({ method, route, status, refused })
  if (!settings.requestLog) return
  console.log(
    JSON.stringify({
      requestId: c.get('requestId'),
      // As claimed by the token, even if it is cut off: up to 40 characters. A status of 401 means that nothing is proven.
      tenant: c.get('actor')?.tenantId ?? tenantNamedBy(bearerToken(c)) ?? null,
      method,
      route,
      status,
      refused,
      durationMs: now() - started,
      d1: c.get('figures') ?? null,
    }),
  )
}

/** Why the token or the credential was rejected. The client does not get the reason. */
function refusalOf(error: Error | undefined): string | undefined {
  if (error instanceof AccessRefused) return error.reason
  return error instanceof OauthError ? (error.reason ?? error.code) : undefined
}
