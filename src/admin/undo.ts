/** Previews, starts and reads undos, for the admin API and the dashboard. Refusals become AdminErrors. */
import { cancelUndo, startUndo } from '../provider/jobs/start.ts'
import type { UndoPosition } from '../provider/jobs/undo.ts'
import { type UndoOfResource, uniqueNameOf } from '../provider/undo/resource-undo.ts'
import { undoesOf } from '../provider/undo/undo-page.ts'
import { quote } from '../scim/error.ts'
import { MAX_UNDO_PAGE } from '../scim/limits.ts'
import type { Database } from '../storage/database/database.ts'
import { NOTHING, readTogether } from '../storage/database/query.ts'
import {
  type ChangeCounts,
  changeCountsQuery,
  countsOf,
  type FoundWindow,
  type UndoPageSize,
  type UndoPageStart,
  type UndoWindow,
  undoPageQuery,
  type WindowSource,
  windowOf,
  windowOfJob,
  windowOfTimes,
  windowQuery,
} from '../storage/events/undo.ts'
import { extensionsQuery, type StoredExtensions } from '../storage/extensions/stored-extensions.ts'
import { extendedTypes } from '../storage/tables/resource-tables.ts'
import { getJob, type Job, jobQuery } from '../storage/tenants/jobs.ts'
import { catalogueOf } from '../storage/tenants/locations.ts'
import { administrationDatabases } from './database.ts'
import { AdminError, invalidField } from './errors.ts'
import { type JobContext, NoSuchJob, startedJob, startOf } from './jobs.ts'
import { isoTime } from './read-models.ts'
import { requireTenant } from './require-tenant.ts'
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

/** What a page of the dashboard tells beyond what it tells by itself. The admin API tells everything. */
export interface UndoExtent {
  /** Whether all changes are counted; otherwise those of the resources on the page. */
  readonly countsAll: boolean
  /** Whether all events of each resource are read, and the present members of all groups are looked up; otherwise few. */
  readonly checksMembers: boolean
  /** Whether more events are looked at. */
  readonly looksFar: boolean
}

const EVERYTHING: UndoExtent = { countsAll: true, checksMembers: true, looksFar: true }

/** Where a page is. */
interface UndoPlace {
  readonly before?: number | undefined
  readonly extent?: UndoExtent
}

/** Events that a page of the dashboard looks at when it is asked to look far, and one of the admin API. */
export const FAR = 2_000
const SIZE: UndoPageSize = { resources: 8, scanned: 50, events: 40 }
const SIZE_OF_ALL: UndoPageSize = { resources: MAX_UNDO_PAGE, scanned: FAR, events: 500 }
/** Members whose state a page of the dashboard looks up. */
const MEMBERS_ON_PAGE = 8

function sizeOf({ countsAll, checksMembers, looksFar }: UndoExtent): UndoPageSize {
  if (countsAll && checksMembers && looksFar) return SIZE_OF_ALL
  return looksFar ? { ...SIZE, scanned: FAR } : SIZE
}

function maximaOf({ checksMembers }: UndoExtent) {
  return { maxMembers: checksMembers ? Infinity : MEMBERS_ON_PAGE, readsAllEvents: checksMembers }
}

/** The first round trip of a page: the extensions of the tenant, and the resources with their events. */
export function undoPageQueries(
  c: JobContext,
  tenantId: string,
  source: WindowSource,
  { before, extent = EVERYTHING }: UndoPlace,
) {
  const names = new Map(
    c.get('resourceTypes').map((type) => [type.name, uniqueNameOf(type) ?? type.nameAttribute]),
  )
  return {
    stored: extensionsQuery(tenantId),
    start: undoPageQuery(tenantId, source, { before, size: sizeOf(extent), names }),
  }
}

/** The source of the events of a preview. @throws {AdminError} 400 */
export function previewSource(tenantId: string, request: UndoWindow): WindowSource {
  requireOrder(request)
  return windowOfTimes(tenantId, request)
}

type UndoPageFound = {
  readonly stored: StoredExtensions | undefined
  readonly start: UndoPageStart | undefined
}

/**
 * What an undo would change.
 *
 * @param found the results of `undoPageQueries`
 * @throws {AdminError} 400, 404, 409
 */
