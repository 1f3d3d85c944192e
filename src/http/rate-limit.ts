/**
 * Rate limits: 429 with Retry-After to a token or a tenant that runs away, and to an address that guesses
 * tokens. How much is too much says the runtime.
 */
import { createMiddleware } from 'hono/factory'
import { clientAddress, type HttpEnv } from '../runtime.ts'
import { ScimError } from '../scim/error.ts'
import { wasProven } from '../storage/tokens.ts'
import { errorResponse } from './errors.ts'

/**
 * Counts a request against its token, and against its tenant once the token was seen valid: a stranger
 * who merely names a tenant must not use up what it is allowed. A tenant whose clients leave many large answers
 * unread gets 503 until they have read some.
 */
export const limitRate = createMiddleware<HttpEnv>(async function limitRate(c, next) {
  const credentials = c.get('credentials')
  c.env.answers?.requireRoom(credentials.tenantId)
  const [token, tenant] = await Promise.all([
    c.env.isAllowed('token', credentials.tokenHash),
    wasProven(credentials) ? c.env.isAllowed('tenant', credentials.tenantId) : true,
  ])
  if (!token || !tenant) throw tooMany(token ? 'of this tenant' : 'with this token')
  return next()
})

/**
 * Counts refused tokens by the address of the client. Beyond the limit the answer no longer tells whether
 * the token was refused. Valid tokens from the same address go on: clients share addresses.
 */
export const limitFailedAuthentication = createMiddleware<HttpEnv>(
  async function limitFailedAuthentication(c, next) {
    await next()
    if (c.res.status !== 401) return
    const address = clientAddress((name) => c.req.header(name))
    if (!(await c.env.isAllowed('failedAuthentication', address)))
      c.res = errorResponse(c, tooMany('with refused tokens'))
  },
)

function tooMany(what: string): ScimError {
  return new ScimError(429, undefined, `too many requests ${what}; try again later`)
}
