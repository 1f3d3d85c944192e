/**
 * Sign-in to the dashboard: with ADMIN_TOKEN, which gives a session in a signed cookie, or by Cloudflare
 * Access in front of it, when that is configured.
 *
 * The cookie holds the id and the end of the session, signed with a key that follows from ADMIN_TOKEN: a
 * new ADMIN_TOKEN ends every session. Threats: script (HttpOnly), other sites (SameSite=Strict and the
 * check of the origin), a copied cookie (8 hours, and signing out ends it at the server too), guessing
 * (attempts are limited for each address).
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
/** How far a clock may be set back without ending sessions. */
const CLOCK_STEP_MS = 5 * 60 * 1000
const COOKIE = 'scim_admin'
export const SIGN_IN_PATH = '/admin/sign-in'

/** How administrators sign in here; without a way nobody does. */
export type SignInMethod =
  | { readonly kind: 'access'; readonly access: AccessSettings }
  | { readonly kind: 'token'; readonly adminToken: string }

/** Thrown where a page needs an administrator and there is none. */
export class SignInNeeded extends Error {}

/** @throws {AdminError} 503 that names what to set */
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
  throw notConfigured('Neither ADMIN_TOKEN nor Cloudflare Access is configured, so nobody can sign in.')
}

function notConfigured(message: string): AdminError {
  return new AdminError(503, 'notConfigured', message)
}

/**
 * Lets an administrator through. Whether the session was ended is asked in the page's own round trip, so
 * what is set here is a database that refuses when it was.
 *
 * @throws {SignInNeeded} when there is no session
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

/** The session of the request's cookie. @returns undefined when there is none that is valid */
export async function sessionOf(c: AdminContext, adminToken: string): Promise<Session | undefined> {
  const value = await getSignedCookie(c, signingSecret(adminToken), COOKIE, ...cookiePrefix(c))
  const [, expires, id] = /^(\d{13,15})\.([0-9a-f-]{36})$/.exec(value || '') ?? []
  if (expires === undefined || id === undefined) return undefined
  const expiresAt = Number(expires)
  const leftMs = expiresAt - c.env.now()
  // More than a session ever has was given by a clock that was ahead.
  return leftMs > 0 && leftMs <= SESSION_LIFETIME_SECONDS * 1000 + CLOCK_STEP_MS
    ? { id, expiresAt }
    : undefined
}

/** Signs in with what was typed. @returns false when it is not the administrator's token */
export async function startSession(c: AdminContext, typed: string, adminToken: string): Promise<boolean> {
  if (!(await timingSafeEqual(typed, adminToken))) return false
  const expiresAt = c.env.now() + SESSION_LIFETIME_SECONDS * 1000
  await setSignedCookie(c, COOKIE, `${expiresAt}.${c.env.newId()}`, signingSecret(adminToken), {
    ...cookieAttributes(c),
    httpOnly: true,
    sameSite: 'Strict',
    maxAge: SESSION_LIFETIME_SECONDS,
  })
  return true
}

/** Takes the cookie back. */
export function clearSession(c: AdminContext): void {
  deleteCookie(c, COOKIE, cookieAttributes(c))
}

function signingSecret(adminToken: string): string {
  return `scim-worker dashboard session ${adminToken}`
}

/** A browser refuses a __Host- cookie without Secure, and a Secure one over plain HTTP. */
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

/** Where to go after signing in: a page of the dashboard, whatever was asked for. */
export function safeDestination(next: string | undefined): string {
  return next !== undefined &&
    /^\/admin(?:\/[\w\-./~%]*)?(?:\?[\w\-.~%&=+:]*)?$/.test(next) &&
    !next.includes('..')
    ? next
    : '/admin'
}
