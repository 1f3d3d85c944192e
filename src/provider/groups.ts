/**
 * The service provider's operations on groups: the core and storage put together, without HTTP. Writes
 * of one tenant must come one at a time: see group-writer.ts.
 */
import { type AttributeChange, changedAttributes } from '../scim/changes.ts'
import { type Complex, fold } from '../scim/comparison.ts'
import { badRequest, notFound, ScimError } from '../scim/error.ts'
import { applyPatch } from '../scim/patch/apply.ts'
import {
  applyMemberChanges,
  type Member,
  type MemberChange,
  memberIds,
  namedIds,
  needsAllMembers,
  splitMembers,
} from '../scim/patch/members.ts'
import { lastValue, parsePatch } from '../scim/patch/parse.ts'
import type { Projection } from '../scim/projection.ts'
import { GROUP_RESOURCE_TYPE } from '../scim/schema/resource-type.ts'
import { type Validated, validateResource } from '../scim/validation.ts'
import { type Preconditions, requirePreconditions } from '../scim/version.ts'
import { GuardError, UniqueError } from '../storage/database.ts'
import type { LoadedGroup } from '../storage/groups.ts'
import * as storage from '../storage/groups.ts'
import { type LogAction, logUnchanged } from '../storage/provisioning-log.ts'
import type { Stored } from '../storage/resources.ts'
import { requireWriter } from '../storage/tokens.ts'
import {
  acceptedEntry,
  type Call,
  locationOf,
  type Rendered,
  render,
  type Written,
  withReferences,
} from './call.ts'
import { deleteResource } from './deletion.ts'
import { retryWhileStale } from './optimistic.ts'

const TYPE = GROUP_RESOURCE_TYPE
/** Ids that an error names; more are counted. */
const MAX_NAMED_IDS = 20
/** Ids that an entry of the provisioning log names; more are counted. */
const MAX_LOGGED_IDS = 5_000

/** @throws {ScimError} 404 */
export async function getGroup(call: Call, id: string, projection: Projection): Promise<Rendered> {
  const group = await storage.getGroup(call.db, call.credentials, id, withReferences(projection, TYPE))
  if (group === undefined) throw notFound('Group', id)
  return render(call, group, TYPE, projection)
}

/** A checked write: parsing and validation are done, nothing is read yet. */
export interface GroupWrite {
  /** Reads what the write has to know, with the token checked. @throws {ScimError} 401, 403 */
  readonly load: (call: Call) => Promise<LoadedGroup | undefined>
  /**
   * Decides and writes.
   *
   * @param loaded what `load` gave; loaded here when undefined, and again when others have written since
   * @returns the group as the client is to see it, its version alone when nobody asked; undefined after a
   *   delete
   */
  readonly write: (call: Call, loaded: LoadedGroup | undefined) => Promise<Rendered | Written | undefined>
}

/**
 * Creates a group.
 *
 * @throws {ScimError} at once: invalidSyntax, invalidValue. From the write: 409 uniqueness when the
 *   displayName is taken, 400 beyond the group limit, invalidValue for an unknown member
 */
export function createGroup(body: unknown, projection: Projection): GroupWrite {
  const { resource: validated, ignored } = validateResource(body, TYPE)
  const { members: sent, ...resource } = validated
  const ids = memberIds(sent)
  const load = {
    // No group has it: the new one gets its id with the write.
    id: '',
    displayNameKey: fold(String(resource.displayName)),
    memberIds: ids,
    allMembers: false,
  }
  return {
    load: (call) => storage.loadGroup(call.db, call.credentials, load),
    async write(call, loaded) {
      const known = loaded ?? (await storage.loadGroup(call.db, call.credentials, load))
      if (known.isNameTaken) throw displayNameTaken(resource)
      if (known.groupCount >= known.groupLimit) throw limitReached(known)
      const members = requireMembers(ids, known)
      const now = call.credentials.now
      const group: Stored = { id: call.newId(), version: 1, createdAt: now, lastModified: now, resource }
      const changes = [...changedAttributes({}, resource, TYPE), ...memberChange(ids, [])]
      const what = {
        action: 'create',
        type: TYPE,
        id: group.id,
        name: resource.displayName,
        status: 201,
      } as const
      const log = acceptedEntry(call, { ...what, changes, ignored })
      await guarded(resource, known, () =>
        storage.insertGroup(call.db, call.credentials, { ...group, members }, log),
      )
      return render(call, withMembers(group, members), TYPE, projection)
    },
  }
}

