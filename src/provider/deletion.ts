/**
 * The deletion of a resource of any type.
 */
import { notFound, quote, ScimError } from '../scim/error.ts'
import { MAX_DELETED_GROUPS, MAX_DELETED_MEMBERSHIPS } from '../scim/limits.ts'
import { type Preconditions, requirePreconditions } from '../scim/version.ts'
import { REMOVED_MEMBERSHIP_UNITS, STORED_UNITS } from '../scim/work.ts'
import * as storage from '../storage/resources/deletion.ts'
import type { StoredResourceType } from '../storage/tables/resource-tables.ts'
import { acceptedEntry, type Call } from './call.ts'
import { ownedByAnother } from './ownership.ts'

export interface Deletion {
  readonly type: StoredResourceType
  readonly id: string
  readonly preconditions: Preconditions
}

/**
 * Deletes a resource and its memberships.
 *
 * @returns whether memberships of a large group are left to delete: see storage/resources/deleted-groups.ts
 * @throws {ScimError} 404, 412; 429 while the memberships of too many large groups are being deleted
 */
export async function deleteResource(
  call: Call,
  { type, id, preconditions }: Deletion,
): Promise<{ readonly leavesMemberships: boolean }> {
  const log = acceptedEntry(call, { action: 'delete', type, id, status: 204, changes: [], ignored: [] })
  const outcome = await storage.deleteResource(call.tenant, type, {
    id,
    preconditions,
    log,
    isKept: call.keepsDeleted,
  })
  const { found, isDeleted, members, bytes, values, ownerName } = outcome
  if (found === undefined) throw notFound(type.name, id)
  if (!isDeleted) {
    if (ownerName !== undefined) throw ownedByAnother(type.name, id, ownerName)
    requirePreconditions(preconditions, found)
    throw tooManyDeletions(id)
  }
  const leavesMemberships = members > MAX_DELETED_MEMBERSHIPS
  const deleted = leavesMemberships ? 0 : members
  call.work.note(deleted * REMOVED_MEMBERSHIP_UNITS + bytes * STORED_UNITS)
  call.work.writeValues(values, false)
  return { leavesMemberships }
}

function tooManyDeletions(id: string): ScimError {
  const problem = `Group ${quote(id)} has more than ${MAX_DELETED_MEMBERSHIPS} members, and the memberships of ${MAX_DELETED_GROUPS} deleted groups are still being deleted, the limit`
  return new ScimError(429, undefined, `${problem}; try again`)
}
