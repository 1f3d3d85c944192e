/**
 * The membership phase: sends the memberships of one group after its users and the group exist. Members are never read
 * back; exported memberships are recorded by source id.
 *
 * Microsoft: "Understand how Application Provisioning in Microsoft Entra ID", "Known issues for provisioning".
 */

import { groupProfileOf } from '../../documents/job.ts'
import type { Counts, JobState, MemberLinks } from '../../documents/state.ts'
import { escrowKey } from '../../documents/state.ts'
import type { Outcome } from '../../protocol/response.ts'
import type { Member, MemberChange } from '../../providers/profile.ts'
import type { CycleContext } from '../cycle-context.ts'
import { clearEscrow, isDue, putInEscrow } from '../escrow.ts'
import type { ImportedObject } from '../import.ts'
import type { LoggedFailure, ObjectLog } from '../provisioning-log.ts'
import { sendOrThrow } from './object-step.ts'

/** The pending changes of one group: source ids of members to send, and of members that cannot be sent. */
export interface MembershipPlan {
  readonly group: ImportedObject
  readonly targetId: string
  readonly members: MemberLinks
  readonly add: readonly string[]
  readonly remove: readonly string[]
  /** Whether failed changes are retried. */
  readonly retry: boolean
  /** Members that are not in scope; not sent before the next initial cycle. */
  readonly outOfScope: readonly string[]
  /** Members in scope that could not be created. */
  readonly unlinked: readonly string[]
}

type PlanContext = Pick<CycleContext, 'state' | 'imported' | 'clock' | 'retryAll' | 'pushNow'>

/**
 * Compares a group's members with the exported ones. Returns undefined if the group is not linked, or if nothing changed
 * and an administrator did not ask to push it.
 */
export function planMembers(group: ImportedObject, context: PlanContext): MembershipPlan | undefined {
  const record = context.state.objects[group.id]
  const { link, members } = record ?? {}
  if (link === undefined || members === undefined || group.lifecycle !== 'active') return undefined
  const retry = members.pending.length > 0 && isRetryTime(group, context)
  const lists = compareMembers(group, members, context, retry)
  const { add, remove, outOfScope, unlinked } = lists
  const isWanted = retry || context.pushNow === true
  if (!isWanted && add.length + remove.length + outOfScope.length + unlinked.length === 0) return undefined
  return { group, targetId: link.targetId, members, retry, ...lists }
}

/**
 * The state of a pending member at the target is unknown, because adding or removing it failed. On retry it is added or
 * removed again, according to the current member list.
 */
function compareMembers(
  group: ImportedObject,
  members: MemberLinks,
  { state, imported }: PlanContext,
  retry: boolean,
): Pick<MembershipPlan, 'add' | 'remove' | 'outOfScope' | 'unlinked'> {
  const isUser = (id: string) => imported.get(id)?.type === 'User' && imported.get(id)?.lifecycle !== 'purged'
  const now = new Set(group.members.filter(isUser))
  const linked = (id: string) => state.objects[id]?.link !== undefined
  const waiting = new Set(retry ? [] : members.pending)
  const held = new Set([...(state.initial ? [] : members.unexported), ...waiting])
  const known = new Set(retry ? without(members.exported, members.pending) : members.exported)
  const missing = [...now].filter((id) => !known.has(id) && !held.has(id))
  const add = missing.filter((id) => linked(id) && imported.get(id)?.lifecycle === 'active')
  const unlinked = missing.filter((id) => !linked(id) && state.escrow[escrowKey('entry', id)] !== undefined)
  const rest = new Set([...add, ...unlinked])
  const sent = new Set([...members.exported, ...members.pending])
  return {
    add,
    unlinked,
    outOfScope: missing.filter((id) => !rest.has(id)),
    remove: [...sent].filter((id) => linked(id) && !now.has(id) && !waiting.has(id)),
  }
}

function isRetryTime(group: ImportedObject, { state, clock, retryAll }: PlanContext): boolean {
  const escrow = state.escrow[escrowKey('reference', group.id)]
  return retryAll || state.initial || escrow === undefined || isDue(escrow, clock.now())
}

/**
 * Sends one group's changes in requests of the size that the provider sends. Failed changes go into escrow.
 * @throws {JobFailure}
 */
export async function provisionMembers(plan: MembershipPlan, step: MemberStep): Promise<void> {
  const { context, counts } = step
  updatePending(plan, context.state)
  counts.skipped += plan.outOfScope.length
  counts.failed += plan.unlinked.length
  const failures = plan.unlinked.length === 0 ? [] : [notProvisioned(plan.unlinked.length)]
  failures.push(...(await sendBatches(plan, step)))
  report(plan, step, failures[0])
}

/** The input for sending memberships, apart from the plan. */
export interface MemberStep {
  readonly context: CycleContext
  readonly counts: Counts['Membership']
  readonly log: ObjectLog
}

/** Source ids of the members that one request adds and removes. */
interface Batch {
  readonly add: readonly string[]
  readonly remove: readonly string[]
}

/** Pushing a group now is one request, even if nothing changed. */
function batchesOf({ add, remove }: MembershipPlan, { job, pushNow }: CycleContext): Batch[] {
  const { members } = groupProfileOf(job)
  if (pushNow === true && members.pushNow !== undefined) return [{ add, remove }]
  const { changesPerRequest, together } = members
  const size = changesPerRequest === 'job' ? job.membersPerRequest : changesPerRequest
  if (!together)
    return [
      ...chunks(add, size).map((chunk) => ({ add: chunk, remove: [] })),
      ...chunks(remove, size).map((chunk) => ({ add: [], remove: chunk })),
    ]
  const removed = new Set(remove)
  return chunks([...remove, ...add], size).map((chunk) => ({
    add: chunk.filter((id) => !removed.has(id)),
    remove: chunk.filter((id) => removed.has(id)),
  }))
}

