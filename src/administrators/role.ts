/**
 * What an administrator may do: a role, in some tenants or in all of them.
 */

/** Each role may do everything that the roles before it may do. */
export const ROLES = ['viewer', 'admin', 'owner'] as const

/**
 * - "viewer" reads, and sees no secret.
 * - "admin" also changes everything within its tenants.
 * - "owner" also deletes its tenants; an owner of all tenants also creates them, and manages administrators.
 */
export type Role = (typeof ROLES)[number]

/** A role in the listed tenants, or in all of them, those that do not exist yet included. */
export interface Grant {
  readonly role: Role
  readonly tenants: readonly string[] | 'all'
}

/** Everything, everywhere. */
export const EVERYTHING: readonly Grant[] = [{ role: 'owner', tenants: 'all' }]

/** Whether a role includes another one: "owner" includes "admin", and "admin" includes "viewer". */
export function isAtLeast(role: Role, least: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(least)
}

/** The ids of the tenants of the grants, sorted; undefined: all tenants. */
export function tenantsOf(grants: readonly Grant[]): readonly string[] | undefined {
  const ids = new Set<string>()
  for (const { tenants } of grants) {
    if (tenants === 'all') return undefined
    for (const id of tenants) ids.add(id)
  }
  return [...ids].sort()
}

/** Describes grants: `owner`, or `admin of acme, beta; viewer`. */
export function grantsText(grants: readonly Grant[]): string {
  const texts = grants.map(({ role, tenants }) =>
    tenants === 'all' ? role : `${role} of ${tenants.join(', ')}`,
  )
  return texts.join('; ')
}
