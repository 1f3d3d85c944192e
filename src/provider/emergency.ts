/**
 * Disables a user at once, or enables it again, as an administrator: an ordinary write of a client of its own, with its entry
 * in the log and its event. The guard against unusual deprovisioning holds writes of other clients only. The identity provider
 * does not know of it, and may undo it.
 */
import { isActive } from '../scim/active.ts'
import type { Complex } from '../scim/comparison.ts'
import { readTogether } from '../storage/database/query.ts'
import { presentQuery } from '../storage/resources/undo-state.ts'
import type { StoredResourceType } from '../storage/tables/resource-tables.ts'
import type { Call } from './call.ts'
import { retryWhileStale } from './optimistic.ts'
import { storeOwnChange, withoutReferences } from './resources.ts'

export interface ActiveChange {
  /** One whose resources can be disabled. */
  readonly type: StoredResourceType
  readonly id: string
  readonly active: boolean
  /** For the log. */
  readonly detail: string
}

/**
 * @returns the user as it is now; undefined if there is none. Nothing is written if it is so already
 * @throws {ScimError} 503 if other writers are always first
 */
export async function setActive(call: Call, change: ActiveChange): Promise<Complex | undefined> {
  const { type, id, active, detail } = change
  const { tenantId, database } = call.tenant
  return await retryWhileStale(async () => {
    const { present } = await readTogether(database, { present: presentQuery(type, tenantId, id) })
    if (present === undefined) return undefined
    const resource = { ...withoutReferences(present.row.resource, type), active }
    if (isActive(present.row.resource) !== active) {
      await storeOwnChange(call, type, present.row, { resource, detail })
    }
    return resource
  })
}
