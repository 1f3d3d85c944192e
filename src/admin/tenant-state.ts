/** Refusals because of the state of a tenant. */
import type { Tenant } from '../storage/tenants/tenants.ts'
import { AdminError } from './errors.ts'

/** The error for an operation that needs a tenant in the state "ready", with the way out of its present state. */
export function notReady({ id, state }: Pick<Tenant, 'id' | 'state'>): AdminError {
  const problem =
    state === 'deleting'
      ? `is being deleted; DELETE /admin/api/tenants/${id} continues the deletion`
      : state === 'undoing'
        ? `has an import that is being undone; DELETE /admin/api/tenants/${id}/import continues that`
        : state !== 'importing'
          ? 'is being moved to another database; try again after the move'
          : 'has an import in progress; send the rest of the file, or undo the import with DELETE …/import'
  return new AdminError(409, 'conflict', `tenant "${id}" ${problem}`)
}
