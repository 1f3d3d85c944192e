/**
 * Rate limits: 429 with Retry-After to a client or a tenant that runs away, and to an address that guesses
 * tokens. How much is too much says the runtime.
 */
import { createMiddleware } from 'hono/factory'
import { recordFailedAuthentication } from '../edge/failed-authentication.ts'
import type { HttpEnv } from '../runtime.ts'
import { ScimError } from '../scim/error.ts'
import { AccessRefused } from '../storage/access-refused.ts'
import { forgetToken, isKnownValid, knownActor } from '../storage/known-tokens.ts'
import { errorResponse } from './errors.ts'
import { recordFailedAccess } from './failed-access.ts'

/**
 * Counts a request against its client and its tenant, once the token was seen valid: a stranger who merely names a
 * tenant must not use up what it is allowed, nor fill the memory of the limits with tokens that are made up. A
 * tenant whose clients leave many large answers unread gets 503 until they have read some.
 */
export const limitRate = createMiddleware<HttpEnv>(async function limitRate(c, next) {
  const credentials = c.get('credentials')
  if (!isKnownValid(credentials)) return next()
  c.env.answers?.requireRoom(credentials.tenantId)
  const [client, tenant] = await Promise.all([
    c.env.isAllowed('client', knownActor(credentials)?.clientId ?? credentials.tokenHash),
    c.env.isAllowed('tenant', credentials.tenantId),
  ])
  if (!client || !tenant) throw tooMany(client ? 'of this tenant' : 'of this client')
  return next()
})

/**
 * Counts refused tokens by the address of the client. Beyond the limit the answer no longer tells whether
 * the token was refused, and `bearerAuth` refuses what comes next. Forgets that the token was ever seen valid, and notes
 * the refusal for the tenant's log.
 */
export const limitFailedAuthentication = createMiddleware<HttpEnv>(
  async function limitFailedAuthentication(c, next) {
    await next()
    if (c.res.status !== 401) return
    const credentials = c.get('credentials')
    if (credentials !== undefined) forgetToken(credentials)
    if (c.error instanceof AccessRefused) recordFailedAccess(c, c.error)
    if (await recordFailedAuthentication('scim', c)) c.res = errorResponse(c, tooManyFailedAuthentications())
  },
)

/** The same for every token, right or wrong. */
export function tooManyFailedAuthentications(): ScimError {
  return tooMany('with refused tokens')
}

function tooMany(what: string): ScimError {
  return new ScimError(429, undefined, `too many requests ${what}; try again later`)
}