/** Replaces a group and its members (RFC 7644 §3.5.1). @throws {ScimError} as createGroup; 404, 412 */
export function replaceGroup(
  id: string,
  body: unknown,
  projection: Projection,
  preconditions: Preconditions,
): GroupWrite {
  const { resource: validated, ignored } = validateResource(body, TYPE)
  const { members: sent, ...resource } = validated
  return groupChange({
    id,
    preconditions,
    displayName: resource.displayName,
    members: [{ kind: 'replace', ids: memberIds(sent) }],
    decide: () => ({ resource, ignored }),
    action: 'update',
    projection,
  })
}

/**
 * Changes a group by a PatchOp (RFC 7644 §3.5.2), all or nothing.
 *
 * @param projection undefined when nobody asked for the group: then the members are not loaded
 * @throws {ScimError} at once those of parsePatch; from the write those of applyPatch, 404, 412, 409
 */
export function patchGroup(
  id: string,
  body: unknown,
  projection: Projection | undefined,
  preconditions: Preconditions,
): GroupWrite {
  const { operations, ignored } = parsePatch(body, TYPE)
  const { members, rest } = splitMembers(operations, TYPE)
  return groupChange({
    id,
    preconditions,
    displayName: lastValue(rest, 'displayName'),
    members,
    decide: (before) => {
      const patched = applyPatch(before, rest, TYPE)
      return { resource: patched.resource, ignored: [...ignored, ...patched.ignored] }
    },
    action: rest.length === 0 ? memberAction(members) : 'update',
    projection,
  })
}

/** Deletes a group with its memberships. @throws {ScimError} 404, 412 */
export function deleteGroup(id: string, preconditions: Preconditions): GroupWrite {
  return {
    async load(call) {
      await requireWriter(call.db, call.credentials)
      return undefined
    },
    async write(call) {
      await deleteResource(call, TYPE, id, preconditions)
      return undefined
    },
  }
}

interface GroupChange {
  readonly id: string
  readonly preconditions: Preconditions
  /** The name that the change would give the group, so that a taken one is found with the load. */
  readonly displayName: unknown
  readonly members: readonly MemberChange[]
  readonly decide: (before: Complex) => Validated
  readonly action: LogAction
  readonly projection: Projection | undefined
}

/** Loads, decides, writes. */
function groupChange(change: GroupChange): GroupWrite {
  const { id, projection } = change
  const load = {
    id,
    displayNameKey: typeof change.displayName === 'string' ? fold(change.displayName) : undefined,
    memberIds: namedIds(change.members),
    allMembers:
      needsAllMembers(change.members) || (projection !== undefined && withReferences(projection, TYPE)),
  }
  return {
    load: (call) => storage.loadGroup(call.db, call.credentials, load),
    write(call, loaded) {
      let known = loaded
      return retryWhileStale(async () => {
        const { group, members } = await writeChange(
          call,
          change,
          known ?? (await storage.loadGroup(call.db, call.credentials, load)),
        ).finally(() => {
          known = undefined
        })
        if (projection !== undefined) return render(call, withMembers(group, members), TYPE, projection)
        return { version: group.version, location: locationOf(call.tenantUrl, TYPE, id) }
      })
    },
  }
}

