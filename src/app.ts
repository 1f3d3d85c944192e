/**
 * The app: the SCIM API under /scim/v2, the token endpoint, the admin API and the dashboard under /admin. It does not depend on a runtime: an
 * entry file passes one in with each request.
 */
import { type Context, Hono } from 'hono'
import { adminApi, adminMisconfigured, adminNotFound } from './admin/api.ts'
import { verboseHealth } from './admin/health.ts'
import { dashboard } from './admin/routes.tsx'
import { requireValidAddress } from './edge/address.ts'
import { onError, onMethodNotAllowed, onMisconfigured, onNotFound } from './http/errors.ts'
import { events } from './http/events.ts'
import { healthz } from './http/healthz.ts'
import { metrics } from './http/metrics.ts'
import { misconfigured, oauthErrorResponse } from './http/oauth/errors.ts'
import { METADATA_PATH, metadata } from './http/oauth/metadata.ts'
import { TOKEN_PATH, tokenEndpoint } from './http/oauth/token-endpoint.ts'
import { openapi } from './http/openapi.ts'
import { requestId, showRequestId } from './http/request-id.ts'
import { requestLog } from './http/request-log.ts'
import { scim } from './http/scim.ts'
import { EVENTS_PATH, METRICS_PATH, routePath, TENANT_PATH } from './http/url.ts'
import type { Dispatch, HttpEnv } from './runtime.ts'
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
    c.set('requestId', requestId(c))
    return requestLog(c, next)
  })
  app.use(async (c, next) => {
    requireValidAddress(c)
    if (!c.env.isMisconfigured || isProbe(c.req.path)) return await next()
    return misconfiguredResponse(c)
  })
  app.route(TENANT_PATH, scim(resourceTypes, dispatch))
  // Responses of the SCIM API have the id anyway: Hono's own headers take longer.
  app.use(showRequestId)
  app.get(HEALTH_PATH, verboseHealth, healthz)
  app.get(METRICS_PATH, metrics)
  app.route(TOKEN_PATH, tokenEndpoint)
  app.route(METADATA_PATH, metadata)
  app.route(EVENTS_PATH, events)
  app.route('/admin/api', adminApi())
  app.route('/admin', dashboard())
  app.route('/openapi.json', openapi)
  app.get('/', (c) => c.redirect('/admin'))
  // Hono calls this handler of the outermost app only.
  app.notFound((c) => {
    if (!isForClients(c.req.path)) return adminNotFound(c)
    const methods = allowedMethods(app, c.req.path)
    return methods.length > 0 ? onMethodNotAllowed(c, methods) : onNotFound(c)
  })
  return app
}

const HEALTH_PATH = '/healthz'

/** True for the paths that tell the state of the server. */
function isProbe(path: string): boolean {
  return path === HEALTH_PATH || path === METRICS_PATH
}

/** Serves nothing while a setting is invalid: a typing error must not let anybody in, or empty a log. */
function misconfiguredResponse(c: Context<HttpEnv>) {
  if (isTokenEndpoint(c.req.path)) throw misconfigured()
  return isForClients(c.req.path) ? onMisconfigured(c) : adminMisconfigured(c)
}

/** True for the paths of clients: http/errors.ts makes their errors. */
function isForClients(path: string): boolean {
  return path === TENANT_PATH || path.startsWith(`${TENANT_PATH}/`) || path.startsWith(EVENTS_PATH)
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']

/** The methods that a path has handlers for. Middleware has the method "ALL". */
function allowedMethods({ router }: Hono<HttpEnv>, path: string): string[] {
  // Hono answers HEAD by the handlers of GET.
  const isServed = (method: string) =>
    router.match(method === 'HEAD' ? 'GET' : method, path)[0].some(([[, route]]) => route.method !== 'ALL')
  return METHODS.filter(isServed)
}

function isTokenEndpoint(path: string): boolean {
  return path === TOKEN_PATH
}
