/**
 * The job that moves a tenant to another database. storage/tenants/move.ts has the states of the tenant on both sides.
 *
 * | step      | does |
 * |-----------|------|
 * | preparing | deletes what an earlier move left at the target |
 * | copying   | stops writes at the source, deletes memberships of deleted groups, then copies page by page |
 * | verifying | compares every page and the counts of both sides, and ends access at the target that has ended at the source |
 * | committing | lets clients read the copy; then the catalogue names the target |
 * | switched  | redirects clients from the source, and allows writes at the target |
 * | purging   | deletes the rows of the source |
 * | retracting | abandons a copy that clients may already read |
 * | aborting  | allows writes at the source again, even if the target does not respond |
 * | clearing  | abandons the copy and deletes it |
 */

import type { Database } from '../../storage/database/database.ts'
import { CHUNK_STATEMENTS, deleteLeftMemberships } from '../../storage/resources/deleted-groups.ts'
import { beginArrival, copyPosition, tenantCounts, tenantRow } from '../../storage/tenants/arrival.ts'
import {
  COPY_START,
  COPY_STATEMENTS,
  type CopyPosition,
  endAccessOf,
  type MovedTenant,
  parsePosition,
  positionText,
  readTenantPage,
  type TenantPage,
  writeTenantPage,
} from '../../storage/tenants/copy.ts'
import type { Job, JobChange } from '../../storage/tenants/jobs.ts'
import type { Databases } from '../../storage/tenants/locations.ts'
import {
  adoptLeftover,
  completeArrival,
  freezeTenant,
  giveUpCopy,
  leaveSource,
  openTarget,
  purgedTables,
  purgeTable,
  purgeTenant,
  reopenTenant,
  switchStatement,
} from '../../storage/tenants/move.ts'
import type { StepContext, Steps, Unit } from './step.ts'

export const MOVE_STEPS: Steps = {
  preparing: { statements: 5, onFailure: 'aborting', run: prepare },
  copying: { statements: 7 + CHUNK_STATEMENTS + COPY_STATEMENTS, onFailure: 'aborting', run: copy },
  verifying: { statements: 14, onFailure: 'aborting', run: verify },
  committing: { statements: 5, onFailure: 'retracting', run: commit },
  switched: { statements: 3, run: finishSwitch },
  purging: { statements: 2, run: (context) => purge(context, 'source') },
  retracting: { statements: 3, keepsError: true, run: retract },
  aborting: { statements: 1, keepsError: true, run: abort },
  clearing: { statements: 5, keepsError: true, run: clear },
}

function moveOf({ tenantId, id: jobId }: Job): MovedTenant {
  return { tenantId, jobId }
}

function sidesOf({ databases, job }: StepContext) {
  return { source: databases.open(job.source), target: databases.open(targetOf(job)) }
}

function targetOf({ target, id }: Job): string {
  if (target === null) throw new Error(`the job ${id} has no target`)
  return target
}

function isCatalogue(databases: Databases, name: string): boolean {
  return name === databases.names[0]
}

async function prepare(context: StepContext): Promise<Unit> {
  const { target } = sidesOf(context)
  const move = moveOf(context.job)
  if (!(await adoptLeftover(target, move))) return { next: 'copying' }
  const [table] = tablesFrom(context)
  if (table !== undefined) {
    const { isDone } = await purgeTable(target, context.resourceTypes, move, table)
    return { position: isDone ? tableAfter(context, table) : table }
  }
  await purgeTenant(target, move)
  return { next: 'copying' }
}

async function copy(context: StepContext): Promise<Unit> {
  const { source, target } = sidesOf(context)
  const move = moveOf(context.job)
  // The position of the job is only a hint: the position at the target counts.
  const known = context.job.position === null ? undefined : parsePosition(context.job.position)
  const position = known ?? (await begin(context))
  if (position === 'not yet') return {}
  if (position === undefined) return { next: 'verifying' }
  if ('error' in position) return { next: 'aborting', change: { error: position.error } }
  const { resourceTypes: types } = context
  const page = await readTenantPage(source, { types, tenantId: move.tenantId, position, what: 'all' })
  await writeTenantPage(target, move, position, page)
  const { rowCount: more, next } = page
  return next === undefined ? { more, next: 'verifying' } : { more, position: positionText(next) }
}

/** @returns the position at which the copy continues; undefined if it is complete; "not yet" if begin is to be called again */
async function begin(context: StepContext) {
  const { source, target } = sidesOf(context)
  const move = moveOf(context.job)
  if (!(await freezeTenant(source, move)))
    return { error: 'the tenant is not ready to be moved, or a change of its schemas is under way' }
  // The copy would refuse memberships without a group.
  if (!(await deleteLeftMemberships(source, move.tenantId, 1))) return 'not yet'
  const row = await tenantRow(source, move.tenantId)
  if (row === undefined) return { error: 'the tenant is gone' }
  if (!(await beginArrival(target, context.resourceTypes, move, row))) {
    return { error: `the database "${context.job.target}" holds something of a tenant of this id` }
  }
  return await copyPosition(target, move)
}

async function verify(context: StepContext): Promise<Unit> {
  const { resourceTypes, job } = context
  const { source, target } = sidesOf(context)
  const { tenantId } = job
  const position = (job.position === null ? undefined : parsePosition(job.position)) ?? COPY_START
  const page = await verifyPage(context, position)
  if (page === undefined) return mismatch(`rows of "${position.table}"`)
  const { rowCount: more, next } = page
  if (next !== undefined) return { more, position: positionText(next) }
  const [before, after] = await Promise.all(
    [source, target].map((db) => tenantCounts(db, resourceTypes, tenantId)),
  )
  return before === after ? { more, next: 'committing' } : mismatch('counts')
}

