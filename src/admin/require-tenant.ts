/** The 404 for an unknown tenant, in the admin API and the dashboard. */
import { quote } from '../scim/error.ts'
import { AdminError } from './errors.ts'

export class NoSuchTenant extends AdminError {
  readonly tenantId: string

  constructor(tenantId: string) {
    super(404, 'notFound', `there is no tenant ${quote(tenantId)}`)
    this.tenantId = tenantId
  }
}

/** Returns the tenant that was read by its id. @throws {NoSuchTenant} if it is undefined */
export function requireTenant<Tenant>(tenant: Tenant | undefined, id: string): Tenant {
  if (tenant === undefined) throw new NoSuchTenant(id)
  return tenant
}
