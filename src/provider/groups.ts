/**
 * The service provider's writes of groups, the resources that have members: the core and storage put together, without
 * HTTP. A write says what it needs to know and then decides; loading and storing are those of group-commit.ts, for all
 * writes that go together.
 */
import { type AttributeChange, changedAttributes } from '../scim/changes.ts'
import type { Complex } from '../scim/comparison.ts'
import { badRequest, notFound, quote, ScimError } from '../scim/error.ts'
import { fold } from '../scim/fold.ts'
import { MAX_LOADED_MEMBERS, MAX_NAMED_IDS, MAX_NESTED_MEMBERSHIPS } from '../scim/limits.ts'
import { applyPatch } from '../scim/patch/apply.ts'
import {
  applyMemberChanges,
  type Member,
  type MemberChange,
  memberIds,
  namedIds,
  needsAllMembers,
  selectsMembers,
  splitMembers,
} from '../scim/patch/members.ts'
import { lastValue, parsePatch } from '../scim/patch/parse.ts'
import type { Projection } from '../scim/projection.ts'
import type { Reading } from '../scim/reading.ts'
import { replacementOf, type Validated, validateResource } from '../scim/validation.ts'
import { type Preconditions, requirePreconditions } from '../scim/version.ts'
import { REMOVED_MEMBERSHIP_UNITS } from '../scim/work.ts'
import { GuardError, UniqueError } from '../storage/database/database.ts'
import type { LogAction, LogEntry } from '../storage/log/log-entry.ts'
import type { GroupChange, GroupNeeds, LoadedGroups } from '../storage/resources/groups.ts'
import { NESTED_MEMBER } from '../storage/tables/member-types.ts'
import type { StoredResourceType } from '../storage/tables/resource-tables.ts'
import { encodeResource, type Stored } from '../storage/tables/stored-resources.ts'
import {
  acceptedEntry,
  type Call,
  locationOf,
  modifiedAt,
  type Rendered,
  render,
  type Written,
  withReferences,
} from './call.ts'
import { deleteResource } from './deletion.ts'

/** A checked write: parsing and validation are done, nothing is read yet. */
export interface GroupWrite {
  readonly needs: GroupNeeds
  /**
   * Decides what is to be done. Reads and writes nothing.
   *
   * @throws {ScimError} why it is not to be done
   */
  readonly decide: (call: Call, known: KnownGroup) => GroupDecision
}

/** What a write knows when it is decided. */
export interface KnownGroup extends Pick<LoadedGroups, 'groupCount' | 'groupLimit'> {
  /** Undefined when there is none. Without members. */
  readonly group: Stored | undefined
  /** How many members it had when it was loaded. */
  readonly memberCount: number
  /** Whether another group has the name, in a tenant where names are unique. */
  readonly isNameTaken: boolean
  /** Users and groups that may be members: at least those of `memberIds` that exist, by id. */
  readonly directory: ReadonlyMap<string, Member>
  /** All members when they were asked for, else those among `memberIds`. */
  readonly members: readonly Member[]
}

export interface GroupDecision {
  /** The group as the client is to see it, its version alone when nobody asked. */
  readonly answer: Rendered | Written
  /** Undefined when nothing changes. */
  readonly change: GroupChange | undefined
  readonly log: LogEntry
}

/**
 * Creates a group.
 *
 * @throws {ScimError} at once: invalidSyntax, invalidValue. When it is decided: 409 uniqueness when the
 *   displayName is taken, 400 beyond the group limit, invalidValue for an unknown member
 */
export function createGroup(
  body: unknown,
  projection: Projection,
  reading: Reading<StoredResourceType>,
): GroupWrite {
  const { type } = reading
  const { resource: validated, ignored } = validateResource(body, reading)
  const { members: sent, ...resource } = validated
  const ids = memberIds(sent)
  const documents = encodeResource(resource, type)
  const isShown = withReferences(projection, type)
  return {
    // No group has the id: the new one gets its own with the decision.
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
      const added = requireMembers(ids, known)
      const now = call.credentials.now
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
        change: { before: undefined, after, documents, added, removed: [], removesAll: false },
        log,
      }
    },
  }
}

