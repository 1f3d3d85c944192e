/**
 * The admin API: tenants, tokens and the provisioning log as JSON, for scripts. Authenticated by
 * ADMIN_TOKEN; it is not a token of a client and opens nothing under /scim/v2.
 */

import { type Context, Hono } from 'hono'
import { bearerAuth } from 'hono/bearer-auth'
import { createMiddleware } from 'hono/factory'
import { timingSafeEqual } from 'hono/utils/buffer'
import { isBlocked, recordFailedAuthentication } from '../edge/failed-authentication.ts'
import type { HttpEnv } from '../runtime.ts'
import { shorten } from '../scim/error.ts'
import { noFigures } from '../storage/database.ts'
import { clientHandlers } from './api/clients.ts'
import { jobHandlers } from './api/jobs.ts'
import { logHandlers } from './api/log.ts'
import { schemaHandlers } from './api/schemas.ts'
import { type Handlers, serve } from './api/serve.ts'
import { tenantHandlers } from './api/tenants.ts'
import { tokenHandlers } from './api/tokens.ts'
import { transferHandlers } from './api/transfer.ts'
import { ROUTES } from './contract/routes.ts'
import { administrationDatabase, openHome } from './database.ts'
import { AdminError, adminErrorResponse } from './errors.ts'
import { reportTenant } from './replicas.ts'

const HANDLERS: Handlers<typeof ROUTES> = {
  ...tenantHandlers,
  ...clientHandlers,
  ...tokenHandlers,
  ...logHandlers,
  ...transferHandlers,
  ...schemaHandlers,
  ...jobHandlers,
}

/** The admin API as an app of its own; mounted at /admin/api. */
export function adminApi(): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>()
  app.onError((error, c) => adminErrorResponse(c, error))
  app.use(adminAuth)
  app.use(async (c, next) => {
    c.set('figures', noFigures())
    c.set('db', administrationDatabase(c, c.get('figures')))
    await next()
    c.res.headers.set('Cache-Control', 'no-store')
  })
  app.use('/tenants/:tenant/*', openHome, reportTenant)
  serve(app, ROUTES, HANDLERS)
  // Ends here: the dashboard is mounted around the API and must not answer for it.
  app.all('*', (c) => {
    throw new AdminError(404, 'notFound', `there is no ${shorten(c.req.path)}`)
  })
  return app
}

/** The answer for a path that leads nowhere. */
export function adminNotFound(c: Context<HttpEnv>): Response {
  return adminErrorResponse(c, new AdminError(404, 'notFound', `there is no ${shorten(c.req.path)}`))
}

/** The answer of a server that serves nothing, because a setting has a value that is not allowed. */
export function adminMisconfigured(c: Context<HttpEnv>): Response {
  const message = 'the server is not configured: its log names the setting'
  return adminErrorResponse(c, new AdminError(503, 'notConfigured', message))
}

/**
 * The administrator's token, compared in constant time. Without one configured nobody is let in. An address with too
 * many refused tokens is refused before the comparison, the right token too: else it could go on guessing. Nothing of
 * a request is read before.
 */
const adminAuth = createMiddleware<HttpEnv>(async function adminAuth(c, next) {
  const { adminToken } = c.env.settings
  if (!adminToken) {
    throw new AdminError(
      503,
      'notConfigured',
      'ADMIN_TOKEN is not set: on Cloudflare set it with "npx wrangler secret put ADMIN_TOKEN"',
    )
  }
  const refused = () => ({
    error: { code: 'unauthorized', message: 'Authorization: Bearer <ADMIN_TOKEN> is needed' },
  })
  const authenticate = bearerAuth<HttpEnv>({
    realm: 'scim-worker admin',
    verifyToken: (token) => timingSafeEqual(token, adminToken),
    noAuthenticationHeader: { message: refused },
    invalidAuthenticationHeader: { message: refused },
    invalidToken: { message: refused },
  })
  if (isBlocked('admin', c)) throw tooManyFailedAuthentications()
  let isRefused = true
  try {
    return await authenticate(c, async () => {
      isRefused = false
      await next()
    })
  } catch (error) {
    throw isRefused && (await recordFailedAuthentication('admin', c)) ? tooManyFailedAuthentications() : error
  }
})

function tooManyFailedAuthentications(): AdminError {
  return new AdminError(429, 'tooMany', 'too many refused tokens from this address; try again later')
}
