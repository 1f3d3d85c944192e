/**
 * Provisions one user or group: match, create, update, disable or delete. Sends the requests, updates the link and
 * returns the outcome. References and members follow in later phases (provision-references.ts, provision-members.ts).
 * Only failures of the whole job are thrown.
 *
 * Microsoft: "Understand how Application Provisioning in Microsoft Entra ID".
 */

import { mappingOf, objectProfileOf, providerOf } from '../documents/job.ts'
import type { JobState, Link, ObjectRecord } from '../documents/state.ts'
import type { AttributeMapping, MappedValue, MappedValues } from '../mappings/attribute-mapping.ts'
import { MappingError, matchingAttributes } from '../mappings/attribute-mapping.ts'
import type { JsonObject } from '../problem.ts'
import { deleteRequest, type ScimRequest } from '../protocol/requests.ts'
import type { Failure, Outcome, Purpose } from '../protocol/response.ts'
import type { ObjectProfile } from '../providers/profile.ts'
import type { CycleContext } from './cycle-context.ts'
import { compareAttributes, compareWithExport, type Difference } from './difference.ts'
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
  if (profileOf(step).search === 'afterConflict') return create(step, values)
  return (await search(step, values)) ?? create(step, values)
}

/** Searches by one matching attribute after the other and links the object that is found. */
async function search(step: ObjectStep, values: MappedValues): Promise<ObjectOutcome | undefined> {
  for (const mapping of matchingAttributes(mappingsOf(step))) {
    const value = values.get(mapping.target)
    if (value === undefined) continue
    const shown = logView(step.object, step.context)(mapping.target, value)
    const found = await find(step, mapping.target, value)
    if (!found.ok) return fail(step, 'matching', 'Create', found)
    const [resource] = found.resources
    if (found.resources.length > 1) {
      const detail = `${found.resources.length} objects at the target have ${mapping.target} "${shown}"`
      return failWith(step, 'matching', 'Other', 'DuplicateTargetEntries', detail)
    }
    if (resource !== undefined) return linkMatched(step, mapping, resource)
    step.log.step('matching', 'EntryImport', `No object at the target has ${mapping.target} "${shown}"`)
  }
  return undefined
}

async function find(step: ObjectStep, attribute: string, value: MappedValue): Promise<Outcome> {
  const profile = profileOf(step)
  const found = await sendOrThrow(step.context, 'match', profile.searchRequest(attribute, value))
  if (!found.ok)
    return found.status === 404 && profile.notFoundMeansNone
      ? { ok: true, status: 404, resources: [] }
      : found
  const resources = profile.selectFound?.(found.resources, attribute, value) ?? found.resources
  return { ...found, resources }
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
  const request = profileOf(step).createRequest({ values, newId: context.newId })
  const created = await sendOrThrow(context, 'create', request)
  if (!created.ok) return searchAfterConflict(step, values, created)
  const targetId = String(created.resource?.id)
  const view = logView(object, context)
  for (const [path, value] of values) log.modify(path, null, view(path, value))
  log.step('export', 'EntryExportAdd', `${object.type} "${object.name}" was created at the target`, {
    targetId,
  })
  recordExport(step, addLink(step, targetId), values)
  return { result: 'created', targetId }
}

/** A provider that does not search before it creates an object searches when the target has one already. */
async function searchAfterConflict(
  step: ObjectStep,
  values: MappedValues,
  conflict: Failure,
): Promise<ObjectOutcome> {
  const searches = profileOf(step).search === 'afterConflict' && conflict.status === 409
  const found = searches ? await search(step, values) : undefined
  return found ?? fail(step, 'export', 'Create', conflict)
}

/** Most providers read the target object first, because the update depends on its current values. */
async function update(step: ObjectStep, link: Link): Promise<ObjectOutcome> {
  const read = await readTarget(step, link)
  if (read?.ok === false) return matchAgainOrFail(step, read)
  return exportDifferences(step, link, mappedValues(step, false), read?.resource)
}