/** Replaces a group and its members (RFC 7644 §3.5.1). @throws {ScimError} as createGroup; 404, 412 */
export function replaceGroup(
  id: string,
  body: unknown,
  projection: Projection,
  preconditions: Preconditions,
  reading: Reading<StoredResourceType>,
): GroupWrite {
  const { resource: validated, ignored } = validateResource(body, reading)
  const { members: sent, ...resource } = validated
  return groupUpdate({
    id,
    preconditions,
    displayName: resource.displayName,
    reading,
    members: [{ kind: 'replace', ids: memberIds(sent) }],
    apply: (before) => ({ resource: replacementOf(before, resource, reading.type), ignored }),
    action: 'update',
    projection,
  })
}

/**
 * Changes a group by a PatchOp (RFC 7644 §3.5.2), all or nothing.
 *
 * @param projection undefined when nobody asked for the group: then the members are not loaded
 * @throws {ScimError} at once those of parsePatch; when it is decided those of applyPatch, 404, 412, 409
 */
export function patchGroup(
  id: string,
  body: unknown,
  projection: Projection | undefined,
  preconditions: Preconditions,
  reading: Reading<StoredResourceType>,
): GroupWrite {
  const { operations, ignored } = parsePatch(body, reading)
  const { members, rest } = splitMembers(operations, reading)
  return groupUpdate({
    reading,
    id,
    preconditions,
    displayName: lastValue(rest, 'displayName'),
    members,
    apply: (before) => {
      const patched = applyPatch(before, rest, reading)
      return { resource: patched.resource, ignored: [...ignored, ...patched.ignored] }
    },
    action: rest.length === 0 ? memberAction(members) : 'update',
    projection,
  })
}

/** A checked deletion. It reads nothing first: the database does all of it, in one batch. */
export interface GroupDeletion {
  /** @throws {ScimError} 404, 412 */
  readonly run: (call: Call) => Promise<undefined>
}

/** Deletes a group with its memberships. */
export function deleteGroup(
  type: StoredResourceType,
  id: string,
  preconditions: Preconditions,
): GroupDeletion {
  return {
    async run(call) {
      await deleteResource(call, type, id, preconditions)
      return undefined
    },
  }
}

interface GroupUpdate {
  readonly id: string
  readonly preconditions: Preconditions
  /** The name that the update would give the group, so that a taken one is found with the load. */
  readonly displayName: unknown
  readonly members: readonly MemberChange[]
  readonly reading: Reading<StoredResourceType>
  /** What becomes of the attributes. */
  readonly apply: (before: Complex) => Validated
  readonly action: LogAction
  readonly projection: Projection | undefined
}

