/**
 * The SCIM API, which is mounted at the Tenant URL.
 */
import { Hono } from 'hono'
import type { Dispatch, HttpEnv } from '../runtime.ts'
import { GROUP_MEMBERSHIP } from '../scim/schema/group-membership.ts'
import { hasMembers } from '../scim/schema/resource-type.ts'
import type { StoredResourceType } from '../storage/tables/resource-tables.ts'
import { directoryAuth } from './bearer-auth.ts'
import { bulk } from './bulk.ts'
import { clientRequest } from './client-request.ts'
import { discovery } from './discovery.ts'
import { groupMemberships } from './group-memberships.ts'
import { resources } from './resources.ts'
import { search } from './search.ts'

/**
 * Creates the app for TENANT_PATH. It has no error handler: Hono would wrap each handler in a chain, which takes longer
 * than the handler itself. The outermost app handles its errors. For the same reason, a middleware does several things.
 *
 * @param types the shipped resource types
 * @param dispatch the outermost app, which handles each operation of a bulk request as a request
 */
export function scim(types: readonly StoredResourceType[], dispatch: Dispatch): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>()
  app.use(clientRequest)
  for (const type of types) {
    // The pattern also matches the endpoint itself. A second registration would count list requests twice.
    app.use(`${type.endpoint}/*`, directoryAuth)
    app.route(type.endpoint, resources(type))
  }
  const withMembers = types.find(hasMembers)
  if (withMembers !== undefined) {
    app.use(`${GROUP_MEMBERSHIP.endpoint}/*`, directoryAuth)
    app.route(GROUP_MEMBERSHIP.endpoint, groupMemberships(withMembers.name))
  }
  app.route('/', search)
  app.route('/Bulk', bulk(dispatch))
  app.route('/', discovery)
  return app
}
