/**
 * Sign-in to the dashboard. ADMIN_TOKEN or a named token starts a session, which is stored in a signed cookie. If Cloudflare
 * Access is configured, it signs administrators in instead.
 *
 * The signing key is derived from ADMIN_TOKEN, so a new ADMIN_TOKEN ends every session. Threats: scripts (HttpOnly), other
 * sites (SameSite=Strict and a check of the origin), a copied cookie (valid for 8 hours; signing out, and revoking the named
 * token, also end the session at the server), guessing (attempts per address are limited).
 */
import { createMiddleware } from 'hono/factory'
import { timingSafeEqual } from 'hono/utils/buffer'
import type { Administrator } from '../administrators/administrator.ts'
import type { Settings } from '../runtime.ts'
import { readDuringSession, writeDuringSession } from '../storage/access/sessions.ts'
import { findAdminToken } from '../storage/administrators/admin-tokens.ts'
import { type AccessSettings, accessAdministrator } from './access.ts'
import { administrationDatabase } from './database.ts'
import type { AdminContext, AdminEnv } from './env.ts'
import { AdminError } from './errors.ts'
import { ADMIN_TOKEN_HOLDER, administratorOf, sessionOf, startSession } from './people/session-cookie.ts'

export const SIGN_IN_PATH = '/admin/sign-in'

/** The configured way to sign in. */
export type SignInMethod =
  | { readonly kind: 'access'; readonly access: AccessSettings }
  | { readonly kind: 'token'; readonly adminToken: string }

/** The page requires an administrator, and the request has no valid session. */
export class SignInNeeded extends Error {}

/** @throws {AdminError} 503 with the name of the missing setting */
export function signInMethod(settings: Settings): SignInMethod {
  const { adminToken, accessTeamDomain: teamDomain, accessAudience: audience } = settings
  if (teamDomain !== undefined && audience !== undefined) {
    return { kind: 'access', access: { teamDomain, audience } }
  }
  if (teamDomain !== undefined || audience !== undefined) {
    const missing = teamDomain === undefined ? 'ACCESS_TEAM_DOMAIN' : 'ACCESS_AUD'
    throw notConfigured(
      `${missing} is not set, and Cloudflare Access needs both ACCESS_TEAM_DOMAIN and ACCESS_AUD.`,
    )
  }
  if (adminToken) return { kind: 'token', adminToken }
  throw notConfigured('Sign-in is not possible: neither ADMIN_TOKEN nor Cloudflare Access is configured.')
}

function notConfigured(message: string): AdminError {
  return new AdminError(503, 'notConfigured', message)
}

/**
 * Requires a signed-in administrator. The check for an ended session runs in the same batch as the page's own queries:
 * this middleware replaces the database by one that makes the check.
 *
 * @throws {SignInNeeded} if the request has no valid session
 */
export const requireAdministrator = createMiddleware<AdminEnv>(async function requireAdministrator(c, next) {
  const method = signInMethod(c.env.settings)
  if (method.kind === 'access') {
    c.set('administrator', await accessAdministrator(c, method.access))
    return await next()
  }
  const session = await sessionOf(c, method.adminToken)
  if (session === undefined) throw new SignInNeeded()
  c.set('administrator', administratorOf(session, c.env.settings.adminRoles))
  const duringSession = c.req.method === 'POST' ? writeDuringSession : readDuringSession
  const { id, holder } = session
  const checked = { id, adminTokenId: holder?.via === 'named token' ? holder.tokenId : undefined }
  c.set('duringSession', (db) => duringSession(db, checked))
  c.set('db', administrationDatabase(c, c.get('figures')))
  await next()
})

/**
 * Starts a session with ADMIN_TOKEN or a named token.
 *
 * @returns the administrator; undefined if `token` is neither
 */
export async function signInByToken(
  c: AdminContext,
  token: string,
  adminToken: string,
): Promise<Administrator | undefined> {
  if (await timingSafeEqual(token, adminToken)) {
    await startSession(c, adminToken)
    return ADMIN_TOKEN_HOLDER
  }
  const found = await findAdminToken(c.get('db'), token, c.env.now())
  if (found === undefined) return undefined
  const { id: tokenId, name, role, tenants, expiresAt } = found
  const held = tenants === null ? null : [...tenants]
  await startSession(c, adminToken, { via: 'named token', tokenId, name, role, tenants: held }, expiresAt)
  return { name, via: 'named token', grants: [{ role, tenants: tenants ?? 'all' }] }
}

/**
 * The administrator with a bearer token of the admin API: ADMIN_TOKEN, compared in constant time, or a named token, in one
 * round trip.
 *
 * @returns undefined if it is neither
 */
export async function administratorByToken(
  c: AdminContext,
  token: string,
): Promise<Administrator | undefined> {
  const { adminToken } = c.env.settings
  if (adminToken && (await timingSafeEqual(token, adminToken))) return ADMIN_TOKEN_HOLDER
  const found = await findAdminToken(c.get('db'), token, c.env.now())
  if (found === undefined) return undefined
  const { name, role, tenants } = found
  return { name, via: 'named token', grants: [{ role, tenants: tenants ?? 'all' }] }
}

/** The path to open after sign-in. Anything but a page of the dashboard is replaced by /admin. */
export function safeDestination(next: string | undefined): string {
  return next !== undefined &&
    /^\/admin(?:\/[\w\-./~%]*)?(?:\?[\w\-.~%&=+:]*)?$/.test(next) &&
    !/\.\.|%2e/i.test(next)
    ? next
    : '/admin'
}
