/** Handlers of the routes of tenants. */
import { deleteTenant, getTenant, insertTenant, listTenants } from '../../storage/tenants.ts'
import { changeTenant } from '../change-tenant.ts'
import { ADMIN_API_PATH } from '../contract/routes.ts'
import type { tenantRoutes } from '../contract/tenants.ts'
import { AdminError } from '../errors.ts'
import { tenantJson } from '../read-models.ts'
import { NoSuchTenant, requireTenant } from '../require-tenant.ts'
import { notReady } from '../tenant-state.ts'
import type { Handlers } from './serve.ts'

const NO_COUNTS = { userCount: 0, activeUserCount: 0, groupCount: 0, membershipCount: 0 }

export const tenantHandlers: Handlers<typeof tenantRoutes> = {
  async listTenants({ db }) {
    return { status: 200, body: { tenants: (await listTenants(db)).map(tenantJson) } }
  },

  async createTenant({ db, body, c }) {
    const tenant = { ...body, createdAt: c.env.now() }
    if (!(await insertTenant(db, tenant))) {
      const present = await getTenant(db, tenant.id)
      if (present?.state === 'deleting') throw notReady(present)
      throw new AdminError(409, 'conflict', `there is a tenant "${tenant.id}" already`, 'id')
    }
    return {
      status: 201,
      body: tenantJson({ ...tenant, ...NO_COUNTS, profile: 'tolerant', state: 'ready', importedLines: null }),
      headers: { Location: `${ADMIN_API_PATH}/tenants/${tenant.id}` },
    }
  },

  async getTenant({ db, parameters: { id } }) {
    return { status: 200, body: tenantJson(requireTenant(await getTenant(db, id), id)) }
  },

  async updateTenant({ db, parameters: { id }, body }) {
    return { status: 200, body: tenantJson(requireTenant(await changeTenant(db, id, body), id)) }
  },

  async deleteTenant({ db, parameters: { id }, c }) {
    const outcome = await deleteTenant(db, c.get('resourceTypes'), id)
    if (outcome === undefined) throw new NoSuchTenant(id)
    return outcome === 'deleted' ? { status: 204 } : { status: 202, body: { state: outcome } }
  },
}
