/**
 * Rate limits: 429 with Retry-After for a client or tenant with too many requests, and for an address with too many failed
 * authentications. The runtime determines the limits.
 */
import { createMiddleware } from 'hono/factory'
import { recordFailedAuthentication } from '../edge/failed-authentication.ts'
import type { HttpEnv } from '../runtime.ts'
import { ScimError } from '../scim/error.ts'
import { AccessRefused } from '../storage/access/access-refused.ts'
import { forgetToken, isKnownValid, knownClient } from '../storage/access/known-tokens.ts'
import { errorResponse } from './errors.ts'
import { recordRefusedToken } from './failed-access.ts'

/**
 * Counts a request for its client and its tenant, if the token was recently accepted. An unverified token must not use up
 * the limit of the tenant that it names, and forged tokens must not fill the memory of the rate limiter. A tenant with too
 * many unread large responses gets 503.
 */
export const limitRate = createMiddleware<HttpEnv>(async function limitRate(c, next) {
  const actor = c.get('actor')
  if (!isKnownValid(actor)) return next()
  c.env.answers?.requireRoom(actor.tenantId)
  const [client, tenant] = await Promise.all([
    c.env.isAllowed('client', knownClient(actor)?.clientId ?? actor.tokenHash),
    c.env.isAllowed('tenant', actor.tenantId),
  ])
  if (!client || !tenant) throw tooMany(client ? 'from this tenant' : 'from this client')
  return next()
})

/**
 * Counts failed authentications by the address of the client. Beyond the limit, the response does not reveal whether the
 * token was rejected, and `bearerAuth` rejects further requests. Also removes the token from the cache, and records the
 * rejection for the tenant's log.
 */
export const limitFailedAuthentication = createMiddleware<HttpEnv>(
  async function limitFailedAuthentication(c, next) {
    await next()
    if (c.res.status !== 401) return
    const actor = c.get('actor')
    if (actor !== undefined) forgetToken(actor)
    if (c.error instanceof AccessRefused) recordRefusedToken(c, c.error)
    if (await recordFailedAuthentication('scim', c)) c.res = errorResponse(c, tooManyFailedAuthentications())
  },
)

/** The same error for valid and invalid tokens. */
export function tooManyFailedAuthentications(): ScimError {
  return tooMany('with invalid tokens')
}

function tooMany(origin: string): ScimError {
  return new ScimError(429, undefined, `too many requests ${origin}; try again later`)
}
