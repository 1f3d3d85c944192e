/**
 * The operations on resources of any type, except that groups are only read here: their writes are queued (groups/), and
 * every deletion is in deletion.ts.
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
import { notFound, ScimError, TakenError } from '../scim/error.ts'
import { changedEvent, createdEvent } from '../scim/events.ts'
import { newLookups } from '../scim/identifiers.ts'
import type { ParsedPatch } from '../scim/patch/operation.ts'
import { lastValue, parsePatch } from '../scim/patch/parse.ts'
import type { Projection } from '../scim/projection.ts'
import type { Reading } from '../scim/reading.ts'
import { uniqueAttribute } from '../scim/schema/resource-type.ts'
import { replacementOf, type Validated, validateResource } from '../scim/validation.ts'
import { type Preconditions, requirePreconditions } from '../scim/version.ts'
import { UniqueError } from '../storage/database/database.ts'
import { logUnchanged } from '../storage/log/provisioning-log.ts'
import { forgetResource, recallResource } from '../storage/resources/recent-resources.ts'
import * as storage from '../storage/resources/resource-batches.ts'
import type { StoredResourceType } from '../storage/tables/resource-tables.ts'
import { encodeResource, type Stored, type StoredRow } from '../storage/tables/stored-resources.ts'
import { changedValues } from '../storage/tables/user-values.ts'
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
import { mayChange, ownedByAnother } from './ownership.ts'

/** A request for one resource, or for a new one. */
export interface ResourceRequest {
  readonly type: StoredResourceType
  readonly id: string
  /** Parsed JSON. */
  readonly body: unknown
  /** What the response shows. */
  readonly projection: Projection
  readonly preconditions: Preconditions
  /** Whether the client asked for all or nothing: see compatibility/disabling.ts. */
  readonly isStrict: boolean
}

/**
 * Creates a resource.
 *
 * @throws {ScimError} invalidSyntax, invalidValue; 409 uniqueness if its userName or other unique attribute is taken
 */
export async function createResource(
  call: Call,
  { type, body, projection }: Pick<ResourceRequest, 'type' | 'body' | 'projection'>,
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
    const event = createdEvent(type, { id, version: 1, resource })
    const lookups = newLookups({}, resource, type)
    const { tenant, work } = call
    const created = await storage.insertResource(tenant, type, { id, resource, log, event, lookups, work })
    return render(call, created, type, projection)
  } catch (error) {
    if (error instanceof UniqueError) throw taken(type, resource, { cause: error })
    throw error
  }
}

/** @throws {ScimError} 404; tooMany if it has more members than a response shows */
export async function getResource(
  call: Call,
  { type, id, projection }: Pick<ResourceRequest, 'type' | 'id' | 'projection'>,
): Promise<Rendered> {
  const found = await storage.getResource(call.tenant, type, id, withReferences(projection, type))
  if (found === undefined) throw notFound(type.name, id)
  return render(call, found, type, projection)
}

/**
 * Replaces a resource (RFC 7644 §3.5.1). Attributes that the body does not have are cleared, except "active": see
 * active.ts.
 *
 * @throws {ScimError} 404, 412, 409 uniqueness, invalidValue
 */
