/**
 * Writes of groups, the resources that have members. A write is checked before it is queued: it then names the state that
 * it needs, and decides on that state when its turn comes. It neither reads nor writes: commit-writes.ts loads and stores
 * for all writes of a chunk.
 */
import { type AttributeChange, changedAttributes } from '../../scim/changes.ts'
import type { Complex } from '../../scim/comparison.ts'
import { requireOneProjection } from '../../scim/compatibility/lists.ts'
import { notFound } from '../../scim/error.ts'
import { changedEvent, createdEvent, memberEvents, type NewEvent } from '../../scim/events.ts'
import { fold } from '../../scim/fold.ts'
import { type IdentifierLookup, newLookups } from '../../scim/identifiers.ts'
import { applyPatch } from '../../scim/patch/apply.ts'
import {
  applyMemberChanges,
  type Member,
  type MemberChange,
  memberIds,
  namedIds,
  needsAllMembers,
  selectsMembers,
  splitMembers,
} from '../../scim/patch/members.ts'
import { lastValue, parsePatch } from '../../scim/patch/parse.ts'
import { type Projection, parseProjection } from '../../scim/projection.ts'
import type { Reading } from '../../scim/reading.ts'
import { hasMembers } from '../../scim/schema/resource-type.ts'
import { replacementOf, type Validated, validateResource } from '../../scim/validation.ts'
import { etag, type Preconditions, requirePreconditions } from '../../scim/version.ts'
import { REMOVED_MEMBERSHIP_UNITS } from '../../scim/work.ts'
import type { LogAction, LogEntry } from '../../storage/log/log-entry.ts'
import type { GroupChange, GroupNeeds, GroupOwner } from '../../storage/resources/groups.ts'
import type { StoredResourceType } from '../../storage/tables/resource-tables.ts'
import { encodeResource, type Stored, StoredRow } from '../../storage/tables/stored-resources.ts'
import {
  acceptedEntry,
  type Call,
  locationOf,
  modifiedAt,
  type Rendered,
  readingOf,
  render,
  withReferences,
} from '../call.ts'
import { type Deletion, deleteResource } from '../deletion.ts'
import { mayChange, ownedByAnother } from '../ownership.ts'
import {
  displayNameTaken,
  type GroupCounts,
  limitReached,
  requireFewMembers,
  requireMembers,
} from './group-refusals.ts'
import type { GroupWriteRequest } from './group-writer.ts'

/** A write that is parsed and validated. */
export interface GroupWrite {
  /** The state to load. */
  readonly needs: GroupNeeds
  /**
   * Decides what to store and what to answer.
   *
   * @throws {ScimError} the refusal of the write
   */
  readonly decide: (call: Call, known: KnownGroup) => GroupDecision
}

/** A deletion: it needs no state, because one batch of the database does all of it. */
export interface GroupDeletion {
  /** @throws {ScimError} 404, 412 */
  readonly run: (call: Call) => ReturnType<typeof deleteResource>
}

/** The state that a write is decided on. */
export interface KnownGroup extends GroupCounts {
  /** The group without its members; undefined if there is no such group. */
  readonly group: Stored | undefined
  /** The number of its members when it was loaded. */
  readonly memberCount: number
  /** The client that created it, in the mode "owner"; undefined for a group that was created in the same chunk. */
  readonly owner: GroupOwner | undefined
  /** Whether another group has the name, in a tenant where names are unique. */
  readonly isNameTaken: boolean
  /** Users and groups that may be members, by id: at least those of `memberIds` that exist. */
  readonly directory: ReadonlyMap<string, Member>
  /** All members if the write needs them, else those among `memberIds`. */
  readonly members: readonly Member[]
}

export interface GroupDecision {
  readonly answer: Rendered
  /** Undefined if nothing changes. */
  readonly change: GroupChange | undefined
  readonly log: LogEntry
  /** None if nothing changes. */
  readonly events: readonly NewEvent[]
  /** Identifiers that other groups may have. */
  readonly lookups: readonly IdentifierLookup[]
}

