/**
 * The cookie of a session: its end, its id, and who it belongs to, signed. Without a holder it belongs to ADMIN_TOKEN.
 */
import { deleteCookie, getSignedCookie, setSignedCookie } from 'hono/cookie'
import * as v from 'valibot'
import type { Administrator, Session } from '../../administrators/administrator.ts'
import { EVERYTHING, type Grant, ROLES } from '../../administrators/role.ts'
import { grantsOf, type RoleRule } from '../../administrators/role-rules.ts'
import { publicOrigin } from '../../edge/url.ts'
import { HOUR_MS, MINUTE_MS } from '../../scim/duration.ts'
import type { AdminContext } from '../env.ts'

const SESSION_LIFETIME_MS = 8 * HOUR_MS
/** The largest step back of the clock that does not end sessions. */
const CLOCK_STEP_MS = 5 * MINUTE_MS
const COOKIE = 'scim_admin'

/** The holder of a named token, whose role never changes. */
const TOKEN_HOLDER = v.object({
  via: v.literal('named token'),
  tokenId: v.string(),
  name: v.string(),
  role: v.picklist(ROLES),
  /** Null: all tenants. */
  tenants: v.nullable(v.array(v.string())),
})

/** A user of the OpenID provider. The roles follow from the settings of the request, so a change of them holds at once. */
const PROVIDER_USER = v.object({
  via: v.literal('OpenID Connect'),
  issuer: v.string(),
  name: v.string(),
  email: v.optional(v.string()),
  /** Those that ADMIN_ROLES named at sign-in. */
  groups: v.array(v.string()),
})

const HOLDER = v.variant('via', [TOKEN_HOLDER, PROVIDER_USER])
export type Holder = v.InferOutput<typeof HOLDER>

/** A session and whom it belongs to; undefined: whoever has ADMIN_TOKEN. */
export interface HeldSession extends Session {
  readonly holder: Holder | undefined
}

/** Whoever has ADMIN_TOKEN. */
export const ADMIN_TOKEN_HOLDER = { name: 'Administrator', via: 'admin token', grants: EVERYTHING } as const

/** The administrator of a session. @param rules ADMIN_ROLES */
export function administratorOf(
  { holder, ...session }: HeldSession,
  rules: readonly RoleRule[] | undefined,
): Administrator {
  if (holder === undefined) return { ...ADMIN_TOKEN_HOLDER, session }
  return { name: holder.name, via: holder.via, grants: grantsOfHolder(holder, rules), session }
}

/** Users of the OpenID provider have no role until a rule gives one. */
export function grantsOfHolder(holder: Holder, rules: readonly RoleRule[] | undefined): readonly Grant[] {
  if (holder.via === 'named token') return [{ role: holder.role, tenants: holder.tenants ?? 'all' }]
  return grantsOf(rules ?? [], { email: holder.email, groups: holder.groups })
}

/** The session in the request's cookie. @returns undefined without a valid one */
export async function sessionOf(c: AdminContext, adminToken: string): Promise<HeldSession | undefined> {
  const value = await getSignedCookie(c, signingSecret(adminToken), COOKIE, ...cookiePrefix(c))
  const [, expires, id, held] = /^(\d{13,15})\.([0-9a-f-]{36})(?:\.(.+))?$/s.exec(value || '') ?? []
  if (expires === undefined || id === undefined) return undefined
  const expiresAt = Number(expires)
  const remainingMs = expiresAt - c.env.now()
  // A longer remaining time means that the clock was ahead when the session began.
  if (remainingMs <= 0 || remainingMs > SESSION_LIFETIME_MS + CLOCK_STEP_MS) return undefined
  if (held === undefined) return { id, expiresAt, holder: undefined }
  const holder = parseHolder(held)
  return holder && isTrusted(c, holder) ? { id, expiresAt, holder } : undefined
}

/** A provider that is no longer configured names nobody. */
function isTrusted(c: AdminContext, holder: Holder): boolean {
  return holder.via !== 'OpenID Connect' || holder.issuer === c.env.settings.oidc?.issuer
}

/** Undefined for a holder that another version has written. */
function parseHolder(text: string): Holder | undefined {
  const { success, output } = v.safeParse(HOLDER, JSON.parse(text))
  return success ? output : undefined
}

/**
 * Starts a session.
 *
 * @param endsAt the time at which it ends if that is earlier than usual, in milliseconds since 1970
 */
export async function startSession(
  c: AdminContext,
  adminToken: string,
  holder?: Holder,
  endsAt: number | null = null,
): Promise<void> {
  const now = c.env.now()
  const expiresAt = Math.min(now + SESSION_LIFETIME_MS, endsAt ?? Number.POSITIVE_INFINITY)
  const held = holder === undefined ? '' : `.${JSON.stringify(holder)}`
  await setSignedCookie(c, COOKIE, `${expiresAt}.${c.env.newId()}${held}`, signingSecret(adminToken), {
    ...cookieAttributes(c),
    httpOnly: true,
    sameSite: 'Strict',
    maxAge: Math.ceil((expiresAt - now) / 1000),
  })
}

/** Deletes the cookie in the browser. */
export function clearSession(c: AdminContext): void {
  deleteCookie(c, COOKIE, cookieAttributes(c))
}

function signingSecret(adminToken: string): string {
  return `scim-worker dashboard session ${adminToken}`
}

/** Browsers refuse a `__Host-` cookie without Secure, and a Secure cookie over plain HTTP. */
export function cookiePrefix(c: AdminContext): [] | ['host'] {
  return isPlainLocalhost(c) ? [] : ['host']
}

/** The attributes of every cookie of the dashboard: `__Host-` and Secure, except on this machine over http. */
export function cookieAttributes(c: AdminContext) {
  return isPlainLocalhost(c)
    ? ({ path: '/', secure: false } as const)
    : ({ path: '/', secure: true, prefix: 'host' } as const)
}

function isPlainLocalhost(c: AdminContext): boolean {
  const { protocol, hostname } = new URL(publicOrigin(c))
  return protocol === 'http:' && /^(?:localhost|127\.0\.0\.1|\[::1\])$/.test(hostname)
}
