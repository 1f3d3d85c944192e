/**
 * Deleting a resource: the same for every resource type.
 */
import { notFound } from '../scim/error.ts'
import { type Preconditions, requirePreconditions } from '../scim/version.ts'
import { REMOVED_MEMBERSHIP_UNITS, STORED_UNITS } from '../scim/work.ts'
import * as storage from '../storage/resources/deletion.ts'
import type { StoredResourceType } from '../storage/tables/resource-tables.ts'
import { acceptedEntry, type Call } from './call.ts'

/** Deletes a resource and its memberships. @throws {ScimError} 404, 412 */
export async function deleteResource(
  call: Call,
  type: StoredResourceType,
  id: string,
  preconditions: Preconditions,
): Promise<void> {
  const log = acceptedEntry(call, {
    action: 'delete',
    type,
    id,
    status: 204,
    changes: [],
    ignored: [],
  })
  const { found, isDeleted, members, bytes } = await storage.deleteResource(
    call.db,
    call.credentials,
    type,
    id,
    preconditions,
    log,
  )
  if (found === undefined) throw notFound(type.name, id)
  if (isDeleted) call.work.note(members * REMOVED_MEMBERSHIP_UNITS + bytes * STORED_UNITS)
  else requirePreconditions(preconditions, found)
}