/**
 * Parses and validates the request of a group write.
 *
 * @throws {ScimError} every refusal that follows from the request alone: such a write is never queued
 */
export function prepareGroupWrite(
  request: GroupWriteRequest<'create' | 'replace' | 'patch' | 'delete'>,
  call: Pick<Call, 'tenant' | 'work'>,
): GroupWrite | GroupDeletion {
  const type = call.tenant.resourceTypes.find(hasMembers)
  if (type === undefined) throw new Error('the directory has no resource type with members')
  const { kind, id = '', body, attributes, excludedAttributes, preconditions } = request
  requireOneProjection(attributes, excludedAttributes, call.tenant.profile)
  const projection = parseProjection(attributes, excludedAttributes, type)
  const reading = readingOf(call, type)
  switch (kind) {
    case 'create':
      return createGroup(body, projection, reading)
    case 'replace':
      return replaceGroup(body, { id, preconditions, projection, reading })
    case 'patch': {
      // RFC 7644 §3.5.2: a body MUST be returned only if the client asks for attributes. To load and return the members
      // of a large group that nobody asked for would be expensive.
      const asked = attributes === undefined ? undefined : projection
      return patchGroup(body, { id, preconditions, projection: asked, reading })
    }
    case 'delete':
      return deleteGroup({ type, id, preconditions })
  }
}

/**
 * @throws {ScimError} at once: invalidSyntax, invalidValue. When it is decided: 409 uniqueness if the displayName is
 *   taken, 400 beyond the group limit, invalidValue for an unknown member
 */
function createGroup(
  body: unknown,
  projection: Projection,
  reading: Reading<StoredResourceType>,
): GroupWrite {
  const { type } = reading
  const { resource: validated, ignored } = validateResource(body, reading)
  const { members: sent, ...resource } = validated
  const ids = memberIds(sent)
  const documents = encodeResource(resource, type, {
    work: reading.work,
    count: (data) => reading.work.writeNew(data),
  })
  const isShown = withReferences(projection, type)
  return {
    // No group has the empty id: the new group gets its id when it is decided.
    needs: {
      id: '',
      displayNameKey: nameKey(resource),
      memberIds: ids,
      allMembers: false,
      names: isShown ? 'named' : 'none',
    },
    decide(call, known) {
      if (known.isNameTaken) throw displayNameTaken(resource)
      if (known.groupCount >= known.groupLimit) throw limitReached(known)
      const added = requireMembers(ids, known.directory)
      const { now, tokenHash } = call.tenant.actor
      const after: Stored = { id: call.newId(), version: 1, createdAt: now, lastModified: now, resource }
      const log = acceptedEntry(call, {
        action: 'create',
        type,
        id: after.id,
        resource,
        status: 201,
        changes: [...changedAttributes({}, resource, type), ...memberChange(ids, [])],
        ignored,
      })
      return {
        answer: render(call, withMembers(after, added), type, projection),
        change: { after, documents, added, removed: [], removesAll: false, tokenHash },
        log,
        events: [createdEvent(type, after), ...memberEvents(type, after, { added: ids, removed: [] })],
        lookups: newLookups({}, resource, type),
      }
    },
  }
}

function deleteGroup(request: Deletion): GroupDeletion {
  return { run: (call) => deleteResource(call, request) }
}

/** An update of a group, by PUT or PATCH. */
interface GroupTarget {
  readonly id: string
  readonly preconditions: Preconditions
  /** Undefined if the client did not ask for the group: then the members are not loaded. */
  readonly projection: Projection | undefined
  readonly reading: Reading<StoredResourceType>
}

