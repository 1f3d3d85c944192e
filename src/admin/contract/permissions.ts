/**
 * What a route needs from an administrator. The contract names the permission of each route of the admin API, and each page of
 * the dashboard belongs to a route (src/admin/people/operations.ts), so this table and the contract are the whole rule.
 */
import { type Grant, isAtLeast, type Role } from '../../administrators/role.ts'

export interface Rule {
  /** The least role. */
  readonly role: Role
  /**
   * Where the administrator needs it: in the tenant of the route, in all tenants because the route concerns the whole
   * installation, or anywhere because the answer is limited to the administrator's tenants.
   */
  readonly where: 'tenant' | 'all tenants' | 'anywhere'
  /** Whether the audit trail names the request even if it only reads. Requests that may write are always named. */
  readonly isRecorded?: boolean
}

export const PERMISSIONS = {
  'list tenants': { role: 'viewer', where: 'anywhere' },
  read: { role: 'viewer', where: 'tenant' },
  change: { role: 'admin', where: 'tenant' },
  /** Takes a whole directory away as a file. */
  export: { role: 'admin', where: 'tenant', isRecorded: true },
  own: { role: 'owner', where: 'tenant' },
  'read installation': { role: 'viewer', where: 'all tenants' },
  'own installation': { role: 'owner', where: 'all tenants' },
} as const satisfies Readonly<Record<string, Rule>>

export type Permission = keyof typeof PERMISSIONS

/** @param tenantId the tenant of the request; undefined: it concerns none */
export function isPermitted(
  grants: readonly Grant[],
  permission: Permission,
  tenantId: string | undefined,
): boolean {
  const { role, where }: Rule = PERMISSIONS[permission]
  return grants.some(
    ({ role: own, tenants }) =>
      isAtLeast(own, role) &&
      (tenants === 'all' ||
        where === 'anywhere' ||
        (where === 'tenant' && tenantId !== undefined && tenants.includes(tenantId))),
  )
}

/** Describes who has a permission: `the role "owner" in all tenants`. */
export function neededFor(permission: Permission): string {
  const { role, where }: Rule = PERMISSIONS[permission]
  return `the role "${role}"${where === 'all tenants' ? ' in all tenants' : ''}`
}
