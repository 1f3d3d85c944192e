/**
 * The service provider's operations on resources of any type: the core and storage put together, without HTTP. Resources
 * that have members are read here; their writes go through a queue: see groups.ts.
 */
import { canBeDisabled, isActive, withActive } from '../scim/active.ts'
import { type AttributeChange, changedAttributes } from '../scim/changes.ts'
import { type Complex, comparisonKey } from '../scim/comparison.ts'
import {
  allowsOmissions,
  applyDisablingPatch,
  type PatchedResource,
  withoutAttribute,
} from '../scim/compatibility/disabling.ts'
import { withoutEmptyActive } from '../scim/compatibility/values.ts'
import { notFound, quote, ScimError } from '../scim/error.ts'
import type { ParsedPatch } from '../scim/patch/operation.ts'
import { lastValue, parsePatch } from '../scim/patch/parse.ts'
import type { Projection } from '../scim/projection.ts'
import type { Reading } from '../scim/reading.ts'
import { uniqueAttribute } from '../scim/schema/resource-type.ts'
import { replacementOf, type Validated, validateResource } from '../scim/validation.ts'
import { type Preconditions, requirePreconditions } from '../scim/version.ts'
import { UniqueError } from '../storage/database.ts'
import type { LogAction } from '../storage/log-entry.ts'
import { logUnchanged } from '../storage/provisioning-log.ts'
import { forgetResource, recallResource } from '../storage/recent-resources.ts'
import * as storage from '../storage/resource-batches.ts'
import type { StoredResourceType } from '../storage/resource-tables.ts'
import { encodeResource, type Stored, type StoredRow } from '../storage/resources.ts'
import {
  acceptedEntry,
  type Call,
  modifiedAt,
  type Rendered,
  readingOf,
  render,
  withReferences,
} from './call.ts'
import { isStale, retryWhileStale } from './optimistic.ts'

/**
 * Creates a resource.
 *
 * @throws {ScimError} invalidSyntax, invalidValue; 409 uniqueness when its userName, or what else is unique, is taken
 */
export async function createResource(
  call: Call,
  type: StoredResourceType,
  body: unknown,
  projection: Projection,
): Promise<Rendered> {
  const { resource: sent, ignored } = validateResource(body, readingOf(call, type))
  const resource = withActive(sent, type)
  const id = call.newId()
  const log = acceptedEntry(call, {
    action: 'create',
    type,
    id,
    resource,
    status: 201,
    changes: changedAttributes({}, resource, type),
    ignored,
  })
  try {
    const created = await storage.insertResource(call.db, call.credentials, type, { id, resource }, log)
    return render(call, created, type, projection)
  } catch (error) {
    if (error instanceof UniqueError) throw taken(type, resource, { cause: error })
    throw error
  }
}

/** @throws {ScimError} 404; tooMany when it has more members than an answer shows */
export async function getResource(
  call: Call,
  type: StoredResourceType,
  id: string,
  projection: Projection,
): Promise<Rendered> {
  const { db, credentials } = call
  const found = await storage.getResource(db, credentials, type, id, withReferences(projection, type))
  if (found === undefined) throw notFound(type.name, id)
  return render(call, found, type, projection)
}

/**
 * Replaces a resource (RFC 7644 §3.5.1). What is not in the body is cleared, but for "active": see active.ts.
 *
 * @throws {ScimError} 404, 412, 409 uniqueness, invalidValue
 */
export async function replaceResource(
  call: Call,
  type: StoredResourceType,
  id: string,
  body: unknown,
  projection: Projection,
  preconditions: Preconditions,
): Promise<Rendered> {
  const reading = readingOf(call, type)
  const { resource, ignored } = validateResource(withoutEmptyActive(body, reading), reading)
  const unique = uniqueAttribute(type)
  const changed = await changeResource(call, type, id, preconditions, {
    uniqueValue: unique && resource[unique.name],
    mayLoseUnique: false,
    decide: (before, isTaken) => {
      if (isTaken) throw taken(type, resource)
      const replacement = replacementOf(before, resource, type)
      return { resource: withActive(replacement, type, before), ignored, detail: null }
    },
  })
  return render(call, changed, type, projection)
}

