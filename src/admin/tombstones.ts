/** Restores and erases deleted resources, for the admin API and the dashboard. Refusals become AdminErrors. */
import { type AdministratorRun, asAdministrator } from '../provider/administrator.ts'
import { bringBack, findRestorable, type Restorable, restorePart } from '../provider/history/restore.ts'
import { startRestore } from '../provider/jobs/start.ts'
import { quote } from '../scim/error.ts'
import { eraseTombstone, eraseTombstones } from '../storage/resources/tombstones.ts'
import type { Job } from '../storage/tenants/jobs.ts'
import { administrationDatabases } from './database.ts'
import { AdminError } from './errors.ts'
import { type JobContext, startedJob, startOf } from './jobs.ts'

class NoSuchTombstone extends AdminError {
  constructor(tenantId: string, id: string, days: number) {
    const kept =
      days === 0 ? 'no deleted resource (TOMBSTONE_DAYS is 0)' : `deleted resources for ${days} days at most`
    super(404, 'notFound', `tenant ${quote(tenantId)} keeps ${kept}, and none with the id ${quote(id)}`)
  }
}

export interface Restored {
  readonly restorable: Restorable
  /** The job that restores it; undefined: it is restored. */
  readonly job: Job | undefined
}

/** Restores a resource, or starts a job that does. @throws {AdminError} 404, 409; {ScimError} 400, 409 */
export async function restoreOf(c: JobContext, tenantId: string, id: string): Promise<Restored> {
  return await asAdministrator(administratorOf(c, tenantId), async (call) => {
    const restorable = await findRestorable(call, id)
    if (restorable === undefined) throw new NoSuchTombstone(tenantId, id, c.env.settings.tombstoneDays)
    if (!restorable.isSmall) {
      const start = await startOf(c, tenantId)
      const job = await startedJob(start, startRestore(start, id, restorable.memberships))
      await c.env.wakeJobs(tenantId)
      return { restorable, job }
    }
    await bringBack(call, restorable)
    while ((await restorePart(call, restorable)) !== undefined);
    c.env.pokeWebhooks(tenantId, call.tenant.webhooks)
    return { restorable, job: undefined }
  })
}

/** @throws {AdminError} 404 */
export async function eraseOf(c: JobContext, tenantId: string, id: string): Promise<void> {
  if (await eraseTombstone(c.get('db'), tenantId, id)) return
  throw new NoSuchTombstone(tenantId, id, c.env.settings.tombstoneDays)
}

const ERASED_AT_ONCE = 100
const MAX_ERASING_BATCHES = 10

/** Erases the tombstones of a tenant, as far as one request can. */
export async function eraseAllOf(
  c: JobContext,
  tenantId: string,
): Promise<{ readonly erased: number; readonly hasMore: boolean }> {
  let erased = 0
  for (let i = 0; i < MAX_ERASING_BATCHES; i++) {
    const ids = await eraseTombstones(c.get('db'), tenantId, ERASED_AT_ONCE)
    erased += ids.length
    if (ids.length < ERASED_AT_ONCE) return { erased, hasMore: false }
  }
  return { erased, hasMore: true }
}

/** The administrator of this request. */
export function administratorOf(c: JobContext, tenantId: string): AdministratorRun {
  const { names, open } = administrationDatabases(c, c.get('figures'))
  return {
    tenantId,
    openDatabase: (name = names[0]) => open(name),
    resourceTypes: c.get('resourceTypes'),
    newId: c.env.newId,
    now: c.env.now(),
    requestId: c.get('requestId'),
    keepsDeleted: c.env.settings.tombstoneDays > 0,
  }
}
