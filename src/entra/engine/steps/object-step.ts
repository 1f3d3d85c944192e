/**
 * What the steps of one object share: its context, requests whose failure ends the job, the link, and the outcome.
 */

import { mappingOf, objectProfileOf } from '../../documents/job.ts'
import type { JobState, Link, ObjectRecord } from '../../documents/state.ts'
import type { AttributeMapping, MappedValues } from '../../mappings/attribute-mapping.ts'
import type { ScimRequest } from '../../protocol/requests.ts'
import type { Failure, Outcome, Purpose } from '../../protocol/response.ts'
import type { ObjectProfile } from '../../providers/profile.ts'
import type { CycleContext } from '../cycle-context.ts'
import { clearEscrow } from '../escrow.ts'
import type { ImportedObject } from '../import.ts'
import { mappedValuesOf } from '../mapped-values.ts'
import type { LogAction, ObjectLog, ObjectOutcome, StepType } from '../provisioning-log.ts'

/** A failure that affects every object: rejected credentials, or an endpoint that fails the connection test. */
export class JobFailure extends Error {
  override readonly name = 'JobFailure'
  readonly failure: Failure

  constructor(failure: Failure) {
    super(failure.detail)
    this.failure = failure
  }
}

/** The input for provisioning one object, apart from the cycle's context. */
export interface ObjectStep {
  readonly object: ImportedObject
  readonly record: ObjectRecord
  readonly log: ObjectLog
  readonly context: CycleContext
  /** Target id -> source id of all links; prevents two objects from sharing a target. */
  readonly linkedBy: Map<string, string>
}

/**
 * Sends a request.
 * @throws {JobFailure} if the failure affects the whole job.
 */
export async function sendOrThrow(
  context: CycleContext,
  purpose: Purpose,
  request: ScimRequest,
): Promise<Outcome> {
  const outcome = await context.client.send(purpose, request)
  if (!outcome.ok && outcome.reach === 'job') throw new JobFailure(outcome)
  return outcome
}

export function profileOf({ object, context }: ObjectStep): ObjectProfile {
  return objectProfileOf(context.job, object.type)
}

export function mappingsOf(step: ObjectStep): readonly AttributeMapping[] {
  return mappingOf(step.context.job, step.object.type)?.attributeMappings ?? []
}

export function mappedValues(step: ObjectStep, creating: boolean): MappedValues {
  return mappedValuesOf(step.object, step.context, creating)
}

/** The link is saved immediately, so that a run killed afterwards does not create the object a second time. */
export function addLink({ object, record, context, linkedBy }: ObjectStep, targetId: string): Link {
  const linkedAt = new Date(context.clock.now()).toISOString()
  const link: Link = { targetId, name: object.name, active: true, linkedAt, values: {} }
  record.link = link
  if (object.type === 'Group') record.members = { exported: [], unexported: [], pending: [] }
  linkedBy.set(targetId, object.id)
  context.onStateChanged()
  return link
}

export function unlink({ object, record, context, linkedBy }: ObjectStep): void {
  clearEscrow(context.state, 'reference', object.id)
  if (record.link !== undefined) linkedBy.delete(record.link.targetId)
  delete record.link
  delete record.members
  if (object.lifecycle === 'purged') record.gone = true
}

/** Transfers the link and the memberships of an object deleted from the directory to the new object that matched it. */
export function transferLink({ objects }: JobState, goneId: string, successorId: string): void {
  delete objects[goneId]?.link
  for (const { members } of Object.values(objects)) {
    if (members?.exported.includes(goneId))
      members.exported = [...new Set(members.exported.map((id) => (id === goneId ? successorId : id)))]
  }
}

/** Records the exported values and the reason for disabling the user. */
export function recordExport(step: ObjectStep, link: Link, values: MappedValues): void {
  const { object } = step
  link.name = object.name
  link.values = { ...(profileOf(step).replaces ? {} : link.values), ...Object.fromEntries(values) }
  link.active = object.lifecycle === 'active'
  delete link.disabledBecause
  if (object.lifecycle !== 'active' && object.lifecycle !== 'purged') link.disabledBecause = object.lifecycle
}

export function skip({ record, log }: ObjectStep, reason: string): ObjectOutcome {
  log.step('processing', 'EntrySynchronizationSkip', reason, {}, 'skipped')
  const targetId = record.link?.targetId
  return { result: 'skipped', reason, ...(targetId === undefined ? {} : { targetId }) }
}

export function fail(step: ObjectStep, type: StepType, action: LogAction, failure: Failure): ObjectOutcome {
  return failWith(step, type, action, failure.code, failure.detail)
}

export function failWith(
  { record, log }: ObjectStep,
  type: StepType,
  action: LogAction,
  code: Failure['code'] | 'DuplicateSourceEntries',
  detail: string,
): ObjectOutcome {
  log.step(type, type === 'export' ? 'EntryExport' : 'EntryImport', detail, { errorCode: code }, 'failure')
  const targetId = record.link?.targetId
  return {
    result: 'failed',
    failure: { code, detail },
    action,
    ...(targetId === undefined ? {} : { targetId }),
  }
}