/**
 * Changes a resource by a PatchOp (RFC 7644 §3.5.2), all or nothing, but for one that disables: see
 * compatibility/disabling.ts.
 *
 * @param isStrict whether the client asked for all or nothing in any case
 * @throws {ScimError} 404, 412, 409 uniqueness, and those of parsePatch and applyPatch
 */
export async function patchResource(
  call: Call,
  type: StoredResourceType,
  id: string,
  body: unknown,
  projection: Projection,
  preconditions: Preconditions,
  isStrict: boolean,
): Promise<Rendered> {
  const reading = readingOf(call, type)
  const patch = parsePatch(body, reading, isStrict)
  const unique = uniqueAttribute(type)
  const changed = await changeResource(call, type, id, preconditions, {
    uniqueValue: unique && lastValue(patch.operations, unique.name),
    mayLoseUnique: allowsOmissions(patch, reading.profile),
    decide: (before, isTaken) => {
      const patched = decidePatch(before, patch, reading, isTaken)
      return { ...patched, resource: withActive(patched.resource, type, before) }
    },
  })
  return render(call, changed, type, projection)
}

function decidePatch(
  before: Complex,
  patch: ParsedPatch,
  reading: Reading<StoredResourceType>,
  isTaken: boolean,
): PatchedResource {
  const { type, profile } = reading
  const patched = applyDisablingPatch(before, patch, reading)
  const unique = uniqueAttribute(type)?.name
  if (!isTaken || unique === undefined || patched.resource[unique] === before[unique]) return patched
  const withoutUnique = withoutAttribute(patch, unique, taken(type, patched.resource), profile)
  return applyDisablingPatch(before, withoutUnique, reading)
}

/** A change of a resource that is checked; nothing is read yet. */
interface ResourceUpdate {
  /** The value that it would give the unique attribute, so that a taken one is found with the load. */
  readonly uniqueValue: unknown
  /** Whether it is made without that value when it is taken. */
  readonly mayLoseUnique: boolean
  /** @throws {ScimError} what the client is told when the change cannot be made */
  readonly decide: (before: Complex, isTaken: boolean) => Decided
}

interface Decided extends Validated {
  /** What the log says beside the names of what is ignored. */
  readonly detail: string | null
}

/**
 * Decides on the resource as it was seen last, and writes; if none was seen, or the database holds another content, loads,
 * decides and writes.
 */
async function changeResource(
  call: Call,
  type: StoredResourceType,
  id: string,
  preconditions: Preconditions,
  update: ResourceUpdate,
): Promise<Stored> {
  const { db, credentials, work } = call
  const { spent } = work
  const decide = (found: StoredRow, isTaken: boolean) => {
    // What cost too much for the resource as it was seen last is not tried again: only small ones are remembered.
    if (work.isExhausted) work.spend(0)
    // A value that is taken is the request's own: the second decision is paid for.
    if (!isTaken) work.rewind(spent)
    work.store(found.json.length)
    return changeOf(type, found, preconditions, update, isTaken)
  }
  const recent = recallResource(credentials.tenantId, type, id)
  const early = recent && changeOfRecent(type, () => decide(recent, false), update)
  if (recent && early) {
    try {
      return await writeChange(call, type, recent, early, () => decide(recent, true))
    } catch (error) {
      if (!isStale(error)) throw error
      forgetResource(credentials.tenantId, type, id)
    }
  }
  const key = uniqueKey(type, update)
  return await retryWhileStale(async () => {
    const { resource, isTaken } = await storage.loadResource(db, credentials, type, id, key)
    if (resource === undefined) throw notFound(type.name, id)
    return await writeChange(call, type, resource, decide(resource, isTaken), () => decide(resource, true))
  })
}

