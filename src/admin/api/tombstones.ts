/** Handlers of the routes of deleted resources. */
import { readTogether } from '../../storage/database/query.ts'
import { tombstonesQuery } from '../../storage/resources/tombstones.ts'
import { getTenant, tenantQuery } from '../../storage/tenants/queries.ts'
import type { tombstoneRoutes } from '../contract/tombstones.ts'
import { jobJson, tombstoneJson } from '../read-models.ts'
import { requireTenant } from '../require-tenant.ts'
import { eraseAllOf, eraseOf, restoreOf } from '../tombstones.ts'
import type { Handlers } from './serve.ts'

const PAGE_SIZE = 100

export const tombstoneHandlers: Handlers<typeof tombstoneRoutes> = {
  async listTombstones({ db, parameters: { id }, query: { cursor } }) {
    const before = cursor === undefined ? undefined : Number(cursor)
    const { tenant, page } = await readTogether(db, {
      tenant: tenantQuery(id),
      page: tombstonesQuery(id, { before, size: PAGE_SIZE }),
    })
    requireTenant(tenant, id)
    const nextCursor = page.next === undefined ? null : String(page.next)
    return { status: 200, body: { tombstones: page.items.map(tombstoneJson), nextCursor } }
  },

  async restoreTombstone({ db, parameters: { id, resourceId }, c }) {
    requireTenant(await getTenant(db, id), id)
    const { restorable, job } = await restoreOf(c, id, resourceId)
    if (job !== undefined) return { status: 202, body: jobJson(job) }
    const { resourceType, name } = restorable.tombstone
    return { status: 200, body: { id: resourceId, resourceType, name } }
  },

  async eraseTombstone({ db, parameters: { id, resourceId }, c }) {
    requireTenant(await getTenant(db, id), id)
    await eraseOf(c, id, resourceId)
    return { status: 204 }
  },

  async eraseTombstones({ db, parameters: { id }, c }) {
    requireTenant(await getTenant(db, id), id)
    return { status: 200, body: await eraseAllOf(c, id) }
  },
}
