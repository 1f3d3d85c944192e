/**
 * Rate limits: 429 with Retry-After for a client or tenant with too many requests, and for an address with too many failed
 * authentications. The runtime determines the limits.
 */
import type { Context } from 'hono'
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
 *
 * @returns undefined if the runtime decides at once
 * @throws {ScimError} 429, 503
 */
export function requireRate(c: Context<HttpEnv>): Promise<void> | undefined {
  const actor = c.get('actor')
  if (!isKnownValid(actor)) return undefined
  c.env.answers?.requireRoom(actor.tenantId)
  const ofClient = c.env.isAllowed('client', knownClient(actor)?.clientId ?? actor.tokenHash)
  const ofTenant = c.env.isAllowed('tenant', actor.tenantId)
  if (typeof ofClient === 'boolean' && typeof ofTenant === 'boolean') return requireBoth([ofClient, ofTenant])
  return Promise.all([ofClient, ofTenant]).then(requireBoth)
}

function requireBoth([client, tenant]: readonly [client: boolean, tenant: boolean]): undefined {
  if (!client || !tenant) throw tooMany(client ? 'from this tenant' : 'from this client')
}

/**
 * Counts a failed authentication by the address of the client. Beyond the limit, the response does not reveal whether the
 * token was rejected, and `bearerAuth` rejects further requests. Also removes the token from the cache, and records the
 * rejection for the tenant's log.
 */
export async function countFailedAuthentication(c: Context<HttpEnv>): Promise<void> {
  const actor = c.get('actor')
  if (actor !== undefined) forgetToken(actor)
  if (c.error instanceof AccessRefused) recordRefusedToken(c, c.error)
  if (await recordFailedAuthentication('scim', c)) c.res = errorResponse(c, tooManyFailedAuthentications())
}

/** The same error for valid and invalid tokens. */
export function tooManyFailedAuthentications(): ScimError {
  return tooMany('with invalid tokens')
}

function tooMany(origin: string): ScimError {
  return new ScimError(429, undefined, `too many requests ${origin}; try again later`)
}