export async function previewOf(
  c: JobContext,
  tenantId: string,
  request: UndoWindow,
  { stored, start }: UndoPageFound,
  extent = EVERYTHING,
): Promise<UndoPreview> {
  const { extensions } = requireTenant(stored, tenantId)
  if (start === undefined) throw new Error('a window of times was not found')
  const clientName = requireKept(request, start)
  const types = extendedTypes(c.get('resourceTypes'), extensions)
  const isComplete = start.isWhole && start.resources.every(({ isPart }) => !isPart)
  const events = start.resources.flatMap((resource) => resource.events)
  const known: ChangeCounts = { ...countsOf(start.window, events), isComplete }
  const { resources, also } = await undoesOf(
    c.get('db'),
    start,
    { types, tenantId, requestId: undefined, ...maximaOf(extent) },
    extent.countsAll ? changeCountsQuery(tenantId, start.window) : { statements: [], read: () => known },
  )
  return { clientName, counts: also, resources, next: start.next }
}

/** The same, for the admin API. */
export async function previewUndoOf(
  c: JobContext,
  tenantId: string,
  request: UndoWindow,
  before?: number,
): Promise<UndoPreview> {
  const source = previewSource(tenantId, request)
  const found = await readTogether(c.get('db'), undoPageQueries(c, tenantId, source, { before }))
  return await previewOf(c, tenantId, request, found)
}

/** Starts an undo. @throws {AdminError} 400, 404, 409; nothing is changed */
export async function startUndoOf(c: JobContext, tenantId: string, request: UndoWindow): Promise<Job> {
  const db = c.get('db')
  await listSchemas(db, tenantId)
  const window = await locate(db, tenantId, request)
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

/** The first round trip of the result of an undo. With several databases, the job is read before it. */
export async function undoResultQueries(c: JobContext, tenantId: string, jobId: string, place: UndoPlace) {
  const databases = administrationDatabases(c, c.get('figures'))
  if (c.get('home') === databases.names[0]) {
    const source = windowOfJob(tenantId, jobId)
    return { job: jobQuery(tenantId, jobId), ...undoPageQueries(c, tenantId, source, place) }
  }
  const job = await getJob(catalogueOf(databases), tenantId, jobId)
  const { window }: UndoPosition = JSON.parse(String(requireUndo(job, tenantId, jobId).position))
  return {
    job: { statements: [], read: () => job },
    ...undoPageQueries(c, tenantId, windowOf(window), place),
  }
}

/** What an undo has left. @param found the results of `undoResultQueries` @throws {AdminError} 404, 409 */
export async function undoResultFrom(
  c: JobContext,
  tenantId: string,
  jobId: string,
  { job: found, stored, start }: UndoPageFound & { readonly job: Job | undefined },
  extent = EVERYTHING,
): Promise<UndoPage & { readonly job: Job }> {
  const { extensions } = requireTenant(stored, tenantId)
  const job = requireUndo(found, tenantId, jobId)
  if (start === undefined) throw new Error(`the undo ${quote(jobId)} has no window`)
  const types = extendedTypes(c.get('resourceTypes'), extensions)
  const options = { types, tenantId, requestId: jobId, ...maximaOf(extent) }
  const { resources } = await undoesOf(c.get('db'), start, options, NOTHING)
  return { job, resources, next: start.next }
}

/** The same, for the admin API. */
export async function undoResultOf(
  c: JobContext,
  tenantId: string,
  jobId: string,
  before?: number,
): Promise<UndoPage & { readonly job: Job }> {
  const queries = await undoResultQueries(c, tenantId, jobId, { before })
  return await undoResultFrom(c, tenantId, jobId, await readTogether(c.get('db'), queries))
}

function requireUndo(job: Job | undefined, tenantId: string, jobId: string): Job {
  if (job === undefined) throw new NoSuchJob(tenantId, jobId)
  if (job.kind !== 'undo')
    throw new AdminError(409, 'conflict', `the job must be an undo, but it is of the kind ${quote(job.kind)}`)
  return job
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
  requireOrder(request)
  const { found } = await readTogether(db, { found: windowQuery(tenantId, request) })
  requireKept(request, found)
  return found.window
}

function requireOrder({ from, to }: UndoWindow): void {
  if (from > to) throw invalidField('to', `a time that is not before "from" (${isoTime(from)})`, isoTime(to))
}

/** @returns the name of the client */
function requireKept({ from, clientId }: UndoWindow, { oldest, clientName }: FoundWindow): string {
  if (clientName === undefined) throw invalidField('clientId', 'the id of a client of this tenant', clientId)
  const isKept = oldest === undefined || oldest.seq === 1 || oldest.time <= from
  if (isKept) return clientName
  const since = `the changes of this tenant are kept since ${isoTime(oldest.time)} only`
  throw new AdminError(409, 'conflict', `"from" is ${isoTime(from)}, and ${since}`, 'from')
}