async function writeChange(
  call: Call,
  { id, preconditions, decide, action, ...change }: GroupChange,
  loaded: LoadedGroup,
): Promise<{ group: Stored; members: readonly Member[] }> {
  const { db, credentials } = call
  const before = loaded.group
  if (before === undefined) throw notFound('Group', id)
  requirePreconditions(preconditions, before.version)
  const { resource, ignored } = decide(before.resource)
  if (loaded.isNameTaken) throw displayNameTaken(resource)
  const ids = applyMemberChanges(loaded.members, change.members)
  const present = new Set(loaded.members.map((member) => member.value))
  const added = requireMembers(
    [...ids].filter((memberId) => !present.has(memberId)),
    loaded,
  )
  const removed = [...present].filter((memberId) => !ids.has(memberId))
  const changes = [
    ...changedAttributes(before.resource, resource, TYPE),
    ...memberChange(
      added.map((member) => member.value),
      removed,
    ),
  ]
  const members = [...loaded.members.filter((member) => ids.has(member.value)), ...added]
  const status = change.projection === undefined ? 204 : 200
  const log = acceptedEntry(call, {
    action,
    type: TYPE,
    id,
    name: resource.displayName,
    status,
    changes,
    ignored,
  })
  if (changes.length === 0) {
    await logUnchanged(db, credentials, log)
    return { group: before, members }
  }
  const update = { resource, lastModified: credentials.now, added, removed }
  await guarded(resource, loaded, () => storage.updateGroup(db, credentials, before, update, log))
  const group = { ...before, version: before.version + 1, lastModified: credentials.now, resource }
  return { group, members }
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
      ...(removed.length === 0 ? {} : { old: loggedIds(removed) }),
      ...(added.length === 0 ? {} : { new: loggedIds(added) }),
    },
  ]
}

/** An entry is one row, which has a limit; nobody reads more names than these. */
function loggedIds(ids: readonly string[]): readonly string[] {
  if (ids.length <= MAX_LOGGED_IDS) return ids
  return [...ids.slice(0, MAX_LOGGED_IDS), `and ${ids.length - MAX_LOGGED_IDS} more`]
}

function memberAction(changes: readonly MemberChange[]): LogAction {
  if (changes.length > 0 && changes.every((change) => change.kind === 'add')) return 'add member'
  const isRemoval = (change: MemberChange) => change.kind.startsWith('remove')
  return changes.length > 0 && changes.every(isRemoval) ? 'remove member' : 'update'
}

/** An unknown member refuses the whole write: applying the rest would hide the mistake from the client's log. */
function requireMembers(ids: readonly string[], { named }: LoadedGroup): readonly Member[] {
  const unknown = ids.filter((id) => !named.has(id))
  if (unknown.length > 0) {
    const more = unknown.length > MAX_NAMED_IDS ? ` and ${unknown.length - MAX_NAMED_IDS} more` : ''
    const list = unknown
      .slice(0, MAX_NAMED_IDS)
      .map((id) => JSON.stringify(id))
      .join(', ')
    throw badRequest(
      'invalidValue',
      `attribute "members" names no User or Group of the directory: ${list}${more}`,
    )
  }
  return ids.flatMap((id) => named.get(id)?.member ?? [])
}

/** What the database refuses by itself, after a race that the coordinator did not see. */
async function guarded(resource: Complex, loaded: LoadedGroup, write: () => Promise<void>): Promise<void> {
  try {
    await write()
  } catch (error) {
    if (error instanceof UniqueError) throw displayNameTaken(resource, { cause: error })
    if (error instanceof GuardError && error.rule === 'group limit')
      throw limitReached(loaded, { cause: error })
    if (error instanceof GuardError && error.rule === 'unknown member') {
      throw badRequest(
        'invalidValue',
        'attribute "members" names a User or a Group that was deleted meanwhile',
      )
    }
    throw error
  }
}

function displayNameTaken(resource: Complex, options?: ErrorOptions): ScimError {
  return new ScimError(409, 'uniqueness', `displayName "${resource.displayName}" is already in use`, options)
}

/**
 * 400, because a client takes 403 for bad credentials, 409 for "exists already", 429 and 5xx for a
 * promise that trying again helps.
 */
function limitReached({ groupCount, groupLimit }: LoadedGroup, options?: ErrorOptions): ScimError {
  const count = Math.max(groupCount, groupLimit)
  return new ScimError(
    400,
    undefined,
    `the directory holds ${count} groups and its limit is ${groupLimit}: take groups out of the scope of provisioning, or raise the limit of the tenant`,
    options,
  )
}
