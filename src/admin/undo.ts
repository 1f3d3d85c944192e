/** Previews, starts and reads undos, for the admin API and the dashboard. Refusals become AdminErrors. */
import { cancelUndo, startUndo } from '../provider/jobs/start.ts'
import type { UndoPosition } from '../provider/jobs/undo.ts'
import { type UndoOfResource, undoOf } from '../provider/undo/resource-undo.ts'
import { quote } from '../scim/error.ts'
import { MAX_UNDO_PAGE } from '../scim/limits.ts'
import type { Database } from '../storage/database/database.ts'
import { readTogether } from '../storage/database/query.ts'
import {
  type ChangeCounts,
  changeCountsQuery,
  changedResourcesQuery,
  type LocatedWindow,
  type UndoWindow,
  windowQuery,
} from '../storage/events/undo.ts'
import { extendedTypes } from '../storage/tables/resource-tables.ts'
import { getJob, type Job } from '../storage/tenants/jobs.ts'
import { catalogueOf } from '../storage/tenants/locations.ts'
import { administrationDatabases } from './database.ts'
import { AdminError, invalidField } from './errors.ts'
import { type JobContext, NoSuchJob, startedJob, startOf } from './jobs.ts'
import { listSchemas } from './tenant-schemas.ts'

/** A page of resources, and the cursor of the next one. */
export interface UndoPage {
  readonly resources: readonly UndoOfResource[]
  readonly next: number | undefined
}

export interface UndoPreview extends UndoPage {
  readonly clientName: string
  readonly counts: ChangeCounts
}

/** What an undo would change. @throws {AdminError} 400, 404, 409 */
export async function previewUndoOf(
  c: JobContext,
  tenantId: string,
  request: UndoWindow,
  before?: number,
): Promise<UndoPreview> {
  const db = c.get('db')
  const { window, clientName } = await locate(db, tenantId, request)
  const [page, { counts }] = [
    await pageOf(c, tenantId, { window, requestId: undefined, before }),
    await readTogether(db, { counts: changeCountsQuery(tenantId, window) }),
  ]
  return { clientName, counts, ...page }
}

/** Starts an undo. @throws {AdminError} 400, 404, 409; nothing is changed */
export async function startUndoOf(c: JobContext, tenantId: string, request: UndoWindow): Promise<Job> {
  const db = c.get('db')
  await listSchemas(db, tenantId)
  const { window } = await locate(db, tenantId, request)
  const { counts } = await readTogether(db, { counts: changeCountsQuery(tenantId, window) })
  const { isComplete: _, ...numbers } = counts
  const total = Object.values(numbers).reduce((sum, number) => sum + number, 0)
  if (total === 0)
    throw new AdminError(
      409,
      'conflict',
      `client ${quote(request.clientId)} changed nothing between the two times`,
    )
  const start = await startOf(c, tenantId)
  const job = await startedJob(start, startUndo(start, window, total))
  await c.env.wakeJobs(tenantId)
  return job
}

/** What an undo has left. @throws {AdminError} 404, 409 */
export async function undoResultOf(
  c: JobContext,
  tenantId: string,
  jobId: string,
  before?: number,
): Promise<UndoPage & { readonly job: Job; readonly window: LocatedWindow }> {
  const job = await getJob(catalogueOf(administrationDatabases(c, c.get('figures'))), tenantId, jobId)
  if (job === undefined) throw new NoSuchJob(tenantId, jobId)
  if (job.kind !== 'undo')
    throw new AdminError(409, 'conflict', `the job must be an undo, but it is of the kind ${quote(job.kind)}`)
  const { window }: UndoPosition = JSON.parse(String(job.position))
  return { job, window, ...(await pageOf(c, tenantId, { window, requestId: jobId, before })) }
}

/** @throws {AdminError} 404 if none is running */
export async function cancelUndoOf(c: JobContext, tenantId: string): Promise<Job> {
  const job = await cancelUndo(await startOf(c, tenantId))
  if (job === undefined)
    throw new AdminError(404, 'notFound', `tenant ${quote(tenantId)} has no undo in progress`)
  await c.env.wakeJobs(tenantId)
  return job
}

async function locate(db: Database, tenantId: string, request: UndoWindow) {
  const { from, to, clientId } = request
  const text = (time: number) => new Date(time).toISOString()
  if (from > to) throw invalidField('to', `a time that is not before "from" (${text(from)})`, text(to))
  const { found } = await readTogether(db, { found: windowQuery(tenantId, request) })
  const { window, oldest, clientName } = found
  if (clientName === undefined) throw invalidField('clientId', 'the id of a client of this tenant', clientId)
  const isKept = oldest === undefined || oldest.seq === 1 || oldest.time <= from
  if (!isKept) {
    const since = `the changes of this tenant are kept since ${text(oldest.time)} only`
    throw new AdminError(409, 'conflict', `"from" is ${text(from)}, and ${since}`, 'from')
  }
  return { window, clientName }
}

async function pageOf(
  c: JobContext,
  tenantId: string,
  {
    window,
    requestId,
    before,
  }: {
    readonly window: LocatedWindow
    readonly requestId: string | undefined
    readonly before: number | undefined
  },
): Promise<UndoPage> {
  const db = c.get('db')
  const types = extendedTypes(c.get('resourceTypes'), await listSchemas(db, tenantId))
  const { page } = await readTogether(db, {
    page: changedResourcesQuery(tenantId, window, { before, size: MAX_UNDO_PAGE }),
  })
  const resources: UndoOfResource[] = []
  for (const { id, type: name } of page.resources) {
    const type = types.find((one) => one.name === name)
    if (type !== undefined) resources.push(await undoOf(db, { tenantId, type, id, window, requestId }))
  }
  return { resources, next: page.next }
}