/** RFC 7644 §3.5.1: replaces the attributes and the members. @throws {ScimError} as createGroup; 404, 412 */
function replaceGroup(body: unknown, target: GroupTarget): GroupWrite {
  const { type } = target.reading
  const { resource: validated, ignored } = validateResource(body, target.reading)
  const { members: sent, ...resource } = validated
  return updateGroup({
    ...target,
    displayName: resource.displayName,
    members: [{ kind: 'replace', ids: memberIds(sent) }],
    apply: (before) => ({ resource: replacementOf(before, resource, type), ignored }),
    action: 'update',
  })
}

/**
 * RFC 7644 §3.5.2: applies a PatchOp as a whole or not at all.
 *
 * @throws {ScimError} at once: those of parsePatch; when it is decided: those of applyPatch, 404, 412, 409
 */
function patchGroup(body: unknown, target: GroupTarget): GroupWrite {
  const { reading } = target
  const { operations, ignored } = parsePatch(body, reading)
  const { members, rest } = splitMembers(operations, reading)
  return updateGroup({
    ...target,
    displayName: lastValue(rest, 'displayName'),
    members,
    apply: (before) => {
      const patched = applyPatch(before, rest, reading)
      return { resource: patched.resource, ignored: [...ignored, ...patched.ignored] }
    },
    action: rest.length === 0 ? memberAction(members) : 'update',
  })
}

/** A change of a group by the server itself, which names the members by id. */
export interface OwnChange {
  readonly id: string
  readonly added?: readonly string[]
  readonly removed?: readonly string[]
  /** The attributes after the change; undefined: they do not change. */
  readonly attributes?: Complex | undefined
  /** The version that the change is based on; undefined: any. */
  readonly version?: number | undefined
}

/**
 * The write of such a change. The profile of the tenant does not matter to it.
 *
 * @throws {ScimError} when it is decided: 404, 412 if the group has another version, 409, and 400 for an unknown member
 */
export function changeGroup(change: OwnChange, reading: Reading<StoredResourceType>): GroupWrite {
  const { id, added = [], removed = [], attributes, version } = change
  const members = [{ kind: 'remove', ids: removed } as const, { kind: 'add', ids: added } as const]
  return updateGroup({
    id,
    preconditions: version === undefined ? {} : { ifMatch: etag(version) },
    projection: undefined,
    reading,
    displayName: attributes?.displayName,
    members: members.filter(({ ids }) => ids.length > 0),
    apply: (before) => ({ resource: attributes ?? before, ignored: [] }),
    action:
      attributes !== undefined || (added.length > 0 && removed.length > 0)
        ? 'update'
        : added.length > 0
          ? 'add member'
          : 'remove member',
  })
}

interface GroupUpdate extends GroupTarget {
  /** The new name, if any: the load also looks for another group of that name. */
  readonly displayName: unknown
  readonly members: readonly MemberChange[]
  /** Changes the attributes. */
  readonly apply: (before: Complex) => Validated
  readonly action: LogAction
}

function updateGroup(update: GroupUpdate): GroupWrite {
  const { id, displayName, members } = update
  const { work } = update.reading
  // A write may be decided several times; the work of the last time counts.
  const { spent } = work
  return {
    needs: {
      id,
      displayNameKey: nameKey({ displayName }),
      memberIds: namedIds(members),
      allMembers: needsAll(update),
      names: namesOf(update),
    },
    decide: (call, known) => {
      work.rewind(spent)
      return decideUpdate(call, update, known)
    },
  }
}

function needsAll(update: GroupUpdate): boolean {
  return needsAllMembers(update.members) || isShown(update)
}

/** If a list is replaced, the request names all members that are shown. */
function namesOf(update: GroupUpdate): GroupNeeds['names'] {
  if (selectsMembers(update.members)) return 'all'
  if (!isShown(update)) return 'none'
  return update.members.some(({ kind }) => kind === 'replace') ? 'named' : 'all'
}

function isShown({ reading: { type }, projection }: GroupUpdate): boolean {
  return projection !== undefined && withReferences(projection, type)
}

