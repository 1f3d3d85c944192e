/**
 * The bearer token of a request (RFC 6750), and what may be done before it is known to be valid.
 *
 * A token that this isolate has seen valid is checked by the batch that does the work, so that authentication costs
 * no round trip of its own. Any other token is checked before the body of its request is read and before a Durable
 * Object is reached: its first request with another method than GET costs one round trip more. Either way a token
 * that is not valid costs one round trip, and nobody is let in by what is remembered here.
 */
import type { Context } from 'hono'
import { createMiddleware } from 'hono/factory'
import { isBlocked } from '../edge/failed-authentication.ts'
import { clientNetwork } from '../edge/network.ts'
import type { HttpEnv } from '../runtime.ts'
import { AccessRefused } from '../storage/access-refused.ts'
import { isKnownValid } from '../storage/known-tokens.ts'
import { credentialsOf, proveToken } from '../storage/tokens.ts'
import { tooManyFailedAuthentications } from './rate-limit.ts'
import { bearerToken } from './request.ts'
import { inTenant } from './tenant.ts'

/**
 * Sets `credentials`. The tenant is entered by the handler: see tenant.ts.
 *
 * @throws {ScimError} 401 when there is no token of our form, or when one that was not seen valid is refused; 429 to an
 *   address with too many refused tokens. A token that was seen valid goes on from there: clients share addresses,
 *   and it guesses nothing. To know it costs the hash of a text of a token's length, and no round trip.
 */
export const bearerAuth = createMiddleware<HttpEnv>(async function bearerAuth(c, next) {
  const token = bearerToken(c)
  const credentials = token && (await credentialsOf(token, c.env.now(), c.env.sha256))
  const isKnown = credentials !== undefined && credentials !== '' && isKnownValid(credentials)
  if (isBlocked('scim', c) && !isKnown) throw tooManyFailedAuthentications()
  if (!credentials) throw new AccessRefused('malformed')
  if (c.env.turn !== undefined && !hasBody(c)) {
    // The name of a tenant proves nothing: a stranger must not stand in its line.
    await c.env.turn(isKnown ? credentials.tenantId : clientNetwork(c))
  }
  c.set('credentials', credentials)
  if (!isRead(c)) await prove(c)
  await next()
  // Refused without the database having been asked, such as for its path: a stranger hears of nothing but the token.
  if (c.res.status >= 400 && c.res.status < 500 && c.res.status !== 401 && c.res.status !== 429)
    await prove(c)
})

async function prove(c: Context<HttpEnv>): Promise<void> {
  await inTenant(c, () => proveToken(c.get('db'), c.get('credentials')))
}

/** Then the turn comes when it was read. */
function hasBody(c: Context<HttpEnv>): boolean {
  return ['POST', 'PUT', 'PATCH'].includes(c.req.method)
}

function isRead(c: Context<HttpEnv>): boolean {
  return c.req.method === 'GET' || c.req.method === 'HEAD'
}
