/** The refusals of group writes that follow from what is stored: by the decision of a write, or by a rule of the database. */
import type { Complex } from '../../scim/comparison.ts'
import { badRequest, quote, ScimError, TakenError } from '../../scim/error.ts'
import { MAX_LOADED_MEMBERS, MAX_NAMED_IDS, MAX_NESTED_MEMBERSHIPS } from '../../scim/limits.ts'
import type { Member } from '../../scim/patch/members.ts'
import { GuardError, UniqueError } from '../../storage/database/database.ts'
import type { GroupChange, LoadedGroups } from '../../storage/resources/groups.ts'
import { NESTED_MEMBER } from '../../storage/tables/member-types.ts'

export type GroupCounts = Pick<LoadedGroups, 'groupCount' | 'groupLimit'>

/** A list of members is read, compared and shown as a whole. @throws {ScimError} tooMany if it is too long for that */
export function requireFewMembers(id: string, memberCount: number): void {
  if (memberCount <= MAX_LOADED_MEMBERS) return
  throw badRequest(
    'tooMany',
    `Group "${id}" has ${memberCount} members, and a request that needs the whole list takes ${MAX_LOADED_MEMBERS} at most: add and remove members by id, and do not ask for "members"`,
  )
}

/**
 * The new members of a group. An unknown member refuses the whole write: to apply the rest would hide the mistake from
 * the client's log. The id determines the type of a member: a `type` that the client sends is ignored. A group may be a
 * member of itself, directly or through other groups: RFC 7643 §4.2 does not forbid it, and a refusal would also keep
 * out the other members that the request names.
 *
 * @param directory the users and groups that may be members, by id
 * @throws {ScimError} invalidValue
 */
export function requireMembers(
  ids: readonly string[],
  directory: ReadonlyMap<string, Member>,
): readonly Member[] {
  const members: Member[] = []
  const unknown: string[] = []
  for (const id of ids) {
    const member = directory.get(id)
    if (member === undefined) unknown.push(id)
    else members.push(member)
  }
  if (unknown.length > 0) {
    const more = unknown.length > MAX_NAMED_IDS ? ` and ${unknown.length - MAX_NAMED_IDS} more` : ''
    const list = unknown.slice(0, MAX_NAMED_IDS).map(quote).join(', ')
    throw badRequest(
      'invalidValue',
      `attribute "members" names no User or Group of the directory: ${list}${more}`,
    )
  }
  return members
}

/**
 * The refusal of a write by a rule of the database: a writer outside of the queue was faster.
 *
 * @returns the error itself if it is not about such a rule
 */
export function databaseRefusal(
  error: unknown,
  change: GroupChange | undefined,
  counts: GroupCounts,
): unknown {
  if (error instanceof UniqueError && change !== undefined)
    return displayNameTaken(change.after.resource, { cause: error })
  if (!(error instanceof GuardError)) return error
  if (error.rule === 'group limit') return limitReached(counts, { cause: error })
  if (error.rule === 'nested groups') return tooManyNested(change?.added ?? [], { cause: error })
  if (error.rule !== 'unknown member') return error
  return badRequest('invalidValue', 'attribute "members" names a User or a Group that has just been deleted')
}

/** 409 uniqueness. */
export function displayNameTaken(resource: Complex, options?: ErrorOptions): ScimError {
  return new TakenError('displayName', String(resource.displayName), options)
}

/**
 * The status is 400, because clients take 403 for bad credentials, 409 for "exists already", and 429 and 5xx for an
 * error that a retry may solve.
 */
export function limitReached({ groupCount, groupLimit }: GroupCounts, options?: ErrorOptions): ScimError {
  const count = Math.max(groupCount, groupLimit)
  return new ScimError(
    400,
    undefined,
    `the directory holds ${count} groups and its limit is ${groupLimit}: take groups out of the scope of provisioning, or raise the limit of the tenant`,
    options,
  )
}

/** 400 as in limitReached. Only the database counts nested memberships: a load would have to count them for each write. */
function tooManyNested(added: readonly Member[], options?: ErrorOptions): ScimError {
  const count = added.filter(({ type }) => type === NESTED_MEMBER).length
  return new ScimError(
    400,
    'invalidValue',
    `attribute "members" adds memberships of groups in groups (${count}), and the directory may hold ${MAX_NESTED_MEMBERSHIPS} of them: make users the members instead, or take groups out of other groups`,
    options,
  )
}
