/**
 * The SCIM API, which is mounted at the Tenant URL.
 */
import { Hono } from 'hono'
import { methodNotAllowed } from 'hono/method-not-allowed'
import type { Dispatch, HttpEnv } from '../runtime.ts'
import { GROUP_MEMBERSHIP } from '../scim/schema/group-membership.ts'
import { hasMembers } from '../scim/schema/resource-type.ts'
import type { StoredResourceType } from '../storage/tables/resource-tables.ts'
import { bearerAuth } from './bearer-auth.ts'
import { bulk } from './bulk.ts'
import { discovery } from './discovery.ts'
import { onMethodNotAllowed } from './errors.ts'
import { groupMemberships } from './group-memberships.ts'
import { limitFailedAuthentication, limitRate } from './rate-limit.ts'
import { replicas } from './replicas.ts'
import { resources } from './resources.ts'
import { search } from './search.ts'
import { serverTiming } from './server-timing.ts'

/**
 * Creates the app for TENANT_PATH. It has no error handler: Hono would wrap each handler in a chain, which takes longer
 * than the handler itself. The outermost app handles its errors.
 *
 * @param types the shipped resource types
 * @param dispatch the outermost app, which handles each operation of a bulk request as a request
 */
export function scim(types: readonly StoredResourceType[], dispatch: Dispatch): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>()
  app.use(serverTiming, limitFailedAuthentication)
  app.use(methodNotAllowed({ app, onMethodNotAllowed }))
  for (const type of types) {
    // The pattern also matches the endpoint itself. A second registration would count list requests twice.
    app.use(`${type.endpoint}/*`, bearerAuth, limitRate, replicas)
    app.route(type.endpoint, resources(type))
  }
  const withMembers = types.find(hasMembers)
  if (withMembers !== undefined) {
    app.use(`${GROUP_MEMBERSHIP.endpoint}/*`, bearerAuth, limitRate, replicas)
    app.route(GROUP_MEMBERSHIP.endpoint, groupMemberships(withMembers.name))
  }
  app.route('/', search)
  app.route('/Bulk', bulk(dispatch))
  app.route('/', discovery)
  return app
}
