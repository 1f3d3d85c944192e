/** Disables users at once and enables them again, for the admin API and the dashboard. */
import { asAdministrator } from '../provider/administrator.ts'
import { setActive } from '../provider/emergency.ts'
import { canBeDisabled } from '../scim/active.ts'
import type { Complex } from '../scim/comparison.ts'
import { quote } from '../scim/error.ts'
import { DISABLED_BY_ADMINISTRATOR } from '../storage/guard/emergency.ts'
import type { StoredResourceType } from '../storage/tables/resource-tables.ts'
import { AdminError } from './errors.ts'
import type { JobContext } from './jobs.ts'
import { administratorOf } from './tombstones.ts'

export interface EmergencyWrite {
  readonly type: StoredResourceType
  readonly id: string
  readonly active: boolean
  /** Why, in the words of the administrator; undefined for nothing. */
  readonly reason?: string | undefined
}

/**
 * Disables a user from now on, or enables it again.
 *
 * @returns the user
 * @throws {AdminError} 404; {ScimError} 503 while the tenant is imported or moved
 */
export async function setActiveOf(
  c: JobContext,
  tenantId: string,
  { type, id, active, reason }: EmergencyWrite,
): Promise<Complex> {
  const { name, via } = c.get('administrator')
  // The name of ADMIN_TOKEN tells nothing.
  const who = via === 'admin token' ? '' : `, ${name}`
  const why = reason === undefined ? '' : `: ${reason}`
  const what = active ? 'enabled by an administrator' : DISABLED_BY_ADMINISTRATOR
  return await asAdministrator(administratorOf(c, tenantId), async (call) => {
    const own = call.tenant.resourceTypes.find(({ name }) => name === type.name) ?? type
    const user = await setActive(call, { type: own, id, active, detail: `${what}${who}${why}` })
    if (user === undefined) throw noUser(tenantId, type, id)
    c.env.pokeWebhooks(tenantId, call.tenant.webhooks)
    return user
  })
}

function noUser(tenantId: string, { name }: StoredResourceType, id: string): AdminError {
  return new AdminError(404, 'notFound', `tenant ${quote(tenantId)} has no ${name} ${quote(id)}`)
}

/** The resource type whose resources can be disabled. */
export function disabledType(types: readonly StoredResourceType[]): StoredResourceType {
  const type = types.find(canBeDisabled)
  if (type === undefined) throw new Error('there is no resource type that can be disabled')
  return type
}
