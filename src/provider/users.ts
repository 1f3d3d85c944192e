/**
 * The service provider's operations on users: the core and storage put together, without HTTP.
 */
import { isActive, withActive, withoutEmptyActive } from '../scim/active.ts'
import { type AttributeChange, changedAttributes } from '../scim/changes.ts'
import { type Complex, fold } from '../scim/comparison.ts'
import { notFound, quote, ScimError } from '../scim/error.ts'
import { applyPatch } from '../scim/patch/apply.ts'
import { lastValue, parsePatch } from '../scim/patch/parse.ts'
import type { Projection } from '../scim/projection.ts'
import { USER_RESOURCE_TYPE } from '../scim/schema/resource-type.ts'
import { type Validated, validateResource } from '../scim/validation.ts'
import { type Preconditions, requirePreconditions } from '../scim/version.ts'
import { UniqueError } from '../storage/database.ts'
import { type LogAction, type LogEntry, logUnchanged } from '../storage/provisioning-log.ts'
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
  const user = await uniqueUserName(resource, () =>
    storage.insertUser(call.db, call.credentials, { id, resource }, log),
  )
  return render(call, user, TYPE, projection)
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
  const decide = (before: Complex): Validated => ({ resource: withActive(resource, before), ignored })
  const user = await changeUser(call, id, preconditions, resource.userName, decide)
  return render(call, user, TYPE, projection)
}

/**
 * Changes a user by a PatchOp (RFC 7644 §3.5.2), all or nothing.
 *
 * @throws {ScimError} 404, 412, 409 uniqueness, and those of parsePatch and applyPatch
 */
export async function patchUser(
  call: Call,
  id: string,
  body: unknown,
  projection: Projection,
  preconditions: Preconditions,
): Promise<Rendered> {
  const { operations, ignored } = parsePatch(body, TYPE)
  const { spent } = call.work
  const decide = (before: Complex): Validated => {
    call.work.rewind(spent)
    const patched = applyPatch(before, operations, TYPE, call.work)
    return { resource: withActive(patched.resource, before), ignored: [...ignored, ...patched.ignored] }
  }
  const user = await changeUser(call, id, preconditions, lastValue(operations, 'userName'), decide)
  return render(call, user, TYPE, projection)
}

/** Deletes a user and its memberships. @throws {ScimError} 404, 412 */
export async function deleteUser(call: Call, id: string, preconditions: Preconditions): Promise<void> {
  await deleteResource(call, TYPE, id, preconditions)
}

/**
 * Decides on the user as it was seen last, and writes; if none was seen, or the database holds another content, loads,
 * decides and writes.
 *
 * @param userName the name that the change would give the user, so that a taken one is found with the load
 */
async function changeUser(
  call: Call,
  id: string,
  preconditions: Preconditions,
  userName: unknown,
  decide: (before: Complex) => Validated,
): Promise<Stored> {
  const { db, credentials } = call
  const recent = recallUser(credentials.tenantId, id)
  const early = recent && changeOfRecent(recent, preconditions, decide)
  if (recent && early) {
    try {
      return await writeChange(call, recent, early)
    } catch (error) {
      if (!isStale(error)) throw error
      forgetUser(credentials.tenantId, id)
    }
  }
  const key = typeof userName === 'string' ? fold(userName) : undefined
  return await retryWhileStale(async () => {
    const { user, isNameTaken } = await storage.loadUser(db, credentials, id, key)
    if (user === undefined) throw notFound('User', id)
    const change = changeOf(user, preconditions, decide)
    if (isNameTaken) throw userNameTaken(change.resource)
    if (change.changes.length > 0) return await writeChange(call, user, change)
    await logUnchanged(db, credentials, changeEntry(call, id, change))
    return user
  })
}

/** What a write makes of a user. */
interface UserChange extends Validated {
  readonly action: LogAction
  readonly changes: readonly AttributeChange[]
}

/** @throws {ScimError} what the client is told when the change cannot be made */
function changeOf(
  user: Stored,
  preconditions: Preconditions,
  decide: (before: Complex) => Validated,
): UserChange {
  requirePreconditions(preconditions, user.version)
  const { groups, ...before } = user.resource
  const { resource, ignored } = decide(before)
  const changes = changedAttributes(before, resource, TYPE)
  return { resource, ignored, changes, action: actionOf(before, resource) }
}

/** @returns undefined when there would be nothing to write, so that nobody would notice that the user is another one */
function changeOfRecent(...args: Parameters<typeof changeOf>): UserChange | undefined {
  try {
    const change = changeOf(...args)
    return change.changes.length > 0 ? change : undefined
  } catch (error) {
    if (error instanceof ScimError) return undefined
    throw error
  }
}

async function writeChange(call: Call, user: StoredRow, change: UserChange): Promise<Stored> {
  const { db, credentials } = call
  const log = changeEntry(call, user.id, change)
  return await uniqueUserName(change.resource, () =>
    storage.updateUser(db, credentials, user, { ...change, lastModified: modifiedAt(call, user) }, log),
  )
}

function changeEntry(call: Call, id: string, { resource, ...change }: UserChange): LogEntry {
  return acceptedEntry(call, { ...change, type: TYPE, id, name: resource.userName, status: 200 })
}

function actionOf(before: Complex, after: Complex): LogAction {
  if (isActive(before) === isActive(after)) return 'update'
  return isActive(after) ? 'enable' : 'disable'
}

async function uniqueUserName<Result>(resource: Complex, write: () => Promise<Result>): Promise<Result> {
  try {
    return await write()
  } catch (error) {
    if (error instanceof UniqueError) throw userNameTaken(resource, { cause: error })
    throw error
  }
}

function userNameTaken(resource: Complex, options?: ErrorOptions): ScimError {
  return new ScimError(
    409,
    'uniqueness',
    `userName ${quote(String(resource.userName))} is already in use`,
    options,
  )
}
