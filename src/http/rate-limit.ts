/**
 * Rate limits: 429 with Retry-After to a client or a tenant that runs away, and to an address that guesses
 * tokens. How much is too much says the runtime.
 */
import { createMiddleware } from 'hono/factory'
import { noteRefusal } from '../edge/refusals.ts'
import type { HttpEnv } from '../runtime.ts'
import { ScimError } from '../scim/error.ts'
import { AccessRefused } from '../storage/access/access-refused.ts'
import { forgetToken, isKnownValid, knownClient } from '../storage/access/known-tokens.ts'
import { errorResponse } from './errors.ts'
import { noteFailedAccess } from './failed-access.ts'

/**
 * Counts a request against its client and its tenant, once the token was seen valid: a stranger who merely names a
 * tenant must not use up what it is allowed, nor fill the memory of the limits with tokens that are made up. A
 * tenant whose clients leave many large answers unread gets 503 until they have read some.
 */
export const limitRate = createMiddleware<HttpEnv>(async function limitRate(c, next) {
  const actor = c.get('actor')
  if (!isKnownValid(actor)) return next()
  c.env.answers?.requireRoom(actor.tenantId)
  const [client, tenant] = await Promise.all([
    c.env.isAllowed('client', knownClient(actor)?.clientId ?? actor.tokenHash),
    c.env.isAllowed('tenant', actor.tenantId),
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
    const actor = c.get('actor')
    if (actor !== undefined) forgetToken(actor)
    if (c.error instanceof AccessRefused) noteFailedAccess(c, c.error)
    if (await noteRefusal('scim', c)) c.res = errorResponse(c, tooManyRefusals())
  },
)

/** The same for every token, right or wrong. */
export function tooManyRefusals(): ScimError {
  return tooMany('with refused tokens')
}

function tooMany(what: string): ScimError {
  return new ScimError(429, undefined, `too many requests ${what}; try again later`)
}
