/**
 * Provisions one user or group: match, create, update, disable or delete. Sends the requests, updates the link and
 * returns the outcome. References and members follow in later phases (provision-references.ts, provision-members.ts).
 * Only failures of the whole job are thrown.
 *
 * Microsoft: "Understand how Application Provisioning in Microsoft Entra ID".
 */

import { mappingOf } from '../documents/job.ts'
import type { JobState, Link, ObjectRecord } from '../documents/state.ts'
import type { AttributeMapping, MappedValues } from '../mappings/attribute-mapping.ts'
import { MappingError, matchingAttributes } from '../mappings/attribute-mapping.ts'
import type { JsonObject } from '../problem.ts'
import type { ScimRequest } from '../protocol/requests.ts'
import {
  createRequest,
  deleteRequest,
  matchRequest,
  readRequest,
  updateRequest,
} from '../protocol/requests.ts'
import type { Failure, Outcome, Purpose } from '../protocol/response.ts'
import type { CycleContext } from './cycle-context.ts'
import { compareAttributes } from './difference.ts'
import { clearEscrow } from './escrow.ts'
import type { ImportedObject } from './import.ts'
import { logView, mappedValuesOf } from './mapped-values.ts'
import { planObject } from './plan.ts'
import type { LogAction, ObjectLog, ObjectOutcome, StepType } from './provisioning-log.ts'

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

/** @throws {JobFailure} if the failure affects the whole job. */
export async function provisionObject(step: ObjectStep): Promise<ObjectOutcome> {
  const { object, record, log, context } = step
  log.step('import', 'EntryImport', `Received ${object.type} "${object.name}" from Microsoft Entra ID`)
  logScope(step)
  const plan = planObject(object, record, context.job)
  if (plan.kind === 'skip') return skip(step, plan.reason)
  if (plan.kind === 'match') return catchMappingError('Create', () => matchOrCreate(step))
  const { link } = record
  if (plan.kind === 'forget' || link === undefined) {
    // The link remains, so that memberships of an object left at the target can still be removed.
    record.gone = true
    return skip(step, plan.kind === 'forget' ? plan.reason : 'Not linked')
  }
  if (plan.kind === 'update') return catchMappingError('Update', () => update(step, link))
  if (plan.kind === 'disable') return catchMappingError('Disable', () => disable(step, link))
  return remove(step, link)
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

function logScope({ object, record, log }: ObjectStep): void {
  const { lifecycle } = object
  log.step('scoping', 'EntrySynchronizationScoping', `Determined scope: ${lifecycle}`, {
    IsActive: String(lifecycle === 'active'),
    Assigned: String(lifecycle !== 'unassigned'),
    IsInProvisioningScope: String(lifecycle !== 'outOfScope'),
    IsSoftDeleted: String(lifecycle === 'softDeleted'),
    Linked: String(record.link !== undefined),
  })
}

/** Turns a mapping error into a failure of this object only. */
async function catchMappingError(
  action: LogAction,
  work: () => Promise<ObjectOutcome>,
): Promise<ObjectOutcome> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof MappingError)) throw error
    return { result: 'failed', failure: { code: 'MappingError', detail: error.message }, action }
  }
}

async function matchOrCreate(step: ObjectStep): Promise<ObjectOutcome> {
  const values = mappedValues(step, true)
  if (step.context.job.exact) checkMatchingValues(step, values)
  for (const mapping of matchingAttributes(mappingsOf(step))) {
    const value = values.get(mapping.target)
    if (value === undefined) continue
    const shown = logView(step.object, step.context)(mapping.target, value)
    const found = await sendOrThrow(
      step.context,
      'match',
      matchRequest(step.object.type, mapping.target, value),
    )
    if (!found.ok) return fail(step, 'matching', 'Create', found)
    const [resource] = found.resources
    if (found.resources.length > 1) {
      const detail = `${found.resources.length} objects at the target have ${mapping.target} "${shown}"`
      return failWith(step, 'matching', 'Other', 'DuplicateTargetEntries', detail)
    }
    if (resource !== undefined) return linkMatched(step, mapping, resource)
    step.log.step('matching', 'EntryImport', `No object at the target has ${mapping.target} "${shown}"`)
  }
  return create(step, values)
}

