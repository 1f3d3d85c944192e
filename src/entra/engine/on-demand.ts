/**
 * Provision on demand: provisions one user, or one group with up to five of its members, immediately and in five
 * visible steps. Always uses the old dialect. Does not restore users and does not process objects that are disabled or
 * deleted in Entra.
 *
 * Microsoft: "Provision a user or group on demand using the Microsoft Entra provisioning service".
 */
import { newCounts } from '../documents/state.ts'
import { indexLinks, openRecord, testConnection } from './cycle.ts'
import type { CycleContext } from './cycle-context.ts'
import type { ImportedObject } from './import.ts'
import { type LogEntry, type LogStatus, ObjectLog } from './provisioning-log.ts'
import { describeFailure } from './quarantine.ts'
import { JobFailure } from './steps/object-step.ts'
import { planMembers, provisionMembers } from './steps/provision-members.ts'
import { provisionObject } from './steps/provision-object.ts'

/** The number of members that can be selected for a group. */
export const MAX_ON_DEMAND_MEMBERS = 5

export interface OnDemandStep {
  readonly name: 'Test connection' | 'Import' | 'Determine scope' | 'Match' | 'Perform action'
  readonly status: LogStatus
  readonly description: string
  /** Of the action: each attribute with its new value. */
  readonly changes?: readonly string[]
}

export interface OnDemandResult {
  readonly steps: readonly OnDemandStep[]
  readonly entry?: LogEntry
  readonly ok: boolean
}

/**
 * Provisions one object now. `memberIds` are source ids of group members to add. Failures are reported as steps and do
 * not go into escrow.
 */
export async function provisionOnDemand(
  context: CycleContext,
  objectId: string,
  memberIds: readonly string[] = [],
): Promise<OnDemandResult> {
  const oldDialect: CycleContext = { ...context, job: { ...context.job, dialect: 'old' } }
  const tested = await testStep(oldDialect)
  const object = context.imported.get(objectId)
  if (tested.status === 'failure' || object === undefined) {
    const missing: OnDemandStep = {
      name: 'Import',
      status: 'failure',
      description: `There is no user or group with the id "${objectId}"`,
    }
    return { steps: tested.status === 'failure' ? [tested] : [tested, missing], ok: false }
  }
  const refusal = refuse(object, context)
  const imported: OnDemandStep = {
    name: 'Import',
    status: 'success',
    description: `${object.type} "${object.name}"`,
  }
  if (refusal !== undefined) {
    const scope: OnDemandStep = { name: 'Determine scope', status: 'skipped', description: refusal }
    return { steps: [tested, imported, scope], ok: true }
  }
  try {
    const wasLinked = context.state.objects[object.id]?.link !== undefined
    const entry = await provision(object, memberIds, oldDialect)
    return {
      steps: [tested, imported, ...describe(entry, wasLinked)],
      entry,
      ok: entry.statusInfo.status !== 'failure',
    }
  } catch (error) {
    if (!(error instanceof JobFailure)) throw error
    const description = describeFailure(error.failure)
    return {
      steps: [tested, imported, { name: 'Perform action', status: 'failure', description }],
      ok: false,
    }
  }
}

async function testStep(context: CycleContext): Promise<OnDemandStep> {
  try {
    await testConnection(context)
    return {
      name: 'Test connection',
      status: 'success',
      description: 'The endpoint responds and accepts the token',
    }
  } catch (error) {
    if (!(error instanceof JobFailure)) throw error
    return {
      name: 'Test connection',
      status: 'failure',
      description: `${error.failure.code}: ${error.failure.detail}`,
    }
  }
}

function refuse({ lifecycle, id }: ImportedObject, { state }: CycleContext): string | undefined {
  if (lifecycle === 'accountDisabled') return 'The user is disabled in Entra and is not processed on demand'
  if (lifecycle === 'softDeleted' || lifecycle === 'purged')
    return 'The object is deleted in Entra and is not processed on demand'
  const restores = lifecycle === 'active' && state.objects[id]?.link?.active === false
  return restores ? 'The user is disabled at the target; the next cycle restores it' : undefined
}

async function provision(
  object: ImportedObject,
  memberIds: readonly string[],
  context: CycleContext,
): Promise<LogEntry> {
  const { state, clock, newId, job } = context
  const log = new ObjectLog(clock)
  const record = openRecord(object, state)
  const linkedBy = indexLinks(context)
  const outcome = await provisionObject({ object, record, log, context, linkedBy })
  if (outcome.result !== 'failed') await provisionChosenMembers(object, memberIds, context)
  context.onStateChanged()
  const entry = log.entry(object, outcome, { clock, newId, jobId: job.id, cycle: state.cycle })
  context.emit({ type: 'log', entry })
  return entry
}

/** Adds only the selected members and removes none. */
async function provisionChosenMembers(
  group: ImportedObject,
  memberIds: readonly string[],
  context: CycleContext,
): Promise<void> {
  const plan = planMembers(group, context)
  const add = plan?.add.filter((id) => memberIds.includes(id)).slice(0, MAX_ON_DEMAND_MEMBERS) ?? []
  if (plan === undefined || add.length === 0) return
  const chosen = { ...plan, add, remove: [], outOfScope: [], unlinked: [] }
  await provisionMembers(chosen, {
    context,
    counts: newCounts().Membership,
    log: new ObjectLog(context.clock),
  })
}

function describe(
  { provisioningSteps, statusInfo, action, modifiedProperties }: LogEntry,
  wasLinked: boolean,
): OnDemandStep[] {
  const scoping = provisioningSteps.find(({ provisioningStepType }) => provisioningStepType === 'scoping')
  const matching = provisioningSteps.findLast(
    ({ provisioningStepType }) => provisioningStepType === 'matching',
  )
  const last = provisioningSteps.at(-1)
  const changes = modifiedProperties.map(
    ({ displayName, newValue }) => `${displayName} = ${newValue ?? 'nothing'}`,
  )
  const done = last === undefined || last === matching ? action : `${action}: ${last.description}`
  return [
    { name: 'Determine scope', status: 'success', description: scoping?.description ?? '' },
    matching === undefined ? unmatched(wasLinked) : { name: 'Match', ...statusOf(matching) },
    { name: 'Perform action', status: statusInfo.status, description: done, changes },
  ]
}

function statusOf({ status, description }: LogEntry['provisioningSteps'][number]) {
  return { status, description }
}

/** A linked object is not matched. Neither is one that is out of scope, or whose mapping fails. */
function unmatched(wasLinked: boolean): OnDemandStep {
  return wasLinked
    ? { name: 'Match', status: 'success', description: 'Already linked' }
    : { name: 'Match', status: 'skipped', description: 'Not linked, and no query was sent' }
}
