/**
 * A sign-in that is under way: what this server asked the provider for, in a signed cookie of ten minutes. The cookie ties the
 * answer to the browser that asked. It is SameSite=Lax, because the answer comes as a navigation from the provider's site.
 */
import { deleteCookie, getSignedCookie, setSignedCookie } from 'hono/cookie'
import * as v from 'valibot'
import type { AdminContext } from '../env.ts'
import { cookieAttributes, cookiePrefix } from '../people/session-cookie.ts'

const COOKIE = 'scim_oidc'
const LIFETIME_SECONDS = 10 * 60

const TRANSACTION = v.object({
  id: v.string(),
  state: v.string(),
  nonce: v.string(),
  codeVerifier: v.string(),
  /** The path to open after sign-in. */
  next: v.string(),
  /** Milliseconds since 1970. */
  expiresAt: v.number(),
})

export type Transaction = v.InferOutput<typeof TRANSACTION>

/** Stores the sign-in that begins in a signed cookie, until the provider sends the browser back. */
export async function storeTransaction(
  c: AdminContext,
  adminToken: string,
  transaction: Omit<Transaction, 'id' | 'expiresAt'>,
): Promise<void> {
  const expiresAt = c.env.now() + LIFETIME_SECONDS * 1000
  const value = JSON.stringify({ ...transaction, id: c.env.newId(), expiresAt })
  await setSignedCookie(c, COOKIE, value, signingSecret(adminToken), {
    ...cookieAttributes(c),
    httpOnly: true,
    sameSite: 'Lax',
    maxAge: LIFETIME_SECONDS,
  })
}

/** @returns undefined if this browser has begun none, or too long ago */
export async function transactionOf(c: AdminContext, adminToken: string): Promise<Transaction | undefined> {
  const text = await getSignedCookie(c, signingSecret(adminToken), COOKIE, ...cookiePrefix(c))
  if (!text) return undefined
  const { success, output } = v.safeParse(TRANSACTION, JSON.parse(text))
  if (!success) return undefined
  const remainingMs = output.expiresAt - c.env.now()
  return remainingMs > 0 && remainingMs <= LIFETIME_SECONDS * 1000 ? output : undefined
}

/** Deletes the cookie: the answer of the provider is used once. */
export function clearTransaction(c: AdminContext): void {
  deleteCookie(c, COOKIE, cookieAttributes(c))
}

/** Another key than that of sessions, so that neither cookie stands for the other. */
function signingSecret(adminToken: string): string {
  return `scim-worker OpenID Connect sign-in ${adminToken}`
}