function groupUpdate(update: GroupUpdate): GroupWrite {
  const { id, displayName, members } = update
  const { work } = update.reading
  // Deciding goes on from here, as often as it has to.
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

/** Of a list that is replaced, those that are shown are all named. */
function namesOf(update: GroupUpdate): GroupNeeds['names'] {
  if (selectsMembers(update.members)) return 'all'
  if (!isShown(update)) return 'none'
  return update.members.some(({ kind }) => kind === 'replace') ? 'named' : 'all'
}

function isShown({ reading: { type }, projection }: GroupUpdate): boolean {
  return projection !== undefined && withReferences(projection, type)
}

/** @throws {ScimError} tooMany: a list of members is read, compared and shown as a whole, or not at all */
function requireFewMembers(id: string, { memberCount }: KnownGroup): void {
  if (memberCount <= MAX_LOADED_MEMBERS) return
  throw badRequest(
    'tooMany',
    `Group "${id}" has ${memberCount} members, and a request that needs the whole list takes ${MAX_LOADED_MEMBERS} at most: add and remove members by id, and do not ask for "members"`,
  )
}

function decideUpdate(call: Call, update: GroupUpdate, known: KnownGroup): GroupDecision {
  const { id, preconditions, projection, action } = update
  const { type, profile, work } = update.reading
  const before = known.group
  if (before === undefined) throw notFound(type.name, id)
  requirePreconditions(preconditions, before.version)
  if (needsAll(update)) {
    requireFewMembers(id, known)
    work.visit(known.members.length)
  }
  const { resource, ignored } = update.apply(before.resource)
  if (known.isNameTaken) throw displayNameTaken(resource)
  const ids = applyMemberChanges(known.members, update.members, profile, work)
  const present = new Set(known.members.map((member) => member.value))
  const added = requireMembers(
    [...ids].filter((memberId) => !present.has(memberId)),
    known,
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
  const documents = attributes.length === 0 ? undefined : encodeResource(resource, type)
  if (needsAll(update)) work.note(removed.length * REMOVED_MEMBERSHIP_UNITS)
  const status = projection === undefined ? 204 : 200
  return {
    answer:
      projection === undefined
        ? { version: after.version, location: locationOf(call.tenantUrl, type, id) }
        : render(call, withMembers(after, membersAfter(known, ids, added)), type, projection),
    change: changes.length === 0 ? undefined : { before, after, documents, added, removed, removesAll },
    log: acceptedEntry(call, { action, type, id, resource, status, changes, ignored }),
  }
}

/** Those that are named are in the directory, with their names where these are needed. */
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

/** The log names the members that came and went, not the whole list. */
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

/**
 * An unknown member refuses the whole write: applying the rest would hide the mistake from the client's log. What a
 * member is, its id says: a `type` that the client sends is not looked at. Groups may be members in a circle, and so of
 * themselves: RFC 7643 §4.2 does not forbid it, and a refusal would keep out all others that the request names.
 */
function requireMembers(ids: readonly string[], { directory }: KnownGroup): readonly Member[] {
  const unknown = ids.filter((id) => !directory.has(id))
  if (unknown.length > 0) {
    const more = unknown.length > MAX_NAMED_IDS ? ` and ${unknown.length - MAX_NAMED_IDS} more` : ''
    const list = unknown.slice(0, MAX_NAMED_IDS).map(quote).join(', ')
    throw badRequest(
      'invalidValue',
      `attribute "members" names no User or Group of the directory: ${list}${more}`,
    )
  }
  return ids.flatMap((id) => directory.get(id) ?? [])
}

/**
 * Why the database itself refused what was decided, after a race that the coordinator did not see.
 *
 * @returns the error as it is when it is no rule that the decision knows
 */
export function databaseRefusal(error: unknown, change: GroupChange | undefined, known: KnownGroup): unknown {
  if (error instanceof UniqueError && change !== undefined)
    return displayNameTaken(change.after.resource, { cause: error })
  if (!(error instanceof GuardError)) return error
  if (error.rule === 'group limit') return limitReached(known, { cause: error })
  if (error.rule === 'nested groups') return tooManyNested(change?.added ?? [], { cause: error })
  if (error.rule !== 'unknown member') return error
  return badRequest('invalidValue', 'attribute "members" names a User or a Group that was deleted meanwhile')
}

function nameKey({ displayName }: Complex): string | undefined {
  return typeof displayName === 'string' ? fold(displayName) : undefined
}

function displayNameTaken(resource: Complex, options?: ErrorOptions): ScimError {
  return new ScimError(
    409,
    'uniqueness',
    `displayName ${quote(String(resource.displayName))} is already in use`,
    options,
  )
}

/**
 * 400, because a client takes 403 for bad credentials, 409 for "exists already", 429 and 5xx for a
 * promise that trying again helps.
 */
function limitReached({ groupCount, groupLimit }: KnownGroup, options?: ErrorOptions): ScimError {
  const count = Math.max(groupCount, groupLimit)
  return new ScimError(
    400,
    undefined,
    `the directory holds ${count} groups and its limit is ${groupLimit}: take groups out of the scope of provisioning, or raise the limit of the tenant`,
    options,
  )
}

/** 400, for the reason that limitReached gives. The database counts: a load would have to, for each write. */
function tooManyNested(added: readonly Member[], options?: ErrorOptions): ScimError {
  const count = added.filter(({ type }) => type === NESTED_MEMBER).length
  return new ScimError(
    400,
    'invalidValue',
    `attribute "members" adds memberships of groups in groups (${count}), and the directory may hold ${MAX_NESTED_MEMBERSHIPS} of them: make users the members instead, or take groups out of other groups`,
    options,
  )
}
