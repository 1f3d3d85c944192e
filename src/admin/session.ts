/**
 * Sign-in to the dashboard. ADMIN_TOKEN starts a session, which is stored in a signed cookie. If Cloudflare Access is
 * configured, it signs administrators in instead.
 *
 * The cookie holds the id and the end of the session. The signing key is derived from ADMIN_TOKEN, so a new ADMIN_TOKEN
 * ends every session. Threats: scripts (HttpOnly), other sites (SameSite=Strict and a check of the origin), a copied
 * cookie (valid for 8 hours; signing out also ends the session at the server), guessing (attempts per address are
 * limited).
 */

import { deleteCookie, getSignedCookie, setSignedCookie } from 'hono/cookie'
import { createMiddleware } from 'hono/factory'
import { timingSafeEqual } from 'hono/utils/buffer'
import { publicOrigin } from '../edge/url.ts'
import type { Settings } from '../runtime.ts'
import { readDuringSession, writeDuringSession } from '../storage/access/sessions.ts'
import { type AccessSettings, accessEmail } from './access.ts'
import type { AdminContext, AdminEnv, Session } from './env.ts'
import { AdminError } from './errors.ts'

const SESSION_LIFETIME_SECONDS = 8 * 60 * 60
/** The largest step back of the clock that does not end sessions. */
const CLOCK_STEP_MS = 5 * 60 * 1000
const COOKIE = 'scim_admin'
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
    c.set('administrator', { kind: 'access', email: await accessEmail(c, method.access) })
    return await next()
  }
  const session = await sessionOf(c, method.adminToken)
  if (session === undefined) throw new SignInNeeded()
  c.set('administrator', { kind: 'token', session })
  const duringSession = c.req.method === 'POST' ? writeDuringSession : readDuringSession
  c.set('db', duringSession(c.get('db'), session.id))
  await next()
})

/** The session in the request's cookie. @returns undefined without a valid one */
export async function sessionOf(c: AdminContext, adminToken: string): Promise<Session | undefined> {
  const value = await getSignedCookie(c, signingSecret(adminToken), COOKIE, ...cookiePrefix(c))
  const [, expires, id] = /^(\d{13,15})\.([0-9a-f-]{36})$/.exec(value || '') ?? []
  if (expires === undefined || id === undefined) return undefined
  const expiresAt = Number(expires)
  const remainingMs = expiresAt - c.env.now()
  // A longer remaining time means that the clock was ahead when the session began.
  return remainingMs > 0 && remainingMs <= SESSION_LIFETIME_SECONDS * 1000 + CLOCK_STEP_MS
    ? { id, expiresAt }
    : undefined
}

/** Starts a session. @returns false if `token` is not the administrator's token */
export async function startSession(c: AdminContext, token: string, adminToken: string): Promise<boolean> {
  if (!(await timingSafeEqual(token, adminToken))) return false
  const expiresAt = c.env.now() + SESSION_LIFETIME_SECONDS * 1000
  await setSignedCookie(c, COOKIE, `${expiresAt}.${c.env.newId()}`, signingSecret(adminToken), {
    ...cookieAttributes(c),
    httpOnly: true,
    sameSite: 'Strict',
    maxAge: SESSION_LIFETIME_SECONDS,
  })
  return true
}

/** Deletes the cookie in the browser. */
export function clearSession(c: AdminContext): void {
  deleteCookie(c, COOKIE, cookieAttributes(c))
}

function signingSecret(adminToken: string): string {
  return `scim-worker dashboard session ${adminToken}`
}

/** Browsers refuse a `__Host-` cookie without Secure, and a Secure cookie over plain HTTP. */
function cookiePrefix(c: AdminContext): [] | ['host'] {
  return isPlainLocalhost(c) ? [] : ['host']
}

function cookieAttributes(c: AdminContext) {
  return isPlainLocalhost(c)
    ? ({ path: '/', secure: false } as const)
    : ({ path: '/', secure: true, prefix: 'host' } as const)
}

function isPlainLocalhost(c: AdminContext): boolean {
  const { protocol, hostname } = new URL(publicOrigin(c))
  return protocol === 'http:' && /^(?:localhost|127\.0\.0\.1|\[::1\])$/.test(hostname)
}

/** The path to open after sign-in. Anything but a page of the dashboard is replaced by /admin. */
export function safeDestination(next: string | undefined): string {
  return next !== undefined &&
    /^\/admin(?:\/[\w\-./~%]*)?(?:\?[\w\-.~%&=+:]*)?$/.test(next) &&
    !next.includes('..')
    ? next
    : '/admin'
}
