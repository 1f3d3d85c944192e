/**
 * Authentication by bearer token (RFC 6750).
 *
 * A token that this isolate has recently accepted is verified by the batch that does the work, so authentication needs no
 * extra round trip. Any other token is verified before the request body is read and before a Durable Object is called, so
 * its first request with a method other than GET takes one more round trip. An invalid token takes one round trip in both
 * cases. The cache decides only when a token is verified, not whether.
 */
import type { Context } from 'hono'
import { createMiddleware } from 'hono/factory'
import { isBlocked } from '../edge/failed-authentication.ts'
import { clientNetwork } from '../edge/network.ts'
import type { HttpEnv } from '../runtime.ts'
import { AccessRefused } from '../storage/access/access-refused.ts'
import { isKnownValid } from '../storage/access/known-tokens.ts'
import { actorOf, proveToken } from '../storage/access/tokens.ts'
import { requireRate, tooManyFailedAuthentications } from './rate-limit.ts'
import { noteWrite, readFromReplica } from './replicas.ts'
import { bearerToken } from './request.ts'
import { inTenant } from './tenant.ts'

/** Sets `actor` and counts the request. The handler then loads the tenant: see tenant.ts. @throws {ScimError} as authenticate */
export const bearerAuth = createMiddleware<HttpEnv>(async function bearerAuth(c, next) {
  await authenticate(c)
  await next()
  if (isRefusal(c.res)) await prove(c)
})

/** The same for requests to a directory, which may read from a replica: see replicas.ts. */
export const directoryAuth = createMiddleware<HttpEnv>(async function directoryAuth(c, next) {
  await authenticate(c)
  readFromReplica(c)
  await next()
  await noteWrite(c)
  if (isRefusal(c.res)) await prove(c)
})

/**
 * @throws {ScimError} 401 if the token is missing, malformed or rejected; 429 for an address with too many failed
 *   authentications, and as requireRate. Recently accepted tokens are exempt from the former, because clients share
 *   addresses. The exemption costs one hash and no round trip.
 */
async function authenticate(c: Context<HttpEnv>): Promise<void> {
  const token = bearerToken(c)
  const actor = token === undefined ? undefined : await actorOf(token, c.env.now(), c.env.sha256)
  const isKnown = actor !== undefined && isKnownValid(actor)
  if (isBlocked('scim', c) && !isKnown) throw tooManyFailedAuthentications()
  if (actor === undefined) throw new AccessRefused('malformed')
  // An unverified token must not occupy the queue of the tenant that it names.
  if (!isKnown) await c.env.turn?.(clientNetwork(c))
  else if (!hasBody(c)) await c.env.turn?.(actor.tenantId)
  c.set('actor', actor)
  if (!isRead(c)) await prove(c)
  const rate = requireRate(c)
  if (rate !== undefined) await rate
}

/** The request may have been rejected without a query, such as for its path. An invalid token must get 401 instead. */
function isRefusal({ status }: Response): boolean {
  return status >= 400 && status < 500 && status !== 401 && status !== 429
}

async function prove(c: Context<HttpEnv>): Promise<void> {
  await inTenant(c, () => proveToken(c.get('tenant')))
}

/** A request with a body and a known token waits for its turns while the body is read and afterwards. */
function hasBody(c: Context<HttpEnv>): boolean {
  return ['POST', 'PUT', 'PATCH'].includes(c.req.method)
}

function isRead(c: Context<HttpEnv>): boolean {
  return c.req.method === 'GET' || c.req.method === 'HEAD'
}