/** Comparisons of a page: access may end between the reads of both sides, and once more while that is repaired. */
const MAX_COMPARISONS = 3

/**
 * Compares a page of both sides. Access that ended at the source after the page was copied, or while the target did not
 * respond, ends at the target too.
 *
 * @returns the page of the source; undefined if both sides differ in anything else
 */
async function verifyPage(context: StepContext, position: CopyPosition): Promise<TenantPage | undefined> {
  const { resourceTypes, job } = context
  const { source, target } = sidesOf(context)
  const request = { types: resourceTypes, tenantId: job.tenantId, position, what: 'comparable' } as const
  const read = (db: Database) => readTenantPage(db, request)
  for (let count = 1; ; count++) {
    const [here, there] = await Promise.all([read(source), read(target)])
    if (isSamePage(here, there)) return here
    if (count === MAX_COMPARISONS || !(await endAccessOf(target, moveOf(job), here))) return undefined
  }
}

function isSamePage(here: TenantPage, there: TenantPage): boolean {
  if (typeof here.rows === 'string') return here.rows === there.rows
  return JSON.stringify(here.rows) === JSON.stringify(there.rows)
}

async function commit(context: StepContext): Promise<Unit> {
  const { databases, job } = context
  const { source, target } = sidesOf(context)
  const row = await tenantRow(source, job.tenantId)
  if (row === undefined) return { ...mismatch('the tenant itself'), next: 'retracting' }
  const name = targetOf(job)
  const isFirst = isCatalogue(databases, name)
  await completeArrival(target, moveOf(job), row, isFirst)
  return { next: 'switched', commit: [switchStatement(moveOf(job), name, isFirst)] }
}

function mismatch(what: string): Unit {
  return {
    next: 'aborting',
    change: { error: `the copy differs from the original in ${what}; start the move again` },
  }
}

async function finishSwitch(context: StepContext): Promise<Unit> {
  const { source, target } = sidesOf(context)
  // The order matters: nobody may read the old copy once the new one accepts writes.
  await leaveSource(
    source,
    moveOf(context.job),
    addressAt(context, context.job.source, targetOf(context.job)),
  )
  await context.noteWrite()
  await openTarget(target, moveOf(context.job))
  return { next: 'purging' }
}

async function retract(context: StepContext): Promise<Unit> {
  await giveUp(context)
  return { next: 'aborting' }
}

async function abort(context: StepContext): Promise<Unit> {
  await reopenTenant(sidesOf(context).source, moveOf(context.job))
  return { next: 'clearing' }
}

async function clear(context: StepContext): Promise<Unit> {
  if (context.job.position === null) await giveUp(context)
  return await purge(context, 'target')
}

async function giveUp(context: StepContext): Promise<void> {
  const { job } = context
  await giveUpCopy(sidesOf(context).target, moveOf(job), addressAt(context, targetOf(job), job.source))
}

/** The forwarding address at the source. The database of the catalogue needs none. */
function addressAt({ databases }: StepContext, name: string, home: string): string | undefined {
  return isCatalogue(databases, name) ? undefined : home
}

async function purge(context: StepContext, side: 'source' | 'target'): Promise<Unit> {
  const { job } = context
  const db = sidesOf(context)[side]
  const [table] = tablesFrom(context)
  if (table !== undefined) {
    const { changes, isDone } = await purgeTable(db, context.resourceTypes, moveOf(job), table)
    return { more: side === 'source' ? changes : 0, position: isDone ? tableAfter(context, table) : table }
  }
  await purgeTenant(db, moveOf(job))
  return { change: { state: side === 'source' ? 'done' : 'failed' } }
}

/** The position after the last table. */
const NO_TABLE = 'none'

function tablesFrom({ resourceTypes, job: { position } }: StepContext): readonly string[] {
  const tables = purgedTables(resourceTypes)
  if (position === null) return tables
  const at = tables.indexOf(position)
  return at === -1 ? [] : tables.slice(at)
}

function tableAfter({ resourceTypes }: StepContext, table: string): string {
  const tables = purgedTables(resourceTypes)
  return tables[tables.indexOf(table) + 1] ?? NO_TABLE
}

/**
 * Whether a move has only to delete rows that nobody reads, in a database that does not respond. The tenant can be moved
 * again, or be deleted.
 */
export function isStuckCleanup({ kind, step, attempts }: Pick<Job, 'kind' | 'step' | 'attempts'>): boolean {
  return kind === 'move' && (step === 'purging' || step === 'clearing') && attempts > 0
}

/**
 * The end of a move whose remaining rows are not deleted now. The hourly run resumes it, to delete them (`tidyJobs`). The
 * writes of its tenant must not be stopped.
 *
 * @param error why it failed, if it did
 */
export function endOfMove({ step }: Pick<Job, 'step'>, error: string | null): JobChange {
  return step === 'switched' || step === 'purging'
    ? { state: 'done', step: 'purging', position: null, error: null }
    : { state: 'failed', step: 'clearing', position: null, error }
}

/** Whether the copy of a move is complete, and the catalogue still names the source. */
export function isVerifying({ step }: Pick<Job, 'step'>): boolean {
  return step === 'verifying' || step === 'committing'
}

/**
 * The step that cancels a move.
 *
 * @returns undefined if it is too late, or if the move is abandoned already; until then, the catalogue names the source
 */
export function stepOfAbortion({ step }: Pick<Job, 'step'>): string | undefined {
  return MOVE_STEPS[step]?.onFailure
}
