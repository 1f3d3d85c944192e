/**
 * One provisioning cycle: tests the connection, selects the changes, then processes users, groups, references and
 * memberships, and advances the watermark. The next call resumes a cycle that was stopped and does not repeat processed
 * objects.
 *
 * Microsoft: "Understand how Application Provisioning in Microsoft Entra ID" (initial cycle, incremental cycles).
 */

import { type JobConfig, mappingOf, providerOf } from '../documents/job.ts'
import type { Counts, CycleSummary, JobState, ObjectRecord } from '../documents/state.ts'
import { escrowKey, newCounts } from '../documents/state.ts'
import { matchingAttributes } from '../mappings/attribute-mapping.ts'
import type { ObjectType, ScimRequest } from '../protocol/requests.ts'
import type { Failure, Outcome } from '../protocol/response.ts'
import type { ScimClient } from '../protocol/scim-client.ts'
import type { TestStep } from '../providers/profile.ts'
import { forEachConcurrently } from './concurrency.ts'
import type { CycleContext, Phase } from './cycle-context.ts'
import { clearEscrow, isDue, putInEscrow } from './escrow.ts'
import type { ImportedObject } from './import.ts'
import { ObjectLog, type ObjectOutcome } from './provisioning-log.ts'
import { JobFailure } from './steps/object-step.ts'
import { type MembershipPlan, planMembers, provisionMembers } from './steps/provision-members.ts'
import { provisionObject } from './steps/provision-object.ts'
import { planReferences, provisionReference } from './steps/provision-references.ts'

export interface CycleResult {
  readonly summary: CycleSummary
  /** False if the signal stopped the cycle. */
  readonly complete: boolean
}

/**
 * Runs a cycle, or resumes one that was stopped.
 * @throws {JobFailure} if the connection test fails or the credentials are rejected.
 */
export async function runCycle(context: CycleContext): Promise<CycleResult> {
  const { state, clock, emit, signal } = context
  const startedAt = new Date(clock.now()).toISOString()
  const counts = newCounts()
  const requestsBefore = context.client.requestCount
  const kind = state.initial ? 'initial' : 'incremental'
  emit({ type: 'cycleStarted', cycle: openCycle(context), kind, resumed: state.cycleOpen })
  state.cycleOpen = true
  context.onStateChanged()
  if (state.cycle === 1 || providerOf(context.job).connectionTest.everyCycle) await testConnection(context)
  const linkedBy = indexLinks(context)
  for (const type of ['User', 'Group'] as const) await objectPhase(type, context, counts, linkedBy)
  await forEachConcurrently(planReferences(context), context.job.concurrency, signal, (plan) =>
    provisionReference(plan, context),
  )
  await membershipPhase(context, counts)
  const complete = !signal.aborted
  if (complete) closeCycle(context, startedAt)
  const requests = context.client.requestCount - requestsBefore
  const finishedAt = new Date(clock.now()).toISOString()
  const summary: CycleSummary = { cycle: state.cycle, kind, startedAt, finishedAt, requests, counts }
  state.lastCycle = summary
  context.onStateChanged()
  emit({ type: 'cycleFinished', summary, complete })
  return { summary, complete }
}

/** The requests that test the connection and, in Entra, keep it alive. The command `test-connection` sends them too. */
export function connectionTest(job: JobConfig, newId: () => string): readonly TestStep[] {
  const matching = (type: ObjectType) => matchingAttributes(mappingOf(job, type)?.attributeMappings ?? [])[0]
  return providerOf(job).connectionTest.steps({
    matching: {
      User: matching('User')?.target ?? 'userName',
      ...(job.groups === undefined ? {} : { Group: matching('Group')?.target ?? 'displayName' }),
    },
    newId,
  })
}

/** A request of the connection test, after it was answered. */
export interface TestedStep {
  readonly request: ScimRequest
  readonly outcome: Outcome
}

/** Sends the requests of a connection test until one fails. Then it deletes what the test created. */
export async function* sendConnectionTest(
  client: Pick<ScimClient, 'send'>,
  steps: readonly TestStep[],
): AsyncGenerator<TestedStep> {
  const ids: string[] = []
  let hasFailed = false
  for (const step of steps) {
    if (hasFailed && (step.deletes === undefined || ids[step.deletes] === undefined)) continue
    const request = typeof step.request === 'function' ? step.request(ids) : step.request
    const outcome = await client.send(step.purpose, request)
    yield { request, outcome }
    if (!outcome.ok) hasFailed = true
    else if (step.purpose === 'create') ids.push(String(outcome.resource?.id))
  }
}

/** @throws {JobFailure} if a request of the test fails */
export async function testConnection({ client, job, newId }: CycleContext): Promise<void> {
  let failure: Failure | undefined
  for await (const { outcome } of sendConnectionTest(client, connectionTest(job, newId)))
    if (!outcome.ok) failure ??= outcome
  if (failure !== undefined) throw new JobFailure({ ...failure, reach: 'job' })
}

/** A resumed cycle keeps its number, so that objects it has processed are not processed again. */
function openCycle({ state }: CycleContext): number {
  if (!state.cycleOpen) state.cycle++
  return state.cycle
}

function closeCycle({ state, clock }: CycleContext, startedAt: string): void {
  const now = new Date(clock.now()).toISOString()
  state.cycleOpen = false
  state.initial = false
  state.watermark = startedAt
  state.steadyStateFirstAchievedTime ??= now
  state.steadyStateLastAchievedTime = now
}

