/**
 * The app: the SCIM API under /scim/v2, the token endpoint, the admin API and the dashboard under /admin. It does not depend on a runtime: an
 * entry file passes one in with each request.
 */
import { Hono } from 'hono'
import { createMiddleware } from 'hono/factory'
import { requestId } from 'hono/request-id'
import { adminApi, adminMisconfigured, adminNotFound } from './admin/api.ts'
import { verboseHealth } from './admin/health.ts'
import { dashboard } from './admin/routes.tsx'
import { validAddress } from './edge/address.ts'
import { onError, onMisconfigured, onNotFound } from './http/errors.ts'
import { events } from './http/events.ts'
import { healthz } from './http/healthz.ts'
import { metrics } from './http/metrics.ts'
import { misconfigured, oauthErrorResponse } from './http/oauth/errors.ts'
import { METADATA_PATH, metadata } from './http/oauth/metadata.ts'
import { TOKEN_PATH, tokenEndpoint } from './http/oauth/token-endpoint.ts'
import { openapi } from './http/openapi.ts'
import { requestLog } from './http/request-log.ts'
import { scim } from './http/scim.ts'
import { EVENTS_PATH, METRICS_PATH, routePath, TENANT_PATH } from './http/url.ts'
import type { Dispatch, HttpEnv } from './runtime.ts'
import { MAX_REQUEST_ID_CHARACTERS } from './scim/limits.ts'
import { RESOURCE_TYPES, type StoredResourceType } from './storage/tables/resource-tables.ts'

export interface AppOptions {
  /** The types of resources that directories hold. */
  readonly resourceTypes?: readonly StoredResourceType[]
}

export function createApp({ resourceTypes = RESOURCE_TYPES }: AppOptions = {}): Hono<HttpEnv> {
  const pathOf = routePath(resourceTypes)
  const app = new Hono<HttpEnv>({ getPath: (request) => pathOf(request.url) })
  const dispatch: Dispatch = (request, runtime) => app.fetch(request, runtime)
  app.onError((error, c) => (isTokenEndpoint(c.req.path) ? oauthErrorResponse(c, error) : onError(error, c)))
  app.use((c, next) => {
    c.set('resourceTypes', resourceTypes)
    c.set('dispatch', dispatch)
    return next()
  })
  app.use(requestId({ limitLength: MAX_REQUEST_ID_CHARACTERS }), requestLog, validAddress)
  app.get('/healthz', verboseHealth, healthz)
  app.get(METRICS_PATH, metrics)
  app.use(configured)
  app.route(TENANT_PATH, scim(resourceTypes, dispatch))
  app.route(TOKEN_PATH, tokenEndpoint)
  app.route(METADATA_PATH, metadata)
  app.route(EVENTS_PATH, events)
  app.route('/admin/api', adminApi())
  app.route('/admin', dashboard())
  app.route('/openapi.json', openapi)
  app.get('/', (c) => c.redirect('/admin'))
  // Hono calls this handler of the outermost app only.
  app.notFound((c) => (isForClients(c.req.path) ? onNotFound(c) : adminNotFound(c)))
  return app
}

/** Serves nothing while a setting is invalid: a typing error must not let anybody in, or empty a log. */
const configured = createMiddleware<HttpEnv>(async function configured(c, next) {
  if (!c.env.isMisconfigured) return await next()
  if (isTokenEndpoint(c.req.path)) throw misconfigured()
  return isForClients(c.req.path) ? onMisconfigured(c) : adminMisconfigured(c)
})

/** True for the paths of clients: http/errors.ts makes their errors. */
function isForClients(path: string): boolean {
  return path.startsWith(`${TENANT_PATH}/`) || path.startsWith(EVENTS_PATH)
}

function isTokenEndpoint(path: string): boolean {
  return path === TOKEN_PATH
}
