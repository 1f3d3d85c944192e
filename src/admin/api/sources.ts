/** Handlers of the routes of sources. */
import { quote } from '../../scim/error.ts'
import { handOver, handOverAll } from '../../storage/sources/hand-over.ts'
import { tenantQuery } from '../../storage/tenants/queries.ts'
import type { sourceRoutes } from '../contract/sources.ts'
import { AdminError } from '../errors.ts'
import { conflictJson } from '../read-models.ts'
import { requireTenant } from '../require-tenant.ts'
import { conflictIdOf, dismissConflict, readConflicts, requireOwners } from '../sources.ts'
import type { Handlers } from './serve.ts'

const PAGE_SIZE = 50

export const sourceHandlers: Handlers<typeof sourceRoutes> = {
  async listConflicts({ db, parameters: { id }, query: { state = 'open', cursor = '0' }, c }) {
    const offset = Number(cursor)
    const request = {
      tenantId: id,
      types: c.get('resourceTypes'),
      state,
      size: PAGE_SIZE,
      now: c.env.now(),
      offset,
    }
    const { rest, found, left } = await readConflicts(db, request, tenantQuery(id))
    requireTenant(rest, id)
    const conflicts = left.map((conflict) => ({ id: conflictIdOf(conflict), ...conflictJson(conflict) }))
    // Those that were resolved are not counted any more.
    const next = offset + left.length
    return { status: 200, body: { conflicts, nextCursor: found.length < PAGE_SIZE ? null : String(next) } }
  },

  async dismissConflict({ db, parameters: { id, conflictId }, c }) {
    await dismissConflict(db, id, conflictId, c.env.now())
    return { status: 204 }
  },

  async changeOwner({ db, parameters: { id, resourceId }, body: { clientId }, c }) {
    await requireOwners(db, id, { clientId })
    const changed = await handOver(db, c.get('resourceTypes'), { tenantId: id, id: resourceId, to: clientId })
    if (!changed) {
      throw new AdminError(404, 'notFound', `tenant ${quote(id)} has no resource ${quote(resourceId)}`)
    }
    return { status: 204 }
  },

  async handOver({ db, parameters: { id }, body: { from, to, after }, c }) {
    await requireOwners(db, id, { to })
    const { changed, next } = await handOverAll(db, c.get('resourceTypes'), { tenantId: id, from, to, after })
    return { status: 200, body: { changed, next: next ?? null } }
  },
}