/** Maps target id to source id, including the objects that were deleted from the directory. */
export function indexLinks({ state }: Pick<CycleContext, 'state'>): Map<string, string> {
  const linkedBy = new Map<string, string>()
  for (const [id, { link }] of Object.entries(state.objects))
    if (link !== undefined) linkedBy.set(link.targetId, id)
  return linkedBy
}

/**
 * The objects this cycle must process: all of them in an initial cycle, otherwise changed objects and due escrow
 * entries.
 */
export function selectChanges(
  context: Pick<CycleContext, 'state' | 'imported' | 'clock' | 'retryAll'>,
  type: ObjectType,
): ImportedObject[] {
  const { state, imported, clock, retryAll } = context
  const cycle = state.cycleOpen ? state.cycle : state.cycle + 1
  return [...imported.values()].filter((object) => {
    if (object.type !== type) return false
    const record = state.objects[object.id]
    if (record === undefined || record.fingerprint !== object.fingerprint)
      return record?.gone === undefined || object.lifecycle !== 'purged'
    if (state.initial && record.cycle !== cycle && record.gone === undefined) return true
    const escrow = state.escrow[escrowKey('entry', object.id)]
    return escrow !== undefined && (retryAll || isDue(escrow, clock.now())) && record.cycle !== cycle
  })
}

/** Unique names must be released before they are reused: deletions come first, then linked objects, then new ones. */
async function objectPhase(
  type: ObjectType,
  context: CycleContext,
  counts: Counts,
  linkedBy: Map<string, string>,
): Promise<void> {
  const changes = selectChanges(context, type)
  const progress = startPhase(type === 'User' ? 'Users' : 'Groups', changes.length, context)
  const isLinked = (object: ImportedObject) => context.state.objects[object.id]?.link !== undefined
  const waves = [
    changes.filter((object) => object.lifecycle === 'purged'),
    changes.filter((object) => object.lifecycle !== 'purged' && isLinked(object)),
    changes.filter((object) => object.lifecycle !== 'purged' && !isLinked(object)),
  ]
  for (const wave of waves) {
    await forEachConcurrently(wave, context.job.concurrency, context.signal, async (object) => {
      await processObject(object, context, counts, linkedBy)
      progress()
    })
  }
}

function startPhase(phase: Phase, total: number, context: CycleContext): () => void {
  let done = 0
  context.emit({ type: 'phaseStarted', phase, total })
  return () => context.emit({ type: 'progress', phase, done: ++done, total })
}

async function processObject(
  object: ImportedObject,
  context: CycleContext,
  counts: Counts,
  linkedBy: Map<string, string>,
): Promise<void> {
  const { state } = context
  const record = openRecord(object, state)
  const log = new ObjectLog(context.clock)
  const outcome = await provisionObject({ object, record, log, context, linkedBy })
  record.fingerprint = object.fingerprint
  record.cycle = state.cycle
  counts[object.type][outcome.result]++
  finishObject(object, outcome, log, context)
}

/** Returns the record of an object and creates it if the object is new. */
export function openRecord(object: ImportedObject, state: JobState): ObjectRecord {
  const record: ObjectRecord = state.objects[object.id] ?? { type: object.type, fingerprint: '', cycle: 0 }
  state.objects[object.id] = record
  if (object.lifecycle !== 'purged') delete record.gone
  return record
}

function finishObject(
  object: ImportedObject,
  outcome: ObjectOutcome,
  log: ObjectLog,
  context: CycleContext,
): void {
  const { state, clock, newId, job } = context
  const cycle = { clock, newId, jobId: job.id, cycle: state.cycle }
  if (outcome.result === 'failed') {
    const subject = { objectId: object.id, kind: 'entry', type: object.type } as const
    const escrow = putInEscrow(state, subject, outcome.failure, clock.now())
    context.emit({ type: 'log', entry: log.entry(object, outcome, cycle, escrow) })
  } else {
    clearEscrow(state, 'entry', object.id)
    context.emit({ type: 'log', entry: log.entry(object, outcome, cycle) })
  }
  context.onStateChanged()
}

/** Progress counts memberships, not groups. */
async function membershipPhase(context: CycleContext, counts: Counts): Promise<void> {
  forgetUnlinkedMembers(context.state)
  const groups = [...context.imported.values()].filter(({ type }) => type === 'Group')
  const plans = groups.flatMap((group) => planMembers(group, context) ?? [])
  const sizeOf = (plan: MembershipPlan) => plan.add.length + plan.remove.length
  const total = plans.reduce((sum, plan) => sum + sizeOf(plan), 0)
  let done = 0
  context.emit({ type: 'phaseStarted', phase: 'Memberships', total })
  await forEachConcurrently(plans, context.job.concurrency, context.signal, async (plan) => {
    await provisionMembers(plan, { context, counts: counts.Membership, log: new ObjectLog(context.clock) })
    // A plan that sends nothing is not progress.
    if (sizeOf(plan) === 0) return
    done += sizeOf(plan)
    context.emit({ type: 'progress', phase: 'Memberships', done, total })
  })
}

/**
 * Deleting a user at the target also removed it from its groups there. If the user is created again, its memberships
 * must be sent again.
 */
function forgetUnlinkedMembers({ objects }: JobState): void {
  for (const { members } of Object.values(objects)) {
    if (members !== undefined)
      members.exported = members.exported.filter((id) => objects[id]?.link !== undefined)
  }
}
