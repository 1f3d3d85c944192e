/**
 * Provisions one user or group: match, create, update, disable or delete. Sends the requests, updates the link and
 * returns the outcome. References and members follow in later phases (provision-references.ts, provision-members.ts).
 * Only failures of the whole job are thrown.
 *
 * Microsoft: "Understand how Application Provisioning in Microsoft Entra ID".
 */

import { mappingOf, providerOf } from '../../documents/job.ts'
import type { Link } from '../../documents/state.ts'
import type { AttributeMapping, MappedValue, MappedValues } from '../../mappings/attribute-mapping.ts'
import { MappingError, matchingAttributes } from '../../mappings/attribute-mapping.ts'
import type { JsonObject } from '../../problem.ts'
import { deleteRequest } from '../../protocol/requests.ts'
import type { Failure, Outcome } from '../../protocol/response.ts'
import { logView } from '../mapped-values.ts'
import { planObject } from '../plan.ts'
import type { LogAction, ObjectOutcome } from '../provisioning-log.ts'
import { exportDifferences } from './export-differences.ts'
import {
  addLink,
  fail,
  failWith,
  mappedValues,
  mappingsOf,
  type ObjectStep,
  profileOf,
  recordExport,
  sendOrThrow,
  skip,
  transferLink,
  unlink,
} from './object-step.ts'

/** @throws {JobFailure} if the failure affects the whole job. */
export async function provisionObject(step: ObjectStep): Promise<ObjectOutcome> {
  const { object, record, log, context } = step
  log.step(
    'import',
    'EntryImport',
    `Received ${object.type} "${object.name}" from ${providerOf(context.job).title}`,
  )
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
  return exportOrRecreate(step, link, mappedValues(step, false), read?.resource)
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

/** The response to reading the target object; undefined if the provider does not read it. */
async function readTarget(step: ObjectStep, { targetId }: Link): Promise<Outcome | undefined> {
  const { comparesWith, readRequest } = profileOf(step)
  return comparesWith === 'target' ? sendOrThrow(step.context, 'read', readRequest(targetId)) : undefined
}

/** A provider that finds an object missing at the target forgets the link and creates the object. */
async function exportOrRecreate(
  step: ObjectStep,
  link: Link,
  values: MappedValues,
  target: JsonObject | undefined,
): Promise<ObjectOutcome> {
  const outcome = await exportDifferences(step, link, values, target)
  const isMissing = outcome.result === 'failed' && outcome.failure.code === 'InvalidAnchor'
  if (!isMissing || !providerOf(step.context.job).recreatesMissing) return outcome
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
  const outcome = await exportOrRecreate(step, link, values, read?.resource)
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
