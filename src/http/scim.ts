/**
 * Everything under the Tenant URL.
 */
import { Hono } from 'hono'
import { methodNotAllowed } from 'hono/method-not-allowed'
import type { HttpEnv } from '../runtime.ts'
import type { StoredResourceType } from '../storage/tables/resource-tables.ts'
import { bearerAuth } from './bearer-auth.ts'
import { bulk, type Dispatch } from './bulk.ts'
import { discovery } from './discovery.ts'
import { onMethodNotAllowed } from './errors.ts'
import { limitFailedAuthentication, limitRate } from './rate-limit.ts'
import { replicas } from './replicas.ts'
import { resources } from './resources.ts'
import { search } from './search.ts'
import { serverTiming } from './server-timing.ts'

/**
 * The SCIM API as an app of its own; mounted at TENANT_PATH. What it throws is for the outermost app: for an app that
 * handles its own errors, Hono makes a chain of each of its handlers, which takes longer than they do.
 *
 * @param types each has an endpoint
 * @param dispatch the whole app: runs each operation of a bulk request as a request
 */
export function scim(types: readonly StoredResourceType[], dispatch: Dispatch): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>()
  app.use(serverTiming, limitFailedAuthentication)
  app.use(methodNotAllowed({ app, onMethodNotAllowed }))
  for (const type of types) {
    // The path itself is among those below it: once is enough, or each list would count twice.
    app.use(`${type.endpoint}/*`, bearerAuth, limitRate, replicas)
    app.route(type.endpoint, resources(type))
  }
  app.route('/', search)
  app.route('/Bulk', bulk(dispatch))
  app.route('/', discovery)
  return app
}