/** The response to reading the target object; undefined if the provider does not read it. */
async function readTarget(step: ObjectStep, { targetId }: Link): Promise<Outcome | undefined> {
  const { comparesWith, readRequest } = profileOf(step)
  return comparesWith === 'target' ? sendOrThrow(step.context, 'read', readRequest(targetId)) : undefined
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

/** Sends what differs from the target, or from the last export if `target` was not read. */
async function exportDifferences(
  step: ObjectStep,
  link: Link,
  values: MappedValues,
  target: JsonObject | undefined,
): Promise<ObjectOutcome> {
  const changes = changesOf(step, link, values, target)
  if (changes.differences.length + changes.cleared.length === 0) {
    recordExport(step, link, values)
    return skip(step, 'RedundantExport')
  }
  const { context, object } = step
  if (mappingOf(context.job, object.type)?.targetObjectActions.update === false)
    return skip(step, 'Target object action "update" is off')
  const active = changes.differences.find(({ path }) => path === 'active')
  const failed = await sendUpdate(step, link, changes)
  if (failed?.status === 404 && providerOf(context.job).recreatesMissing) return recreate(step)
  if (failed !== undefined)
    return fail(step, 'export', active?.value === false ? 'Disable' : 'Update', failed)
  logUpdate(step, link, changes)
  recordExport(step, link, values)
  const { targetId } = link
  if (active === undefined) return { result: 'updated', targetId }
  return { result: active.value === true ? 'enabled' : 'disabled', targetId }
}

interface Changes {
  readonly differences: readonly Difference[]
  readonly values: MappedValues
  /** Paths that were exported and have no value any more; of interest only to a provider that replaces. */
  readonly cleared: readonly string[]
  readonly target: JsonObject | undefined
}

function changesOf(
  step: ObjectStep,
  link: Link,
  values: MappedValues,
  target: JsonObject | undefined,
): Changes {
  const differences =
    target === undefined ? compareWithExport(values, link.values) : compareAttributes(values, target)
  const exported = profileOf(step).replaces ? Object.keys(link.values) : []
  return { differences, values, cleared: exported.filter((path) => !values.has(path)), target }
}

/** Sends the requests of one update until one fails, and returns its failure. */
async function sendUpdate(
  step: ObjectStep,
  { targetId }: Link,
  { differences, values, cleared, target }: Changes,
): Promise<Failure | undefined> {
  const { context } = step
  const requests = profileOf(step).updateRequests({
    targetId,
    changes: differences.map(({ op, path, value }) => ({ op, path, value })),
    values,
    cleared,
    ...(target === undefined ? {} : { target }),
    dialect: context.job.dialect,
  })
  for (const request of requests) {
    const sent = await sendOrThrow(context, 'update', request)
    if (!sent.ok) return sent
  }
  return undefined
}

function logUpdate(
  { object, context, log }: ObjectStep,
  link: Link,
  { differences, cleared }: Changes,
): void {
  const view = logView(object, context)
  for (const { path, value, oldValue } of differences)
    log.modify(path, view(path, oldValue), view(path, value))
  for (const path of cleared) log.modify(path, view(path, link.values[path]), null)
  log.step('export', 'EntryExportUpdate', `${object.type} "${object.name}" was updated at the target`, {
    targetId: link.targetId,
  })
}

/** The target no longer has the object: the provider forgets the link and creates the object. */
function recreate(step: ObjectStep): Promise<ObjectOutcome> {
  unlink(step)
  return create(step, mappedValues(step, true))
}

/**
 * Soft delete: changes `active` and, for a user deleted in Entra, the values that come from its new name. Nothing is sent
 * if the target has these values already. A provider that replaces the whole resource sends the other values with it.
 */
async function disable(step: ObjectStep, link: Link): Promise<ObjectOutcome> {
  const read = await readTarget(step, link)
  if (read?.ok === false) return fail(step, 'matching', 'Disable', read)
  const isRenamed =
    step.object.lifecycle === 'softDeleted' && providerOf(step.context.job).renamesDeletedUsers
  const kept = profileOf(step).replaces ? Object.entries(link.values) : []
  const renamed = isRenamed ? mappedValues(step, false) : []
  const values = new Map<string, MappedValue>([...kept, ...renamed, ['active', false]])
  const outcome = await exportDifferences(step, link, values, read?.resource)
  if (step.object.lifecycle === 'purged' && outcome.result !== 'failed') step.record.gone = true
  return outcome
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

function profileOf({ object, context }: ObjectStep): ObjectProfile {
  return objectProfileOf(context.job, object.type)
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
function recordExport(step: ObjectStep, link: Link, values: MappedValues): void {
  const { object } = step
  link.name = object.name
  link.values = { ...(profileOf(step).replaces ? {} : link.values), ...Object.fromEntries(values) }
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