/** The comparison form of the value that the update would give the unique attribute; undefined when it gives none. */
function uniqueKey(type: StoredResourceType, { uniqueValue }: ResourceUpdate): string | undefined {
  const unique = uniqueAttribute(type)
  if (unique === undefined || typeof uniqueValue !== 'string') return undefined
  return String(comparisonKey(unique, uniqueValue))
}

/** What a write makes of a resource. */
interface ResourceChange extends Decided {
  readonly action: LogAction
  readonly changes: readonly AttributeChange[]
}

/** @throws {ScimError} what the client is told when the change cannot be made */
function changeOf(
  type: StoredResourceType,
  found: Stored,
  preconditions: Preconditions,
  { decide }: ResourceUpdate,
  isTaken: boolean,
): ResourceChange {
  requirePreconditions(preconditions, found.version)
  const before = withoutReferences(found.resource, type)
  const { resource, ignored, detail } = decide(before, isTaken)
  const changes = changedAttributes(before, resource, type)
  return { resource, ignored, detail, changes, action: actionOf(type, before, resource) }
}

/**
 * @returns undefined when there would be nothing to write, so that nobody would notice that the resource is another one;
 *   also when there might be, because the unique attribute is all that is certain to change, and may be left out
 */
function changeOfRecent(
  type: StoredResourceType,
  decide: () => ResourceChange,
  update: ResourceUpdate,
): ResourceChange | undefined {
  try {
    const change = decide()
    const unique = uniqueAttribute(type)?.name
    const isUniqueChanged = change.changes.some(({ attribute }) => attribute === unique)
    const isSure = !update.mayLoseUnique || !isUniqueChanged || change.action === 'disable'
    return change.changes.length > 0 && isSure ? change : undefined
  } catch (error) {
    if (error instanceof ScimError) return undefined
    throw error
  }
}

/**
 * Writes what is changed, or logs that nothing is.
 *
 * @param otherwise decides once more, now that the value of the unique attribute turned out to be taken
 */
async function writeChange(
  call: Call,
  type: StoredResourceType,
  before: StoredRow,
  change: ResourceChange,
  otherwise: () => ResourceChange,
): Promise<Stored> {
  try {
    return await storeChange(call, type, before, change)
  } catch (error) {
    if (!(error instanceof UniqueError)) throw error
    return await storeChange(call, type, before, otherwise())
  }
}

async function storeChange(
  call: Call,
  type: StoredResourceType,
  before: StoredRow,
  change: ResourceChange,
): Promise<Stored> {
  const { db, credentials } = call
  const { resource, ...rest } = change
  const log = acceptedEntry(call, { ...rest, type, id: before.id, resource, status: 200 })
  if (change.changes.length > 0) {
    const documents = encodeResource(resource, type)
    call.work.store(documents.data.length + documents.keys.length)
    const after = { ...documents, lastModified: modifiedAt(call, before) }
    return await storage.updateResource(db, credentials, type, before, after, log)
  }
  await logUnchanged(db, credentials, log)
  return before
}

/** Memberships are no part of what a client changes here. */
function withoutReferences(resource: Complex, { references }: StoredResourceType): Complex {
  if (references === undefined) return resource
  const { [references]: _, ...rest } = resource
  return rest
}

function actionOf(type: StoredResourceType, before: Complex, after: Complex): LogAction {
  if (!canBeDisabled(type) || isActive(before) === isActive(after)) return 'update'
  return isActive(after) ? 'enable' : 'disable'
}

function taken(type: StoredResourceType, resource: Complex, options?: ErrorOptions): ScimError {
  const unique = uniqueAttribute(type)?.name ?? type.nameAttribute
  const detail = `${unique} ${quote(String(resource[unique]))} is already in use`
  return new ScimError(409, 'uniqueness', detail, options)
}