function chunks(ids: readonly string[], size: number | 'all'): string[][] {
  const length = size === 'all' ? Math.max(ids.length, 1) : size
  return Array.from({ length: Math.ceil(ids.length / length) }, (_, index) =>
    ids.slice(index * length, (index + 1) * length),
  )
}

async function sendBatches(plan: MembershipPlan, step: MemberStep): Promise<LoggedFailure[]> {
  const { context } = step
  const failures: LoggedFailure[] = []
  for (const batch of batchesOf(plan, context)) {
    if (context.signal.aborted) break
    const failure = await sendBatch(plan, batch, step)
    if (failure !== undefined) failures.push(failure)
    context.onStateChanged()
  }
  return failures
}

async function sendBatch(
  plan: MembershipPlan,
  batch: Batch,
  { context, counts, log }: MemberStep,
): Promise<LoggedFailure | undefined> {
  const { members } = plan
  const change = memberChange(plan, batch, context)
  const sent = await sendChange(change, context)
  if (!sent.ok) {
    const failed = [...batch.add, ...batch.remove]
    members.pending.push(...failed)
    counts.failed += failed.length
    log.step('export', 'EntryExportUpdate', sent.detail, { errorCode: sent.code }, 'failure')
    return sent
  }
  members.exported = afterBatch(members, batch)
  counts.created += batch.add.length
  counts.deleted += batch.remove.length
  for (const { id } of change.add) log.modify('members', null, id)
  for (const { id } of change.remove) log.modify('members', id, null)
  return undefined
}

function afterBatch({ exported }: MemberLinks, { add, remove }: Batch): string[] {
  return without([...new Set([...exported, ...add])], remove)
}

/** The ids in the order of the directory file; those that it no longer has come last. */
function inOrderOf(order: readonly string[], ids: readonly string[]): string[] {
  const wanted = new Set(ids)
  return [...new Set([...order.filter((id) => wanted.has(id)), ...ids])]
}

function memberChange(
  { group, targetId, members }: MembershipPlan,
  batch: Batch,
  { state, job }: CycleContext,
): MemberChange {
  const linked = (ids: readonly string[]): Member[] =>
    ids.flatMap((id) => {
      const link = state.objects[id]?.link
      return link === undefined
        ? []
        : [{ id: link.targetId, userName: String(link.values.userName ?? link.name) }]
    })
  return {
    groupId: targetId,
    displayName: group.name,
    add: linked(batch.add),
    remove: linked(batch.remove),
    all: linked(inOrderOf(group.members, afterBatch(members, batch))),
    dialect: job.dialect,
  }
}

/** Sends the requests of one change until one fails. */
async function sendChange(change: MemberChange, context: CycleContext): Promise<Outcome> {
  const { members, readRequest } = groupProfileOf(context.job)
  const build = (context.pushNow === true ? members.pushNow : undefined) ?? members.requests
  const read = members.readsGroup
    ? await sendOrThrow(context, 'read', readRequest(change.groupId))
    : undefined
  let sent: Outcome = read ?? { ok: true, status: 200, resources: [] }
  const group = read?.ok ? read.resource : undefined
  for (const request of build({ ...change, ...(group === undefined ? {} : { group }) })) {
    if (!sent.ok) break
    sent = await sendOrThrow(context, 'update', request)
  }
  return sent
}

/**
 * Updates `pending` and `unexported` before anything is sent. A member that is retried leaves `pending`. A member of
 * the group that went out of scope remains pending: whether the target has it is unknown and matters when it leaves the
 * group.
 */
function updatePending(
  { members, retry, add, remove, outOfScope, unlinked }: MembershipPlan,
  state: JobState,
): void {
  const sentAgain = new Set([...add, ...remove])
  const isUnknown = (id: string) => !sentAgain.has(id) && state.objects[id]?.link !== undefined
  members.pending = [...members.pending.filter((id) => !retry || isUnknown(id)), ...unlinked]
  const unexported = state.initial ? [] : members.unexported
  members.unexported = [...new Set([...unexported, ...outOfScope])]
}

function without(ids: readonly string[], removed: readonly string[]): string[] {
  const set = new Set(removed)
  return ids.filter((id) => !set.has(id))
}

function notProvisioned(count: number): LoggedFailure {
  const detail = `${count} member${count === 1 ? ' does' : 's do'} not exist at the target because creation failed`
  return { code: 'MissingValues', detail }
}

function report(
  { group, targetId }: MembershipPlan,
  { context, log }: MemberStep,
  failure?: LoggedFailure,
): void {
  const { state, clock } = context
  const name = `Members of "${group.name}"`
  const cycle = { clock, newId: context.newId, jobId: context.job.id, cycle: state.cycle }
  if (failure === undefined) {
    clearEscrow(state, 'reference', group.id)
    if (log.modified.length === 0) return
    log.step('referenceResolution', 'EntryExportUpdate', `${name} were updated at the target`, { targetId })
    context.emit({ type: 'log', entry: log.entry(group, { result: 'updated', targetId }, cycle) })
    return
  }
  const escrow = putInEscrow(
    state,
    { objectId: group.id, kind: 'reference', type: 'Group' },
    failure,
    clock.now(),
  )
  log.step('referenceResolution', 'EntryExportUpdate', `${name}: ${failure.detail}`, {}, 'failure')
  const outcome = { result: 'failed', failure, action: 'Update', targetId } as const
  context.emit({ type: 'log', entry: log.entry(group, outcome, cycle, escrow) })
}
