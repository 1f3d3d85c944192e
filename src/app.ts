/**
 * The app: the SCIM API under /scim/v2, the token endpoint, the admin API and the dashboard under /admin. It does not depend on a runtime: an
 * entry file passes one in with each request. Routes that most isolates never serve are loaded with their first request: parts.ts.
 */
import { type Context, type ExecutionContext, Hono, type MiddlewareHandler } from 'hono'
import { adminErrorResponse, adminMisconfigured, adminNotFound } from './admin/errors.ts'
import { requireValidAddress } from './edge/address.ts'
import { onError, onMethodNotAllowed, onMisconfigured, onNotFound } from './http/errors.ts'
import { events } from './http/events.ts'
import { healthz } from './http/healthz.ts'
import { metrics } from './http/metrics.ts'
import { misconfigured, oauthErrorResponse } from './http/oauth/errors.ts'
import { requestId, showRequestId } from './http/request-id.ts'
import { requestLog } from './http/request-log.ts'
import { scim } from './http/scim.ts'
import { EVENTS_PATH, METRICS_PATH, routePath, TENANT_PATH, TOKEN_PATH } from './http/url.ts'
import { ADMIN_PATH, type AddRoutes, LAZY_ROUTES, type LazyRoutes, loadAdministration } from './parts.ts'
import type { Dispatch, HttpEnv, Runtime } from './runtime.ts'
import { RESOURCE_TYPES, type StoredResourceType } from './storage/tables/resource-tables.ts'

export interface AppOptions {
  /** The types of resources that directories hold. */
  readonly resourceTypes?: readonly StoredResourceType[]
}

export interface App {
  readonly fetch: (
    request: Request,
    runtime: Runtime,
    context?: ExecutionContext,
  ) => Response | Promise<Response>
}

/** What the routes of the app have in common. */
interface Shared {
  readonly resourceTypes: readonly StoredResourceType[]
  readonly pathOf: (url: string) => string
  readonly dispatch: Dispatch
}

export function createApp({ resourceTypes = RESOURCE_TYPES }: AppOptions = {}): App {
  const pathOf = routePath(resourceTypes)
  const fetch: App['fetch'] = (request, ...rest) => {
    const path = pathOf(request.url)
    const lazy = lazyApps.find(({ paths }) => paths.some((one) => isBelow(path, one)))
    if (lazy === undefined) return directory.fetch(request, ...rest)
    return lazy.app().then((app) => app.fetch(request, ...rest))
  }
  const shared = { resourceTypes, pathOf, dispatch: fetch }
  const directory = appWith(shared, (app) => addDirectory(app, resourceTypes, fetch))
  const lazyApps = LAZY_ROUTES.map((routes) => ({ ...routes, app: lazyApp(shared, routes) }))
  return { fetch }
}

/** Adds the routes that every isolate serves. @param dispatch handles the operations of a bulk request */
export function addDirectory(
  app: Hono<HttpEnv>,
  resourceTypes: readonly StoredResourceType[],
  dispatch: Dispatch,
): void {
  app.route(TENANT_PATH, scim(resourceTypes, dispatch))
  // Responses of the SCIM API have the id anyway: Hono's own headers take longer.
  app.use(showRequestId)
  app.get(HEALTH_PATH, verboseHealth, healthz)
  app.get(METRICS_PATH, metrics)
  app.route(EVENTS_PATH, events)
  app.get('/', (c) => c.redirect(ADMIN_PATH))
}

/** @returns a function that returns the app, and loads its routes first; if that fails, an app that answers with the error */
function lazyApp(shared: Shared, { load }: LazyRoutes): () => Promise<Hono<HttpEnv>> {
  let app: Hono<HttpEnv> | undefined
  return async () => {
    if (app !== undefined) return app
    try {
      const addRoutes = await load()
      app ??= appWith(shared, (added) => addRoutes(added.use(showRequestId)))
      return app
    } catch (error) {
      return appWith(shared, (failing) =>
        failing.use(showRequestId).all('*', () => {
          throw error
        }),
      )
    }
  }
}

/** An app with what all requests have in common. */
function appWith({ resourceTypes, pathOf, dispatch }: Shared, addRoutes: AddRoutes): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>({ getPath: (request) => pathOf(request.url) })
  app.onError((error, c) => errorResponse(c, error))
  app.use((c, next) => {
    c.set('resourceTypes', resourceTypes)
    c.set('dispatch', dispatch)
    c.set('requestId', requestId(c))
    return requestLog(c, next)
  })
  app.use((c, next) => {
    requireValidAddress(c)
    return !c.env.isMisconfigured || isProbe(c.req.path) ? next() : misconfiguredResponse(c)
  })
  addRoutes(app)
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

/** Serves the details of the state to the administrator. */
const verboseHealth: MiddlewareHandler<HttpEnv> = async (c, next) => {
  if (c.req.query('verbose') === undefined) return await next()
  return await (await loadAdministration()).verboseHealth(c, next)
}

/** The answer to a request that no other error handler answers. */
function errorResponse(c: Context<HttpEnv>, error: Error): Response | Promise<Response> {
  const { path } = c.req
  if (isTokenEndpoint(path)) return oauthErrorResponse(c, error)
  return isBelow(path, ADMIN_PATH) ? adminErrorResponse(c, error) : onError(error, c)
}

/** Serves nothing while a setting is invalid: a typing error must not let anybody in, or empty a log. */
async function misconfiguredResponse(c: Context<HttpEnv>): Promise<Response> {
  if (isTokenEndpoint(c.req.path)) throw misconfigured()
  return isForClients(c.req.path) ? onMisconfigured(c) : adminMisconfigured(c)
}

/** True for the paths of clients: http/errors.ts makes their errors. */
function isForClients(path: string): boolean {
  return isBelow(path, TENANT_PATH) || path.startsWith(EVENTS_PATH)
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

/** True for the path itself, and for everything below it. */
function isBelow(path: string, above: string): boolean {
  return path.startsWith(above) && (path.length === above.length || path[above.length] === '/')
}