export async function replaceResource(
  call: Call,
  request: Omit<ResourceRequest, 'isStrict'>,
): Promise<Rendered> {
  const { type, body, projection } = request
  const reading = readingOf(call, type)
  const { resource, ignored } = validateResource(withoutEmptyActive(body, reading), reading)
  const unique = uniqueAttribute(type)
  const changed = await changeResource(call, {
    ...request,
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
 * Changes a resource by a PatchOp (RFC 7644 §3.5.2): all or nothing, except for one that disables (see
 * compatibility/disabling.ts).
 *
 * @throws {ScimError} 404, 412, 409 uniqueness, and those of parsePatch and applyPatch
 */
export async function patchResource(call: Call, request: ResourceRequest): Promise<Rendered> {
  const { type, body, projection, isStrict } = request
  const reading = readingOf(call, type)
  const patch = parsePatch(body, reading, isStrict)
  const unique = uniqueAttribute(type)
  const changed = await changeResource(call, {
    ...request,
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

/** A change of one resource that is parsed and validated. */
interface ResourceUpdate extends Pick<ResourceRequest, 'type' | 'id' | 'preconditions'> {
  /** The new value of the unique attribute, if any: the load also looks for another resource that has it. */
  readonly uniqueValue: unknown
  /** Whether the change is made without that value if it is taken. */
  readonly mayLoseUnique: boolean
  /** @throws {ScimError} the refusal */
  readonly decide: (before: Complex, isTaken: boolean) => Decided
}

interface Decided extends Validated {
  /** A remark for the log entry. */
  readonly detail: string | null
}

/**
 * Decides on the resource as this isolate last saw it, and writes. If the isolate has not seen it, or the database has
 * another content, loads the resource first.
 */
async function changeResource(call: Call, update: ResourceUpdate): Promise<Stored> {
  const { tenant, work } = call
  const { type, id } = update
  const { spent } = work
  const decide = (found: StoredRow, isTaken: boolean) => {
    // If a decision on the remembered resource has exceeded the limit, the request itself is the reason: only small
    // resources are remembered.
    if (work.isExhausted) work.spend(0)
    // Counts a second decision as work of the request if its own value caused it, because the value is taken.
    if (!isTaken) work.rewind(spent)
    work.readStored(found.json)
    return changeOf(found, update, isTaken)
  }
  const recalled = recallResource(tenant.tenantId, type, id)
  const recent = recalled && mayChange(tenant, recalled.sources?.createdBy) ? recalled : undefined
  const change = recent && changeOfRecent(() => decide(recent, false), update)
  if (recent && change) {
    try {
      return await writeChange(call, type, recent, { change, ifTaken: () => decide(recent, true) })
    } catch (error) {
      if (!isStale(error)) throw error
      forgetResource(tenant.tenantId, type, id)
    }
  }
  const key = uniqueKey(update)
  return await retryWhileStale(async () => {
    const { resource: found, isTaken, ownerName } = await storage.loadResource(tenant, type, id, key)
    if (found === undefined) throw notFound(type.name, id)
    if (!mayChange(tenant, found.sources?.createdBy)) throw ownedByAnother(type.name, id, ownerName)
    const change = decide(found, isTaken)
    return await writeChange(call, type, found, { change, ifTaken: () => decide(found, true) })
  })
}

/** The comparison form of the new value of the unique attribute; undefined if there is no such value. */
function uniqueKey({ type, uniqueValue }: ResourceUpdate): string | undefined {
  const unique = uniqueAttribute(type)
  if (unique === undefined || typeof uniqueValue !== 'string') return undefined
  return String(comparisonKey(unique, uniqueValue))
}

/** What a write changes of a resource. */
interface ResourceChange extends Decided {
  readonly action: keyof typeof EVENT_KINDS
  readonly changes: readonly AttributeChange[]
}

/** @throws {ScimError} the refusal */
function changeOf(
  found: Stored,
  { type, preconditions, decide }: ResourceUpdate,
  isTaken: boolean,
): ResourceChange {
  requirePreconditions(preconditions, found.version)
  const before = withoutReferences(found.resource, type)
  const { resource, ignored, detail } = decide(before, isTaken)
  const changes = changedAttributes(before, resource, type)
  return { resource, ignored, detail, changes, action: actionOf(type, before, resource) }
}

/**
 * The change of a remembered resource.
 *
 * @returns undefined unless the write is certain to compare the remembered row with the stored one. A change of nothing
 *   is not written, and a change of the unique attribute alone may be left out.
 */
function changeOfRecent(
  decide: () => ResourceChange,
  { type, mayLoseUnique }: ResourceUpdate,
): ResourceChange | undefined {
  try {
    const change = decide()
    const unique = uniqueAttribute(type)?.name
    const isUniqueChanged = change.changes.some(({ attribute }) => attribute === unique)
    const isSure = !mayLoseUnique || !isUniqueChanged || change.action === 'disable'
    return change.changes.length > 0 && isSure ? change : undefined
  } catch (error) {
    if (error instanceof ScimError) return undefined
    throw error
  }
}

/**
 * Writes a change, or logs that nothing changes.
 *
 * @param ifTaken decides again after the value of the unique attribute turned out to be taken
 */
async function writeChange(
  call: Call,
  type: StoredResourceType,
  before: StoredRow,
  { change, ifTaken }: { readonly change: ResourceChange; readonly ifTaken: () => ResourceChange },
): Promise<Stored> {
  try {
    return await storeChange(call, type, before, change)
  } catch (error) {
    if (!(error instanceof UniqueError)) throw error
    return await storeChange(call, type, before, ifTaken())
  }
}

async function storeChange(
  call: Call,
  type: StoredResourceType,
  before: StoredRow,
  change: ResourceChange,
): Promise<Stored> {
  const { tenant, work } = call
  const { resource, ...rest } = change
  const log = acceptedEntry(call, { ...rest, type, id: before.id, resource, status: 200 })
  if (change.changes.length === 0) {
    await logUnchanged(tenant, log)
    return before
  }
  const was = withoutReferences(before.resource, type)
  // A user must not keep access because of the size of its own documents.
  const isRefused = change.action !== 'disable'
  work.writeValues(changedValues(was, resource), isRefused)
  const count = (data: string) => work.writeStored(data, isRefused)
  const documents = encodeResource(resource, type, { before: was, work, count })
  const after = { ...documents, lastModified: modifiedAt(call, before) }
  const event = changedEvent(type, EVENT_KINDS[change.action], {
    id: before.id,
    version: before.version + 1,
    resource,
    before: was,
    changes: change.changes,
  })
  const lookups = newLookups(before.resource, resource, type)
  return await storage.updateResource(tenant, type, { before, after, log, event, lookups })
}

const EVENT_KINDS = { update: 'updated', enable: 'activated', disable: 'deactivated' } as const

/**
 * Stores a change of a resource that the server itself decided on, of any type without members.
 *
 * @param before the resource as it was read
 * @param resource without its memberships
 * @param detail for the log
 * @throws {GuardError} "stale version" if it has changed since; {UniqueError} if its name is taken
 */
export async function storeOwnChange(
  call: Call,
  type: StoredResourceType,
  before: StoredRow,
  { resource, detail }: { readonly resource: Complex; readonly detail: string },
): Promise<void> {
  const was = withoutReferences(before.resource, type)
  const changes = changedAttributes(was, resource, type)
  const change = { resource, ignored: [], detail, changes, action: actionOf(type, was, resource) }
  await storeChange(call, type, before, change)
}

/** The resource without its memberships, which are not changed here. */
export function withoutReferences(resource: Complex, { references }: StoredResourceType): Complex {
  if (references === undefined) return resource
  const { [references]: _, ...rest } = resource
  return rest
}

function actionOf(type: StoredResourceType, before: Complex, after: Complex): ResourceChange['action'] {
  if (!canBeDisabled(type) || isActive(before) === isActive(after)) return 'update'
  return isActive(after) ? 'enable' : 'disable'
}

function taken(type: StoredResourceType, resource: Complex, options?: ErrorOptions): ScimError {
  const unique = uniqueAttribute(type)?.name ?? type.nameAttribute
  return new TakenError(unique, String(resource[unique]), options)
}
