/**
 * The admin API: JSON for scripts, authenticated with ADMIN_TOKEN or a named token of an administrator. Neither is a client's
 * token, nor valid under /scim/v2.
 */
import { type Context, Hono } from 'hono'
import { bearerAuth } from 'hono/bearer-auth'
import { createMiddleware } from 'hono/factory'
import { HTTPException } from 'hono/http-exception'
import { isBlocked, recordFailedAuthentication } from '../edge/failed-authentication.ts'
import type { HttpEnv } from '../runtime.ts'
import { shorten } from '../scim/error.ts'
import { noFigures } from '../storage/database/database.ts'
import { administratorHandlers } from './api/administrators.ts'
import { auditHandlers } from './api/audit.ts'
import { clientHandlers } from './api/clients.ts'
import { databaseHandlers } from './api/databases.ts'
import { driftHandlers } from './api/drift.ts'
import { emergencyHandlers } from './api/emergency.ts'
import { explainHandlers } from './api/explain.ts'
import { federationHandlers } from './api/federation.ts'
import { historyHandlers } from './api/history.ts'
import { jobHandlers } from './api/jobs.ts'
import { logHandlers } from './api/log.ts'
import { schemaHandlers } from './api/schemas.ts'
import { secretHandlers } from './api/secrets.ts'
import { type Handlers, serve } from './api/serve.ts'
import { sourceHandlers } from './api/sources.ts'
import { tenantHandlers } from './api/tenants.ts'
import { tokenHandlers } from './api/tokens.ts'
import { tombstoneHandlers } from './api/tombstones.ts'
import { transferHandlers } from './api/transfer.ts'
import { undoHandlers } from './api/undo.ts'
import { webhookHandlers } from './api/webhooks.ts'
import { ROUTES } from './contract/routes.ts'
import { administrationDatabase, openHome } from './database.ts'
import { AdminError, adminErrorResponse } from './errors.ts'
import { largeAnswers } from './large-answers.ts'
import { audit } from './people/audit.ts'
import { permit, permitInTenant } from './people/permit.ts'
import { reportTenant } from './replicas.ts'
import { securityHeaders } from './security-headers.ts'
import { administratorByToken } from './session.ts'

const HANDLERS: Handlers<typeof ROUTES> = {
  ...tenantHandlers,
  ...clientHandlers,
  ...secretHandlers,
  ...federationHandlers,
  ...tokenHandlers,
  ...logHandlers,
  ...emergencyHandlers,
  ...explainHandlers,
  ...driftHandlers,
  ...transferHandlers,
  ...schemaHandlers,
  ...jobHandlers,
  ...databaseHandlers,
  ...administratorHandlers,
  ...auditHandlers,
  ...webhookHandlers,
  ...sourceHandlers,
  ...tombstoneHandlers,
  ...historyHandlers,
  ...undoHandlers,
}

/** The app of the admin API, mounted at /admin/api. */
export function adminApi(): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>()
  app.onError((error, c) => adminErrorResponse(c, error))
  app.use(securityHeaders)
  app.use(async (c, next) => {
    c.set('figures', noFigures())
    c.set('db', administrationDatabase(c, c.get('figures')))
    await next()
    c.res.headers.set('Cache-Control', 'no-store')
  })
  app.use(largeAnswers, audit, adminAuth, permit)
  app.use('/tenants/:tenant/*', permitInTenant, openHome, reportTenant)
  serve(app, ROUTES, HANDLERS)
  // The dashboard is mounted at /admin and must not answer unknown paths of the API.
  app.all('*', (c) => {
    throw new AdminError(404, 'notFound', `there is no ${shorten(c.req.path)}`)
  })
  return app
}

/**
 * Authenticates with ADMIN_TOKEN or a named token. An address with too many refused tokens is refused before the comparison,
 * even with the right token: otherwise it could continue to guess. Authentication comes before any other work.
 */
const adminAuth = createMiddleware<HttpEnv>(async function adminAuth(c, next) {
  const refused = () => ({
    error: {
      code: 'unauthorized',
      message:
        'the header "Authorization: Bearer <ADMIN_TOKEN>" is required, with ADMIN_TOKEN or a named token of an administrator',
    },
  })
  const authenticate = bearerAuth<HttpEnv>({
    realm: 'scim-worker admin',
    verifyToken: async (token) => await isAdministrator(c, token),
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
    // Other errors tell nothing about the token, such as a database that does not answer.
    const isGuess = isRefused && error instanceof HTTPException
    throw isGuess && (await recordFailedAuthentication('admin', c)) ? tooManyFailedAuthentications() : error
  }
})

/** @throws {AdminError} 503 if nobody could know ADMIN_TOKEN, because it is not set */
async function isAdministrator(c: Context<HttpEnv>, token: string): Promise<boolean> {
  const administrator = await administratorByToken(c, token)
  if (administrator !== undefined) {
    c.set('administrator', administrator)
    return true
  }
  if (c.env.settings.adminToken) return false
  throw new AdminError(
    503,
    'notConfigured',
    'ADMIN_TOKEN is not set; on Cloudflare, set it with "npx wrangler secret put ADMIN_TOKEN"',
  )
}

function tooManyFailedAuthentications(): AdminError {
  return new AdminError(429, 'tooMany', 'too many refused tokens from this address; try again later')
}
