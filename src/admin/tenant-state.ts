/** What the state of a tenant does not allow. */
import type { Tenant } from '../storage/tenants.ts'
import { AdminError } from './errors.ts'

/** What cannot be done with a tenant that is neither whole nor empty, and what ends that. */
export function notReady({ id, state }: Pick<Tenant, 'id' | 'state'>): AdminError {
  const problem =
    state === 'deleting'
      ? `is being deleted; DELETE /admin/api/tenants/${id} goes on with it`
      : state === 'undoing'
        ? `has an import that is being undone; DELETE /admin/api/tenants/${id}/import goes on with it`
        : state !== 'importing'
          ? 'is being moved to another database; try again when it has arrived'
          : 'has an import under way; finish it with the rest of the file, or undo it with DELETE …/import'
  return new AdminError(409, 'conflict', `tenant "${id}" ${problem}`)
}
