/** Handlers of the tenant routes. */
import { tenantsOf } from '../../administrators/role.ts'
import { tenantPage } from '../../provider/tenants.ts'
import { getTenant } from '../../storage/tenants/queries.ts'
import { changeTenant } from '../change-tenant.ts'
import { ADMIN_API_PATH } from '../contract/routes.ts'
import type { tenantRoutes } from '../contract/tenants.ts'
import { createTenantIn } from '../create-tenant.ts'
import { administrationDatabases } from '../database.ts'
import { continueCleanup, deleteTenantOf } from '../jobs.ts'
import { tenantJson } from '../read-models.ts'
import { NoSuchTenant, requireTenant } from '../require-tenant.ts'
import type { Handlers } from './serve.ts'

const NO_COUNTS = { userCount: 0, activeUserCount: 0, groupCount: 0, membershipCount: 0 }

export const tenantHandlers: Handlers<typeof tenantRoutes> = {
  async listTenants({ c }) {
    const among = tenantsOf(c.get('administrator').grants)
    const databases = administrationDatabases(c, c.get('figures'))
    const { items } = await tenantPage(databases, '', Infinity, among)
    return { status: 200, body: { tenants: items.map(tenantJson) } }
  },

  async createTenant({ body: { database: wanted, ...body }, c }) {
    const databases = administrationDatabases(c, c.get('figures'))
    const tenant = { ...body, createdAt: c.env.now() }
    const database = await createTenantIn(databases, c.get('resourceTypes'), tenant, wanted)
    c.set('pathTenant', tenant.id)
    return {
      status: 201,
      body: tenantJson({
        ...tenant,
        ...NO_COUNTS,
        sourceMode: 'observe',
        deprovisionGuard: null,
        database,
        state: 'ready',
        importedLines: null,
      }),
      headers: { Location: `${ADMIN_API_PATH}/tenants/${tenant.id}` },
    }
  },

  async getTenant({ db, parameters: { id }, c }) {
    const tenant = requireTenant(await getTenant(db, id), id)
    return { status: 200, body: tenantJson({ ...tenant, database: c.get('home') }) }
  },

  async updateTenant({ parameters: { id }, body, c }) {
    const tenant = requireTenant(await changeTenant(c, id, body), id)
    return { status: 200, body: tenantJson({ ...tenant, database: c.get('home') }) }
  },

  async deleteTenant({ parameters: { id }, c }) {
    const outcome = await deleteTenantOf(c, id)
    if (outcome === undefined) throw new NoSuchTenant(id)
    if (outcome === 'deleting') {
      const { id: jobId } = await continueCleanup(c, id, 'delete')
      return { status: 202, body: { state: outcome, jobId } }
    }
    return { status: 204 }
  },
}
