/**
 * The service provider's operations on users: the core and storage put together, without HTTP.
 */
import { isActive, withActive, withoutEmptyActive } from '../scim/active.ts'
import { type AttributeChange, changedAttributes } from '../scim/changes.ts'
import { type Complex, fold } from '../scim/comparison.ts'
import { notFound, quote, ScimError } from '../scim/error.ts'
import { applyUserPatch, mayLeaveOut, type PatchedUser, withoutAttribute } from '../scim/patch/disabling.ts'
import { lastValue, type ParsedPatch, parsePatch } from '../scim/patch/parse.ts'
import type { Projection } from '../scim/projection.ts'
import { USER_RESOURCE_TYPE } from '../scim/schema/resource-type.ts'
import { type Validated, validateResource } from '../scim/validation.ts'
import { type Preconditions, requirePreconditions } from '../scim/version.ts'
import type { Work } from '../scim/work.ts'
import { UniqueError } from '../storage/database.ts'
import { type LogAction, logUnchanged } from '../storage/provisioning-log.ts'
import { forgetUser, recallUser } from '../storage/recent-users.ts'
import type { Stored, StoredRow } from '../storage/resources.ts'
import * as storage from '../storage/users.ts'
import { acceptedEntry, type Call, modifiedAt, type Rendered, render, withReferences } from './call.ts'
import { deleteResource } from './deletion.ts'
import { isStale, retryWhileStale } from './optimistic.ts'

const TYPE = USER_RESOURCE_TYPE

/**
 * Creates a user.
 *
 * @throws {ScimError} invalidSyntax, invalidValue; 409 uniqueness when the userName is taken
 */
export async function createUser(call: Call, body: unknown, projection: Projection): Promise<Rendered> {
  const { resource: sent, ignored } = validateResource(body, TYPE, call.work)
  const resource = withActive(sent)
  const id = call.newId()
  const log = acceptedEntry(call, {
    action: 'create',
    type: TYPE,
    id,
    name: resource.userName,
    status: 201,
    changes: changedAttributes({}, resource, TYPE),
    ignored,
  })
  try {
    const user = await storage.insertUser(call.db, call.credentials, { id, resource }, log)
    return render(call, user, TYPE, projection)
  } catch (error) {
    if (error instanceof UniqueError) throw userNameTaken(resource.userName, { cause: error })
    throw error
  }
}

/** @throws {ScimError} 404 */
export async function getUser(call: Call, id: string, projection: Projection): Promise<Rendered> {
  const user = await storage.getUser(call.db, call.credentials, id, withReferences(projection, TYPE))
  if (user === undefined) throw notFound('User', id)
  return render(call, user, TYPE, projection)
}

/**
 * Replaces a user (RFC 7644 §3.5.1). What is not in the body is cleared, but for "active": see active.ts.
 *
 * @throws {ScimError} 404, 412, 409 uniqueness, invalidValue
 */
export async function replaceUser(
  call: Call,
  id: string,
  body: unknown,
  projection: Projection,
  preconditions: Preconditions,
): Promise<Rendered> {
  const { resource, ignored } = validateResource(withoutEmptyActive(body), TYPE, call.work)
  const { userName } = resource
  const user = await changeUser(call, id, preconditions, {
    userName,
    mayLoseName: false,
    decide: (before, isNameTaken) => {
      if (isNameTaken) throw userNameTaken(userName)
      return { resource: withActive(resource, before), ignored, detail: null }
    },
  })
  return render(call, user, TYPE, projection)
}

/**
 * Changes a user by a PatchOp (RFC 7644 §3.5.2), all or nothing, but for one that disables: see patch/disabling.ts.
 *
 * @param isStrict whether the client asked for all or nothing in any case
 * @throws {ScimError} 404, 412, 409 uniqueness, and those of parsePatch and applyPatch
 */
export async function patchUser(
  call: Call,
  id: string,
  body: unknown,
  projection: Projection,
  preconditions: Preconditions,
  isStrict: boolean,
): Promise<Rendered> {
  const { work } = call
  const patch = parsePatch(body, TYPE, work, isStrict)
  const user = await changeUser(call, id, preconditions, {
    userName: lastValue(patch.operations, 'userName'),
    mayLoseName: mayLeaveOut(patch),
    decide: (before, isNameTaken) => {
      const patched = decidePatch(before, patch, work, isNameTaken)
      return { ...patched, resource: withActive(patched.resource, before) }
    },
  })
  return render(call, user, TYPE, projection)
}

function decidePatch(before: Complex, patch: ParsedPatch, work: Work, isNameTaken: boolean): PatchedUser {
  const patched = applyUserPatch(before, patch, work)
  const { userName } = patched.resource
  if (!isNameTaken || userName === before.userName) return patched
  return applyUserPatch(before, withoutAttribute(patch, 'userName', userNameTaken(userName)), work)
}

