/**
 * Refuses what the role of an administrator does not allow, in the admin API and the dashboard alike.
 */
import type { Context } from 'hono'
import { createMiddleware } from 'hono/factory'
import { grantsText } from '../../administrators/role.ts'
import type { HttpEnv } from '../../runtime.ts'
import { isPermitted, neededFor, type Permission } from '../contract/permissions.ts'
import { AdminError } from '../errors.ts'
import { NoSuchTenant } from '../require-tenant.ts'
import { isBelowTenant, permissionsOf } from './operations.ts'

/** For all routes. It leaves those of a tenant to `permitInTenant`. */
export const permit = createMiddleware<HttpEnv>(async function permit(c, next) {
  requireAnyRole(c)
  if (!isBelowTenant(c)) requirePermissions(c, undefined)
  await next()
})

/** For routes at and below `/tenants/:tenant`, before the tenant is looked up. */
export const permitInTenant = createMiddleware<HttpEnv>(async function permitInTenant(c, next) {
  c.set('pathTenant', c.req.param('tenant'))
  requirePermissions(c, c.req.param('tenant'))
  await next()
})

function requireAnyRole(c: Context<HttpEnv>): void {
  const { name, grants } = c.get('administrator')
  if (grants.length > 0) return
  throw new AdminError(403, 'forbidden', `${name} has no role here. An owner can add one to ADMIN_ROLES.`)
}

/** @throws {AdminError} 403; {NoSuchTenant} if the administrator has no role in the tenant, as if there were none */
function requirePermissions(c: Context<HttpEnv>, tenantId: string | undefined): void {
  const { grants } = c.get('administrator')
  const missing = permissionsOf(c).find((permission) => !isPermitted(grants, permission, tenantId))
  if (missing === undefined) return
  if (tenantId !== undefined && !isPermitted(grants, 'read', tenantId)) throw new NoSuchTenant(tenantId)
  throw notPermitted(missing, grantsText(grants))
}

function notPermitted(permission: Permission, roles: string): AdminError {
  return new AdminError(403, 'forbidden', `This needs ${neededFor(permission)}. Your role is: ${roles}.`)
}
