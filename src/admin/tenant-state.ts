/** Refusals because of the state of a tenant. */
import type { Tenant } from '../storage/tenants/tenants.ts'
import { AdminError } from './errors.ts'

type Busy = Pick<Tenant, 'id' | 'state'>

/** The error for an operation that needs a tenant in the state "ready", with the way out of its present state. */
export function notReady(tenant: Busy): AdminError {
  const { problem, inApi, onPage } = refusalOf(tenant)
  const what = `tenant "${tenant.id}" ${problem}`
  return new AdminError(409, 'conflict', `${what}; ${inApi}`, undefined, { onPage: `${what}. ${onPage}` })
}

function refusalOf({ id, state }: Busy) {
  const path = `/admin/api/tenants/${id}`
  if (state === 'deleting') {
    return {
      problem: 'is being deleted',
      inApi: `DELETE ${path} continues the deletion`,
      onPage: '“Settings” continues the deletion.',
    }
  }
  if (state === 'undoing') {
    return {
      problem: 'has an import that is being undone',
      inApi: `DELETE ${path}/import continues that`,
      onPage: '“Export and import” continues that.',
    }
  }
  if (state === 'importing') {
    return {
      problem: 'has an import in progress',
      inApi: 'send the rest of the file, or undo the import with DELETE …/import',
      onPage: '“Export and import” continues or undoes it.',
    }
  }
  return {
    problem: 'is being moved to another database',
    inApi: 'try again after the move',
    onPage: 'Try again after the move.',
  }
}
