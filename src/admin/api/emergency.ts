/** Handlers of the routes that disable a user at once. */
import { getTenant } from '../../storage/tenants/queries.ts'
import type { emergencyRoutes } from '../contract/emergency.ts'
import { disabledType, setActiveOf } from '../emergency.ts'
import type { JobContext } from '../jobs.ts'
import { requireTenant } from '../require-tenant.ts'
import type { Handlers } from './serve.ts'

export const emergencyHandlers: Handlers<typeof emergencyRoutes> = {
  async disableUser({ db, parameters: { id, userId }, body: { reason }, c }) {
    requireTenant(await getTenant(db, id), id)
    return { status: 200, body: await changed(c, id, { id: userId, active: false, reason }) }
  },

  async enableUser({ db, parameters: { id, userId }, c }) {
    requireTenant(await getTenant(db, id), id)
    return { status: 200, body: await changed(c, id, { id: userId, active: true }) }
  },
}

async function changed(
  c: JobContext,
  tenantId: string,
  write: { readonly id: string; readonly active: boolean; readonly reason?: string | undefined },
) {
  const user = await setActiveOf(c, tenantId, { type: disabledType(c.get('resourceTypes')), ...write })
  return { id: write.id, userName: String(user.userName ?? ''), active: write.active }
}