/** Microsoft does not list the special characters. Names of people and companies, and guests' #EXT#, are let through. */
const SPECIAL_CHARACTER = /[^\p{L}\p{M}\p{N} .@_'+#-]/u

/** @throws {MappingError} "Special characters are not supported on joining properties" (known-issues) */
function checkMatchingValues(step: ObjectStep, values: MappedValues): void {
  for (const { target } of matchingAttributes(mappingsOf(step))) {
    const special = SPECIAL_CHARACTER.exec(String(values.get(target) ?? ''))?.[0]
    if (special !== undefined)
      throw new MappingError(`Mapping to "${target}": the matching value contains the character "${special}"`)
  }
}

async function linkMatched(
  step: ObjectStep,
  mapping: AttributeMapping,
  resource: JsonObject,
): Promise<ObjectOutcome> {
  const targetId = String(resource.id)
  const other = step.linkedBy.get(targetId)
  if (other !== undefined && step.context.state.objects[other]?.gone === undefined) {
    const detail = `The object found by ${mapping.target} is already linked to "${other}"`
    return failWith(step, 'matching', 'Other', 'DuplicateSourceEntries', detail)
  }
  if (other !== undefined) transferLink(step.context.state, other, step.object.id)
  step.log.step('matching', 'EntryImport', `Matched by ${mapping.target}`, { targetId })
  const link = addLink(step, targetId)
  return exportDifferences(step, link, mappedValues(step, false), resource)
}

async function create(step: ObjectStep, values: MappedValues): Promise<ObjectOutcome> {
  const { object, context, log } = step
  if (mappingOf(context.job, object.type)?.targetObjectActions.create === false)
    return skip(step, 'Target object action "create" is off')
  const created = await sendOrThrow(context, 'create', createRequest(object.type, values))
  if (!created.ok) return fail(step, 'export', 'Create', created)
  const targetId = String(created.resource?.id)
  const view = logView(object, context)
  for (const [path, value] of values) log.modify(path, null, view(path, value))
  log.step('export', 'EntryExportAdd', `${object.type} "${object.name}" was created at the target`, {
    targetId,
  })
  recordExport(step, addLink(step, targetId), values)
  return { result: 'created', targetId }
}

/** Reads the target object first, because the operations depend on its current values. */
async function update(step: ObjectStep, link: Link): Promise<ObjectOutcome> {
  const read = await sendOrThrow(step.context, 'read', readRequest(step.object.type, link.targetId))
  if (!read.ok) return matchAgainOrFail(step, read)
  return exportDifferences(step, link, mappedValues(step, false), read.resource ?? {})
}

/**
 * A link whose target object no longer exists fails until a restart. The initial cycle after the restart matches the
 * object again.
 */
async function matchAgainOrFail(step: ObjectStep, read: Failure): Promise<ObjectOutcome> {
  const isDeadLink =
    read.code === 'InvalidAnchor' && step.context.state.initial && step.object.lifecycle === 'active'
  if (!isDeadLink) return fail(step, 'matching', 'Update', read)
  step.log.step(
    'matching',
    'EntryImport',
    `The linked object no longer exists at the target: ${read.detail}`,
    {},
    'warning',
  )
  unlink(step)
  return matchOrCreate(step)
}

async function exportDifferences(
  step: ObjectStep,
  link: Link,
  values: MappedValues,
  target: JsonObject,
): Promise<ObjectOutcome> {
  const { object, context, log } = step
  const differences = compareAttributes(values, target)
  const { targetId } = link
  if (differences.length === 0) {
    recordExport(step, link, values)
    return skip(step, 'RedundantExport')
  }
  if (mappingOf(context.job, object.type)?.targetObjectActions.update === false)
    return skip(step, 'Target object action "update" is off')
  const changes = differences.map(({ op, path, value }) => ({ op, path, value }))
  const sent = await sendOrThrow(
    context,
    'update',
    updateRequest(object.type, targetId, changes, context.job.dialect),
  )
  const active = differences.find(({ path }) => path === 'active')
  const action = active?.value === false ? 'Disable' : 'Update'
  if (!sent.ok) return fail(step, 'export', action, sent)
  const view = logView(object, context)
  for (const { path, value, oldValue } of differences)
    log.modify(path, view(path, oldValue), view(path, value))
  log.step('export', 'EntryExportUpdate', `${object.type} "${object.name}" was updated at the target`, {
    targetId,
  })
  recordExport(step, link, values)
  if (active === undefined) return { result: 'updated', targetId }
  return { result: active.value === true ? 'enabled' : 'disabled', targetId }
}

/**
 * Soft delete: changes `active` and, for a user deleted in Entra, the values that come from its new name. Nothing is sent
 * if the target has these values already.
 */
async function disable(step: ObjectStep, link: Link): Promise<ObjectOutcome> {
  const read = await sendOrThrow(step.context, 'read', readRequest(step.object.type, link.targetId))
  if (!read.ok) return fail(step, 'matching', 'Disable', read)
  const renamed = step.object.lifecycle === 'softDeleted' ? mappedValues(step, false) : []
  return exportDifferences(step, link, new Map([...renamed, ['active', false]]), read.resource ?? {})
}

async function remove(step: ObjectStep, link: Link): Promise<ObjectOutcome> {
  const { object, context, log } = step
  const { targetId } = link
  const deleted = await sendOrThrow(context, 'delete', deleteRequest(object.type, targetId))
  if (!deleted.ok) return fail(step, 'export', 'Delete', deleted)
  log.step('export', 'EntryExportDelete', `${object.type} "${object.name}" was deleted at the target`, {
    targetId,
  })
  unlink(step)
  return { result: 'deleted', targetId }
}

function mappingsOf(step: ObjectStep): readonly AttributeMapping[] {
  return mappingOf(step.context.job, step.object.type)?.attributeMappings ?? []
}

function mappedValues(step: ObjectStep, creating: boolean): MappedValues {
  return mappedValuesOf(step.object, step.context, creating)
}

/** The link is saved immediately, so that a run killed afterwards does not create the object a second time. */
function addLink({ object, record, context, linkedBy }: ObjectStep, targetId: string): Link {
  const linkedAt = new Date(context.clock.now()).toISOString()
  const link: Link = { targetId, name: object.name, active: true, linkedAt, values: {} }
  record.link = link
  if (object.type === 'Group') record.members = { exported: [], unexported: [], pending: [] }
  linkedBy.set(targetId, object.id)
  context.onStateChanged()
  return link
}

function unlink({ object, record, context, linkedBy }: ObjectStep): void {
  clearEscrow(context.state, 'reference', object.id)
  if (record.link !== undefined) linkedBy.delete(record.link.targetId)
  delete record.link
  delete record.members
  if (object.lifecycle === 'purged') record.gone = true
}

/** Transfers the link and the memberships of an object deleted from the directory to the new object that matched it. */
function transferLink({ objects }: JobState, goneId: string, successorId: string): void {
  delete objects[goneId]?.link
  for (const { members } of Object.values(objects)) {
    if (members?.exported.includes(goneId))
      members.exported = [...new Set(members.exported.map((id) => (id === goneId ? successorId : id)))]
  }
}

/** Records the exported values and the reason for disabling the user. */
function recordExport({ object }: ObjectStep, link: Link, values: MappedValues): void {
  link.name = object.name
  Object.assign(link.values, Object.fromEntries(values))
  link.active = object.lifecycle === 'active'
  delete link.disabledBecause
  if (object.lifecycle !== 'active' && object.lifecycle !== 'purged') link.disabledBecause = object.lifecycle
}

function skip({ record, log }: ObjectStep, reason: string): ObjectOutcome {
  log.step('processing', 'EntrySynchronizationSkip', reason, {}, 'skipped')
  const targetId = record.link?.targetId
  return { result: 'skipped', reason, ...(targetId === undefined ? {} : { targetId }) }
}

function fail(step: ObjectStep, type: StepType, action: LogAction, failure: Failure): ObjectOutcome {
  return failWith(step, type, action, failure.code, failure.detail)
}

function failWith(
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