function decideUpdate(call: Call, update: GroupUpdate, known: KnownGroup): GroupDecision {
  const { id, preconditions, projection, action } = update
  const { type, profile, work } = update.reading
  const before = known.group
  if (before === undefined) throw notFound(type.name, id)
  const { owner } = known
  if (owner && !mayChange(call.tenant, owner.clientId)) throw ownedByAnother(type.name, id, owner.name)
  requirePreconditions(preconditions, before.version)
  // A write before this one of the same chunk has read it already.
  if (before instanceof StoredRow) work.readStored(before.json)
  if (needsAll(update)) {
    requireFewMembers(id, known.memberCount)
    work.visit(known.members.length)
  }
  const { resource, ignored } = update.apply(before.resource)
  if (known.isNameTaken) throw displayNameTaken(resource)
  const ids = applyMemberChanges(known.members, update.members, profile, work)
  const present = new Set(known.members.map((member) => member.value))
  const added = requireMembers(
    [...ids].filter((memberId) => !present.has(memberId)),
    known.directory,
  )
  const removed = [...present].filter((memberId) => !ids.has(memberId))
  const removesAll = needsAll(update) && removed.length > 0 && removed.length === present.size
  const attributes = changedAttributes(before.resource, resource, type)
  const addedIds = added.map((member) => member.value)
  const changes = [...attributes, ...memberChange(addedIds, removed)]
  const after =
    changes.length === 0
      ? before
      : { ...before, version: before.version + 1, lastModified: modifiedAt(call, before), resource }
  const count = (data: string) => work.writeStored(data)
  const documents =
    attributes.length === 0
      ? undefined
      : encodeResource(resource, type, { before: before.resource, work, count })
  if (needsAll(update)) work.note(removed.length * REMOVED_MEMBERSHIP_UNITS)
  const status = projection === undefined ? 204 : 200
  const { tokenHash } = call.tenant.actor
  return {
    answer:
      projection === undefined
        ? { version: after.version, location: locationOf(call.tenantUrl, type, id) }
        : render(call, withMembers(after, membersAfter(known, ids, added)), type, projection),
    change: changes.length === 0 ? undefined : { after, documents, added, removed, removesAll, tokenHash },
    log: acceptedEntry(call, { action, type, id, resource, status, changes, ignored }),
    events: [
      ...(attributes.length === 0
        ? []
        : [changedEvent(type, 'updated', { ...after, before: before.resource, changes: attributes })]),
      ...memberEvents(type, after, { added: addedIds, removed }),
    ],
    lookups: attributes.length === 0 ? [] : newLookups(before.resource, resource, type),
  }
}

/** The members after the write. The directory has the display names of those that the request names. */
function membersAfter(
  { members, directory }: KnownGroup,
  ids: ReadonlySet<string>,
  added: readonly Member[],
) {
  const kept = members.filter(({ value }) => ids.has(value))
  return [...kept.map((member) => directory.get(member.value) ?? member), ...added]
}

function withMembers(group: Stored, members: readonly Member[]): Stored {
  return members.length === 0 ? group : { ...group, resource: { ...group.resource, members } }
}

/** The log names the added and the removed members, not the whole list. */
function memberChange(added: readonly string[], removed: readonly string[]): readonly AttributeChange[] {
  if (added.length === 0 && removed.length === 0) return []
  return [
    {
      attribute: 'members',
      ...(removed.length === 0 ? {} : { old: removed }),
      ...(added.length === 0 ? {} : { new: added }),
    },
  ]
}

function memberAction(changes: readonly MemberChange[]): LogAction {
  if (changes.length > 0 && changes.every((change) => change.kind === 'add')) return 'add member'
  const isRemoval = (change: MemberChange) => change.kind.startsWith('remove')
  return changes.length > 0 && changes.every(isRemoval) ? 'remove member' : 'update'
}

function nameKey({ displayName }: Complex): string | undefined {
  return typeof displayName === 'string' ? fold(displayName) : undefined
}