/** Deletes a user and its memberships. @throws {ScimError} 404, 412 */
export async function deleteUser(call: Call, id: string, preconditions: Preconditions): Promise<void> {
  await deleteResource(call, TYPE, id, preconditions)
}

/** A change of a user that is checked; nothing is read yet. */
interface UserUpdate {
  /** The name that it would give the user, so that a taken one is found with the load. */
  readonly userName: unknown
  /** Whether it is made without the name when that is taken. */
  readonly mayLoseName: boolean
  /** @throws {ScimError} what the client is told when the change cannot be made */
  readonly decide: (before: Complex, isNameTaken: boolean) => Decided
}

interface Decided extends Validated {
  /** What the log says beside the names of what is ignored. */
  readonly detail: string | null
}

/**
 * Decides on the user as it was seen last, and writes; if none was seen, or the database holds another content, loads,
 * decides and writes.
 */
async function changeUser(
  call: Call,
  id: string,
  preconditions: Preconditions,
  update: UserUpdate,
): Promise<Stored> {
  const { db, credentials, work } = call
  const { userName } = update
  const { spent } = work
  const decide = (user: StoredRow, isNameTaken: boolean) => {
    // What cost too much for the user as it was seen last is not tried again: only small ones are remembered.
    if (work.isExhausted) work.spend(0)
    // A taken name is the request's own: the second decision is paid for.
    if (!isNameTaken) work.rewind(spent)
    work.store(user.json.length)
    return changeOf(user, preconditions, update, isNameTaken)
  }
  const recent = recallUser(credentials.tenantId, id)
  const early = recent && changeOfRecent(() => decide(recent, false), update)
  if (recent && early) {
    try {
      return await writeChange(call, recent, early, () => decide(recent, true))
    } catch (error) {
      if (!isStale(error)) throw error
      forgetUser(credentials.tenantId, id)
    }
  }
  const key = typeof userName === 'string' ? fold(userName) : undefined
  return await retryWhileStale(async () => {
    const { user, isNameTaken } = await storage.loadUser(db, credentials, id, key)
    if (user === undefined) throw notFound('User', id)
    return await writeChange(call, user, decide(user, isNameTaken), () => decide(user, true))
  })
}

/** What a write makes of a user. */
interface UserChange extends Decided {
  readonly action: LogAction
  readonly changes: readonly AttributeChange[]
}

/** @throws {ScimError} what the client is told when the change cannot be made */
function changeOf(
  user: Stored,
  preconditions: Preconditions,
  { decide }: UserUpdate,
  isNameTaken: boolean,
): UserChange {
  requirePreconditions(preconditions, user.version)
  const { groups, ...before } = user.resource
  const { resource, ignored, detail } = decide(before, isNameTaken)
  const changes = changedAttributes(before, resource, TYPE)
  return { resource, ignored, detail, changes, action: actionOf(before, resource) }
}

/**
 * @returns undefined when there would be nothing to write, so that nobody would notice that the user is another one;
 *   also when there might be, because the name is all that is certain to change, and may be left out
 */
function changeOfRecent(decide: () => UserChange, update: UserUpdate): UserChange | undefined {
  try {
    const change = decide()
    const isRenamed = change.changes.some(({ attribute }) => attribute === 'userName')
    const isSure = !update.mayLoseName || !isRenamed || change.action === 'disable'
    return change.changes.length > 0 && isSure ? change : undefined
  } catch (error) {
    if (error instanceof ScimError) return undefined
    throw error
  }
}

/**
 * Writes what is changed, or logs that nothing is.
 *
 * @param otherwise decides once more, now that the userName turned out to be taken
 */
async function writeChange(
  call: Call,
  user: StoredRow,
  change: UserChange,
  otherwise: () => UserChange,
): Promise<Stored> {
  try {
    return await storeChange(call, user, change)
  } catch (error) {
    if (!(error instanceof UniqueError)) throw error
    return await storeChange(call, user, otherwise())
  }
}

async function storeChange(call: Call, user: StoredRow, change: UserChange): Promise<Stored> {
  const { db, credentials } = call
  const { resource, ...rest } = change
  const log = acceptedEntry(call, { ...rest, type: TYPE, id: user.id, name: resource.userName, status: 200 })
  if (change.changes.length > 0) {
    const documents = storage.encodeUser(resource)
    call.work.store(documents.data.length + documents.keys.length)
    const after = { ...documents, lastModified: modifiedAt(call, user) }
    return await storage.updateUser(db, credentials, user, after, log)
  }
  await logUnchanged(db, credentials, log)
  return user
}

function actionOf(before: Complex, after: Complex): LogAction {
  if (isActive(before) === isActive(after)) return 'update'
  return isActive(after) ? 'enable' : 'disable'
}

function userNameTaken(userName: unknown, options?: ErrorOptions): ScimError {
  return new ScimError(409, 'uniqueness', `userName ${quote(String(userName))} is already in use`, options)
}
